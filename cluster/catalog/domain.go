package catalog

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// DomainState is how far a claim on a domain name has come.
type DomainState string

// A domain serves traffic in the states asserted, verified and failing.
const (
	Asserted DomainState = "asserted" // set by an operator: serves without proof
	Pending  DomainState = "pending"
	Verified DomainState = "verified"
	Failing  DomainState = "failing" // was verified, checks fail, still in its grace period
	Lost     DomainState = "lost"
)

// Serves says whether traffic for the domain is answered.
func (s DomainState) Serves() bool {
	return s == Asserted || s == Verified || s == Failing
}

// Domain is an owner's claim on a name. Several owners may hold a pending claim
// on one name; at most one claim serves. An owner has one claim on a name.
type Domain struct {
	ID    string      `json:"id"`
	Name  string      `json:"name"` // as CanonicalDomain gives it
	Owner string      `json:"owner"`
	State DomainState `json:"state"`

	// Code is the value of the TXT record that proves the claim.
	Code string `json:"code,omitempty"`

	Meta
}

func (d *Domain) kind() Kind         { return KindDomain }
func (d *Domain) id() string         { return d.ID }
func (d *Domain) label() string      { return d.Name }
func (d *Domain) meta() *Meta        { return &d.Meta }
func (d *Domain) clone() object      { c := *d; return &c }
func (d *Domain) attached() []string { return nil }

func (d *Domain) check(c *checker, before object) {
	b, _ := before.(*Domain)
	c.domainName("name", d.Name, domainCodes)
	d.Owner = c.owner(d.Owner)
	c.text("code", d.Code, MaxNameBytes)

	switch d.State {
	case Asserted, Pending, Verified, Failing, Lost:
	default:
		c.fail("state", CodeDomainState, "%s is not a state of a domain; a new claim is pending", quoted(string(d.State)))
	}
	if (b == nil || b.State != d.State) && d.State != Pending && !c.trusted() {
		c.fail("state", CodeOperatorOnly, "%s is set by an operator or by the checks of the cluster; a claim begins as pending", quoted(string(d.State)))
	}
	if other := c.tx.Claim(d.Owner, d.Name); other != nil && other.ID != d.ID {
		c.fail("name", CodeDomainInUse, "%s has a claim on this name already: domain %s", quoted(d.Owner), quoted(other.ID))
	}
	if d.State.Serves() {
		if other := c.tx.ServingDomain(d.Name); other != nil && other.ID != d.ID && other.Owner != d.Owner {
			c.fail("name", CodeDomainInUse, "another owner's domain serves this name; it must be given up there first")
		}
	}
	if b != nil && (b.Name != d.Name || b.Owner != d.Owner) {
		b.checkDelete(c)
	}
}

// checkDelete refuses to take a claim away under the objects that attach it.
func (d *Domain) checkDelete(c *checker) {
	n := c.tx.uses(d.Owner, d.Name)
	if n == 0 {
		return
	}
	example := ""
	for p := range c.tx.PackagesOf(d.Owner) {
		if p.hasDomain(d.Name) {
			example = fmt.Sprintf(" (package %s among them)", quoted(p.Name))
			break
		}
	}
	c.fail("", CodeDomainStillInUse, "is attached to %d objects of %s%s; detach it there first", n, d.Owner, example)
}

func (d *Domain) follow(*transaction, object) {}

// CanonicalDomain gives a domain name as the catalog keeps and compares it:
// lower case, ASCII (IDNA, RFC 5891), no trailing dot, no port. An IPv4 address
// counts as a name, for use without DNS.
func CanonicalDomain(name string) (string, error) {
	trimmed := strings.TrimSuffix(name, ".")
	if trimmed == "" {
		return "", fmt.Errorf("a domain name must not be empty")
	}
	// Long before IDNA looks at it: a stranger's megabyte is not to be mapped.
	if len(trimmed) > 4*253 {
		return "", fmt.Errorf("a domain name has at most 253 characters")
	}
	if ip, err := netip.ParseAddr(trimmed); err == nil {
		if ip.Is4() {
			return ip.String(), nil
		}
		return "", fmt.Errorf("%s is not a domain name", quoted(name))
	}
	ascii, err := idna.Lookup.ToASCII(trimmed)
	// Some of what IDNA makes of broken UTF-8 it doesn't accept itself.
	if again, err2 := idna.Lookup.ToASCII(ascii); err != nil || err2 != nil || again != ascii {
		return "", fmt.Errorf("%s is not a domain name: use letters, digits, hyphens and dots, no scheme, port or path", quoted(name))
	}
	if len(ascii) > 253 {
		return "", fmt.Errorf("a domain name has at most 253 characters")
	}
	for label := range strings.SplitSeq(ascii, ".") {
		if !isLabel(label) {
			return "", fmt.Errorf("%s is not a domain name: %s is not a label", quoted(name), quoted(label))
		}
	}
	return ascii, nil
}

// domainErrors are the codes of mistakes in a domain name, which differ by the
// object it stands in.
type domainErrors struct{ empty, invalid, inUse Code }

var (
	domainCodes = domainErrors{CodeDomainIsEmpty, CodeDomainInvalidCharacters, CodeDomainInUse}
	publicCodes = domainErrors{CodePublicDomainIsEmpty, CodePublicDomainInvalidCharacters, CodePublicDomainInUse}
)

// domainName checks that a domain name is in its canonical form.
func (c *checker) domainName(field, name string, codes domainErrors) bool {
	canonical, err := CanonicalDomain(name)
	switch {
	case name == "":
		c.fail(field, codes.empty, "must not be empty")
	case err != nil:
		c.fail(field, codes.invalid, "%s", err)
	case canonical != name:
		c.fail(field, codes.invalid, "write %s as %s", quoted(name), quoted(canonical))
	default:
		return true
	}
	return false
}

// attach checks that an owner may attach a domain name to an object. It gives
// the name as the claim holds it, to share its memory.
func (c *checker) attach(field, owner, name string, codes domainErrors) string {
	if !c.domainName(field, name, codes) {
		return name
	}
	if claim := c.tx.Claim(owner, name); claim != nil {
		return claim.Name
	}
	if other := c.tx.ServingDomain(name); other != nil {
		c.fail(field, codes.inUse, "%s serves another owner", name)
	} else {
		c.fail(field, CodeDomainNotClaimed, "%s has no claim on %s; add a domain object for it first", quoted(owner), name)
	}
	return name
}

// CheckReserved says which domain names of a command belong to the gateway
// itself: its base domain and everything under it. The catalog doesn't know the
// base domain (nodes may have different ones), so the proposer asks this before
// it proposes. base is in canonical form.
func CheckReserved(cmd *Command, base string) []*Error {
	var errs []*Error
	check := func(op int, o object, field, name string, code Code) {
		if name != base && !strings.HasSuffix(name, "."+base) {
			return
		}
		errs = append(errs, &Error{
			Code: code, Op: op, Kind: o.kind(), Object: printable(o.label()), Field: field,
			Message: fmt.Sprintf("%s belongs to the gateway itself; leave domains empty to use the owner's own host under %s", quoted(name), base),
		})
	}
	for i := range cmd.Ops {
		op := &cmd.Ops[i]
		if d := op.Domain; d != nil {
			check(i, d, "name", d.Name, CodeDomainIsReserved)
		}
		if p := op.Package; p != nil {
			for j := range p.Domains {
				check(i, p, at("domains", j, "name"), p.Domains[j].Name, CodePublicDomainIsReserved)
			}
		}
		if p := op.Pixel; p != nil {
			for j, name := range p.Domains {
				check(i, p, at("domains", j, ""), name, CodePublicDomainIsReserved)
			}
		}
		if col := op.Collection; col != nil {
			check(i, col, "domain", col.Domain, CodePublicDomainIsReserved)
		}
	}
	return errs
}
