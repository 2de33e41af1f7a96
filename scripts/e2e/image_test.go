package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pullable starts a registry with one image and a node that serves it under the
// name localhost, which needs no DNS.
func pullable(t *testing.T) (n *node, reg *registry, digest string) {
	t.Helper()
	reg = startRegistry(t)
	digest = reg.push(t, "acme/rocket-skates", "1.2")
	n = startNode(t)
	n.apply(fmt.Sprintf(`
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
func (n *node) public(suffix string) string {
	_, port, _ := strings.Cut(n.Gateway, ":")
	return "localhost:" + port + "/acme/rocket-skates" + suffix
}

func TestSkopeoCopiesAnImageAndIsCountedOnce(t *testing.T) {
	needs(t, "skopeo")
	n, _, digest := pullable(t)
	dir := t.TempDir()
	command(t, "skopeo", "copy", "--all", "--preserve-digests", "--src-tls-verify=false", "docker://"+n.public(":1.2"), "dir:"+dir)

	manifest, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got := digestOf(manifest); got != digest {
		t.Errorf("skopeo got %s, the registry holds %s", got, digest)
	}
	n.settled()
	assertOnePull(t, n, digest, "skopeo")
}

func TestCranePullsAnImageAndIsCountedOnce(t *testing.T) {
	needs(t, "crane")
	crane, err := lookPath("crane")
	if err != nil {
		t.Fatal(err)
	}
	n, _, digest := pullable(t)
	if got := strings.TrimSpace(command(t, crane, "digest", "--insecure", n.public(":1.2"))); got != digest {
		t.Errorf("crane sees %s, the registry holds %s", got, digest)
	}
	n.settled()
	if pulls := n.count("select count(*) from events where counted"); pulls != 0 {
		t.Errorf("a HEAD counted %d pulls", pulls)
	}
	command(t, crane, "pull", "--insecure", "--format", "oci", n.public(":1.2"), filepath.Join(t.TempDir(), "image"))
	n.settled()
	assertOnePull(t, n, digest, "crane")
}

// assertOnePull checks the counted row of one pull.
func assertOnePull(t *testing.T, n *node, digest, client string) {
	t.Helper()
	rows := n.sql(`select type, owner, package, package_type, reference, version, digest, client, domain, status,
		path, country, unique_id, origin_id is not null as has_origin from events where counted`)
	if len(rows) != 1 {
		all, _ := json.MarshalIndent(n.sql("select time, type, path, status, counted, client, origin_id from events order by time"), "", " ")
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
		resp := n.get("GET", "localhost", "/v2/acme/rocket-skates/manifests/1.2", header, "1",
			"Accept", "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.index.v1+json")
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Docker-Content-Digest") != digest {
			t.Errorf("%s: status %d, digest %s", header, resp.StatusCode, resp.Header.Get("Docker-Content-Digest"))
		}
	}
	// A request that is recorded, so that the absence of the others means something.
	n.get("HEAD", "localhost", "/v2/acme/rocket-skates/manifests/1.2")
	waitFor(t, "the recorded request", func() error {
		if got := n.count("select count(*) from events"); got != 1 {
			return fmt.Errorf("%d rows", got)
		}
		return nil
	})
	n.settled()
	if got := n.count("select count(*) from events"); got != 1 {
		t.Errorf("%d rows, want the one that was not under DNT", got)
	}
}
