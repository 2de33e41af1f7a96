package document

import (
	"slices"
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
		case p.incomplete && e.Code == catalog.CodeOwnerNotFound:
			// The owner may be in the part that couldn't be read.
		case s.op.Domain == nil && strings.HasPrefix(e.Field, "domain") && aboutRefused(s, e, refused):
		case s.field != "" && e.Code == catalog.CodeOwnerNotFound:
			// What is served on the domain has the same owner and was reported.
		case s.field != "":
			p.problem(s.place, s.field, e.Message, "")
		case !p.known(s.place, e.Field):
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

// known says whether reading the file has found a mistake in this part of the
// entry already: then what the catalog makes of it would only confuse.
func (p *planner) known(place *Place, field string) bool {
	if !place.broken {
		return false
	}
	path, _, _ := place.Find(field)
	return slices.ContainsFunc(p.reading[place.Path], func(other string) bool {
		return within(path, other) || within(other, path)
	})
}

// within says whether a path is another one or below it.
func within(path, other string) bool {
	rest, ok := strings.CutPrefix(path, other)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// aboutRefused says whether a refused attachment only repeats that the claim on
// the name was refused.
func aboutRefused(s *step, e *catalog.Error, refused map[claim]bool) bool {
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
