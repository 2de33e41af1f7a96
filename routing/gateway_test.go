package routing_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tallygate/cluster/catalog"
	"tallygate/routing"
	"tallygate/routing/client"
	"tallygate/routing/event"
	"tallygate/routing/table"
)

const base = "gateway.test"

var (
	now     = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	tokenOK = "s3cret"
)

// demo is the catalog of the tests: one organization with a package of each kind
// on its own hosts and on a custom domain.
func demo() []catalog.Op {
	url := func(s string) *string { return &s }
	sum := sha256.Sum256([]byte(tokenOK))
	route := func(id string, kind catalog.RouteKind, in string, out *string) catalog.Route {
		return catalog.Route{ID: id, Kind: kind, IncomingPath: in, OutgoingURL: out}
	}
	with := func(r catalog.Route, status int, failover ...string) catalog.Route {
		r.RedirectStatus, r.FailoverOrigins = status, failover
		return r
	}
	on := func(names ...string) (list []catalog.PackageDomain) {
		for _, n := range names {
			list = append(list, catalog.PackageDomain{ID: "pd-" + n, Name: n})
		}
		return list
	}
	return []catalog.Op{
		{Organization: &catalog.Organization{ID: "org-1", Name: "acme", VariableOverrides: map[string]string{"os": "platform", "release": "version", "screen": "page"}}},
		{Domain: &catalog.Domain{ID: "d-1", Name: "dl.acme.com", Owner: "acme", State: catalog.Asserted}},
		{Domain: &catalog.Domain{ID: "d-2", Name: "go.acme.com", Owner: "acme", State: catalog.Asserted}},
		{Domain: &catalog.Domain{ID: "d-3", Name: "px.acme.com", Owner: "acme", State: catalog.Asserted}},
		{Package: &catalog.Package{ID: "file-1", Owner: "acme", Name: "skates", Type: catalog.File, Routes: []catalog.Route{
			route("r1", catalog.TemplateRoute, "/files/{version}/skates-{platform}.tar.gz", url("https://origin.example/{platform}/skates-{version}.tar.gz")),
			route("r2", catalog.TemplateRoute, "/plain", url("https://origin.example/plain.txt")),
			with(route("r3", catalog.TemplateRoute, "/moved/{+path}", url("https://origin.example/new/{+path}")), 301),
			with(route("r4", catalog.TemplateRoute, "/safe/{file}", url("https://one.example/{file}")), 0, "https://two.example/{file}", "https://three.example:8443/{file}"),
			route("r5", catalog.TemplateRoute, "/ping/{version}", nil),
			route("r6", catalog.RegexpRoute, `/rx/(?<release>[0-9.]+)/(?<os>[a-z]+)`, url("https://origin.example/{os}/{release}")),
			route("r7", catalog.TemplateRoute, "/q?file={file}", url("https://origin.example/by/{file}?fixed=1")),
		}}},
		{Package: &catalog.Package{ID: "file-2", Owner: "acme", Name: "site", Type: catalog.File, Domains: on("go.acme.com"), Routes: []catalog.Route{
			route("r1", catalog.CatchAllRoute, "/*", url("https://other.example/*")),
		}}},
		{Package: &catalog.Package{ID: "ev-1", Owner: "acme", Name: "telemetry", Type: catalog.Event, Events: &catalog.EventAccess{}, Routes: []catalog.Route{
			route("r1", catalog.TemplateRoute, "/collect/{app}", nil),
		}}},
		{Package: &catalog.Package{
			ID: "ev-2", Owner: "acme", Name: "closed", Type: catalog.Event,
			Events: &catalog.EventAccess{Restricted: true, TokenHashes: []string{hex.EncodeToString(sum[:])}},
			Routes: []catalog.Route{route("r1", catalog.TemplateRoute, "/closed", nil)},
		}},
		{Package: &catalog.Package{ID: "npm-1", Owner: "acme", Name: "rocket-skates", Type: catalog.NPM}},
		{Package: &catalog.Package{
			ID: "img-1", Owner: "acme", Name: "app", Type: catalog.Docker,
			Image: &catalog.Image{Registry: "registry.example", Repository: "acme/app"},
		}},
		{Package: &catalog.Package{
			ID: "py-1", Owner: "acme", Name: "pyskates", Type: catalog.Python, Domains: on("dl.acme.com"),
			Index: &catalog.PythonProject{Project: "pyskates", RepositoryURL: "https://pypi.example/simple/"},
		}},
		{Package: &catalog.Package{ID: "file-3", Owner: "acme", Name: "downloads", Type: catalog.File, Domains: on("dl.acme.com"), Routes: []catalog.Route{
			route("r1", catalog.TemplateRoute, "/simple/pyskates/extra.txt", url("https://origin.example/extra.txt")),
			route("r2", catalog.CatchAllRoute, "/*", url("https://origin.example/all/*")),
		}}},
		{Package: &catalog.Package{
			ID: "py-2", Owner: "acme", Name: "onlypy", Type: catalog.Python,
			Index: &catalog.PythonProject{Project: "onlypy", RepositoryURL: "https://pypi.example/simple/"},
		}},
		{Pixel: &catalog.Pixel{ID: "px-1", Owner: "acme", Name: "docs", PackageID: "file-1", Domains: []string{"px.acme.com"}}},
	}
}

// tableOf compiles a table from operations on an empty catalog.
func tableOf(tb testing.TB, ops []catalog.Op) *table.Table {
	tb.Helper()
	store := catalog.NewStore()
	result, _ := store.Apply(&catalog.Command{
		Format: catalog.Format, ID: "c-1", Time: now, Actor: catalog.Actor{Kind: "local", Operator: true}, Ops: ops,
	})
	for _, err := range result.Errors {
		tb.Fatal(err)
	}
	t, err := table.Build(store.View(), table.Options{BaseDomain: base})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// recorder keeps what is recorded. Its holes: full refuses to store, stuck
// doesn't answer.
type recorder struct {
	mu      sync.Mutex
	events  []*event.Event
	stored  int
	full    bool
	stuck   bool
	recordN int
}

func (r *recorder) Record(e *event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	r.recordN++
}

func (r *recorder) Store(ctx context.Context, events []*event.Event) error {
	if r.stuck {
		<-ctx.Done()
		return ctx.Err()
	}
	if r.full {
		return fmt.Errorf("spool: %w", routing.ErrUnavailable)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, events...)
	r.stored += len(events)
	return nil
}

func (r *recorder) take() []*event.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.events
	r.events = nil
	return events
}

// enricher remembers whom it saw, and hashes like one.
type enricher struct {
	mu   sync.Mutex
	seen []routing.Source
}

func (n *enricher) Enrich(e *event.Event, src routing.Source) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen = append(n.seen, src)
	e.Country = "NL"
}

type clients struct{}

func (clients) Recognize(ua string) client.Client {
	switch {
	case strings.HasPrefix(ua, "curl/"):
		return client.Client{Name: "curl", Version: ua[5:], Platform: "linux", Arch: "amd64", Class: client.Tool}
	case strings.HasPrefix(ua, "pip/"):
		return client.Client{Name: "pip", Class: client.Tool, Extra: []event.Variable{{Name: "ci", Value: "true"}, {Name: "python", Value: "3.12"}}}
	case strings.Contains(ua, "bot"):
		return client.Client{Name: "Examplebot", Class: client.Bot, Bot: true}
	}
	return client.Client{}
}

type origins map[string]bool // true: down

func (o origins) Up(host string) bool { return !o[host] }

// part is a fake of the container and Python parts.
type part string

func (p part) ServeHTTP(w http.ResponseWriter, r *http.Request, host *table.Host, note routing.Note) {
	rule := &table.Rule{Package: &catalog.Package{ID: "p", Owner: "acme", Name: string(p), Type: catalog.Docker}, Overrides: map[string]string{"os": "platform"}}
	note(rule, func(e *event.Event) {
		e.Type, e.Reference, e.Status = event.ManifestFetch, "latest", http.StatusTeapot
		e.Variables = []event.Variable{{Name: "os", Value: "darwin"}}
	})
	note(nil, func(*event.Event) { panic("a note of no rule") })
	w.Header().Set("X-Part", string(p))
	w.WriteHeader(http.StatusTeapot)
	_, _ = w.Write([]byte(host.Name()))
}

// world is a gateway with everything around it faked.
type world struct {
	*routing.Gateway
	recorder *recorder
	enricher *enricher
	origins  origins
	registry *prometheus.Registry
}

func newWorld(tb testing.TB, change ...func(*routing.Options)) *world {
	tb.Helper()
	w := &world{recorder: &recorder{}, enricher: &enricher{}, origins: origins{}, registry: prometheus.NewRegistry()}
	t := tableOf(tb, demo())
	opts := routing.Options{
		Table:          func() *table.Table { return t },
		Recorder:       w.recorder,
		Enricher:       w.enricher,
		Clients:        clients{},
		Origins:        w.origins,
		Containers:     part("containers"),
		Python:         part("python"),
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		BaseDomain:     base,
		Node:           "node-1",
		Region:         "eu",
		Registerer:     w.registry,
		Now:            func() time.Time { return now },
	}
	for _, c := range change {
		c(&opts)
	}
	var err error
	if w.Gateway, err = routing.New(opts); err != nil {
		tb.Fatal(err)
	}
	return w
}
