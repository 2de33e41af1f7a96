package document

import (
	"fmt"
	"slices"
	"strings"

	"tallygate/cluster/catalog"
	"tallygate/cluster/catalog/document/syntax"
)

// planner compares one document with one view.
type planner struct {
	doc  *Document
	view *catalog.View
	opts PlanOptions
	r    syntax.Reader

	trusted    bool // the actor has the operator's rights
	incomplete bool // the file has mistakes of syntax: entries may be missing
	unchanged  int
	steps      []*step
	named      map[catalog.Ref]bool // objects of the view that the document names
	claims     map[claim]*wantedClaim
	claimList  []*wantedClaim // in the order of the file
	owners     map[string]bool
	places     map[string]*Place // first mention of an object, to find a second one
	matched    map[catalog.Ref]*Place
	keys       map[string]bool     // what makes each wanted object with a soft id unique
	reading    map[string][]string // paths of the mistakes of reading, by entry
	packageID  map[packageKey]string
	patterns   map[string]map[[2]string]*catalog.Collection
}

// step is one operation with where it comes from.
type step struct {
	op     catalog.Op
	change Change

	place *Place
	field string // of place, when the operation is about a part of that object

	attach []claim // claims that the object needs
	owner  string
}

type claim struct{ owner, name string }

type packageKey struct {
	owner string
	kind  catalog.PackageType
	name  string
}

func newPlanner(d *Document, view *catalog.View, opts PlanOptions) *planner {
	p := &planner{
		doc: d, view: view, opts: opts,
		r:         syntax.Reader{File: d.Name, Problems: slices.Clone(d.Problems)},
		trusted:   opts.Actor.Operator || opts.Actor.Kind == "local" || opts.Actor.Kind == "node",
		named:     make(map[catalog.Ref]bool),
		claims:    make(map[claim]*wantedClaim),
		owners:    make(map[string]bool),
		places:    make(map[string]*Place),
		matched:   make(map[catalog.Ref]*Place),
		keys:      make(map[string]bool),
		packageID: make(map[packageKey]string),
		patterns:  make(map[string]map[[2]string]*catalog.Collection),
		reading:   make(map[string][]string),
	}
	for _, problem := range d.Problems {
		p.incomplete = p.incomplete || problem.Path == ""
		entry, _, _ := strings.Cut(problem.Path, ".")
		p.reading[entry] = append(p.reading[entry], problem.Path)
	}
	return p
}

func (p *planner) finish() []*Problem { return p.r.Finish() }

// problem reports a mistake in a field of the object at place.
func (p *planner) problem(place *Place, field, message, fix string) {
	path, line, column := place.Find(field)
	p.r.Add(&Problem{Line: line, Column: column, Path: path, Message: message, Fix: fix})
}

// once reports an object that was described before.
func (p *planner) once(place *Place, field, what string, key ...string) bool {
	k := what + "\x00" + strings.Join(key, "\x00")
	first, seen := p.places[k]
	if !seen {
		p.places[k] = place
		return true
	}
	p.problem(place, field, fmt.Sprintf("this %s was described before, in line %d", what, first.Line), "make one entry of them")
	return false
}

// ownerOf resolves an entry's owner; "" when there is none, which is reported.
func (p *planner) ownerOf(owner string, place *Place) string {
	if owner == "" {
		owner = p.opts.Owner
	}
	if owner == "" {
		p.problem(place, "owner", "owner is missing", "add owner here, or once at the top of the file for all")
		return ""
	}
	p.owners[owner] = true
	return owner
}

// put adds a step that makes have into want, unless they are the same already.
// have is nil for a new object.
func (p *planner) put(op catalog.Op, kind catalog.Kind, id, name string, have, want any, version uint64, same bool, s step) {
	p.named[catalog.Ref{Kind: kind, ID: id}] = true
	if same {
		p.unchanged++
		return
	}
	s.op = op
	s.op.IfVersion = &version
	s.change = Change{Action: Create, Kind: kind, ID: id, Name: name, After: want}
	if version != 0 {
		s.change.Action, s.change.Before = Update, have
	}
	p.steps = append(p.steps, &s)
}

func (p *planner) organizations() {
	for i := range p.doc.Organizations {
		o := &p.doc.Organizations[i]
		p.owners[o.Name] = true
		if o.IfMissing {
			if p.view.HasOwner(o.Name) || p.places["organization\x00"+o.Name] != nil {
				continue
			}
		} else if o.Name == "" || !p.once(&o.Place, "name", "organization", o.Name) {
			continue
		}
		want := o.Organization
		if len(want.VariableOverrides) == 0 {
			want.VariableOverrides = nil
		}
		have := p.view.Organization(want.Name)
		same := false
		if have != nil {
			want.ID, want.Meta = have.ID, have.Meta
			same = sameOrganization(have, &want)
		} else {
			want.ID = p.opts.NewID()
		}
		p.put(catalog.Op{Organization: &want}, catalog.KindOrganization, want.ID, want.Name, have, &want, want.Version, same, step{place: &o.Place})
	}
}

func (p *planner) users() {
	for i := range p.doc.Users {
		u := &p.doc.Users[i]
		p.owners[u.Name] = true
		if u.Name == "" || !p.once(&u.Place, "name", "user", u.Name) {
			continue
		}
		want := u.User
		have := p.view.UserByName(want.Name)
		same := false
		if have != nil {
			want.ID, want.Meta = have.ID, have.Meta
			same = have.Operator == want.Operator
		} else {
			want.ID = p.opts.NewID()
		}
		p.put(catalog.Op{User: &want}, catalog.KindUser, want.ID, want.Name, have, &want, want.Version, same, step{place: &u.Place})
	}
}

// found is what the view holds for an entry: under the id that the file names
// and under what makes the entry unique otherwise.
type found[T any] struct {
	kind        catalog.Kind
	byID, byKey *T
	id          func(*T) string
	key         func(*T) string
}

// identify finds the object that an entry is about; nil: it is a new one. ok is
// false when the file contradicts itself or the view, which is reported. id is
// emptied when it belongs to another object and the entry doesn't insist on it.
func identify[T any](p *planner, place *Place, id *string, soft bool, f found[T]) (have *T, ok bool) {
	have = f.byKey
	switch {
	case *id == "", soft && f.byKey != nil:
	case f.byKey == nil && soft && f.byID != nil && p.keys[f.key(f.byID)]:
		*id = ""
		return nil, true
	case f.byKey == nil:
		have = f.byID
	case f.id(f.byKey) != *id:
		p.problem(place, "id", fmt.Sprintf("the %s has the id %q, which can't change to %q", f.kind, f.id(f.byKey), *id),
			"leave id out, or write the one it has")
		return nil, false
	}
	if have == nil {
		return nil, true
	}
	ref := catalog.Ref{Kind: f.kind, ID: f.id(have)}
	if other := p.matched[ref]; other != nil {
		p.problem(place, "id", fmt.Sprintf("this entry and the one in line %d are about the same %s, %q", other.Line, f.kind, ref.ID),
			"rename one thing at a time: apply the entry with the id first")
		return nil, false
	}
	p.matched[ref] = place
	return have, true
}

func packageKeyOf(k *catalog.Package) string {
	return k.Owner + "\x00" + string(k.Type) + "\x00" + k.Name
}

func collectionKeyOf(c *catalog.Collection) string {
	return c.Owner + "\x00" + c.Domain + "\x00" + c.Pattern
}

// softKeys notes what makes the entries with soft ids unique: an object that is
// another entry's isn't taken for a renamed one.
func (p *planner) softKeys() {
	owned := func(owner string) string {
		if owner == "" {
			return p.opts.Owner
		}
		return owner
	}
	for i := range p.doc.Packages {
		if k := &p.doc.Packages[i]; k.SoftID {
			p.keys[packageKeyOf(&catalog.Package{Owner: owned(k.Owner), Type: k.Type, Name: k.Name})] = true
		}
	}
	for i := range p.doc.Collections {
		if c := &p.doc.Collections[i]; c.SoftID {
			p.keys[collectionKeyOf(&catalog.Collection{Owner: owned(c.Owner), Domain: c.Domain, Pattern: c.Pattern})] = true
		}
	}
}

func (p *planner) collections() {
	for i := range p.doc.Collections {
		c := &p.doc.Collections[i]
		owner := p.ownerOf(c.Owner, &c.Place)
		if owner == "" || c.Pattern == "" || !p.once(&c.Place, "pattern", "collection", owner, c.Domain, c.Pattern) {
			continue
		}
		if c.ID != "" && !c.SoftID && !p.once(&c.Place, "id", "collection id", c.ID) {
			continue
		}
		want := c.Collection
		want.Owner = owner
		var byID *catalog.Collection
		if want.ID != "" {
			byID = p.view.Collection(want.ID)
		}
		have, ok := identify(p, &c.Place, &want.ID, c.SoftID, found[catalog.Collection]{
			kind: catalog.KindCollection, byID: byID, byKey: p.collection(owner, want.Domain, want.Pattern),
			id:  func(c *catalog.Collection) string { return c.ID },
			key: collectionKeyOf,
		})
		if !ok {
			continue
		}
		s := step{place: &c.Place, owner: owner}
		if want.Domain != "" {
			s.attach = []claim{{owner, want.Domain}}
			p.implied(claim{owner, want.Domain}, &c.Place, "domain")
		}
		same := false
		if have != nil {
			want.ID, want.Meta = have.ID, have.Meta
			same = *have == want
		} else if want.ID == "" {
			want.ID = p.opts.NewID()
		}
		p.put(catalog.Op{Collection: &want}, catalog.KindCollection, want.ID, collectionName(&want), have, &want, want.Version, same, s)
	}
}

// collection finds a collection by what makes it unique.
func (p *planner) collection(owner, domain, pattern string) *catalog.Collection {
	known, ok := p.patterns[owner]
	if !ok {
		known = make(map[[2]string]*catalog.Collection)
		for c := range p.view.CollectionsOf(owner) {
			known[[2]string{c.Domain, c.Pattern}] = c
		}
		p.patterns[owner] = known
	}
	return known[[2]string{domain, pattern}]
}

func (p *planner) pixels() {
	for i := range p.doc.Pixels {
		x := &p.doc.Pixels[i]
		owner := p.ownerOf(x.Owner, &x.Place)
		if owner == "" || x.Name == "" || !p.once(&x.Place, "name", "pixel", owner, x.Name) {
			continue
		}
		if x.ID != "" && !p.once(&x.Place, "id", "pixel id", x.ID) {
			continue
		}
		want := x.Pixel
		want.Owner, want.Domains = owner, slices.Clone(x.Domains)
		var byID *catalog.Pixel
		if want.ID != "" {
			byID = p.view.Pixel(want.ID)
		}
		have, ok := identify(p, &x.Place, &want.ID, false, found[catalog.Pixel]{
			kind: catalog.KindPixel, byID: byID, byKey: p.view.PixelByName(owner, want.Name),
			id: func(x *catalog.Pixel) string { return x.ID },
		})
		if !ok {
			continue
		}
		if have != nil {
			p.named[catalog.Ref{Kind: catalog.KindPixel, ID: have.ID}] = true
		}
		s := step{place: &x.Place, owner: owner}
		for j, name := range want.Domains {
			s.attach = append(s.attach, claim{owner, name})
			p.implied(claim{owner, name}, &x.Place, indexed("domains", j))
		}
		if x.Package != "" && !p.pixelPackage(x, &want) {
			continue
		}
		same := false
		if have != nil {
			want.ID, want.Meta = have.ID, have.Meta
			same = samePixel(have, &want)
		} else if want.ID == "" {
			want.ID = p.opts.NewID()
		}
		p.put(catalog.Op{Pixel: &want}, catalog.KindPixel, want.ID, owner+"/"+want.Name, have, &want, want.Version, same, s)
	}
}

// pixelPackage finds the package that a pixel names.
func (p *planner) pixelPackage(x *Pixel, want *catalog.Pixel) bool {
	find := func(kind catalog.PackageType, name string) bool {
		key := packageKey{want.Owner, kind, name}
		if id, ok := p.packageID[key]; ok {
			want.PackageID = id
			return true
		}
		if k := p.view.PackageByName(key.owner, key.kind, key.name); k != nil {
			want.PackageID = k.ID
			return true
		}
		return false
	}
	if kind, name, ok := strings.Cut(x.Package, "/"); ok && slices.Contains(packageTypes, kind) {
		if find(catalog.PackageType(kind), name) {
			return want.PackageID != "" // "": that package is broken
		}
	}
	var found []string
	for _, kind := range packageTypes {
		if find(catalog.PackageType(kind), x.Package) {
			found = append(found, kind+"/"+x.Package)
		}
	}
	switch {
	case len(found) == 1:
		return want.PackageID != ""
	case len(found) > 1:
		p.problem(&x.Place, "package_id", fmt.Sprintf("%s has several packages called %q", want.Owner, x.Package),
			"write one of "+strings.Join(found, ", "))
	case !p.incomplete:
		p.problem(&x.Place, "package_id", fmt.Sprintf("%s has no package called %q", want.Owner, x.Package),
			"add it to packages, or leave package out")
	}
	return false
}
