package store

import (
	"context"
	"fmt"
	"os"
	"time"
)

const (
	maintainInterval = time.Second
	// A log of this size is merged into the file when nothing was written for
	// quietTime, and at checkpointLimit in any case: at the next start it would
	// be read at about 80 MB a second.
	checkpointQuiet = 4 << 20
	quietTime       = 2 * time.Second
	checkpointLimit = 64 << 20
)

// Serve keeps the database in shape until ctx ends. Writes work without it.
func (s *Store) Serve(ctx context.Context) error {
	tick := time.NewTicker(maintainInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := s.opts.Fault("maintain"); err != nil {
			return err
		}
		if s.db.Load() == nil {
			s.mu.Lock()
			err := s.usable(ctx)
			s.mu.Unlock()
			if err != nil && !s.shutDown() {
				s.log.Error("database not opened, trying again", "err", err)
			}
			continue
		}
		if err := s.maintain(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("checkpoint not made, trying again", "err", err)
		}
	}
}

func (s *Store) shutDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *Store) maintain(ctx context.Context) error {
	size := fileSize(s.Path() + ".wal")
	if size < checkpointQuiet {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.writer == nil || size < checkpointLimit && time.Since(s.written) < quietTime {
		return nil
	}
	start := time.Now()
	if _, err := s.writer.ExecContext(ctx, "CHECKPOINT"); err != nil {
		if fatal(err) {
			s.abandon()
		}
		return fmt.Errorf("checkpoint: %w", err)
	}
	s.metrics.checkpoint.Observe(time.Since(start).Seconds())
	s.log.Debug("checkpoint", "elapsed", time.Since(start), "bytes", size)
	return nil
}

// Status is the state of the database.
type Status struct {
	Events         int64
	Oldest, Newest time.Time // zero without events
	Bytes          int64     // of the file and its log
}

// Status counts the rows and looks at the files.
func (s *Store) Status(ctx context.Context) (Status, error) {
	st := Status{Bytes: s.bytes()}
	db := s.db.Load()
	if db == nil {
		return st, ErrUnavailable
	}
	var oldest, newest *time.Time
	err := db.QueryRowContext(ctx, `SELECT count(*), min(time), max(time) FROM events_raw`).Scan(&st.Events, &oldest, &newest)
	if err != nil {
		return st, fmt.Errorf("count events: %w", err)
	}
	if oldest != nil && newest != nil {
		st.Oldest, st.Newest = *oldest, *newest
	}
	return st, nil
}

func (s *Store) bytes() int64 { return fileSize(s.Path()) + fileSize(s.Path()+".wal") }

func fileSize(path string) int64 {
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return st.Size()
}
