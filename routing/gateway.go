package routing

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tallygate/routing/client"
	"tallygate/routing/collect"
	"tallygate/routing/event"
	"tallygate/routing/source"
	"tallygate/routing/table"
)

// Note is how a part of the gateway that serves a rule has its event recorded:
// the gateway makes the event with what it knows of the request, fill adds what
// the part knows, and the rest (enriching, recording) follows. For clients that
// asked not to be tracked, and for a nil rule, it does nothing and fill isn't
// called. It may be called several times, and until ServeHTTP returns.
type Note = func(rule *table.Rule, fill func(e *event.Event))

// Part serves one kind of package on a host: package container the images,
// package python the package index.
type Part interface {
	ServeHTTP(w http.ResponseWriter, r *http.Request, host *table.Host, note Note)
}

// Clients recognises what sent a User-Agent; [client.Recognizer] does.
type Clients interface {
	Recognize(userAgent string) client.Client
}

// Origins knows which origins are down; package origin does. It must not block.
type Origins interface {
	// Up says whether to send clients to an origin, named by its host with a
	// port if it has one.
	Up(host string) bool
}

// Options are what a [Gateway] is made of.
type Options struct {
	// Table returns the table to serve from, without blocking. It is called
	// once a request. A nil table means that the catalog is not loaded yet:
	// requests get 503.
	Table func() *table.Table

	Recorder Recorder // required
	Enricher Enricher // nil: events stay as they are
	Clients  Clients  // nil: no client is recognised
	Origins  Origins  // nil: every origin counts as up

	Containers Part // serves paths under /v2/; nil: there are no images
	Python     Part // serves paths under /simple/; nil: there is no package index

	// Base serves the base domain's own pages (badges, status page). Nil: it
	// has none. npm install events never reach it.
	Base http.Handler

	// TrustedProxies are believed when they say who asked; see package source.
	TrustedProxies []netip.Prefix

	// BaseDomain is the suffix of the cluster's own hosts.
	BaseDomain string

	Node   string // the node's name, for events
	Region string // the node's region, for events

	// Limits bound collected bodies. Zero: [collect.DefaultLimits].
	Limits collect.Limits

	// StoreTimeout bounds the wait for events to become durable before a client
	// is told to come again. Zero: 10 s.
	StoreTimeout time.Duration

	Logger     *slog.Logger          // nil: none
	Registerer prometheus.Registerer // nil: metrics are kept but not registered
	Now        func() time.Time      // nil: time.Now
}

// Gateway is the handler of the gateway listener. It is safe for concurrent use.
type Gateway struct {
	opts    Options
	source  *source.Resolver
	base    string // the base domain, normalized
	logger  *slog.Logger
	metrics *metrics

	// requests keeps the state of requests that are over for the next ones. It
	// is large, for a match brings its room along.
	requests sync.Pool
}

// New returns a Gateway. It fails when a required option is missing or a metric
// can't be registered.
func New(opts Options) (*Gateway, error) {
	switch {
	case opts.Table == nil:
		return nil, errors.New("routing: Options.Table is missing")
	case opts.Recorder == nil:
		return nil, errors.New("routing: Options.Recorder is missing")
	}
	if opts.Limits == (collect.Limits{}) {
		opts.Limits = collect.DefaultLimits()
	}
	if opts.StoreTimeout == 0 {
		opts.StoreTimeout = 10 * time.Second
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	m, err := newMetrics(opts.Registerer)
	if err != nil {
		return nil, err
	}
	return &Gateway{
		opts:     opts,
		source:   source.New(opts.TrustedProxies),
		base:     source.Host(opts.BaseDomain),
		logger:   opts.Logger.With("component", "routing"),
		metrics:  m,
		requests: sync.Pool{New: func() any { return new(request) }},
	}, nil
}

// ServeHTTP serves one request. Whatever a client sends, the answer to a
// malformed request is never a 5xx.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.metrics.inFlight.Add(1)
	rq := g.requests.Get().(*request)
	rq.gateway, rq.w, rq.r, rq.now = g, w, r, g.opts.Now()
	// Deferred, since parts abort answers that have begun by a panic.
	defer g.served(rq)
	rq.read()
	g.route(rq)
}

// maxKeptParams is the room for query parameters that is kept between requests.
const maxKeptParams = 256

// served counts a request that is over, and lets go of it.
func (g *Gateway) served(rq *request) {
	g.metrics.inFlight.Add(-1)
	g.metrics.count(rq.kind, rq.status)
	if g.logger.Enabled(rq.r.Context(), slog.LevelDebug) {
		g.log(rq)
	}
	rq.visit = visit{}
	if cap(rq.match.Extra) > maxKeptParams {
		// One request with a query of a megabyte must not make every later one
		// hold the room for it.
		rq.match = table.Match{}
	}
	g.requests.Put(rq)
}

// log writes a line about one request, for whoever debugs rules. Neither the
// client's address nor the query, which may hold what people keep to themselves,
// is in it.
func (g *Gateway) log(rq *request) {
	g.logger.LogAttrs(rq.r.Context(), slog.LevelDebug, "request served",
		slog.String("kind", rq.kind.String()),
		slog.String("method", rq.r.Method),
		slog.String("host", rq.asked.Host),
		slog.String("path", rq.path),
		slog.Int("status", rq.status),
		slog.Duration("elapsed", g.opts.Now().Sub(rq.now)))
}
