package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tallygate/scripts/e2e/harness"
)

func TestWgetFollowsTheRedirectAndSavesWhatTheOriginNames(t *testing.T) {
	harness.Needs(t, "wget")
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="rocket-skates.tgz"`)
		fmt.Fprintf(w, "bytes of %s", r.URL.RequestURI())
	}))
	t.Cleanup(origin.Close)
	n := harness.StartNode(t)
	n.Apply(strings.ReplaceAll(filesCatalog(origin.URL), "get.acme.test", "localhost"))
	_, port, _ := strings.Cut(n.Gateway, ":")

	for _, tt := range []struct {
		name, saved string
		args        []string
	}{
		{"with --content-disposition", "rocket-skates.tgz", []string{"--content-disposition"}},
		{"by the name that was asked for", "linux.tgz", nil},
		{"by the last name with --trust-server-names", "rocket-linux.tgz", []string{"--trust-server-names"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := n.Count("select count(*) from events where counted")
			dir := t.TempDir()
			cmd := exec.Command("wget", append(tt.args, "--no-config", "--no-proxy", "--quiet", "--tries=1", "--timeout=20", "http://localhost:"+port+"/dl/1.2/linux.tgz")...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("wget: %v\n%s", err, out)
			}
			data, err := os.ReadFile(filepath.Join(dir, tt.saved))
			if err != nil {
				t.Fatal(err)
			}
			if want := "bytes of /releases/1.2/rocket-linux.tgz"; string(data) != want {
				t.Errorf("saved %q, want %q", data, want)
			}
			n.Settled()
			rows := n.SQL(`select package, version, platform, client, client_class, status from events where counted order by time desc`)
			if len(rows) != before+1 {
				t.Fatalf("%d counted rows more, want 1: %v", len(rows)-before, rows)
			}
			for column, want := range map[string]any{
				"package": "rocket", "version": "1.2", "platform": "linux", "client": "wget", "client_class": "client", "status": float64(302),
			} {
				if rows[0][column] != want {
					t.Errorf("%s is %v, want %v", column, rows[0][column], want)
				}
			}
		})
	}
}
