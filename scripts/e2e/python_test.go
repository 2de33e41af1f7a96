package e2e

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tallygate/scripts/e2e/harness"
)

// wheel makes a wheel (PEP 427) of a package with one module.
func wheel(t *testing.T, name, version string) (fileName string, data []byte) {
	t.Helper()
	info := name + "-" + version + ".dist-info/"
	files := []struct{ name, text string }{
		{name + ".py", "LAUNCHED = True\n"},
		{info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: e2e\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
	}
	var record strings.Builder
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	add := func(name, text string) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		sum := sha256.Sum256([]byte(f.text))
		fmt.Fprintf(&record, "%s,sha256=%s,%d\n", f.name, base64.RawURLEncoding.EncodeToString(sum[:]), len(f.text))
		add(f.name, f.text)
	}
	fmt.Fprintf(&record, "%sRECORD,,\n", info)
	add(info+"RECORD", record.String())
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return name + "-" + version + "-py3-none-any.whl", buf.Bytes()
}

// startIndex is a static package index (PEP 503) with relative links.
func startIndex(t *testing.T, name string, versions ...string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	var page strings.Builder
	page.WriteString("<!DOCTYPE html><html><body>\n")
	for _, version := range versions {
		file, data := wheel(t, name, version)
		sum := sha256.Sum256(data)
		fmt.Fprintf(&page, "<a href=\"../../files/%s#sha256=%s\" data-requires-python=\"&gt;=3.7\">%s</a><br>\n", file, hex.EncodeToString(sum[:]), file)
		mux.HandleFunc("GET /files/"+file, func(w http.ResponseWriter, _ *http.Request) { w.Write(data) })
	}
	page.WriteString("</body></html>\n")
	mux.HandleFunc("GET /simple/"+name+"/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(page.String()))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestPipInstallsThroughTheGatewayAndTheFileIsCounted(t *testing.T) {
	harness.Needs(t, "python3", "pip3")
	index := startIndex(t, "rocket", "1.0", "1.1")
	empty := startIndex(t, "nothing")
	n := harness.StartNode(t)
	n.Apply(fmt.Sprintf(`
organizations: [{name: acme}]
packages:
  - owner: acme
    name: rocket
    type: python
    repository_url: %s/simple/
    plain_http: true
    domains: [localhost]
`, index.URL))
	_, port, _ := strings.Cut(n.Gateway, ":")
	simple := "http://localhost:" + port + "/simple/"

	requirements := filepath.Join(t.TempDir(), "requirements.txt")
	text := "--index-url " + simple + "\n--trusted-host localhost\nrocket==1.1\n"
	if err := os.WriteFile(requirements, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ways := map[string]struct {
		version string
		args    []string
	}{
		"as the only index":      {"1.1", []string{"--index-url", simple, "--trusted-host", "localhost", "Rocket"}},
		"as an extra index":      {"1.0", []string{"--index-url", empty.URL + "/simple/", "--extra-index-url", simple, "--trusted-host", "localhost", "--trusted-host", "127.0.0.1", "rocket==1.0"}},
		"by a requirements file": {"1.1", []string{"-r", requirements}},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			before := n.Count("select count(*) from events where counted")
			target := t.TempDir()
			harness.Command(t, "python3", append([]string{"-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check", "--target", target}, way.args...)...)
			if _, err := os.Stat(filepath.Join(target, "rocket.py")); err != nil {
				t.Error(err)
			}
			n.Settled()
			rows := n.SQL(`select type, package, version, client, client_version is not null as has_client_version, platform, arch, status
				from events where counted order by time desc`)
			if len(rows) != before+1 {
				t.Fatalf("%d counted rows more, want 1: %v", len(rows)-before, rows)
			}
			for column, want := range map[string]any{
				"type": "binary-download", "package": "rocket", "version": way.version, "client": "pip", "has_client_version": true, "platform": "linux", "status": float64(302),
			} {
				if rows[0][column] != want {
					t.Errorf("%s is %v, want %v", column, rows[0][column], want)
				}
			}
		})
	}
	if got := n.Count("select count(*) from events where type = 'index-fetch' and not counted"); got == 0 {
		t.Error("index pages left no row")
	}
}
