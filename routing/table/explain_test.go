package table

import (
	"fmt"
	"strings"
	"testing"

	"tallygate/cluster/catalog"
)

// explained is an explanation as text: "*" wins, "+" matches, "-" does not.
func explained(e Explanation) string {
	var b strings.Builder
	for _, c := range e.Candidates {
		mark := "-"
		switch {
		case c.Wins:
			mark = "*"
		case c.Matches:
			mark = "+"
		}
		fmt.Fprintf(&b, "%s %s %s: %s", mark, c.Kind, c.Pattern, c.Why)
		for _, v := range c.Variables {
			fmt.Fprintf(&b, " %s=%s", v.Name, v.Value)
		}
		b.WriteByte('\n')
	}
	return b.String() + e.Summary + "\n" + e.Location
}

func TestExplain(t *testing.T) {
	src := newFakeSource().asserted("acme", "dl.test")
	src.domains["bolt@bolt.test"] = &catalog.Domain{ID: "bolt@bolt.test", Name: "bolt.test", Owner: "bolt", State: catalog.Pending}
	old := route("/f/{v}", "https://o.test/old/{v}")
	old.CreatedAt = day(1)
	src.add(file("p", routes(
		route("/f/app-{v}.zip", "https://o.test/app/{v}.zip"),
		route("/f/{v}.zip", "https://o.test/{v}.zip"),
		route("/f/{w}", "https://o.test/{w}"), old,
		route("/f/app-{v}.zip?beta=1", "https://o.test/beta/{v}.zip"),
		kind(catalog.RegexpRoute, route("^/f/(?<name>[a-z]+)-", "https://o.test/re/{name}")),
		kind(catalog.CatchAllRoute, route("/f/*", "https://o.test/all/*")),
		route("/q{?v}", "https://o.test/x/{v}"),
		route("/none"),
	), "dl.test", own))
	events := &catalog.Package{ID: "e", Owner: "acme", Name: "e", Type: catalog.Event, Routes: routes(route("/events"))}
	image := &catalog.Package{ID: "i", Owner: "acme", Name: "i", Type: catalog.Docker, Image: &catalog.Image{Repository: "acme/app", Registry: "r.test"}}
	python := &catalog.Package{
		ID: "py", Owner: "acme", Name: "py", Type: catalog.Python, Index: &catalog.PythonProject{Project: "rocket", RepositoryURL: "https://o.test/simple/"},
		Domains: []catalog.PackageDomain{{Name: own}},
	}
	src.add(events).add(image).add(python)
	src.add(&catalog.Package{ID: "b", Owner: "bolt", Name: "b", Type: catalog.File, Domains: []catalog.PackageDomain{{Name: "bolt.test"}}, Routes: routes(route("/x"))})
	src.collections["c"] = &catalog.Collection{ID: "c", Owner: "acme", Pattern: "acme/*", Registry: "r.test"}
	src.pixels["px"] = &catalog.Pixel{ID: "px", Owner: "acme", Domains: []string{"dl.test"}}
	tab := mustBuild(t, src)

	for _, tt := range []struct{ name, method, url, want string }{
		{
			"the winner and those that match too", "GET", "https://DL.test.:443/f/app-1.zip", `
- template /f/app-{v}.zip?beta=1: It does not match: the query parameter beta is missing.
* template /f/app-{v}.zip: It wins. v=1
+ template /f/{v}.zip: It matches too, but the winner's literal beginning is longer (7 bytes against 3). v=app-1
+ template /f/{v}: It matches too, but the winner's literal beginning is longer (7 bytes against 3). v=app-1.zip
+ template /f/{w}: It matches too, but the winner's literal beginning is longer (7 bytes against 3). w=app-1.zip
+ regexp ^/f/(?<name>[a-z]+)-: It matches too, but template rules are tried before regexp rules. name=app
+ catch-all /f/*: It matches too, but template rules are tried before catch-all rules.
The template /f/app-{v}.zip of acme/p serves it, out of 6 rules that match: against the next, /f/{v}.zip, the winner's literal beginning is longer (7 bytes against 3).
https://o.test/app/1.zip`,
		},
		{
			"age decides", "GET", "dl.test/f/x", `
* template /f/{v}: It wins. v=x
+ template /f/{w}: It matches too, but the winner is older (2026-01-01 00:00:00 against 2026-01-02 00:00:00). w=x
+ catch-all /f/*: It matches too, but template rules are tried before catch-all rules.
The template /f/{v} of acme/p serves it, out of 3 rules that match: against the next, /f/{w}, the winner is older (2026-01-01 00:00:00 against 2026-01-02 00:00:00).
https://o.test/old/x`,
		},
		{"nothing matches", "GET", "dl.test/g", "\nNo rule of dl.test matches: the answer is 404.\n"},
		{"no outgoing URL", "GET", "dl.test/none", `
* template /none: It wins, and answers 200 by itself: it has no outgoing URL.
The template /none of acme/p serves it: no other rule matches.
`},
		{"a location that is refused", "GET", "dl.test/q?v=..", `
* template /q{?v}: It wins. v=..
The template /q{?v} of acme/p serves it: no other rule matches. But it can't be sent on (expand "https://o.test/x/{v}": a variable makes a dot segment in the outgoing path): the answer is 404.
`},
		{"events", "POST", own + "/events", `
* event /events: It wins, and takes events by POST.
The event /events of acme/e serves it: no other rule matches.
`},
		{"a Python project", "GET", own + "/simple/Rocket/", `
* python /simple/rocket/: It wins.
The python /simple/rocket/ of acme/py serves it: no other rule matches.
`},
		{"an unknown Python project", "GET", own + "/simple/skates/", "\nThe path belongs to the package index, which has no such project: the answer is 404.\n"},
		{"the package index", "GET", own + "/simple/", "\nThe package index answers with the list of its projects.\n"},
		{"an image before a collection", "GET", "acme.docker.base.test/v2/acme/app/manifests/latest", `
* image acme/app: It wins.
+ collection acme/*: It matches too, but image rules are tried before collection rules.
The image acme/app of acme/i serves it, out of 2 rules that match: against the next, acme/*, image rules are tried before collection rules.
`},
		{"an unknown image", "GET", "acme.docker.base.test/v2/bolt/app/manifests/latest", "\nNo image and no collection of acme.docker.base.test is named bolt/app: the registry answers NAME_UNKNOWN.\n"},
		{"the registry itself", "GET", "acme.docker.base.test/v2/", "\nThe image host serves the registry under /v2/ and nothing else.\n"},
		{"a pixel", "GET", "dl.test/a.png?x-pxid=px", "\nIt is a tracking pixel, which is served before templates are looked at.\n"},
		{"an install event", "POST", "base.test/package-event/install", "\nIt is an npm install event, which is taken before any rule is looked at.\n"},
		{"the base domain", "GET", "base.test/", "\nThe base domain serves badges, npm install events and the status page; no rules apply to it.\n"},
		{"a domain that is not verified", "GET", "bolt.test/x", "\nNobody serves bolt.test: bolt has packages there, but no claim on the domain is verified or set by an operator.\n"},
		{"an owner without packages", "GET", "bolt.gateway.base.test/", "\nNobody serves bolt.gateway.base.test: bolt has nothing that is served at a gateway-host of its own.\n"},
		{"a stranger", "GET", "stranger.test/", "\nNobody serves stranger.test: it is neither one of the cluster's own hosts nor a domain that an owner has claimed.\n"},
		{"no URL", "GET", "http://%zz/", "\nThat is not a URL: give a host and a path, as in https://dl.example.com/app/1.0.\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := explained(tab.Explain(tt.method, tt.url)), tt.want[1:]; got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// TestExplainAgreesWithMatch holds the explanation to what the gateway does.
func TestExplainAgreesWithMatch(t *testing.T) {
	tab := mustBuild(t, newFakeSource().add(file("p", routes(
		route("/a/{v}", "https://o.test/1/{v}"), route("/a/{v}.zip", "https://o.test/2/{v}"), route("/{+p}", "https://o.test/3/{+p}"),
		route("/{x}/{y}", "https://o.test/4/{x}"), route("/a/b", "https://o.test/5"), route("/a/b?c={d}", "https://o.test/6/{d}"),
	))))
	for _, u := range []string{"/a/b", "/a/b?c=1", "/a/x.zip", "/a/x", "/b/x", "/b/x/y", "/", "/a/%2F"} {
		path, query, _ := strings.Cut(u, "?")
		want, _ := get(t, tab, "GET", own, path, query)
		if got := tab.Explain("GET", "https://"+own+u).Location; got != want {
			t.Errorf("%s goes to %q, and is explained to go to %q", u, want, got)
		}
	}
}
