package container

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	gcrname "github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"tallygate/cluster/catalog"
	"tallygate/routing/event"
	"tallygate/routing/table"
)

func TestPullThroughAnAnonymousBroker(t *testing.T) {
	b := newBackend(t, withTokens)
	idx := index(t)
	b.pushOpen(t, "acme/app:1.2", idx)
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))

	if got, want := g.pull(t, "acme/app:1.2"), childOf(t, idx); got != want {
		t.Errorf("pulled %s, want %s", got, want)
	}
	if n := b.tokens.Load(); n != 1 {
		t.Errorf("%d tokens were asked for", n)
	}
	notes := g.taken()
	counted := countable(notes)
	if len(counted) != 2 {
		t.Fatalf("countable: %+v", counted)
	}
	top, child := counted[0], counted[1]
	if top.Reference != "1.2" || top.Version != "1.2" || top.Digest != digest(t, idx) || top.Platform != "" {
		t.Errorf("the index's event is %+v", top)
	}
	if child.Digest != childOf(t, idx) || child.Reference != child.Digest || child.Version != "1.2" ||
		child.Platform != "linux" || child.Arch != "arm64" {
		t.Errorf("the child's event is %+v", child)
	}
	blobs := 0
	for _, e := range notes {
		if e.OriginHost != b.host() || e.Status != http.StatusOK || e.Package != "acme/app" {
			t.Errorf("event %+v", e)
		}
		if e.Type == event.BlobFetch {
			blobs++
		}
	}
	if blobs != 3 {
		t.Errorf("%d blobs, want a config and two layers", blobs)
	}
}

func TestTheClientSeesNoAuthentication(t *testing.T) {
	b := newBackend(t, withTokens)
	b.pushOpen(t, "acme/app:1", image(t))
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/1", "Authorization", "Bearer mine", "Cookie", "a=b", "X-Forwarded-For", "192.0.2.1")
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Www-Authenticate") != "" {
		t.Errorf("answer is %s with %v", resp.Status, resp.Header)
	}
	_ = text(t, resp)
	for _, r := range b.seen() {
		if r.Header.Get("Authorization") == "Bearer mine" || r.Header.Get("Cookie") != "" || r.Header.Get("X-Forwarded-For") != "" {
			t.Errorf("the registry saw %v", r.Header)
		}
	}
}

func TestARenamedImageIsCalledByItsPublicNameEverywhere(t *testing.T) {
	b := newBackend(t, withTokens)
	idx := index(t)
	b.pushOpen(t, "acme/rocket-skates:1", idx)
	g := newGateway(t, host(catalog.Image{Name: "rocket", Registry: b.host(), Repository: "acme/rocket-skates", PlainHTTP: true}))
	if got, want := g.pull(t, "rocket:1"), childOf(t, idx); got != want {
		t.Errorf("pulled %s, want %s", got, want)
	}
	for _, path := range []string{
		"/v2/rocket/tags/list", "/v2/rocket/manifests/nope", "/v2/rocket/tags/list?n=1", "/v2/rocket/referrers/" + digest(t, idx),
	} {
		resp := g.do(t, http.MethodGet, path)
		body := text(t, resp)
		if strings.Contains(body+fmt.Sprint(resp.Header), "skates") {
			t.Errorf("%s shows the repository's name: %v %s", path, resp.Header, body)
		}
	}
	tags, err := crane.ListTags(g.host()+"/rocket", crane.Insecure)
	if err != nil || len(tags) != 1 || tags[0] != "1" {
		t.Errorf("tags are %v, %v", tags, err)
	}
}

func TestARegistryWithoutAuthenticationIsLeftToTheClient(t *testing.T) {
	b := newBackend(t)
	idx := index(t)
	b.pushOpen(t, "acme/app:1", idx)
	g := newGateway(t, host(
		catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true},
		catalog.Image{Name: "renamed", Registry: b.host(), Repository: "acme/app", PlainHTTP: true},
	))
	for _, repository := range []string{"acme/app", "renamed"} {
		if got, want := g.pull(t, repository+":1"), childOf(t, idx); got != want {
			t.Errorf("pulled %s, want %s", got, want)
		}
		for _, e := range g.taken() {
			if e.Status != http.StatusFound {
				t.Errorf("event %+v", e)
			}
		}
	}
	want := b.URL + "/v2/acme/app/manifests/1"
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		resp := g.do(t, method, "/v2/renamed/manifests/1?ns=docker.io")
		_ = text(t, resp)
		if resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != want {
			t.Errorf("%s: %s to %q", method, resp.Status, resp.Header.Get("Location"))
		}
	}
	notes := g.taken()
	if len(notes) != 2 || !notes[0].Countable || notes[1].Countable || notes[0].Version != "1" {
		t.Errorf("notes are %+v", notes)
	}
	// The registry was asked once what it wants, and once for the repository.
	probes := 0
	for _, r := range b.seen() {
		if r.UserAgent() == userAgent {
			probes++
		}
	}
	if probes != 2 {
		t.Errorf("%d probes", probes)
	}
	// A list that is called the same can be had from the registry itself.
	if resp := g.do(t, http.MethodGet, "/v2/acme/app/tags/list?n=5"); resp.Header.Get("Location") != b.URL+"/v2/acme/app/tags/list?n=5" {
		t.Errorf("tags: %s %v", resp.Status, resp.Header)
	}
	if resp := g.do(t, http.MethodGet, "/v2/renamed/tags/list"); resp.StatusCode != http.StatusOK {
		t.Errorf("tags of a renamed image: %s", resp.Status)
	}
}

func TestAlwaysProxyKeepsTheClientHere(t *testing.T) {
	b := newBackend(t)
	idx := index(t)
	b.pushOpen(t, "acme/app:1", idx)
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true, AlwaysProxy: true}))
	if got, want := g.pull(t, "acme/app:1"), childOf(t, idx); got != want {
		t.Errorf("pulled %s, want %s", got, want)
	}
	for _, e := range g.taken() {
		if e.Status != http.StatusOK {
			t.Errorf("event %+v", e)
		}
	}
}

func TestARegistryThatGreetsEveryoneAndAsksLaterIsBrokered(t *testing.T) {
	b := newBackend(t, withTokens, func(_ *backend, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/" {
				return // 200
			}
			next.ServeHTTP(w, r)
		})
	})
	img := image(t)
	b.pushOpen(t, "acme/app:1", img)
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	for range 3 {
		if got, want := g.pull(t, "acme/app:1"), digest(t, img); got != want {
			t.Errorf("pulled %s, want %s", got, want)
		}
	}
	if n := b.tokens.Load(); n != 1 {
		t.Errorf("%d tokens were asked for", n)
	}
}

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

func TestManifestsKeepWhatClientsNeed(t *testing.T) {
	b := newBackend(t, withTokens)
	img := image(t)
	b.pushOpen(t, "acme/app:1", img)
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	raw, err := img.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, reference := range []string{"1", digest(t, img), strings.Replace(digest(t, img), ":", "%3A", 1)} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			resp := g.do(t, method, "/v2/acme/app/manifests/"+reference,
				"Accept", "application/vnd.oci.image.manifest.v1+json", "Accept", "application/vnd.docker.distribution.manifest.v2+json")
			body := text(t, resp)
			if resp.StatusCode != http.StatusOK || resp.Header.Get("Docker-Content-Digest") != digest(t, img) ||
				resp.Header.Get("Content-Type") != "application/vnd.docker.distribution.manifest.v2+json" ||
				resp.Header.Get("Content-Length") != fmt.Sprint(len(raw)) {
				t.Errorf("%s %s: %s %v", method, reference, resp.Status, resp.Header)
			}
			if method == http.MethodGet && body != string(raw) {
				t.Errorf("body is %s", body)
			}
		}
	}
	for _, r := range b.seen() {
		if strings.Contains(r.URL.Path, "/manifests/") && r.Header.Get("Accept") !=
			"application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json" {
			t.Errorf("the registry saw Accept %q", r.Header["Accept"])
		}
	}
	for _, e := range g.taken() {
		if e.Version != "1" {
			t.Errorf("version of %s is %q", e.Reference, e.Version)
		}
	}
}

func TestAnExpiredTokenIsReplacedOnce(t *testing.T) {
	b := newBackend(t, withTokens)
	b.pushOpen(t, "acme/app:1", image(t))
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	get := func() int {
		resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/1")
		_ = text(t, resp)
		return resp.StatusCode
	}
	if status := get(); status != http.StatusOK {
		t.Fatalf("status is %d", status)
	}
	b.valid.Clear() // as if the registry had a new key
	if status := get(); status != http.StatusOK || b.tokens.Load() != 2 {
		t.Errorf("status is %d after %d tokens", status, b.tokens.Load())
	}
	b.valid.Clear()
	b.lifetime = -time.Second // no token is ever good
	if status := get(); status != http.StatusUnauthorized || b.tokens.Load() != 3 {
		t.Errorf("status is %d after %d tokens", status, b.tokens.Load())
	}
}

func TestManyPullsShareOneToken(t *testing.T) {
	b := newBackend(t, withTokens)
	b.pushOpen(t, "acme/app:1", image(t))
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/1")
			if body := text(t, resp); resp.StatusCode != http.StatusOK {
				t.Errorf("%s %s", resp.Status, body)
			}
		})
	}
	wg.Wait()
	if n := b.tokens.Load(); n != 1 {
		t.Errorf("%d tokens were asked for", n)
	}
	if n := len(countable(g.taken())); n != 100 {
		t.Errorf("%d events", n)
	}
}

func TestAPrivateImageIsRefusedInTheRegistrysWords(t *testing.T) {
	private := func(challenge string) *httptest.Server {
		var s *httptest.Server
		s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				http.Error(w, `{"errors":[{"code":"DENIED"}]}`, http.StatusForbidden)
				return
			}
			w.Header().Set("Www-Authenticate", strings.ReplaceAll(challenge, "HERE", s.URL))
			w.WriteHeader(http.StatusUnauthorized)
		}))
		t.Cleanup(s.Close)
		return s
	}
	for _, challenge := range []string{
		`Bearer realm="HERE/token",service="s"`,
		`Basic realm="registry"`,
		`Negotiate`,
		``,
	} {
		t.Run(challenge, func(t *testing.T) {
			s := private(challenge)
			g := newGateway(t, host(catalog.Image{Registry: hostPort(s), Repository: "acme/app", PlainHTTP: true}))
			for range 2 {
				resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/1")
				var body errorBody
				if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusUnauthorized || body.Errors[0].Code != codeUnauthorized {
					t.Errorf("%s %+v", resp.Status, body)
				}
				if got := resp.Header.Get("Www-Authenticate"); got == "" || strings.Contains(got, "realm=\""+s.URL) {
					t.Errorf("challenge is %q", got)
				}
			}
			if notes := g.taken(); len(notes) != 0 {
				t.Errorf("a refusal was noted: %+v", notes)
			}
		})
	}
}

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

func TestACollectionServesAnyOfItsImages(t *testing.T) {
	b := newBackend(t, withTokens)
	img := image(t)
	b.pushOpen(t, "acme/new:1", img)
	g := newGateway(t, hostOf{"acme/new": {
		Kind: table.CollectionRule, Collection: &catalog.Collection{Registry: b.host(), Pattern: "acme/*", PlainHTTP: true},
	}})
	if got := g.pull(t, "acme/new:1"); got != digest(t, img) {
		t.Errorf("pulled %s", got)
	}
	for _, e := range g.taken() {
		if e.Package != "acme/new" || e.PackageType != "docker" {
			t.Errorf("event %+v", e)
		}
	}
}

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

func TestTheRootAnswersEveryone(t *testing.T) {
	g := newGateway(t, host())
	for _, path := range []string{"/v2/", "/v2"} {
		resp := g.do(t, http.MethodGet, path)
		if body := text(t, resp); resp.StatusCode != http.StatusOK || body != "{}" ||
			resp.Header.Get("Docker-Distribution-Api-Version") != "registry/2.0" {
			t.Errorf("%s: %s %s %v", path, resp.Status, body, resp.Header)
		}
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
