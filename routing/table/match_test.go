package table

import (
	"strings"
	"testing"

	"tallygate/cluster/catalog"
)

const own = "acme.gateway.base.test"

func TestWhereRequestsGo(t *testing.T) {
	for _, tt := range []struct {
		name   string
		routes []catalog.Route
		url    string // path and query
		want   string // "200": answered by the rule itself; "": no rule
	}{
		{
			"a template redirects with its variables", routes(route("/f/{v}/app-{v}.zip", "https://o.test/{v}.zip")),
			"/f/1.0/app-1.0.zip", "https://o.test/1.0.zip",
		},
		{"a route without an outgoing URL answers by itself", routes(route("/f/{v}")), "/f/1", "200"},
		{"no rule", routes(route("/f/{v}")), "/g/1", ""},
		{
			"{v} percent-encodes, once", routes(route("/f/{v}", "https://o.test/{v}")),
			"/f/a%20b%2Fc%25+%c3%a9", "https://o.test/a%20b%2Fc%25%2B%C3%A9",
		},
		{
			"{+v} keeps what is reserved, and what was encoded", routes(route("/f/{+v}", "https://o.test/{+v}")),
			"/f/a+b/c%2Bd%2Fe%3Ff%20g%252F", "https://o.test/a+b/c%2Bd%2Fe%3Ff%20g%252F",
		},
		{
			"{+v} in, {v} out", routes(route("/f/{+v}", "https://o.test/{v}")),
			"/f/really+nice%2Fx", "https://o.test/really%2Bnice%2Fx",
		},
		{
			"{v} in, {+v} out", routes(route("/f/{v}", "https://o.test/{+v}")),
			"/f/a%2Fb", "https://o.test/a/b",
		},
		{
			"other query parameters are passed on as they came", routes(route("/f/{v}", "https://o.test/{v}")),
			"/f/1?a=b+c%2f&&d&e=é", "https://o.test/1?a=b+c%2f&d&e=%C3%A9",
		},
		{
			"the template's are not passed on", routes(route("/f{?v}", "https://o.test/{v}")),
			"/f?a=1&v=2&b=3", "https://o.test/2?a=1&b=3",
		},
		{
			"the outgoing URL's own parameters win", routes(route("/f/{v}", "https://o.test/?t=own&v={v}")),
			"/f/1?t=theirs&%74=x&u=2&v=3", "https://o.test/?t=own&v=1&u=2",
		},
		{
			"before the fragment", routes(route("/f/{v}", "https://o.test/x#{v}")),
			"/f/1?a=1", "https://o.test/x?a=1#1",
		},
		{
			"a variable can't leave the path", routes(route("/f{?v}", "https://o.test/a/{v}/b")),
			"/f?v=..", `expand "https://o.test/a/{v}/b": a variable makes a dot segment in the outgoing path`,
		},
		{
			"a variable can't change the host", routes(route("/f/{+v}", "https://o.test/{+v}")),
			"/f//evil.test", "https://o.test//evil.test",
		},
		{
			"the longest literal prefix wins", routes(
				route("/f/{v}.zip", "https://o.test/short"), route("/f/app-{v}", "https://o.test/long")),
			"/f/app-1.zip", "https://o.test/long",
		},
		{
			"then the most literal characters", routes(
				route("/f/{v}", "https://o.test/few"), route("/f/{v}.zip", "https://o.test/many")),
			"/f/app-1.zip", "https://o.test/many",
		},
		{
			"a required parameter counts as literal", routes(
				route("/f/{v}", "https://o.test/few"), route("/f/{v}?k=1", "https://o.test/many")),
			"/f/1?k=1", "https://o.test/many",
		},
		{
			"then the fewest variables", routes(
				route("/f/{v}-{w}", "https://o.test/two"), route("/f/{v}-{v}", "https://o.test/one")),
			"/f/1-1", "https://o.test/one",
		},
		{
			"then age", routes(
				catalog.Route{ID: "a", IncomingPath: "/f/{v}", CreatedAt: day(9)},
				catalog.Route{ID: "b", IncomingPath: "/f/{w}", OutgoingURL: ptr("https://o.test/old"), CreatedAt: day(8)}),
			"/f/1", "https://o.test/old",
		},
		{
			"a more specific template that does not match steps back", routes(
				route("/f/app-{v}?k=1", "https://o.test/long"), route("/f/{v}", "https://o.test/short")),
			"/f/app-1", "https://o.test/short",
		},
		{
			"regular expressions after templates, in order of age", routes(
				kind(catalog.RegexpRoute, route("/f/(?<v>[0-9]+)", "https://o.test/re/{v}")), route("/f/{v}/x", "https://o.test/t/{v}")),
			"/f/1/x", "https://o.test/t/1",
		},
		{
			"a regular expression is found anywhere", routes(
				kind(catalog.RegexpRoute, route("/packages/(?<name>.*)-(?<version>[0-9].*)", "https://o.test/{name}/{version}"))),
			"/x/packages/some-package-0.1.2.4-head", "https://o.test/some-package/0.1.2.4-head",
		},
		{
			"a regular expression sees the path decoded", routes(
				kind(catalog.RegexpRoute, route("^/(?P<v>[a-zé ]+)$", "https://o.test/{v}"))),
			"/a%20%C3%A9", "https://o.test/a%20%C3%A9",
		},
		{
			"an optional group is undefined", routes(
				kind(catalog.RegexpRoute, route("^/a(?:/(?<b>.+))?$", "https://o.test{/b}{?b}"))),
			"/a", "https://o.test",
		},
		{
			"a catch-all keeps path and query byte for byte", routes(
				kind(catalog.CatchAllRoute, route("/docs/*", "https://o.test/d/*"))),
			"/docs/a%2fb/%41//c?x=%2f&&y+z", "https://o.test/d/a%2fb/%41//c?x=%2f&&y+z",
		},
		{
			"the longest catch-all wins", routes(
				kind(catalog.CatchAllRoute, route("/*", "https://o.test/all")),
				kind(catalog.CatchAllRoute, route("/a/b/*", "https://o.test/ab")),
				kind(catalog.CatchAllRoute, route("/a/*", "https://o.test/a"))),
			"/a/b/c", "https://o.test/ab/c",
		},
		{
			"a catch-all comes after everything else", routes(
				kind(catalog.CatchAllRoute, route("/a/*", "https://o.test/all")),
				kind(catalog.RegexpRoute, route("^/a/(?<v>.*)", "https://o.test/re"))),
			"/a/b", "https://o.test/re",
		},
		{
			"a catch-all takes what no template can read", routes(
				kind(catalog.CatchAllRoute, route("/*", "https://o.test/*"))),
			"/a%zz", "https://o.test/a%zz",
		},
		{
			"a catch-all's own parameters win", routes(
				kind(catalog.CatchAllRoute, route("/*", "https://o.test/*?t=1"))),
			"/a?t=2&u=3", "https://o.test/a?t=1&u=3",
		},
		{"a catch-all without an outgoing URL", routes(kind(catalog.CatchAllRoute, route("/*"))), "/a", "200"},
		{
			"an encoded slash is no separator", routes(
				route("/f/{v}/x", "https://o.test/two"), route("/f/{v}", "https://o.test/{v}")),
			"/f/1%2Fx", "https://o.test/1%2Fx",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tab := mustBuild(t, newFakeSource().add(file("p", tt.routes)))
			path, query, _ := strings.Cut(tt.url, "?")
			if got, _ := get(t, tab, "GET", own, path, query); got != tt.want {
				t.Errorf("%s goes to %q, want %q", tt.url, got, tt.want)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }
