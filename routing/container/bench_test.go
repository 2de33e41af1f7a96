package container

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"tallygate/cluster/catalog"
	"tallygate/routing/event"
	"tallygate/routing/table"
)

// scripted is the way to a registry that is a function.
type scripted roundTrip

func (s scripted) Transport() http.RoundTripper { return roundTrip(s) }
func (s scripted) Up(string) bool               { return true }

// nowhere is a client that wants the status only.
type nowhere struct{ header http.Header }

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (w *nowhere) WriteHeader(int)             {}

func silent(_ *table.Rule, fill func(*event.Event)) {
	var e event.Event
	fill(&e)
}

func benchmark(b *testing.B, path string, registry roundTrip) {
	b.Helper()
	h := New(Options{Origins: scripted(registry)})
	rules := host(catalog.Image{Registry: "registry.example", Repository: "acme/app"})
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.TLS = nil
	r.Header.Set("User-Agent", "containerd/2.4.0")
	b.ReportAllocs()
	for b.Loop() {
		h.serve(&nowhere{make(http.Header, 8)}, r, rules, silent)
	}
}

func BenchmarkRedirect(b *testing.B) {
	benchmark(b, "/v2/acme/app/manifests/1.0", func(r *http.Request) (*http.Response, error) {
		return reply(r, 200, ""), nil
	})
}

func BenchmarkManifestThroughTheBroker(b *testing.B) {
	body := `{"schemaVersion":2,"layers":[` + strings.Repeat(`{"digest":"`+someSHA256+`"},`, 20) + `{}]}`
	benchmark(b, "/v2/acme/app/manifests/1.0", func(r *http.Request) (*http.Response, error) {
		switch {
		case r.URL.Host == "auth.example":
			return reply(r, 200, `{"token":"t","expires_in":3600}`), nil
		case r.Header.Get("Authorization") == "":
			return reply(r, 401, "", "Www-Authenticate", `Bearer realm="https://auth.example/token"`), nil
		}
		return reply(r, 200, body, "Content-Type", "application/vnd.oci.image.manifest.v1+json"), nil
	})
}

func BenchmarkBlobHandedOn(b *testing.B) {
	benchmark(b, "/v2/acme/app/blobs/"+someSHA256, func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/v2/" {
			return reply(r, 403, ""), nil
		}
		return reply(r, 307, "", "Location", "https://cdn.example/blob"+signature), nil
	})
}

// zeros is a body of some length that takes no memory.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	z.left -= n
	return int(n), nil
}

func (z *zeros) Close() error { return nil }

func TestStreamingTakesTheSameMemoryForAnyBlob(t *testing.T) {
	allocated := func(size int64) uint64 {
		h := New(Options{Origins: scripted(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/v2/" {
				return reply(r, 403, ""), nil
			}
			resp := reply(r, 200, "")
			resp.Body, resp.ContentLength = &zeros{size}, size
			return resp, nil
		})})
		rules := host(catalog.Image{Registry: "registry.example", Repository: "acme/app"})
		r := httptest.NewRequest(http.MethodGet, "/v2/acme/app/blobs/"+someSHA256, nil)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h.serve(&nowhere{make(http.Header)}, r, rules, silent)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(1)
	if small, big := allocated(1<<10), allocated(4<<30); big > small+64<<10 {
		t.Errorf("4 GiB took %d bytes, 1 KiB took %d", big, small)
	}
}
