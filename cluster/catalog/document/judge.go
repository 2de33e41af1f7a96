package document

import (
	"strings"

	"tallygate/cluster/catalog"
)

// judge asks the catalog what it would refuse and finds the places in the file
// that it is about.
func (p *planner) judge(plan *Plan, steps []*step) {
	if len(plan.Ops) == 0 {
		return
	}
	errs := catalog.ValidateOps(p.view, p.opts.Actor, p.opts.Now, plan.Ops)
	if p.opts.Check != nil {
		errs = append(errs, p.opts.Check(&catalog.Command{
			Format: catalog.Format, Time: p.opts.Now, Actor: p.opts.Actor, Ops: plan.Ops,
		})...)
	}
	refused := make(map[claim]bool) // claims whose own step is refused
	for _, e := range errs {
		if s := at(steps, e.Op); s != nil && s.op.Domain != nil {
			refused[claim{s.op.Domain.Owner, s.op.Domain.Name}] = true
		}
	}
	for _, e := range errs {
		s := at(steps, e.Op)
		switch {
		case s == nil:
			p.r.Add(&Problem{Message: e.Error()})
		case s.place == nil:
			p.r.Add(&Problem{Message: "deleting " + string(s.change.Kind) + " " + s.change.Name + ": " + e.Message})
		case s.field != "":
			p.problem(s.place, s.field, e.Message, "")
		case e.Code == catalog.CodeOwnerNotFound && p.brokenOwner(s.owner):
			// The owner's own entry was reported.
		default:
			if s.op.Domain == nil && strings.HasPrefix(e.Field, "domain") && p.aboutRefused(s, e, refused) {
				continue
			}
			p.problem(s.place, e.Field, e.Message, "")
		}
	}
}

func at(steps []*step, i int) *step {
	if i < 0 || i >= len(steps) {
		return nil
	}
	return steps[i]
}

// brokenOwner says whether the document describes the owner, but wrongly.
func (p *planner) brokenOwner(owner string) bool {
	for _, what := range []string{"organization", "user"} {
		if place := p.places[what+"\x00"+owner]; place != nil && place.broken {
			return true
		}
	}
	return false
}

// aboutRefused says whether a refused attachment only repeats that the claim on
// the name was refused.
func (p *planner) aboutRefused(s *step, e *catalog.Error, refused map[claim]bool) bool {
	switch e.Code {
	case catalog.CodePublicDomainIsReserved, catalog.CodeDomainInUse, catalog.CodePublicDomainInUse, catalog.CodeDomainNotClaimed:
	default:
		return false
	}
	for _, c := range s.attach {
		if refused[c] && strings.Contains(e.Message, c.name) {
			return true
		}
	}
	return false
}
