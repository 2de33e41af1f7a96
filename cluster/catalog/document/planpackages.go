package document

import (
	"slices"
	"strings"

	"tallygate/cluster/catalog"
)

func (p *planner) packages() {
	for i := range p.doc.Packages {
		k := &p.doc.Packages[i]
		owner := p.ownerOf(k.Owner, &k.Place)
		if owner == "" {
			continue
		}
		if k.Type == "" || k.Name == "" { // reported; too little to judge the rest by
			for _, kind := range packageTypes {
				p.packageID[packageKey{owner, catalog.PackageType(kind), k.Name}] = ""
			}
			continue
		}
		if !p.once(&k.Place, "name", "package", owner, string(k.Type), k.Name) {
			continue
		}
		if k.ID != "" && !k.SoftID && !p.once(&k.Place, "id", "package id", k.ID) {
			continue
		}
		p.pkg(k, owner)
	}
}

func (p *planner) pkg(k *Package, owner string) {
	key := packageKey{owner, k.Type, k.Name}
	var byID *catalog.Package
	if k.ID != "" {
		byID = p.view.Package(k.ID)
	}
	id := k.ID
	have, ok := identify(p, &k.Place, &id, k.SoftID, found[catalog.Package]{
		kind: catalog.KindPackage, byID: byID, byKey: p.view.PackageByName(owner, k.Type, k.Name),
		id:  func(k *catalog.Package) string { return k.ID },
		key: packageKeyOf,
	})
	if !ok {
		p.packageID[key] = ""
		return
	}
	if have != nil {
		p.named[catalog.Ref{Kind: catalog.KindPackage, ID: have.ID}] = true
	}
	s := step{place: &k.Place, owner: owner}
	for i := range k.Domains {
		c := claim{owner, k.Domains[i].Name}
		s.attach = append(s.attach, c)
		p.implied(c, &k.Place, indexed("domains", i))
	}
	want := k.Package
	want.ID, want.Owner = id, owner
	want.Domains, want.Routes = slices.Clone(k.Domains), slices.Clone(k.Routes)
	if want.Image != nil && want.Image.Repository == "" {
		image := *want.Image
		image.Repository = defaultRepository(owner, want.Name)
		want.Image = &image
	}
	same := false
	if have != nil {
		want.ID, want.Meta = have.ID, have.Meta
		keepIDs(have, &want)
		same = samePackage(have, &want)
	} else if want.ID == "" {
		want.ID = p.opts.NewID()
	}
	p.packageID[key] = want.ID
	if !same {
		p.newIDs(&want)
	}
	p.put(catalog.Op{Package: &want}, catalog.KindPackage, want.ID, packageName(&want), have, &want, want.Version, same, s)
}

// defaultRepository is where an image is looked for at its registry.
func defaultRepository(owner, name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return owner + "/" + name
}

// keepIDs gives the domains and routes of want the ids and times that they have.
func keepIDs(have, want *catalog.Package) {
	for i := range want.Domains {
		d := &want.Domains[i]
		if j := slices.IndexFunc(have.Domains, func(o catalog.PackageDomain) bool { return o.Name == d.Name }); j >= 0 {
			*d = have.Domains[j]
		}
	}
	type key struct {
		domain, path string
	}
	known := make(map[key][]*catalog.Route, len(have.Routes))
	for i := range have.Routes {
		r := &have.Routes[i]
		k := key{r.Domain, r.IncomingPath}
		known[k] = append(known[k], r)
	}
	for i := range want.Routes {
		r := &want.Routes[i]
		k := key{r.Domain, r.IncomingPath}
		if old := known[k]; len(old) > 0 {
			r.ID, r.CreatedAt = old[0].ID, old[0].CreatedAt
			known[k] = old[1:]
		}
	}
}

// newIDs gives the rest of the domains and routes ids.
func (p *planner) newIDs(want *catalog.Package) {
	for i := range want.Domains {
		if d := &want.Domains[i]; d.ID == "" {
			d.ID, d.CreatedAt = p.opts.NewID(), p.opts.Now
		}
	}
	for i := range want.Routes {
		if r := &want.Routes[i]; r.ID == "" {
			r.ID, r.CreatedAt = p.opts.NewID(), p.opts.Now
		}
	}
}
