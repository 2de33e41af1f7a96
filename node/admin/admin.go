// Package admin is the HTTP API of the admin listener and of the node's local
// socket: health, metrics, and what the command line asks for under /v1/. Pages
// are the business of package ui; this package only mounts them.
package admin

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tallygate/analytics/sql"
	"tallygate/cluster/catalog"
	"tallygate/node/access"
	"tallygate/routing/table"
)

// Options are the parts that the API answers from.
type Options struct {
	Access  *access.Control
	Catalog access.Catalog
	Table   func() *table.Table // nil result: not built yet
	SQL     *sql.Runner
	Status  func() Status
	Ready   func() []Check
	Pages   http.Handler // the admin UI

	// Session is the session's secret in a request, where the pages put it;
	// empty: there is none.
	Session func(*http.Request) string

	BaseDomain string // its names can't be claimed, and static.BASE serves pixels

	Gatherer prometheus.Gatherer
	Logger   *slog.Logger
	Now      func() time.Time

	// BaseURL is where browsers reach this listener, for sign-in links.
	BaseURL func() string
}

// API serves the admin listener.
type API struct {
	opts Options
	mux  *http.ServeMux
}

// New makes the API.
func New(opts Options) *API {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	a := &API{opts: opts, mux: http.NewServeMux()}
	a.mux.HandleFunc("GET /healthz", a.healthz)
	a.mux.HandleFunc("GET /readyz", a.readyz)
	a.mux.Handle("GET /metrics", promhttp.HandlerFor(opts.Gatherer, promhttp.HandlerOpts{}))
	a.handle("POST /v1/apply", catalog.ScopeWrite, a.apply)
	a.handle("GET /v1/export", catalog.ScopeRead, a.export)
	a.handle("POST /v1/sql", catalog.ScopeSQL, a.sql)
	a.handle("GET /v1/status", catalog.ScopeRead, a.status)
	a.handle("GET /v1/explain", catalog.ScopeRead, a.explain)
	a.handle("GET /v1/pixels", catalog.ScopeRead, a.pixels)
	a.handle("POST /v1/sign-in-links", catalog.ScopeCluster, a.newSignInLink)
	a.handle("POST /v1/tokens", catalog.ScopeCluster, a.newToken)
	a.mux.HandleFunc("/v1/", func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, r, &Problem{Status: http.StatusNotFound, Title: "no such operation", Detail: r.Method + " " + r.URL.Path + " is not part of this API"})
	})
	a.mux.Handle("/", opts.Pages)
	return a
}

// Remote serves the TCP listener: a caller is who its session or token says.
// Requests of other sites' pages are refused, since a session's cookie would
// come with them.
func (a *API) Remote() http.Handler {
	return http.NewCrossOriginProtection().Handler(a.mux)
}

// Local serves DATA/admin.sock: who may open it has the operator's rights.
func (a *API) Local() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), localKey{}, true)))
	})
}

type localKey struct{}

// request is one authenticated call.
type request struct {
	*http.Request
	id        access.Identity
	requestID string
}

// handle mounts an operation for operators that hold the scope. Members of
// organizations get their rights with the public API.
func (a *API) handle(pattern string, scope catalog.Scope, serve func(http.ResponseWriter, *request) error) {
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		q := &request{Request: r, id: a.identify(r), requestID: catalog.NewID()}
		w.Header().Set("X-Request-Id", q.requestID)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		var err error
		switch {
		case !q.id.Known():
			w.Header().Set("WWW-Authenticate", `Bearer realm="tallygate"`)
			err = &Problem{Status: http.StatusUnauthorized, Title: "not signed in", Detail: "send an API token as Authorization: Bearer TOKEN"}
		case !q.id.Operator():
			err = &Problem{Status: http.StatusForbidden, Title: "not an operator", Detail: "this operation needs an operator's token or session"}
		case !q.id.May(scope):
			err = &Problem{Status: http.StatusForbidden, Title: "token lacks a scope", Detail: "this operation needs a token with the scope " + string(scope)}
		default:
			err = serve(w, q)
		}
		if err != nil {
			a.fail(w, r, err)
		}
	})
}

func (a *API) identify(r *http.Request) access.Identity {
	if local, _ := r.Context().Value(localKey{}).(bool); local {
		return access.Local
	}
	if secret, ok := bearer(r.Header.Get("Authorization")); ok {
		id, _ := a.opts.Access.Token(secret)
		return id
	}
	if user, ok := a.opts.Access.Authenticate(a.opts.Session(r)); ok {
		return access.Identity{User: user}
	}
	return access.Identity{}
}

// bearer takes the token from an Authorization header, RFC 6750 section 2.1.
func bearer(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
}
