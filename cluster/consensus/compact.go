package consensus

import (
	"errors"

	"github.com/hashicorp/raft"
)

// compactBytes is how much the log may grow, at the least, before a snapshot is
// taken ahead of raft's own threshold, which counts commands: a few thousand
// large ones, as an import brings them, would make the next start slow. With a
// large catalog it is half of the last snapshot's size, so that snapshots write
// at most about three times what the commands did.
const compactBytes = 64 << 20

// grow counts the bytes of applied commands.
func (f *fsm) grow(n int64) {
	if f.bytes.Add(n) < f.limit.Load() {
		return
	}
	select {
	case f.full <- struct{}{}:
	default: // it is known already
	}
}

// compact takes a snapshot whenever the log has grown large. One goroutine, from
// Open to Close.
func (c *Consensus) compact() {
	for {
		select {
		case <-c.fsm.full:
		case <-c.closing:
			return
		}
		if c.fsm.bytes.Load() < c.fsm.limit.Load() {
			continue // raft took one meanwhile
		}
		err := c.raft.Snapshot().Error()
		switch {
		case err == nil, errors.Is(err, raft.ErrNothingNewToSnapshot), errors.Is(err, raft.ErrRaftShutdown):
		default:
			// The log is whole, only long: the next command tries again.
			c.log.Warn("snapshot of the catalog failed", "err", err)
		}
	}
}
