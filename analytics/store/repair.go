package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// span is what a write changes in a chain, where memory doesn't suffice: rows to
// add, and the range of times in which rows come or go.
type span struct {
	lo, hi int64
	rows   []*Row
}

func (s *span) include(t int64) { s.lo, s.hi = min(s.lo, t), max(s.hi, t) }

// fold decides which of the new rows are counted and which stored rows change.
// The chains in touched have lost rows already.
func (w *write) fold(ctx context.Context, tx *sql.Tx, touched map[pullKey]*span) error {
	chains := map[pullKey][]*Row{}
	for _, r := range w.rows {
		if key, ok := r.pull(); ok {
			chains[key] = append(chains[key], r)
		} else {
			r.Counted = r.Countable
		}
	}
	w.added = make(map[pullKey]int, len(chains))
	for key, rows := range chains {
		w.added[key] = len(rows)
		first := slices.MinFunc(rows, func(a, b *Row) int { return a.order.compare(b.order) })
		sp := touched[key]
		if sp == nil {
			if w.folder.knows(key, first.order) {
				w.changed = append(w.changed, w.folder.add(key, rows)...)
				continue
			}
			sp = &span{first.order.time, first.order.time, nil}
			touched[key] = sp
		}
		sp.rows = rows
		for _, r := range rows {
			sp.include(r.order.time)
		}
	}
	if len(touched) == 0 {
		return nil
	}
	w.metrics.refolded.Add(float64(len(touched)))
	return w.refold(ctx, tx, touched)
}

// reach is how far behind a change stored rows are read, first and then, for
// chains whose decisions don't meet the old ones by then.
var reach = []time.Duration{time.Hour, 24 * time.Hour, 30 * 24 * time.Hour, 20_000 * 24 * time.Hour}

// refold decides chains by reading them from the database.
func (w *write) refold(ctx context.Context, tx *sql.Tx, spans map[pullKey]*span) error {
	for _, ahead := range reach {
		end := func(sp *span) int64 { return min(sp.hi+ahead.Microseconds(), maxTime) }
		chains, err := w.load(ctx, tx, spans, end)
		if err != nil {
			return err
		}
		further := map[pullKey]*span{}
		for key, sp := range spans {
			c := chains[key]
			if len(sp.rows) > 0 {
				c, _, _ = merge(c, sp.rows)
			}
			first := len(c)
			if i := slices.IndexFunc(c, func(p pull) bool { return p.time >= sp.lo }); i >= 0 {
				first = i
			}
			last := first - 1
			for last+1 < len(c) && c[last+1].time <= sp.hi {
				last++
			}
			changed, met := recount(c, first, last)
			// Beyond a gap longer than the window everything is as before.
			alone := len(c) == 0 || end(sp)-c[len(c)-1].time > foldWindow || end(sp) == maxTime
			if !met && !alone {
				further[key] = sp
				continue
			}
			w.changed = append(w.changed, changed...)
			w.folder.splice(key, c, sp.lo-foldWindow, end(sp))
		}
		if len(further) == 0 {
			return nil
		}
		spans = further
	}
	return fmt.Errorf("%d chains without an end", len(spans)) // times end with maxTime
}

// load reads the stored rows of chains, from a window before the change on.
func (w *write) load(ctx context.Context, tx *sql.Tx, spans map[pullKey]*span, end func(*span) int64) (map[pullKey]chain, error) {
	const create = `CREATE OR REPLACE TEMP TABLE wanted_pulls (package_id VARCHAR, origin_id UUID, lo TIMESTAMP, hi TIMESTAMP)`
	if _, err := tx.ExecContext(ctx, create); err != nil {
		return nil, err
	}
	keys := make([]pullKey, 0, len(spans))
	lo, hi := maxTime, minTime
	for key, sp := range spans {
		keys = append(keys, key)
		lo, hi = min(lo, sp.lo-foldWindow), max(hi, end(sp))
	}
	err := w.appendTo("temp", "wanted_pulls", len(keys), func(i int, buf []driver.Value) []driver.Value {
		sp := spans[keys[i]]
		return append(buf, keys[i].image.Value(), duckdb.UUID(keys[i].origin),
			time.UnixMicro(max(sp.lo-foldWindow, minTime)).UTC(), time.UnixMicro(end(sp)).UTC())
	})
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT `+pullColumns+` FROM events_raw e
		JOIN wanted_pulls w ON e.package_id = w.package_id AND e.origin_id = w.origin_id AND e.time BETWEEN w.lo AND w.hi
		WHERE `+isPull+` AND e.time BETWEEN make_timestamp(?::BIGINT) AND make_timestamp(?::BIGINT)`, lo, hi)
	if err != nil {
		return nil, err
	}
	return scanPulls(rows)
}

const (
	pullColumns = `e.package_id, e.origin_id, epoch_us(e.time), e.stream, e.incarnation, e.sequence, e.position, e.counted`
	isPull      = `e.type = 'manifest-fetch' AND e.countable AND e.package_id IS NOT NULL AND e.origin_id IS NOT NULL`
)

// scanPulls reads rows into sorted chains and closes them.
func scanPulls(rows *sql.Rows) (map[pullKey]chain, error) {
	defer rows.Close()
	chains := map[pullKey]chain{}
	for rows.Next() {
		var image string
		var origin, incarnation duckdb.UUID
		p := pull{stored: true}
		if err := rows.Scan(&image, &origin, &p.time, &p.node, &incarnation, &p.sequence, &p.position, &p.counted); err != nil {
			return nil, err
		}
		p.incarnation = incarnation
		key := newPullKey(image, origin)
		chains[key] = append(chains[key], p)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, c := range chains {
		slices.SortFunc(c, func(a, b pull) int { return a.order.compare(b.order) })
	}
	return chains, nil
}

// splice replaces the rows of a chain between two times, both included, by those
// read from the database.
func (f *folder) splice(key pullKey, c chain, lo, hi int64) {
	before := f.chains[key]
	if len(before) > 0 && before[0].time > hi {
		return // memory begins behind, where nothing has changed
	}
	var joined chain
	for _, p := range before {
		if p.time < lo {
			joined = append(joined, p)
		}
	}
	joined = append(joined, c...)
	for _, p := range before {
		if p.time > hi {
			joined = append(joined, p)
		}
	}
	f.set(key, before, trim(joined, f.floor))
}

// remember builds the memory from the recent rows of the database.
func (s *Store) remember(ctx context.Context) (*folder, error) {
	var any bool
	if err := s.writer.QueryRowContext(ctx, `SELECT count(*) > 0 FROM events_raw`).Scan(&any); err != nil {
		return nil, fmt.Errorf("read pulls: %w", err)
	}
	if !any {
		return newFolder(beginning), nil
	}
	now := time.Now()
	f := newFolder(now.Add(-s.opts.Horizon).UnixMicro())
	// A window more, so that each chain begins with a counted row.
	rows, err := s.writer.QueryContext(ctx, `SELECT `+pullColumns+` FROM events_raw e WHERE `+isPull+`
		AND e.time >= make_timestamp(?::BIGINT)`, f.floor-foldWindow)
	if err != nil {
		return nil, fmt.Errorf("read pulls: %w", err)
	}
	chains, err := scanPulls(rows)
	if err != nil {
		return nil, fmt.Errorf("read pulls: %w", err)
	}
	for key, c := range chains {
		f.set(key, nil, trim(c, f.floor))
	}
	f.forget(now, s.opts.Horizon)
	return f, nil
}
