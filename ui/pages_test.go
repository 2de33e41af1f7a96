package ui_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"tallygate/analytics/report"
	"tallygate/ui"
	"tallygate/ui/internal/fake"
)

// visits are pages and parts with the status that they answer with, each opened
// in every shape of the data.
var visits = []struct {
	path   string
	token  string // who looks; empty: nobody
	status map[string]int
}{
	{path: "/", token: fake.OperatorToken},
	{path: "/", token: fake.MemberToken},
	{path: "/?period=24h&show=unique_origins&owner=acme&bots=1&tz=Europe/Berlin&country=DE&client!=pip&version=", token: fake.OperatorToken},
	{path: "/?from=2026-11-01&to=2026-11-01&region=eu&variable:campaign=x", token: fake.OperatorToken},
	{path: "/?period=fortnight&from=never&to=2026-01-01&tz=Mars", token: fake.OperatorToken},
	{path: "/?" + url.Values{"client": nasty, "variable:" + nasty[0]: nasty, "tz": {nasty[0]}, "period": {nasty[1]}, "owner": {nasty[2]}}.Encode(), token: fake.OperatorToken},
	{path: "/packages", token: fake.OperatorToken},
	{path: "/packages?page=2", token: fake.OperatorToken},
	{path: "/packages?q=" + url.QueryEscape(nasty[0]) + "&type=docker&owner=" + url.QueryEscape(nasty[1]), token: fake.OperatorToken},
	{path: "/packages", token: fake.MemberToken},
	{path: "/packages/acme/docker/server?country=DE", token: fake.OperatorToken, status: gone},
	{path: "/packages/acme/file/agent", token: fake.MemberToken, status: gone},
	{path: "/packages/acme/python/acme-cli", token: fake.OperatorToken, status: gone},
	{path: "/packages/acme/python/acme-plugins", token: fake.OperatorToken, status: gone},
	{path: "/packages/acme/event/telemetry", token: fake.OperatorToken, status: gone},
	{path: "/packages/acme/npm/@acme/sdk", token: fake.OperatorToken, status: gone},
	{path: "/packages/orbit/file/site", token: fake.OperatorToken, status: gone},
	{path: "/packages/orbit/docker/worker", token: fake.OperatorToken, status: gone},
	{path: "/packages/acme/file/" + url.PathEscape(nasty[1]), token: fake.OperatorToken, status: only("hostile")},
	{path: "/packages/acme/file/" + url.PathEscape(nasty[6]), token: fake.OperatorToken, status: only("hostile")},
	{path: "/top/country", token: fake.OperatorToken},
	{path: "/top/variable:campaign?in=p-server&country=DE", token: fake.OperatorToken, status: gone},
	{path: "/panel/cards", token: fake.OperatorToken},
	{path: "/panel/series?in=p-server&show=views", token: fake.OperatorToken, status: gone},
	{path: "/panel/top/client?limit=40", token: fake.OperatorToken},
	{path: "/panel/latest", token: fake.MemberToken},
	{path: "/cluster", token: fake.OperatorToken},
	{path: "/explain", token: fake.OperatorToken, status: unexplained},
	{path: "/explain?method=POST&url=" + url.QueryEscape("acme.gateway.tallygate.example/agent/1/agent-linux.tar.gz"), token: fake.OperatorToken, status: unexplained},
	{path: "/explain?url=https://unknown.example/", token: fake.OperatorToken, status: unexplained},
	{path: "/explain?url=https://unknown.example/%25zz", token: fake.OperatorToken, status: unexplained},
	{path: "/pixels", token: fake.OperatorToken, status: unexplained},
	{path: "/pixels?page=2", token: fake.OperatorToken, status: unexplained},
	{path: "/pixels?page=-1", token: fake.MemberToken, status: unexplained},
	{path: "/sign-in"},
	{path: "/sign-in?next=/packages"},
	{path: "/sign-in/link?secret=x"},
	{path: "/sign-in/link"},
	{path: "/nothing", token: fake.OperatorToken, status: allways(http.StatusNotFound)},
	{path: "/nothing", status: allways(http.StatusNotFound)},
	{path: "/cluster", token: fake.MemberToken, status: allways(http.StatusForbidden)},
	{path: "/top/nothing", token: fake.OperatorToken, status: allways(http.StatusNotFound)},
}

// shapes are the shapes of data that pages must bear.
var shapes = []struct {
	name   string
	change func(*ui.Options)
}{
	{"sample", nil},
	{"silent", silent},
	{"bare", bare},
	{"single", single},
	{"many", many},
	{"hostile", hostile},
	{"failing", failing(errDisk)},
	{"disabled", failing(fmt.Errorf("reports: %w", report.ErrDisabled))},
	{"slow", slow},
}

var (
	gone        = map[string]int{"bare": http.StatusNotFound, "hostile": http.StatusNotFound}
	unexplained = map[string]int{"single": http.StatusNotFound}
)

func only(shape string) map[string]int {
	m := allways(http.StatusNotFound)
	delete(m, shape)
	return m
}

func allways(status int) map[string]int {
	m := map[string]int{}
	for _, s := range shapes {
		m[s.name] = status
	}
	return m
}

// TestPages opens every page in every shape of the data, and holds what is true
// for all of them. It also fails when a template was executed by none.
func TestPages(t *testing.T) {
	executed := map[string]bool{}
	watched := func(o ui.Options) http.Handler {
		return ui.NewWatched(o, func(name string) { executed[name] = true })
	}
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			for _, v := range visits {
				if shape.name == "slow" && strings.HasPrefix(v.path, "/panel/") {
					continue // waits half a minute; a test of its own has a clock for that
				}
				t.Run(strings.TrimPrefix(clip(v.path), "/")+" as "+v.token, func(t *testing.T) {
					s := openWith(t, shape.change, watched)
					if v.token != "" {
						s.as(v.token)
					}
					want := http.StatusOK
					if status, ok := v.status[shape.name]; ok {
						want = status
					}
					answer := s.get(v.path)
					if answer.StatusCode != want {
						t.Fatalf("%s, want %d", answer.Status, want)
					}
					checkHeaders(t, answer)
					d := parsed(t, answer)
					checkInert(t, d)
					if !strings.HasPrefix(v.path, "/panel/") {
						checkFrame(t, d)
					}
				})
			}
		})
	}
	// An event that arrives is a template, too.
	s := openWith(t, nil, watched).as(fake.OperatorToken)
	if s.text("/panel/latest") == "" {
		t.Error("no latest events")
	}
	for _, name := range ui.TemplateNames() {
		if !executed[name] {
			t.Errorf("no test executes the template %s", name)
		}
	}
}

func (s *site) text(path string) string {
	s.t.Helper()
	return textOf(s.page(path, http.StatusOK).root)
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60]
	}
	return s
}

func checkHeaders(t *testing.T, answer *http.Response) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy":      ui.Policy,
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"X-Frame-Options":              "DENY",
		"Cache-Control":                "no-store",
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := answer.Header.Get("Content-Type"); got != "text/html; charset=utf-8" && !strings.HasPrefix(answer.Request.URL.Path, "/panel/") {
		t.Errorf("Content-Type is %q", got)
	}
}

// checkInert looks for anything that the content security policy would refuse, or
// that a hostile name could have become.
func checkInert(t *testing.T, d *doc) {
	t.Helper()
	ids := map[string]bool{}
	for n := range d.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "style", "iframe", "object", "embed", "base", "img", "foreignobject":
			t.Errorf("there is a <%s>", n.Data)
		case "script":
			if !strings.HasPrefix(attr(n, "src"), "/assets/") || n.FirstChild != nil {
				t.Errorf("inline or foreign script: %v", n.Attr)
			}
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "style", strings.HasPrefix(a.Key, "on"), strings.HasPrefix(a.Key, "hx-on"):
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			case a.Key == "href" || a.Key == "src" || a.Key == "action":
				u, err := url.Parse(strings.TrimSpace(a.Val))
				if err != nil || u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http" {
					t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
				}
			case strings.HasPrefix(a.Key, "hx-get") || a.Key == "data-live":
				if !strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//") {
					t.Errorf("%s=%q leads elsewhere", a.Key, a.Val)
				}
			case a.Key == "id":
				if ids[a.Val] {
					t.Errorf("id %q is there twice", a.Val)
				}
				ids[a.Val] = true
			}
		}
	}
	for _, n := range d.all("label") {
		if id := attr(n, "for"); id != "" && !ids[id] {
			t.Errorf("a label is for %q, which isn't there", id)
		}
	}
	for n := range d.root.Descendants() {
		for _, name := range []string{"aria-labelledby", "aria-describedby", "data-copy"} {
			if id := attr(n, name); id != "" && !ids[id] {
				t.Errorf("%s names %q, which isn't there", name, id)
			}
		}
	}
}

// checkFrame looks at what every whole page has.
func checkFrame(t *testing.T, d *doc) {
	t.Helper()
	for what, want := range map[string]int{"main": 1, "h1": 1, "title": 1, "footer": 1, ".skip": 1} {
		if got := len(d.all(what)); got != want {
			t.Errorf("%d of %s, want %d", got, what, want)
		}
	}
	if title := d.text("title"); !strings.HasSuffix(title, " · Tallygate") {
		t.Errorf("title %q", title)
	}
	if config := attr(d.all("meta")[3], "content"); !strings.Contains(config, `"allowEval":false`) || !strings.Contains(config, `"includeIndicatorStyles":false`) {
		t.Errorf("htmx is configured with %q", config)
	}
}

func TestThePolicyAllowsNothingUnsafe(t *testing.T) {
	for _, word := range []string{"unsafe", "data:", "blob:", "*", "http"} {
		if strings.Contains(ui.Policy, word) {
			t.Errorf("the policy has %q", word)
		}
	}
	if !strings.HasPrefix(ui.Policy, "default-src 'none'") {
		t.Error("the policy allows what it doesn't name")
	}
}
