package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// node is the child process.
type node struct {
	binary  string
	args    []string
	dataDir string

	gatewayPort string
	adminAddr   string // host:port to ask

	cmd   *exec.Cmd
	ended chan struct{} // closed once the process has ended and was waited for
}

// newNode finds out where the node will listen from its command line and
// environment, as the node itself does.
func newNode(o *options) *node {
	args := o.args
	if len(args) == 0 {
		args = []string{"run", "--allow-private-origins"}
	}
	n := &node{binary: o.tallygate, dataDir: setting(args, "data-dir", ""), ended: make(chan struct{})}
	if n.dataDir == "" {
		n.dataDir = o.dataDir
		args = append(args[:len(args):len(args)], "--data-dir", o.dataDir)
	}
	n.args = args
	_, n.gatewayPort, _ = net.SplitHostPort(setting(args, "gateway-listen", ":8080"))
	host, port, _ := net.SplitHostPort(setting(args, "admin-listen", "127.0.0.1:8090"))
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	n.adminAddr = net.JoinHostPort(host, port)
	return n
}

// setting is the value of one of the node's flags, given as "--name value",
// "--name=value" or in the environment.
func setting(args []string, name, standard string) string {
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--"+name+"="); ok {
			return value
		}
		if arg == "--"+name && i+1 < len(args) {
			return args[i+1]
		}
	}
	if value := os.Getenv("TALLYGATE_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))); value != "" && name != "data-dir" {
		return value
	}
	return standard
}

// start runs the node. It has a process group of its own: a terminal's Ctrl-C
// would else reach it twice, once from the terminal and once from here, and the
// second one means "now".
func (n *node) start(stdout, stderr io.Writer) error {
	n.cmd = exec.Command(n.binary, n.args...)
	n.cmd.Stdout, n.cmd.Stderr = stdout, stderr
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := n.cmd.Start(); err != nil {
		return fmt.Errorf("start the node: %w", err)
	}
	go func() {
		n.cmd.Wait() //nolint:errcheck // exitCode tells how it ended
		close(n.ended)
	}()
	return nil
}

func (n *node) signal(s os.Signal) {
	n.cmd.Process.Signal(s) //nolint:errcheck // it has ended: so much the better
}

// exitCode is the node's, or 128 and the signal that killed it, as shells say.
func (n *node) exitCode() int {
	if status, ok := n.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return n.cmd.ProcessState.ExitCode()
}

// command runs another command of the binary against the node.
func (n *node) command(ctx context.Context, args ...string) (stdout string, err error) {
	args = append(args, "--data-dir", n.dataDir)
	cmd := exec.CommandContext(ctx, n.binary, args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		var exit *exec.ExitError
		if errors.As(err, &exit) && complaint.Len() > 0 {
			return "", fmt.Errorf("tallygate %s: %s", args[0], strings.TrimSpace(complaint.String()))
		}
		return "", fmt.Errorf("tallygate %s: %w", args[0], err)
	}
	return out.String(), nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
