package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// NodeOptions say how a node is started. The zero value is a node with an empty
// data directory on loopback addresses.
type NodeOptions struct {
	Dir  string   // data directory; default: an empty one
	Args []string // after those of Node
	Env  []string // added to the test's own
	Host *Host    // where it runs; default: here
}

// Node is one running `tallygate run`.
type Node struct {
	Dir        string
	Gateway    string // host:port
	GatewayTLS string // host:port; empty: off
	Admin      string // host:port

	t       *testing.T
	opts    NodeOptions
	process *Process
}

// StartNode starts a node with an empty data directory and waits until it serves.
func StartNode(t *testing.T, args ...string) *Node {
	t.Helper()
	return StartNodeWith(t, NodeOptions{Args: args})
}

// StartNodeWith starts a node and waits until it serves.
func StartNodeWith(t *testing.T, opts NodeOptions) *Node {
	t.Helper()
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	n := &Node{t: t, Dir: opts.Dir, opts: opts}
	n.Start()
	return n
}

// Start starts the node again after a Stop or a Kill, on the same directory.
func (n *Node) Start() {
	n.t.Helper()
	args := append([]string{
		Binary(), "run", "--data-dir", n.Dir, "--gateway-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
		"--allow-private-origins",
	}, n.opts.Args...)
	cmd := n.opts.Host.command(context.Background(), args...)
	cmd.Env = append(os.Environ(), n.opts.Env...)
	n.process = StartProcess(n.t, "the node in "+n.Dir, cmd)

	var status struct {
		Gateway    string
		GatewayTLS string `json:"gateway_tls"`
		Admin      string
	}
	WaitFor(n.t, "the node to answer on its socket", func() error {
		n.process.Alive()
		out, err := n.Try("status", "--output", "json")
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(out), &status)
	})
	n.Gateway, n.GatewayTLS, n.Admin = status.Gateway, status.GatewayTLS, status.Admin
}

// Stop ends the node as an operator would, and waits for it.
func (n *Node) Stop() {
	n.t.Helper()
	if code := n.process.Stop(); code != 0 {
		n.t.Fatalf("the node ended with %d:\n%s", code, n.process.Log)
	}
}

// Kill ends the node as a power switch would.
func (n *Node) Kill() { n.process.Kill() }

// Log is what the node wrote since it was started last.
func (n *Node) Log() string { return n.process.Log.String() }

// Try runs a command against the node.
func (n *Node) Try(args ...string) (string, error) { return n.TryIn("", args...) }

// TryIn runs a command against the node with something on its standard input.
func (n *Node) TryIn(stdin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, Binary(), append(args, "--data-dir", n.Dir)...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("tallygate %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// Run runs a command against the node that must succeed.
func (n *Node) Run(args ...string) string {
	n.t.Helper()
	out, err := n.Try(args...)
	if err != nil {
		n.t.Fatal(err)
	}
	return out
}

// Apply makes the catalog what the text says.
func (n *Node) Apply(catalog string) {
	n.t.Helper()
	if out, err := n.TryIn(catalog, "apply", "-f", "-"); err != nil {
		n.t.Fatalf("%v\n%s", err, out)
	}
}

// SQL asks a question and decodes the rows.
func (n *Node) SQL(query string, args ...any) []map[string]any {
	n.t.Helper()
	rows, err := n.TrySQL(fmt.Sprintf(query, args...))
	if err != nil {
		n.t.Fatal(err)
	}
	return rows
}

// TrySQL asks a question that may be refused.
func (n *Node) TrySQL(query string) ([]map[string]any, error) {
	out, err := n.Try("sql", "--format", "json", query)
	if err != nil {
		return nil, err
	}
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		return nil, fmt.Errorf("answer to %s: %w\n%s", query, err, out)
	}
	return rows, nil
}

// Count asks for one number.
func (n *Node) Count(query string, args ...any) int {
	n.t.Helper()
	rows := n.SQL(query, args...)
	if len(rows) != 1 || len(rows[0]) != 1 {
		n.t.Fatalf("%s did not answer one number: %v", query, rows)
	}
	for _, v := range rows[0] {
		f, ok := v.(float64)
		if !ok {
			n.t.Fatalf("%s answered %v", query, v)
		}
		return int(f)
	}
	return 0
}

// Settled waits until every recorded event is a row, so that a count that should
// stay as it is can be trusted.
func (n *Node) Settled() {
	n.t.Helper()
	WaitFor(n.t, "recorded events to be stored", func() error {
		out, err := n.Try("status", "--output", "json")
		if err != nil {
			return err
		}
		var s struct {
			Recording struct {
				Recorder struct{ Waiting int }
				Spool    struct{ Pending int }
			}
		}
		if err := json.Unmarshal([]byte(out), &s); err != nil {
			return err
		}
		if s.Recording.Recorder.Waiting > 0 || s.Recording.Spool.Pending > 0 {
			return fmt.Errorf("still on the way: %+v", s.Recording)
		}
		return nil
	})
}

// Get sends one request to the gateway for a host and does not follow redirects.
func (n *Node) Get(method, host, path string, headers ...string) *http.Response {
	n.t.Helper()
	return n.ask("http://"+n.Gateway+path, method, host, headers...)
}

// GetAdmin asks the admin listener.
func (n *Node) GetAdmin(path string) (status int, body string) {
	n.t.Helper()
	resp := n.ask("http://"+n.Admin+path, http.MethodGet, "")
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func (n *Node) ask(url, method, host string, headers ...string) *http.Response {
	n.t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	req.Host = host
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := direct.Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		n.t.Fatal(err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp
}

var direct = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}
