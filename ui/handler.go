package ui

import (
	"compress/gzip"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"tallygate/cluster/catalog"
)

// server holds what handlers share. It is immutable after New.
type server struct {
	opts      Options
	log       *slog.Logger
	now       func() time.Time
	templates templates
	assets    assets
	zippers   sync.Pool // of *gzip.Writer
}

// New returns the handler of the admin UI. It answers every path, with a page
// where it knows none: the caller puts the API in front of it. It panics when a
// built-in template is broken.
func New(opts Options) http.Handler {
	return newServer(opts).handler()
}

func newServer(opts Options) *server {
	s := &server{opts: opts, log: opts.Logger, now: opts.Now}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.log = s.log.With("component", "ui")
	if s.now == nil {
		s.now = time.Now
	}
	if s.opts.Budget == 0 {
		s.opts.Budget = time.Second
	}
	s.zippers.New = func() any { return gzip.NewWriter(nil) }
	s.templates = newTemplates(opts.Dev)
	s.assets = newAssets(opts.Dev)
	if !s.assets.built() {
		s.log.Warn("assets not built: pages come without styles and script", "fix", "make build")
	}
	return s
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()

	mux.Handle("GET /assets/{name}", http.HandlerFunc(s.asset))

	mux.Handle("GET /sign-in", s.page(s.signInPage))
	mux.Handle("POST /sign-in", s.page(s.signIn))
	mux.Handle("GET /sign-in/link", s.page(s.signInLinkPage))
	mux.Handle("POST /sign-in/link", s.page(s.signInLink))
	mux.Handle("POST /sign-out", s.page(s.signOut))
	mux.Handle("POST /theme", s.page(s.setTheme))

	mux.Handle("GET /{$}", s.signedIn(s.overview))
	mux.Handle("GET /packages", s.signedIn(s.packages))
	mux.Handle("GET /packages/{owner}/{type}/{name...}", s.signedIn(s.pkg))
	mux.Handle("GET /top/{dimension}", s.signedIn(s.topPage))
	mux.Handle("GET /cluster", s.signedIn(s.cluster))
	if s.opts.Pixels != nil {
		mux.Handle("GET /pixels", s.signedIn(s.pixels))
	}
	if s.opts.Explain != nil {
		mux.Handle("GET /explain", s.signedIn(s.explain))
	}

	mux.Handle("GET /panel/cards", s.signedIn(s.cardsPanel))
	mux.Handle("GET /panel/series", s.signedIn(s.seriesPanel))
	mux.Handle("GET /panel/top/{dimension}", s.signedIn(s.topPanel))
	mux.Handle("GET /panel/latest", s.signedIn(s.latestPanel))
	if s.opts.Live != nil {
		mux.Handle("GET /live", s.signedIn(s.live))
	}

	mux.Handle("/", s.page(func(_ http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return &httpError{Status: http.StatusMethodNotAllowed, Title: "That can't be done here"}
		}
		return errNotFound
	}))

	// A page of another site can't make a browser that is signed in here post
	// anything (Sec-Fetch-Site, else Origin against Host): no tokens in forms.
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(s.page(func(http.ResponseWriter, *http.Request) error {
		return &httpError{
			Status: http.StatusForbidden,
			Title:  "That request came from another site",
			Detail: "Nothing was changed. Open the page here and try again.",
		}
	}))
	return secure(guard.Handler(mux))
}

// page turns a handler that returns an error into one that writes it.
func (s *server) page(h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.writeError(w, r, err)
		}
	})
}

// signedIn is page for handlers that need a user.
func (s *server) signedIn(h func(http.ResponseWriter, *http.Request, *catalog.User) error) http.Handler {
	return s.page(func(w http.ResponseWriter, r *http.Request) error {
		user, ok := s.user(r)
		if !ok {
			s.askToSignIn(w, r)
			return nil
		}
		return h(w, r, user)
	})
}
