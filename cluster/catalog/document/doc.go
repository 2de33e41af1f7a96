// Package document reads, compares and writes the catalog as a file that people
// keep by hand: organizations, users, packages with their routes, domains,
// pixels and collections, in YAML or JSON.
//
// [Parse] turns a file into a [Document], the wanted state, and names every
// mistake at once, each by line, column and path. [Document.Plan] compares that
// state with a [catalog.View] and gives the operations that lead from one to the
// other; applying a file twice changes nothing the second time. [Export] writes
// a view as such a file, so that export, parse and plan together change nothing.
//
// Who proposes the commands, and who may, is the business of package node.
// Gateway manifests, another format of the same wishes, are read by package
// manifest, which builds a Document too. docs/catalog.md describes the format.
package document
