package table

import (
	"testing"
	"time"

	"tallygate/cluster/catalog"
)

func TestNPMPackagesAreFoundByNameThroughChanges(t *testing.T) {
	old := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	pkg := func(id, name string, age time.Time) *catalog.Package {
		return &catalog.Package{ID: id, Owner: "o-" + id, Name: name, Type: catalog.NPM, Meta: catalog.Meta{CreatedAt: age}}
	}
	first, second, third := pkg("b", "skates", old), pkg("a", "skates", old.Add(time.Hour)), pkg("c", "skates", old)
	other := &catalog.Package{ID: "f", Owner: "o", Name: "skates", Type: catalog.File}
	renamed := pkg("b", "rockets", old)

	tab := &Table{}
	step := func(before, after *catalog.Package) {
		c := newChange(tab)
		if before != nil {
			c.npmPackage(before, false)
		}
		if after != nil {
			c.npmPackage(after, true)
		}
		tab = c.t
	}
	want := func(name string, p *catalog.Package) {
		t.Helper()
		if got := tab.NPM(name); got != p {
			t.Errorf("NPM(%q) = %v, want %v", name, got, p)
		}
	}
	want("skates", nil)
	step(nil, other)
	want("skates", nil)
	step(nil, second)
	want("skates", second)
	step(nil, first)
	want("skates", first)
	step(nil, third)
	want("skates", first)
	before := tab
	step(first, renamed)
	want("skates", third)
	want("rockets", renamed)
	if before.NPM("rockets") != nil || before.NPM("skates") != first {
		t.Error("a change reached into the table before it")
	}
	step(third, nil)
	step(second, nil)
	want("skates", nil)
}
