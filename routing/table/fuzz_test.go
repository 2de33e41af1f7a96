package table

import (
	"net/url"
	"strings"
	"testing"

	"tallygate/cluster/catalog"
)

// FuzzRequest sends any request to a host with rules of every kind: no panic, and a
// location goes to an origin's host and fits into a header.
func FuzzRequest(f *testing.F) {
	tab := mustBuild(f, newFakeSource().add(file("p", routes(
		route("/f/{v}/app-{v}.zip", "https://o.test/{v}.zip"),
		route("/f/{+p}/{x}{?q}", "https://o.test/{+p}/{x}?q={q}"),
		route("/{a}-{b},{c}{;d}{/e}?k={k}&l=1", "https://o.test{/a,b}{?c,d}{&e,k}#{a}"),
		kind(catalog.RegexpRoute, route("^/re/(?<a>.*?)(?:/(?<b>.+))?$", "https://o.test/{a}{/b}{?b}")),
		kind(catalog.CatchAllRoute, route("/all/*", "https://o.test/*")),
		kind(catalog.CatchAllRoute, route("/own/*", "https://o.test/x?k=1")),
	))))
	for _, s := range [][2]string{
		{"/f/1/app-1.zip", "a=1"},
		{"/f/a/b%2Fc", "q=%26+&&=&x"},
		{"/1-2,3;d=4/5", "l=1&k=é"},
		{"/re/a/b", ""},
		{"/all/%zz/\r\n", "\x00"},
		{"/own/..", "k=2&z=#"},
		{"", ""},
		{"/%", "%"},
	} {
		f.Add(s[0], s[1])
	}
	h := tab.Host(own)
	f.Fuzz(func(t *testing.T, path, query string) {
		m := new(Match)
		if !h.Match("GET", path, query, m) {
			return
		}
		location, host, err := m.Location(0)
		if err != nil {
			return
		}
		if strings.ContainsFunc(location, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Fatalf("%q can't stand in a header", location)
		}
		u, err := url.Parse(location)
		if host != "o.test" || err == nil && (u.Host != "o.test" || u.Scheme != "https" || u.User != nil) || !strings.HasPrefix(location, "https://o.test") {
			t.Fatalf("%q goes to %q", location, host)
		}
	})
}
