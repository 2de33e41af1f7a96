package report

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrDisabled is returned by every method of a [Reader] on a node that keeps no
// analytics.
var ErrDisabled = errors.New("this node keeps no analytics")

// Querier answers read-only SQL over the views of the store. *store.Store is
// one, and *sql.DB.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Reader answers reports. It is safe for concurrent use.
type Reader struct{ db Querier }

// New returns a reader over db; nil gives one that answers [ErrDisabled].
func New(db Querier) *Reader { return &Reader{db: db} }

// maxRows bounds what a list returns.
const maxRows = 10_000

// Totals counts what the query selects.
func (r *Reader) Totals(ctx context.Context, q Query) (Totals, error) {
	var t Totals
	var s statement
	s.add("SELECT count(*) FILTER (" + isDownload + "), count(*) FILTER (" + isView + "), count(*) FILTER (" + isCollected + "), " +
		uniqueOrigins + ", " + uniqueEndpoints + ", " + companies + " FROM events")
	if err := s.where(q); err != nil {
		return t, err
	}
	s.add(" AND counted")
	err := r.each(ctx, &s, func(rows *sql.Rows) error {
		return rows.Scan(&t.Downloads, &t.Views, &t.Events, &t.UniqueOrigins, &t.UniqueEndpoints, &t.Companies)
	})
	return t, err
}

// Series counts per bucket of the query's zone, oldest first, with zeros where
// nothing happened. Without From it begins with the oldest event, without To it
// ends now.
func (r *Reader) Series(ctx context.Context, q Query, step Bucket) ([]Point, error) {
	measure, ok := measures[q.Measure]
	if !ok {
		return nil, fmt.Errorf("%w: measure %q", ErrQuery, q.Measure)
	}
	if q.To.IsZero() {
		q.To = time.Now()
	}
	if q.From.IsZero() {
		oldest, err := r.oldest(ctx, q)
		if err != nil || oldest.IsZero() {
			return nil, err
		}
		q.From = oldest
	}
	b, err := newBuckets(q, step)
	if err != nil {
		return nil, err
	}
	var s statement
	s.add("SELECT ")
	b.expression(&s)
	s.add(" AS bucket, " + measure.figure + " FROM events")
	if err := s.where(q); err != nil {
		return nil, err
	}
	s.add(" AND " + measure.rows + " GROUP BY bucket")
	counts := map[time.Time]int64{}
	err = r.each(ctx, &s, func(rows *sql.Rows) error {
		var bucket, count int64
		if err := rows.Scan(&bucket, &count); err != nil {
			return err
		}
		counts[b.start(bucket).UTC()] = count
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b.fill(counts), nil
}

// oldest returns the time of the first row of the query that counts.
func (r *Reader) oldest(ctx context.Context, q Query) (oldest time.Time, err error) {
	var s statement
	s.add("SELECT epoch_us(min(time)) FROM events")
	if err := s.where(q); err != nil {
		return oldest, err
	}
	s.add(" AND " + measures[q.Measure].rows)
	err = r.each(ctx, &s, func(rows *sql.Rows) error {
		var us *int64
		if err := rows.Scan(&us); err != nil {
			return err
		}
		if us != nil {
			oldest = time.UnixMicro(*us)
		}
		return nil
	})
	return oldest, err
}

// Top returns the values of a dimension with the highest counts, highest first,
// at most limit. The value "" is what is unknown.
func (r *Reader) Top(ctx context.Context, q Query, by Dimension, limit int) ([]Row, error) {
	measure, ok := measures[q.Measure]
	if !ok {
		return nil, fmt.Errorf("%w: measure %q", ErrQuery, q.Measure)
	}
	var s statement
	s.add("SELECT coalesce(")
	if err := s.dimension(by); err != nil {
		return nil, err
	}
	s.add(", '') AS key, ")
	if by == ByPackage {
		// The name it had last: a package may be renamed.
		s.add("coalesce(arg_max(package, time), '')")
	} else {
		s.add("''")
	}
	s.add(", " + measure.figure + " AS figure, " + uniqueOrigins + " FROM events")
	if err := s.where(q); err != nil {
		return nil, err
	}
	s.add(" AND "+measure.rows+" GROUP BY key ORDER BY figure DESC, key LIMIT ?", min(max(limit, 0), maxRows))
	list := []Row{}
	err := r.each(ctx, &s, func(rows *sql.Rows) error {
		var row Row
		if err := rows.Scan(&row.Key, &row.Label, &row.Count, &row.Unique); err != nil {
			return err
		}
		if row.Label == "" || row.Key == "" {
			row.Label = row.Key
		}
		list = append(list, row)
		return nil
	})
	return list, err
}

// latestWindows are how far back Latest looks, first and then, until it has
// enough: the whole table is sorted only for a query with hardly any events.
var latestWindows = []time.Duration{time.Hour, 24 * time.Hour, 30 * 24 * time.Hour, 0}

// Latest returns the most recent events, newest first, at most limit. Not only
// counted ones: it shows what happens, not what is counted.
func (r *Reader) Latest(ctx context.Context, q Query, limit int) (list []Latest, err error) {
	limit = min(max(limit, 0), maxRows)
	from, to := q.From, q.To
	if to.IsZero() {
		to = time.Now()
	}
	for _, window := range latestWindows {
		q.From = from
		last := window == 0
		if start := to.Add(-window); !last && start.After(from) {
			q.From = start
		} else {
			last = true
		}
		list, err = r.latest(ctx, q, limit)
		if err != nil || last || len(list) >= limit {
			break
		}
	}
	return list, err
}

func (r *Reader) latest(ctx context.Context, q Query, limit int) ([]Latest, error) {
	var s statement
	s.add(`SELECT coalesce(id::VARCHAR, ''), epoch_us(time), coalesce(type, ''), coalesce(owner, ''), coalesce(package_id, ''),
		coalesce(package, ''), coalesce(version, ''), coalesce(platform, ''), coalesce(client, ''), coalesce(country, ''),
		coalesce(domain, ''), coalesce(path, ''), coalesce(status, 0), counted FROM events`)
	if err := s.where(q); err != nil {
		return nil, err
	}
	s.add(" ORDER BY time DESC, id DESC LIMIT ?", limit)
	list := []Latest{}
	err := r.each(ctx, &s, func(rows *sql.Rows) error {
		var l Latest
		var us int64
		err := rows.Scan(&l.ID, &us, &l.Type, &l.Owner, &l.PackageID, &l.Package, &l.Version,
			&l.Platform, &l.Client, &l.Country, &l.Domain, &l.Path, &l.Status, &l.Counted)
		l.Time = time.UnixMicro(us).UTC()
		list = append(list, l)
		return err
	})
	return list, err
}

// each runs a statement and calls f for each row.
func (r *Reader) each(ctx context.Context, s *statement, f func(*sql.Rows) error) error {
	if r.db == nil {
		return ErrDisabled
	}
	rows, err := r.db.QueryContext(ctx, s.text.String(), s.args...)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
