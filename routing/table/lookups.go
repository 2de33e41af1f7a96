package table

import (
	"cmp"
	"slices"

	"tallygate/cluster/catalog"
)

// NPM finds the package of type npm with a name, as install events call it. Of
// several owners' packages with that name the oldest is meant, the smallest id
// among those of one age; nil if there is none.
func (t *Table) NPM(name string) *catalog.Package {
	if list := t.npm.get(name, forwards); list != nil {
		return (*list)[0]
	}
	return nil
}

// Overrides are an owner's variable overrides, for what is recorded without a
// rule (pixels); nil if there are none. They are shared and must not be modified.
func (t *Table) Overrides(owner string) map[string]string {
	if o := t.src.Organization(owner); o != nil {
		return o.VariableOverrides
	}
	return nil
}

// npmPackage files a package of type npm under its name, or takes it out. The
// lists are short: names are unique on the registry, so several owners claiming
// one is a mistake of all but one of them.
func (c *change) npmPackage(p *catalog.Package, in bool) {
	if p.Type != catalog.NPM {
		return
	}
	c.t.npm = c.t.npm.update(c.t.step, p.Name, forwards, func(old *[]*catalog.Package) *[]*catalog.Package {
		var list []*catalog.Package
		if old != nil {
			list = slices.DeleteFunc(slices.Clone(*old), func(o *catalog.Package) bool { return o.ID == p.ID })
		}
		if in {
			list = append(list, p)
			slices.SortFunc(list, func(a, b *catalog.Package) int {
				return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
			})
		}
		if len(list) == 0 {
			return nil
		}
		return &list
	})
}
