package container

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	inprocess "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"tallygate/cluster/catalog"
	"tallygate/routing/event"
	"tallygate/routing/origin"
	"tallygate/routing/table"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The client library keeps its transport for the life of the process.
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
	)
}

// hostOf is a host with a few rules.
type hostOf map[string]*table.Rule

func (h hostOf) Image(publicName string) *table.Rule { return h[publicName] }

func (h hostOf) HasPrivateImages() bool { return len(h.PrivateRegistries()) > 0 }

func (h hostOf) PrivateRegistries() []table.PrivateRegistry {
	var list []table.PrivateRegistry
	for _, r := range h {
		if r.Package == nil || !r.Package.Image.AllowPrivatePulls {
			continue
		}
		image := r.Package.Image
		one := table.PrivateRegistry{Registry: image.Registry, TokenHost: image.TokenHost, PlainHTTP: image.PlainHTTP}
		if !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}

// rule is the rule of one image.
func rule(image catalog.Image) *table.Rule {
	return &table.Rule{Kind: table.ImageRule, Package: &catalog.Package{
		ID: "1", Owner: "acme", Name: image.PublicName(), Type: catalog.Docker, Image: &image,
	}}
}

// host is a host with one rule for each image.
func host(list ...catalog.Image) hostOf {
	h := make(hostOf)
	for _, image := range list {
		h[image.PublicName()] = rule(image)
	}
	return h
}

// gateway is a handler behind a server, with what it noted.
type gateway struct {
	*Handler
	*httptest.Server

	mu    sync.Mutex
	notes []event.Event
}

// newGateway starts a gateway that may reach this machine.
func newGateway(t testing.TB, h images, opts ...func(*origin.Options)) *gateway {
	t.Helper()
	options := origin.Options{AllowPrivate: true, HeaderTimeout: time.Minute, IdleTimeout: time.Minute}
	for _, opt := range opts {
		opt(&options)
	}
	metrics := prometheus.NewRegistry()
	options.Registerer = metrics
	pool := origin.New(options)
	g := &gateway{Handler: New(Options{Origins: pool})}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.serve(w, r, h, g.note)
	}))
	g.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(func() {
		g.Server.Close()
		pool.CloseIdle()
		// Whatever a registry did, no connection to it is left.
		deadline := time.Now().Add(30 * time.Second)
		for connections(t, metrics) > 0 {
			if time.Now().After(deadline) {
				t.Errorf("%v connections to registries are left", connections(t, metrics))
				return
			}
			time.Sleep(time.Millisecond)
		}
	})
	return g
}

// connections is the number of open connections that a pool counts.
func connections(t testing.TB, metrics prometheus.Gatherer) float64 {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "tallygate_origin_connections" {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatal("connections are not counted")
	return 0
}

func (g *gateway) note(r *table.Rule, fill func(e *event.Event)) {
	e := event.Event{Owner: "acme"}
	if r.Package != nil {
		e.Package = r.Package.Name
	}
	fill(&e)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.notes = append(g.notes, e)
}

// taken returns what was noted so far and begins anew.
func (g *gateway) taken() []event.Event {
	g.mu.Lock()
	defer g.mu.Unlock()
	notes := g.notes
	g.notes = nil
	return notes
}

// countable returns the countable ones of events.
func countable(events []event.Event) []event.Event {
	var list []event.Event
	for _, e := range events {
		if e.Countable {
			list = append(list, e)
		}
	}
	return list
}

// host is the gateway's host:port.
func (g *gateway) host() string { return hostPort(g.Server) }

func hostPort(s *httptest.Server) string {
	return strings.TrimPrefix(strings.TrimPrefix(s.URL, "http://"), "https://")
}

// do asks the gateway, without following redirects.
func (g *gateway) do(t testing.TB, method, path string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := plainClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

var plainClient = &http.Client{
	Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// text reads an answer's body.
func text(t testing.TB, resp *http.Response) string {
	t.Helper()
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// backend is a registry in this process.
type backend struct {
	*httptest.Server
	open http.Handler // the registry itself, without what guards it

	tokens   atomic.Int64 // asked for
	lifetime time.Duration
	valid    sync.Map // token → expiry
	mu       sync.Mutex
	requests []*http.Request // that came, in their order
}

// newBackend starts a registry behind some middleware.
func newBackend(t testing.TB, wrap ...func(b *backend, next http.Handler) http.Handler) *backend {
	t.Helper()
	b := &backend{lifetime: time.Minute}
	b.open = linked(inprocess.New(inprocess.Logger(log.New(io.Discard, "", 0)), inprocess.WithReferrersSupport(true)))
	handler := b.open
	for _, w := range wrap {
		handler = w(b, handler)
	}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.requests = append(b.requests, r.Clone(context.Background()))
		b.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

// linked adds the link to the next page of tags, which the registry leaves out.
func linked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/tags/list") && r.FormValue("n") == "1" && r.FormValue("last") == "" {
			w.Header().Set("Link", "<"+r.URL.Path+"?n="+r.FormValue("n")+`&last=x>; rel="next"`)
		}
		next.ServeHTTP(w, r)
	})
}

func (b *backend) host() string { return hostPort(b.Server) }

// seen returns the requests so far and begins anew.
func (b *backend) seen() []*http.Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.requests
	b.requests = nil
	return list
}

// withTokens asks for Bearer tokens, which anyone gets.
func withTokens(b *backend, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			b.giveToken(w, r)
			return
		}
		held := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		expiry, ok := b.valid.Load(held)
		if ok && time.Now().Before(expiry.(time.Time)) {
			next.ServeHTTP(w, r)
			return
		}
		reason := ""
		if held != "" {
			reason = `,error="invalid_token"`
		}
		w.Header().Set("Www-Authenticate", `Bearer realm="`+b.URL+`/token",service="test.registry",scope="repository:x:pull"`+reason)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Name":"acme/app"}]}]}`)
	})
}

func (b *backend) giveToken(w http.ResponseWriter, r *http.Request) {
	b.tokens.Add(1)
	if r.FormValue("service") != "test.registry" || !strings.HasSuffix(r.FormValue("scope"), ":pull") || r.Header.Get("Authorization") != "" {
		http.Error(w, "bad question", http.StatusTeapot)
		return
	}
	value := rawToken()
	b.valid.Store(value, time.Now().Add(b.lifetime))
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"token":"`+value+`","expires_in":60}`)
}

var tokenCount atomic.Int64

func rawToken() string {
	return "token-" + strings.Repeat("x", 20) + string(rune('a'+tokenCount.Add(1)%26)) + time.Now().Format("150405.000000000")
}

// withCDN answers blobs with a redirect to a signed URL.
func withCDN(cdn string) func(*backend, http.Handler) http.Handler {
	return func(_ *backend, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if readOnly(r.Method) && strings.Contains(r.URL.Path, "/blobs/") {
				w.Header().Set("Location", cdn+r.URL.Path+signature)
				w.WriteHeader(http.StatusTemporaryRedirect)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// signature has bytes that a careless gateway would encode anew.
const signature = "?X-Sig=a%2Fb+c==&X-Odd=%7e~&x=%2b"

// push puts something into a registry.
func push(t testing.TB, to string, what remote.Taggable, opts ...remote.Option) {
	t.Helper()
	ref, err := name.ParseReference(to, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	opts = append(opts, remote.WithContext(t.Context()))
	switch what := what.(type) {
	case v1.ImageIndex:
		err = remote.WriteIndex(ref, what, opts...)
	case v1.Image:
		err = remote.Write(ref, what, opts...)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// pushOpen puts something into a backend past what guards it.
func (b *backend) pushOpen(t testing.TB, repository string, what remote.Taggable) {
	t.Helper()
	open := httptest.NewServer(b.open)
	defer open.Close()
	push(t, hostPort(open)+"/"+repository, what)
}

// image is a small random image.
func image(t testing.TB) v1.Image {
	t.Helper()
	img, err := random.Image(2048, 2)
	if err != nil {
		t.Fatal(err)
	}
	return mutate.MediaType(img, types.DockerManifestSchema2)
}

// index is an image index for two platforms, with an attestation beside.
func index(t testing.TB) v1.ImageIndex {
	t.Helper()
	adds := make([]mutate.IndexAddendum, 0, 3)
	for _, platform := range []v1.Platform{
		{OS: "linux", Architecture: "amd64"},
		{OS: "linux", Architecture: "arm64", Variant: "v8"},
		{OS: "unknown", Architecture: "unknown"},
	} {
		adds = append(adds, mutate.IndexAddendum{Add: image(t), Descriptor: v1.Descriptor{Platform: &platform}})
	}
	return mutate.IndexMediaType(mutate.AppendManifests(empty.Index, adds...), types.OCIImageIndex)
}

// digest is the digest of an image or index.
func digest(t testing.TB, of interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	h, err := of.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

// pull fetches everything of an image through the gateway, for one platform, and
// returns the digest of what it got.
func (g *gateway) pull(t testing.TB, reference string, opts ...crane.Option) string {
	t.Helper()
	opts = append(opts, crane.Insecure, crane.WithPlatform(&v1.Platform{OS: "linux", Architecture: "arm64"}), crane.WithContext(t.Context()))
	img, err := crane.Pull(g.host()+"/"+reference, opts...)
	if err != nil {
		t.Fatalf("pull: %v", err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatalf("layers: %v", err)
	}
	if _, err := img.ConfigFile(); err != nil {
		t.Fatalf("config: %v", err)
	}
	for _, layer := range layers {
		body, err := layer.Compressed() // the library checks the digest
		if err != nil {
			t.Fatalf("layer: %v", err)
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			t.Fatalf("layer: %v", err)
		}
		_ = body.Close()
	}
	return digest(t, img)
}

// childOf is the image of an index for the platform that pull asks for.
func childOf(t testing.TB, idx v1.ImageIndex) string {
	t.Helper()
	m, err := idx.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	return m.Manifests[1].Digest.String()
}
