package consensus

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"tallygate/cluster/catalog"
)

// fsm hands committed commands to the catalog's store, which decides.
type fsm struct {
	store    *catalog.Store
	onCommit func(*catalog.View, []catalog.Change)
	log      *slog.Logger

	// bytes are those of the commands since the latest snapshot; over the limit,
	// full wakes whoever takes the next one.
	bytes atomic.Int64
	limit atomic.Int64
	full  chan struct{}

	mu       sync.Mutex // held while applying, so that goLive falls between two batches
	live     bool       // the start is over: changes are passed on
	failed   error      // why no command is applied any more
	restored error      // why the last Restore failed
}

var _ raft.BatchingFSM = (*fsm)(nil)

func newFSM(store *catalog.Store, onCommit func(*catalog.View, []catalog.Change), logger *slog.Logger) *fsm {
	if onCommit == nil {
		onCommit = func(*catalog.View, []catalog.Change) {}
	}
	f := &fsm{store: store, onCommit: onCommit, log: logger, full: make(chan struct{}, 1)}
	f.limit.Store(compactBytes)
	return f
}

// goLive ends the start: from now on changes are passed on as they come.
func (f *fsm) goLive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = true
	f.onCommit(f.store.View(), nil)
}

func (f *fsm) failure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// Apply is called by raft where it doesn't batch.
func (f *fsm) Apply(l *raft.Log) any { return f.ApplyBatch([]*raft.Log{l})[0] }

// ApplyBatch applies the commands that were committed together, and passes their
// changes on together.
func (f *fsm) ApplyBatch(logs []*raft.Log) []any {
	f.mu.Lock()
	defer f.mu.Unlock()
	answers := make([]any, len(logs))
	var changes []catalog.Change
	applied := 0
	for i, l := range logs {
		if l.Type != raft.LogCommand {
			continue
		}
		answer, made := f.apply(l)
		answers[i] = answer
		if len(made) > 0 {
			changes = append(changes, made...)
			applied++
		}
		f.grow(int64(len(l.Data)))
	}
	if f.live && len(changes) > 0 {
		if applied > 1 {
			changes = merge(changes)
		}
		f.onCommit(f.store.View(), changes)
	}
	return answers
}

// apply gives a catalog.Result, or an error once this node can't go on.
func (f *fsm) apply(l *raft.Log) (any, []catalog.Change) {
	if f.failed != nil {
		return f.failed, nil
	}
	cmd, err := catalog.DecodeCommand(l.Data)
	switch {
	case err == nil:
		return f.store.Apply(cmd)
	case errors.Is(err, catalog.ErrCommandFormat):
		// To skip it would part this replica from the others for good; an
		// upgrade lets it go on where it stopped.
		f.failed = fmt.Errorf("the catalog stops before raft index %d: this node must be upgraded: %w", l.Index, err)
		f.log.Error("catalog stopped: this node must be upgraded", "index", l.Index, "term", l.Term, "err", err)
		return f.failed, nil
	default:
		// Every node reads the same bytes by the same code and refuses alike.
		f.log.Error("unreadable command in the raft log was refused", "index", l.Index, "term", l.Term, "err", err)
		return catalog.Result{
			Version: f.store.View().Version(),
			Errors:  []*catalog.Error{{Code: catalog.CodeCommandInvalid, Message: err.Error()}},
		}, nil
	}
}

// merge makes the changes of several commands name each object once.
func merge(changes []catalog.Change) []catalog.Change {
	at := make(map[catalog.Ref]int, len(changes))
	merged := changes[:0]
	for _, ch := range changes {
		ref := catalog.Ref{Kind: ch.Kind, ID: ch.ID}
		if i, ok := at[ref]; ok {
			merged[i].After = ch.After
			continue
		}
		at[ref] = len(merged)
		merged = append(merged, ch)
	}
	kept := merged[:0]
	for _, ch := range merged {
		if ch.Before != nil || ch.After != nil {
			kept = append(kept, ch)
		}
	}
	return kept
}

// Snapshot keeps a view, which later commands don't touch: persisting it holds
// up nobody.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	f.bytes.Store(0)
	return fsmSnapshot{fsm: f, view: f.store.View()}, nil
}

// Restore is called before anything is applied at the start, and when a leader
// sends its snapshot.
func (f *fsm) Restore(r io.ReadCloser) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.restored = errors.Join(f.store.Restore(r), r.Close())
	if f.restored == nil && f.live {
		f.onCommit(f.store.View(), nil)
	}
	return f.restored
}

type fsmSnapshot struct {
	fsm  *fsm
	view *catalog.View
}

func (s fsmSnapshot) Persist(sink raft.SnapshotSink) error {
	size := &counter{w: sink}
	if err := s.view.WriteSnapshot(size); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	s.fsm.limit.Store(max(compactBytes, size.n/2))
	return sink.Close()
}

func (fsmSnapshot) Release() {}

// counter counts what is written through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
