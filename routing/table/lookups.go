package table

import "tallygate/cluster/catalog"

// NPM finds the package of type npm with a name, as install events call it. Of
// several owners' packages with that name the oldest is meant, the smallest id
// among those of one age; nil if there is none.
func (t *Table) NPM(name string) *catalog.Package { return nil }

// Overrides are an owner's variable overrides, for what is recorded without a
// rule (pixels); nil if there are none. They are shared and must not be modified.
func (t *Table) Overrides(owner string) map[string]string { return nil }
