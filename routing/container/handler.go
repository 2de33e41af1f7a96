package container

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"tallygate/routing/event"
	"tallygate/routing/table"
)

// Note tells the core that a rule served something. The core makes the event,
// calls fill for what this package knows, and records it; for clients that asked
// not to be tracked it does nothing.
type Note = func(rule *table.Rule, fill func(e *event.Event))

// Origins is the way to registries, and what is known of their health.
type Origins interface {
	// Transport carries requests. It follows no redirect and bounds every wait.
	Transport() http.RoundTripper

	// Up says whether a host is worth a try.
	Up(host string) bool
}

// Options are what a [Handler] needs.
type Options struct {
	Origins    Origins
	Logger     *slog.Logger          // nil: none
	Registerer prometheus.Registerer // nil: metrics are kept but not registered
}

// Handler serves the registry API of every host. It is safe for concurrent use.
type Handler struct {
	transport http.RoundTripper
	origins   Origins
	logger    *slog.Logger
	metrics   *metrics
	tokens    *tokens
	demands   *demands
	memory    *memory
	buffers   *buffers
}

// New makes a handler.
func New(opts Options) *Handler {
	logger := opts.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	m := newMetrics(opts.Registerer)
	transport := opts.Origins.Transport()
	return &Handler{
		transport: transport,
		origins:   opts.Origins,
		logger:    logger.With("component", "container"),
		metrics:   m,
		tokens:    newTokens(transport, m),
		demands:   newDemands(transport),
		memory:    newMemory(),
		buffers:   newBuffers(),
	}
}

// images is what a request needs of its host.
type images interface {
	Image(publicName string) *table.Rule
}

// ServeHTTP answers a request for a path under /v2/ of a host that serves images.
// note is called at most once, before the answer is written. Like
// [net/http/httputil.ReverseProxy], it panics with [http.ErrAbortHandler] when an
// answer that has begun can't be finished.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, host *table.Host, note Note) {
	h.serve(w, r, host, note)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, host images, note Note) {
	header := w.Header()
	header.Set("Docker-Distribution-Api-Version", "registry/2.0")
	// What a registry calls a blob is a stranger's bytes on our host's name.
	header.Set("X-Content-Type-Options", "nosniff")

	t, err := parsePath(r.URL.EscapedPath())
	switch {
	case err != nil && readOnly(r.Method):
	case !readOnly(r.Method):
		e := refuse(http.StatusMethodNotAllowed, codeUnsupported, "images are only read here")
		e.set("Allow", "GET, HEAD")
		err = e
	case loops(r):
		err = badAnswer("it leads back to this gateway")
	default:
		err = h.answer(w, r, t, host, note)
	}
	if err == nil {
		return
	}
	var e *refusal
	switch {
	case errors.As(err, &e):
	case errors.Is(err, errNotPublic):
		e = refuse(http.StatusUnauthorized, codeUnauthorized, "this image is not public").because(err)
	default:
		e = unreachable(err)
	}
	if e.status == http.StatusUnauthorized {
		// RFC 9110 wants a challenge with every 401. This one makes clients
		// without credentials say so, and promises no token server.
		e.set("Www-Authenticate", `Basic realm="registry"`)
	}
	h.metrics.answers.WithLabelValues(t.kind.String(), strings.ToLower(e.code)).Inc()
	h.logger.DebugContext(r.Context(), "image request refused", "kind", t.kind.String(), "repository", t.name,
		"reference", t.reference, "status", e.status, "err", err)
	e.write(w, r)
}

// answer serves one end point.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, t target, host images, note Note) error {
	if t.kind == apiBase {
		// Clients ask here whether they are to log in. They are not: every
		// image that needs no credentials is served without.
		header := w.Header()
		header.Set("Content-Type", "application/json; charset=utf-8")
		header.Set("Content-Length", "2")
		h.metrics.answers.WithLabelValues(t.kind.String(), "ok").Inc()
		w.WriteHeader(http.StatusOK)
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte("{}"))
		}
		return nil
	}
	rule := host.Image(t.name)
	if rule == nil {
		return refuse(http.StatusNotFound, codeNameUnknown, "repository name not known to registry")
	}
	src, ok := sourceOf(rule, t.name)
	if !ok {
		return refuse(http.StatusNotFound, codeNameUnknown, "repository name not known to registry")
	}
	q := &pull{
		Handler: h, target: t, rule: rule, source: src, note: note,
		w: w, r: r,
	}
	q.prefer()
	return q.serve()
}

func readOnly(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// via is our name in Via (RFC 9110 section 7.6.3). One gateway may well have
// another as its registry, but not for ever.
const (
	via     = "1.1 tallygate"
	maxHops = 4
)

func loops(r *http.Request) bool {
	hops := 0
	for _, line := range r.Header["Via"] {
		hops += strings.Count(line, via)
	}
	return hops >= maxHops
}
