package catalog

import "slices"

// Pixel is a tracking pixel: an image whose fetches are page views.
type Pixel struct {
	ID        string   `json:"id"`
	Owner     string   `json:"owner"`
	Name      string   `json:"name,omitempty"`       // unique within an owner
	PackageID string   `json:"package_id,omitempty"` // the package it belongs to, if any; of the same owner
	Domains   []string `json:"domains,omitempty"`    // custom pixel domains beside static.BASE

	Meta
}

// Collection gives every image that matches its pattern a package of its own at
// the first pull.
type Collection struct {
	ID       string `json:"id"`
	Owner    string `json:"owner"`
	Pattern  string `json:"pattern"` // "acme/*", "acme/{a, b}", "**"
	Domain   string `json:"domain"`  // empty: OWNER.docker.BASE
	Registry string `json:"registry"`

	AlwaysProxy bool `json:"always_proxy,omitempty"`
	PlainHTTP   bool `json:"plain_http,omitempty"` // only operators may set it

	PrivatePulls

	Meta
}

func (p *Pixel) kind() Kind                  { return KindPixel }
func (p *Pixel) id() string                  { return p.ID }
func (p *Pixel) label() string               { return p.Owner + "/" + p.Name }
func (p *Pixel) meta() *Meta                 { return &p.Meta }
func (p *Pixel) clone() object               { c := *p; return &c }
func (p *Pixel) follow(*transaction, object) {}

func (p *Pixel) attached() []string {
	keys := make([]string, len(p.Domains))
	for i, name := range p.Domains {
		keys[i] = join(p.Owner, name)
	}
	return keys
}

func (p *Pixel) check(c *checker, _ object) {
	p.Owner = c.owner(p.Owner)
	if p.Name == "" {
		c.fail("name", CodeNameIsEmpty, "must not be empty")
	} else {
		c.text("name", p.Name, MaxNameBytes)
	}
	if other := c.tx.PixelByName(p.Owner, p.Name); other != nil && other.ID != p.ID {
		c.fail("name", CodeNameAlreadyExists, "%s has a pixel of this name already: pixel %s", quoted(p.Owner), quoted(other.ID))
	}
	if p.PackageID != "" {
		switch pkg := c.tx.Package(p.PackageID); {
		case pkg == nil:
			c.fail("package_id", CodePackageNotFound, "there is no package with the id %s", quoted(p.PackageID))
		case pkg.Owner != p.Owner:
			c.fail("package_id", CodeInvalidPackageOwner, "package %s belongs to %s; a pixel belongs to a package of its own owner", quoted(p.PackageID), quoted(pkg.Owner))
		default:
			p.PackageID = pkg.ID
		}
	}
	if !c.count("domains", len(p.Domains), MaxDomains) {
		return
	}
	p.Domains = slices.Clone(p.Domains)
	for i, name := range p.Domains {
		p.Domains[i] = c.attach(at("domains", i, ""), p.Owner, name, publicCodes)
		if slices.Contains(p.Domains[:i], name) {
			c.fail(at("domains", i, ""), CodeDuplicate, "%s is listed twice", quoted(name))
		}
	}
}

func (col *Collection) kind() Kind                  { return KindCollection }
func (col *Collection) id() string                  { return col.ID }
func (col *Collection) label() string               { return col.Owner + "/" + col.Pattern }
func (col *Collection) meta() *Meta                 { return &col.Meta }
func (col *Collection) clone() object               { c := *col; return &c }
func (col *Collection) follow(*transaction, object) {}

func (col *Collection) attached() []string {
	if col.Domain == "" {
		return nil
	}
	return []string{join(col.Owner, col.Domain)}
}

func (col *Collection) check(c *checker, before object) {
	b, _ := before.(*Collection)
	col.Owner = c.owner(col.Owner)
	c.imagePattern("pattern", col.Pattern)
	if col.Domain != "" {
		col.Domain = c.attach("domain", col.Owner, col.Domain, publicCodes)
	}
	col.Registry = c.registry("registry", col.Registry)
	col.PrivatePulls.checked(c, "")
	c.operatorOnly("pattern", takesEverything(col.Pattern) && (b == nil || b.Pattern != col.Pattern))
	c.operatorOnly("plain_http", col.PlainHTTP && (b == nil || !b.PlainHTTP))
	other := get[Collection](c.tx.View, KindCollection, byOwner, join(col.Owner, col.Domain, col.Pattern))
	if other != nil && other.ID != col.ID {
		c.fail("pattern", CodePatternIsDuplicated, "collection %s has this pattern on the same host", quoted(other.ID))
	}
}
