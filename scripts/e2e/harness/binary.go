package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binaryVariable hands the binary under test to a test process in a sandbox,
// which builds none.
const binaryVariable = "TALLYGATE_E2E_BINARY"

// Main builds the binary under test and runs the tests of a package. A TestMain
// calls it: os.Exit(harness.Main(m)).
func Main(m *testing.M) int {
	return withBinary(m.Run)
}

func withBinary(run func() int) int {
	if os.Getenv(binaryVariable) != "" {
		return run()
	}
	dir, err := os.MkdirTemp("", "tallygate-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "tallygate")
	build := exec.Command("go", "build", "-o", binary, "./node/tallygate")
	build.Dir = Root()
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the binary under test:", err)
		return 1
	}
	if err := os.Setenv(binaryVariable, binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run()
}

// Binary is the path of the binary under test.
func Binary() string { return os.Getenv(binaryVariable) }

// Root is the repository's top folder.
func Root() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			panic("the tests run outside of the repository")
		}
		dir = filepath.Dir(dir)
	}
}
