package document

import (
	"cmp"
	"slices"

	"tallygate/cluster/catalog"
)

// The ranks of steps: a step of a lower rank comes first. The catalog judges
// operations one after the other, so each must find what it needs and must not
// meet what a later one takes away.
const (
	rankDrop     = iota // packages, collections and pixels that go: they free their names
	rankOwner           // organizations and users
	rankClaim           // claims on domains
	rankPackage         //
	rankServed          // collections and pixels
	rankUnclaim         // claims that nothing needs any more
	rankReclaim         // claims on what another owner has just given up,
	rankAfter           // and the packages,
	rankAfterAll        // collections and pixels on them
)

// ordered puts the steps into an order in which the catalog takes them.
func (p *planner) ordered() []*step {
	// Names that change hands: their claim goes first, and what needs the new one
	// comes after it.
	dropped := make(map[catalog.Ref]bool)
	for _, s := range p.steps {
		if s.op.Delete != nil {
			dropped[*s.op.Delete] = true
		}
	}
	moved := make(map[claim]bool)
	rank := make(map[*step]int, len(p.steps))
	for _, s := range p.steps {
		d := s.op.Domain
		if d == nil || !d.State.Serves() {
			continue
		}
		if other := p.view.ServingDomain(d.Name); other != nil && dropped[catalog.Ref{Kind: catalog.KindDomain, ID: other.ID}] {
			moved[claim{d.Owner, d.Name}] = true
			rank[s] = rankReclaim
		}
	}
	for _, s := range p.steps {
		late := slices.ContainsFunc(s.attach, func(c claim) bool { return moved[c] })
		switch op := &s.op; {
		case rank[s] != 0:
		case op.Delete != nil && op.Delete.Kind == catalog.KindDomain:
			rank[s] = rankUnclaim
		case op.Delete != nil:
			rank[s] = rankDrop
		case op.Organization != nil || op.User != nil:
			rank[s] = rankOwner
		case op.Domain != nil:
			rank[s] = rankClaim
		case op.Package != nil && late:
			rank[s] = rankAfter
		case op.Package != nil:
			rank[s] = rankPackage
		case late:
			rank[s] = rankAfterAll
		default:
			rank[s] = rankServed
		}
		// Deleting a package lets go of its pixels, which is a change of theirs.
		if x := s.op.Pixel; x != nil && s.change.Before != nil {
			if old := s.change.Before.(*catalog.Pixel).PackageID; dropped[catalog.Ref{Kind: catalog.KindPackage, ID: old}] {
				s.op.IfVersion = nil
			}
		}
	}
	out := slices.Clone(p.steps)
	slices.SortStableFunc(out, func(a, b *step) int { return cmp.Compare(rank[a], rank[b]) })
	return releaseFirst(out)
}

// releaseFirst moves a package that gives up a name before the one that takes
// it. Where names go round in a circle the order stays, and the catalog refuses:
// that takes two files.
func releaseFirst(steps []*step) []*step {
	released := make(map[string]*step)
	for _, s := range steps {
		before, _ := s.change.Before.(*catalog.Package)
		if before == nil || s.op.Package == nil {
			continue
		}
		kept := make(map[string]bool)
		for _, key := range takenNames(s.op.Package) {
			kept[key] = true
		}
		for _, key := range takenNames(before) {
			if !kept[key] {
				released[key] = s
			}
		}
	}
	if len(released) == 0 {
		return steps
	}
	out := make([]*step, 0, len(steps))
	state := make(map[*step]int, len(steps)) // 1: under way, 2: done
	var visit func(s *step)
	visit = func(s *step) {
		if state[s] != 0 {
			return
		}
		state[s] = 1
		if s.op.Package != nil {
			for _, key := range takenNames(s.op.Package) {
				if first := released[key]; first != nil {
					visit(first)
				}
			}
		}
		state[s] = 2
		out = append(out, s)
	}
	for _, s := range steps {
		visit(s)
	}
	return out
}

// takenNames are the names that no two packages may have: the package's own, and
// those under which it is served.
func takenNames(k *catalog.Package) []string {
	names := []string{packageName(k)}
	served := ""
	switch {
	case k.Image != nil:
		served = "image " + k.Image.PublicName()
	case k.Index != nil:
		served = "project " + k.Index.Project
	default:
		return names
	}
	if len(k.Domains) == 0 {
		return append(names, served+" of "+k.Owner)
	}
	for i := range k.Domains {
		names = append(names, served+" on "+k.Domains[i].Name)
	}
	return names
}
