package table

import (
	"errors"
	"maps"

	"tallygate/cluster/catalog"
)

// change makes one table out of another. What it creates it may modify until it is
// done; what it finds it copies first. Both carry the step that made them.
type change struct {
	t *Table

	owner     string            // of overrides: packages come owner by owner
	overrides map[string]string // of owner
	known     bool

	stale map[string]bool // owners whose overrides changed
}

func newChange(t *Table) *change {
	n := *t
	n.step++
	return &change{t: &n}
}

// apply takes one object from what it was to what it is. Whatever depends on other
// objects than the one that changed (whose domain it is) is decided by a flag on the
// host, so that the order of changes is of no matter.
func (c *change) apply(ch *catalog.Change) {
	switch ch.Kind {
	case catalog.KindPackage:
		if p := object[catalog.Package](ch.Before); p != nil {
			c.removePackage(p)
		}
		if p := object[catalog.Package](ch.After); p != nil {
			c.addPackage(p)
		}
	case catalog.KindCollection:
		if col := object[catalog.Collection](ch.Before); col != nil {
			c.removeCollection(col)
		}
		if col := object[catalog.Collection](ch.After); col != nil {
			c.addCollection(col)
		}
	case catalog.KindDomain:
		if d := object[catalog.Domain](ch.Before); d != nil {
			c.domain(d, catalog.Lost)
		}
		if d := object[catalog.Domain](ch.After); d != nil {
			c.domain(d, d.State)
		}
	case catalog.KindPixel:
		if px := object[catalog.Pixel](ch.Before); px != nil {
			c.pixel(px, -1)
		}
		if px := object[catalog.Pixel](ch.After); px != nil {
			c.pixel(px, 1)
		}
	case catalog.KindOrganization:
		before, after := object[catalog.Organization](ch.Before), object[catalog.Organization](ch.After)
		var was, is map[string]string
		if before != nil {
			was = before.VariableOverrides
		}
		if after != nil {
			is = after.VariableOverrides
		}
		renamed := before != nil && after != nil && before.Name != after.Name
		if maps.Equal(was, is) && !renamed {
			return
		}
		if c.stale == nil {
			c.stale = make(map[string]bool)
		}
		for _, o := range []*catalog.Organization{before, after} {
			if o != nil {
				c.stale[o.Name] = true
			}
		}
		c.known = false
	}
}

// object is a changed object; nil if there was none.
func object[T any](v any) *T {
	p, _ := v.(*T)
	return p
}

// refreshOwners gives the rules of owners their changed overrides.
func (c *change) refreshOwners() {
	for owner := range c.stale {
		for p := range c.t.src.PackagesOf(owner) {
			c.removePackage(p)
			c.addPackage(p)
		}
		for col := range c.t.src.CollectionsOf(owner) {
			c.removeCollection(col)
			c.addCollection(col)
		}
	}
}

// overridesOf are an owner's variable overrides, the same map for all its rules.
func (c *change) overridesOf(owner string) map[string]string {
	if !c.known || c.owner != owner {
		c.owner, c.overrides, c.known = owner, nil, true
		if o := c.t.src.Organization(owner); o != nil && len(o.VariableOverrides) > 0 {
			c.overrides = o.VariableOverrides
		}
	}
	return c.overrides
}

// ownHosts makes the hosts that exist without any rule.
func (c *change) ownHosts() {
	if base := c.t.opts.BaseDomain; base != "" {
		c.edit(base, "", func(*Host) {})
		c.edit("static."+base, "", func(*Host) {})
	}
}

// edit lets f modify an owner's host, which is made if there is none and dropped if
// nothing is left in it.
func (c *change) edit(name, owner string, f func(*Host)) {
	c.t.hosts.update(c.t.step, fit(hashOf(name)), func(s hostSlot) (hostSlot, bool) {
		s = hostSlot{host: c.editList(s.host, name, owner, f)}
		if s.host != nil {
			s.templates = s.host.templates
		}
		return s, s.host != nil
	})
}

// editList does it in the list of hosts that share a hash: those of one name and,
// hardly ever, of two. It copies the hosts before the one meant.
func (c *change) editList(old *Host, name, owner string, f func(*Host)) (head *Host) {
	link := &head
	h := old
	for ; h != nil && (h.name < name || h.name == name && h.owner < owner); h = h.other {
		n := h.edit(c.t.step)
		*link = n
		link = &n.other
	}
	var next *Host
	if h != nil && h.name == name && h.owner == owner {
		next = h.other
		h = h.edit(c.t.step)
	} else {
		next = h
		h = c.newHost(name, owner)
	}
	f(h)
	if h.empty() {
		*link = next
	} else {
		h.other = next
		*link = h
	}
	return head
}

// newHost is a host without rules. A name of the cluster's own serves its owner
// without a claim.
func (c *change) newHost(name, owner string) *Host {
	h := &Host{step: c.t.step, name: name, owner: owner}
	if len(name) <= len(h.short) {
		h.length = uint8(copy(h.short[:], name))
	}
	if o, kind, ok := c.t.ownHost(name); ok && o == owner {
		h.kind, h.serves = kind, true
	}
	return h
}

func (h *Host) edit(step uint64) *Host {
	if h.step == step {
		return h
	}
	n := *h
	n.step = step
	if n.more != nil {
		more := *n.more
		n.more = &more
	}
	return &n
}

// domain takes an owner's claim on a name into account. Names of the cluster's own
// can only be given away by an operator; static.BASE and BASE not at all.
func (c *change) domain(d *catalog.Domain, state catalog.DomainState) {
	serves := state.Serves()
	if owner, kind, ok := c.t.ownHost(d.Name); ok {
		if owner == d.Owner || kind == StaticHost || kind == BaseHost {
			return
		}
		serves = state == catalog.Asserted
	}
	c.edit(d.Name, d.Owner, func(h *Host) { h.serves = serves })
}

// pixel counts a pixel in or out at its custom domains.
func (c *change) pixel(px *catalog.Pixel, by int32) {
	for _, name := range px.Domains {
		c.edit(name, px.Owner, func(h *Host) { h.pixels += by })
	}
}

// hostsOf yields the names of the hosts that serve a package.
func (c *change) hostsOf(p *catalog.Package, f func(name string)) {
	if len(p.Domains) > 0 {
		for i := range p.Domains {
			f(p.Domains[i].Name)
		}
		return
	}
	base := c.t.opts.BaseDomain
	if base == "" {
		return
	}
	if p.Type == catalog.Docker {
		f(p.Owner + ".docker." + base)
	} else {
		f(p.Owner + ".gateway." + base)
	}
}

func (c *change) addPackage(p *catalog.Package) {
	c.npmPackage(p, true)
	rules, err := compilePackage(p, c.overridesOf(p.Owner))
	if err != nil {
		c.t.broken = c.t.broken.update(c.t.step, p.ID, forwards, func(*error) *error { return &err })
	}
	c.place(p, rules, c.add)
}

func (c *change) removePackage(p *catalog.Package) {
	c.npmPackage(p, false)
	rules, err := compilePackage(p, nil)
	if err != nil {
		c.t.broken = c.t.broken.update(c.t.step, p.ID, forwards, func(*error) *error { return nil })
	}
	c.place(p, rules, c.remove)
}

// place calls f with each host of a package and the rules that it has there.
func (c *change) place(p *catalog.Package, rules []*Rule, f func(h *Host, r *Rule)) {
	if len(rules) == 0 {
		return
	}
	c.hostsOf(p, func(name string) {
		c.edit(name, p.Owner, func(h *Host) {
			for _, r := range rules {
				if r.at(name) {
					f(h, r)
				}
			}
		})
	})
}

// at says whether a rule is for the host of this name.
func (r *Rule) at(name string) bool {
	switch {
	case r.Route != nil:
		return r.Route.Domain == "" || r.Route.Domain == name
	case r.Kind == PythonRule && r.Package.Index.RepositoryURL == "":
		for i := range r.Package.Index.Files {
			if d := r.Package.Index.Files[i].Domain; d == "" || d == name {
				return true
			}
		}
		return len(r.Package.Index.Files) == 0
	}
	return true
}

func (c *change) addCollection(col *catalog.Collection)    { c.collection(col, c.add) }
func (c *change) removeCollection(col *catalog.Collection) { c.collection(col, c.remove) }

func (c *change) collection(col *catalog.Collection, f func(h *Host, r *Rule)) {
	pattern, err := parseImagePattern(col.Pattern)
	if err != nil {
		return // refused by [CheckPattern]
	}
	name := col.Domain
	if name == "" {
		if c.t.opts.BaseDomain == "" {
			return
		}
		name = col.Owner + ".docker." + c.t.opts.BaseDomain
	}
	r := &Rule{
		Kind: CollectionRule, Collection: col, Overrides: c.overridesOf(col.Owner),
		rank: pattern.specificity(), rest: &restRule{image: pattern},
	}
	c.edit(name, col.Owner, func(h *Host) { f(h, r) })
}

// add files a rule in a host of this step.
func (c *change) add(h *Host, r *Rule) {
	step := c.t.step
	if r.tmpl != nil {
		f := h.finder(r.Kind)
		*f = f.insert(step, r.tmpl, 0)
		return
	}
	if h.more == nil {
		h.more = new(hostMore)
	}
	m := h.more
	insert := func(less func(a, b *Rule) bool) func(l *ruleList) *ruleList {
		return func(l *ruleList) *ruleList {
			n := new(ruleList)
			if l != nil {
				n.rules = append(make([]*Rule, 0, len(l.rules)+1), l.rules...)
			}
			n.rules = insertRule(n.rules, r, less)
			return n
		}
	}
	c.file(m, r, insert(older), insert(moreSpecific))
	m.countPrivate(r, 1)
}

// remove takes out the rule that is the same as r.
func (c *change) remove(h *Host, r *Rule) {
	step := c.t.step
	if r.tmpl != nil {
		f := h.finder(r.Kind)
		*f = f.remove(step, r.tmpl)
		return
	}
	if h.more == nil {
		return
	}
	f := func(l *ruleList) *ruleList {
		if l == nil {
			return nil
		}
		n := new(ruleList)
		for _, o := range l.rules {
			if !o.same(r) {
				n.rules = append(n.rules, o)
			}
		}
		if n.rules == nil {
			return nil
		}
		return n
	}
	c.file(h.more, r, f, f)
	h.more.countPrivate(r, -1)
}

// file updates the list that a rule without template belongs to.
func (c *change) file(m *hostMore, r *Rule, byAge, bySpecificity func(*ruleList) *ruleList) {
	step := c.t.step
	switch r.Kind {
	case ImageRule:
		m.images.update(step, fit(hashOf(r.Package.Image.PublicName())), func(l *ruleList) (*ruleList, bool) {
			l = byAge(l)
			return l, l != nil
		})
	case CollectionRule:
		m.collections = m.collections.update(step, r.rest.image.prefix, forwards, bySpecificity)
	case PythonRule:
		m.python = m.python.update(step, r.Package.Index.Project, forwards, byAge)
	case RegexpRule:
		m.regexps.update(step, r, byAge)
	case CatchAllRule:
		m.catchAlls = m.catchAlls.update(step, r.rest.catchAll.prefix, forwards, byAge)
	}
}

// compilePackage makes the rules of a package. Those that can't be compiled are
// left out and named in the error.
func compilePackage(p *catalog.Package, overrides map[string]string) ([]*Rule, error) {
	rules := make([]*Rule, 0, len(p.Routes)+1)
	var errs []error
	for i := range p.Routes {
		r, err := compileRoute(p.Type, &p.Routes[i])
		if err != nil {
			errs = append(errs, err...)
			continue
		}
		r.Package, r.Overrides, r.ord = p, overrides, uint16(min(i, 1<<16-1))
		rules = append(rules, r)
	}
	if p.Image != nil {
		rules = append(rules, &Rule{Kind: ImageRule, Package: p, Overrides: overrides})
	}
	if p.Index != nil {
		rules = append(rules, &Rule{Kind: PythonRule, Package: p, Overrides: overrides})
	}
	return rules, errors.Join(errs...)
}
