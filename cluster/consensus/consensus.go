package consensus

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hashicorp/raft"
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
	// ErrDamaged is returned by Open when a file of the raft log can't be read.
	// The error names the file and what to do.
	ErrDamaged = errors.New("raft data is damaged")
)

// Options configure a node's part in the consensus group.
type Options struct {
	Dir    string // holds raft/: the log, the snapshots; made if missing
	NodeID string // stable for the life of Dir
	Store  *catalog.Store

	// OnCommit is called after commands were applied here, in order, one call at
	// a time, before their Propose returns. Changes name each object once; nil
	// means that everything may have changed (start, restore). It holds up the
	// group: it must be quick and must not call Propose or Close. May be nil.
	OnCommit func(view *catalog.View, changes []catalog.Change)

	// Transport connects the members. Nil: a cluster of one, without a network.
	Transport raft.Transport

	Logger     *slog.Logger          // nil: discarded
	Registerer prometheus.Registerer // nil: no metrics are registered
}

// Consensus is this node's part in the group. It is safe for concurrent use.
type Consensus struct{}

// Open starts the group's member in opts.Dir. A first start bootstraps a cluster
// of one. For a cluster of one Open returns once it is writable: the log is
// replayed into the store.
func Open(opts Options) (*Consensus, error) { return nil, nil }

// Propose brings a command to the catalog and returns once it is committed and
// applied on this node. A refusal is not an error: see Result.Errors and
// [catalog.Result.Err].
//
// When ctx ends first, its error is returned and the command may still take
// effect; proposing it again under the same command id is safe.
func (c *Consensus) Propose(ctx context.Context, cmd *catalog.Command) (catalog.Result, error) {
	return catalog.Result{}, nil
}

// WaitLeader returns once a leader is known and, if it is this node, everything
// committed before is applied.
func (c *Consensus) WaitLeader(ctx context.Context) error { return nil }

// Status is where a member stands.
type Status struct {
	State          string        `json:"state"`            // follower, candidate, leader, shutdown
	Leader         string        `json:"leader,omitempty"` // node id; empty: unknown
	Term           uint64        `json:"term"`
	AppliedIndex   uint64        `json:"applied_index"`
	CommitIndex    uint64        `json:"commit_index"`
	LastIndex      uint64        `json:"last_index"`
	SnapshotIndex  uint64        `json:"snapshot_index"`
	CatalogVersion uint64        `json:"catalog_version"`
	Digest         string        `json:"digest"` // of the catalog, hex
	LastContact    time.Duration `json:"last_contact,omitempty"`
	Err            error         `json:"-"`
}

// Status says where this member stands now.
func (c *Consensus) Status() Status { return Status{} }

// Close leaves the group's work and closes its files, in order. It may be called
// again; later calls return the first one's error.
func (c *Consensus) Close() error { return nil }
