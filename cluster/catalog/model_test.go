package catalog

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model is the catalog as one would write it with nothing but maps: what the
// store does with indexes and transactions must come to the same.
type model struct {
	owners   map[string]string // id of an organization or a user → name
	users    map[string]bool   // which of them are users
	domains  map[string]Domain
	packages map[string]modelPackage
	pixels   map[string]Pixel
}

type modelPackage struct {
	owner, name string
	domains     []string
}

func (m model) clone() model {
	return model{maps.Clone(m.owners), maps.Clone(m.users), maps.Clone(m.domains), maps.Clone(m.packages), maps.Clone(m.pixels)}
}

func newModel() model {
	return model{map[string]string{}, map[string]bool{}, map[string]Domain{}, map[string]modelPackage{}, map[string]Pixel{}}
}

func (m model) hasOwner(name string) bool {
	return slices.Contains(slices.Collect(maps.Values(m.owners)), name)
}

// op carries one operation out, or says that it must be refused.
func (m model) op(op Op) bool {
	switch {
	case op.Organization != nil:
		return m.putOwner("o:"+op.Organization.ID, op.Organization.Name, false)
	case op.User != nil:
		return m.putOwner("u:"+op.User.ID, op.User.Name, true)
	case op.Domain != nil:
		return m.putDomain(*op.Domain)
	case op.Package != nil:
		return m.putPackage(op.Package)
	case op.Pixel != nil:
		return m.putPixel(*op.Pixel)
	}
	return m.delete(*op.Delete)
}

func (m model) putOwner(id, name string, isUser bool) bool {
	for other, n := range m.owners {
		if other != id && n == name {
			return false
		}
	}
	if before, ok := m.owners[id]; ok && before != name {
		for k, d := range m.domains {
			if d.Owner == before {
				d.Owner = name
				m.domains[k] = d
			}
		}
		for k, p := range m.packages {
			if p.owner == before {
				p.owner = name
				m.packages[k] = p
			}
		}
		for k, p := range m.pixels {
			if p.Owner == before {
				p.Owner = name
				m.pixels[k] = p
			}
		}
	}
	m.owners[id], m.users[id] = name, isUser
	return true
}

func (m model) putDomain(d Domain) bool {
	if !m.hasOwner(d.Owner) {
		return false
	}
	for id, o := range m.domains {
		if id != d.ID && o.Name == d.Name && (o.Owner == d.Owner || o.State.Serves() && d.State.Serves()) {
			return false
		}
	}
	if b, ok := m.domains[d.ID]; ok && (b.Name != d.Name || b.Owner != d.Owner) && m.attached(b) {
		return false
	}
	m.domains[d.ID] = d
	return true
}

func (m model) attached(d Domain) bool {
	for _, p := range m.packages {
		if p.owner == d.Owner && slices.Contains(p.domains, d.Name) {
			return true
		}
	}
	for _, p := range m.pixels {
		if p.Owner == d.Owner && slices.Contains(p.Domains, d.Name) {
			return true
		}
	}
	return false
}

func (m model) mayAttach(owner string, names []string) bool {
	for _, name := range names {
		if !slices.ContainsFunc(slices.Collect(maps.Values(m.domains)), func(d Domain) bool { return d.Owner == owner && d.Name == name }) {
			return false
		}
	}
	return true
}

func (m model) putPackage(p *Package) bool {
	var names []string
	for _, d := range p.Domains {
		names = append(names, d.Name)
	}
	if !m.hasOwner(p.Owner) || !m.mayAttach(p.Owner, names) {
		return false
	}
	for id, o := range m.packages {
		if id != p.ID && o.owner == p.Owner && o.name == p.Name {
			return false
		}
	}
	if b, ok := m.packages[p.ID]; ok && b.owner != p.Owner {
		m.detachPixels(p.ID)
	}
	m.packages[p.ID] = modelPackage{p.Owner, p.Name, names}
	return true
}

func (m model) detachPixels(packageID string) {
	for k, px := range m.pixels {
		if px.PackageID == packageID {
			px.PackageID = ""
			m.pixels[k] = px
		}
	}
}

func (m model) putPixel(px Pixel) bool {
	if !m.hasOwner(px.Owner) || !m.mayAttach(px.Owner, px.Domains) {
		return false
	}
	if p, ok := m.packages[px.PackageID]; px.PackageID != "" && (!ok || p.owner != px.Owner) {
		return false
	}
	for id, o := range m.pixels {
		if id != px.ID && o.Owner == px.Owner && o.Name == px.Name {
			return false
		}
	}
	m.pixels[px.ID] = px
	return true
}

func (m model) delete(ref Ref) bool {
	switch ref.Kind {
	case KindOrganization, KindUser:
		id := map[Kind]string{KindOrganization: "o:", KindUser: "u:"}[ref.Kind] + ref.ID
		name, ok := m.owners[id]
		for _, p := range m.packages {
			ok = ok && p.owner != name
		}
		for _, d := range m.domains {
			ok = ok && d.Owner != name
		}
		for _, p := range m.pixels {
			ok = ok && p.Owner != name
		}
		delete(m.owners, id)
		return ok
	case KindDomain:
		d, ok := m.domains[ref.ID]
		ok = ok && !m.attached(d)
		delete(m.domains, ref.ID)
		return ok
	case KindPackage:
		_, ok := m.packages[ref.ID]
		delete(m.packages, ref.ID)
		m.detachPixels(ref.ID)
		return ok
	default:
		_, ok := m.pixels[ref.ID]
		delete(m.pixels, ref.ID)
		return ok
	}
}

// drawOp draws from so few names that operations often concern each other.
func drawOp(t *rapid.T) Op {
	id := func(kind string) string { return kind + rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "id") }
	owner := func() string { return rapid.SampledFrom([]string{"acme", "apex", "robot"}).Draw(t, "owner") }
	domain := func() string { return rapid.SampledFrom([]string{"a.dev", "b.dev"}).Draw(t, "domain") }
	name := func() string { return rapid.SampledFrom([]string{"x", "y"}).Draw(t, "name") }
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0, 1:
		return Op{Organization: &Organization{ID: id("org"), Name: owner()}}
	case 2:
		return Op{User: &User{ID: id("user"), Name: owner()}}
	case 3, 4:
		states := []DomainState{Asserted, Pending, Verified, Lost}
		return Op{Domain: &Domain{ID: id("domain"), Owner: owner(), Name: domain(), State: rapid.SampledFrom(states).Draw(t, "state")}}
	case 5, 6:
		p := &Package{ID: id("package"), Owner: owner(), Name: name(), Type: File}
		if rapid.Bool().Draw(t, "on a domain") {
			p.Domains = []PackageDomain{{ID: "d", Name: domain()}}
		}
		return Op{Package: p}
	case 7:
		px := &Pixel{ID: id("pixel"), Owner: owner(), Name: name()}
		if rapid.Bool().Draw(t, "of a package") {
			px.PackageID = id("package")
		}
		if rapid.Bool().Draw(t, "on a domain") {
			px.Domains = []string{domain()}
		}
		return Op{Pixel: px}
	default:
		kind := rapid.SampledFrom([]string{"organization", "user", "domain", "package", "pixel"}).Draw(t, "kind")
		prefix := kind
		if kind == "organization" {
			prefix = "org"
		}
		return Op{Delete: &Ref{Kind: Kind(kind), ID: id(prefix)}}
	}
}

// agree compares everything that the model knows.
func (m model) agree(t *rapid.T, v *View) {
	for id, name := range m.owners {
		var found bool
		if m.users[id] {
			u := v.User(id[2:])
			found = u != nil && u.Name == name && v.UserByName(name) == u
		} else {
			o := v.OrganizationByID(id[2:])
			found = o != nil && o.Name == name && v.Organization(name) == o
		}
		if !found {
			t.Fatalf("owner %s %s is missing", id, name)
		}
	}
	for id, d := range m.domains {
		got := v.Domain(id)
		if got == nil || got.Owner != d.Owner || got.State != d.State || v.Claim(d.Owner, d.Name) != got || d.State.Serves() && v.ServingDomain(d.Name) != got {
			t.Fatalf("domain %+v is %+v", d, got)
		}
	}
	for id, p := range m.packages {
		got := v.Package(id)
		if got == nil || got.Owner != p.owner || v.PackageByName(p.owner, File, p.name) != got || len(got.Domains) != len(p.domains) {
			t.Fatalf("package %s %+v is %+v", id, p, got)
		}
	}
	for id, p := range m.pixels {
		got := v.Pixel(id)
		if got == nil || got.Owner != p.Owner || got.PackageID != p.PackageID || v.PixelByName(p.Owner, p.Name) != got {
			t.Fatalf("pixel %+v is %+v", p, got)
		}
	}
	for kind, want := range map[Kind]int{KindDomain: len(m.domains), KindPackage: len(m.packages), KindPixel: len(m.pixels)} {
		n := 0
		for range v.objects(kind) {
			n++
		}
		if n != want || v.Count(kind) != want {
			t.Fatalf("%d objects of kind %s, counted %d, want %d", n, kind, v.Count(kind), want)
		}
	}
	if n := length(v.Organizations()) + length(v.Users()); n != len(m.owners) {
		t.Fatalf("%d owners, want %d", n, len(m.owners))
	}
}

func TestTheStoreDecidesLikeANaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, m := NewStore(), newModel()
		var log []*Command
		for i := range rapid.IntRange(1, 30).Draw(t, "commands") {
			cmd := &Command{Format: Format, ID: fmt.Sprint("c", i), Time: testTime.Add(time.Duration(i) * time.Second), Actor: operator()}
			for range rapid.IntRange(1, 3).Draw(t, "operations") {
				cmd.Ops = append(cmd.Ops, drawOp(t))
			}
			next, fine := m.clone(), true
			for _, op := range cmd.Ops {
				// The store goes on after a mistake; the verdict is the same.
				if fine = next.op(op); !fine {
					break
				}
			}
			before := s.View()
			early := Validate(before, cmd)
			r, changes := s.Apply(cmd)
			if (r.Err() == nil) != fine || (len(early) == 0) != fine {
				t.Fatalf("command %d %+v: model says %v, Apply %v, Validate %v", i, cmd.Ops, fine, r.Err(), early)
			}
			if !fine {
				if s.View() != before {
					t.Fatal("a refused command changed something")
				}
				continue
			}
			m = next
			log = append(log, cmd)
			m.agree(t, s.View())
			for _, ch := range changes {
				if was := before.Object(ch.Kind, ch.ID); was != ch.Before {
					t.Fatalf("before %s %s: %+v, was %+v", ch.Kind, ch.ID, ch.Before, was)
				}
				if is := s.View().Object(ch.Kind, ch.ID); is != ch.After {
					t.Fatalf("after %s %s: %+v, is %+v", ch.Kind, ch.ID, ch.After, is)
				}
			}
		}

		// The same log gives the same replica; so does a snapshot on the way.
		replica := NewStore()
		stop := rapid.IntRange(0, len(log)).Draw(t, "snapshot after")
		for i, cmd := range log {
			if i == stop {
				var b bytes.Buffer
				if err := replica.WriteSnapshot(&b); err != nil {
					t.Fatal(err)
				}
				replica = NewStore()
				if err := replica.Restore(&b); err != nil {
					t.Fatal(err)
				}
			}
			replica.Apply(cmd)
			replica.Apply(cmd) // twice is once
		}
		var a, b bytes.Buffer
		if err := s.WriteSnapshot(&a); err != nil {
			t.Fatal(err)
		}
		if err := replica.WriteSnapshot(&b); err != nil {
			t.Fatal(err)
		}
		if s.View().Digest() != replica.View().Digest() || !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Fatal("a replica differs")
		}
	})
}
