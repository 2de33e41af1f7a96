// Package syntax reads YAML and JSON files that people write by hand: it keeps
// the place of every value, collects every mistake instead of stopping at the
// first, and hands large lists over one element at a time.
//
// It knows nothing of the catalog. What the keys mean is decided by packages
// document and manifest, which read their files with a [Reader].
package syntax
