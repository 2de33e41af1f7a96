package consensus

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tallygate/cluster/catalog"
)

// used is a data directory with a log and, if wanted, snapshots.
func used(t *testing.T, snapshots int) (dir, digest string) {
	t.Helper()
	dir = t.TempDir()
	c := open(t, dir)
	n := 0
	for range snapshots + 1 {
		for range 20 {
			n++
			propose(t, c, organization(n))
		}
		if n/20 <= snapshots {
			if err := c.raft.Snapshot().Error(); err != nil {
				t.Fatal(err)
			}
		}
	}
	digest = c.Status().Digest
	closed(t, c)
	return dir, digest
}

// snapshotDirs are the snapshots, oldest first.
func snapshotDirs(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "raft", "snapshots", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// spoil changes one byte in the middle of a file.
func spoil(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDamageIsNamedWithItsFileAndAWayOut(t *testing.T) {
	log := func(dir string) string { return filepath.Join(dir, "raft", "log.db") }
	for name, tc := range map[string]struct {
		snapshots int
		damage    func(t *testing.T, dir string)
		file      string
	}{
		"a log that is something else": {0, func(t *testing.T, dir string) {
			if err := os.WriteFile(log(dir), bytes.Repeat([]byte("nonsense"), 4096), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "log.db"},
		"a log cut short": {0, func(t *testing.T, dir string) {
			if err := os.Truncate(log(dir), 3*4096); err != nil {
				t.Fatal(err)
			}
		}, "log.db"},
		"a log cut within its first page": {0, func(t *testing.T, dir string) {
			if err := os.Truncate(log(dir), 100); err != nil {
				t.Fatal(err)
			}
		}, "log.db"},
		"a log with pages of zeros": {0, func(t *testing.T, dir string) {
			b, err := os.ReadFile(log(dir))
			if err != nil {
				t.Fatal(err)
			}
			clear(b[2*4096:])
			if err := os.WriteFile(log(dir), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "log.db"},
		"a log that is gone, beside its snapshots": {1, func(t *testing.T, dir string) {
			if err := os.Remove(log(dir)); err != nil {
				t.Fatal(err)
			}
		}, "log.db"},
		"an empty log beside its snapshots": {1, func(t *testing.T, dir string) {
			if err := os.Truncate(log(dir), 0); err != nil {
				t.Fatal(err)
			}
		}, "log.db"},
		"the only snapshot spoilt": {1, func(t *testing.T, dir string) {
			spoil(t, filepath.Join(snapshotDirs(t, dir)[0], "state.bin"))
		}, "snapshots"},
		"both snapshots spoilt": {2, func(t *testing.T, dir string) {
			for _, s := range snapshotDirs(t, dir) {
				spoil(t, filepath.Join(s, "state.bin"))
			}
		}, "snapshots"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := used(t, tc.snapshots)
			tc.damage(t, dir)
			c, err := Open(options(dir))
			if err == nil {
				closed(t, c)
				t.Fatal("opened")
			}
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			for _, part := range []string{dir, tc.file, "restore the node from a backup"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q doesn't say %q", err, part)
				}
			}
		})
	}
}

func TestASpoiltSnapshotIsReplacedByTheOneBeforeIt(t *testing.T) {
	dir, digest := used(t, 2)
	dirs := snapshotDirs(t, dir)
	spoil(t, filepath.Join(dirs[1], "state.bin"))
	if got := open(t, dir).Status().Digest; got != digest {
		t.Errorf("digest %s, was %s", got, digest)
	}
}

func TestAnOlderSnapshotThatTheLogDoesNotFollowIsNoReplacement(t *testing.T) {
	dir, _ := used(t, 2)
	files, err := openFiles(dir, discard())
	if err != nil {
		t.Fatal(err)
	}
	found, err := files.snapshots.List()
	if err != nil || len(found) != 2 {
		t.Fatal(found, err)
	}
	if err := files.logs.DeleteRange(1, found[1].Index+5); err != nil {
		t.Fatal(err)
	}
	if found, err = files.snapshots.List(); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	if err := files.logs.Close(); err != nil {
		t.Fatal(err)
	}
	spoil(t, filepath.Join(snapshotDirs(t, dir)[1], "state.bin"))
	if _, err := Open(options(dir)); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

func TestALogWithoutItsSnapshotsIsDamaged(t *testing.T) {
	dir, _ := used(t, 1)
	files, err := openFiles(dir, discard())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(files.logs.DeleteRange(1, 10), files.logs.Close(), os.RemoveAll(filepath.Join(dir, "raft", "snapshots"))); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(options(dir)); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

func TestASnapshotOfANewerBuildIsNotCalledDamaged(t *testing.T) {
	dir, _ := used(t, 1)
	files, err := openFiles(dir, discard())
	if err != nil {
		t.Fatal(err)
	}
	found, err := files.snapshots.List()
	if err != nil {
		t.Fatal(err)
	}
	var newer bytes.Buffer
	if err := catalog.NewStore().WriteSnapshot(&newer); err != nil {
		t.Fatal(err)
	}
	newer.Bytes()[len("tgcatlog")] = 200 // the format
	for i, meta := range found {
		sink, err := files.snapshots.Create(meta.Version, meta.Index+uint64(i)+1, meta.Term, meta.Configuration, meta.ConfigurationIndex, newLoopback("node-1"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sink.Write(newer.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(files.logs.DeleteRange(1, found[0].Index+1), files.logs.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err = Open(options(dir)); !errors.Is(err, catalog.ErrSnapshotFormat) || errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

func TestTwoNodesDoNotShareADirectory(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	if _, err := Open(options(dir)); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "log.db") {
		t.Error(err)
	}
}

func TestAnotherNodesFilesAreNotTaken(t *testing.T) {
	dir, _ := used(t, 0)
	if _, err := Open(options(dir, func(o *Options) { o.NodeID = "node-2" })); !errors.Is(err, ErrOtherNode) {
		t.Error(err)
	}
}
