package table

import "tallygate/cluster/catalog"

// Conflicts finds the routes that can match the same URL as one of pkg's on one of
// pkg's hosts. pkg may be in the table or about to enter it.
func (t *Table) Conflicts(pkg *catalog.Package) []Conflict { return nil }
