package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server under measurement.
type process struct {
	cmd     *exec.Cmd
	dir     string // of a node
	binary  string
	Gateway string
	Admin   string
}

// pinned runs a command on one core, where there are two.
func pinned(core int, name string, args ...string) *exec.Cmd {
	if runtime.NumCPU() < 2 {
		return exec.Command(name, args...)
	}
	return exec.Command("taskset", append([]string{"-c", strconv.Itoa(core), name}, args...)...)
}

const catalog = `
organizations: [{name: acme}]
packages:
  - owner: acme
    name: rocket
    type: file
    domains: [get.acme.test]
    routes:
      - incoming_path: /dl/{version}/{platform}.tgz
        outgoing_url: https://origin.example/releases/{version}/rocket-{platform}.tgz
  - owner: acme
    name: telemetry
    type: event
    domains: [get.acme.test]
    incoming_path: /events
`

// startNode starts a node with the bench's catalog. cores is how many it may use.
func startNode(binary string, cores int, extra ...string) (*process, error) {
	dir, err := os.MkdirTemp("", "tallygate-bench-")
	if err != nil {
		return nil, err
	}
	p := &process{dir: dir, binary: binary}
	if err := p.start(cores, extra...); err != nil {
		return nil, err
	}
	apply := exec.Command(binary, "apply", "-f", "-", "--data-dir", dir)
	apply.Stdin = strings.NewReader(catalog)
	if out, err := apply.CombinedOutput(); err != nil {
		p.end()
		return nil, fmt.Errorf("apply: %w\n%s", err, out)
	}
	return p, nil
}

func (p *process) start(cores int, extra ...string) error {
	args := append([]string{
		"run", "--data-dir", p.dir, "--gateway-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log-level", "warn",
	}, extra...)
	if cores == 1 {
		p.cmd = pinned(0, p.binary, args...)
	} else {
		p.cmd = exec.Command(p.binary, args...)
	}
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return err
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		var status struct{ Gateway, Admin string }
		err := p.ask("GET", "/v1/status", nil, &status)
		if err == nil {
			p.Gateway, p.Admin = status.Gateway, status.Admin
			return nil
		}
		if time.Now().After(deadline) {
			p.end()
			return fmt.Errorf("the node did not start: %w", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// ask calls the node's local API.
func (p *process) ask(method, path string, in, out any) error {
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(p.dir, "admin.sock"))
		},
		DisableKeepAlives: true,
	}}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, "http://node"+path, body)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, data)
	}
	return json.Unmarshal(data, out)
}

// count asks for one number by SQL.
func (p *process) count(query string) (int, error) {
	var rows []map[string]float64
	if err := p.ask("POST", "/v1/sql", map[string]string{"query": query, "format": "json"}, &rows); err != nil {
		return 0, err
	}
	if len(rows) != 1 || len(rows[0]) != 1 {
		return 0, fmt.Errorf("%s answered %v", query, rows)
	}
	for _, v := range rows[0] {
		return int(v), nil
	}
	return 0, nil
}

// cpu is the time that the process has spent on processors.
func (p *process) cpu() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// Fields 14 and 15 of proc(5), counted after the name, which may hold spaces.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("short /proc/PID/stat")
	}
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	const tick = 10 * time.Millisecond // USER_HZ is 100 on Linux
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// resident is the process's resident memory in bytes.
func (p *process) resident() (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

func (p *process) end() {
	p.cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may have ended already
	p.cmd.Wait()                          //nolint:errcheck // its exit code is no figure
	if p.dir != "" {
		os.RemoveAll(p.dir)
	}
}

// serveBare is the yardstick: the same redirect written by net/http and nothing
// else.
func serveBare(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://origin.example/releases/1.2/rocket-linux.tgz")
		w.WriteHeader(http.StatusFound)
	}))
}

func startBare() (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: pinned(0, self, "-bare", "127.0.0.1:0")}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	buf := make([]byte, 64)
	k, err := out.Read(buf)
	if err != nil {
		p.end()
		return nil, err
	}
	p.Gateway = strings.TrimSpace(string(buf[:k]))
	return p, nil
}
