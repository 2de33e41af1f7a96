// Package store keeps events as rows of a DuckDB database, each counted once:
// rows and the position of the stream they came from are written in one
// transaction. What a row means to a report is the business of package report;
// which rows may be asked for by an operator, of package sql.
//
// Two things depend on other rows and are decided here, the same way whatever
// the order of arrival: which rows of a pull are counted (fold.go) and which of
// several events with one unique id stays (unique.go).
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/prometheus/client_golang/prometheus"
)

var (
	// ErrUnavailable is returned while the database is closed or can't be
	// opened; it is tried again.
	ErrUnavailable = errors.New("the store is not available")
	// ErrVersion is returned by Open for a database that a later program wrote.
	ErrVersion = errors.New("the database was written by a later program")
)

// Options of a [Store]. Zero values take the defaults.
type Options struct {
	Dir string // of this store alone; created if missing

	// MemoryLimit is what DuckDB tries to keep to, in bytes, shared by all
	// statements; default 1 GiB. It is no bound on the process: large sorts
	// and aggregates have taken three times as much.
	MemoryLimit int64
	// Threads of DuckDB; default: one per processor.
	Threads int
	// Horizon is how far back pulls are kept in memory for folding; default 10
	// minutes. Rows that come later than that are folded by SQL.
	Horizon time.Duration

	Logger     *slog.Logger          // nil: discarded
	Registerer prometheus.Registerer // nil: no metrics

	// Fault is called at the named steps of a write, for tests that let it fail
	// or end the process there; nil otherwise.
	Fault func(step string) error
}

// Store is the database of one node. One process opens it at a time. Writes are
// made one after the other; reads run beside them.
type Store struct {
	opts    Options
	log     *slog.Logger
	metrics *metrics
	lock    *os.File
	db      atomic.Pointer[sql.DB] // nil while not available
	fault   atomic.Pointer[error]  // why it isn't

	mu      sync.Mutex // one writer; guards what follows
	writer  *sql.Conn
	offsets map[stream]uint64
	folder  *folder
	dirty   bool // memory may differ from the database: read it again first
	closed  bool
	written time.Time // of the last write
}

// stream is one incarnation of one node's stream.
type stream struct {
	node        string
	incarnation [16]byte
}

// Open opens or creates the database in o.Dir and brings its schema up to date.
// A database that can't be opened now, on a full disk for one, is no error but
// makes the store unavailable: [Store.Serve] and each write try again. Another
// process on the same directory is an error, and so is [ErrVersion].
func Open(o Options) (*Store, error) {
	if o.MemoryLimit == 0 {
		o.MemoryLimit = 1 << 30
	}
	if o.Horizon == 0 {
		o.Horizon = 10 * time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Fault == nil {
		o.Fault = func(string) error { return nil }
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	o.Dir = dir
	s := &Store{opts: o, log: o.Logger.With("component", "store")}
	for _, d := range []string{o.Dir, s.spillDir(), s.ExportDir()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	// DuckDB's own lock doesn't keep this process from opening the file twice.
	if s.lock, err = lockFile(filepath.Join(o.Dir, "lock")); err != nil {
		return nil, fmt.Errorf("open store %q: %w", o.Dir, err)
	}
	s.metrics = newMetrics(o.Registerer, s)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); errors.Is(err, ErrVersion) {
		return nil, errors.Join(fmt.Errorf("open store %q: %w", o.Dir, err), s.lock.Close())
	} else if err != nil {
		s.log.Error("database not opened, trying again", "err", err)
	}
	return s, nil
}

// Path is the database file.
func (s *Store) Path() string { return filepath.Join(s.opts.Dir, "events.duckdb") }

func (s *Store) spillDir() string { return filepath.Join(s.opts.Dir, "spill") }

// ExportDir is the one folder, emptied at each start, that statements may write
// files to: results in Parquet pass through it.
func (s *Store) ExportDir() string { return filepath.Join(s.opts.Dir, "export") }

// dsn opens the file so that no statement can load code or keep secrets.
func (s *Store) dsn() string {
	q := url.Values{}
	for _, off := range []string{
		"autoinstall_known_extensions", "autoload_known_extensions",
		"allow_community_extensions", "allow_persistent_secrets",
	} {
		q.Set(off, "false")
	}
	q.Set("memory_limit", strconv.FormatInt(s.opts.MemoryLimit>>20, 10)+"MiB")
	q.Set("temp_directory", s.spillDir())
	q.Set("max_temp_directory_size", strconv.FormatInt(8*s.opts.MemoryLimit>>20, 10)+"MiB")
	// At the default of 16 MB commits stall for a second now and then. We
	// checkpoint at quiet moments, and at checkpointLimit anyway.
	q.Set("checkpoint_threshold", "512MiB")
	if s.opts.Threads > 0 {
		q.Set("threads", strconv.Itoa(s.opts.Threads))
	}
	return s.Path() + "?" + q.Encode()
}

// open makes the one instance. The caller holds mu.
func (s *Store) open() (err error) {
	ctx := context.Background()
	defer func() {
		if err != nil {
			fault := fmt.Errorf("%w: %w", ErrUnavailable, err)
			s.fault.Store(&fault)
		}
	}()
	for _, d := range []string{s.spillDir(), s.ExportDir()} {
		if err := emptyDir(d); err != nil {
			return err
		}
	}
	connector, err := duckdb.NewConnector(s.dsn(), nil)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(64)
	db.SetMaxIdleConns(8)
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	for _, stmt := range []string{
		"SET allowed_directories = [" + literal(s.ExportDir()) + "]",
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	} {
		if _, err := db.ExecContext(ctx, stmt); err != nil {
			return fmt.Errorf("lock down: %w", err)
		}
	}
	if err := migrate(ctx, db); err != nil {
		return err
	}
	writer, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	s.writer = writer
	if err := s.reload(ctx); err != nil {
		return errors.Join(err, writer.Close())
	}
	s.db.Store(db)
	return nil
}

// reopen replaces an instance that a fatal error has made unusable.
func (s *Store) reopen(ctx context.Context) error {
	if s.closed {
		return ErrUnavailable
	}
	if db := s.db.Swap(nil); db != nil {
		s.metrics.reopened.Inc()
		s.log.Error("database opened again after a fatal error")
		if err := s.shut(ctx, db); err != nil {
			s.log.Warn("closing the failed database", "err", err)
		}
	}
	if err := s.open(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	s.dirty = false
	return nil
}

// shut closes an instance once nobody reads from it any more: a file opened
// again too early would still be the failed instance.
func (s *Store) shut(ctx context.Context, db *sql.DB) error {
	var errs []error
	if s.writer != nil {
		// A write that was stopped half-way has closed the connection already.
		if err := s.writer.Close(); !errors.Is(err, sql.ErrConnDone) {
			errs = append(errs, err)
		}
		s.writer = nil
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for db.Stats().InUse > 0 {
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
			errs = append(errs, fmt.Errorf("%d readers still busy: %w", db.Stats().InUse, ctx.Err()))
		}
		break
	}
	return errors.Join(append(errs, db.Close())...)
}

// Close closes the database. Its write-ahead log is merged into the file, so
// that the next start is quick.
func (s *Store) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var err error
	if db := s.db.Swap(nil); db != nil {
		err = s.shut(ctx, db)
	}
	return errors.Join(err, s.lock.Close())
}

// QueryContext runs a read. It doesn't restrict what the statement may do: use
// package sql for statements of others.
func (s *Store) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	db := s.db.Load()
	if db == nil {
		return nil, ErrUnavailable
	}
	return db.QueryContext(ctx, query, args...)
}

// Conn returns a connection for reads; the caller closes it.
func (s *Store) Conn(ctx context.Context) (*sql.Conn, error) {
	db := s.db.Load()
	if db == nil {
		return nil, ErrUnavailable
	}
	return db.Conn(ctx)
}

// Err says why the store can't be used now.
func (s *Store) Err() error {
	if s.db.Load() != nil {
		return nil
	}
	if fault := s.fault.Load(); fault != nil {
		return *fault
	}
	return ErrUnavailable
}

// fatal says whether an error leaves the instance unusable.
func fatal(err error) bool {
	var de *duckdb.Error
	return errors.As(err, &de) && (de.Type == duckdb.ErrorTypeFatal || de.Type == duckdb.ErrorTypeInternal) ||
		err != nil && strings.Contains(err.Error(), "database has been invalidated")
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// lockFile takes an exclusive lock that ends with the process.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("in use by another process: %w", err)
	}
	return f, nil
}
