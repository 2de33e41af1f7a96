package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"
)

// sample is what one run of wrk saw.
type sample struct {
	Requests  int
	PerSecond float64
	P50, P99  time.Duration
	CPU       time.Duration // of the server, per request
	Errors    int           // socket errors and answers outside 2xx and 3xx
}

var (
	requestsLine = regexp.MustCompile(`(\d+) requests in`)
	rateLine     = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	p50Line      = regexp.MustCompile(`\s50%\s+([0-9.]+)(us|ms|s)`)
	p99Line      = regexp.MustCompile(`\s99%\s+([0-9.]+)(us|ms|s)`)
	non2xxLine   = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
	socketLine   = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
)

// load runs wrk with 64 keep-alive connections against a server.
func load(p *process, path, script string, duration time.Duration) (sample, error) {
	args := []string{"-t1", "-c64", "-d" + duration.String(), "--latency", "-H", "Host: get.acme.test"}
	if script != "" {
		f, err := os.CreateTemp("", "bench-*.lua")
		if err != nil {
			return sample{}, err
		}
		defer os.RemoveAll(f.Name())
		if _, err := f.WriteString(script); err != nil {
			return sample{}, err
		}
		f.Close()
		args = append(args, "-s", f.Name())
	}
	before, err := p.cpu()
	if err != nil {
		return sample{}, err
	}
	out, err := pinned(1, "wrk", append(args, "http://"+p.Gateway+path)...).CombinedOutput()
	if err != nil {
		return sample{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	after, err := p.cpu()
	if err != nil {
		return sample{}, err
	}
	text := string(out)
	s := sample{
		Requests: int(number(requestsLine, text)), PerSecond: number(rateLine, text),
		P50: latency(p50Line, text), P99: latency(p99Line, text),
		Errors: int(number(non2xxLine, text)),
	}
	if m := socketLine.FindStringSubmatch(text); m != nil {
		for _, n := range m[1:] {
			k, _ := strconv.Atoi(n)
			s.Errors += k
		}
	}
	if s.Requests == 0 {
		return s, fmt.Errorf("wrk made no requests:\n%s", text)
	}
	s.CPU = (after - before) / time.Duration(s.Requests)
	return s, nil
}

func number(re *regexp.Regexp, text string) float64 {
	m := re.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	f, _ := strconv.ParseFloat(m[1], 64)
	return f
}

func latency(re *regexp.Regexp, text string) time.Duration {
	m := re.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	d, _ := time.ParseDuration(m[1] + m[2])
	return d
}
