package catalog

import (
	"io"
	"sync"
	"sync/atomic"
)

// Store holds the current state of the catalog. Readers take a [View], which
// never changes and never waits; the one writer calls Apply or Restore.
//
// A Store is safe for concurrent use.
type Store struct {
	mu   sync.Mutex // serializes Apply and Restore
	view atomic.Pointer[View]
}

// NewStore returns an empty catalog at version zero.
func NewStore() *Store {
	s := new(Store)
	s.view.Store(emptyView())
	return s
}

// View is the state after the last applied command.
func (s *Store) View() *View { return s.view.Load() }

// Apply decides a command and, when nothing is wrong with it, carries it out as
// a whole. It depends on nothing but the state and the command, so every replica
// decides alike.
//
// A refused command changes nothing at all, not even the memory of command ids:
// applied again, it is judged anew. A command whose id was applied before
// answers as the first time and changes nothing.
//
// The objects of cmd become part of the catalog and must not be modified
// afterwards. The changes name each object once, with what it was before the
// command and what it is after it.
func (s *Store) Apply(cmd *Command) (Result, []Change) {
	return Result{}, nil
}

// WriteSnapshot writes the current state; see [View.WriteSnapshot].
func (s *Store) WriteSnapshot(w io.Writer) error { return s.View().WriteSnapshot(w) }

// Restore replaces the state with that of a snapshot. After an error the state
// is what it was before. Errors: [ErrSnapshotDamaged], [ErrSnapshotFormat], or
// what r returns.
func (s *Store) Restore(r io.Reader) error { return nil }

// Validate says what Apply would refuse, were the command applied to the view
// now: the early check for a friendly error. It decides nothing; Apply does.
func Validate(v *View, cmd *Command) []*Error { return nil }
