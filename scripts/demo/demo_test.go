package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func get(t *testing.T, url string) (int, []byte) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}

func TestTheOriginHoldsTheSameThingsAtEveryStart(t *testing.T) {
	first, err := startOrigin("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := startOrigin(first.Addr) // taken: another port
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if first.Addr == second.Addr {
		t.Fatal("two origins on one address")
	}
	var digests []string
	for _, o := range []*origin{first, second} {
		for _, tag := range []string{"1.0", "latest"} {
			ref, err := name.ParseReference(o.Addr + "/acme/rocket:" + tag)
			if err != nil {
				t.Fatal(err)
			}
			image, err := remote.Get(ref)
			if err != nil {
				t.Fatal(err)
			}
			digests = append(digests, image.Digest.String())
		}
	}
	if digests[0] != digests[1] || digests[0] != digests[2] || digests[0] != digests[3] {
		t.Errorf("digests are %q", digests)
	}
	for _, path := range []string{"/releases/1.0/rocket-linux.tgz", "/packages/acme_rocket-1.0-py3-none-any.whl", "/simple/acme-rocket/"} {
		status, a := get(t, "http://"+first.Addr+path)
		_, b := get(t, "http://"+second.Addr+path)
		if status != http.StatusOK || !bytes.Equal(a, b) {
			t.Errorf("%s: status %d, %d and %d bytes", path, status, len(a), len(b))
		}
	}
	for _, path := range []string{"/releases/1.0/rocket-amiga.tgz", "/releases/../rocket-linux.tgz", "/simple/other/", "/"} {
		if status, _ := get(t, "http://"+first.Addr+path); status != http.StatusNotFound {
			t.Errorf("%s: status %d", path, status)
		}
	}
}

func TestTheTarballAndTheWheelCanBeUnpacked(t *testing.T) {
	o, err := startOrigin("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	_, body := get(t, "http://"+o.Addr+"/releases/2.5/rocket-macos.tgz")
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if h, err := tar.NewReader(z).Next(); err != nil || h.Name != "rocket-2.5/README" {
		t.Errorf("the tarball holds %v, %v", h, err)
	}
	_, body = get(t, "http://"+o.Addr+"/packages/acme_rocket-1.0-py3-none-any.whl")
	wheel, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil || len(wheel.File) != 4 {
		t.Errorf("the wheel holds %v, %v", wheel, err)
	}
}

func TestTheImagesProgramRuns(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a Linux program")
	}
	index, err := rocketIndex()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 2 {
		t.Fatal(manifest, err)
	}
	for _, d := range manifest.Manifests {
		if d.Platform.Architecture != runtime.GOARCH {
			continue
		}
		out, err := exec.Command(unpack(t, index, d.Digest)).Output()
		if err != nil || !strings.Contains(string(out), "lift-off") {
			t.Errorf("it says %q, %v", out, err)
		}
	}
}

// unpack writes the program of an image to a file.
func unpack(t *testing.T, index v1.ImageIndex, digest v1.Hash) string {
	t.Helper()
	image, err := index.Image(digest)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	archive := tar.NewReader(content)
	if _, err := archive.Next(); err != nil {
		t.Fatal(err)
	}
	program, err := io.ReadAll(archive)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rocket")
	if err := os.WriteFile(file, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestSettingsAreFoundWhereTheNodeFindsThem(t *testing.T) {
	t.Setenv("TALLYGATE_ADMIN_LISTEN", ":9090")
	for _, c := range []struct {
		name, args, gateway, admin, data, run string
	}{
		{"nothing is given", "", "8080", "127.0.0.1:9090", "here", "run --allow-private-origins --data-dir here"},
		{
			"flags", "run --gateway-listen 127.0.0.1:81 --admin-listen=[::1]:91 --data-dir=there", "81", "[::1]:91", "there",
			"run --gateway-listen 127.0.0.1:81 --admin-listen=[::1]:91 --data-dir=there",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNode(&options{dataDir: "here", args: strings.Fields(c.args)})
			if n.gatewayPort != c.gateway || n.adminAddr != c.admin || n.dataDir != c.data || strings.Join(n.args, " ") != c.run {
				t.Errorf("%+v", n)
			}
		})
	}
}

func TestThePullUsesAClientThatIsInstalled(t *testing.T) {
	for installed, want := range map[string]string{"skopeo": "skopeo copy", "crane": "crane pull", "podman": "podman pull", "none": "docker pull"} {
		got := pullCommand("localhost:8080", func(name string) (string, error) {
			if name == installed {
				return name, nil
			}
			return "", errors.New("not found")
		})
		if !strings.HasPrefix(got, want) || !strings.Contains(got, "localhost:8080/acme/rocket:1.0") {
			t.Errorf("%s: %q", installed, got)
		}
	}
}

// fakeNode is a shell script in place of the node: it answers /readyz through
// the test's server and ends with code 7 when asked to stop.
func fakeNode(t *testing.T, body string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tallygate")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+body), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

const goodNode = `case "$1" in
apply) while [ ! -e "$0.up" ]; do sleep 0.01; done; grep -q 'name: rocket' "$3" || exit 1;;
user) echo http://sign.in/once; echo more;;
run) trap 'exit 7' TERM; : > "$0.up"; while :; do sleep 0.05; done;;
esac
`

// introduction passes on what is written once the welcome is complete.
type introduction struct {
	text     strings.Builder
	complete chan string
}

func (i *introduction) Write(p []byte) (int, error) {
	n, err := i.text.Write(p)
	if strings.Contains(i.text.String(), "Ctrl-C") {
		i.complete <- i.text.String()
	}
	return n, err
}

func readyServer(t *testing.T) (addr string) {
	t.Helper()
	o, err := startOrigin("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.server.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	t.Cleanup(o.Close)
	return o.Addr
}

func TestTheDemoIntroducesTheNodeAndEndsWithItsCode(t *testing.T) {
	out := &introduction{complete: make(chan string, 1)}
	signals := make(chan os.Signal, 1)
	done := make(chan string)
	go func() {
		code, err := run(&options{
			tallygate: fakeNode(t, goodNode), dataDir: t.TempDir(), originListen: "127.0.0.1:0",
			args: []string{"run", "--admin-listen", readyServer(t)},
		}, signals, out, io.Discard)
		done <- fmt.Sprint(code, err)
	}()
	text := <-out.complete
	for _, want := range []string{"http://sign.in/once\n", "curl -L http://localhost:8080/dl/1.0/linux.tgz -o rocket.tgz", "/acme/rocket:1.0", `curl -d '{"action":"launch"}' http://localhost:8080/events`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	signals <- syscall.SIGTERM
	if got := <-done; got != "7 <nil>" {
		t.Errorf("ended with %s", got)
	}
}

func TestANodeThatEndsEarlyEndsTheDemo(t *testing.T) {
	code, err := run(&options{tallygate: fakeNode(t, "exit 3"), dataDir: t.TempDir(), originListen: "127.0.0.1:0"}, nil, io.Discard, io.Discard)
	if code != 3 && err == nil {
		t.Errorf("ended with %d, %v", code, err)
	}
}

func TestARefusedCatalogStopsTheNode(t *testing.T) {
	refusing := strings.Replace(goodNode, "grep -q", "echo no such thing >&2; exit 1; grep -q", 1)
	code, err := run(&options{
		tallygate: fakeNode(t, refusing), dataDir: t.TempDir(), originListen: "127.0.0.1:0",
		args: []string{"run", "--admin-listen", readyServer(t)},
	}, nil, io.Discard, io.Discard)
	if code != 1 || err == nil || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("ended with %d, %v", code, err)
	}
}
