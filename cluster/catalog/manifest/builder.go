package manifest

import (
	"fmt"
	"slices"

	"tallygate/cluster/catalog"
	"tallygate/cluster/catalog/document"
	"tallygate/cluster/catalog/document/syntax"
)

// builder gathers rules into packages.
type builder struct {
	doc   *document.Document
	r     *syntax.Reader
	owner string // of rules without one

	groups      []*group // in the order of their first rules
	byKey       map[groupKey]*group
	collections []document.Collection
	owners      map[string]bool
}

// groupKey tells packages apart. split is what keeps rules of one package id and
// type from being one package.
type groupKey struct {
	owner, id string
	kind      catalog.PackageType
	split     string
}

// group is the rules of one package.
type group struct {
	key     groupKey
	pkg     document.Package
	derived string // name, if no rule gives one

	routes []served[catalog.Route]
	index  map[string]int // of routes or files, by what they are
	files  []served[catalog.PythonFile]
}

// served is a part of a package with the domains whose rules name it.
type served[T any] struct {
	value   T
	origins []origin
	domains []string
}

// origin is where a field of a part comes from. It is noted at once, so that the
// rule itself needn't be kept.
type origin struct {
	field        string // below the part: ".url"; empty: the part itself
	path         string
	line, column int
}

// origin notes where a field comes from.
func (u *rule) origin(field, key string) origin {
	n := u.m.Get(key)
	if n == nil {
		n = u.m.Node
	}
	return origin{field, u.m.Path + "." + key, n.Line, n.Column}
}

func markAll(place *document.Place, part string, origins []origin) {
	for _, o := range origins {
		place.Mark(part+o.field, o.path, o.line, o.column)
	}
}

func (s *served[T]) add(domain string) {
	if !slices.Contains(s.domains, domain) {
		s.domains = append(s.domains, domain)
	}
}

func newBuilder(doc *document.Document, r *syntax.Reader, owner string) *builder {
	return &builder{doc: doc, r: r, owner: owner, byKey: make(map[groupKey]*group), owners: make(map[string]bool)}
}

// own makes the rule's owner an organization, should it not exist.
func (b *builder) own(u *rule) {
	if b.owners[u.owner] {
		return
	}
	b.owners[u.owner] = true
	o := document.Organization{IfMissing: true, Place: document.Place{Path: u.m.Path, Line: u.m.Node.Line, Column: u.m.Node.Column}}
	o.Name = u.owner
	u.mark(&o.Place, "name", "owner")
	b.doc.Organizations = append(b.doc.Organizations, o)
}

// group finds or starts the package of a rule.
func (b *builder) group(u *rule, id string, kind catalog.PackageType, split string) *group {
	key := groupKey{u.owner, id, kind, split}
	if g := b.byKey[key]; g != nil {
		return g
	}
	b.own(u)
	g := &group{key: key, index: make(map[string]int)}
	g.pkg = document.Package{SoftID: true, Place: document.Place{Path: u.m.Path, Line: u.m.Node.Line, Column: u.m.Node.Column}}
	g.pkg.Owner, g.pkg.Type = u.owner, kind
	u.mark(&g.pkg.Place, "owner", "owner")
	u.mark(&g.pkg.Place, "id", "package-id")
	u.mark(&g.pkg.Place, "name", "package-name")
	b.byKey[key] = g
	b.groups = append(b.groups, g)
	return g
}

// named names the package by the first rule that does, else by what the first
// rule serves.
func (g *group) named(u *rule, name, derived string) {
	if g.derived == "" {
		g.derived = derived
	}
	if g.pkg.Name == "" {
		g.pkg.Name = name
	}
}

// on adds a domain.
func (g *group) on(u *rule, domain string) {
	if slices.ContainsFunc(g.pkg.Domains, func(d catalog.PackageDomain) bool { return d.Name == domain }) {
		return
	}
	u.mark(&g.pkg.Place, fmt.Sprintf("domains[%d]", len(g.pkg.Domains)), "domain")
	g.pkg.Domains = append(g.pkg.Domains, catalog.PackageDomain{Name: domain})
}

// route adds a route. The same route on several domains is one.
func (g *group) route(u *rule, domain string, r catalog.Route) {
	key := string(r.Kind) + "\x00" + r.IncomingPath
	if r.OutgoingURL != nil {
		key += "\x00" + *r.OutgoingURL
	}
	if i, ok := g.index[key]; ok {
		g.routes[i].add(domain)
		return
	}
	g.index[key] = len(g.routes)
	target := "outgoing-url"
	if r.Kind == catalog.CatchAllRoute {
		target = "redirect-target-domain"
	}
	g.routes = append(g.routes, served[catalog.Route]{value: r, domains: []string{domain}, origins: []origin{
		u.origin("", "incoming-path"), u.origin(".incoming_path", "incoming-path"), u.origin(".outgoing_url", target),
	}})
}

// limits are the domains to which a part must be limited, one after the other;
// "" when it is served on all of the package's.
func (g *group) limits(domains []string) []string {
	if len(domains) == len(g.pkg.Domains) {
		return []string{""}
	}
	return domains
}

// finish makes the packages and gives them ids and names of their own.
func (b *builder) finish() {
	ids := make(map[string]bool)
	type name struct {
		owner string
		kind  catalog.PackageType
		name  string
	}
	names := make(map[name]bool)
	for _, g := range b.groups { // names that rules give come before derived ones
		if g.pkg.Name != "" {
			names[name{g.key.owner, g.key.kind, g.pkg.Name}] = true
		}
	}
	given := make(map[name]bool)
	for _, g := range b.groups {
		g.finishRoutes()
		g.finishFiles()
		k := &g.pkg
		k.ID = unused(ids, g.key.id, g.key.id+":"+string(g.key.kind))
		taken := names
		if k.Name == "" {
			k.Name = g.derived
		} else {
			taken = given
		}
		candidate := func(s string) bool { return !taken[name{k.Owner, k.Type, s}] && !given[name{k.Owner, k.Type, s}] }
		if !candidate(k.Name) {
			k.Name = firstOf(candidate, k.Name+" ("+g.key.id+")")
		}
		given[name{k.Owner, k.Type, k.Name}] = true
		b.doc.Packages = append(b.doc.Packages, *k)
	}
	rules := make(map[string]bool)
	for i := range b.collections {
		c := &b.collections[i]
		c.ID = unused(rules, c.ID, c.ID+":"+c.Domain)
	}
	b.doc.Collections = b.collections
}

// finishRoutes gives the package its routes, each on the domains that name it.
func (g *group) finishRoutes() {
	for _, s := range g.routes {
		for _, domain := range g.limits(s.domains) {
			markAll(&g.pkg.Place, fmt.Sprintf("routes[%d]", len(g.pkg.Routes)), s.origins)
			r := s.value
			r.Domain = domain
			g.pkg.Routes = append(g.pkg.Routes, r)
		}
	}
}

// unused takes the first of the candidates that is not taken yet, numbering the
// last one as long as needed.
func unused(taken map[string]bool, candidates ...string) string {
	for _, c := range candidates[:len(candidates)-1] {
		if !taken[c] {
			taken[c] = true
			return c
		}
	}
	c := firstOf(func(s string) bool { return !taken[s] }, candidates[len(candidates)-1])
	taken[c] = true
	return c
}

func firstOf(ok func(string) bool, s string) string {
	if ok(s) {
		return s
	}
	for n := 2; ; n++ {
		if numbered := fmt.Sprintf("%s %d", s, n); ok(numbered) {
			return numbered
		}
	}
}
