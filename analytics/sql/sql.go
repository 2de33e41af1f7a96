// Package sql answers an operator's own SQL over the views of the store, read
// only and within limits.
package sql

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The errors that callers decide on. A statement that is not allowed gives a
// [*Refused]; what the database says about an allowed one is passed on as it is.
var (
	// ErrBusy: as many queries as allowed run, and the queue is full (HTTP 503).
	ErrBusy = errors.New("too many queries at once, try again later")
	// ErrDeadline: the query ran longer than allowed.
	ErrDeadline = errors.New("the query took too long and was stopped")
	// ErrDisabled: this node keeps no analytics.
	ErrDisabled = errors.New("this node keeps no analytics")
)

// Refused says why a statement is not allowed.
type Refused struct{ Reason string }

func (r *Refused) Error() string { return "refused: " + r.Reason }

// Format is how a result is written.
type Format string

// The formats.
const (
	Table   Format = "table"   // aligned text for people
	JSON    Format = "json"    // one array of objects
	NDJSON  Format = "ndjson"  // one object a line
	CSV     Format = "csv"     // RFC 4180 with a header
	Parquet Format = "parquet" // one file
)

// Result is what a finished query tells beside its rows.
type Result struct {
	Rows      int64         // written
	Truncated bool          // there were more rows than allowed
	Elapsed   time.Duration // in the database and writing
}

// Column is one column of a result or a view.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Doc  string `json:"doc,omitempty"`
}

// Page is a small result for a page: values as text, nil for NULL.
type Page struct {
	Columns   []Column
	Rows      [][]*string
	Truncated bool
	Elapsed   time.Duration
}

// View is one view that statements may read.
type View struct {
	Name    string   `json:"name"`
	Doc     string   `json:"doc"`
	Columns []Column `json:"columns"`
	Example string   `json:"example"`
}

// Source gives connections to the store. *store.Store is one.
type Source interface {
	Conn(ctx context.Context) (*sql.Conn, error)
}

// Options of a [Runner]. Zero values take the defaults.
type Options struct {
	Source Source // nil: every method answers with ErrDisabled
	Dir    string // the one folder that the store may write files to

	// Timeout ends a statement; default 30 s.
	Timeout time.Duration
	// MaxRows cuts a result; default one million.
	MaxRows int64
	// Running statements at once, default 2, and Waiting for a place, default
	// 16; beyond that ErrBusy. One statement can take gigabytes whatever the
	// store's memory limit, so this is what bounds the process.
	Running, Waiting int

	Logger     *slog.Logger          // nil: discarded
	Registerer prometheus.Registerer // nil: no metrics
}

// Runner runs statements. It is safe for concurrent use.
type Runner struct{ opts Options }

// New returns a runner.
func New(o Options) *Runner { return &Runner{opts: o} }

// ParseFormat returns the format of that name; empty is [Table].
func ParseFormat(name string) (Format, error) { return Format(name), nil }

// ContentType is the media type of the format.
func (f Format) ContentType() string { return "" }

// Check says whether a statement is allowed, without running it.
func (r *Runner) Check(ctx context.Context, query string) error { return ErrDisabled }

// Write runs one statement and writes its rows to w. Nothing is written when it
// is refused or fails before its first rows.
func (r *Runner) Write(ctx context.Context, w io.Writer, query string, format Format) (Result, error) {
	return Result{}, ErrDisabled
}

// Page runs one statement and returns at most limit rows.
func (r *Runner) Page(ctx context.Context, query string, limit int) (*Page, error) {
	return nil, ErrDisabled
}

// Schema describes the views that statements may read.
func (r *Runner) Schema() []View { return nil }
