package table

import "tallygate/cluster/catalog"

// RuleKind says which part of the gateway serves a rule.
type RuleKind uint8

// The kinds of rules, in the order in which a host tries them.
const (
	ImageRule RuleKind = iota + 1
	CollectionRule
	TemplateRule
	RegexpRule
	PythonRule
	EventRule
	CatchAllRule
)

// Rule is one compiled rule. It is immutable and shared.
type Rule struct {
	Kind       RuleKind
	Package    *catalog.Package    // nil for a collection
	Route      *catalog.Route      // nil for images, collections and python
	Collection *catalog.Collection // collections only
	Overrides  map[string]string   // the owner's variable overrides; may be nil
}

// Vars are the captured variables of a match, by order of appearance, decoded.
type Vars []Var

// Var is one captured variable.
type Var struct {
	Name  string
	Value string
}
