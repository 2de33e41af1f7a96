package container

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"

	gcrname "github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"tallygate/cluster/catalog"
)

func TestPagesOfTagsLeadThroughTheGateway(t *testing.T) {
	want := []string{"v0", "v1", "v2", "v3", "v4"}
	for name, base := range map[string]string{
		"by path": "", "by URL": "http://elsewhere.example", "relative": "relative",
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/v2/acme/app/tags/list" {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				first, n := 0, len(want)
				if last := r.FormValue("last"); last != "" {
					first = slices.Index(want, last) + 1
				}
				if text := r.FormValue("n"); text != "" {
					n, _ = strconv.Atoi(text)
				}
				end := min(first+n, len(want))
				if end < len(want) {
					path := base + r.URL.Path
					if base == "relative" {
						path = ""
					}
					w.Header().Set("Link", fmt.Sprintf(`<%s?last=%s&n=%d>; rel="next"`, path, want[end-1], n))
				}
				_ = json.NewEncoder(w).Encode(map[string]any{"name": "acme/app", "tags": want[first:end]})
			}))
			defer server.Close()
			g := newGateway(t, host(catalog.Image{Name: "deep/er/app", Registry: hostPort(server), Repository: "acme/app", PlainHTTP: true}))
			repository, err := gcrname.NewRepository(g.host()+"/deep/er/app", gcrname.Insecure)
			if err != nil {
				t.Fatal(err)
			}
			got, err := remote.List(repository, remote.WithContext(t.Context()), remote.WithPageSize(2))
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("tags are %v, %v; want %v", got, err, want)
			}
			resp := g.do(t, http.MethodGet, "/v2/deep/er/app/tags/list?n=2")
			if got, want := resp.Header.Get("Link"), `</v2/deep/er/app/tags/list?last=v1&n=2>; rel="next"`; got != want {
				t.Errorf("link is %s, want %s", got, want)
			}
			if got, want := text(t, resp), `{"name":"deep/er/app","tags":["v0","v1"]}`; got != want {
				t.Errorf("body is %s, want %s", got, want)
			}
		})
	}
}

func TestReferrersAreFound(t *testing.T) {
	b := newBackend(t, withTokens)
	idx := index(t)
	b.pushOpen(t, "acme/app:1", idx)
	g := newGateway(t, host(catalog.Image{Name: "app", Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	ref, err := gcrname.NewDigest(g.host()+"/app@"+digest(t, idx), gcrname.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	found, err := remote.Referrers(ref, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := found.IndexManifest(); err != nil || len(m.Manifests) != 0 {
		t.Errorf("referrers are %v, %v", m, err)
	}
	if notes := g.taken(); len(notes) != 0 {
		t.Errorf("a list was noted: %+v", notes)
	}
}
