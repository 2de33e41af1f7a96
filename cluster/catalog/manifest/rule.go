package manifest

import (
	"fmt"
	"strings"

	"tallygate/cluster/catalog"
	"tallygate/cluster/catalog/document"
	"tallygate/cluster/catalog/document/syntax"
)

// rule is one rule being read.
type rule struct {
	m     *syntax.Mapping
	owner string
	asked []string // keys of its type
}

// types are the types of rules and how each is read.
var types = map[string]func(*builder, *rule){
	"docker-v1":    (*builder).dockerV1,
	"docker-v2":    (*builder).dockerV2,
	"file-v1":      (*builder).fileV1,
	"file-v2":      (*builder).fileV2,
	"python-v1":    (*builder).pythonV1,
	"catch-all-v1": (*builder).catchAllV1,
	"telemetry-v1": (*builder).telemetryV1,
}

var typeNames = []string{"docker-v1", "docker-v2", "file-v1", "file-v2", "python-v1", "catch-all-v1", "telemetry-v1"}

// rule reads one rule into the packages and collections.
func (b *builder) rule(m *syntax.Mapping) {
	kind := m.Required("type", "one of "+strings.Join(typeNames, ", "))
	read := types[kind]
	if read == nil {
		if kind != "" {
			m.Report("type", fmt.Sprintf("%q is not a type of rule", kind), syntax.DidYouMean(kind, typeNames))
		}
		return
	}
	u := &rule{m: m, asked: []string{"type"}}
	u.owner = u.text("owner")
	if u.owner == "" {
		u.owner = b.owner
	}
	read(b, u)
	for _, key := range m.Unasked() {
		if near := syntax.Nearest(key, u.asked); near != "" && !m.Has(near) {
			m.Unknown(key, near)
		}
	}
}

// known notes keys of the rule's type, for the fix of a misspelt one.
func (u *rule) known(keys ...string) { u.asked = append(u.asked, keys...) }

func (u *rule) text(key string) string {
	u.known(key)
	return u.m.Text(key)
}

func (u *rule) required(key string) string {
	u.known(key)
	return u.m.Required(key, "a "+u.m.Text("type")+" rule needs it")
}

// common reads what most rules have.
func (u *rule) common() (id, domain, name string) {
	return u.required("package-id"), canonical(u.required("domain")), u.text("package-name")
}

// mark notes where a field of the object at place comes from.
func (u *rule) mark(place *document.Place, field, key string) {
	node := u.m.Node
	if n := u.m.Get(key); n != nil {
		node = n
	}
	place.Mark(field, u.m.Path+"."+key, node.Line, node.Column)
}

// outgoing reads an outgoing URL, which must be there but may be null.
func (u *rule) outgoing() *string {
	u.known("outgoing-url")
	n := u.m.Get("outgoing-url")
	if n == nil {
		u.m.Report("outgoing-url", "outgoing-url is missing", "write null for a rule that answers 200 and counts")
		return nil
	}
	if syntax.IsNull(n) {
		return nil
	}
	url := u.required("outgoing-url")
	return &url
}

func (b *builder) dockerV1(u *rule) {
	id, domain, name := u.common()
	repository := u.required("repository-name")
	registry, plainHTTP := bareRegistry(u.required("registry"))
	u.known("always-proxy")
	proxy := isTrue(u.m.Bool("always-proxy"))
	if u.m.Broken() {
		return
	}
	g := b.group(u, id, catalog.Docker, fmt.Sprint(repository, "\x00", registry, proxy, plainHTTP))
	if g.pkg.Image == nil {
		g.pkg.Image = &catalog.Image{Registry: registry, Repository: repository, AlwaysProxy: proxy, PlainHTTP: plainHTTP}
		u.mark(&g.pkg.Place, "image", "repository-name")
		u.mark(&g.pkg.Place, "image.repository", "repository-name")
		u.mark(&g.pkg.Place, "image.registry", "registry")
		u.mark(&g.pkg.Place, "image.plain_http", "registry")
	}
	g.named(u, name, repository)
	g.on(u, domain)
}

func (b *builder) dockerV2(u *rule) {
	domain := canonical(u.required("domain"))
	c := document.Collection{SoftID: true, Place: document.Place{Path: u.m.Path, Line: u.m.Node.Line, Column: u.m.Node.Column}}
	c.Owner, c.Domain = u.owner, domain
	c.Pattern, c.ID = u.required("pattern"), u.required("rule-id")
	c.Registry, c.PlainHTTP = bareRegistry(u.required("registry"))
	u.known("always-proxy", "package-name", "package-id")
	c.AlwaysProxy = isTrue(u.m.Bool("always-proxy"))
	if u.m.Broken() {
		return
	}
	for field, key := range map[string]string{
		"owner": "owner", "domain": "domain", "pattern": "pattern", "id": "rule-id", "registry": "registry", "plain_http": "registry",
	} {
		u.mark(&c.Place, field, key)
	}
	b.own(u)
	b.collections = append(b.collections, c)
}

func (b *builder) fileV1(u *rule) {
	path := u.required("incoming-path")
	b.file(u, catalog.Route{IncomingPath: path, OutgoingURL: u.outgoing()}, literalPrefix(path))
}

func (b *builder) fileV2(u *rule) {
	path := u.required("incoming-path")
	b.file(u, catalog.Route{Kind: catalog.RegexpRoute, IncomingPath: path, OutgoingURL: u.outgoing()}, "")
}

func (b *builder) catchAllV1(u *rule) {
	route := catalog.Route{Kind: catalog.CatchAllRoute, IncomingPath: "/*"}
	if target := u.text("redirect-target-domain"); target != "" {
		if !strings.Contains(target, "://") {
			target = "https://" + target
		}
		target = strings.TrimSuffix(target, "/") + "/*"
		route.OutgoingURL = &target
	}
	b.file(u, route, "")
}

// file adds a route to a file package.
func (b *builder) file(u *rule, route catalog.Route, prefix string) {
	id, domain, name := u.common()
	if u.m.Broken() {
		return
	}
	g := b.group(u, id, catalog.File, "")
	g.named(u, name, domain+prefix)
	g.on(u, domain)
	g.route(u, domain, route)
}

func (b *builder) telemetryV1(u *rule) {
	id, domain, name := u.common()
	path := u.required("incoming-path")
	u.known("access-tokens")
	var access *catalog.EventAccess
	if n := u.m.Get("access-tokens"); n != nil && !syntax.IsNull(n) {
		access = &catalog.EventAccess{Restricted: true}
		for _, token := range u.m.Texts("access-tokens") {
			access.TokenHashes = append(access.TokenHashes, document.HashToken(token))
		}
	}
	if u.m.Broken() {
		return
	}
	// One package has one set of tokens: rules with other ones must not open it.
	split := "open"
	if access != nil {
		split = strings.Join(access.TokenHashes, " ")
	}
	g := b.group(u, id, catalog.Event, split)
	g.pkg.Events = access
	u.mark(&g.pkg.Place, "events", "access-tokens")
	g.named(u, name, domain+literalPrefix(path))
	g.on(u, domain)
	g.route(u, domain, catalog.Route{IncomingPath: path})
}

func isTrue(b *bool) bool { return b != nil && *b }

// canonical is the one spelling of a domain name. What isn't one stays as it is,
// for the catalog to say why.
func canonical(name string) string {
	if c, err := catalog.CanonicalDomain(strings.ToLower(name)); err == nil {
		return c
	}
	return name
}

// bareRegistry takes a scheme and a slash off a registry's address.
func bareRegistry(s string) (registry string, plainHTTP bool) {
	s, plainHTTP = strings.CutPrefix(s, "http://")
	return strings.TrimSuffix(strings.TrimPrefix(s, "https://"), "/"), plainHTTP
}

// literalPrefix is what a template begins with, up to its first variable, for a
// package that has no name: "/files/{version}/a" gives "/files".
func literalPrefix(path string) string {
	before, _, _ := strings.Cut(path, "{")
	before, _, _ = strings.Cut(before, "?")
	return strings.TrimRight(before, "/-_.")
}
