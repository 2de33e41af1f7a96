package cli

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tallygate/node/admin"
)

// runCLI runs a command and returns its exit code and what it printed.
func runCLI(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(t.Context(), args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestMistakesInTheWordsEndWithUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "node.yaml")
	text := "regoin: eu\nlog-level: loud\nnonsense: 1\nname: {a: b}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		args []string
		want []string
	}{
		"an unknown flag is named with the nearest one": {
			[]string{"run", "--regoin", "eu"}, []string{`unknown flag --regoin (did you mean "region"?)`, "run --help"},
		},
		"every unknown flag and every wrong value is named at once": {
			[]string{"run", "--regoin", "eu", "--frobnicate", "--log-level", "loud", "--gateway-listen", "x"},
			[]string{"--regoin", "--frobnicate", "--log-level", "--gateway-listen"},
		},
		"every unknown key and wrong value of the file is named with its line": {
			[]string{"run", "--config", file},
			[]string{`node.yaml:2: log-level "loud": use debug`, `node.yaml:1: unknown key "regoin" (did you mean "region"?)`, `node.yaml:3: unknown key "nonsense"`, "node.yaml:4: name must be"},
		},
		"an unknown command":         {[]string{"aply"}, []string{"aply"}},
		"a flag of another command":  {[]string{"sql", "--prune", "select 1"}, []string{"--prune"}},
		"a query that is not there":  {[]string{"sql"}, []string{"give a query"}},
		"an unknown format":          {[]string{"sql", "--format", "xls", "select 1"}, []string{"xls"}},
		"an address without a token": {[]string{"status", "--addr", "http://127.0.0.1:1"}, []string{"--token"}},
		"an address that is no URL":  {[]string{"status", "--addr", "gate:8090", "--token", "t"}, []string{"is not a URL"}},
		"apply without a file":       {[]string{"apply"}, []string{"--file"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := runCLI(t, tt.args...)
			if code != exitUsage {
				t.Errorf("exit code %d, want %d", code, exitUsage)
			}
			for _, want := range tt.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("the message lacks %q", want)
				}
			}
			if t.Failed() {
				t.Logf("message:\n%s", stderr)
			}
		})
	}
}

func TestACommandWithoutANodeSaysHowToReachOne(t *testing.T) {
	code, _, stderr := runCLI(t, "status", "--data-dir", t.TempDir())
	if code != exitRefused || !strings.Contains(stderr, "tallygate run") {
		t.Errorf("exit code %d, message %q", code, stderr)
	}
}

func TestVersionAndHelpAreDone(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"--help"}, {"run", "--help"}} {
		code, stdout, stderr := runCLI(t, args...)
		if code != exitDone || stdout == "" || stderr != "" {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestHelpNamesDefaults(t *testing.T) {
	_, stdout, _ := runCLI(t, "run", "--help")
	text := strings.Join(strings.Fields(stdout), " ")
	for _, want := range []string{"Default: :8080.", "Default: 127.0.0.1:8090.", "Default: 10GB.", "($TALLYGATE_REGION)"} {
		if !strings.Contains(text, want) {
			t.Errorf("the help lacks %q", want)
		}
	}
}

func TestTheEnvironmentWinsOverTheFileAndFlagsOverBoth(t *testing.T) {
	file := filepath.Join(t.TempDir(), "node.yaml")
	if err := os.WriteFile(file, []byte("log-level: from-file\nlog-format: from-file\nregion: from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TALLYGATE_LOG_FORMAT", "from-environment")
	t.Setenv("TALLYGATE_REGION", "from environment")
	// The values are wrong on purpose: the message shows which of them counted.
	_, _, stderr := runCLI(t, "run", "--config", file, "--region", "from flag", "--gateway-listen", "x")
	for _, want := range []string{`node.yaml:1: log-level "from-file"`, `--log-format "from-environment"`, `--region "from flag"`} {
		if !strings.Contains(stderr, want) {
			t.Errorf("the message lacks %q:\n%s", want, stderr)
		}
	}
}

func TestAResultThatWasCutFailsTheCommand(t *testing.T) {
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", admin.TruncatedTrailer)
		io.WriteString(w, "1\n") //nolint:errcheck // the client is in this test
		w.Header().Set(admin.TruncatedTrailer, "1000000")
	}))
	defer node.Close()
	code, stdout, stderr := runCLI(t, "sql", "--addr", node.URL, "--token", "t", "--format", "csv", "from events")
	if code != exitRefused || stdout != "1\n" || !strings.Contains(stderr, "cut after 1000000") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}
