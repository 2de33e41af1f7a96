package document

import (
	"io"
	"time"

	"tallygate/cluster/catalog"
)

// PlanOptions is what the one who applies a document brings along.
type PlanOptions struct {
	// Prune deletes the packages, domains, pixels and collections that the
	// document doesn't name, of the owners that it does name. Organizations and
	// users are never deleted.
	Prune bool

	Owner string        // of entries without one; empty: they are mistakes
	NewID func() string // ids of new objects
	Now   time.Time     // time of new routes and package domains, and of the commands
	Actor catalog.Actor // in whose name the commands are made and judged
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
// makes them unique: a name; owner, type and name; owner, domain and pattern. A
// route keeps its id while its domain and incoming path stay. Objects that are
// as they should be make no operation.
func (d *Document) Plan(view *catalog.View, opts PlanOptions) (*Plan, []*Problem) {
	return &Plan{now: opts.Now, actor: opts.Actor}, nil
}

// Empty says whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Ops) == 0 }

// Commands packs the operations into commands of at most maxOps each
// ([catalog.MaxOps] if zero), in order. newID makes the commands' ids. A plan
// that fits into one command takes effect as a whole; of a larger one each
// command does.
func (p *Plan) Commands(maxOps int, newID func() string) []*catalog.Command {
	return nil
}

// Action says what a change does.
type Action string

// The actions of a plan.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// Change is one object before and after a plan.
type Change struct {
	Action Action       `json:"action"`
	Kind   catalog.Kind `json:"kind"`
	ID     string       `json:"id"`
	Name   string       `json:"name"` // as a person calls it: "acme/docker/rocket"

	Before any `json:"-"` // pointer to a catalog type; nil when created
	After  any `json:"-"` // nil when deleted
}

// FieldChange is one field that differs, called as in the file.
type FieldChange struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"` // empty: it wasn't set
	After  string `json:"after,omitempty"`  // empty: it is no longer set
}

// Fields lists what differs between before and after.
func (c *Change) Fields() []FieldChange { return nil }

// WriteDiff writes the plan like a diff: "+" made, "-" deleted, "~" changed with
// one line for each field before and after, and a summary as the last line.
func (p *Plan) WriteDiff(w io.Writer, opts ...DiffOption) error { return nil }

// DiffOption changes how [Plan.WriteDiff] writes.
type DiffOption func(*diffStyle)

type diffStyle struct{ color bool }

// Color uses the terminal's colours.
func Color() DiffOption { return func(s *diffStyle) { s.color = true } }
