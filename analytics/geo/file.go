package geo

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// Errors of [Open].
var (
	// ErrFormat is returned for a file that is no MaxMind DB.
	ErrFormat = errors.New("is no MaxMind DB (.mmdb) file")
	// ErrShape is returned for a MaxMind DB that tells neither country nor network.
	ErrShape = errors.New("tells neither a country nor a network in a form that is known here")
)

// probes is how many records are tried to learn whether a file's shape is known.
const probes = 5000

// stamp tells versions of a file apart.
type stamp struct {
	info    os.FileInfo
	size    int64
	changed time.Time
}

func (s stamp) same(o stamp) bool {
	return s.info != nil && o.info != nil && os.SameFile(s.info, o.info) && s.size == o.size && s.changed.Equal(o.changed)
}

// file is one database, replaced as a whole when it changes on disk.
type file struct {
	path     string
	failures prometheus.Counter
	open     atomic.Pointer[database]

	mu   sync.Mutex // guards what follows
	seen stamp      // of the last attempt, also of a failed one
	err  error      // of the last attempt
}

// load reads the file. It is read into memory rather than mapped: whoever
// overwrites a mapped file in place ends the process with SIGBUS.
func (f *file) load() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = f.read()
	return f.err
}

func (f *file) read() error {
	info, err := os.Stat(f.path)
	if err != nil {
		f.seen = stamp{}
		return err
	}
	f.seen = stamp{info, info.Size(), info.ModTime()}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return err
	}
	db, err := parse(data)
	if err != nil {
		return fmt.Errorf("%s %w", f.path, err)
	}
	f.open.Store(db)
	return nil
}

// reload reads the file if it changed since the last attempt. An error is
// returned once per change.
func (f *file) reload() (changed bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if err != nil {
		if f.seen.info == nil && f.err != nil {
			return false, nil // said before
		}
		f.seen, f.err = stamp{}, err
		return false, err
	}
	if f.seen.same(stamp{info, info.Size(), info.ModTime()}) {
		return false, nil
	}
	f.err = f.read()
	return f.err == nil, f.err
}

func (f *file) lookup(addr netip.Addr) *Result {
	r, err := f.open.Load().lookup(addr)
	if err != nil {
		f.failures.Inc()
	}
	return r
}

func (f *file) status(now time.Time) Database {
	db := f.open.Load()
	built := db.reader.Metadata.BuildTime().UTC()
	s := Database{
		File: f.path, Type: db.reader.Metadata.DatabaseType, Built: built, Stale: now.Sub(built) > MaxAge,
		Credit: beside(f.path),
	}
	if s.Credit == nil {
		s.Credit = creditOf(db.reader.Metadata)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		s.Error = f.err.Error()
	}
	return s
}

// database is one version of a file, with the records that were met. Many
// networks share a record: a country database has some 250 of them.
type database struct {
	reader *maxminddb.Reader
	met    [1 << 12]atomic.Pointer[record]
}

type record struct {
	offset uintptr
	result Result
}

func parse(data []byte) (*database, error) {
	reader, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	db := &database{reader: reader}
	left := probes
	var broken error
	for result := range reader.Networks() {
		if err := result.Err(); err != nil {
			return nil, fmt.Errorf("is damaged: %w", err)
		}
		r, err := decode(result)
		switch {
		case err != nil:
			broken = err
		case r.Country != "" || r.ASN != 0 || r.UserType != "":
			return db, nil
		}
		if left--; left == 0 {
			break
		}
	}
	if broken != nil {
		return nil, fmt.Errorf("is damaged: %w", broken)
	}
	return nil, fmt.Errorf("%w (its type is %q)", ErrShape, reader.Metadata.DatabaseType)
}

// lookup returns nil for an address that the database doesn't know. The result is
// shared: it must not be changed.
func (db *database) lookup(addr netip.Addr) (*Result, error) {
	addr = addr.Unmap()
	if addr.Is6() && db.reader.Metadata.IPVersion == 4 {
		return nil, nil
	}
	found := db.reader.Lookup(addr)
	if !found.Found() {
		return nil, found.Err()
	}
	offset := found.Offset()
	slot := &db.met[(offset*0x9E3779B1)>>7%uintptr(len(db.met))]
	if r := slot.Load(); r != nil && r.offset == offset {
		return &r.result, nil
	}
	result, err := decode(found)
	if err != nil {
		return nil, err
	}
	r := &record{offset, result}
	slot.Store(r)
	return &r.result, nil
}
