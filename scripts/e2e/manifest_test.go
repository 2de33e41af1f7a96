package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tallygate/scripts/e2e/harness"
)

// manifest has rules of all seven types, as today's gateways are given them.
func manifest(origin string) string {
	return fmt.Sprintf(`{"rules": [
  {"type": "docker-v1", "domain": "cr.acme.test", "package-id": "p-image", "package-name": "rocket", "repository-name": "acme/rocket", "registry": "registry.hub.docker.com", "always-proxy": true},
  {"type": "docker-v2", "domain": "cr.acme.test", "pattern": "acme/tools-*", "rule-id": "r-tools", "registry": "docker.io"},
  {"type": "file-v1", "domain": "dl.acme.test", "package-id": "p-file", "incoming-path": "/f/{version}/{platform}.tgz", "outgoing-url": "%[1]s/f/{version}/rocket-{platform}.tgz"},
  {"type": "file-v1", "domain": "dl.acme.test", "package-id": "p-file", "incoming-path": "/latest?os={platform}", "outgoing-url": "%[1]s/latest/{platform}"},
  {"type": "file-v1", "domain": "dl.acme.test", "package-id": "p-file", "incoming-path": "/seen/{page}", "outgoing-url": null},
  {"type": "file-v2", "domain": "dl.acme.test", "package-id": "p-old", "incoming-path": "^/old/(?<version>[0-9.]+)/(?<file>[a-z.]+)$", "outgoing-url": "%[1]s/old/{version}/{+file}"},
  {"type": "python-v1", "domain": "py.acme.test", "package-id": "p-python", "package-name": "Rocket.Skates", "file-name": "rocket_skates-1.0-py3-none-any.whl", "version": "1.0", "backend-url": "%[1]s/rocket_skates-1.0-py3-none-any.whl",
   "hash-value": {"type": "sha256", "hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}, "gpg-sig": true, "requires-python": ">=3.8"},
  {"type": "catch-all-v1", "domain": "www.acme.test", "package-id": "p-site", "redirect-target-domain": "site.example"},
  {"type": "telemetry-v1", "domain": "t.acme.test", "package-id": "p-open", "incoming-path": "/open/{channel}"},
  {"type": "telemetry-v1", "domain": "t.acme.test", "package-id": "p-token", "incoming-path": "/token", "access-tokens": ["correct-horse"]},
  {"type": "telemetry-v1", "domain": "t.acme.test", "package-id": "p-nobody", "incoming-path": "/nobody", "access-tokens": []}
]}`, origin)
}

func TestAManifestIsTakenUnchangedAndASecondImportChangesNothing(t *testing.T) {
	origin := startOrigin(t)
	file := filepath.Join(t.TempDir(), "manifest.json")
	if err := os.WriteFile(file, []byte(manifest(origin.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	again := func(t *testing.T, n *harness.Node) {
		t.Helper()
		before := n.Run("export")
		plan := n.Run("apply", "-f", file, "--format", "manifest", "--owner", "acme")
		if !strings.Contains(plan, "no changes") {
			t.Errorf("another import changes something:\n%s", plan)
		}
		if after := n.Run("export"); after != before {
			t.Errorf("another import changed the catalog:\n%s\nwas\n%s", after, before)
		}
	}
	t.Run("by apply", func(t *testing.T) {
		n := harness.StartNode(t)
		n.Run("apply", "-f", file, "--format", "manifest", "--owner", "acme")
		servesManifest(t, n, origin.URL)
		again(t, n)
	})
	t.Run("at start", func(t *testing.T) {
		n := harness.StartNode(t, "--manifest", file, "--manifest-owner", "acme")
		servesManifest(t, n, origin.URL)
		again(t, n)
		before := n.Run("export")
		n.Stop()
		n.Start()
		if after := n.Run("export"); after != before {
			t.Errorf("another start changed the catalog:\n%s\nwas\n%s", after, before)
		}
	})
}

// servesManifest asks a node for what manifest describes.
func servesManifest(t *testing.T, n *harness.Node, origin string) {
	t.Helper()
	wheel := "/simple/rocket-skates/rocket_skates-1.0-py3-none-any.whl"
	tests := []struct {
		name, method, host, path, token string
		status                          int
		location, body                  string
	}{
		{"the registry's catalog", "GET", "cr.acme.test", "/v2/_catalog", "", 404, "", ""},
		{"an image that no rule names", "GET", "cr.acme.test", "/v2/other/thing/manifests/1", "", 404, "", "NAME_UNKNOWN"},
		{"a template", "GET", "dl.acme.test", "/f/1.0/linux.tgz?a=b", "", 302, origin + "/f/1.0/rocket-linux.tgz?a=b", ""},
		{"a template with a query", "GET", "dl.acme.test", "/latest?x=1&os=darwin", "", 302, origin + "/latest/darwin?x=1", ""},
		{"a template's query is required", "GET", "dl.acme.test", "/latest?x=1", "", 404, "", ""},
		{"no outgoing URL", "GET", "dl.acme.test", "/seen/home", "", 200, "", ""},
		{"a regular expression", "GET", "dl.acme.test", "/old/0.9/rocket.zip", "", 302, origin + "/old/0.9/rocket.zip", ""},
		{"the list of projects", "GET", "py.acme.test", "/simple/", "", 200, "", "rocket-skates"},
		{"a project's page", "GET", "py.acme.test", "/simple/rocket-skates/", "", 200, "", "data-requires-python"},
		{"a project's file", "GET", "py.acme.test", wheel, "", 302, origin + "/rocket_skates-1.0-py3-none-any.whl", ""},
		{"a file that no rule names", "GET", "py.acme.test", "/simple/rocket-skates/rocket_skates-9.tar.gz", "", 404, "", ""},
		{"a whole domain", "GET", "www.acme.test", "/a%2Fb/c?d=%20&e", "", 302, "https://site.example/a%2Fb/c?d=%20&e", ""},
		{"telemetry open to all", "POST", "t.acme.test", "/open/ci", "", 200, "", ""},
		{"telemetry with its token", "POST", "t.acme.test", "/token", "correct-horse", 200, "", ""},
		{"telemetry without its token", "POST", "t.acme.test", "/token", "", 401, "", ""},
		{"telemetry for nobody", "POST", "t.acme.test", "/nobody", "correct-horse", 401, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var headers []string
			if tt.token != "" {
				headers = []string{"Authorization", "Bearer " + tt.token}
			}
			resp := n.Get(tt.method, tt.host, tt.path, headers...)
			if location := resp.Header.Get("Location"); resp.StatusCode != tt.status || location != tt.location {
				t.Errorf("%d to %q, want %d to %q", resp.StatusCode, location, tt.status, tt.location)
			}
			if body := text(t, resp); !strings.Contains(body, tt.body) {
				t.Errorf("body %q lacks %q", body, tt.body)
			}
		})
	}
	n.Settled()
	want := map[string]string{
		"p-file": "1.0", "p-old": "0.9", "p-python": "1.0", "p-site": "", "p-open": "", "p-token": "",
	}
	for id, version := range want {
		rows := n.SQL(`select owner, max(version) as version from events where package_id = '%s' and counted group by owner`, id)
		if len(rows) != 1 || rows[0]["owner"] != "acme" || (version != "" && rows[0]["version"] != version) {
			t.Errorf("events of %s: %v, want ones of acme with version %q", id, rows, version)
		}
	}
	if got := n.Count("select count(*) from events where package_id = 'p-nobody'"); got != 0 {
		t.Errorf("%d events of what nobody may post", got)
	}
}

func TestAMistakeInAManifestNamesItsRuleAndItsField(t *testing.T) {
	n := harness.StartNode(t)
	for name, tt := range map[string]struct {
		rule string
		want []string
	}{
		"an unknown type":   {`{"type": "file-v9", "domain": "dl.acme.test"}`, []string{"rules[0].type", "file-v9"}},
		"a missing field":   {`{"type": "file-v1", "domain": "dl.acme.test", "incoming-path": "/x", "package-id": "p"}`, []string{"rules[0]", "outgoing-url", "null"}},
		"a broken template": {`{"type": "file-v1", "domain": "dl.acme.test", "incoming-path": "/x/{v", "outgoing-url": null, "package-id": "p"}`, []string{"rules[0].incoming-path"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := n.TryIn(`{"rules": [`+tt.rule+`]}`, "apply", "-f", "-", "--format", "manifest", "--owner", "acme")
			if err == nil {
				t.Fatal("it was applied")
			}
			for _, want := range append(tt.want, "nothing was applied") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the message lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

// text is the body of an answer.
func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// variables decodes the variables of a row.
func variables(t *testing.T, row map[string]any) map[string]string {
	t.Helper()
	data, err := json.Marshal(row["variables"])
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]string
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("variables %s: %v", data, err)
	}
	return v
}
