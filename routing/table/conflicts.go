package table

import (
	"fmt"
	"strings"

	"tallygate/cluster/catalog"
	"tallygate/routing/template"
)

// Conflict is two rules of one host that can match the same URL. It is no error,
// since which of them serves is defined, but hardly ever what an owner wants to find
// out from a download.
type Conflict struct {
	Host   string  `json:"host"`
	Rule   RuleRef `json:"rule"`   // of the package asked about
	Other  RuleRef `json:"other"`  // the one it meets
	Sample string  `json:"sample"` // a URL without scheme that both match
	Wins   string  `json:"wins"`   // a sentence: which of them serves the sample, and why
}

// The bounds of a search for conflicts. A package that is in the way of thousands of
// others need not hear of all of them, and a host of a million rules must not hold up
// an apply.
const (
	maxConflicts = 10     // for one rule of the package on one host
	maxExamined  = 50_000 // rules of one host, for one rule of the package
)

// Conflicts finds the rules that can match the same URL as one of pkg's on one of
// pkg's hosts, with a sample that was tried with both. pkg may be in the table or
// about to enter it; rules of its own that meet each other are named once.
//
// Between templates it finds every pair, within bounds that only hosts with
// thousands of rules reach. Whether a regular expression meets another rule can't be
// decided so; for those a few samples are tried. Rules of different kinds are tried
// in the order of the kinds, which is no accident when the later one is a catch-all:
// catch-alls conflict with each other only.
func (t *Table) Conflicts(pkg *catalog.Package) []Conflict {
	rules, _ := compilePackage(pkg, nil)
	c := newChange(t) // only to know the hosts
	var found []Conflict
	c.hostsOf(pkg, func(name string) {
		var host *Host
		for h := t.hosts.get(fit(hashOf(name))).host; h != nil; h = h.other {
			if h.name == name && h.owner == pkg.Owner {
				host = h // whether it serves yet or not
			}
		}
		for i, r := range rules {
			if !r.at(name) {
				continue
			}
			m := meeter{host: name, rule: r}
			for _, o := range rules[i+1:] {
				if o.at(name) {
					m.try(o)
				}
			}
			if host != nil {
				m.all(host, pkg.ID)
			}
			found = append(found, m.found...)
		}
	})
	return found
}

// meeter looks for the rules that one rule meets on a host.
type meeter struct {
	host     string
	rule     *Rule
	found    []Conflict
	examined int
}

// all tries the rules of a host, except those of the package itself, and stops when
// it returns false.
func (m *meeter) all(h *Host, except string) {
	try := func(o *Rule) bool {
		if o.Package != nil && o.Package.ID == except {
			return true
		}
		return m.try(o)
	}
	list := func(_ string, l *ruleList) bool {
		for _, o := range l.rules {
			if !try(o) {
				return false
			}
		}
		return true
	}
	more := h.more
	if more == nil {
		more = new(hostMore)
	}
	switch r := m.rule; r.Kind {
	case TemplateRule, EventRule, RegexpRule:
		templates := func(o *templateRule) bool { return try(&o.Rule) }
		_ = h.templates.all(templates) && h.events.all(templates) && more.regexps.all(try)
	case CatchAllRule:
		if l := more.catchAlls.get(r.rest.catchAll.prefix, forwards); l != nil {
			list("", l)
		}
	case ImageRule:
		if l := more.images.get(fit(hashOf(r.Package.Image.PublicName()))); l != nil {
			list("", l)
		}
	case PythonRule:
		if l := more.python.get(r.Package.Index.Project, forwards); l != nil {
			list("", l)
		}
	}
}

// try looks whether the rule meets another one; false: enough is known.
func (m *meeter) try(o *Rule) bool {
	if m.examined++; m.examined > maxExamined || len(m.found) >= maxConflicts {
		return false
	}
	sample, ok := meet(m.rule, o)
	if !ok {
		return true
	}
	winner, loser := m.rule, o
	if o.tried(m.rule) < 0 {
		winner, loser = o, m.rule
	}
	ref := winner.ref()
	who := ref.Kind + " " + ref.Pattern
	if ref.Pattern == loser.ref().Pattern && ref.Package != "" {
		who = fmt.Sprintf("%s of %s/%s", ref.Kind, ref.Owner, ref.Package)
	}
	m.found = append(m.found, Conflict{
		Host: m.host, Rule: m.rule.ref(), Other: o.ref(), Sample: m.host + sample,
		Wins: who + " serves it: " + winner.beats(loser),
	})
	return true
}

// meet finds a path, with its query, that two rules match.
func meet(a, b *Rule) (sample string, ok bool) {
	switch {
	case a.tmpl != nil && b.tmpl != nil:
		if !template.MayMeet(&a.tmpl.incoming, &b.tmpl.incoming) {
			return "", false
		}
		return template.Meet(&a.tmpl.incoming, &b.tmpl.incoming)
	case a.Kind == RegexpRule && b.Kind == RegexpRule:
		return meetRegexps(a, b)
	case a.Kind == RegexpRule && b.tmpl != nil:
		return meetRegexp(a, b.tmpl)
	case b.Kind == RegexpRule && a.tmpl != nil:
		return meetRegexp(b, a.tmpl)
	case a.Kind != b.Kind:
		return "", false
	case a.Kind == CatchAllRule && a.rest.catchAll.prefix == b.rest.catchAll.prefix:
		return a.Route.IncomingPath[:len(a.Route.IncomingPath)-1], true
	case a.Kind == ImageRule && a.Package.Image.PublicName() == b.Package.Image.PublicName():
		return "/v2/" + a.Package.Image.PublicName() + "/manifests/latest", true
	case a.Kind == PythonRule && a.Package.Index.Project == b.Package.Index.Project:
		return "/simple/" + a.Package.Index.Project + "/", true
	}
	return "", false
}

// fillers are what variables are tried with, where that has to be guessed.
var fillers = []string{"x", "1", "1.0.0", "a-1", "a/1"}

// meetRegexp tries samples of an expression with a template, and samples of the
// template with the expression.
func meetRegexp(re *Rule, t *templateRule) (sample string, ok bool) {
	if !beginAlike(re.rest.re.prefix, t.incoming.LiteralPrefix()) {
		return "", false
	}
	var paths []string
	for _, f := range fillers {
		values := make(map[string]string)
		for _, n := range t.incoming.Names() {
			values[n] = f
		}
		if u, err := t.incoming.Expand(values); err == nil {
			paths = append(paths, u)
		}
	}
	for _, p := range re.rest.re.samples() {
		paths = append(paths, template.EscapePath(p))
	}
	var s template.Subject
	var c template.Captures
	for _, u := range paths {
		path, query, _ := strings.Cut(u, "?")
		if s.Reset(path, query) && re.rest.re.matches(s.Path()) && t.incoming.Match(&s, &c) {
			return u, true
		}
	}
	return "", false
}

// beginAlike says whether one text begins with the other.
func beginAlike(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

func meetRegexps(a, b *Rule) (sample string, ok bool) {
	for _, p := range append(a.rest.re.samples(), b.rest.re.samples()...) {
		if strings.HasPrefix(p, "/") && a.rest.re.matches(p) && b.rest.re.matches(p) {
			return template.EscapePath(p), true
		}
	}
	return "", false
}

// matches says whether the expression would serve a path.
func (re *regexpRule) matches(path string) bool {
	at := re.find(path)
	return at != nil && at[0] != at[1]
}
