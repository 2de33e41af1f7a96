package table

import (
	"cmp"
	"iter"
	"strings"
	"time"

	"tallygate/cluster/catalog"
	"tallygate/routing/template"
)

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

// String is the kind's name in explanations.
func (k RuleKind) String() string {
	switch k {
	case ImageRule:
		return "image"
	case CollectionRule:
		return "collection"
	case TemplateRule:
		return "template"
	case RegexpRule:
		return "regexp"
	case PythonRule:
		return "python"
	case EventRule:
		return "event"
	case CatchAllRule:
		return "catch-all"
	}
	return "unknown"
}

// Rule is one compiled rule. It is immutable and shared.
type Rule struct {
	Kind       RuleKind
	Package    *catalog.Package    // nil for a collection
	Route      *catalog.Route      // nil for images, collections and python
	Collection *catalog.Collection // collections only
	Overrides  map[string]string   // the owner's variable overrides; may be nil

	ord  uint16 // the route's place in the package
	rank uint64 // how specific a template is: greater goes first

	tmpl *templateRule       // the rule itself, of templates and event rules
	outs []template.Outgoing // of templates, event rules and regular expressions
	rest *restRule           // regular expressions, catch-alls and collections
}

// templateRule keeps a rule, its templates and their literals in one piece: a match
// reads all of them, and among a million rules each piece is a miss of the cache.
type templateRule struct {
	Rule
	incoming template.Incoming
	outgoing [1]template.Outgoing
	literals [96]byte // what template.Pack makes of it
}

// ready is always true: no rule is of kind 0. Asking begins to fetch all of the
// rule.
func (r *templateRule) ready() bool {
	return uint8(r.Kind)|r.literals[0]|r.literals[64]|uint8(r.incoming.Literals())|r.outgoing[0].Parts() != 0
}

// restRule is what only the rarer kinds of rules have.
type restRule struct {
	re       *regexpRule
	catchAll *catchAllRule
	image    *imagePattern
}

// Vars are the captured variables of a match, by order of appearance, decoded.
type Vars []Var

// Var is one captured variable.
type Var struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Get is the value of a variable; "" if there is none of that name.
func (v Vars) Get(name string) string {
	for i := range v {
		if v[i].Name == name {
			return v[i].Value
		}
	}
	return ""
}

// Owner is who owns the rule.
func (r *Rule) Owner() string {
	if r.Package != nil {
		return r.Package.Owner
	}
	return r.Collection.Owner
}

// PythonFiles yields the files named by hand that the rule's project has on a host.
func (r *Rule) PythonFiles(h *Host) iter.Seq[*catalog.PythonFile] {
	return func(yield func(*catalog.PythonFile) bool) {
		if r.Package == nil || r.Package.Index == nil {
			return
		}
		files := r.Package.Index.Files
		for i := range files {
			if (files[i].Domain == "" || files[i].Domain == h.name) && !yield(&files[i]) {
				return
			}
		}
	}
}

// specificity packs the order among templates: the longest literal prefix, then
// the most literal characters, then the fewest variables.
func specificity(t *template.Incoming) uint64 {
	return uint64(t.Prefix())<<32 | uint64(t.Literals())<<16 | uint64(0xffff-t.Variables())
}

func (r *Rule) prefix() int { return int(r.rank >> 32) }

// before orders rules among their kind: the more specific, then the older, then by
// id.
func (r *Rule) before(o *Rule) bool { return r.order(o) < 0 }

func (r *Rule) order(o *Rule) int {
	if r.rank != o.rank {
		return cmp.Compare(o.rank, r.rank)
	}
	return r.age(o)
}

// age orders rules by creation, then by id.
func (r *Rule) age(o *Rule) int {
	return cmp.Or(
		r.created().Compare(o.created()),
		strings.Compare(r.routeID(), o.routeID()),
		strings.Compare(r.id(), o.id()),
		cmp.Compare(r.ord, o.ord),
	)
}

func (r *Rule) created() time.Time {
	switch {
	case r.Route != nil && !r.Route.CreatedAt.IsZero():
		return r.Route.CreatedAt
	case r.Package != nil:
		return r.Package.CreatedAt
	}
	return r.Collection.CreatedAt
}

func (r *Rule) routeID() string {
	if r.Route != nil {
		return r.Route.ID
	}
	return ""
}

// id is that of the object that the rule comes from.
func (r *Rule) id() string {
	if r.Package != nil {
		return r.Package.ID
	}
	return r.Collection.ID
}

// same says whether two rules come from the same place: two versions of one rule.
func (r *Rule) same(o *Rule) bool {
	return r.ord == o.ord && r.Kind == o.Kind && r.id() == o.id()
}

// insertRule puts a rule into a list ordered by less, which the caller owns.
func insertRule(list []*Rule, r *Rule, less func(a, b *Rule) bool) []*Rule {
	lo, hi := 0, len(list)
	for lo < hi {
		if mid := (lo + hi) / 2; less(list[mid], r) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return putIn(list, lo, r)
}

func moreSpecific(a, b *Rule) bool { return a.before(b) }
func older(a, b *Rule) bool        { return a.age(b) < 0 }
