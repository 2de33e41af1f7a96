package main

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"time"
)

const postEvents = `
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"action":"launch","$version":"1.2","platform":"linux"}'
`

// redirects pairs a file route with the bare handler, once with analytics in the
// same process and once as a gateway alone.
func (b *bench) redirects() error {
	bare, err := startBare()
	if err != nil {
		return err
	}
	defer bare.end()
	for _, kind := range []struct {
		name string
		args []string
	}{{"gateway and analytics", nil}, {"gateway alone", []string{"--no-analytics"}}} {
		node, err := startNode(b.binary, 1, kind.args...)
		if err != nil {
			return err
		}
		const path = "/dl/1.2/linux.tgz"
		if _, err := load(node, path, "", time.Second); err != nil { // warm
			return err
		}
		var wall, cpu, tail []float64
		var last, lastBare sample
		total := 0
		for range b.rounds {
			if lastBare, err = load(bare, path, "", b.duration); err != nil {
				return err
			}
			if last, err = load(node, path, "", b.duration); err != nil {
				return err
			}
			if last.Errors > 0 {
				return fmt.Errorf("%d requests failed", last.Errors)
			}
			total += last.Requests
			wall = append(wall, last.PerSecond/lastBare.PerSecond)
			cpu = append(cpu, float64(last.CPU)/float64(lastBare.CPU))
			tail = append(tail, float64(last.P99)/float64(lastBare.P99))
		}
		fmt.Printf("redirects, %s: %.0f/s (bare %.0f/s), wall ratio %.2f, CPU per request %v (bare %v), ratio %.2f, p99 ratio %.2f\n",
			kind.name, last.PerSecond, lastBare.PerSecond, median(wall), last.CPU, lastBare.CPU, median(cpu), median(tail))
		if kind.args == nil {
			if err := b.recorded(node, total); err != nil {
				return err
			}
		}
		node.end()
	}
	return nil
}

// recorded waits for the rows of the requests and says how many were dropped.
func (b *bench) recorded(node *process, least int) error {
	begun := time.Now()
	deadline := begun.Add(2 * time.Minute)
	for {
		var status struct {
			Recording struct {
				Recorder struct{ Recorded, Dropped, Waiting int }
				Spool    struct{ Pending int }
			}
		}
		if err := node.ask("GET", "/v1/status", nil, &status); err != nil {
			return err
		}
		r := status.Recording
		if r.Recorder.Waiting == 0 && r.Spool.Pending == 0 {
			rows, err := node.count("select count(*) from events")
			if err != nil {
				return err
			}
			fmt.Printf("  recorded %d, dropped %d, rows %d (at least %d requests), caught up after %v\n",
				r.Recorder.Recorded, r.Recorder.Dropped, rows, least, time.Since(begun).Round(10*time.Millisecond))
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("analytics did not catch up: %+v", r)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// events measures collection: one event a request, each answered once durable,
// until all are rows.
func (b *bench) events() error {
	node, err := startNode(b.binary, 2)
	if err != nil {
		return err
	}
	defer node.end()
	begun := time.Now()
	before, err := node.cpu()
	if err != nil {
		return err
	}
	s, err := load(node, "/events", postEvents, b.duration)
	if err != nil {
		return err
	}
	if s.Errors > 0 {
		return fmt.Errorf("%d events were not accepted", s.Errors)
	}
	for {
		rows, err := node.count("select count(*) from events")
		if err != nil {
			return err
		}
		if rows >= s.Requests {
			break
		}
		if time.Since(begun) > 3*time.Minute {
			return fmt.Errorf("%d of %d events became rows", rows, s.Requests)
		}
		time.Sleep(5 * time.Millisecond)
	}
	elapsed := time.Since(begun)
	after, err := node.cpu()
	if err != nil {
		return err
	}
	fmt.Printf("events over HTTP, one a request, to a committed row: %d in %v, %.0f/s; accepted %.0f/s, p50 %v, p99 %v; CPU per event %v\n",
		s.Requests, elapsed.Round(time.Millisecond), float64(s.Requests)/elapsed.Seconds(), s.PerSecond, s.P50, s.P99,
		((after - before) / time.Duration(s.Requests)).Round(100*time.Nanosecond))
	return nil
}

// freshness measures from an answer to the row's visibility by SQL.
func (b *bench) freshness() error {
	node, err := startNode(b.binary, 2)
	if err != nil {
		return err
	}
	defer node.end()
	const events = 200
	var lags []float64
	for i := range events {
		body := fmt.Sprintf(`{"probe":"p%d"}`, i)
		req, err := http.NewRequest("POST", "http://"+node.Gateway+"/events", bytes.NewReader([]byte(body)))
		if err != nil {
			return err
		}
		req.Host = "get.acme.test"
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		begun := time.Now()
		for {
			rows, err := node.count("select count(*) from events")
			if err != nil {
				return err
			}
			if rows > i {
				break
			}
			if time.Since(begun) > 30*time.Second {
				return fmt.Errorf("event %d is not visible", i)
			}
		}
		lags = append(lags, float64(time.Since(begun)))
	}
	slices.Sort(lags)
	at := func(q float64) time.Duration {
		return time.Duration(lags[int(q*float64(len(lags)-1))]).Round(100 * time.Microsecond)
	}
	fmt.Printf("freshness, from response to visible by SQL, %d events: p50 %v, p99 %v, worst %v\n", events, at(0.5), at(0.99), at(1))
	return nil
}

// startAndIdle measures a second start on the same data, and the memory of a node
// that does nothing.
func (b *bench) startAndIdle() error {
	node, err := startNode(b.binary, 2)
	if err != nil {
		return err
	}
	var times []float64
	for range b.rounds {
		dir := node.dir
		node.dir = ""
		node.end()
		node.dir = dir
		begun := time.Now()
		if err := node.start(2); err != nil {
			return err
		}
		times = append(times, float64(time.Since(begun)))
	}
	defer node.end()
	memory, err := node.resident()
	if err != nil {
		return err
	}
	fmt.Printf("warm start to ready: %v; idle memory %.0f MB resident\n", time.Duration(median(times)).Round(time.Millisecond), float64(memory)/1e6)
	return nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
