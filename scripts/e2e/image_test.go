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

// pullable starts a registry with one image and a node that serves it under the
// name localhost, which needs no DNS.
func pullable(t *testing.T) (n *harness.Node, reg *harness.Registry, digest string) {
	t.Helper()
	reg = startRegistry(t)
	digest = reg.Push(t, "acme/rocket-skates", "1.2", harness.NewIndex(t, harness.DockerFormat))
	n = harness.StartNode(t)
	n.Apply(fmt.Sprintf(`
organizations: [{name: acme}]
packages:
  - owner: acme
    name: rocket-skates
    type: docker
    backend_registry: %s
    repository_name: acme/rocket-skates
    plain_http: true
    domains: [localhost]
`, reg.Address))
	return n, reg, digest
}

// public is the image's name through the gateway.
func public(n *harness.Node, suffix string) string {
	_, port, _ := strings.Cut(n.Gateway, ":")
	return "localhost:" + port + "/acme/rocket-skates" + suffix
}

func TestSkopeoCopiesAnImageAndIsCountedOnce(t *testing.T) {
	harness.Needs(t, "skopeo")
	n, _, digest := pullable(t)
	dir := t.TempDir()
	harness.Command(t, "skopeo", "copy", "--all", "--preserve-digests", "--src-tls-verify=false", "docker://"+public(n, ":1.2"), "dir:"+dir)

	manifest, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got := harness.DigestOf(manifest); got != digest {
		t.Errorf("skopeo got %s, the registry holds %s", got, digest)
	}
	n.Settled()
	assertOnePull(t, n, digest, "skopeo")
}

func TestCranePullsAnImageAndIsCountedOnce(t *testing.T) {
	harness.Needs(t, "crane")
	crane, err := harness.LookPath("crane")
	if err != nil {
		t.Fatal(err)
	}
	n, _, digest := pullable(t)
	if got := strings.TrimSpace(harness.Command(t, crane, "digest", "--insecure", public(n, ":1.2"))); got != digest {
		t.Errorf("crane sees %s, the registry holds %s", got, digest)
	}
	n.Settled()
	if pulls := n.Count("select count(*) from events where counted"); pulls != 0 {
		t.Errorf("a HEAD counted %d pulls", pulls)
	}
	harness.Command(t, crane, "pull", "--insecure", "--format", "oci", public(n, ":1.2"), filepath.Join(t.TempDir(), "image"))
	n.Settled()
	assertOnePull(t, n, digest, "crane")
}

// assertOnePull checks the counted row of one pull.
func assertOnePull(t *testing.T, n *harness.Node, digest, client string) {
	t.Helper()
	rows := n.SQL(`select type, owner, package, package_type, reference, version, digest, client, domain, status,
		path, country, unique_id, origin_id is not null as has_origin from events where counted`)
	if len(rows) != 1 {
		all, _ := json.MarshalIndent(n.SQL("select time, type, path, status, counted, client, origin_id from events order by time"), "", " ")
		t.Fatalf("%d counted rows, want 1: %v\nall rows: %s", len(rows), rows, all)
	}
	want := map[string]any{
		"type": "manifest-fetch", "owner": "acme", "package": "rocket-skates", "package_type": "docker",
		"reference": "1.2", "version": "1.2", "digest": digest, "client": client, "domain": "localhost",
		"has_origin": true, "country": nil, "unique_id": nil, "path": "/v2/acme/rocket-skates/manifests/1.2",
	}
	for column, value := range want {
		if rows[0][column] != value {
			t.Errorf("%s is %v, want %v", column, rows[0][column], value)
		}
	}
}

func TestAPullUnderDoNotTrackIsServedAndLeavesNoRow(t *testing.T) {
	n, _, digest := pullable(t)
	for _, header := range []string{"DNT", "Sec-GPC"} {
		resp := n.Get("GET", "localhost", "/v2/acme/rocket-skates/manifests/1.2", header, "1",
			"Accept", "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.index.v1+json")
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Docker-Content-Digest") != digest {
			t.Errorf("%s: status %d, digest %s", header, resp.StatusCode, resp.Header.Get("Docker-Content-Digest"))
		}
	}
	// A request that is recorded, so that the absence of the others means something.
	n.Get("HEAD", "localhost", "/v2/acme/rocket-skates/manifests/1.2")
	harness.WaitFor(t, "the recorded request", func() error {
		if got := n.Count("select count(*) from events"); got != 1 {
			return fmt.Errorf("%d rows", got)
		}
		return nil
	})
	n.Settled()
	if got := n.Count("select count(*) from events"); got != 1 {
		t.Errorf("%d rows, want the one that was not under DNT", got)
	}
}
