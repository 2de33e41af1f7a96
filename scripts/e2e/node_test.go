package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the tallygate under test, built once by TestMain.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "tallygate-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "tallygate")
		build := exec.Command("go", "build", "-o", binary, "./node/tallygate")
		build.Dir = root()
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build the binary under test:", err)
			return 1
		}
		return m.Run()
	}())
}

// root is the repository's top folder.
func root() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}

// node is one running `tallygate run`.
type node struct {
	t       *testing.T
	dir     string
	args    []string
	env     []string
	cmd     *exec.Cmd
	exited  chan struct{}
	log     *logBuffer
	Gateway string // host:port
	Admin   string // host:port
}

// startNode starts a node with an empty data directory and waits until it serves.
func startNode(t *testing.T, args ...string) *node {
	t.Helper()
	return startNodeIn(t, t.TempDir(), args...)
}

func startNodeIn(t *testing.T, dir string, args ...string) *node {
	t.Helper()
	n := &node{t: t, dir: dir, args: args}
	n.start()
	t.Cleanup(n.kill)
	return n
}

func (n *node) start() {
	n.t.Helper()
	args := append([]string{
		"run", "--data-dir", n.dir, "--gateway-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
		"--allow-private-origins",
	}, n.args...)
	n.cmd = exec.Command(binary, args...)
	n.cmd.Env = append(os.Environ(), n.env...)
	n.log = &logBuffer{}
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		cmd.Wait() //nolint:errcheck // a killed process is no news here
		close(exited)
	}(n.cmd, n.exited)

	var status struct{ Gateway, Admin string }
	waitFor(n.t, "the node to answer on its socket", func() error {
		select {
		case <-n.exited:
			n.t.Fatalf("the node ended at its start:\n%s", n.log)
		default:
		}
		out, err := n.try("status", "--output", "json")
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(out), &status)
	})
	n.Gateway, n.Admin = status.Gateway, status.Admin
}

// stop ends the node as an operator would, and waits for it.
func (n *node) stop() {
	n.t.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		n.t.Fatal(err)
	}
	select {
	case <-n.exited:
	case <-time.After(60 * time.Second):
		n.t.Fatalf("the node did not end:\n%s", n.log)
	}
	if code := n.cmd.ProcessState.ExitCode(); code != 0 {
		n.t.Fatalf("the node ended with %d:\n%s", code, n.log)
	}
}

// kill ends the node as a power switch would.
func (n *node) kill() {
	n.cmd.Process.Kill() //nolint:errcheck // it may have ended already
	<-n.exited
	if n.t.Failed() {
		n.t.Logf("log of the node in %s:\n%s", n.dir, n.log)
	}
}

// try runs a command against the node.
func (n *node) try(args ...string) (string, error) {
	return n.tryIn("", args...)
}

func (n *node) tryIn(stdin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append(args, "--data-dir", n.dir)...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("tallygate %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

func (n *node) run(args ...string) string {
	n.t.Helper()
	out, err := n.try(args...)
	if err != nil {
		n.t.Fatal(err)
	}
	return out
}

// apply makes the catalog what the text says.
func (n *node) apply(catalog string) {
	n.t.Helper()
	if out, err := n.tryIn(catalog, "apply", "-f", "-"); err != nil {
		n.t.Fatalf("%v\n%s", err, out)
	}
}

// sql asks a question and decodes the rows.
func (n *node) sql(query string, args ...any) []map[string]any {
	n.t.Helper()
	rows, err := n.trySQL(fmt.Sprintf(query, args...))
	if err != nil {
		n.t.Fatal(err)
	}
	return rows
}

func (n *node) trySQL(query string) ([]map[string]any, error) {
	out, err := n.try("sql", "--format", "json", query)
	if err != nil {
		return nil, err
	}
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		return nil, fmt.Errorf("answer to %s: %w\n%s", query, err, out)
	}
	return rows, nil
}

// count asks for one number.
func (n *node) count(query string, args ...any) int {
	n.t.Helper()
	rows := n.sql(query, args...)
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

// settled waits until every recorded event is a row, so that a count that should
// stay as it is can be trusted.
func (n *node) settled() {
	n.t.Helper()
	waitFor(n.t, "recorded events to be stored", func() error {
		out, err := n.try("status", "--output", "json")
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

// get sends one request to the gateway for a host and does not follow redirects.
func (n *node) get(method, host, path string, headers ...string) *http.Response {
	n.t.Helper()
	req, err := http.NewRequest(method, "http://"+n.Gateway+path, nil)
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

// waitFor polls a condition for up to a minute.
func waitFor(t *testing.T, what string, ok func() error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute for %s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// command runs a client and returns its standard output.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// needs skips a test whose client is not installed. `make test` installs all.
func needs(t *testing.T, commands ...string) {
	t.Helper()
	for _, c := range commands {
		if _, err := lookPath(c); err != nil {
			t.Skipf("%s is not installed here; `make test` installs it", c)
		}
	}
}

// lookPath finds a client among the project's own tools and on the path.
func lookPath(name string) (string, error) {
	own := filepath.Join(root(), ".tools", name)
	if _, err := os.Stat(own); err == nil {
		return own, nil
	}
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrDot) {
		return "", err
	}
	return path, err
}

// logBuffer keeps the last 256 KiB of a process's output.
type logBuffer struct {
	mu  sync.Mutex
	buf []byte
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	const most = 256 << 10
	b.buf = append(b.buf, p...)
	if len(b.buf) > most {
		b.buf = append(b.buf[:0], b.buf[len(b.buf)-most:]...)
	}
	return len(p), nil
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.buf)
}
