package table

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"tallygate/cluster/catalog"
)

// fakeSource is a catalog without its rules, for tables of any shape.
type fakeSource struct {
	orgs        map[string]*catalog.Organization
	packages    map[string]*catalog.Package
	domains     map[string]*catalog.Domain
	collections map[string]*catalog.Collection
	pixels      map[string]*catalog.Pixel
}

func newFakeSource() *fakeSource {
	return &fakeSource{
		orgs:        map[string]*catalog.Organization{},
		packages:    map[string]*catalog.Package{},
		domains:     map[string]*catalog.Domain{},
		collections: map[string]*catalog.Collection{},
		pixels:      map[string]*catalog.Pixel{},
	}
}

func (f *fakeSource) clone() *fakeSource {
	return &fakeSource{maps.Clone(f.orgs), maps.Clone(f.packages), maps.Clone(f.domains), maps.Clone(f.collections), maps.Clone(f.pixels)}
}

func sorted[V any](m map[string]V) iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, k := range slices.SortedFunc(maps.Keys(m), cmp.Compare[string]) {
			if !yield(m[k]) {
				return
			}
		}
	}
}

func filter[V any](seq iter.Seq[V], keep func(V) bool) iter.Seq[V] {
	return func(yield func(V) bool) {
		for v := range seq {
			if keep(v) && !yield(v) {
				return
			}
		}
	}
}

func (f *fakeSource) Organization(name string) *catalog.Organization { return f.orgs[name] }
func (f *fakeSource) Package(id string) *catalog.Package             { return f.packages[id] }
func (f *fakeSource) Packages() iter.Seq[*catalog.Package]           { return sorted(f.packages) }
func (f *fakeSource) Collections() iter.Seq[*catalog.Collection]     { return sorted(f.collections) }
func (f *fakeSource) Domains() iter.Seq[*catalog.Domain]             { return sorted(f.domains) }
func (f *fakeSource) Pixel(id string) *catalog.Pixel                 { return f.pixels[id] }
func (f *fakeSource) Pixels() iter.Seq[*catalog.Pixel]               { return sorted(f.pixels) }

func (f *fakeSource) PackagesOf(owner string) iter.Seq[*catalog.Package] {
	return filter(f.Packages(), func(p *catalog.Package) bool { return p.Owner == owner })
}

func (f *fakeSource) CollectionsOf(owner string) iter.Seq[*catalog.Collection] {
	return filter(f.Collections(), func(c *catalog.Collection) bool { return c.Owner == owner })
}

// day is a time of creation: greater is younger.
func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

// asserted lets an owner serve a domain.
func (f *fakeSource) asserted(owner, name string) *fakeSource {
	id := owner + "@" + name
	f.domains[id] = &catalog.Domain{ID: id, Name: name, Owner: owner, State: catalog.Asserted}
	return f
}

func (f *fakeSource) add(p *catalog.Package) *fakeSource {
	f.packages[p.ID] = p
	return f
}

// file is a file package of acme's, at the owner's host or at domains.
func file(id string, routes []catalog.Route, domains ...string) *catalog.Package {
	p := &catalog.Package{ID: id, Owner: "acme", Name: id, Type: catalog.File, Routes: routes}
	p.CreatedAt = day(1)
	for _, d := range domains {
		p.Domains = append(p.Domains, catalog.PackageDomain{ID: id + "@" + d, Name: d})
	}
	for i := range p.Routes {
		if p.Routes[i].ID == "" {
			p.Routes[i].ID = fmt.Sprintf("%s-%d", id, i)
		}
	}
	return p
}

// route is a template route; without an outgoing URL, it answers by itself.
func route(incoming string, outgoing ...string) catalog.Route {
	r := catalog.Route{IncomingPath: incoming, CreatedAt: day(2)}
	if len(outgoing) > 0 {
		r.OutgoingURL, r.FailoverOrigins = &outgoing[0], outgoing[1:]
	}
	return r
}

func kind(k catalog.RouteKind, r catalog.Route) catalog.Route {
	r.Kind = k
	return r
}

func routes(r ...catalog.Route) []catalog.Route { return r }

func mustBuild(t testing.TB, src source) *Table {
	t.Helper()
	tab, err := build(src, Options{BaseDomain: "base.test"})
	if err != nil {
		t.Fatal(err)
	}
	for id, err := range tab.Problems() {
		t.Fatalf("package %s: %v", id, err)
	}
	return tab
}

// get asks a table for where a request goes: a location, "200" for a rule that
// answers by itself, "" for nothing.
func get(t testing.TB, tab *Table, method, host, path, query string) (string, *Match) {
	t.Helper()
	h := tab.Host(host)
	m := new(Match)
	if h == nil || !h.Match(method, path, query, m) {
		return "", m
	}
	if m.Origins() == 0 {
		return "200", m
	}
	location, _, err := m.Location(0)
	if err != nil {
		return err.Error(), m
	}
	return location, m
}

// fakeSlice is a source of packages in order, for large catalogs.
type fakeSlice struct {
	fakeSource
	packages []*catalog.Package
	domains  []*catalog.Domain
}

func (f *fakeSlice) Packages() iter.Seq[*catalog.Package] { return slices.Values(f.packages) }
func (f *fakeSlice) Domains() iter.Seq[*catalog.Domain]   { return slices.Values(f.domains) }
