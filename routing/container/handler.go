package container

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"tallygate/routing/event"
	"tallygate/routing/source"
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

	// Sources tell by what scheme and name a client came, for those that bring
	// credentials. Nil: nobody is believed about another client.
	Sources *source.Resolver

	// Packages makes packages of images of collections. Nil: none are made.
	Packages Packages

	// PlainCredentials lets clients' credentials travel by http to registries
	// that speak http (plain_http). It is for test set-ups: whoever listens on
	// the way can read them.
	PlainCredentials bool
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
	manifests *manifests
	flight    singleflight.Group // of shared manifests
	buffers   *buffers

	firstPulls *firstPulls

	via              string // our name in Via, with a comment that is this process's own
	sources          *source.Resolver
	plainCredentials bool
}

// New makes a handler.
func New(opts Options) *Handler {
	logger := opts.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	sources := opts.Sources
	if sources == nil {
		sources = source.New(nil)
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
		manifests: newManifests(),
		buffers:   newBuffers(),

		firstPulls: newFirstPulls(opts.Packages, logger.With("component", "container"), m),

		via:              via + " (" + rand.Text()[:12] + ")",
		sources:          sources,
		plainCredentials: opts.PlainCredentials,
	}
}

// images is what a request needs of its host.
type images interface {
	Image(publicName string) *table.Rule
	HasPrivateImages() bool
	PrivateRegistries() []table.PrivateRegistry
}

// ServeHTTP answers a request for a path under /v2/ of a host that serves images,
// and for [TokenPath] of one that has images which allow private pulls.
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

	if r.URL.EscapedPath() == TokenPath && host.HasPrivateImages() {
		asked := h.sources.Resolve(r)
		if err := h.serveToken(w, r, host, asked); err != nil {
			e := refusalFor(err)
			if e.status == http.StatusUnauthorized {
				e.set("Www-Authenticate", basicChallenge(asked))
			}
			h.logger.DebugContext(r.Context(), "login refused", "status", e.status, "err", err)
			e.write(w, r)
		}
		return
	}
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
	e := refusalFor(err)
	if e.status == http.StatusUnauthorized {
		e.set("Www-Authenticate", h.challengeFor(r, t, host))
	}
	h.metrics.answers.WithLabelValues(t.kind.String(), strings.ToLower(e.code)).Inc()
	h.logger.DebugContext(r.Context(), "image request refused", "kind", t.kind.String(), "repository", t.name,
		"reference", t.reference, "status", e.status, "err", err)
	e.write(w, r)
}

// refusalFor is the answer to an error.
func refusalFor(err error) *refusal {
	var e *refusal
	switch {
	case errors.As(err, &e) && !errors.Is(err, errUnchecked) && !errors.Is(err, errNotPublic):
		return e
	case errors.Is(err, errNotPublic):
		return refuse(http.StatusUnauthorized, codeUnauthorized, "this image is not public").because(err)
	case errors.Is(err, errCredentials):
		return refuse(http.StatusUnauthorized, codeUnauthorized, "registry of this image refuses the credentials").because(err)
	case errors.Is(err, errUnchecked):
		return refuse(http.StatusUnauthorized, codeUnauthorized, "credentials can't be checked now, since the registry of this image can't be asked").because(err)
	}
	return unreachable(err)
}

// answer serves one end point.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, t target, host images, note Note) error {
	if t.kind == apiBase {
		// Clients ask here, and some only here, whether they are to log in. They
		// are where an image may want it: without credentials they get a token
		// for nobody then. Elsewhere no client sees any authentication.
		if host.HasPrivateImages() {
			if p, ok := bearerOf(r); !ok || p.kind == refreshPass {
				return refuse(http.StatusUnauthorized, codeUnauthorized, "authentication required")
			}
		}
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
	src, ok := homeOf(rule, t.name)
	if !ok {
		return refuse(http.StatusNotFound, codeNameUnknown, "repository name not known to registry")
	}
	q := &pull{
		ask:  ask{Handler: h, target: t, method: r.Method},
		rule: rule, home: src, note: note,
		w: w, r: r,
	}
	if t.kind == tags || t.kind == referrers {
		q.query = r.URL.RawQuery
	}
	if err := q.present(); err != nil {
		return err
	}
	if q.private.allowed {
		header := w.Header()
		header.Set("Vary", "Authorization")
		if q.proven() {
			header.Set("Cache-Control", "private, no-store")
		}
	}
	if q.proven() {
		q.endpoints = q.endpoints[:1]
		return q.serve()
	}
	q.prefer()
	err := q.serve()
	if err != nil && q.private.allowed && !answered(err) && r.Context().Err() == nil {
		// Nobody can say whether the image is public: no proof, no entry.
		return fmt.Errorf("%w: %w", errNotPublic, err)
	}
	return err
}

func readOnly(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// via is our name in Via (RFC 9110 section 7.6.3). One gateway may well have
// another as its registry, but not for ever.
const (
	via     = "1.1 tallygate"
	maxHops = 4
)

// came says whether a request has passed through this very process before. Its
// answer must not wait for itself.
func (h *Handler) came(r *http.Request) bool {
	for _, line := range r.Header["Via"] {
		if strings.Contains(line, h.via) {
			return true
		}
	}
	return false
}

func loops(r *http.Request) bool {
	hops := 0
	for _, line := range r.Header["Via"] {
		hops += strings.Count(line, via)
	}
	return hops >= maxHops
}
