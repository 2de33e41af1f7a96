package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// Result is what a write has done.
type Result struct {
	Rows     []Row // stored, in the order of the messages
	Replaced int   // rows removed or left out for another with the same unique id
	Repeated int   // messages that had been stored before
}

// Write stores messages and the positions they bring their streams to, all or
// nothing. Messages at or before a stream's position are left out, so that what
// is delivered twice counts once. Messages of a stream come in ascending order.
//
// After an error nothing may be assumed: write the same messages again.
func (s *Store) Write(ctx context.Context, messages []Message) (result Result, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return Result{}, err
	}
	start := time.Now()
	w := &write{Store: s, offsets: map[stream]uint64{}}
	w.collect(messages)
	if len(w.offsets) == 0 {
		return w.result, nil
	}
	// Until the commit is known to have worked, memory may be ahead of the
	// database, also after a panic.
	s.dirty = true
	if err := w.run(ctx); err != nil {
		if fatal(err) {
			s.abandon()
		}
		s.metrics.failures.Inc()
		return Result{}, fmt.Errorf("write %d messages: %w", len(messages), err)
	}
	s.dirty = false
	w.settle()
	s.written = time.Now()
	s.metrics.duration.Observe(time.Since(start).Seconds())
	s.metrics.rows.Add(float64(len(w.rows)))
	return w.result, nil
}

// usable opens the database again or reads memory again, where needed.
func (s *Store) usable(ctx context.Context) error {
	if s.closed {
		return ErrUnavailable
	}
	if s.db.Load() == nil || s.writer == nil {
		return s.reopen(ctx)
	}
	if s.dirty {
		if err := s.reload(ctx); err != nil {
			if fatal(err) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
				s.abandon()
			}
			return err
		}
		s.dirty = false
	}
	return nil
}

// abandon gives up the writer's connection; the next write opens the database
// again.
func (s *Store) abandon() {
	if s.writer != nil {
		_ = s.writer.Close() // of a database that is lost anyway
		s.writer = nil
	}
}

// write is one transaction.
type write struct {
	*Store
	offsets    map[stream]uint64 // new positions
	unreadable []Message
	rows       []*Row
	added      map[pullKey]int // new rows by chain
	changed    []pull          // stored rows whose counted has changed
	result     Result
}

// collect takes the rows of messages not stored before.
func (w *write) collect(messages []Message) {
	n := 0
	for _, m := range messages {
		n += len(m.Events)
	}
	w.result.Rows = make([]Row, 0, n)
	w.rows = make([]*Row, 0, n)
	for _, m := range messages {
		key := stream{m.Node, m.Incarnation}
		last, here := w.offsets[key]
		if !here {
			last = w.Store.offsets[key]
		}
		if m.Sequence <= last {
			w.result.Repeated++
			continue
		}
		w.offsets[key] = m.Sequence
		if m.Unreadable != nil {
			w.unreadable = append(w.unreadable, m)
		}
		for i, e := range m.Events {
			w.result.Rows = append(w.result.Rows, Row{Event: e, order: order{
				micros(e.Time), m.Node, m.Incarnation, m.Sequence, int32(i),
			}})
			w.rows = append(w.rows, &w.result.Rows[len(w.result.Rows)-1])
		}
	}
}

func (w *write) run(ctx context.Context) (err error) {
	tx, err := w.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	done := false
	defer func() {
		if !done {
			_ = tx.Rollback() // what failed before says more
		}
	}()
	if err := w.opts.Fault("begun"); err != nil {
		return err
	}
	touched, err := w.replace(ctx, tx)
	if err != nil {
		return fmt.Errorf("replace by unique id: %w", err)
	}
	if err := w.fold(ctx, tx, touched); err != nil {
		return fmt.Errorf("fold pulls: %w", err)
	}
	if err := w.append(); err != nil {
		return err
	}
	if err := w.recountStored(ctx, tx); err != nil {
		return fmt.Errorf("count anew: %w", err)
	}
	if err := w.position(ctx, tx); err != nil {
		return fmt.Errorf("store positions: %w", err)
	}
	if err := w.opts.Fault("written"); err != nil {
		return err
	}
	done = true
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return w.opts.Fault("committed")
}

// append writes the rows. The appender is closed, which flushes it into the open
// transaction, before anything else happens there.
func (w *write) append() error {
	return w.appendTo("", "events_raw", len(w.rows), func(i int, buf []driver.Value) []driver.Value {
		return w.rows[i].values(buf)
	})
}

// appendTo fills a table of the writer's connection.
func (w *write) appendTo(catalog, table string, n int, values func(i int, buf []driver.Value) []driver.Value) error {
	if n == 0 {
		return nil
	}
	return w.writer.Raw(func(conn any) error {
		appender, err := duckdb.NewAppender(conn.(driver.Conn), catalog, "", table)
		if err != nil {
			return fmt.Errorf("append to %s: %w", table, err)
		}
		var buf []driver.Value
		for i := range n {
			buf = values(i, buf[:0])
			if err = appender.AppendRow(buf...); err != nil {
				break
			}
		}
		if err = errors.Join(err, appender.Close()); err != nil {
			return fmt.Errorf("append to %s: %w", table, err)
		}
		return nil
	})
}

// mark puts the places of rows into a table for a statement to join with, and
// returns the range of their times.
func (w *write) mark(ctx context.Context, tx *sql.Tx, pulls []pull) (lo, hi int64, err error) {
	const create = `CREATE OR REPLACE TEMP TABLE marked (time TIMESTAMP, incarnation UUID, sequence UBIGINT, position INTEGER, counted BOOLEAN)`
	if _, err := tx.ExecContext(ctx, create); err != nil {
		return 0, 0, err
	}
	lo, hi = pulls[0].time, pulls[0].time
	for _, p := range pulls {
		lo, hi = min(lo, p.time), max(hi, p.time)
	}
	err = w.appendTo("temp", "marked", len(pulls), func(i int, buf []driver.Value) []driver.Value {
		p := pulls[i]
		return append(buf, time.UnixMicro(p.time).UTC(), duckdb.UUID(p.incarnation), p.sequence, p.position, p.counted)
	})
	return lo, hi, err
}

// recountStored changes the counted of rows stored before. The bounds of the
// time let DuckDB skip all but the parts of the table that hold them.
func (w *write) recountStored(ctx context.Context, tx *sql.Tx) error {
	if len(w.changed) == 0 {
		return nil
	}
	lo, hi, err := w.mark(ctx, tx, w.changed)
	if err != nil {
		return err
	}
	w.metrics.recounted.Add(float64(len(w.changed)))
	_, err = tx.ExecContext(ctx, `UPDATE events_raw SET counted = m.counted FROM marked m
		WHERE events_raw.time = m.time AND events_raw.incarnation = m.incarnation
		AND events_raw.sequence = m.sequence AND events_raw.position = m.position
		AND events_raw.time BETWEEN make_timestamp(?::BIGINT) AND make_timestamp(?::BIGINT)`, lo, hi)
	return err
}

func (w *write) position(ctx context.Context, tx *sql.Tx) error {
	now := time.Now().UnixMicro()
	for key, sequence := range w.offsets {
		incarnation := duckdb.UUID(key.incarnation)
		res, err := tx.ExecContext(ctx, `UPDATE offsets SET sequence = ?, updated = make_timestamp(?::BIGINT) WHERE node = ? AND incarnation = ?::UUID`,
			sequence, now, key.node, incarnation.String())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			if err != nil {
				return err
			}
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO offsets VALUES (?, ?::UUID, ?, make_timestamp(?::BIGINT))`,
			key.node, incarnation.String(), sequence, now); err != nil {
			return err
		}
	}
	for _, m := range w.unreadable {
		incarnation := duckdb.UUID(m.Incarnation)
		if _, err := tx.ExecContext(ctx, `INSERT INTO unreadable VALUES (?, ?::UUID, ?, make_timestamp(?::BIGINT), ?, ?)`,
			m.Node, incarnation.String(), m.Sequence, now, text(m.Reason), m.Unreadable); err != nil {
			return err
		}
	}
	return nil
}

// settle brings memory to what was committed.
func (w *write) settle() {
	for key, sequence := range w.offsets {
		w.Store.offsets[key] = sequence
	}
	for key, n := range w.added {
		w.folder.settle(key, n)
	}
	if w.result.Replaced > 0 {
		kept := w.result.Rows[:0]
		for _, r := range w.rows {
			kept = append(kept, *r)
		}
		w.result.Rows = kept
	}
	w.folder.forget(time.Now(), w.opts.Horizon)
}

// Offsets returns the last stored sequence of each incarnation of a node's
// stream.
func (s *Store) Offsets(ctx context.Context, node string) (map[[16]byte]uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	offsets := map[[16]byte]uint64{}
	for key, sequence := range s.offsets {
		if key.node == node {
			offsets[key.incarnation] = sequence
		}
	}
	return offsets, nil
}

// reload reads from the database what memory holds of it.
func (s *Store) reload(ctx context.Context) error {
	s.offsets = map[stream]uint64{}
	rows, err := s.writer.QueryContext(ctx, `SELECT node, incarnation, sequence FROM offsets`)
	if err != nil {
		return fmt.Errorf("read positions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var node string
		var incarnation duckdb.UUID
		var sequence uint64
		if err := rows.Scan(&node, &incarnation, &sequence); err != nil {
			return fmt.Errorf("read positions: %w", err)
		}
		s.offsets[stream{node, incarnation}] = sequence
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read positions: %w", err)
	}
	s.folder, err = s.remember(ctx)
	return err
}
