package table

import (
	"fmt"
	"strings"
	"testing"

	"tallygate/cluster/catalog"
)

func TestConflicts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		there  []catalog.Route // of another package on the host
		routes []catalog.Route // of the package asked about
		want   []string
	}{
		{
			"none", routes(route("/a/{v}")), routes(route("/b/{v}")), nil,
		},
		{
			"the longer beginning", routes(route("/f/{v}")), routes(route("/f/app-{v}.zip")),
			[]string{"/f/app-{v}.zip and /f/{v} on " + own + "/f/app-x.zip: template /f/app-{v}.zip serves it: the winner's literal beginning is longer (7 bytes against 3)"},
		},
		{
			"two of one package, once", nil, routes(route("/f/{v}"), route("/f/{w}")),
			[]string{"/f/{v} and /f/{w} on " + own + "/f/x: template /f/{v} serves it: the two are equally specific and equally old, so that the smaller id wins"},
		},
		{
			"a query parameter that both ask for", routes(route("/f?k=1{&v}")), routes(route("/f?k={w}")),
			[]string{"/f?k={w} and /f?k=1{&v} on " + own + "/f?k=1&v=x: template /f?k=1{&v} serves it: the winner has more literal characters (5 against 3)"},
		},
		{
			"a query parameter that tells them apart", routes(route("/f?k=1")), routes(route("/f?k=2")), nil,
		},
		{
			"repeated variables", routes(route("/f/{v}/app-{v}.zip")), routes(route("/f/1.0/{w}")),
			[]string{"/f/1.0/{w} and /f/{v}/app-{v}.zip on " + own + "/f/1.0/app-1.0.zip: template /f/1.0/{w} serves it: the winner's literal beginning is longer (7 bytes against 3)"},
		},
		{
			"across segments", routes(route("/{+p}.zip")), routes(route("/f/{v}/x.zip")),
			[]string{"/f/{v}/x.zip and /{+p}.zip on " + own + "/f/x/x.zip: template /f/{v}/x.zip serves it: the winner's literal beginning is longer (3 bytes against 1)"},
		},
		{
			"a regular expression behind a template", routes(route("/f/{v}.zip")), routes(kind(catalog.RegexpRoute, route("^/f/(?<v>[0-9.]+)\\.zip$"))),
			[]string{"^/f/(?<v>[0-9.]+)\\.zip$ and /f/{v}.zip on " + own + "/f/1.zip: template /f/{v}.zip serves it: template rules are tried before regexp rules"},
		},
		{
			"two regular expressions", routes(kind(catalog.RegexpRoute, route("^/f/(?<v>[0-9]+)"))), routes(kind(catalog.RegexpRoute, route("/(?<v>[0-9]+)"))),
			[]string{"/(?<v>[0-9]+) and ^/f/(?<v>[0-9]+) on " + own + "/f/1: regexp ^/f/(?<v>[0-9]+) serves it: the two are equally specific and equally old, so that the smaller id wins"},
		},
		{
			"a catch-all conflicts with catch-alls only", routes(route("/a/{v}"), kind(catalog.CatchAllRoute, route("/a/*"))),
			routes(kind(catalog.CatchAllRoute, route("/a/*", "https://o.test/")), kind(catalog.CatchAllRoute, route("/*"))),
			[]string{"/a/* and /a/* on " + own + "/a/: catch-all of acme/other serves it: the two are equally specific and equally old, so that the smaller id wins"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := newFakeSource().add(file("other", tt.there))
			pkg := file("p", tt.routes)
			for _, known := range []bool{false, true} {
				if known {
					src.add(pkg)
				}
				var got []string
				for _, c := range mustBuild(t, src).Conflicts(pkg) {
					got = append(got, fmt.Sprintf("%s and %s on %s: %s", c.Rule.Pattern, c.Other.Pattern, c.Sample, c.Wins))
				}
				if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
					t.Errorf("the package is in the table: %v\ngot  %s\nwant %s", known, strings.Join(got, "\n     "), strings.Join(tt.want, "\n     "))
				}
			}
		})
	}
}

func TestConflictsOfImagesAndProjects(t *testing.T) {
	image := func(id string) *catalog.Package {
		return &catalog.Package{ID: id, Owner: "acme", Name: id, Type: catalog.Docker, Image: &catalog.Image{Name: "app", Repository: "acme/" + id, Registry: "r.test"}}
	}
	python := func(id string) *catalog.Package {
		return &catalog.Package{ID: id, Owner: "acme", Name: id, Type: catalog.Python, Index: &catalog.PythonProject{Project: "rocket"}}
	}
	tab := mustBuild(t, newFakeSource().add(image("i1")).add(python("p1")))
	for pkg, want := range map[*catalog.Package]string{
		image("i2"):  "acme.docker.base.test/v2/app/manifests/latest",
		python("p2"): own + "/simple/rocket/",
	} {
		got := tab.Conflicts(pkg)
		if len(got) != 1 || got[0].Sample != want {
			t.Errorf("%s: %+v, want one on %s", pkg.ID, got, want)
		}
	}
}

func TestConflictsOnADomainThatDoesNotServeYet(t *testing.T) {
	src := newFakeSource().add(file("other", routes(route("/f/{v}")), "new.test"))
	if got := mustBuild(t, src).Conflicts(file("p", routes(route("/f/{w}")), "new.test")); len(got) != 1 {
		t.Errorf("%+v, want one", got)
	}
	bolt := file("p", routes(route("/f/{w}")), "new.test")
	bolt.Owner = "bolt"
	if got := mustBuild(t, src).Conflicts(bolt); len(got) != 0 {
		t.Errorf("%+v, want none: the rules belong to another owner's claim", got)
	}
}

// BenchmarkConflicts looks for the conflicts of one package on a host with 10,000
// rules.
func BenchmarkConflicts(b *testing.B) {
	tab, err := build(bigSource(10_000, 10_000), Options{BaseDomain: "base.test"})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 5 {
		in, _ := bigRoute(20_000 + i)
		b.Run(strings.ReplaceAll(in, "/", "|"), func(b *testing.B) {
			p := bigPackage(20_000+i, "owner0", bigHost(0))
			for b.Loop() {
				tab.Conflicts(p)
			}
		})
	}
}
