package table

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tallygate/cluster/catalog"
	"tallygate/routing/template"
)

// Templates and paths are made of few words, so that they meet often.
var (
	segmentGen = rapid.SampledFrom([]string{
		"a", "b", "ab", "a-b", "{x}", "{y}", "a{x}", "{x}b", "a-{x}", "{x}-{y}", "{x}-b-{y}", "a{x}-{y}b", "{x}-{x}",
		"app-1-{x}", "app-2-{x}", "{x}-app-1", "{x}-app-1-{y}",
	})
	tailGen  = rapid.SampledFrom([]string{"", "", "", "", "/{+p}", "/{+p}/a", "/{+p}-b", "/a{+p}", "/{+p}/b/{x}", "{/z}", "{.z}"})
	queryGen = rapid.SampledFrom([]string{"", "", "", "", "?q=1", "?q={x}", "{?w}", "?q=a{w}"})

	pathSegmentGen  = rapid.SampledFrom([]string{"a", "b", "ab", "a-b", "b-b", "a-a-b", "app-1-2", "1-app-1", "1-app-1-2", "aab", "a.b", ""})
	requestQueryGen = rapid.SampledFrom([]string{"", "", "q=1", "q=a", "q=ab&w=1", "w=b", "z=1"})
)

func drawTemplate(t *rapid.T) string {
	s := ""
	for range rapid.IntRange(1, 4).Draw(t, "segments") {
		s += "/" + segmentGen.Draw(t, "segment")
	}
	return s + tailGen.Draw(t, "tail") + queryGen.Draw(t, "query")
}

func drawPath(t *rapid.T) string {
	s := ""
	for range rapid.IntRange(1, 5).Draw(t, "segments") {
		s += "/" + pathSegmentGen.Draw(t, "segment")
	}
	return s
}

var (
	lawOwners = []string{"acme", "bolt"}
	lawHosts  = []string{
		"one.test", "two.test", "acme.gateway.base.test", "acme.docker.base.test", "bolt.gateway.base.test", "bolt.docker.base.test",
		"base.test", "static.base.test",
	}
)

func drawDomains(t *rapid.T, owner string) (domains []catalog.PackageDomain) {
	for _, d := range []string{"one.test", "two.test", owner + ".gateway.base.test", "bolt.docker.base.test"} {
		if rapid.IntRange(0, 2).Draw(t, "domain") == 0 {
			domains = append(domains, catalog.PackageDomain{Name: d})
		}
	}
	return domains
}

func drawRoute(t *rapid.T, i int) catalog.Route {
	out := fmt.Sprintf("https://o.test/%d", i)
	r := catalog.Route{ID: fmt.Sprint("r", i), CreatedAt: day(rapid.IntRange(1, 3).Draw(t, "age"))}
	r.Domain = rapid.SampledFrom([]string{"", "", "", "one.test"}).Draw(t, "only at")
	if rapid.Bool().Draw(t, "redirects") {
		r.OutgoingURL = &out
	}
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		r.Kind = catalog.RegexpRoute
		r.IncomingPath = rapid.SampledFrom([]string{"^/a/(?<v>.*)", "/(?<v>b+)", "^/a", "^/ab/(?<v>[^/]+)$", "(?i)^/A/b", "app-1-(?<v>.*)", "/app-1-[0-9]", "(?<v>.)-app-1"}).Draw(t, "regexp")
	case 1:
		r.Kind = catalog.CatchAllRoute
		r.IncomingPath = rapid.SampledFrom([]string{"/*", "/a/*", "/a/b/*", "/b/*"}).Draw(t, "catch-all")
	default:
		r.IncomingPath = drawTemplate(t)
	}
	return r
}

// drawPackage makes a package that compiles.
func drawPackage(t *rapid.T, id string) *catalog.Package {
	p := &catalog.Package{ID: id, Name: id, Owner: rapid.SampledFrom(lawOwners).Draw(t, "owner")}
	p.CreatedAt = day(rapid.IntRange(1, 3).Draw(t, "age"))
	p.Domains = drawDomains(t, p.Owner)
	switch rapid.IntRange(0, 9).Draw(t, "type") {
	case 0, 1:
		p.Type = catalog.Docker
		p.Image = &catalog.Image{Repository: rapid.SampledFrom([]string{"a/b", "a/c", "b"}).Draw(t, "image"), Registry: "r.test"}
	case 2, 3:
		p.Type = catalog.Python
		p.Index = &catalog.PythonProject{Project: rapid.SampledFrom([]string{"a", "b", "ab"}).Draw(t, "project"), RepositoryURL: "https://o.test/"}
		if rapid.Bool().Draw(t, "files only") {
			p.Index.RepositoryURL = ""
			p.Index.Files = []catalog.PythonFile{{FileName: "x", Domain: rapid.SampledFrom([]string{"", "one.test"}).Draw(t, "file domain")}}
		}
	default:
		p.Type = rapid.SampledFrom([]catalog.PackageType{catalog.File, catalog.File, catalog.File, catalog.Event}).Draw(t, "routes")
		for i := range rapid.IntRange(0, 12).Draw(t, "routes") {
			if r := drawRoute(t, i); CheckRoute(p.Type, &r) == nil {
				p.Routes = append(p.Routes, r)
			}
		}
	}
	return p
}

// drawChange changes one object of the source, or makes or deletes it.
func drawChange(t *rapid.T, src *fakeSource) catalog.Change {
	ch := catalog.Change{}
	drop := rapid.IntRange(0, 3).Draw(t, "delete") == 0
	id := fmt.Sprint("id", rapid.IntRange(0, 7).Draw(t, "id"))
	switch rapid.IntRange(0, 9).Draw(t, "object") {
	case 0:
		owner, name := rapid.SampledFrom(lawOwners).Draw(t, "owner"), rapid.SampledFrom(lawHosts).Draw(t, "name")
		id = owner + "@" + name
		ch.Kind = catalog.KindDomain
		state := rapid.SampledFrom([]catalog.DomainState{catalog.Asserted, catalog.Verified, catalog.Pending, catalog.Lost}).Draw(t, "state")
		for _, o := range lawOwners { // at most one claim serves
			if d := src.domains[o+"@"+name]; o != owner && d != nil && d.State.Serves() && state.Serves() {
				state = catalog.Pending
			}
		}
		put(&ch, src.domains, id, drop, &catalog.Domain{ID: id, Name: name, Owner: owner, State: state})
	case 1:
		name := rapid.SampledFrom(lawOwners).Draw(t, "owner")
		ch.Kind = catalog.KindOrganization
		o := &catalog.Organization{ID: name, Name: name}
		if rapid.Bool().Draw(t, "overrides") {
			o.VariableOverrides = map[string]string{"v": rapid.SampledFrom([]string{"version", "page"}).Draw(t, "to")}
		}
		put(&ch, src.orgs, name, drop, o)
	case 2:
		ch.Kind = catalog.KindCollection
		c := &catalog.Collection{ID: id, Owner: rapid.SampledFrom(lawOwners).Draw(t, "owner")}
		c.Pattern = rapid.SampledFrom([]string{"a/*", "**", "a/{b, d}", "*", "a/b*"}).Draw(t, "pattern")
		c.Domain = rapid.SampledFrom([]string{"", "one.test"}).Draw(t, "domain")
		c.CreatedAt = day(rapid.IntRange(1, 3).Draw(t, "age"))
		put(&ch, src.collections, id, drop, c)
	case 3:
		ch.Kind = catalog.KindPixel
		px := &catalog.Pixel{ID: id, Owner: rapid.SampledFrom(lawOwners).Draw(t, "owner")}
		px.Domains = rapid.SliceOfDistinct(rapid.SampledFrom([]string{"one.test", "two.test"}), rapid.ID[string]).Draw(t, "domains")
		put(&ch, src.pixels, id, drop, px)
	default:
		ch.Kind = catalog.KindPackage
		put(&ch, src.packages, id, drop, drawPackage(t, id))
	}
	return ch
}

func put[T any](ch *catalog.Change, m map[string]*T, id string, drop bool, v *T) {
	ch.ID = id
	if old := m[id]; old != nil {
		ch.Before = old
	}
	if drop {
		delete(m, id)
		return
	}
	m[id], ch.After = v, v
}

// answers is all that a table says about some requests.
func answers(tab *Table, paths, queries []string) string {
	var b strings.Builder
	m := new(Match)
	for _, host := range lawHosts {
		h := tab.Host(host)
		if h == nil {
			fmt.Fprintf(&b, "%s: nobody\n", host)
			continue
		}
		fmt.Fprintf(&b, "%s: %s %q pixels=%v images=%v python=%v rules=%d\n", host, h.Kind(), h.Owner(), h.HasPixels(), h.HasImages(), h.HasPython(), h.Rules())
		for _, name := range []string{"a/b", "a/c", "a/d", "b", "x/y/z"} {
			fmt.Fprintf(&b, " image %s: %s\n", name, describe(h.Image(name)))
		}
		for r := range h.PythonProjects() {
			fmt.Fprintf(&b, " python %s: %s %v\n", r.Package.Index.Project, describe(r), r == h.Python(r.Package.Index.Project))
		}
		for i, path := range paths {
			if !h.Match("GET", path, queries[i], m) {
				fmt.Fprintf(&b, " %s?%s: none\n", path, queries[i])
				continue
			}
			location := ""
			if m.Origins() > 0 {
				location, _, _ = m.Location(0)
			}
			fmt.Fprintf(&b, " %s?%s: %s %v %v %s\n", path, queries[i], describe(m.Rule), m.Vars, m.Extra, location)
		}
	}
	return b.String()
}

func describe(r *Rule) string {
	switch {
	case r == nil:
		return "none"
	case r.Collection != nil:
		return fmt.Sprintf("collection %s %v", r.Collection.ID, r.Overrides)
	}
	return fmt.Sprintf("%s %s/%s %v", r.Kind, r.Package.ID, r.routeID(), r.Overrides)
}

func drawRequests(t *rapid.T) (paths, queries []string) {
	for range 30 {
		paths = append(paths, drawPath(t))
		queries = append(queries, requestQueryGen.Draw(t, "query"))
	}
	return paths, queries
}

// TestUpdatesEqualABuild changes a catalog at random: the table that followed the
// changes answers like one built from scratch, and the tables before still answer as
// they did.
func TestUpdatesEqualABuild(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := newFakeSource()
		paths, queries := drawRequests(t)
		tab, err := build(src, Options{BaseDomain: "base.test"})
		if err != nil {
			t.Fatal(err)
		}
		type version struct {
			tab  *Table
			says string
		}
		var history []version
		for range rapid.IntRange(1, 25).Draw(t, "commands") {
			var changes []catalog.Change
			for range rapid.IntRange(1, 3).Draw(t, "changes") {
				ch := drawChange(t, src)
				if i := slices.IndexFunc(changes, func(o catalog.Change) bool { return o.Kind == ch.Kind && o.ID == ch.ID }); i >= 0 {
					changes[i].After = ch.After // each object is named once
					continue
				}
				changes = append(changes, ch)
			}
			tab = tab.update(src.clone(), changes)
			fresh, err := build(src.clone(), Options{BaseDomain: "base.test"})
			if err != nil {
				t.Fatal(err)
			}
			got, want := answers(tab, paths, queries), answers(fresh, paths, queries)
			if got != want {
				t.Fatalf("after %d commands:\n%s", len(history)+1, diff(got, want))
			}
			history = append(history, version{tab, got})
		}
		for i, v := range history {
			if got := answers(v.tab, paths, queries); got != v.says {
				t.Fatalf("table %d of %d has changed:\n%s", i, len(history), diff(got, v.says))
			}
		}
	})
}

func diff(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	var b strings.Builder
	for i := range max(len(g), len(w)) {
		var x, y string
		if i < len(g) {
			x = g[i]
		}
		if i < len(w) {
			y = w[i]
		}
		if x != y {
			fmt.Fprintf(&b, "got  %s\nwant %s\n", x, y)
		}
	}
	return b.String()
}

// TestMatchEqualsALinearSearch compares the host's finder with what it stands for:
// try every template, and take the first in the order of rules that matches.
func TestMatchEqualsALinearSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &catalog.Package{ID: "p", Owner: "acme", Type: catalog.File}
		n := rapid.SampledFrom([]int{3, 10, 60, 300}).Draw(t, "rules")
		for i := range n {
			r := catalog.Route{ID: fmt.Sprint("r", i), IncomingPath: drawTemplate(t), CreatedAt: day(rapid.IntRange(1, 3).Draw(t, "age"))}
			if CheckRoute(p.Type, &r) == nil {
				p.Routes = append(p.Routes, r)
			}
		}
		tab, err := build(newFakeSource().add(p), Options{BaseDomain: "base.test"})
		if err != nil {
			t.Fatal(err)
		}
		rules, _ := compilePackage(p, nil)
		slices.SortFunc(rules, (*Rule).order)
		h := tab.Host("acme.gateway.base.test")
		if h == nil {
			return
		}
		m := new(Match)
		paths, queries := drawRequests(t)
		for i, path := range paths {
			want := "none"
			var s template.Subject
			var c template.Captures
			s.Reset(path, queries[i])
			for _, r := range rules {
				if r.tmpl.incoming.Match(&s, &c) {
					want = describe(r)
					for k := range c.Len() {
						want += fmt.Sprintf(" %s=%s", r.tmpl.incoming.Name(k), c.Value(k))
					}
					break
				}
			}
			got := "none"
			if h.Match("GET", path, queries[i], m) {
				got = describe(m.Rule)
				for _, v := range m.Vars {
					got += fmt.Sprintf(" %s=%s", v.Name, v.Value)
				}
			}
			if got != want {
				t.Fatalf("%s?%s: got %s, want %s", path, queries[i], got, want)
			}
		}
	})
}
