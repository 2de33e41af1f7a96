package catalog

import (
	"crypto/sha256"
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
	s.view.Store(newView(newDatabase()))
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
// Operations take effect one after the other, each seeing those before it. What
// depends on an object follows it: the objects of a renamed owner take its new
// name, the tokens, sessions and links of a deleted user go with it, and the
// pixels of a deleted package stay without one.
//
// The objects of cmd become part of the catalog and must not be modified
// afterwards. The changes name each object once, with what it was before the
// command and what it is after it.
func (s *Store) Apply(cmd *Command) (Result, []Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, result, changes := s.view.Load().apply(cmd)
	if next != nil {
		s.view.Store(next)
	}
	return result, changes
}

// WriteSnapshot writes the current state; see [View.WriteSnapshot].
func (s *Store) WriteSnapshot(w io.Writer) error { return s.View().WriteSnapshot(w) }

// Restore replaces the state with that of a snapshot. After an error the state
// is what it was before. Errors: [ErrSnapshotDamaged], [ErrSnapshotFormat], or
// what r returns.
func (s *Store) Restore(r io.Reader) error {
	v, err := readSnapshot(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view.Store(v)
	return nil
}

// Validate says what Apply would refuse, were the command applied to the view
// now: the early check for a friendly error. It decides nothing; Apply does.
func Validate(v *View, cmd *Command) []*Error {
	_, result, _ := v.apply(cmd)
	return result.Errors
}

// apply decides a command on top of the view. next is nil when the command
// changes nothing: it was refused, or applied before.
func (v *View) apply(cmd *Command) (next *View, result Result, changes []Change) {
	refused := func(errs []*Error) (*View, Result, []Change) {
		return nil, Result{Version: v.version, Errors: errs}, nil
	}
	if cmd.Format < 1 || cmd.Format > Format {
		return refused([]*Error{formatError(cmd.Format)})
	}
	if version, ok := v.Applied(cmd.ID); ok {
		return nil, Result{Version: version}, nil
	}

	// A database made as a snapshot tracks no watchers, which we have none of,
	// and leaves the view's own untouched whatever happens here.
	db := v.db.Snapshot()
	txn := db.Txn(true)
	defer txn.Abort() // nothing to do once committed
	tx := newTransaction(txn, cmd, v.version+1)
	if tx.head(cmd) {
		tx.run(cmd.Ops)
	}
	if len(tx.errors) > 0 {
		return refused(tx.errors)
	}
	encoded, err := EncodeCommand(cmd)
	if err != nil {
		return refused([]*Error{{Code: CodeCommandInvalid, Message: err.Error()}})
	}
	if len(encoded) > MaxCommandBytes {
		return refused([]*Error{sizeError(len(encoded))})
	}

	tx.remember(cmd.ID)
	txn.Commit()
	changes = tx.settled()
	next = newView(db)
	next.version = v.version + 1
	next.digest = chain(v.digest, encoded)
	next.counts = v.counts
	for _, ch := range changes {
		switch i := kindIndex(ch.Kind); {
		case ch.Before == nil:
			next.counts[i]++
		case ch.After == nil:
			next.counts[i]--
		}
	}
	return next, Result{Version: next.version}, changes
}

// chain is the digest after a command: over the digest before it and the
// command's canonical encoding.
func chain(digest [32]byte, command []byte) [32]byte {
	h := sha256.New()
	h.Write(digest[:])
	h.Write(command)
	return [32]byte(h.Sum(nil))
}
