// Package table holds the compiled rules of every host: an immutable value that
// the request path reads through one atomic pointer. It is derived from a catalog
// view, at once at start and by small steps after each change; a step shares all that
// it does not touch with the table before it.
//
// # Which rule serves a request
//
// The host comes first; it belongs to one owner. On a host the kinds of rules are
// tried in the order of [RuleKind]. Among templates, and among event rules, the most
// specific wins: the longest literal beginning of the path, then the most literal
// characters, then the fewest variables, then the older, then the smaller id. Regular
// expressions are tried by age, and of catch-alls the one with the longest prefix
// serves. [Table.Explain] says all this about one URL, and [Table.Conflicts] about the
// rules of one package.
//
// # What it costs
//
// A match takes one allocation, the location, and is found by hashes: of the host's
// name, of the literal segments that templates ask for, of literals beside variables.
// Its cost does not depend on how many rules the host or the table has, but on how
// many forms they take; see finder. An update replaces the pages and nodes on the way
// to what changed.
package table
