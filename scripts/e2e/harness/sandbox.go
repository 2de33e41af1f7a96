package harness

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
)

// sandboxVariable is set for the test process inside the sandbox.
const sandboxVariable = "TALLYGATE_E2E_SANDBOX"

// errSandboxRefused is why there is no sandbox; nil inside of one.
var errSandboxRefused = errors.New("the test package asked for none")

// MainInSandbox is [Main] for tests that lay networks and run daemons. It runs the
// test binary a second time, in namespaces of its own for network, mounts and
// processes. So these tests change nothing of the machine, and whatever they leave
// ends with the test process, even one that was killed. Where that is not allowed,
// as for users other than root, [NeedsSandbox] skips.
func MainInSandbox(m *testing.M) int {
	return withBinary(func() int {
		if os.Getenv(sandboxVariable) != "" {
			if errSandboxRefused = furnish(); errSandboxRefused != nil {
				fmt.Fprintln(os.Stderr, "set up the sandbox:", errSandboxRefused)
				return 1
			}
			return m.Run()
		}
		probe := exec.Command("unshare", append(sandboxFlags(), "true")...)
		if out, err := probe.CombinedOutput(); err != nil {
			errSandboxRefused = fmt.Errorf("only root may make network, mount and process namespaces: %w: %s", err, bytes.TrimSpace(out))
			return m.Run()
		}
		// The child ends with the thread that started it.
		runtime.LockOSThread()
		self, err := os.Executable()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		inner := exec.Command("unshare", append(append(sandboxFlags(), self), os.Args[1:]...)...)
		inner.Env = append(os.Environ(), sandboxVariable+"=1")
		inner.Stdin, inner.Stdout, inner.Stderr = os.Stdin, os.Stdout, os.Stderr
		inner.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		err = inner.Run()
		var exit *exec.ExitError
		switch {
		case err == nil:
			return 0
		case errors.As(err, &exit) && exit.ExitCode() > 0:
			return exit.ExitCode()
		default:
			fmt.Fprintln(os.Stderr, "run the tests in a sandbox:", err)
			return 1
		}
	})
}

func sandboxFlags() []string {
	return []string{"--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"}
}

// furnish makes an empty sandbox one that daemons can run in: loopback, and a /run
// of its own, where `ip netns` and container tools keep their state.
func furnish() error {
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	_, err := output(exec.Command("ip", "link", "set", "lo", "up"))
	return err
}

// NeedsSandbox skips a test where the package runs outside of a sandbox.
func NeedsSandbox(t *testing.T) {
	t.Helper()
	if errSandboxRefused != nil {
		t.Skip(errSandboxRefused)
	}
}
