package table

import (
	"fmt"
	"iter"
	"strings"

	"tallygate/cluster/catalog"
)

// Options say what a table can't read from the catalog.
type Options struct {
	// BaseDomain is the suffix of the cluster's own hosts: OWNER.docker.BASE,
	// OWNER.gateway.BASE, static.BASE and BASE itself. Lower case, no port, no
	// trailing dot. Empty: none of them exist.
	BaseDomain string
}

// Table is every host's compiled rules at one version of the catalog. It is
// immutable and safe for concurrent use.
type Table struct {
	opts  Options
	src   source
	step  uint64          // counts the updates since Build
	hosts pages[hostSlot] // by the hash of their name
	// broken are the packages with rules that could not be compiled, by id: left out,
	// since one bad rule must not stop the others.
	broken *radix[error]
	// npm are the packages of type npm by name, see [Table.NPM].
	npm *radix[[]*catalog.Package]
}

// source is what a table reads: a [catalog.View].
type source interface {
	Organization(name string) *catalog.Organization
	Package(id string) *catalog.Package
	Packages() iter.Seq[*catalog.Package]
	PackagesOf(owner string) iter.Seq[*catalog.Package]
	Collections() iter.Seq[*catalog.Collection]
	CollectionsOf(owner string) iter.Seq[*catalog.Collection]
	Domains() iter.Seq[*catalog.Domain]
	Pixel(id string) *catalog.Pixel
	Pixels() iter.Seq[*catalog.Pixel]
}

// Build compiles a table from scratch. The only error is a base domain that is not
// a normalized name; rules that can't be compiled are left out, see
// [Table.Problems].
func Build(view *catalog.View, opts Options) (*Table, error) { return build(view, opts) }

func build(src source, opts Options) (*Table, error) {
	if b := opts.BaseDomain; b != strings.ToLower(b) || strings.Trim(b, ".") != b || strings.ContainsAny(b, ":/ ") {
		return nil, fmt.Errorf("base domain %q: want a lower-case name without port and trailing dot", b)
	}
	c := newChange(&Table{opts: opts, src: src})
	c.ownHosts()
	for d := range src.Domains() {
		c.domain(d, d.State)
	}
	for p := range src.Packages() {
		c.addPackage(p)
	}
	for col := range src.Collections() {
		c.addCollection(col)
	}
	for px := range src.Pixels() {
		c.pixel(px, 1)
	}
	return c.t, nil
}

// Update returns the table after some changes; view is the catalog after them, and
// the receiver, which stays as it is, the table before. It costs in proportion to
// the changes, whatever the size of the catalog, except for a change of an owner's
// variable overrides, which touches every rule of the owner. Nil changes mean that
// everything may have changed: the table is built anew.
func (t *Table) Update(view *catalog.View, changes []catalog.Change) *Table {
	return t.update(view, changes)
}

func (t *Table) update(src source, changes []catalog.Change) *Table {
	if changes == nil {
		n, err := build(src, t.opts)
		if err != nil {
			return t // the options were checked when t was built
		}
		return n
	}
	c := newChange(t)
	c.t.src = src
	for i := range changes {
		c.apply(&changes[i])
	}
	c.refreshOwners()
	return c.t
}

// Host finds a host by its normalized name (lower case, no port, no trailing
// dot); nil for a host that nobody serves.
func (t *Table) Host(name string) *Host {
	slot := t.hosts.get(fit(hashOf(name)))
	if !slot.templates.ready() {
		return nil
	}
	for h := slot.host; h != nil; h = h.other {
		if h.serves && h.is(name) {
			return h
		}
	}
	return nil
}

// Pixel finds a pixel by id; nil if there is none.
func (t *Table) Pixel(id string) *catalog.Pixel { return t.src.Pixel(id) }

// PackageByID finds a package by id; nil if there is none.
func (t *Table) PackageByID(id string) *catalog.Package { return t.src.Package(id) }

// BaseDomain is the suffix of the cluster's own hosts.
func (t *Table) BaseDomain() string { return t.opts.BaseDomain }

// Problems yields the packages of which a rule could not be compiled, by id, and
// why; there are none if [CheckRoute] was asked before.
func (t *Table) Problems() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		t.broken.all(forwards, func(id string, err *error) bool { return yield(id, *err) })
	}
}

// ownHost reads the name of one of the cluster's own hosts; ok is false for others.
func (t *Table) ownHost(name string) (owner string, kind HostKind, ok bool) {
	base := t.opts.BaseDomain
	if base == "" {
		return "", 0, false
	}
	if name == base {
		return "", BaseHost, true
	}
	rest, ok := strings.CutSuffix(name, base)
	if !ok || !strings.HasSuffix(rest, ".") {
		return "", 0, false
	}
	rest = rest[:len(rest)-1]
	if rest == "static" {
		return "", StaticHost, true
	}
	owner, label, ok := strings.Cut(rest, ".")
	switch {
	case !ok || owner == "":
		return "", 0, false
	case label == "docker":
		return owner, DockerHost, true
	case label == "gateway":
		return owner, GatewayHost, true
	}
	return "", 0, false
}
