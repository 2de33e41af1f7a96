package table

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tallygate/cluster/catalog"
)

func TestRoutesThatAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		typ   catalog.PackageType
		route catalog.Route
		want  []string
	}{
		{"every mistake at once", catalog.File, route("/{v", "ftp://o.test/", "https://{v}/"), []string{"never closed", "begins with http", "host"}},
		{"a variable that is not there", catalog.File, route("/{v}", "https://o.test/{w}"), []string{"{w} is not a variable of the incoming path, which has {v}"}},
		{"a failover is held to the same", catalog.File, route("/{v}", "https://o.test/{v}", "https://p.test/{w}"), []string{"{w} is not a variable"}},
		{"a regular expression that is none", catalog.File, kind(catalog.RegexpRoute, route("/(", "https://o.test/")), []string{"missing closing"}},
		{"look-around", catalog.File, kind(catalog.RegexpRoute, route("/(?=a)")), []string{"no look-around"}},
		{"a large expression", catalog.File, kind(catalog.RegexpRoute, route("/((a{100}){10}){10}")), []string{"repeat"}},
		{"a long expression", catalog.File, kind(catalog.RegexpRoute, route("/"+strings.Repeat("a", 2000))), []string{"too long"}},
		{"a group that is not there", catalog.File, kind(catalog.RegexpRoute, route("/(?<v>a)", "https://o.test/{w}")), []string{"{w} is not a variable"}},
		{"a regular expression for events", catalog.Event, kind(catalog.RegexpRoute, route("/a")), []string{"templates"}},
		{"a catch-all without a star", catalog.File, kind(catalog.CatchAllRoute, route("/a", "https://o.test/")), []string{`ends in "/*"`}},
		{"a catch-all with a variable", catalog.File, kind(catalog.CatchAllRoute, route("/a/*", "https://o.test/{v}")), []string{"no variables"}},
		{"a catch-all to another scheme", catalog.File, kind(catalog.CatchAllRoute, route("/a/*", "ftp://o.test/")), []string{"begins with http"}},
		{"an unknown kind", catalog.File, kind("glob", route("/a")), []string{`"glob"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			errs := CheckRoute(tt.typ, &tt.route)
			if len(errs) != len(tt.want) {
				t.Fatalf("%d mistakes are found, want %d: %v", len(errs), len(tt.want), errs)
			}
			for i, want := range tt.want {
				if !strings.Contains(errs[i].Error(), want) {
					t.Errorf("mistake %d is %q, want one with %q", i, errs[i], want)
				}
			}
		})
	}
	for _, r := range []catalog.Route{
		route("/a"), route("/{v}", "https://o.test/{v}"), kind(catalog.RegexpRoute, route("/(?P<v>a)", "https://o.test/{v}")),
		kind(catalog.CatchAllRoute, route("/*", "https://o.test")),
	} {
		if errs := CheckRoute(catalog.File, &r); errs != nil {
			t.Errorf("%s: %v", r.IncomingPath, errs)
		}
	}
}

func TestFailoverOrigins(t *testing.T) {
	tab := mustBuild(t, newFakeSource().add(file("p", routes(
		route("/t/{v}", "https://a.test/{v}", "http://b.test:8080/x/{v}", "https://c.test/{v}"),
		kind(catalog.RegexpRoute, route("^/r/(?<v>.+)", "https://a.test/{v}", "https://b.test/{v}")),
		kind(catalog.CatchAllRoute, route("/c/*", "https://a.test/*", "https://b.test/y")),
	))))
	for path, want := range map[string][]string{
		"/t/1": {"https://a.test/1 a.test", "http://b.test:8080/x/1 b.test:8080", "https://c.test/1 c.test"},
		"/r/1": {"https://a.test/1 a.test", "https://b.test/1 b.test"},
		"/c/1": {"https://a.test/1 a.test", "https://b.test/y/1 b.test"},
	} {
		_, m := get(t, tab, "GET", own, path, "")
		if m.Origins() != len(want) {
			t.Errorf("%s has %d origins, want %d", path, m.Origins(), len(want))
			continue
		}
		for i, w := range want {
			location, host, err := m.Location(i)
			if got := fmt.Sprint(location, " ", host); err != nil || got != w {
				t.Errorf("%s: origin %d is %s, %v, want %s", path, i, got, err, w)
			}
		}
		for _, i := range []int{-1, len(want)} {
			if _, _, err := m.Location(i); !errors.Is(err, ErrNoOrigin) {
				t.Errorf("%s: origin %d: %v, want ErrNoOrigin", path, i, err)
			}
		}
	}
}

// TestAMatchAllocatesItsLocationOnly holds the request path to its budget.
func TestAMatchAllocatesItsLocationOnly(t *testing.T) {
	src := newFakeSource()
	for i := range 50 {
		src.add(file(fmt.Sprint("p", i), routes(
			route(fmt.Sprintf("/files/{version}/app-%d.tar.gz", i), "https://o.test/{version}"),
			route(fmt.Sprintf("/dl/app-%d-{version}.zip?arch={arch}", i), "https://o.test/{version}{?arch}"),
			route(fmt.Sprintf("/mirror/{+path}/app-%d.deb", i), "https://o.test/{+path}"),
		)))
	}
	src.add(file("all", routes(kind(catalog.CatchAllRoute, route("/*", "https://o.test/*")))))
	h := mustBuild(t, src).Host(own)
	m := new(Match)
	for _, url := range []string{"/files/1.0/app-7.tar.gz", "/dl/app-7-1.0.zip?x=1&arch=arm64", "/mirror/a/b/app-7.deb", "/other?x=1"} {
		path, query, _ := strings.Cut(url, "?")
		n := testing.AllocsPerRun(100, func() {
			if !h.Match("GET", path, query, m) {
				t.Fatalf("%s: no match", url)
			}
			if _, _, err := m.Location(0); err != nil {
				t.Fatal(err)
			}
		})
		if n > 1 {
			t.Errorf("%s: %v allocations", url, n)
		}
	}
}
