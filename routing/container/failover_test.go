package container

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tallygate/cluster/catalog"
)

func TestAnotherRegistryTakesOver(t *testing.T) {
	idx := index(t)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer broken.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for name, first := range map[string]string{"for one that is broken": hostPort(broken), "for one that is gone": hostPort(gone)} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, withTokens)
			b.pushOpen(t, "acme/app:1", idx)
			g := newGateway(t, host(catalog.Image{
				Registry: first, FailoverRegistries: []string{b.host()}, Repository: "acme/app", PlainHTTP: true,
			}))
			if got, want := g.pull(t, "acme/app:1"), childOf(t, idx); got != want {
				t.Errorf("pulled %s, want %s", got, want)
			}
			for _, e := range g.taken() {
				if e.OriginHost != b.host() {
					t.Errorf("event %+v", e)
				}
			}
		})
	}
}

func TestANotFoundIsNoReasonToAskAnotherRegistry(t *testing.T) {
	first, second := newBackend(t, withTokens), newBackend(t, withTokens)
	first.pushOpen(t, "acme/app:1", image(t))
	second.pushOpen(t, "acme/app:2", image(t))
	g := newGateway(t, host(catalog.Image{
		Registry: first.host(), FailoverRegistries: []string{second.host()}, Repository: "acme/app", PlainHTTP: true,
	}))
	resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/2")
	if body := text(t, resp); resp.StatusCode != http.StatusNotFound || !strings.Contains(body, codeManifestUnknown) {
		t.Errorf("%s %s", resp.Status, body)
	}
	if n := len(second.seen()); n != 0 {
		t.Errorf("the second registry got %d requests", n)
	}
}
