package admin

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tallygate/analytics/sql"
	"tallygate/cluster/catalog"
	"tallygate/node/access"
	"tallygate/routing/table"
)

// local is a catalog of one node without consensus around it.
type local struct{ store *catalog.Store }

func (l local) View() *catalog.View { return l.store.View() }
func (l local) Propose(_ context.Context, cmd *catalog.Command) (catalog.Result, error) {
	result, _ := l.store.Apply(cmd)
	return result, nil
}

type fixture struct {
	t      *testing.T
	api    *API
	access *access.Control
	ready  []Check
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	c := local{catalog.NewStore()}
	f := &fixture{t: t, access: access.New(c, nil), ready: []Check{{Name: "catalog", OK: true}}}
	f.api = New(Options{
		Access: f.access, Catalog: c,
		Table: func() *table.Table {
			built, err := table.Build(c.View(), table.Options{BaseDomain: "base.test"})
			if err != nil {
				t.Error(err)
			}
			return built
		},
		SQL: &sql.Runner{}, Status: func() Status { return Status{Name: "n1"} },
		Ready: func() []Check { return f.ready },
		Pages: http.NotFoundHandler(),
		Session: func(r *http.Request) string {
			if c, err := r.Cookie("session"); err == nil {
				return c.Value
			}
			return ""
		},
		BaseDomain: "base.test", Gatherer: prometheus.NewRegistry(),
		Logger:  slog.New(slog.DiscardHandler),
		BaseURL: func() string { return "http://admin.test" },
	})
	return f
}

// do sends a request to one of the two doors.
func (f *fixture) do(door http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	f.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	door.ServeHTTP(w, r)
	return w
}

func (f *fixture) token(scopes ...catalog.Scope) string {
	f.t.Helper()
	secret, err := f.access.NewToken(f.t.Context(), catalog.Actor{Kind: "node", Operator: true}, access.OperatorName, "test", scopes, time.Time{})
	if err != nil {
		f.t.Fatal(err)
	}
	return secret
}

const goodFile = `
organizations: [{name: acme}]
packages:
  - {owner: acme, name: rocket, type: file, routes: [{incoming_path: "/dl/{version}.tgz", outgoing_url: "https://origin.example/{version}.tgz"}]}
pixels: [{owner: acme, name: docs, id: px}]
`

func TestEachOperationAsksForItsScope(t *testing.T) {
	f := newFixture(t)
	operations := []struct {
		method, target, body string
		scope                catalog.Scope
	}{
		{"POST", "/v1/apply?name=c.yaml&dry_run=true", goodFile, catalog.ScopeWrite},
		{"GET", "/v1/export", "", catalog.ScopeRead},
		{"GET", "/v1/status", "", catalog.ScopeRead},
		{"GET", "/v1/explain?url=http://x.test/", "", catalog.ScopeRead},
		{"GET", "/v1/pixels", "", catalog.ScopeRead},
		{"POST", "/v1/sign-in-links", "{}", catalog.ScopeCluster},
		{"POST", "/v1/tokens", `{"name":"ci"}`, catalog.ScopeCluster},
	}
	tokens := map[catalog.Scope]string{}
	for _, s := range AllScopes {
		tokens[s] = f.token(s)
	}
	for _, op := range operations {
		if w := f.do(f.api.Local(), op.method, op.target, op.body); w.Code != 200 {
			t.Errorf("%s %s on the socket: %d %s", op.method, op.target, w.Code, w.Body)
		}
		if w := f.do(f.api.Remote(), op.method, op.target, op.body); w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s %s by nobody: %d", op.method, op.target, w.Code)
		}
		for scope, token := range tokens {
			want := http.StatusForbidden
			if scope == op.scope {
				want = http.StatusOK
			}
			if w := f.do(f.api.Remote(), op.method, op.target, op.body, "Authorization", "Bearer "+token); w.Code != want {
				t.Errorf("%s %s with the scope %s: %d, want %d", op.method, op.target, scope, w.Code, want)
			}
		}
	}
}

func TestASessionHasItsUsersRightsButNotFromOtherSites(t *testing.T) {
	f := newFixture(t)
	session, _, err := f.access.RedeemToken(t.Context(), f.token(catalog.ScopeRead), "")
	if err != nil {
		t.Fatal(err)
	}
	cookie := "session=" + session
	if w := f.do(f.api.Remote(), "POST", "/v1/apply?name=c.yaml", goodFile, "Cookie", cookie, "Sec-Fetch-Site", "same-origin"); w.Code != 200 {
		t.Errorf("from our own page: %d %s", w.Code, w.Body)
	}
	if w := f.do(f.api.Remote(), "POST", "/v1/apply?name=c.yaml", goodFile, "Cookie", cookie, "Sec-Fetch-Site", "cross-site"); w.Code != 403 {
		t.Errorf("from another site's page: %d", w.Code)
	}
}

func TestMistakesOfAFileComeWithTheirPlaces(t *testing.T) {
	f := newFixture(t)
	w := f.do(f.api.Local(), "POST", "/v1/apply?name=wrong.yaml", `
organizations: [{name: acme}]
packages:
  - {owner: acme, name: a, type: nonsense}
  - {owner: acme, name: b, type: file, domains: [x.base.test], routes: [{incoming_path: "/b"}]}
`)
	if w.Code != http.StatusUnprocessableEntity || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Content-Type"))
	}
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	lines := map[int]bool{}
	for _, e := range p.Errors {
		if e.File != "wrong.yaml" || e.Message == "" {
			t.Errorf("incomplete: %+v", e)
		}
		lines[e.Line] = true
	}
	if !lines[4] || !lines[5] || p.RequestID == "" {
		t.Errorf("%+v", p)
	}
}

func TestARouteThatCouldNotBeServedIsRefused(t *testing.T) {
	f := newFixture(t)
	w := f.do(f.api.Local(), "POST", "/v1/apply?name=c.yaml", `
organizations: [{name: acme}]
packages:
  - {owner: acme, name: a, type: file, routes: [{incoming_path: "/a/{v}/{+v}", outgoing_url: "https://origin.example/{v}"}]}
`)
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `"line":4`) || !strings.Contains(w.Body.String(), "routes[0].incoming_path") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestBadRequestsAreRefusedInWords(t *testing.T) {
	f := newFixture(t)
	tests := map[string]struct {
		method, target, body string
		status               int
		word                 string
	}{
		"an unknown operation":         {"GET", "/v1/nothing", "", 404, "not part of this API"},
		"a format of apply":            {"POST", "/v1/apply?format=toml", "", 400, "catalog or manifest"},
		"a dry run that is no boolean": {"POST", "/v1/apply?dry_run=maybe", "", 400, "true or false"},
		"explain without a URL":        {"GET", "/v1/explain", "", 400, "url"},
		"SQL in an unknown format":     {"POST", "/v1/sql", `{"query":"select 1","format":"xls"}`, 422, "xls"},
		"SQL that is no JSON":          {"POST", "/v1/sql", `select 1`, 400, "JSON"},
		"SQL where there is none":      {"POST", "/v1/sql", `{"query":"select 1"}`, 404, "analytics is off"},
		"a token without a name":       {"POST", "/v1/tokens", `{}`, 422, "name"},
		"a token with a wrong scope":   {"POST", "/v1/tokens", `{"name":"x","scopes":["root"]}`, 422, "root"},
		"a token from the past":        {"POST", "/v1/tokens", `{"name":"x","expires_at":"2001-01-01T00:00:00Z"}`, 422, "past"},
		"an unknown field":             {"POST", "/v1/tokens", `{"nam":"x"}`, 400, "nam"},
		"a link for nobody":            {"POST", "/v1/sign-in-links", `{"user":"nobody"}`, 422, "nobody"},
		"pixels of nobody":             {"GET", "/v1/pixels?owner=nobody", "", 404, "nobody"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := f.do(f.api.Local(), tt.method, tt.target, tt.body)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.word) {
				t.Errorf("%d %s, want %d with %q", w.Code, w.Body, tt.status, tt.word)
			}
		})
	}
}

func TestWhatWasAppliedIsExplainedExportedAndEmbeddable(t *testing.T) {
	f := newFixture(t)
	if w := f.do(f.api.Local(), "POST", "/v1/apply?name=c.yaml", goodFile); w.Code != 200 {
		t.Fatal(w.Body)
	}
	w := f.do(f.api.Local(), "GET", "/v1/explain?format=text&url=http://acme.gateway.base.test/dl/1.2.tgz", "")
	for _, want := range []string{"https://origin.example/1.2.tgz", "✓ template", "version = 1.2"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the explanation lacks %q:\n%s", want, w.Body)
		}
	}
	if w := f.do(f.api.Local(), "GET", "/v1/export", ""); !strings.Contains(w.Body.String(), "/dl/{version}.tgz") {
		t.Errorf("the export lacks the route:\n%s", w.Body)
	}
	w = f.do(f.api.Local(), "GET", "/v1/pixels?owner=acme", "")
	var list struct{ Pixels []Pixel }
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Pixels) != 1 {
		t.Fatalf("%v %s", err, w.Body)
	}
	if p := list.Pixels[0]; p.URL != "https://static.base.test/a.png?x-pxid=px" || !strings.Contains(p.HTML, "<img") || !strings.Contains(p.SPA, "px") {
		t.Errorf("%+v", p)
	}
}

func TestRoutesThatMeetAreWarnedOf(t *testing.T) {
	f := newFixture(t)
	w := f.do(f.api.Local(), "POST", "/v1/apply?name=c.yaml", `
organizations: [{name: acme}]
packages:
  - {owner: acme, name: general, type: file, routes: [{incoming_path: "/dl/{file}"}]}
  - {owner: acme, name: special, type: file, routes: [{incoming_path: "/dl/rocket-{version}.tgz"}]}
`)
	for _, want := range []string{"warning", "/dl/{file}", "/dl/rocket-{version}.tgz", "general", "special"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the answer lacks %q:\n%s", want, w.Body)
		}
	}
}

func TestReadinessNamesWhatIsMissing(t *testing.T) {
	f := newFixture(t)
	if w := f.do(f.api.Remote(), "GET", "/readyz", ""); w.Code != 200 {
		t.Errorf("ready: %d", w.Code)
	}
	f.ready = append(f.ready, Check{Name: "recording", Message: "disk full"})
	if w := f.do(f.api.Remote(), "GET", "/readyz", ""); w.Code != 503 || !strings.Contains(w.Body.String(), "disk full") {
		t.Errorf("not ready: %d %s", w.Code, w.Body)
	}
	if w := f.do(f.api.Remote(), "GET", "/healthz", ""); w.Code != 200 {
		t.Errorf("alive: %d", w.Code)
	}
}
