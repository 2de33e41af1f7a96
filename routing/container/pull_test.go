package container

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"

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
