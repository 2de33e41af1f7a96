package harness

import (
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a program that runs until the test ends it.
type Process struct {
	Log *Log

	t      *testing.T
	name   string
	cmd    *exec.Cmd
	exited chan struct{}
}

// StartProcess starts a program in a process group of its own. When the test ends
// it ends, too, and a failed test shows what it wrote.
func StartProcess(t *testing.T, name string, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Log: &Log{}, t: t, name: name, cmd: cmd, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.Log, p.Log
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait() //nolint:errcheck // a killed process is no news here
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, p.Log)
		}
	})
	return p
}

// Exited is closed once the program has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Alive fails the test if the program has ended, for what waits for it.
func (p *Process) Alive() {
	p.t.Helper()
	select {
	case <-p.exited:
		p.t.Fatalf("%s ended by itself:\n%s", p.name, p.Log)
	default:
	}
}

// Stop asks the program to end, waits for that, and returns its exit code.
func (p *Process) Stop() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(time.Minute):
		p.t.Fatalf("%s did not end:\n%s", p.name, p.Log)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Kill ends the program and its children as a power switch would.
func (p *Process) Kill() {
	select {
	case <-p.exited:
	default:
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // it may have ended just now
		<-p.exited
	}
}

// Log keeps the last 256 KiB of a process's output.
type Log struct {
	mu  sync.Mutex
	buf []byte
}

func (b *Log) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	const most = 256 << 10
	b.buf = append(b.buf, p...)
	if len(b.buf) > most {
		b.buf = append(b.buf[:0], b.buf[len(b.buf)-most:]...)
	}
	return len(p), nil
}

func (b *Log) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.buf)
}
