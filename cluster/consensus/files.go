package consensus

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// keptSnapshots: should the latest turn out damaged, the one before it and the
// log after it still give the whole state.
const keptSnapshots = 2

// files are what a member keeps on disk.
type files struct {
	logs      *raftboltdb.BoltStore // the log and raft's vote
	entries   raft.LogStore         // the log as raft uses it
	snapshots *snapshotStore
	logPath   string
	snapPath  string
}

const advice = "restore the node from a backup, or remove %s and let the node join its cluster again"

func damaged(path string, cause any) error {
	return fmt.Errorf("%w: %s: %v; "+advice, ErrDamaged, path, cause, filepath.Dir(path))
}

// openFiles opens the log and the snapshots below dir.
func openFiles(dir string, logger *slog.Logger) (*files, error) {
	root := filepath.Join(dir, "raft")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("open consensus: %w", err)
	}
	f := &files{logPath: filepath.Join(root, "log.db"), snapPath: filepath.Join(root, "snapshots")}
	if err := f.checkPresent(); err != nil {
		return nil, err
	}
	if err := f.openLog(); err != nil {
		return nil, err
	}
	store, err := raft.NewFileSnapshotStoreWithLogger(root, keptSnapshots, newHCLogger(logger))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open raft snapshots in %s: %w", f.snapPath, err), f.logs.Close())
	}
	f.snapshots = &snapshotStore{SnapshotStore: store, logs: f.logs}
	if err := f.checkComplete(); err != nil {
		return nil, errors.Join(err, f.logs.Close())
	}
	return f, nil
}

// checkPresent refuses to begin a new log beside snapshots of an old one: what
// was committed after them would be lost without a word.
func (f *files) checkPresent() error {
	info, err := os.Stat(f.logPath)
	if err == nil && info.Size() > 0 {
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("open raft log: %w", err)
	}
	if found, err := os.ReadDir(f.snapPath); err == nil && len(found) > 0 {
		return damaged(f.logPath, "it is missing or empty, though there are snapshots")
	}
	return nil
}

func (f *files) openLog() (err error) {
	defer recoverDamage(f.logPath, &err)
	if err := checkLogFile(f.logPath); err != nil {
		return err
	}
	logs, err := raftboltdb.New(raftboltdb.Options{Path: f.logPath, BoltOptions: boltOptions()})
	if err != nil {
		return boltError(f.logPath, err)
	}
	f.logs, f.entries = logs, logs
	return nil
}

func boltOptions() *bbolt.Options {
	return &bbolt.Options{
		Timeout:      time.Second, // for the file lock
		FreelistType: bbolt.FreelistMapType,
		// Cutting the log back frees thousands of pages. Their list would be
		// written with every commit; it is found again when the file is opened.
		NoFreelistSync: true,
	}
}

func boltError(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("%w: %s is locked; is another node running with this data directory?", ErrInUse, path)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return damaged(path, err)
	default:
		return fmt.Errorf("open raft log %s: %w", path, err)
	}
}

// recoverDamage turns a panic into an error: bbolt panics, or faults, on pages
// that make no sense, and raft on an entry that can't be read.
func recoverDamage(path string, err *error) {
	if r := recover(); r != nil {
		*err = damaged(path, r)
	}
}

// checkLogFile walks the pages of the log before raft relies on them, where a
// fault can still become an error.
func checkLogFile(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil // a first start, or one that ended before the first page was written
	}
	if err != nil {
		return fmt.Errorf("open raft log: %w", err)
	}
	// The file is mapped into memory: reading past its end is a fault.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	options := boltOptions()
	options.ReadOnly = true
	db, err := bbolt.Open(path, 0o600, options)
	if err != nil {
		return boltError(path, err)
	}
	defer db.Close() //nolint:errcheck // read only
	return db.View(func(tx *bbolt.Tx) error {
		if size := tx.Size(); info.Size() < size {
			return damaged(path, fmt.Sprintf("the file has %d bytes of %d", info.Size(), size))
		}
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(_, _ []byte) error { return nil })
		})
	})
}

// checkComplete sees to it that the log follows on a snapshot, or on nothing.
func (f *files) checkComplete() error {
	first, err := f.logs.FirstIndex()
	if err != nil {
		return damaged(f.logPath, err)
	}
	found, err := f.snapshots.List()
	if err != nil {
		return fmt.Errorf("list raft snapshots in %s: %w", f.snapPath, err)
	}
	if first > 1 && (len(found) == 0 || found[0].Index+1 < first) {
		return damaged(f.snapPath, fmt.Sprintf("the log begins at index %d, but there is no snapshot of what was before it", first))
	}
	return nil
}

// snapshotStore offers raft, as a substitute for a damaged snapshot, only one
// that the log goes on from. raft itself would take any older one, and lose what
// came between.
type snapshotStore struct {
	raft.SnapshotStore
	logs   *raftboltdb.BoltStore
	failed error // why a snapshot could not be opened; raft only logs it
}

func (s *snapshotStore) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	meta, r, err := s.SnapshotStore.Open(id)
	if err != nil {
		s.failed = fmt.Errorf("snapshot %s: %w", id, err)
	}
	return meta, r, err
}

func (s *snapshotStore) List() ([]*raft.SnapshotMeta, error) {
	found, err := s.SnapshotStore.List()
	if err != nil || len(found) < 2 {
		return found, err
	}
	first, err := s.logs.FirstIndex()
	if err != nil {
		return nil, err
	}
	last, err := s.logs.LastIndex()
	if err != nil {
		return nil, err
	}
	kept := found[:1]
	for _, meta := range found[1:] {
		if first > 0 && first <= meta.Index+1 && last >= found[0].Index {
			kept = append(kept, meta)
		}
	}
	return kept, nil
}
