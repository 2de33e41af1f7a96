package container

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"

	"tallygate/cluster/catalog"
	"tallygate/routing/event"
	"tallygate/routing/table"
)

// asked counts the requests for manifests, by method.
func (b *backend) asked() (gets, heads int) {
	for _, r := range b.seen() {
		switch {
		case !strings.Contains(r.URL.Path, "/manifests/"):
		case r.Method == http.MethodGet:
			gets++
		default:
			heads++
		}
	}
	return gets, heads
}

// age makes all that is kept older.
func (m *manifests) age(by time.Duration) {
	for _, key := range m.tags.Keys() {
		if t, ok := m.tags.Peek(key); ok {
			t.at = t.at.Add(-by)
			m.tags.Add(key, t)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range m.kept.Keys() {
		if h, ok := m.kept.Peek(key); ok {
			h.confirmed = h.confirmed.Add(-by)
		}
	}
}

// direct asks the handler without a network between.
func (g *gateway) direct(h images, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	g.serve(w, r, h, func(*table.Rule, func(*event.Event)) {})
	return w
}

// withQuota answers 429 after some GETs of manifests.
func withQuota(quota int64, more *atomic.Int64) func(*backend, http.Handler) http.Handler {
	return func(_ *backend, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/") && more.Add(1) > quota {
				w.Header().Set("Retry-After", "3600")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func TestARegistryWithAQuotaServesTenThousandPulls(t *testing.T) {
	var gets atomic.Int64
	b := newBackend(t, withQuota(100, &gets), withTokens)
	h := make(hostOf)
	const repositories = 20
	digests := make(map[string]string)
	for i := range repositories {
		repository := fmt.Sprintf("acme/app-%d", i)
		idx := index(t)
		b.pushOpen(t, repository+":1", idx)
		digests[repository] = childOf(t, idx)
		h[repository] = rule(catalog.Image{Registry: b.host(), Repository: repository, PlainHTTP: true})
	}
	g := newGateway(t, h)
	for i := range 10_000 {
		repository := fmt.Sprintf("acme/app-%d", i%repositories)
		if i%1000 == 999 {
			g.manifests.age(tagTTL) // tags are asked for anew, by HEAD
		}
		for _, reference := range []string{"1", digests[repository]} {
			if w := g.direct(h, "/v2/"+repository+"/manifests/"+reference); w.Code != http.StatusOK {
				t.Fatalf("pull %d of %s: %d %s", i, reference, w.Code, w.Body)
			}
		}
	}
	if n := gets.Load(); n != 2*repositories {
		t.Errorf("%d manifests were fetched", n)
	}
	if n := b.tokens.Load(); n != repositories {
		t.Errorf("%d tokens were asked for", n)
	}
}

func TestFiveThousandPullsAtOnceCostOne(t *testing.T) {
	b := newBackend(t, withTokens)
	idx := index(t)
	b.pushOpen(t, "acme/app:1", idx)
	h := host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true})
	g := newGateway(t, h)
	_ = b.seen()
	var wg sync.WaitGroup
	var failed atomic.Int64
	for range 5000 {
		wg.Go(func() {
			for _, reference := range []string{"1", childOf(t, idx)} {
				if w := g.direct(h, "/v2/acme/app/manifests/"+reference); w.Code != http.StatusOK {
					failed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	gets, heads := b.asked()
	if failed.Load() > 0 || gets != 2 || heads != 0 || b.tokens.Load() != 1 {
		t.Errorf("%d pulls failed; %d GETs, %d HEADs, %d tokens", failed.Load(), gets, heads, b.tokens.Load())
	}
}

func TestATagThatMovedIsSeenAfterAWhile(t *testing.T) {
	b := newBackend(t, withTokens)
	first, second := image(t), image(t)
	b.pushOpen(t, "acme/app:1", first)
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	get := func(method, want string) {
		t.Helper()
		resp := g.do(t, method, "/v2/acme/app/manifests/1")
		_ = text(t, resp)
		if got := resp.Header.Get("Docker-Content-Digest"); resp.StatusCode != http.StatusOK || got != want {
			t.Errorf("%s: %s %s, want %s", method, resp.Status, got, want)
		}
	}
	count := func(what string, gets, heads int) {
		t.Helper()
		if g, h := b.asked(); g != gets || h != heads {
			t.Errorf("%s: %d GETs and %d HEADs, want %d and %d", what, g, h, gets, heads)
		}
	}
	_ = b.seen()
	get("HEAD", digest(t, first))
	count("a first HEAD", 0, 1)
	get("GET", digest(t, first))
	count("a first GET", 1, 0)
	get("GET", digest(t, first))
	get("HEAD", digest(t, first))
	count("at once", 0, 0)
	g.manifests.age(tagTTL)
	get("GET", digest(t, first))
	get("GET", digest(t, first))
	count("a while later", 0, 1)
	b.pushOpen(t, "acme/app:1", second)
	_ = b.seen()
	g.manifests.age(tagTTL)
	get("HEAD", digest(t, second))
	count("moved", 0, 1)
	get("GET", digest(t, second))
	count("moved and fetched", 1, 0)
	b.pushOpen(t, "acme/app:1", first)
	_ = b.seen()
	g.manifests.age(tagTTL)
	get("GET", digest(t, first))
	count("moved back to what is kept", 0, 1)
}

func TestWhileTheRegistryIsDownWhatItSaidBeforeIsServed(t *testing.T) {
	b := newBackend(t, withTokens)
	img := image(t)
	b.pushOpen(t, "acme/app:1", img)
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	_ = g.pull(t, "acme/app:1")
	_ = text(t, g.do(t, http.MethodGet, "/v2/acme/app/manifests/"+digest(t, img)))
	g.manifests.age(2 * publicTTL)
	b.Close()
	for _, reference := range []string{"1", digest(t, img)} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			resp := g.do(t, method, "/v2/acme/app/manifests/"+reference,
				"Accept", "application/vnd.docker.distribution.manifest.v2+json")
			body := text(t, resp)
			// A tag is kept for the types that were accepted then.
			if reference == "1" {
				if resp.StatusCode != http.StatusBadGateway {
					t.Errorf("%s of a tag with another Accept: %s", method, resp.Status)
				}
				continue
			}
			if resp.StatusCode != http.StatusOK || resp.Header.Get("Warning") != staleWarning || method == http.MethodGet && body == "" {
				t.Errorf("%s %s: %s %v", method, reference, resp.Status, resp.Header)
			}
		}
	}
	if got, err := crane.Digest(g.host()+"/acme/app:1", crane.Insecure); err != nil || got != digest(t, img) {
		t.Errorf("crane: %s, %v", got, err)
	}
	g.manifests.age(staleTagLimit)
	if _, err := crane.Digest(g.host()+"/acme/app:1", crane.Insecure); err == nil {
		t.Error("a tag of yesterday was served")
	}
}

func TestRetryAfterIsRespected(t *testing.T) {
	var gets atomic.Int64
	b := newBackend(t, withQuota(1, &gets), withTokens)
	one, two := image(t), image(t)
	b.pushOpen(t, "acme/app:1", one)
	b.pushOpen(t, "acme/app:2", two)
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	get := func(reference string) *http.Response {
		resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/"+reference)
		_ = text(t, resp)
		return resp
	}
	_ = get("1")
	for range 5 {
		resp := get("2")
		if after := resp.Header.Get("Retry-After"); resp.StatusCode != http.StatusTooManyRequests || after != "3600" {
			t.Errorf("%s, come again after %s", resp.Status, after)
		}
	}
	if n := gets.Load(); n != 2 {
		t.Errorf("%d GETs", n)
	}
	g.manifests.age(tagTTL)
	if resp := get("1"); resp.StatusCode != http.StatusOK || resp.Header.Get("Warning") != "" {
		t.Errorf("what is kept: %s %v", resp.Status, resp.Header)
	}
}

func TestARepositoryThatIsNoLongerPublicIsNotServedFromWhatIsKept(t *testing.T) {
	b := newBackend(t, withTokens)
	img := image(t)
	b.pushOpen(t, "acme/app:1", img)
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	status := func(reference string) int {
		resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/"+reference)
		_ = text(t, resp)
		return resp.StatusCode
	}
	if status("1") != http.StatusOK || status(digest(t, img)) != http.StatusOK {
		t.Fatal("it was not public")
	}
	b.lifetime = -time.Second // no token is good from now on
	b.valid.Clear()
	g.manifests.age(tagTTL)
	if got := status("1"); got != http.StatusUnauthorized {
		t.Errorf("by tag: %d", got)
	}
	if got := status(digest(t, img)); got != http.StatusUnauthorized {
		t.Errorf("by digest: %d", got)
	}
	b.Close()
	if got := status(digest(t, img)); got != http.StatusUnauthorized && got != http.StatusBadGateway {
		t.Errorf("by digest while it is down: %d", got)
	}
}

func TestNothingOfAPrivatePullIsKept(t *testing.T) {
	v := newVault(t)
	idx := index(t)
	v.pushOpen(t, "acme/secret:1", idx)
	g := newSecureGateway(t, host(v.image("", "acme/secret")))
	if _, err := crane.Pull(g.host()+"/acme/secret:1", g.as("alice", "secret")...); err != nil {
		t.Fatal(err)
	}
	if g.manifests.kept.Len() != 0 || g.manifests.tags.Len() != 0 {
		t.Errorf("%d manifests and %d tags are kept", g.manifests.kept.Len(), g.manifests.tags.Len())
	}
	for _, key := range g.tokens.cache.Keys() {
		if known, _ := g.tokens.cache.Peek(key); !known.denied && known.value != "W10" { // no access at all
			t.Errorf("a token is kept: %+v", known)
		}
	}
}

func TestAClientThatHasTheManifestGetsItNotAgain(t *testing.T) {
	b := newBackend(t, withTokens)
	img := image(t)
	b.pushOpen(t, "acme/app:1", img)
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	for condition, want := range map[string]int{
		`"` + digest(t, img) + `"`:           304,
		`"x", W/"` + digest(t, img) + `"`:    304,
		`*`:                                  304,
		`"` + someSHA256 + `"`:               200,
		strings.Repeat(`"x",`, maxForwarded): 200,
	} {
		resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/1", "If-None-Match", condition)
		if body := text(t, resp); resp.StatusCode != want || want == 304 && body != "" || resp.Header.Get("Docker-Content-Digest") != digest(t, img) {
			t.Errorf("%.80s: %s %v", condition, resp.Status, resp.Header)
		}
	}
	if e := countable(g.taken()); len(e) != 5 {
		t.Errorf("%d events", len(e))
	}
}

func TestALargeManifestPassesThrough(t *testing.T) {
	body := `{"schemaVersion":2,"x":"` + strings.Repeat("x", 2*maxKept) + `"}`
	var gets atomic.Int64
	b := newBackend(t, func(_ *backend, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/manifests/") {
				gets.Add(1)
				w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
				_, _ = w.Write([]byte(body))
				return
			}
			next.ServeHTTP(w, r)
		})
	}, withTokens)
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	for range 3 {
		resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/1")
		if text(t, resp) != body {
			t.Errorf("%s", resp.Status)
		}
	}
	if n := gets.Load(); n != 4 || g.manifests.kept.Len() != 0 {
		t.Errorf("%d GETs, %d kept", n, g.manifests.kept.Len())
	}
}

func TestManifestsAreKeptWithinABound(t *testing.T) {
	m := newManifests()
	for i := range 1000 {
		key := manifestKey{endpoint: endpoint{"https", "a", "x"}, reference: fmt.Sprintf("sha256:%d", i)}
		m.keep(key, &held{digest: key.reference, body: make([]byte, maxKept)})
		m.keep(key, &held{digest: key.reference, body: make([]byte, maxKept)}) // once more
		m.confirm(key.endpoint, key.reference)
	}
	if m.bytes > maxKeptBytes || m.bytes != int64(m.kept.Len())*(maxKept+keptOverhead) || m.kept.Len() < 200 {
		t.Errorf("%d bytes in %d manifests", m.bytes, m.kept.Len())
	}
	for _, key := range m.kept.Keys() {
		m.forget(key)
	}
	if m.bytes != 0 {
		t.Errorf("%d bytes are left", m.bytes)
	}
}

func TestTheOrderOfAcceptedTypesIsOfNoMatter(t *testing.T) {
	if normalAccept("b/c, A/B;q=0.5,b/c") != normalAccept("a/b;q=0.5 , b/c") {
		t.Error("the same types are told apart")
	}
	if long := normalAccept(strings.Repeat("a/b,c/d", 1000) + ",x"); len(long) > 1<<10 {
		t.Errorf("a key of %d bytes", len(long))
	}
	if normalAccept("") == normalAccept("*/*") {
		t.Error("nothing is taken for everything")
	}
}
