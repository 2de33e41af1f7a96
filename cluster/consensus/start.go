package consensus

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"tallygate/cluster/catalog"
)

// Timings of the group. A lost leader is replaced within about two election
// timeouts; the lease ends before the followers' patience does, so that an old
// leader has stepped down when the next one is elected.
const (
	heartbeatTimeout = 500 * time.Millisecond
	electionTimeout  = 500 * time.Millisecond
	leaderLease      = 400 * time.Millisecond
)

func raftConfig(id raft.ServerID, logger *slog.Logger) *raft.Config {
	conf := raft.DefaultConfig()
	conf.LocalID = id
	conf.HeartbeatTimeout = heartbeatTimeout
	conf.ElectionTimeout = electionTimeout
	conf.LeaderLeaseTimeout = leaderLease
	// Proposals that come together are written with one sync.
	conf.BatchApplyCh = true
	conf.MaxAppendEntries = 128
	conf.SnapshotThreshold = 8192
	conf.SnapshotInterval = 2 * time.Minute
	// More than between two snapshots: see keptSnapshots.
	conf.TrailingLogs = 2 * conf.SnapshotThreshold
	conf.NoLegacyTelemetry = true
	conf.Logger = newHCLogger(logger)
	return conf
}

// newLoopback is the transport of a cluster of one: it reaches only itself.
func newLoopback(id string) raft.Transport {
	addr, trans := raft.NewInmemTransport(raft.ServerAddress(id))
	trans.Connect(addr, trans)
	return trans
}

// startRaft bootstraps a cluster of one, if wanted, on a first start, restores the
// latest snapshot into the store and starts raft.
func startRaft(id raft.ServerID, f *fsm, on *files, trans raft.Transport, bootstrap bool, logger *slog.Logger) (r *raft.Raft, err error) {
	defer recoverDamage(on.logPath, &err)
	conf := raftConfig(id, logger)
	exists, err := raft.HasExistingState(on.logs, on.logs, on.snapshots)
	if err != nil {
		return nil, damaged(on.logPath, err)
	}
	if !exists && bootstrap {
		self := raft.Server{Suffrage: raft.Voter, ID: id, Address: trans.LocalAddr()}
		err := raft.BootstrapCluster(conf, on.logs, on.logs, on.snapshots, trans,
			raft.Configuration{Servers: []raft.Server{self}})
		if err != nil {
			return nil, fmt.Errorf("bootstrap a cluster of one: %w", err)
		}
	}
	r, err = raft.NewRaft(conf, f, on.entries, on.logs, on.snapshots, trans)
	switch {
	case err != nil && errors.Is(f.restored, catalog.ErrSnapshotFormat):
		return nil, fmt.Errorf("start raft: %w", f.restored)
	case err != nil && f.restored != nil:
		return nil, damaged(on.snapPath, f.restored)
	case err != nil && on.snapshots.failed != nil:
		return nil, damaged(on.snapPath, on.snapshots.failed)
	case err != nil:
		return nil, fmt.Errorf("start raft: %w", err)
	}

	servers := r.GetConfiguration().Configuration().Servers
	if len(servers) == 1 && servers[0].ID != id {
		return nil, errors.Join(
			fmt.Errorf("%w: %s is that of node %s, and this is node %s", ErrOtherNode, on.logPath, servers[0].ID, id),
			r.Shutdown().Error())
	}
	return r, nil
}

func stateName(s raft.RaftState) string { return strings.ToLower(s.String()) }

// snapshotIndex is the raft index of the latest snapshot, which raft tells only
// among its statistics.
func snapshotIndex(r *raft.Raft) uint64 {
	n, _ := strconv.ParseUint(r.Stats()["last_snapshot_index"], 10, 64)
	return n
}
