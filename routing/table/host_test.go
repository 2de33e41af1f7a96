package table

import (
	"slices"
	"testing"

	"tallygate/cluster/catalog"
)

func TestHosts(t *testing.T) {
	src := newFakeSource()
	claim := func(owner, name string, state catalog.DomainState) {
		id := owner + "@" + name
		src.domains[id] = &catalog.Domain{ID: id, Owner: owner, Name: name, State: state}
	}
	at := func(id, owner string, domains ...string) {
		p := file(id, routes(route("/"+id)), domains...)
		p.Owner = owner
		src.add(p)
	}
	at("own", "acme")
	at("asserted", "acme", "asserted.test")
	at("pending", "acme", "pending.test")
	at("failing", "acme", "failing.test")
	at("unclaimed", "acme", "unclaimed.test")
	at("mine", "acme", "both.test")
	at("theirs", "bolt", "both.test")
	at("named", "acme", "acme.gateway.base.test")
	at("squat", "bolt", "acme.gateway.base.test", "static.base.test", "base.test", "carol.gateway.base.test", "dave.docker.base.test")
	claim("acme", "asserted.test", catalog.Asserted)
	claim("acme", "pending.test", catalog.Pending)
	claim("acme", "failing.test", catalog.Failing)
	claim("acme", "empty.test", catalog.Verified)
	claim("acme", "both.test", catalog.Pending)
	claim("bolt", "both.test", catalog.Verified)
	claim("bolt", "acme.gateway.base.test", catalog.Verified)
	claim("bolt", "carol.gateway.base.test", catalog.Verified)
	claim("bolt", "dave.docker.base.test", catalog.Asserted)
	claim("bolt", "static.base.test", catalog.Asserted)
	claim("bolt", "base.test", catalog.Asserted)
	src.add(&catalog.Package{ID: "img", Owner: "acme", Type: catalog.Docker, Image: &catalog.Image{Repository: "a/b"}})
	tab := mustBuild(t, src)

	for _, tt := range []struct {
		name, host  string
		owner, kind string // "" kind: nobody serves the host
		path        string // one that it serves
	}{
		{"a package without domains is at its owner's host", own, "acme", "gateway-host", "/own"},
		{"which may be named as a domain", own, "acme", "gateway-host", "/named"},
		{"an image at the image host", "acme.docker.base.test", "acme", "docker-host", ""},
		{"an asserted claim serves", "asserted.test", "acme", "custom", "/asserted"},
		{"a pending one does not", "pending.test", "", "", ""},
		{"a failing one still does", "failing.test", "acme", "custom", "/failing"},
		{"a domain that nobody claims", "unclaimed.test", "", "", ""},
		{"a claim without packages", "empty.test", "acme", "custom", ""},
		{"of two claims the verified one", "both.test", "bolt", "custom", "/theirs"},
		{"another owner's host can't be claimed by proof", "carol.gateway.base.test", "", "", ""},
		{"but by an operator, while its owner has nothing there", "dave.docker.base.test", "bolt", "custom", "/squat"},
		{"the pixel host is nobody's", "static.base.test", "", "static-host", ""},
		{"nor is the base domain", "base.test", "", "base-host", ""},
		{"no such owner", "eve.gateway.base.test", "", "", ""},
		{"no such label", "acme.other.base.test", "", "", ""},
		{"too deep", "a.acme.gateway.base.test", "", "", ""},
		{"a stranger", "stranger.test", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := tab.Host(tt.host)
			if (h == nil) != (tt.kind == "") {
				t.Fatalf("Host(%s) = %v", tt.host, h)
			}
			if h == nil {
				return
			}
			if h.Name() != tt.host || h.Owner() != tt.owner || h.Kind().String() != tt.kind {
				t.Errorf("Host(%s) is %s, a %s of %q", tt.host, h.Name(), h.Kind(), h.Owner())
			}
			if tt.path != "" && !h.Match("GET", tt.path, "", new(Match)) {
				t.Errorf("%s does not serve %s", tt.host, tt.path)
			}
		})
	}
	if h := tab.Host("both.test"); h.Match("GET", "/mine", "", new(Match)) {
		t.Error("the rules of an owner whose claim does not serve are served")
	}
	if h := tab.Host(own); h.Match("GET", "/squat", "", new(Match)) {
		t.Error("another owner's rules are served at an owner's own host")
	}
}

func TestHostsWithLongNames(t *testing.T) {
	name := "a-domain-name-that-does-not-fit-beside-the-flags.of-a-host.test"
	tab := mustBuild(t, newFakeSource().asserted("acme", name).add(file("p", routes(route("/a")), name)))
	if h := tab.Host(name); h == nil || h.Name() != name {
		t.Errorf("Host(%s) = %v", name, h)
	}
	if h := tab.Host(name[1:]); h != nil {
		t.Errorf("Host(%s) = %v", name[1:], h.Name())
	}
}

func TestWithoutABaseDomainThereAreNoHostsOfOurOwn(t *testing.T) {
	tab, err := build(newFakeSource().asserted("acme", "dl.test").add(file("a", routes(route("/a")))).add(file("b", routes(route("/b")), "dl.test")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if tab.Host("acme.gateway.") != nil || tab.Host("") != nil || tab.Host("dl.test") == nil {
		t.Error("hosts are not what they should be")
	}
}

func TestABaseDomainMustBeNormalized(t *testing.T) {
	for _, base := range []string{"Base.test", "base.test.", ".base.test", "base.test:8080", "https://base.test"} {
		if _, err := build(newFakeSource(), Options{BaseDomain: base}); err == nil {
			t.Errorf("%q is accepted", base)
		}
	}
}

func TestRoutesAndFilesOfOneDomain(t *testing.T) {
	only := route("/only")
	only.Domain = "two.test"
	src := newFakeSource().asserted("acme", "one.test").asserted("acme", "two.test").
		add(file("p", routes(only, route("/both")), "one.test", "two.test"))
	python := &catalog.Package{
		ID: "py", Owner: "acme", Type: catalog.Python, Domains: []catalog.PackageDomain{{Name: "one.test"}, {Name: "two.test"}},
		Index: &catalog.PythonProject{Project: "rocket", Files: []catalog.PythonFile{
			{FileName: "a.whl", Domain: "two.test"}, {FileName: "b.whl", Domain: "two.test"},
		}},
	}
	tab := mustBuild(t, src.add(python))
	one, two := tab.Host("one.test"), tab.Host("two.test")
	m := new(Match)
	if one.Match("GET", "/only", "", m) || !one.Match("GET", "/both", "", m) || !two.Match("GET", "/only", "", m) {
		t.Error("the route is not at its domain only")
	}
	if one.Python("rocket") != nil || one.HasPython() {
		t.Error("a project without files is listed")
	}
	var names []string
	for f := range two.Python("rocket").PythonFiles(two) {
		names = append(names, f.FileName)
	}
	if !slices.Equal(names, []string{"a.whl", "b.whl"}) {
		t.Errorf("files are %v", names)
	}
}

func TestPythonProjectsComeByName(t *testing.T) {
	src := newFakeSource()
	for _, name := range []string{"rocket", "rocket-skates", "acme", "zeppelin", "rock"} {
		p := &catalog.Package{ID: name, Owner: "acme", Type: catalog.Python, Index: &catalog.PythonProject{Project: name, RepositoryURL: "https://o.test/"}}
		src.add(p)
	}
	older := &catalog.Package{ID: "z", Owner: "acme", Type: catalog.Python, Index: &catalog.PythonProject{Project: "rock"}}
	younger := src.packages["rock"]
	older.CreatedAt, younger.CreatedAt = day(1), day(2)
	h := mustBuild(t, src.add(older)).Host(own)
	var names []string
	for r := range h.PythonProjects() {
		names = append(names, r.Package.Index.Project)
	}
	if want := []string{"acme", "rock", "rocket", "rocket-skates", "zeppelin"}; !slices.Equal(names, want) {
		t.Errorf("projects are %v, want %v", names, want)
	}
	if h.Python("rock").Package != older {
		t.Error("of two packages of one project, the younger serves")
	}
	if h.Python("none") != nil {
		t.Error("an unknown project is found")
	}
}

func TestPixels(t *testing.T) {
	src := newFakeSource().asserted("acme", "px.test").asserted("acme", "dl.test")
	src.pixels["1"] = &catalog.Pixel{ID: "1", Owner: "acme", Domains: []string{"px.test"}}
	src.pixels["2"] = &catalog.Pixel{ID: "2", Owner: "bolt", Domains: []string{"dl.test"}}
	tab := mustBuild(t, src)
	for host, want := range map[string]bool{"px.test": true, "dl.test": false, "static.base.test": true, "base.test": false} {
		if got := tab.Host(host).HasPixels(); got != want {
			t.Errorf("%s serves pixels: %v", host, got)
		}
	}
	if tab.Pixel("1") != src.pixels["1"] || tab.Pixel("3") != nil {
		t.Error("pixels are not found by id")
	}
}

func TestOverridesReachTheRules(t *testing.T) {
	src := newFakeSource().add(file("p", routes(route("/a"))))
	org := &catalog.Organization{ID: "o", Name: "acme", VariableOverrides: map[string]string{"ver": "version"}}
	tab := mustBuild(t, src)
	_, m := get(t, tab, "GET", own, "/a", "")
	if m.Rule.Overrides != nil {
		t.Errorf("overrides are %v", m.Rule.Overrides)
	}
	src = src.clone()
	src.orgs["acme"] = org
	tab = tab.update(src, []catalog.Change{{Kind: catalog.KindOrganization, ID: "o", After: org}})
	if _, m = get(t, tab, "GET", own, "/a", ""); m.Rule.Overrides["ver"] != "version" {
		t.Errorf("overrides are %v", m.Rule.Overrides)
	}
	if tab.Overrides("acme")["ver"] != "version" || tab.Overrides("bolt") != nil {
		t.Error("overrides are not found by owner")
	}
}

func TestOneBrokenRouteLeavesTheOthers(t *testing.T) {
	src := newFakeSource().add(file("p", routes(route("/{"), route("/b")))).add(file("q", routes(route("/c"))))
	tab, err := build(src, Options{BaseDomain: "base.test"})
	if err != nil {
		t.Fatal(err)
	}
	problems := func(tab *Table) (ids []string) {
		for id := range tab.Problems() {
			ids = append(ids, id)
		}
		return ids
	}
	if got := problems(tab); !slices.Equal(got, []string{"p"}) {
		t.Errorf("problems with %v", got)
	}
	for _, path := range []string{"/b", "/c"} {
		if got, _ := get(t, tab, "GET", own, path, ""); got != "200" {
			t.Errorf("%s goes to %q", path, got)
		}
	}
	mended := file("p", routes(route("/a"), route("/b")))
	fixed := tab.update(src.clone().add(mended), []catalog.Change{{Kind: catalog.KindPackage, ID: "p", Before: src.packages["p"], After: mended}})
	if got := problems(fixed); got != nil {
		t.Errorf("problems with %v", got)
	}
}
