package python

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tallygate/routing/event"
	"tallygate/routing/table"
)

// Note makes an event for what was served by rule, lets fill describe it, and
// records it. When the client asked not to be recorded, fill isn't called.
type Note = func(rule *table.Rule, fill func(e *event.Event))

// Origins tells which origins are worth a try.
type Origins interface {
	// Up says whether the index at host[:port] is worth a try now.
	Up(host string) bool
}

// Options are the settings of a [Handler]. The zero value works.
type Options struct {
	// Transport carries requests to origins and follows no redirects. Nil:
	// [http.DefaultTransport].
	Transport http.RoundTripper

	// Origins knows which origins are down. Nil: all are up.
	Origins Origins

	// TTL is how long a project's page is served before the origin is asked
	// again. Zero: 1 min.
	TTL time.Duration

	// CacheBytes bounds the memory of pages, about; the page used last is kept
	// whatever its size. Zero: 64 MiB.
	CacheBytes int64

	Now        func() time.Time      // nil: time.Now
	Logger     *slog.Logger          // nil: none
	Registerer prometheus.Registerer // nil: metrics are kept but not registered
}

// Handler serves the pages under /simple/. It is safe for concurrent use.
type Handler struct {
	opts    Options
	logger  *slog.Logger
	metrics *metrics
	fetcher *fetcher
	cache   *cache

	// Fetches are shared by the requests that wait for them: they end with the
	// handler, not with a client that hangs up.
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// projects is what the handler asks of a host; *table.Host has it.
type projects interface {
	Name() string
	Python(normalizedProject string) *table.Rule
	PythonProjects() iter.Seq[*table.Rule]
}

// New makes a handler. Close it to end the fetches that it has under way.
func New(opts Options) *Handler { return &Handler{opts: opts} }

// Close ends all fetches and returns when they have ended. Requests that wait
// for one are answered as if the origin were down.
func (h *Handler) Close() error { return nil }

// ServeHTTP answers a request whose path is /simple or begins with /simple/ by
// the Python projects of host.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, host *table.Host, note Note) {
	h.serve(w, r, host, note)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, host projects, note Note) {}
