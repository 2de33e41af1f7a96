package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// How long one run of a client may take.
const commandTimeout = 2 * time.Minute

// WaitFor polls a condition for up to a minute.
func WaitFor(t *testing.T, what string, ok func() error) {
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

// Command runs a client and returns its standard output.
func Command(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	out, err := output(exec.CommandContext(ctx, name, args...))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// output runs a command and returns its standard output; both outputs are in the
// error.
func output(cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w\n%s%s", strings.Join(cmd.Args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

// Needs skips a test whose client is not installed. `make test` installs all.
func Needs(t *testing.T, commands ...string) {
	t.Helper()
	for _, c := range commands {
		if _, err := LookPath(c); err != nil {
			t.Skipf("%s is not installed here; `make test` and `make e2e-full` install what they need", c)
		}
	}
}

// LookPath finds a client among the project's own tools and on the path.
func LookPath(name string) (string, error) {
	own := filepath.Join(Root(), ".tools", name)
	if _, err := os.Stat(own); err == nil {
		return own, nil
	}
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrDot) {
		return "", err
	}
	return path, err
}
