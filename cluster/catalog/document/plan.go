package document

import (
	"time"

	"tallygate/cluster/catalog"
)

// PlanOptions is what the one who applies a document brings along.
type PlanOptions struct {
	// Prune deletes the packages, domains, pixels and collections that the
	// document doesn't name, of the owners that it does name. Organizations and
	// users are never deleted, nor images that a wanted collection takes.
	Prune bool

	Owner string        // of entries without one; empty: they are mistakes
	NewID func() string // ids of new objects
	Now   time.Time     // of the commands
	Actor catalog.Actor // in whose name the commands are made and judged

	// Check finds further reasons to refuse a command, by the index of the
	// operation: see [catalog.CheckReserved]. Nil: there are none.
	Check func(cmd *catalog.Command) []*catalog.Error
}

// Plan is what has to change to make a document true.
type Plan struct {
	// Ops lead from the view to the document, dependencies first. Each carries
	// the version it was planned against, so that a change made in between is
	// refused rather than undone.
	Ops []catalog.Op

	// Changes say the same for people, one for each of Ops, in the same order.
	Changes []Change

	Unchanged int // wanted objects that are as they should be

	now   time.Time
	actor catalog.Actor
}

// Plan compares the document with the view. Problems are all that keep it from
// being applied: those of reading it, and those that the catalog would refuse it
// for, in the order of the file; with any, the plan is nil.
//
// Objects are found again by their id where the file names one, else by what
// makes them unique: a name; owner and name; owner, type and name; owner, domain
// and pattern. A route keeps its id while its domain and incoming path stay.
// Objects that are as they should be make no operation.
func (d *Document) Plan(view *catalog.View, opts PlanOptions) (*Plan, []*Problem) {
	p := newPlanner(d, view, opts)
	p.softKeys()
	p.organizations()
	p.users()
	p.packages()
	p.collections()
	p.pixels()
	p.domains()
	if opts.Prune {
		p.prune()
	}
	plan := &Plan{Unchanged: p.unchanged, now: opts.Now, actor: opts.Actor}
	steps := p.ordered()
	for _, s := range steps {
		plan.Ops = append(plan.Ops, s.op)
		plan.Changes = append(plan.Changes, s.change)
	}
	p.judge(plan, steps)
	if problems := p.finish(); len(problems) > 0 {
		return nil, problems
	}
	return plan, nil
}

// Empty says whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Ops) == 0 }

// Commands packs the operations into commands of at most maxOps each
// ([catalog.MaxOps] if zero), in order, and of a size that the catalog takes.
// newID makes the commands' ids. A plan that fits into one command takes effect
// as a whole; of a larger one each command does.
func (p *Plan) Commands(maxOps int, newID func() string) []*catalog.Command {
	if maxOps <= 0 || maxOps > catalog.MaxOps {
		maxOps = catalog.MaxOps
	}
	const roomy = catalog.MaxCommandBytes / 2 // sizes are estimated
	var out []*catalog.Command
	for start := 0; start < len(p.Ops); {
		end, size := start, 0
		for end < len(p.Ops) && end-start < maxOps {
			n := opBytes(&p.Ops[end])
			if end > start && size+n > roomy {
				break
			}
			size += n
			end++
		}
		out = append(out, &catalog.Command{
			Format: catalog.Format, ID: newID(), Time: p.now, Actor: p.actor, Ops: p.Ops[start:end:end],
		})
		start = end
	}
	return out
}

// opBytes is about how long an operation is when encoded, rather more than less.
func opBytes(op *catalog.Op) int {
	n := 512
	switch {
	case op.Organization != nil:
		o := op.Organization
		n += len(o.Description) + len(o.Website)
		for name := range o.VariableOverrides {
			n += len(name) + 16
		}
	case op.Package != nil:
		k := op.Package
		n += len(k.Name) + len(k.ShortDescription) + len(k.LongDescription) + len(k.Website)
		for i := range k.Domains {
			n += len(k.Domains[i].Name) + 128
		}
		for i := range k.Routes {
			r := &k.Routes[i]
			n += len(r.IncomingPath) + len(r.Domain) + 256
			if r.OutgoingURL != nil {
				n += len(*r.OutgoingURL)
			}
			for _, u := range r.FailoverOrigins {
				n += len(u) + 8
			}
		}
		if k.Image != nil {
			n += len(k.Image.Repository) + len(k.Image.Name) + 256*len(k.Image.FailoverRegistries) + 256
		}
		if k.Index != nil {
			n += len(k.Index.RepositoryURL) + 256
			for _, u := range k.Index.FailoverIndexes {
				n += len(u) + 8
			}
			for i := range k.Index.Files {
				f := &k.Index.Files[i]
				n += len(f.FileName) + len(f.Version) + len(f.URL) + len(f.Hash) + len(f.RequiresPython) + len(f.Domain) + 128
			}
		}
		if k.Events != nil {
			n += 80 * len(k.Events.TokenHashes)
		}
	case op.Pixel != nil:
		for _, name := range op.Pixel.Domains {
			n += len(name) + 8
		}
	}
	return n
}
