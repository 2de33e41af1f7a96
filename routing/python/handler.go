package python

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tallygate/routing/event"
	"tallygate/routing/table"
)

// Note makes an event for what was served by rule, lets fill describe it, and
// records it. When the client asked not to be recorded, fill isn't called.
type Note = func(rule *table.Rule, fill func(e *event.Event))

// Origins tells which origins are worth a try. It must not block.
type Origins interface {
	// Up says whether the index at host[:port] is worth a try now.
	Up(host string) bool
}

// Options are the settings of a [Handler]. The zero value works.
type Options struct {
	// Transport carries requests to origins and follows no redirects. It
	// reports to Origins by itself how they went. Nil: [http.DefaultTransport].
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
	Logger     *slog.Logger          // with its component set; nil: none
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
	start  sync.Mutex // held to start a fetch, and to close
	wg     sync.WaitGroup

	id string // of this handler, to know its own requests by; see via.go
}

// projects is what the handler asks of a host; *table.Host has it.
type projects interface {
	Name() string
	Python(normalizedProject string) *table.Rule
	PythonProjects() iter.Seq[*table.Rule]
}

// New makes a handler. Close it to end the fetches that it has under way.
func New(opts Options) *Handler {
	if opts.Transport == nil {
		opts.Transport = http.DefaultTransport
	}
	if opts.TTL <= 0 {
		opts.TTL = time.Minute
	}
	if opts.CacheBytes <= 0 {
		opts.CacheBytes = 64 << 20
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	logger := opts.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{
		opts:    opts,
		logger:  logger,
		fetcher: newFetcher(opts.Transport, opts.Now),
		cache:   newCache(opts.CacheBytes),
		id:      newID(),
	}
	h.metrics = newMetrics(opts.Registerer, h.cache)
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// Close ends all fetches and returns when they have ended. Requests that wait
// for one, and those that come later, are served what is kept.
func (h *Handler) Close() error {
	h.start.Lock()
	h.cancel()
	h.start.Unlock()
	h.wg.Wait()
	return nil
}

// spawn runs f unless the handler is closed, and says whether it does.
func (h *Handler) spawn(f func()) bool {
	h.start.Lock()
	defer h.start.Unlock()
	if h.ctx.Err() != nil {
		return false
	}
	h.wg.Go(f)
	return true
}

// ServeHTTP answers a request whose path is /simple or begins with /simple/ by
// the Python projects of host.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, host *table.Host, note Note) {
	h.serve(w, r, host, note)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, host projects, note Note) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		text(w, r, http.StatusMethodNotAllowed, "A package index is read with GET and HEAD only.")
		return
	}
	if h.isLoop(r) {
		text(w, r, http.StatusLoopDetected, "The origin of this project is this index itself.")
		return
	}
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/simple")
	if !ok || path != "" && path[0] != '/' {
		text(w, r, http.StatusNotFound, "The package index is at /simple/.")
		return
	}
	if path == "" {
		h.move(w, r, "/simple/")
		return
	}
	if path == "/" {
		h.list(w, r, host)
		return
	}
	project, name, below := strings.Cut(path[1:], "/")
	rule, normal := find(host, project)
	switch {
	case rule == nil:
		text(w, r, http.StatusNotFound, "This index has no such project.")
	case !below || name == "" && project != normal:
		h.move(w, r, projectPath(normal))
	case name == "":
		h.project(w, r, host, rule, note)
	default:
		h.file(w, r, host, rule, name, note)
	}
}

// find returns the rule of a project as it stands in a path, and its normalized
// name; nil if the host has no such project.
func find(host projects, escaped string) (*table.Rule, string) {
	name, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, ""
	}
	normal, ok := normalized(name)
	if !ok {
		return nil, ""
	}
	rule := host.Python(normal)
	if rule == nil || rule.Package == nil || rule.Package.Index == nil {
		return nil, ""
	}
	return rule, normal
}

// move sends a client to the proper address of a page (PEP 503).
func (h *Handler) move(w http.ResponseWriter, r *http.Request, path string) {
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", path)
	text(w, r, http.StatusMovedPermanently, "This page has another address.")
}

// choose picks the format of a page: by the query parameter "format", the way of
// PEP 691 for those who can't set headers, else by Accept. When there is none to
// serve it answers, and returns noFormat.
func choose(w http.ResponseWriter, r *http.Request) format {
	var f format
	if asked := r.URL.Query().Get("format"); asked != "" {
		f = formats[strings.ToLower(asked)]
	} else {
		f = negotiate(r.Header["Accept"])
	}
	if f == noFormat {
		w.Header().Set("Vary", "Accept")
		text(w, r, http.StatusNotAcceptable, acceptable)
	}
	return f
}

// list serves the list of projects. It is made for each request: installers
// don't ask for it, and it changes with the catalog.
func (h *Handler) list(w http.ResponseWriter, r *http.Request, host projects) {
	f := choose(w, r)
	if f == noFormat {
		return
	}
	render := listHTML
	if f == jsonV1 {
		render = listJSON
	}
	w.Header().Set("Cache-Control", h.cacheControl(false))
	newBody(render(host.PythonProjects())).write(w, r, f)
}

// project serves the page of a project.
func (h *Handler) project(w http.ResponseWriter, r *http.Request, host projects, rule *table.Rule, note Note) {
	f := choose(w, r)
	if f == noFormat {
		return
	}
	found, err := h.lookup(r, rule.Package, 0)
	if err != nil {
		h.fail(w, r)
		return
	}
	v, grown := found.snap.view(rule.Package, host.Name())
	if found.snap.missing && len(v.files) == 0 {
		text(w, r, http.StatusNotFound, "The origin of this project doesn't have it.")
		return
	}
	b, more := v.body(f)
	found.snap.views.grow(more)
	h.cache.grow(found.entry, grown+more)
	w.Header().Set("Cache-Control", h.cacheControl(found.stale))
	if found.stale {
		markStale(w, h.opts.Now().Sub(found.snap.checked))
	}
	status := b.write(w, r, f)
	note(rule, func(e *event.Event) {
		e.Type = event.IndexFetch
		e.Status = status
		e.OriginHost = found.snap.host
	})
}

// file redirects to a file, its metadata or its signature at the origin.
func (h *Handler) file(w http.ResponseWriter, r *http.Request, host projects, rule *table.Rule, escaped string, note Note) {
	name, err := url.PathUnescape(escaped)
	if err != nil || name == "" || strings.ContainsAny(name, "/\\") {
		text(w, r, http.StatusNotFound, "This project has no such file.")
		return
	}
	// What the catalog names wins over the origin's page, so it needs none: such
	// a file is there while the origin's index is down.
	target := newView(&page{}, rule.Package.Index, host.Name()).target(name)
	var stale time.Duration
	for _, maxAge := range []time.Duration{0, doubtAfter} {
		if target != nil {
			break
		}
		found, err := h.lookup(r, rule.Package, maxAge)
		if err != nil {
			h.fail(w, r)
			return
		}
		v, grown := found.snap.view(rule.Package, host.Name())
		h.cache.grow(found.entry, grown)
		if found.stale {
			stale = h.opts.Now().Sub(found.snap.checked)
		}
		target = v.target(name)
	}
	if target == nil {
		text(w, r, http.StatusNotFound, "This project has no such file.")
		return
	}
	if stale > 0 {
		markStale(w, stale)
	}
	// A redirect that is kept on the way is a download that isn't counted.
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", target.url)
	text(w, r, http.StatusFound, "This file is at its origin.")
	note(rule, func(e *event.Event) { target.describe(e, r.Method == http.MethodGet) })
}

// fail answers for a page that is nowhere to be had. It is 503 rather than 502
// because installers try that again, and with the time to wait.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	text(w, r, http.StatusServiceUnavailable, "The origin of this project can't be reached now. Try again in some seconds.")
}

// cacheControl lets caches on the way keep a page as long as we do.
func (h *Handler) cacheControl(stale bool) string {
	if stale {
		return "no-cache"
	}
	return "public, max-age=" + strconv.Itoa(int(h.opts.TTL/time.Second))
}

// markStale says that an answer is past its time (RFC 7234 section 5.5.1), and
// how old it is.
func markStale(w http.ResponseWriter, age time.Duration) {
	w.Header().Set("Warning", `110 tallygate "Response is Stale"`)
	w.Header().Set("Age", strconv.Itoa(int(age/time.Second)))
}

// text answers in plain text. message is ours, never a stranger's words.
func text(w http.ResponseWriter, r *http.Request, status int, message string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(message)+1))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(message + "\n")) // the client is gone if this fails
	}
}
