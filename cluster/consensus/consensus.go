package consensus

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"github.com/prometheus/client_golang/prometheus"

	"tallygate/cluster/catalog"
)

// What callers of Propose and Open decide on.
var (
	// ErrNotLeader is returned by Propose on a node that does not lead, or
	// stopped leading before the command was committed. In the second case it
	// may still take effect: propose it again under the same command id.
	ErrNotLeader = errors.New("this node is not the leader")
	// ErrClosed is returned once Close was called.
	ErrClosed = errors.New("consensus is closed")
	// ErrTooLarge is returned for a command over catalog.MaxCommandBytes.
	ErrTooLarge = errors.New("command is too large")
	// ErrInUse is returned by Open when another process has the log open.
	ErrInUse = errors.New("raft log is in use")
	// ErrDamaged is returned by Open when a file can't be read. The error names
	// the file and what to do.
	ErrDamaged = errors.New("raft data is damaged")
	// ErrOtherNode is returned by Open when the files belong to another node.
	ErrOtherNode = errors.New("raft data belongs to another node")
)

// Options configure a node's part in the consensus group.
type Options struct {
	Dir    string // holds raft/, which is made if missing
	NodeID string // stable for the life of Dir
	Store  *catalog.Store

	// OnCommit is called after commands were applied here, in order, one call at
	// a time, before their Propose returns. Changes name each object once; nil
	// means that everything may have changed (start, restore). It holds up the
	// group: it must be quick and must not call Propose or Close. May be nil.
	OnCommit func(view *catalog.View, changes []catalog.Change)

	// Transport connects the members; Close closes it. Nil: a cluster of one,
	// without a network.
	Transport raft.Transport

	// Join makes a first start wait for an existing group to add this node,
	// rather than bootstrap a cluster of one. Without effect on later starts.
	Join bool

	Logger     *slog.Logger          // nil: discarded
	Registerer prometheus.Registerer // nil: no metrics are registered

	wrapLog func(raft.LogStore) raft.LogStore // tests put faults in here
}

// maxProposals bounds the proposals under way. Further callers wait: commands
// push back, they are never dropped.
const maxProposals = 256

// startTimeout bounds how long Open waits for a cluster of one to elect itself.
// Replaying the log comes after it and takes what it takes.
const startTimeout = 10 * time.Second

// Consensus is this node's part in the group. It is safe for concurrent use.
type Consensus struct {
	id      raft.ServerID
	dir     string
	log     *slog.Logger
	raft    *raft.Raft
	fsm     *fsm
	logs    *raftboltdb.BoltStore
	metrics *metrics
	slots   chan struct{} // one for each proposal under way

	closing chan struct{} // closed when Close begins
	ended   chan struct{} // closed when raft has ended
	work    sync.WaitGroup
	once    sync.Once
	err     error // Close's
}

// Open starts the group's member in opts.Dir. A first start bootstraps a cluster
// of one. For a cluster of one Open returns once it is writable: the log is
// replayed into the store. OnCommit was called once by then, with nil changes.
//
// Errors: [ErrDamaged], [ErrInUse], [ErrOtherNode], those of
// [catalog.DecodeCommand] for a log written by a newer build, and those of the
// file system.
func Open(opts Options) (*Consensus, error) {
	if opts.NodeID == "" || opts.Dir == "" || opts.Store == nil {
		return nil, errors.New("open consensus: Dir, NodeID and Store must be set")
	}
	logger := opts.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	logger = logger.With("component", "consensus")

	c := &Consensus{
		id:      raft.ServerID(opts.NodeID),
		dir:     opts.Dir,
		log:     logger,
		slots:   make(chan struct{}, maxProposals),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
	}
	c.fsm = newFSM(opts.Store, opts.OnCommit, logger)
	var undo []func() error // last in, first out, as in Close
	fail := func(err error) (*Consensus, error) {
		for i := len(undo) - 1; i >= 0; i-- {
			err = errors.Join(err, undo[i]())
		}
		return nil, err
	}

	files, err := openFiles(opts.Dir, logger)
	if err != nil {
		return nil, err
	}
	c.logs = files.logs
	undo = append(undo, files.logs.Close)

	trans := opts.Transport
	if trans == nil {
		trans = newLoopback(opts.NodeID)
	}
	if opts.wrapLog != nil {
		files.entries = opts.wrapLog(files.logs)
	}
	c.raft, err = startRaft(c.id, c.fsm, files, trans, !opts.Join, logger)
	if err != nil {
		return fail(err)
	}
	undo = append(undo, func() error { return c.raft.Shutdown().Error() })

	c.metrics, err = newMetrics(opts.Registerer, c)
	if err != nil {
		return fail(fmt.Errorf("register consensus metrics: %w", err))
	}
	undo = append(undo, func() error { c.metrics.unregister(); return nil })

	if c.alone() {
		if err := c.lead(trans); err != nil {
			return fail(err)
		}
	}
	c.fsm.goLive()
	c.work.Go(c.compact)
	return c, nil
}

// alone says whether this node is the only voter.
func (c *Consensus) alone() bool {
	servers := c.raft.GetConfiguration().Configuration().Servers
	return len(servers) == 1 && servers[0].ID == c.id
}

// lead makes a cluster of one its own leader without waiting for an election
// timeout: there is nobody whose heartbeat could be missed. It sends itself what
// a leader sends to its chosen successor (TimeoutNow, thesis section 3.10). A
// transport that can't reach its own address leaves it to the timeout.
func (c *Consensus) lead(trans raft.Transport) error {
	err := trans.TimeoutNow(c.id, trans.LocalAddr(),
		&raft.TimeoutNowRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(c.id), Addr: trans.EncodePeer(c.id, trans.LocalAddr())}},
		&raft.TimeoutNowResponse{})
	if err != nil {
		c.log.Debug("election was not hurried", "err", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := c.awaitLeader(ctx); err != nil {
		return fmt.Errorf("no leader after %s in a cluster of one; is the disk under %s writable? %w", startTimeout, c.dir, err)
	}
	if err := c.raft.Barrier(0).Error(); err != nil {
		return fmt.Errorf("replay the raft log: %w", err)
	}
	return c.fsm.failure()
}

// Propose brings a command to the catalog and returns once it is committed and
// applied on this node. A refusal is not an error: see Result.Errors and
// [catalog.Result.Err].
//
// When ctx ends first, its error is returned and the command may still take
// effect; proposing it again under the same command id is safe.
func (c *Consensus) Propose(ctx context.Context, cmd *catalog.Command) (catalog.Result, error) {
	encoded, err := catalog.EncodeCommand(cmd)
	if err != nil {
		return catalog.Result{}, err
	}
	if len(encoded) > catalog.MaxCommandBytes {
		return catalog.Result{}, fmt.Errorf("%w: %d bytes, at most %d are allowed; split it", ErrTooLarge, len(encoded), catalog.MaxCommandBytes)
	}
	// What nobody could read back must not enter the log (text that isn't UTF-8,
	// for one).
	if _, err := catalog.DecodeCommand(encoded); err != nil {
		return catalog.Result{}, err
	}

	type answer struct {
		result catalog.Result
		err    error
	}
	a, err := within(ctx, c, func() answer {
		start := time.Now()
		result, err := c.await(c.raft.Apply(encoded, 0))
		c.metrics.proposed(result, err, time.Since(start))
		return answer{result, err}
	})
	if err != nil {
		return catalog.Result{}, err
	}
	return a.result, a.err
}

// within waits for one of raft's futures, which know no context. The goroutine
// outlives a caller that gave up; Close waits for its slot.
func within[T any](ctx context.Context, c *Consensus, wait func() T) (T, error) {
	var none T
	select { // even if a slot is free
	case <-ctx.Done():
		return none, ctx.Err()
	case <-c.closing:
		return none, ErrClosed
	default:
	}
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return none, ctx.Err()
	case <-c.closing:
		return none, ErrClosed
	}
	done := make(chan T, 1)
	go func() {
		defer func() { <-c.slots }()
		done <- wait()
	}()
	select {
	case v := <-done:
		return v, nil
	case <-ctx.Done():
		return none, ctx.Err()
	case <-c.ended:
		return none, ErrClosed
	}
}

// await waits for a proposal's end and reads the state machine's answer.
func (c *Consensus) await(f raft.ApplyFuture) (catalog.Result, error) {
	switch err := f.Error(); {
	case err == nil:
	case errors.Is(err, raft.ErrRaftShutdown):
		return catalog.Result{}, ErrClosed
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipLost),
		errors.Is(err, raft.ErrLeadershipTransferInProgress), errors.Is(err, raft.ErrAbortedByRestore):
		return catalog.Result{}, fmt.Errorf("%w: %w", ErrNotLeader, err)
	default:
		return catalog.Result{}, fmt.Errorf("commit catalog command: %w", err)
	}
	switch r := f.Response().(type) {
	case catalog.Result:
		return r, nil
	case error:
		return catalog.Result{}, r
	default:
		return catalog.Result{}, fmt.Errorf("commit catalog command: unexpected answer %T", r)
	}
}

// WaitLeader returns once a leader is known and, if it is this node, everything
// committed before is applied. Errors: ctx's, [ErrClosed].
func (c *Consensus) WaitLeader(ctx context.Context) error {
	for {
		if err := c.awaitLeader(ctx); err != nil {
			return err
		}
		if c.raft.State() != raft.Leader {
			return nil
		}
		applied, err := within(ctx, c, func() error { return c.raft.Barrier(0).Error() })
		switch {
		case err != nil:
			return err
		case applied == nil:
			return c.fsm.failure()
		case errors.Is(applied, raft.ErrRaftShutdown):
			return ErrClosed
		}
		// The leadership was lost meanwhile: look again.
	}
}

// awaitLeader returns once a leader is known.
func (c *Consensus) awaitLeader(ctx context.Context) error {
	seen := make(chan raft.Observation, 1) // a full channel drops: one wake-up is as good as many
	observer := raft.NewObserver(seen, false, func(o *raft.Observation) bool {
		_, ok := o.Data.(raft.LeaderObservation)
		return ok
	})
	c.raft.RegisterObserver(observer)
	defer c.raft.DeregisterObserver(observer)
	for {
		if _, id := c.raft.LeaderWithID(); id != "" {
			return nil
		}
		select {
		case <-seen:
		case <-ctx.Done():
			return ctx.Err()
		case <-c.closing:
			return ErrClosed
		}
	}
}

// Status is where a member stands.
type Status struct {
	State          string `json:"state"`            // follower, candidate, leader or shutdown
	Leader         string `json:"leader,omitempty"` // node id; empty: unknown
	Term           uint64 `json:"term"`
	AppliedIndex   uint64 `json:"applied_index"`
	CommitIndex    uint64 `json:"commit_index"`
	LastIndex      uint64 `json:"last_index"`
	SnapshotIndex  uint64 `json:"snapshot_index"` // zero: no snapshot was taken yet
	CatalogVersion uint64 `json:"catalog_version"`
	Digest         string `json:"digest"` // of the catalog, hex

	// Err is why this node applies no commands any more; nil while it does.
	Err error `json:"-"`
}

// Status says where this member stands now.
func (c *Consensus) Status() Status {
	_, leader := c.raft.LeaderWithID()
	view := c.fsm.store.View()
	digest := view.Digest()
	return Status{
		State:          stateName(c.raft.State()),
		Leader:         string(leader),
		Term:           c.raft.CurrentTerm(),
		AppliedIndex:   c.raft.AppliedIndex(),
		CommitIndex:    c.raft.CommitIndex(),
		LastIndex:      c.raft.LastIndex(),
		SnapshotIndex:  snapshotIndex(c.raft),
		CatalogVersion: view.Version(),
		Digest:         hex.EncodeToString(digest[:]),
		Err:            c.fsm.failure(),
	}
}

// drainTimeout bounds how long Close waits for proposals under way. With a
// majority they take milliseconds; without one the lease ends them.
const drainTimeout = 5 * time.Second

// Close takes no more proposals, lets those under way end, and then closes what
// could still be written to, in order: raft, what runs beside it, the log. It
// may be called again; later calls wait for the first and return its error.
func (c *Consensus) Close() error {
	c.once.Do(func() {
		close(c.closing)
		c.drain()
		c.err = c.raft.Shutdown().Error()
		close(c.ended)
		c.work.Wait()
		c.metrics.unregister()
		c.err = errors.Join(c.err, c.logs.Close())
	})
	return c.err
}

// drain waits until no proposal is under way: until it holds all their slots.
// raft, once shut down, leaves some of its futures without an answer.
func (c *Consensus) drain() {
	limit := time.NewTimer(drainTimeout)
	defer limit.Stop()
	for range cap(c.slots) {
		select {
		case c.slots <- struct{}{}:
		case <-limit.C:
			c.log.Warn("proposals under way were given up", "elapsed", drainTimeout)
			return
		}
	}
}
