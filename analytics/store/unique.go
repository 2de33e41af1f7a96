package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/duckdb/duckdb-go/v2"
)

// An import may name events by $unique_id, to send them again after a failure or
// to correct them. Of the events of one package or pixel with one unique id the
// one received last stays: the greatest id, a UUID made at receipt, then the
// greatest place in the streams. The choice is a maximum over a total order, so
// it depends neither on the order of arrival nor on how often one arrives.

// uniqueKey is the scope of a unique id.
type uniqueKey struct{ owner, packageID, pixelID, uniqueID string }

func (r *Row) unique() uniqueKey {
	s := func(v string) string { t, _ := text(v).(string); return t }
	return uniqueKey{s(r.Owner), s(r.PackageID), s(r.PixelID), s(r.UniqueID)}
}

// later says whether (id, place) of one event is after that of another.
func later(id [16]byte, place order, otherID [16]byte, other order) bool {
	if c := bytes.Compare(id[:], otherID[:]); c != 0 {
		return c > 0
	}
	return place.place(other) > 0
}

// replace leaves of the new and the stored rows with one unique id the last. It
// returns the chains of pulls that lost rows.
func (w *write) replace(ctx context.Context, tx *sql.Tx) (touched map[pullKey]*span, err error) {
	touched = map[pullKey]*span{}
	winners := map[uniqueKey]*Row{}
	for _, r := range w.rows {
		if r.UniqueID == "" {
			continue
		}
		key := r.unique()
		if other := winners[key]; other == nil || later(r.ID, r.order, other.ID, other.order) {
			winners[key] = r
		}
	}
	if len(winners) == 0 {
		return touched, nil
	}
	gone, err := w.stored(ctx, tx, winners, touched)
	if err != nil {
		return nil, err
	}
	kept := make([]*Row, 0, len(w.rows))
	for _, r := range w.rows {
		if r.UniqueID == "" || winners[r.unique()] == r {
			kept = append(kept, r)
		}
	}
	w.result.Replaced = len(w.rows) - len(kept) + len(gone)
	w.metrics.replaced.Add(float64(w.result.Replaced))
	w.rows = kept
	if len(gone) == 0 {
		return touched, nil
	}
	lo, hi, err := w.mark(ctx, tx, gone)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM events_raw USING marked m
		WHERE events_raw.time = m.time AND events_raw.incarnation = m.incarnation
		AND events_raw.sequence = m.sequence AND events_raw.position = m.position
		AND events_raw.time BETWEEN make_timestamp(?::BIGINT) AND make_timestamp(?::BIGINT)`, lo, hi)
	return touched, err
}

// stored compares with rows in the database: it takes new rows that lose out of
// winners and returns stored rows that lose. Without an index this reads the
// column unique_id, which is cheap where events have none.
func (w *write) stored(ctx context.Context, tx *sql.Tx, winners map[uniqueKey]*Row, touched map[pullKey]*span) (gone []pull, err error) {
	const create = `CREATE OR REPLACE TEMP TABLE wanted_unique (owner VARCHAR, package_id VARCHAR, pixel_id VARCHAR, unique_id VARCHAR)`
	if _, err := tx.ExecContext(ctx, create); err != nil {
		return nil, err
	}
	keys := make([]uniqueKey, 0, len(winners))
	for key := range winners {
		keys = append(keys, key)
	}
	err = w.appendTo("temp", "wanted_unique", len(keys), func(i int, buf []driver.Value) []driver.Value {
		k := keys[i]
		return append(buf, k.owner, k.packageID, k.pixelID, k.uniqueID)
	})
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT u.owner, u.package_id, u.pixel_id, u.unique_id, coalesce(e.id, '00000000-0000-0000-0000-000000000000'),
			epoch_us(e.time), e.stream, e.incarnation, e.sequence, e.position,
			e.origin_id, (`+isPull+`)
		FROM events_raw e JOIN wanted_unique u ON e.unique_id = u.unique_id AND coalesce(e.owner, '') = u.owner
			AND coalesce(e.package_id, '') = u.package_id AND coalesce(e.pixel_id, '') = u.pixel_id
		WHERE e.unique_id IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key uniqueKey
		var id, incarnation duckdb.UUID
		var origin *duckdb.UUID
		var folds bool
		p := pull{stored: true}
		if err := rows.Scan(&key.owner, &key.packageID, &key.pixelID, &key.uniqueID, &id,
			&p.time, &p.node, &incarnation, &p.sequence, &p.position, &origin, &folds); err != nil {
			return nil, err
		}
		p.incarnation = incarnation
		r := winners[key]
		if r == nil {
			continue
		}
		if !later(r.ID, r.order, id, p.order) {
			delete(winners, key)
			continue
		}
		gone = append(gone, p)
		if folds && origin != nil {
			pk := newPullKey(key.packageID, *origin)
			if sp := touched[pk]; sp != nil {
				sp.include(p.time)
			} else {
				touched[pk] = &span{p.time, p.time, nil}
			}
		}
	}
	return gone, rows.Err()
}
