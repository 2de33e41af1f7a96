package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tallygate/scripts/e2e/harness"
)

// filesCatalog serves files of an origin and collects events.
func filesCatalog(origin string) string {
	return fmt.Sprintf(`
organizations: [{name: acme}]
packages:
  - owner: acme
    name: rocket
    type: file
    domains: [get.acme.test]
    routes:
      - incoming_path: /dl/{version}/{platform}.tgz
        outgoing_url: %[1]s/releases/{version}/rocket-{platform}.tgz
      - incoming_path: /raw/{+path}
        outgoing_url: %[1]s/raw/{+path}?from=gateway
      - incoming_path: /ping
  - owner: acme
    name: telemetry
    type: event
    domains: [get.acme.test]
    incoming_path: /events
`, origin)
}

// startOrigin is a file host that answers any path with its own request line.
func startOrigin(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "bytes of %s", r.URL.RequestURI())
	}))
	t.Cleanup(s.Close)
	return s
}

func TestCurlFollowsTheRedirectToTheOriginAndIsRecorded(t *testing.T) {
	harness.Needs(t, "curl")
	origin := startOrigin(t)
	n := harness.StartNode(t)
	n.Apply(filesCatalog(origin.URL))

	host, port, _ := strings.Cut(n.Gateway, ":")
	got := harness.Command(t, "curl", "-sSL", "--resolve", "get.acme.test:"+port+":"+host,
		"http://get.acme.test:"+port+"/dl/1.2/linux-amd64.tgz?channel=docs")
	if want := "bytes of /releases/1.2/rocket-linux-amd64.tgz?channel=docs"; got != want {
		t.Errorf("curl got %q, want %q", got, want)
	}
	n.Settled()
	rows := n.SQL(`select type, package, version, platform, client, domain, status, counted, variables from events`)
	if len(rows) != 1 {
		t.Fatalf("%d rows, want 1: %v", len(rows), rows)
	}
	for column, want := range map[string]any{
		"type": "binary-download", "package": "rocket", "version": "1.2", "platform": "linux",
		"client": "curl", "domain": "get.acme.test", "status": float64(302), "counted": true,
	} {
		if rows[0][column] != want {
			t.Errorf("%s is %v, want %v", column, rows[0][column], want)
		}
	}
	if v := fmt.Sprint(rows[0]["variables"]); !strings.Contains(v, "channel:docs") {
		t.Errorf("variables are %s, want the query parameter among them", v)
	}
}

func TestRequestsAndTheirAnswers(t *testing.T) {
	origin := startOrigin(t)
	n := harness.StartNode(t)
	n.Apply(filesCatalog(origin.URL))
	tests := []struct {
		name, method, host, path string
		status                   int
		location                 string
	}{
		{"a template redirects", "GET", "get.acme.test", "/dl/2.0/darwin.tgz", 302, origin.URL + "/releases/2.0/rocket-darwin.tgz"},
		{"HEAD redirects like GET", "HEAD", "get.acme.test", "/dl/2.0/darwin.tgz", 302, origin.URL + "/releases/2.0/rocket-darwin.tgz"},
		{"a reserved expansion keeps slashes and encoding", "GET", "get.acme.test", "/raw/a/b%20c?x=1", 302, origin.URL + "/raw/a/b%20c?from=gateway&x=1"},
		{"the outgoing URL's parameter wins", "GET", "get.acme.test", "/raw/a?from=client", 302, origin.URL + "/raw/a?from=gateway"},
		{"a route without an outgoing URL answers 200", "GET", "get.acme.test", "/ping", 200, ""},
		{"a host in capitals with a port and dot is the same host", "GET", "GET.acme.test.:8080", "/ping", 200, ""},
		{"an unknown path is not found", "GET", "get.acme.test", "/nothing", 404, ""},
		{"an unknown host is not found", "GET", "unknown.test", "/dl/2.0/darwin.tgz", 404, ""},
		{"a path with a broken escape is no server error", "GET", "get.acme.test", "/dl/2.0/", 404, ""},
		{"the registry's catalog is not there", "GET", "get.acme.test", "/v2/_catalog", 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := n.Get(tt.method, tt.host, tt.path)
			if resp.StatusCode != tt.status || resp.Header.Get("Location") != tt.location {
				t.Errorf("%d to %q, want %d to %q", resp.StatusCode, resp.Header.Get("Location"), tt.status, tt.location)
			}
		})
	}
}

func TestASecondStartGoesOnWhereTheFirstEnded(t *testing.T) {
	origin := startOrigin(t)
	for _, end := range []struct {
		name string
		end  func(*harness.Node)
	}{{"stopped", (*harness.Node).Stop}, {"killed", (*harness.Node).Kill}} {
		t.Run(end.name, func(t *testing.T) {
			n := harness.StartNode(t)
			n.Apply(filesCatalog(origin.URL))
			n.Get("GET", "get.acme.test", "/ping") // a 200 is durable
			before := n.Run("export")
			end.end(n)
			n.Start()
			if after := n.Run("export"); after != before {
				t.Errorf("the catalog changed:\n%s\nwas\n%s", after, before)
			}
			if got := n.Get("GET", "get.acme.test", "/dl/1/linux.tgz").StatusCode; got != 302 {
				t.Errorf("status %d, want 302", got)
			}
			harness.WaitFor(t, "both requests in the events", func() error {
				if got := n.Count("select count(*) from events"); got != 2 {
					return fmt.Errorf("%d rows", got)
				}
				return nil
			})
		})
	}
}

func TestWrongFilesChangeNothingAndNameEveryMistake(t *testing.T) {
	n := harness.StartNode(t)
	n.Apply("organizations: [{name: acme}]")
	before := n.Run("export")
	wrong := `
organizations: [{name: acme}, {name: "Bad Name"}]
packages:
  - {owner: acme, name: a, type: file, routes: [{incoming_path: "/x/{version", outgoing_url: "https://example.org/{version}"}]}
  - {owner: acme, name: b, type: file, routes: [{incoming_path: "/y/{version}", outgoing_url: "https://example.org/{platform}"}]}
  - {owner: acme, name: c, type: file, routs: []}
  - {owner: nobody, name: d, type: docker, backend_registry: ghcr.io, repository_name: acme/d}
`
	file := filepath.Join(t.TempDir(), "wrong.yaml")
	if err := os.WriteFile(file, []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := n.Try("apply", "-f", file)
	if err == nil {
		t.Fatal("a file with mistakes was applied")
	}
	for _, want := range []string{"wrong.yaml:2:", "wrong.yaml:4:", "wrong.yaml:5:", "platform", "wrong.yaml:6:", `"routes"`, "wrong.yaml:7:", "nothing was applied"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message lacks %q", want)
		}
	}
	if t.Failed() {
		t.Logf("message:\n%v", err)
	}
	if after := n.Run("export"); after != before {
		t.Errorf("the catalog changed:\n%s", after)
	}
}

func TestADryRunPrintsTheDifferenceAndChangesNothing(t *testing.T) {
	n := harness.StartNode(t)
	text := filesCatalog("https://origin.example")
	plan, err := n.TryIn(text, "apply", "-f", "-", "--dry-run")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan, "rocket") || !strings.Contains(plan, "+") {
		t.Errorf("the plan does not show the new package:\n%s", plan)
	}
	if got := n.Get("GET", "get.acme.test", "/ping").StatusCode; got != 404 {
		t.Errorf("a dry run made a route: status %d", got)
	}
	n.Apply(text)
	again, err := n.TryIn(text, "apply", "-f", "-")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(again, "\n+") || strings.Contains(again, "\n~") {
		t.Errorf("applying the same file again changes something:\n%s", again)
	}
}
