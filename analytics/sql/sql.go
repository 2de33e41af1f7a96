// Package sql answers an operator's own SQL over the views of the store: read
// only, one statement at a time, within limits of time, rows and number.
package sql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
)

// The errors that callers decide on. A statement that is not allowed gives a
// [*Refused], one that DuckDB doesn't understand or that fails a [*Failed].
var (
	// ErrBusy: as many statements as allowed run, and as many wait (HTTP 503).
	ErrBusy = errors.New("too many statements at once, try again later")
	// ErrDeadline: the statement ran longer than allowed.
	ErrDeadline = errors.New("the statement took too long and was stopped")
	// ErrDisabled: this node keeps no analytics.
	ErrDisabled = errors.New("this node keeps no analytics")
)

// Failed is what the database says about an allowed statement: the fault is the
// statement's.
type Failed struct{ Err error }

func (f *Failed) Error() string { return f.Err.Error() }

// Unwrap returns the database's error.
func (f *Failed) Unwrap() error { return f.Err }

// Source gives connections to the store. *store.Store is one.
type Source interface {
	Conn(ctx context.Context) (*sql.Conn, error)
}

// Options of a [Runner]. Zero values take the defaults.
type Options struct {
	Source Source // nil: every method answers with ErrDisabled
	Dir    string // the one folder that the store may write files to

	// Timeout ends a statement, waiting not included; default 30 s.
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

// Result is what a finished statement tells beside its rows.
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

// Runner runs statements. It is safe for concurrent use.
type Runner struct {
	opts    Options
	log     *slog.Logger
	metrics *metrics
	queue   chan struct{} // one for each statement that runs or waits
	places  chan struct{} // one for each that runs
}

// New returns a runner.
func New(o Options) *Runner {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxRows == 0 {
		o.MaxRows = 1_000_000
	}
	if o.Running == 0 {
		o.Running = 2
	}
	if o.Waiting == 0 {
		o.Waiting = 16
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Runner{
		opts: o, log: o.Logger.With("component", "sql"), metrics: newMetrics(o.Registerer),
		queue: make(chan struct{}, o.Running+o.Waiting), places: make(chan struct{}, o.Running),
	}
}

// Schema describes the views that statements may read.
func (r *Runner) Schema() []View { return views() }

// Check says whether a statement is allowed, without running it.
func (r *Runner) Check(ctx context.Context, query string) error {
	return r.run(ctx, query, func(context.Context, *sql.Conn) error { return nil })
}

// Write runs one statement and writes its rows to w. Nothing is written when it
// is refused or fails before its first rows; an error after that leaves a result
// that its format shows to be incomplete.
func (r *Runner) Write(ctx context.Context, w io.Writer, query string, format Format) (result Result, err error) {
	start := time.Now()
	err = r.run(ctx, query, func(ctx context.Context, conn *sql.Conn) error {
		if format == Parquet {
			return r.parquet(ctx, conn, w, query, &result)
		}
		enc, err := newEncoder(format, w)
		if err != nil {
			return err
		}
		result.Rows, result.Truncated, err = stream(ctx, conn, query, r.opts.MaxRows, enc)
		return err
	})
	result.Elapsed = time.Since(start)
	return result, err
}

// Page runs one statement and returns at most limit rows.
func (r *Runner) Page(ctx context.Context, query string, limit int) (*Page, error) {
	start := time.Now()
	p := &pageEncoder{}
	err := r.run(ctx, query, func(ctx context.Context, conn *sql.Conn) (err error) {
		_, p.page.Truncated, err = stream(ctx, conn, query, int64(limit), p)
		return err
	})
	if err != nil {
		return nil, err
	}
	p.page.Elapsed = time.Since(start)
	return &p.page, nil
}

// run waits for a place, checks the statement and calls f within a read-only
// transaction.
func (r *Runner) run(ctx context.Context, query string, f func(context.Context, *sql.Conn) error) (err error) {
	if r.opts.Source == nil {
		return ErrDisabled
	}
	select {
	case r.queue <- struct{}{}:
		defer func() { <-r.queue }()
	default:
		r.metrics.statements.WithLabelValues("busy").Inc()
		return ErrBusy
	}
	select {
	case r.places <- struct{}{}:
		defer func() { <-r.places }()
	case <-ctx.Done():
		return ctx.Err()
	}
	start := time.Now()
	limited, cancel := context.WithTimeoutCause(ctx, r.opts.Timeout, ErrDeadline)
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() == nil && errors.Is(context.Cause(limited), ErrDeadline) {
			err = fmt.Errorf("%w after %v", ErrDeadline, r.opts.Timeout)
		}
		r.metrics.observe(err, time.Since(start))
	}()
	conn, err := r.opts.Source.Conn(limited)
	if err != nil {
		return err
	}
	defer conn.Close()
	g, err := newGuard(limited, conn, views())
	if err != nil {
		return err
	}
	if err := g.check(limited, conn, query); err != nil {
		return err
	}
	if _, err := conn.ExecContext(limited, "BEGIN TRANSACTION READ ONLY"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		// Not with limited, which may have ended. A connection that can't end
		// its transaction is thrown away.
		if _, rerr := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); rerr != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}()
	return f(limited, conn)
}

// stream passes rows to an encoder, at most limit.
func stream(ctx context.Context, conn *sql.Conn, query string, limit int64, enc encoder) (n int64, truncated bool, err error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return 0, false, &Failed{err}
	}
	defer rows.Close()
	columns, err := describe(rows)
	if err != nil {
		return 0, false, &Failed{err}
	}
	values := make([]any, len(columns))
	pointers := make([]any, len(columns))
	for i := range values {
		pointers[i] = &values[i]
	}
	// The first row comes before the head, so that an error of the statement
	// leaves nothing written.
	more := rows.Next()
	if err := rows.Err(); err != nil {
		return 0, false, &Failed{err}
	}
	if err := enc.begin(columns); err != nil {
		return 0, false, err
	}
	for ; more; more = rows.Next() {
		if n == limit {
			truncated = true
			break
		}
		if err := rows.Scan(pointers...); err != nil {
			return n, false, &Failed{err}
		}
		if err := enc.row(values); err != nil {
			return n, false, err
		}
		n++
	}
	if err := rows.Err(); err != nil && !truncated {
		return n, false, &Failed{err}
	}
	return n, truncated, enc.end()
}

func describe(rows *sql.Rows) ([]Column, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	columns := make([]Column, len(types))
	seen := map[string]int{}
	for i, t := range types {
		name := t.Name()
		seen[name]++
		if n := seen[name]; n > 1 {
			name += "_" + strconv.Itoa(n) // an object has a key once
		}
		columns[i] = Column{Name: name, Type: t.DatabaseTypeName()}
	}
	return columns, nil
}

// parquet lets DuckDB write the result to a file of our choice and passes that
// on. The statement is one whole statement by itself, so that nothing in it can
// reach beyond the parentheses; the line break ends a comment.
func (r *Runner) parquet(ctx context.Context, conn *sql.Conn, w io.Writer, query string, result *Result) error {
	path := filepath.Join(r.opts.Dir, uuid.NewString()+".parquet")
	defer func() { _ = os.Remove(path) }() // else the next start removes it
	query = strings.TrimRight(query, "; \t\r\n")
	text := fmt.Sprintf("COPY (SELECT * FROM (%s\n) LIMIT %d) TO '%s' (FORMAT parquet, COMPRESSION zstd)",
		query, r.opts.MaxRows+1, strings.ReplaceAll(path, "'", "''"))
	res, err := conn.ExecContext(ctx, text)
	if err != nil {
		return &Failed{err}
	}
	if result.Rows, err = res.RowsAffected(); err != nil {
		return fmt.Errorf("write parquet: %w", err)
	}
	if result.Truncated = result.Rows > r.opts.MaxRows; result.Truncated {
		// A file has no place to say that it was cut: one row more than
		// allowed is in it, which the caller is told.
		result.Rows = r.opts.MaxRows + 1
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("write parquet: %w", err)
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
