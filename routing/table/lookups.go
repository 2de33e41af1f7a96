package table

import (
	"slices"

	"tallygate/cluster/catalog"
)

// NPM finds the package of type npm with a name, as install events call it. Of
// several owners' packages with that name the oldest is meant, the smallest id
// among those of one age; nil if there is none.
func (t *Table) NPM(name string) *catalog.Package {
	if list := t.npm.get(name); len(list) > 0 {
		return list[0]
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
	old := c.t.npm.get(p.Name)
	list := make([]*catalog.Package, 0, len(old)+1)
	for _, o := range old {
		if o.ID != p.ID {
			list = append(list, o)
		}
	}
	if in {
		list = append(list, p)
		slices.SortFunc(list, func(a, b *catalog.Package) int {
			if d := a.CreatedAt.Compare(b.CreatedAt); d != 0 {
				return d
			}
			if a.ID < b.ID {
				return -1
			}
			return 1
		})
	}
	if len(list) == 0 {
		c.t.npm.remove(c.t.step, p.Name)
		return
	}
	c.t.npm.set(c.t.step, p.Name, list)
}
