package catalog

import (
	"slices"
	"strings"
	"time"
)

// PackageType says which protocol serves a package.
type PackageType string

// The package types. Event packages are ours; the others are those of the
// public API.
const (
	Docker  PackageType = "docker"
	File    PackageType = "file"
	Python  PackageType = "python"
	NPM     PackageType = "npm"
	Hackage PackageType = "hackage"
	Event   PackageType = "event"
)

// Package is one published artifact and the rules that serve it. (Owner, Type,
// Name) is unique.
type Package struct {
	ID    string      `json:"id"` // any string: imported manifests bring their own
	Owner string      `json:"owner"`
	Name  string      `json:"name"`
	Type  PackageType `json:"type"`

	ShortDescription string `json:"short_description,omitempty"`
	LongDescription  string `json:"long_description,omitempty"`
	Website          string `json:"website,omitempty"`

	// Domains that serve the package. None: the owner's own hosts,
	// OWNER.docker.BASE for images and OWNER.gateway.BASE for the rest.
	Domains []PackageDomain `json:"domains,omitempty"`

	Routes []Route        `json:"routes,omitempty"` // file and event packages
	Image  *Image         `json:"image,omitempty"`  // docker packages
	Index  *PythonProject `json:"index,omitempty"`  // python packages
	Events *EventAccess   `json:"events,omitempty"` // event packages

	Meta
}

// PackageDomain attaches a package to a domain name.
type PackageDomain struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"` // lower case, no port, no trailing dot
	CreatedAt time.Time `json:"created_at"`
}

// EventAccess says who may post events.
type EventAccess struct {
	// Restricted asks for a Bearer token whose SHA-256 (hex) is in TokenHashes;
	// with none there, nobody may post.
	Restricted  bool     `json:"restricted,omitempty"`
	TokenHashes []string `json:"token_hashes,omitempty"`
}

func (p *Package) kind() Kind    { return KindPackage }
func (p *Package) id() string    { return p.ID }
func (p *Package) label() string { return p.Owner + "/" + p.Name }
func (p *Package) meta() *Meta   { return &p.Meta }
func (p *Package) clone() object { c := *p; return &c }

func (p *Package) attached() []string {
	if len(p.Domains) == 0 {
		return nil
	}
	keys := make([]string, len(p.Domains))
	for i := range p.Domains {
		keys[i] = join(p.Owner, p.Domains[i].Name)
	}
	return keys
}

func (p *Package) hasDomain(name string) bool {
	return slices.ContainsFunc(p.Domains, func(d PackageDomain) bool { return d.Name == name })
}

// servedKeys are the names under which an image or a Python project is served:
// on each domain, or on the owner's own host. No two packages may share one.
func (p *Package) servedKeys() []string {
	var name string
	switch {
	case p.Type == Docker && p.Image != nil:
		name = p.Image.PublicName()
	case p.Type == Python && p.Index != nil:
		name = p.Index.Project
	default:
		return nil
	}
	if len(p.Domains) == 0 {
		return []string{join(string(p.Type), "@"+p.Owner, name)}
	}
	keys := make([]string, len(p.Domains))
	for i := range p.Domains {
		keys[i] = join(string(p.Type), p.Domains[i].Name, name)
	}
	return keys
}

func (p *Package) check(c *checker, before object) {
	b, _ := before.(*Package)
	p.Owner = c.owner(p.Owner)
	p.checkType(c)
	p.checkName(c)
	c.text("short_description", p.ShortDescription, MaxDescriptionBytes)
	c.lines("long_description", p.LongDescription, MaxLongTextBytes)
	c.website(p.Website)
	p.checkDomains(c, b)
	p.checkRoutes(c, b)
	if p.Image != nil {
		p.Image = p.Image.checked(c, b)
	}
	if p.Index != nil {
		p.Index = p.Index.checked(c, p, b)
	}
	if p.Events != nil {
		p.Events.check(c)
	}
	for _, key := range p.servedKeys() {
		other := get[Package](c.tx.View, KindPackage, byServed, key)
		if other == nil || other.ID == p.ID {
			continue
		}
		field := "image"
		if p.Type == Python {
			field = "index.project"
		}
		c.fail(field, CodePackageIsConflicting, "package %s serves the same name on the same host", quoted(other.label()))
		break // with one package they conflict on each of its hosts
	}
}

// checkType checks that the package has what its type needs, and nothing else.
func (p *Package) checkType(c *checker) {
	types := [...]PackageType{Docker, File, Python, NPM, Hackage, Event}
	i := slices.Index(types[:], p.Type)
	if i < 0 {
		c.fail("type", CodeTypeIsInvalid, "%s is not a package type; use docker, file, python, npm, hackage or event", quoted(string(p.Type)))
		return
	}
	p.Type = types[i] // the constant's memory, not the command's
	only := func(field string, there bool, allowed bool, code Code) {
		if there && !allowed {
			c.fail(field, code, "a %s package has no %s; remove it or change the type", p.Type, field)
		}
	}
	only("routes", len(p.Routes) > 0, p.Type == File || p.Type == Event, CodeNotAFilePackage)
	only("image", p.Image != nil, p.Type == Docker, CodeFieldNotForType)
	only("index", p.Index != nil, p.Type == Python, CodeFieldNotForType)
	only("events", p.Events != nil, p.Type == Event, CodeFieldNotForType)
	if p.Type == Docker && p.Image == nil {
		c.fail("image", CodeRegistryIsEmpty, "a docker package needs an image: the registry and repository where it is hosted")
	}
	if p.Type == Python && p.Index == nil {
		c.fail("index", CodeFieldIsMissing, "a python package needs an index: the project and where it is hosted")
	}
}

func (p *Package) checkName(c *checker) {
	switch {
	case p.Name == "":
		c.fail("name", CodePackageNameIsEmpty, "must not be empty")
		return
	case strings.TrimSpace(p.Name) != p.Name:
		c.fail("name", CodeTextInvalid, "must not begin or end with a space")
	default:
		c.text("name", p.Name, MaxNameBytes)
	}
	if other := c.tx.PackageByName(p.Owner, p.Type, p.Name); other != nil && other.ID != p.ID {
		c.fail("name", CodePackageAlreadyExists, "%s has a %s package of this name already: package %s", quoted(p.Owner), p.Type, quoted(other.ID))
	}
}

func (p *Package) checkDomains(c *checker, before *Package) {
	if !c.count("domains", len(p.Domains), MaxDomains) {
		return
	}
	p.Domains = slices.Clone(p.Domains)
	ids, names := make(map[string]bool), make(map[string]bool)
	for i := range p.Domains {
		d := &p.Domains[i]
		c.unique(at("domains", i, "id"), d.ID, ids)
		d.Name = c.attach(at("domains", i, "name"), p.Owner, d.Name, publicCodes)
		if names[d.Name] {
			c.fail(at("domains", i, "name"), CodeDuplicate, "%s is listed twice", quoted(d.Name))
		}
		names[d.Name] = true
		c.time(at("domains", i, "created_at"), d.CreatedAt)
		if d.CreatedAt.IsZero() && before != nil {
			if j := slices.IndexFunc(before.Domains, func(o PackageDomain) bool { return o.ID == d.ID }); j >= 0 {
				d.CreatedAt = before.Domains[j].CreatedAt
			}
		}
		d.CreatedAt = c.created(d.CreatedAt)
	}
}

// created is when an item of a list was made: now, unless it says otherwise.
func (c *checker) created(t time.Time) time.Time {
	if t.IsZero() {
		return c.tx.now
	}
	return t.UTC().Round(0)
}

// unique checks the id of an item of a list.
func (c *checker) unique(field, id string, seen map[string]bool) {
	if !c.id(field, id) {
		return
	}
	if seen[id] {
		c.fail(field, CodeDuplicate, "%s is the id of another item of the list too", quoted(id))
	}
	seen[id] = true
}

// onDomain checks that a part of a package is limited to one of its domains. It
// gives the name as the package holds it.
func (p *Package) onDomain(c *checker, field, name string) string {
	if name == "" {
		return ""
	}
	i := slices.IndexFunc(p.Domains, func(d PackageDomain) bool { return d.Name == name })
	if i < 0 {
		c.fail(field, CodeDomainNotAttached, "%s is not among the package's domains; add it there or leave this empty", quoted(name))
		return name
	}
	return p.Domains[i].Name
}

// follow lets go of pixels that can no longer belong to the package.
func (p *Package) follow(tx *transaction, after object) {
	if after, ok := after.(*Package); ok && after.Owner == p.Owner {
		return
	}
	for px := range tx.PixelsOfPackage(p.ID) {
		n := *px
		n.PackageID = ""
		n.UpdatedAt, n.Version = tx.now, tx.next
		tx.set(&n)
	}
}

func (a *EventAccess) check(c *checker) {
	if !c.count("events.token_hashes", len(a.TokenHashes), MaxTokenHashes) {
		return
	}
	for i, h := range a.TokenHashes {
		c.sha256Hex(at("events.token_hashes", i, ""), h)
	}
	if len(a.TokenHashes) > 0 && !a.Restricted {
		c.fail("events.token_hashes", CodeFieldNotForType, "tokens are only asked for where restricted is true")
	}
}
