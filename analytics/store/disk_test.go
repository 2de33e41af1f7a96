package store

import (
	"errors"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"tallygate/routing/event"
)

// A disk that fills up in the middle of writing: each write is either whole or
// nothing, and after more room came all of them go through, once.
func TestAFullDiskFailsWholeWritesAndAFreedOneTakesThem(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk needs the right to mount: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Logf("umount: %s", out)
		}
	})
	s := open(t, Options{Dir: dir})
	batch := func(sequence uint64) Message {
		var events []*event.Event
		for i := range 2000 {
			e := pullOf(fmt.Sprint(i%7), byte(i), time.Now())
			e.Path = fmt.Sprintf("/%x/%x/%x", e.ID, i*7919, sequence) // doesn't compress
			events = append(events, e)
		}
		return message(sequence, events...)
	}
	var failed error
	sequence := uint64(0)
	for failed == nil && sequence < 1000 {
		sequence++
		_, failed = s.Write(t.Context(), []Message{batch(sequence)})
	}
	if failed == nil {
		t.Fatal("the disk was never full")
	}
	t.Logf("write %d failed: %v", sequence, failed)
	if _, err := s.Write(t.Context(), []Message{batch(sequence)}); err == nil {
		t.Log("a second attempt found room")
	}
	if out, err := exec.Command("mount", "-o", "remount,size=256m", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		if _, failed = s.Write(t.Context(), []Message{batch(sequence)}); failed == nil || time.Now().After(deadline) {
			break
		}
	}
	if failed != nil {
		t.Fatal(failed)
	}
	mustWrite(t, s, batch(sequence+1))
	want := fmt.Sprintf("%d,%d", (sequence+1)*2000, sequence+1)
	check := func(s *Store) {
		t.Helper()
		if got := query(t, s, `SELECT count(*), count(DISTINCT sequence) FROM events_raw`); got != want {
			t.Errorf("rows and messages %s, want %s", got, want)
		}
	}
	check(s)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(open(t, Options{Dir: dir}))
}

func TestAStoreThatCannotBeOpenedYetOpensLater(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk needs the right to mount: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Logf("umount: %s", out)
		}
	})
	s := open(t, Options{Dir: dir})
	if err := s.Err(); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("on a disk without room: %v", err)
	}
	if _, err := s.QueryContext(t.Context(), "SELECT 1"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("query: %v", err)
	}
	if _, err := s.Write(t.Context(), []Message{message(1, anything())}); err == nil {
		t.Error("written")
	}
	if out, err := exec.Command("mount", "-o", "remount,size=64m", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	mustWrite(t, s, message(1, anything()))
	if err := s.Err(); err != nil {
		t.Error(err)
	}
}
