package python

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tallygate/cluster/catalog"
	"tallygate/routing/event"
)

// makeWheel makes a wheel with one module, as PEP 427 says.
func makeWheel(t *testing.T, version string) []byte {
	t.Helper()
	info := "rocket_skates-" + version + ".dist-info/"
	files := []struct{ name, text string }{
		{"rocket_skates.py", "speed = 9000\n"},
		{info + "METADATA", metadata(version)},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
	}
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	record := ""
	add := func(name, text string) {
		w, err := zw.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		add(f.name, f.text)
		digest := sha256.Sum256([]byte(f.text))
		record += fmt.Sprintf("%s,sha256=%s,%d\n", f.name, base64.RawURLEncoding.EncodeToString(digest[:]), len(f.text))
	}
	add(info+"RECORD", record+info+"RECORD,,\n")
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func metadata(version string) string {
	return "Metadata-Version: 2.1\nName: rocket-skates\nVersion: " + version + "\n"
}

// staticIndex serves wheels of a project by a page of HTML with relative links,
// as a directory of files would.
func staticIndex(t *testing.T, versions ...string) *httptest.Server {
	mux := http.NewServeMux()
	page := "<!DOCTYPE html><html><body>\n"
	for _, version := range versions {
		name, data := "rocket_skates-"+version+"-py3-none-any.whl", makeWheel(t, version)
		digest, ofMetadata := sha256.Sum256(data), sha256.Sum256([]byte(metadata(version)))
		page += fmt.Sprintf("<a href=\"../../files/%s#sha256=%s\" data-core-metadata=\"sha256=%s\" data-requires-python=\"&gt;=3.6\">%s</a>\n",
			url.PathEscape(name), hex.EncodeToString(digest[:]), hex.EncodeToString(ofMetadata[:]), name)
		mux.HandleFunc("GET /files/"+name, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(data) })
		mux.HandleFunc("GET /files/"+name+".metadata", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(metadata(version))) })
	}
	mux.HandleFunc("GET /simple/rocket-skates/{$}", serveText("text/html", page))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

// gateway serves a handler over HTTP.
func gateway(t *testing.T, indexURL string, n *notes) *httptest.Server {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	h := newHandler(t, Options{Transport: transport})
	host := hostWith(&catalog.PythonProject{Project: "rocket-skates", RepositoryURL: indexURL, PlainHTTP: true})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, host, n.note) }))
	t.Cleanup(srv.Close)
	return srv
}

// downloads returns the countable downloads that were noted, as versions.
func downloads(n *notes) string {
	var versions []string
	for _, e := range n.all() {
		if e.Countable {
			versions = append(versions, e.Type+" "+e.Version)
		}
	}
	return strings.Join(versions, ", ")
}

// hermetic is an environment in which no setting of the machine's reaches pip.
func hermetic(t *testing.T) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "PYENV_ROOT=" + os.Getenv("PYENV_ROOT"),
		"PIP_CONFIG_FILE=" + os.DevNull, "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_NO_INPUT=1", "NO_PROXY=127.0.0.1",
	}
}

// pip runs pip and returns what it printed.
func pip(t *testing.T, args ...string) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 on this machine")
	}
	if err := exec.Command(python, "-m", "pip", "--version").Run(); err != nil {
		t.Skip("python3 has no pip on this machine")
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{"-m", "pip"}, args...)...)
	cmd.Env = hermetic(t)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("pip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestPipInstallsThroughTheGateway(t *testing.T) {
	if testing.Short() {
		t.Skip("pip takes seconds; not under -short")
	}
	origin := staticIndex(t, "1.0", "1.1+local.2")
	installed := func(t *testing.T, dir, version string) {
		t.Helper()
		if _, err := os.Stat(filepath.Join(dir, "rocket_skates.py")); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "rocket_skates-"+version+".dist-info")); err != nil {
			t.Error(err)
		}
	}
	t.Run("by --index-url", func(t *testing.T) {
		var n notes
		srv, dir := gateway(t, origin.URL+"/simple/", &n), t.TempDir()
		pip(t, "install", "--no-cache-dir", "--index-url", srv.URL+"/simple/", "--trusted-host", "127.0.0.1", "--target", dir, "Rocket.Skates==1.0")
		installed(t, dir, "1.0")
		if got := downloads(&n); got != event.BinaryDownload+" 1.0" {
			t.Errorf("counted %q", got)
		}
		var types []string
		for _, e := range n.all() {
			types = append(types, e.Type+" "+e.Version)
		}
		// The page, the metadata of what was chosen, the file.
		if got := strings.Join(types, ", "); got != "index-fetch , index-fetch 1.0, binary-download 1.0" {
			t.Errorf("noted %q", got)
		}
	})
	t.Run("the newest, by a requirements file with a hash", func(t *testing.T) {
		var n notes
		srv, dir := gateway(t, origin.URL+"/simple/", &n), t.TempDir()
		digest := sha256.Sum256(makeWheel(t, "1.1+local.2"))
		requirements := filepath.Join(t.TempDir(), "requirements.txt")
		text := "--index-url " + srv.URL + "/simple/\nrocket-skates==1.1+local.2 --hash=sha256:" + hex.EncodeToString(digest[:]) + "\n"
		if err := os.WriteFile(requirements, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		pip(t, "install", "--no-cache-dir", "--trusted-host", "127.0.0.1", "--target", dir, "-r", requirements)
		installed(t, dir, "1.1+local.2")
		if got := downloads(&n); got != event.BinaryDownload+" 1.1+local.2" {
			t.Errorf("counted %q", got)
		}
	})
	t.Run("by --extra-index-url, an index without the project first", func(t *testing.T) {
		var n notes
		srv, dir := gateway(t, origin.URL+"/simple/", &n), t.TempDir()
		empty := httptest.NewServer(http.NotFoundHandler())
		defer empty.Close()
		pip(t, "install", "--no-cache-dir", "--index-url", empty.URL+"/simple/", "--extra-index-url", srv.URL+"/simple/", "--target", dir, "rocket-skates")
		installed(t, dir, "1.1+local.2")
		if got := downloads(&n); got != event.BinaryDownload+" 1.1+local.2" {
			t.Errorf("counted %q", got)
		}
	})
	t.Run("a download, by a gateway whose origin is another gateway", func(t *testing.T) {
		var inner, outer notes
		dir := t.TempDir()
		first := gateway(t, origin.URL+"/simple/", &inner)
		second := gateway(t, first.URL+"/simple/", &outer)
		pip(t, "download", "--no-cache-dir", "--no-deps", "--index-url", second.URL+"/simple/", "--dest", dir, "rocket-skates<1.1")
		if _, err := os.Stat(filepath.Join(dir, "rocket_skates-1.0-py3-none-any.whl")); err != nil {
			t.Error(err)
		}
		for _, n := range []*notes{&inner, &outer} {
			if got := downloads(n); got != event.BinaryDownload+" 1.0" {
				t.Errorf("counted %q", got)
			}
		}
	})
}

func TestUvInstallsThroughTheGateway(t *testing.T) {
	uv, err := exec.LookPath("uv")
	if err != nil {
		t.Skip("there is no uv on this machine")
	}
	var n notes
	srv, dir := gateway(t, staticIndex(t, "1.0").URL+"/simple/", &n), t.TempDir()
	cmd := exec.CommandContext(t.Context(), uv, "pip", "install", "--no-config", "--no-cache", "--default-index", srv.URL+"/simple/", "--target", dir, "rocket-skates")
	cmd.Env = hermetic(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("uv: %v\n%s", err, out)
	}
	if got := downloads(&n); got != event.BinaryDownload+" 1.0" {
		t.Errorf("counted %q", got)
	}
}
