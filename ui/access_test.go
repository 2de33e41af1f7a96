package ui_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"tallygate/ui"
	"tallygate/ui/internal/fake"
)

func TestAStrangerIsAskedToSignIn(t *testing.T) {
	s := open(t, nil)
	for path, want := range map[string]string{
		"/":                            "/sign-in",
		"/packages?q=x":                "/sign-in?next=" + url.QueryEscape("/packages?q=x"),
		"/packages/acme/docker/server": "/sign-in?next=" + url.QueryEscape("/packages/acme/docker/server"),
		"/cluster":                     "/sign-in?next=%2Fcluster",
	} {
		answer := s.get(path)
		if got := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || got != want {
			t.Errorf("%s: %s to %q, want %q", path, answer.Status, got, want)
		}
	}
	if answer := s.get("/live"); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("/live: %s", answer.Status)
	}
}

func TestAPanelSendsTheWholeWindowToSignIn(t *testing.T) {
	s := open(t, nil)
	r := s.request(http.MethodGet, "/panel/cards", "")
	r.Header.Set("HX-Request", "true")
	r.Header.Set("HX-Current-URL", s.server.URL+"/?country=DE")
	answer := s.do(r)
	if got, want := answer.Header.Get("HX-Redirect"), "/sign-in?next="+url.QueryEscape("/?country=DE"); got != want {
		t.Errorf("HX-Redirect %q, want %q", got, want)
	}
}

func TestSignInWithAToken(t *testing.T) {
	s := open(t, nil)
	answer := s.post("/sign-in", url.Values{"token": {" " + fake.OperatorToken + "\n"}, "next": {"/packages?q=x"}})
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/packages?q=x" {
		t.Fatalf("%s to %q", answer.Status, answer.Header.Get("Location"))
	}
	cookie := answer.Cookies()[0]
	if cookie.Name != "tallygate" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Secure {
		t.Errorf("cookie %v", cookie)
	}
	if cookie.Expires.Before(time.Now()) {
		t.Error("the cookie has expired already")
	}
	s.page("/", http.StatusOK)
	if answer := s.get("/sign-in?next=/cluster"); answer.Header.Get("Location") != "/cluster" {
		t.Errorf("the sign-in page keeps somebody who is signed in: %s", answer.Status)
	}
	if answer := s.post("/sign-out", nil); answer.Header.Get("Location") != "/sign-in" {
		t.Errorf("sign out: %s to %q", answer.Status, answer.Header.Get("Location"))
	}
	if answer := s.get("/"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("still signed in: %s", answer.Status)
	}
}

func TestOverTLSTheCookieIsBoundToTheHost(t *testing.T) {
	opts := fake.Sample()
	server := httptest.NewTLSServer(ui.New(opts))
	defer server.Close()
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.PostForm(server.URL+"/sign-in", url.Values{"token": {fake.OperatorToken}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if cookie := answer.Cookies()[0]; cookie.Name != "__Host-tallygate" || !cookie.Secure || cookie.Domain != "" {
		t.Errorf("cookie %v", cookie)
	}
}

func TestAWrongTokenIsRefusedWithoutSayingWhy(t *testing.T) {
	s := open(t, nil)
	for _, token := range []string{"", "wrong", strings.Repeat("x", 20_000)} {
		answer := s.post("/sign-in", url.Values{"token": {token}})
		if answer.StatusCode != http.StatusForbidden || len(answer.Cookies()) > 0 {
			t.Fatalf("%s, cookies %v", answer.Status, answer.Cookies())
		}
		d := parsed(t, answer)
		if !d.says("doesn’t sign anybody in") || attr(d.all("#token")[0], "aria-invalid") != "true" {
			t.Error("the page doesn't say so")
		}
		if token != "" && strings.Contains(d.text("body"), token) {
			t.Error("the page repeats the token")
		}
	}
}

func TestALinkSignsInOnceAndOnlyByItsButton(t *testing.T) {
	s := open(t, nil)
	path := "/sign-in/link?secret=" + fake.Link
	for range 3 { // previews
		d := s.page(path, http.StatusOK)
		if got := attr(d.within("form").all("input")[0], "value"); got != fake.Link {
			t.Fatalf("the form holds %q", got)
		}
	}
	if answer := s.post("/sign-in/link", url.Values{"secret": {fake.Link}}); answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/" {
		t.Fatalf("%s to %q", answer.Status, answer.Header.Get("Location"))
	}
	s.page("/", http.StatusOK)
	again := s.post("/sign-in/link", url.Values{"secret": {fake.Link}})
	if again.StatusCode != http.StatusForbidden || !parsed(t, again).says("tallygate user sign-in-link") {
		t.Errorf("a used link: %s", again.Status)
	}
}

func TestThePageOfALinkIsNotCompressed(t *testing.T) {
	s := open(t, nil)
	r := s.request(http.MethodGet, "/sign-in/link?secret="+strings.Repeat("x", 2000), "")
	r.Header.Set("Accept-Encoding", "gzip")
	if got := s.do(r).Header.Get("Content-Encoding"); got != "" {
		t.Errorf("Content-Encoding %q", got)
	}
}

func TestAClusterThatCannotChangeSaysSo(t *testing.T) {
	access := &fake.Access{}
	s := open(t, func(o *ui.Options) { o.Access = access }).as(fake.OperatorToken)
	access.Fail = errors.New("no leader")
	for path, form := range map[string]url.Values{
		"/sign-in":      {"token": {fake.OperatorToken}},
		"/sign-in/link": {"secret": {fake.Link}},
		"/sign-out":     nil,
	} {
		if answer := s.post(path, form); answer.StatusCode != http.StatusServiceUnavailable || !parsed(t, answer).says("can't be changed right now") {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
	// Signing out has removed the cookie nevertheless.
	if answer := s.get("/"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("still signed in: %s", answer.Status)
	}
}

func TestRedirectsStayHere(t *testing.T) {
	s := open(t, nil)
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "evil", "/\t/evil.example", "/%zz"} {
		answer := s.post("/sign-in", url.Values{"token": {fake.OperatorToken}, "next": {next}})
		if got := answer.Header.Get("Location"); got != "/" {
			t.Errorf("%q leads to %q", next, got)
		}
	}
}

func FuzzRedirects(f *testing.F) {
	for _, s := range []string{"/", "/packages?q=x", "//evil", "/\\\\evil", "https:/evil", "/%2f/evil", "/..//evil"} {
		f.Add(s)
	}
	base, _ := url.Parse("https://here.example/sign-in")
	f.Fuzz(func(t *testing.T, next string) {
		got := ui.Local(next)
		to, err := base.Parse(got)
		if err != nil || to.Host != base.Host || to.Scheme != base.Scheme {
			t.Fatalf("%q leads to %v, %v", next, to, err)
		}
	})
}

func TestOtherSitesCannotPost(t *testing.T) {
	s := open(t, nil).as(fake.OperatorToken)
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		r := s.request(http.MethodPost, "/sign-out", "")
		r.Header.Set(name, value)
		if answer := s.do(r); answer.StatusCode != http.StatusForbidden || !parsed(t, answer).says("another site") {
			t.Errorf("%s: %s", name, answer.Status)
		}
	}
	s.page("/", http.StatusOK)
}

func TestMembersSeeTheirOwnOnly(t *testing.T) {
	s := open(t, nil).as(fake.MemberToken)
	overview := s.page("/?owner=orbit", http.StatusOK)
	if overview.says("orbit") {
		t.Error("the overview shows another owner's packages")
	}
	if nav := overview.text(".nav"); strings.Contains(nav, "Cluster") {
		t.Errorf("navigation %q", nav)
	}
	if list := s.page("/packages?owner=orbit", http.StatusOK); list.says("orbit/") || !list.says("acme/") {
		t.Error("the list shows another owner's packages")
	}
	for path, want := range map[string]int{
		"/packages/orbit/docker/worker":           http.StatusNotFound,
		"/panel/cards?in=p-worker":                http.StatusNotFound,
		"/top/country?in=p-worker":                http.StatusNotFound,
		"/cluster":                                http.StatusForbidden,
		"/explain?url=acme.gateway.gw.example/x":  http.StatusOK,
		"/packages/acme/docker/server?owner=evil": http.StatusOK,
	} {
		s.page(path, want)
	}
	explained := s.page("/explain?url=acme.gateway.gw.example/x", http.StatusOK)
	if explained.says("orbit/site") || !explained.says("acme/agent") {
		t.Error("an explanation shows rules of another owner")
	}
}

func TestAHostOfSomebodyElseIsNotExplained(t *testing.T) {
	s := open(t, func(o *ui.Options) {
		o.Explain = func(string, string) (ui.Explanation, error) {
			return ui.Explanation{Owner: "orbit", Summary: "secret", Candidates: []ui.Candidate{{Owner: "orbit", Wins: true}}}, nil
		}
	}).as(fake.MemberToken)
	if d := s.page("/explain?url=orbit.gateway.gw.example/x", http.StatusOK); d.says("secret") || !d.says("isn't yours") {
		t.Error("the rules of another owner are shown")
	}
}

func TestTheSchemeIsChosenByACookie(t *testing.T) {
	s := open(t, nil).as(fake.OperatorToken)
	theme := func() string { return attr(s.page("/", http.StatusOK).within("html").root, "data-theme") }
	if got := theme(); got != "" {
		t.Errorf("theme %q before any choice", got)
	}
	if answer := s.post("/theme", url.Values{"theme": {"dark"}, "next": {"/packages"}}); answer.Header.Get("Location") != "/packages" {
		t.Errorf("%s to %q", answer.Status, answer.Header.Get("Location"))
	}
	if got := theme(); got != "dark" {
		t.Errorf("theme %q", got)
	}
	if answer := s.post("/theme", url.Values{"theme": {`"><script>`}}); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("a theme that is none: %s", answer.Status)
	}
}

func TestMethodsThatAreNone(t *testing.T) {
	s := open(t, nil).as(fake.OperatorToken)
	answer := s.do(s.request(http.MethodDelete, "/packages", ""))
	if answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") == "" {
		t.Errorf("DELETE: %s", answer.Status)
	}
	if answer := s.do(s.request(http.MethodHead, "/", "")); answer.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %s", answer.Status)
	}
}
