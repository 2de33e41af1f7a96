package clients

import (
	"flag"
	"os"
	"testing"

	"tallygate/scripts/e2e/harness"
)

var (
	full  = flag.Bool("full", false, "all clients and all cases")
	write = flag.String("write", "", "write what was run to this `file`, in Markdown (with -full)")
)

func TestMain(m *testing.M) { os.Exit(harness.MainInSandbox(m)) }
