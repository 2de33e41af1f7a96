package catalog

import (
	"bytes"
	"errors"
	"testing"
	"testing/iotest"
)

func restored(t *testing.T, s *Store) *Store {
	t.Helper()
	other := NewStore()
	if err := other.Restore(bytes.NewReader(snapshotOf(t, s))); err != nil {
		t.Fatal(err)
	}
	return other
}

func TestASnapshotRestoresEverything(t *testing.T) {
	s := NewStore()
	mustApply(t, s, everything()...)
	mustApply(t, s, put(pkg("acme", "other")))
	other := restored(t, s)
	if a, b := s.View(), other.View(); a.Version() != b.Version() || a.Digest() != b.Digest() || a.counts != b.counts {
		t.Errorf("version %d digest %x, restored version %d digest %x", a.Version(), a.Digest(), b.Version(), b.Digest())
	}
	if !bytes.Equal(snapshotOf(t, s), snapshotOf(t, other)) {
		t.Error("a snapshot of the restored state differs")
	}
	r, changes := other.Apply(command("command-1", everything()...))
	if r.Version != 1 || r.Err() != nil || changes != nil {
		t.Errorf("a command applied before the snapshot is not recognised: %+v", r)
	}
	// And both go on alike.
	mustApply(t, s, remove(KindPackage, "package-acme-rocket"))
	mustApply(t, other, remove(KindPackage, "package-acme-rocket"))
	if s.View().Digest() != other.View().Digest() || !bytes.Equal(snapshotOf(t, s), snapshotOf(t, other)) {
		t.Error("the restored state goes on differently")
	}
}

func TestAnEmptyCatalogHasASnapshotToo(t *testing.T) {
	if v := restored(t, NewStore()).View(); v.Version() != 0 {
		t.Error(v.Version())
	}
}

func TestADamagedSnapshotLeavesTheStateAsItWas(t *testing.T) {
	source := NewStore()
	mustApply(t, source, org("acme"), user("robot"), put(pkg("acme", "rocket")))
	whole := snapshotOf(t, source)
	s := NewStore()
	mustApply(t, s, org("kept"))
	before := s.View()
	check := func(what string, at int, b []byte) {
		t.Helper()
		err := s.Restore(bytes.NewReader(b))
		if !errors.Is(err, ErrSnapshotDamaged) && !errors.Is(err, ErrSnapshotFormat) {
			t.Fatalf("%s at byte %d: %v", what, at, err)
		}
		if s.View() != before {
			t.Fatalf("%s at byte %d: the state changed", what, at)
		}
	}
	for i := range whole {
		check("cut", i, whole[:i])
		for _, bit := range []byte{1, 0x80} {
			b := bytes.Clone(whole)
			b[i] ^= bit
			check("flip", i, b)
		}
	}
}

func TestASnapshotOfANewerFormatIsNamedSo(t *testing.T) {
	b := snapshotOf(t, NewStore())
	b[len(snapshotMagic)] = snapshotFormat + 1
	if err := NewStore().Restore(bytes.NewReader(b)); !errors.Is(err, ErrSnapshotFormat) {
		t.Error(err)
	}
}

func TestErrorsOfTheStreamArePassedOn(t *testing.T) {
	broken := errors.New("broken disk")
	s := NewStore()
	mustApply(t, s, everything()...)
	if err := NewStore().Restore(iotest.ErrReader(broken)); !errors.Is(err, broken) || errors.Is(err, ErrSnapshotDamaged) {
		t.Error(err)
	}
	if err := s.WriteSnapshot(failingWriter{broken}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := NewStore().Restore(iotest.OneByteReader(bytes.NewReader(snapshotOf(t, s)))); err != nil {
		t.Error(err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
