package container

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tallygate/cluster/catalog"
)

func TestTheRegistrysRedirectOfABlobIsHandedOnUntouched(t *testing.T) {
	storage := newBackend(t)
	img := image(t)
	storage.pushOpen(t, "acme/app:1", img)
	for name, guards := range map[string][]func(*backend, http.Handler) http.Handler{
		"with tokens": {withCDN(storage.URL), withTokens},
		"open":        {withCDN(storage.URL)},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, guards...)
			b.pushOpen(t, "acme/app:1", img)
			g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true, AlwaysProxy: true}))
			if got := g.pull(t, "acme/app:1"); got != digest(t, img) {
				t.Errorf("pulled %s", got)
			}
			layers, err := img.Layers()
			if err != nil {
				t.Fatal(err)
			}
			path := "/v2/acme/app/blobs/" + digest(t, layers[0])
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				resp := g.do(t, method, path)
				if got, want := resp.Header.Get("Location"), storage.URL+path+signature; resp.StatusCode != http.StatusTemporaryRedirect || got != want {
					t.Errorf("%s: %s to %q, want %q", method, resp.Status, got, want)
				}
				if body := text(t, resp); body != "" {
					t.Errorf("%s: body %q", method, body)
				}
			}
			for _, r := range storage.seen() {
				if r.Header.Get("Authorization") != "" {
					t.Error("the storage saw a token")
				}
			}
		})
	}
}

func TestBlobsAreStreamedWithRangeAndConditions(t *testing.T) {
	const content = "0123456789abcdef"
	sum, _ := compute("sha256:", []byte(content))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" {
			w.WriteHeader(http.StatusForbidden) // not open, and no challenge either
			return
		}
		w.Header().Set("Etag", `"`+sum+`"`)
		w.Header().Set("Docker-Content-Digest", sum)
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Set-Cookie", "spy=1")
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
	}))
	defer server.Close()
	g := newGateway(t, host(catalog.Image{Registry: hostPort(server), Repository: "acme/app", PlainHTTP: true}))
	path := "/v2/acme/app/blobs/" + sum
	for _, tt := range []struct {
		name, method string
		header       []string
		status       int
		body, length string
	}{
		{"whole", "GET", nil, 200, content, "16"},
		{"header only", "HEAD", nil, 200, "", "16"},
		{"a range", "GET", []string{"Range", "bytes=4-7"}, 206, "4567", "4"},
		{"the end", "GET", []string{"Range", "bytes=-2"}, 206, "ef", "2"},
		{"a range if unchanged", "GET", []string{"Range", "bytes=0-0", "If-Range", `"` + sum + `"`}, 206, "0", "1"},
		{"a range if it were another", "GET", []string{"Range", "bytes=0-0", "If-Range", `"other"`}, 200, content, "16"},
		{"several ranges are ignored", "GET", []string{"Range", "bytes=0-0,2-2"}, 200, content, "16"},
		{"two range headers are ignored", "GET", []string{"Range", "bytes=0-0", "Range", "bytes=2-2"}, 200, content, "16"},
		{"a range of nothing known is ignored", "GET", []string{"Range", "parsecs=1-2"}, 416, "", ""},
		{"beyond the end", "GET", []string{"Range", "bytes=99-"}, 416, "", ""},
		{"not modified", "GET", []string{"If-None-Match", `"` + sum + `"`}, 304, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := g.do(t, tt.method, path, tt.header...)
			body := text(t, resp)
			if resp.StatusCode != tt.status {
				t.Fatalf("status is %s: %s", resp.Status, body)
			}
			if tt.status == 416 {
				if !strings.Contains(body, codeRangeInvalid) {
					t.Errorf("body is %s", body)
				}
				return
			}
			if body != tt.body || resp.Header.Get("Content-Length") != tt.length {
				t.Errorf("body %q of length %q", body, resp.Header.Get("Content-Length"))
			}
			if resp.Header.Get("Set-Cookie") != "" {
				t.Error("the registry's cookie came along")
			}
			if kind := resp.Header.Get("Content-Type"); tt.status != 304 && kind != "application/octet-stream" {
				t.Errorf("type is %q", kind)
			}
			if resp.Header.Get("Docker-Content-Digest") != sum || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("header is %v", resp.Header)
			}
		})
	}
}

func TestAClientThatGoesAwayEndsTheStream(t *testing.T) {
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/blobs/") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		defer close(ended)
		chunk := make([]byte, 64<<10)
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	g := newGateway(t, host(catalog.Image{Registry: hostPort(server), Repository: "acme/app", PlainHTTP: true}))
	sum, _ := compute("sha256:", nil)
	resp := g.do(t, http.MethodGet, "/v2/acme/app/blobs/"+sum)
	if _, err := io.CopyN(io.Discard, resp.Body, 1<<20); err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	<-ended // the test's own timeout is the bound
}
