package catalog

import (
	"net/mail"
	"slices"
	"strings"
	"time"
)

// Organization owns packages, domains and pixels. Organizations and users share
// one namespace of names, since both appear as OWNER in host names and paths.
type Organization struct {
	ID   string `json:"id"`
	Name string `json:"name"` // unique over organizations and users; a DNS label, lower case

	Description  string `json:"description,omitempty"`
	Website      string `json:"website,omitempty"`
	BillingEmail string `json:"billing_email,omitempty"`

	// VariableOverrides maps the name of a custom variable to one of the
	// default variables "page", "platform" or "version".
	VariableOverrides map[string]string `json:"variable_overrides,omitempty"`

	Meta
}

// User is a person (or a robot) that signs in. A user may own packages itself.
type User struct {
	ID   string `json:"id"`
	Name string `json:"name"`

	// Operator gives the rights of the cluster's operator: every organization
	// as an audited owner, the cluster itself, and SQL.
	Operator bool `json:"operator,omitempty"`

	Meta
}

// Meta is what every object carries; Apply sets it, whatever a command says.
// Version is the catalog version of the last change to the object: it serves as
// ETag and as precondition.
type Meta struct {
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	Version   uint64    `json:"version,omitempty"`
}

func (o *Organization) kind() Kind         { return KindOrganization }
func (o *Organization) id() string         { return o.ID }
func (o *Organization) label() string      { return o.Name }
func (o *Organization) meta() *Meta        { return &o.Meta }
func (o *Organization) clone() object      { c := *o; return &c }
func (o *Organization) attached() []string { return nil }

func (o *Organization) check(c *checker, _ object) {
	c.ownerName(o.Name, CodeInvalidOrganizationName)
	if other := c.tx.Organization(o.Name); other != nil && other.ID != o.ID {
		c.fail("name", CodeEntityAlreadyExists, "another organization has this name; choose another one")
	}
	if c.tx.UserByName(o.Name) != nil {
		c.fail("name", CodeEntityAlreadyExists, "a user has this name, and both share one namespace; choose another one")
	}
	c.lines("description", o.Description, MaxLongTextBytes)
	c.website(o.Website)
	if o.BillingEmail != "" && c.text("billing_email", o.BillingEmail, MaxNameBytes) {
		if a, err := mail.ParseAddress(o.BillingEmail); err != nil || a.Address != o.BillingEmail {
			c.fail("billing_email", CodeInvalidBillingEmail, "must be an e-mail address alone, such as billing@example.com")
		}
	}
	o.checkOverrides(c)
}

func (o *Organization) checkOverrides(c *checker) {
	if !c.count("variable_overrides", len(o.VariableOverrides), MaxOverrides) {
		return
	}
	names := make([]string, 0, len(o.VariableOverrides))
	for name := range o.VariableOverrides {
		names = append(names, name)
	}
	slices.Sort(names) // maps have no order, and every replica must answer alike
	for _, name := range names {
		field := "variable_overrides." + printable(name)
		c.required(field, name, MaxNameBytes)
		switch target := o.VariableOverrides[name]; target {
		case "page", "platform", "version":
		default:
			c.fail(field, CodeOverrideInvalid, "%s is not a default variable; use page, platform or version", quoted(target))
		}
	}
}

func (o *Organization) checkDelete(c *checker) { c.ownsNothing(o.Name) }

func (o *Organization) follow(tx *transaction, after object) {
	if after, ok := after.(*Organization); ok && after.Name != o.Name {
		tx.renameOwner(o.Name, after.Name)
	}
}

func (u *User) kind() Kind         { return KindUser }
func (u *User) id() string         { return u.ID }
func (u *User) label() string      { return u.Name }
func (u *User) meta() *Meta        { return &u.Meta }
func (u *User) clone() object      { c := *u; return &c }
func (u *User) attached() []string { return nil }

func (u *User) check(c *checker, before object) {
	c.ownerName(u.Name, CodeInvalidUserName)
	if other := c.tx.UserByName(u.Name); other != nil && other.ID != u.ID {
		c.fail("name", CodeEntityAlreadyExists, "another user has this name; choose another one")
	}
	if c.tx.Organization(u.Name) != nil {
		c.fail("name", CodeEntityAlreadyExists, "an organization has this name, and both share one namespace; choose another one")
	}
	b, _ := before.(*User)
	c.operatorOnly("operator", u.Operator && (b == nil || !b.Operator))
}

func (u *User) checkDelete(c *checker) { c.ownsNothing(u.Name) }

// follow takes a deleted user's credentials along: none may outlive the user.
func (u *User) follow(tx *transaction, after object) {
	if after, ok := after.(*User); ok {
		if after.Name != u.Name {
			tx.renameOwner(u.Name, after.Name)
		}
		return
	}
	for t := range tx.TokensOf(u.ID) {
		tx.remove(t)
	}
	for s := range tx.SessionsOf(u.ID) {
		tx.remove(s)
	}
	for l := range tx.SignInLinksOf(u.ID) {
		tx.remove(l)
	}
}

// ownerName checks the name of an organization or a user: a DNS label (RFC 1123,
// section 2.1), since it becomes one in OWNER.docker.BASE.
func (c *checker) ownerName(name string, code Code) {
	if !isLabel(name) {
		c.fail("name", code,
			"%s can't be a host name's label; use 1 to 63 of a-z, 0-9 and \"-\", beginning and ending with a letter or digit", quoted(name))
	}
}

// isLabel says whether s is a DNS label in lower case.
func isLabel(s string) bool {
	if s == "" || len(s) > MaxOwnerBytes || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// operatorOnly refuses what only the cluster's operator may set.
func (c *checker) operatorOnly(field string, set bool) {
	if set && !c.trusted() {
		c.fail(field, CodeOperatorOnly, "may only be set by an operator of the cluster")
	}
}

// owner checks that an owner exists. It gives the name as the owner's own object
// holds it, so that a million packages share one string.
func (c *checker) owner(name string) string {
	shared, ok := c.tx.ownerName(name)
	if !ok {
		c.fail("owner", CodeOwnerNotFound, "there is no organization or user %s; add it first", quoted(name))
		return name
	}
	return shared
}

// ownsNothing refuses to delete an owner while objects carry its name.
func (c *checker) ownsNothing(name string) {
	found := func(what, which string) {
		c.fail("", CodeOwnerInUse, "still owns %s %s; delete what it owns first", what, quoted(which))
	}
	for p := range c.tx.PackagesOf(name) {
		found("package", p.Name)
		break
	}
	for d := range c.tx.DomainsOf(name) {
		found("domain", d.Name)
		break
	}
	for p := range c.tx.PixelsOf(name) {
		found("pixel", p.Name)
		break
	}
	for col := range c.tx.CollectionsOf(name) {
		found("collection", col.Pattern)
		break
	}
}

// renameOwner gives everything that an owner owns the owner's new name. Its cost
// grows with what is owned.
func (tx *transaction) renameOwner(from, to string) {
	changed := func(m *Meta) { m.UpdatedAt, m.Version = tx.now, tx.next }
	for d := range tx.DomainsOf(from) {
		n := *d
		n.Owner = to
		changed(&n.Meta)
		tx.set(&n)
	}
	for p := range tx.PackagesOf(from) {
		n := *p
		n.Owner = to
		changed(&n.Meta)
		tx.set(&n)
	}
	for p := range tx.PixelsOf(from) {
		n := *p
		n.Owner = to
		changed(&n.Meta)
		tx.set(&n)
	}
	for col := range tx.CollectionsOf(from) {
		n := *col
		n.Owner = to
		changed(&n.Meta)
		tx.set(&n)
	}
}
