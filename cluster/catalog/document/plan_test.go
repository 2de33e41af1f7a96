package document

import (
	"strings"
	"testing"

	"tallygate/cluster/catalog"
)

func TestTheFullFileIsAppliedOnce(t *testing.T) {
	w := newWorld(t)
	w.apply(full)
	w.unchanged(full)
	v := w.store.View()
	k := v.Package("rocket-1")
	if k == nil || k.Image.Repository != "acme/rocket-skates" || k.Domains[0].Name != "get.acme.org" || len(k.Image.FailoverRegistries) != 1 {
		t.Errorf("rocket is %+v", k)
	}
	if img := v.PackageByName("acme", catalog.Docker, "plain").Image; img.Repository != "acme/plain" {
		t.Errorf("the default repository is %q", img.Repository)
	}
	if img := v.PackageByName("acme", catalog.Docker, "other/plain").Image; img.Repository != "other/plain" {
		t.Errorf("the repository of a name with a slash is %q", img.Repository)
	}
	if e := v.PackageByName("acme", catalog.Event, "telemetry").Events; len(e.TokenHashes) != 2 || e.TokenHashes[1] != HashToken("secret") {
		t.Errorf("tokens are %v", e.TokenHashes)
	}
	if e := v.PackageByName("acme", catalog.Event, "closed").Events; e == nil || !e.Restricted || len(e.TokenHashes) != 0 {
		t.Errorf("closed to all is %+v", e)
	}
	if e := v.PackageByName("acme", catalog.Event, "open").Events; e != nil {
		t.Errorf("open to all is %+v", e)
	}
	if d := v.ServingDomain("dl.acme.org"); d == nil || d.State != catalog.Asserted {
		t.Errorf("an implied claim is %+v", d)
	}
	if d := v.Claim("acme", "later.acme.org"); d.State != catalog.Pending || d.Code == "" {
		t.Errorf("a pending claim is %+v", d)
	}
	if p := v.Pixel("px-1"); p.PackageID != "rocket-1" {
		t.Errorf("the pixel is %+v", p)
	}
}

func TestAnExportedCatalogIsTheSameCatalog(t *testing.T) {
	w := newWorld(t)
	w.apply(full)
	first := w.export()
	w.unchanged(first)
	other := newWorld(t)
	other.newID = counter("other")
	other.opts.NewID = other.newID
	other.apply(first)
	if second := other.export(); second != first {
		t.Errorf("first\n%s\nsecond\n%s", first, second)
	}
	if strings.Contains(first, "secret") {
		t.Error("a token is in the export")
	}
}

func TestObjectsKeepTheirIDs(t *testing.T) {
	w := newWorld(t)
	w.apply(`
organizations: [{name: acme}]
packages:
  - owner: acme
    name: cli
    type: file
    domains: [a.example, b.example]
    routes:
      - {incoming_path: /a, outgoing_url: https://o.example/a}
      - {incoming_path: /b, outgoing_url: https://o.example/b}
`)
	before := w.store.View().PackageByName("acme", catalog.File, "cli")
	diff := w.apply(`
organizations: [{name: acme, description: Rockets}]
packages:
  - owner: acme
    name: cli
    type: file
    domains: [b.example, c.example]
    routes:
      - {incoming_path: /c}
      - {incoming_path: /b, outgoing_url: https://o.example/b2, redirect_status: 308}
`)
	after := w.store.View().PackageByName("acme", catalog.File, "cli")
	if after.ID != before.ID || after.Domains[0] != before.Domains[1] || after.Routes[1].ID != before.Routes[1].ID ||
		after.Routes[0].ID == before.Routes[0].ID || !after.CreatedAt.Equal(before.CreatedAt) {
		t.Errorf("before %+v\nafter  %+v", before, after)
	}
	lines(t, strings.Split(diff, "\n"),
		"~ organization acme",
		"+   description: Rockets",
		"+ domain acme/c.example",
		"+   state: asserted",
		"~ package acme/file/cli",
		"+   domains: c.example",
		"+   routes[/c]: answers 200 and counts",
		"-   routes[/b]: https://o.example/b",
		"+   routes[/b]: https://o.example/b2",
		"+   routes[/b].redirect_status: 308",
		"-   domains: a.example",
		"-   routes[/a]: https://o.example/a",
		"1 to create, 2 to update, 0 to delete, 1 unchanged",
		"")
}

func TestPackagesAreRenamedByID(t *testing.T) {
	w := newWorld(t)
	w.apply(`{organizations: [{name: acme}], packages: [{owner: acme, name: a, type: npm, id: p1}]}`)
	w.apply(`{packages: [{owner: acme, name: b, type: npm, id: p1}]}`)
	v := w.store.View()
	if v.Package("p1").Name != "b" || v.Count(catalog.KindPackage) != 1 {
		t.Errorf("renamed to %+v", v.Package("p1"))
	}
}

func TestNamesChangeHandsWithinOneFile(t *testing.T) {
	w := newWorld(t)
	w.apply(`
organizations: [{name: acme}, {name: beep}]
packages:
  - {owner: acme, name: a, type: docker, backend_registry: r.example, public_name: x, domains: [a.example]}
  - {owner: acme, name: b, type: docker, backend_registry: r.example, public_name: y, domains: [a.example]}
  - {owner: acme, name: c, type: npm}
pixels: [{owner: acme, name: p, package: c}]
`)
	w.opts.Prune = true
	// a takes b's public name while b takes another; the domain goes to beep; c
	// goes, and its pixel changes in the same plan.
	diff := w.apply(`
organizations: [{name: acme}, {name: beep}]
packages:
  - {owner: acme, name: a, type: docker, backend_registry: r.example, public_name: y}
  - {owner: acme, name: b, type: docker, backend_registry: r.example, public_name: z}
  - {owner: beep, name: a, type: docker, backend_registry: r.example, public_name: x, domains: [a.example]}
pixels: [{owner: acme, name: p, package: a}]
`)
	v := w.store.View()
	if v.ServingDomain("a.example").Owner != "beep" || v.PackageByName("acme", catalog.NPM, "c") != nil {
		t.Errorf("applied\n%s", diff)
	}
}

func TestPruneKeepsToTheOwnersOfTheFile(t *testing.T) {
	w := newWorld(t)
	w.apply(full)
	w.apply(`
packages: [{owner: beep, name: theirs, type: npm}]
pixels: [{owner: beep, name: theirs}]
`)
	// An image that a collection has made a package for at its first pull.
	made := &catalog.Package{ID: "made", Owner: "acme", Name: "tools/hammer", Type: catalog.Docker, Image: &catalog.Image{Registry: "quay.io", Repository: "tools/hammer"}}
	result, _ := w.store.Apply(&catalog.Command{Format: 1, ID: "made", Time: now, Actor: operator, Ops: []catalog.Op{{Package: made}}})
	if result.Err() != nil {
		t.Fatal(result.Err())
	}
	w.opts.Prune = true
	diff := w.apply(`
owner: acme
packages:
  - {name: launcher, type: npm}
collections:
  - {pattern: "tools/*", backend_domain: quay.io}
`)
	v := w.store.View()
	for what, left := range map[string]bool{
		"the pruned package": v.Package("rocket-1") != nil, "the pruned pixel": v.Pixel("px-1") != nil,
		"the pruned domain": v.Claim("acme", "later.acme.org") != nil, "the pruned collection": v.Collection("all") != nil,
	} {
		if left {
			t.Errorf("%s is still there\n%s", what, diff)
		}
	}
	for what, gone := range map[string]bool{
		"the owner": v.Organization("acme") == nil, "another owner's package": v.PackageByName("beep", catalog.NPM, "theirs") == nil,
		"another owner's pixel": v.PixelByName("beep", "theirs") == nil, "another owner's domain": v.Claim("beep", "beep.example") == nil,
		"the image of a collection": v.Package("made") == nil,
	} {
		if gone {
			t.Errorf("%s is gone\n%s", what, diff)
		}
	}
}

func TestWithoutOperatorRightsClaimsArePending(t *testing.T) {
	w := newWorld(t)
	w.apply(`{organizations: [{name: acme}], domains: [{owner: acme, name: a.example}]}`)
	w.opts.Actor = catalog.Actor{Kind: "token"}
	w.apply(`{packages: [{owner: acme, name: p, type: npm, domains: [a.example, b.example]}]}`)
	v := w.store.View()
	if s := v.Claim("acme", "b.example").State; s != catalog.Pending {
		t.Errorf("the new claim is %s", s)
	}
	if s := v.Claim("acme", "a.example").State; s != catalog.Asserted {
		t.Errorf("the claim made before is %s", s)
	}
	_, problems := w.plan(`{domains: [{owner: acme, name: c.example, state: asserted}]}`)
	if len(problems) != 1 || !strings.Contains(problems[0], "catalog.yaml:1:50: domains[0].state: ") {
		t.Errorf("problems %q", problems)
	}
}

func TestCommandsStayWithinTheCatalogsBounds(t *testing.T) {
	var b strings.Builder
	b.WriteString("owner: acme\norganizations: [{name: acme}]\npackages:\n")
	for i := range 25 {
		b.WriteString("  - {name: p" + strings.Repeat("x", i) + ", type: npm, long_description: " + strings.Repeat("a", 60<<10) + "}\n")
	}
	w := newWorld(t)
	plan, problems := w.plan(b.String())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	cmds := plan.Commands(10, w.newID)
	if len(cmds) != 3 || len(cmds[0].Ops) != 10 || cmds[0].Ops[0].Organization == nil {
		t.Errorf("%d commands, the first with %d ops", len(cmds), len(cmds[0].Ops))
	}
	for _, cmd := range cmds {
		if result, _ := w.store.Apply(cmd); result.Err() != nil {
			t.Error(result.Err())
		}
	}
}
