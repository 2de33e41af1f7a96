package document

import (
	"maps"
	"slices"

	"tallygate/cluster/catalog"
)

// wantedClaim is a claim that the document needs.
type wantedClaim struct {
	claim
	state catalog.DomainState // empty: as much as the actor may
	place *Place
	field string
}

// implied notes that something is served on a domain, which takes a claim on it.
// A name that isn't one is left for the catalog to refuse where it is attached.
func (p *planner) implied(c claim, place *Place, field string) {
	if p.claims[c] != nil || c.name == "" {
		return
	}
	if canonical, err := catalog.CanonicalDomain(c.name); err != nil || canonical != c.name {
		return
	}
	w := &wantedClaim{claim: c, place: place, field: field}
	p.claims[c] = w
	p.claimList = append(p.claimList, w)
}

// domains comes after everything that is served on one, since an entry of its
// own says more than a mention.
func (p *planner) domains() {
	for i := range p.doc.Domains {
		d := &p.doc.Domains[i]
		owner := p.ownerOf(d.Owner, &d.Place)
		if owner == "" || d.Name == "" || !p.once(&d.Place, "name", "domain", owner, d.Name) {
			continue
		}
		c := claim{owner, d.Name}
		w := p.claims[c]
		if w == nil {
			w = &wantedClaim{claim: c}
			p.claims[c] = w
			p.claimList = append(p.claimList, w)
		}
		w.state, w.place, w.field = d.State, &d.Place, ""
	}
	for _, w := range p.claimList {
		p.claimed(w)
	}
}

func (p *planner) claimed(w *wantedClaim) {
	have := p.view.Claim(w.owner, w.name)
	if have != nil {
		p.named[catalog.Ref{Kind: catalog.KindDomain, ID: have.ID}] = true
	}
	state := w.state
	if state == "" {
		state = catalog.Pending
		if p.trusted {
			state = catalog.Asserted
		}
	}
	want := catalog.Domain{Name: w.name, Owner: w.owner, State: state}
	same := false
	if have != nil {
		same = have.State.Serves() || state == catalog.Pending
		want = *have
		if !same {
			want.State = state
		}
	} else {
		want.ID = p.opts.NewID()
		if state == catalog.Pending {
			want.Code = p.opts.NewID()
		}
	}
	p.put(catalog.Op{Domain: &want}, catalog.KindDomain, want.ID, domainName(&want), have, &want, want.Version, same,
		step{place: w.place, field: w.field, owner: w.owner})
}

// prune deletes what the document's owners have and the document doesn't name.
func (p *planner) prune() {
	for _, owner := range slices.Sorted(maps.Keys(p.owners)) {
		for x := range p.view.PixelsOf(owner) {
			p.drop(catalog.KindPixel, x.ID, owner+"/"+x.Name, x, x.Version)
		}
		var wanted []*catalog.Collection
		for i := range p.doc.Collections {
			if c := &p.doc.Collections[i]; c.Owner == owner || c.Owner == "" && p.opts.Owner == owner {
				wanted = append(wanted, &c.Collection)
			}
		}
		for c := range p.view.CollectionsOf(owner) {
			p.drop(catalog.KindCollection, c.ID, collectionName(c), c, c.Version)
		}
		for k := range p.view.PackagesOf(owner) {
			if !slices.ContainsFunc(wanted, func(c *catalog.Collection) bool { return takes(c, k) }) {
				p.drop(catalog.KindPackage, k.ID, packageName(k), k, k.Version)
				continue
			}
			for i := range k.Domains { // kept, so its claims are
				if have := p.view.Claim(owner, k.Domains[i].Name); have != nil {
					p.named[catalog.Ref{Kind: catalog.KindDomain, ID: have.ID}] = true
				}
			}
		}
		for d := range p.view.DomainsOf(owner) {
			p.drop(catalog.KindDomain, d.ID, domainName(d), d, d.Version)
		}
	}
}

func (p *planner) drop(kind catalog.Kind, id, name string, have any, version uint64) {
	ref := catalog.Ref{Kind: kind, ID: id}
	if p.named[ref] {
		return
	}
	p.steps = append(p.steps, &step{
		op:     catalog.Op{Delete: &ref, IfVersion: &version},
		change: Change{Action: Delete, Kind: kind, ID: id, Name: name, Before: have},
	})
}
