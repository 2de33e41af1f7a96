// Package manifest reads the manifests of gateways that people move over from:
// one file of rules, in JSON or YAML, taken unchanged. Rules become a
// [document.Document], from where on a manifest is applied like any catalog
// file.
//
// A manifest says of each rule which package it belongs to; the catalog says of
// each package which rules it has. The rules of one package id become one
// package, as far as the catalog can hold them in one: images of different
// repositories, files and events, and events with different access tokens are
// packages of their own, and all but the first get an id derived from the
// manifest's.
package manifest

import (
	"fmt"

	"tallygate/cluster/catalog/document"
	"tallygate/cluster/catalog/document/syntax"
)

// DefaultOwner owns the rules without an owner where nothing else is asked for.
const DefaultOwner = "default"

// Options is what a manifest leaves open.
type Options struct {
	Owner string // of rules without one; empty: DefaultOwner
}

// Parse reads a manifest. The document is never nil; problems are its Problems,
// each naming the rule by its index: "rules[3].incoming-path". Owners that don't
// exist yet become organizations. name is used in messages only.
//
// Keys that a rule's type doesn't know are passed over, as gateways do, unless
// they look like a misspelt one.
func Parse(name string, data []byte, opts Options) (*document.Document, []*document.Problem) {
	if opts.Owner == "" {
		opts.Owner = DefaultOwner
	}
	r := &syntax.Reader{File: name}
	b := newBuilder(&document.Document{Name: name}, r, opts.Owner)
	found, mistaken := false, false
	r.Read(data, func(e syntax.Entry) {
		if e.Key.Value != "rules" {
			if near := syntax.Nearest(e.Key.Value, []string{"rules"}); near != "" && e.Index <= 0 {
				mistaken = true
				r.At(e.Key, e.Path, fmt.Sprintf("unknown key %q", e.Key.Value), "did you mean \"rules\"?")
			}
			return
		}
		found = true
		value := syntax.Follow(e.Value)
		if e.Index < 0 {
			if !syntax.IsList(value) && !syntax.IsNull(value) {
				r.At(value, e.Path, "expected a list of rules", "")
			}
			return
		}
		if m := r.Mapping(value, e.Path); m != nil {
			b.rule(m)
		}
	})
	if !found && !mistaken && len(r.Problems) == 0 {
		r.Add(&document.Problem{Message: "there are no rules", Fix: "a manifest is a mapping with the key \"rules\"; is this a catalog file?"})
	}
	b.finish()
	b.doc.Problems = r.Finish()
	return b.doc, b.doc.Problems
}
