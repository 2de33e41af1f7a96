package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/thejerf/suture/v4"
)

func open(t *testing.T, o Options) *Spool {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Node == "" {
		o.Node = "n1"
	}
	if o.MinFree == 0 {
		o.MinFree = 1
	}
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func serve(t *testing.T, s *Spool) {
	t.Helper()
	super := suture.New("test", suture.Spec{EventHook: func(suture.Event) {}, FailureBackoff: 100 * time.Millisecond})
	super.Add(s)
	ctx, cancel := context.WithCancel(context.Background())
	done := super.ServeBackground(ctx)
	t.Cleanup(func() { cancel(); <-done })
}

func publish(t *testing.T, s *Spool, id string, size int) (uint64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return s.Publish(ctx, id, make([]byte, size))
}

func mustPublish(t *testing.T, s *Spool, id string) uint64 {
	t.Helper()
	sequence, err := publish(t, s, id, 100)
	if err != nil {
		t.Fatalf("publish %s: %v", id, err)
	}
	return sequence
}

// until waits for a condition; the deadline is only there to end a broken test.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not reached: %s", what)
		}
	}
}

func segments(t *testing.T, s *Spool) []Segment {
	t.Helper()
	stream, err := s.running.Load().js.Stream(t.Context(), s.stream)
	if err != nil {
		t.Fatal(err)
	}
	list, err := Segments(stream.CachedInfo().Config.Metadata)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestEachStartBeginsANewIncarnationAtTheNextSequence(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	first := s.Status().Incarnation
	mustPublish(t, s, "a")
	mustPublish(t, s, "b")
	s.Close(t.Context())
	if _, err := publish(t, s, "c", 1); !errors.Is(err, ErrClosed) {
		t.Errorf("publish after Close: %v", err)
	}

	open(t, Options{Dir: dir}).Close(t.Context()) // writes nothing
	s = open(t, Options{Dir: dir})
	if got := mustPublish(t, s, "b"); got != 2 {
		t.Errorf("a batch repeated after a restart got sequence %d, want its first, 2", got)
	}
	if got := mustPublish(t, s, "c"); got != 3 {
		t.Errorf("next sequence %d, want 3", got)
	}
	want := []Segment{{first, 1}, {s.Status().Incarnation, 3}}
	if got := segments(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("segments %v, want %v", got, want)
	}
	msg, err := mustStream(t, s).GetMsg(t.Context(), 3)
	if err != nil || IncarnationOf(msg.Header) != s.Status().Incarnation {
		t.Errorf("message carries %q, %v", IncarnationOf(msg.Header), err)
	}
}

func mustStream(t *testing.T, s *Spool) jetstream.Stream {
	t.Helper()
	stream, err := s.running.Load().js.Stream(t.Context(), s.stream)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func TestABatchRepeatedAfterTheDuplicateWindowCountsOnce(t *testing.T) {
	s := open(t, Options{})
	mustPublish(t, s, "before")
	want := mustPublish(t, s, "x")
	// As if the answer had been lost and two minutes had gone by: the server
	// no longer knows the id.
	s.mu.Lock()
	s.uncertain = "x"
	s.mu.Unlock()
	config := mustStream(t, s).CachedInfo().Config
	config.Duplicates = 100 * time.Millisecond
	if _, err := s.running.Load().js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if got := mustPublish(t, s, "x"); got != want {
		t.Errorf("sequence %d, want %d", got, want)
	}
	if got := mustPublish(t, s, "y"); got != want+1 {
		t.Errorf("next sequence %d, want %d", got, want+1)
	}
}

func TestASecondOpenOnTheSameFilesFails(t *testing.T) {
	dir := t.TempDir()
	open(t, Options{Dir: dir})
	if _, err := Open(Options{Dir: dir, Node: "n1"}); err == nil {
		t.Error("opened twice")
	}
	for _, node := range []string{"", "a.b", "a b", "a/b", "*"} {
		if _, err := Open(Options{Dir: t.TempDir(), Node: node}); err == nil {
			t.Errorf("node id %q accepted", node)
		}
	}
}

func TestAFullStreamRefusesUntilReadersHaveTaken(t *testing.T) {
	s := open(t, Options{MaxBytes: 4 << 20})
	serve(t, s)
	n := 0
	until(t, "the stream is full", func() bool {
		if _, err := publish(t, s, uuid.NewString(), 100<<10); err == nil {
			n++
			return false
		}
		return errors.Is(s.Writable(), ErrFull)
	})
	if s.Pending() != uint64(n) {
		t.Errorf("pending %d, want %d", s.Pending(), n)
	}
	s.Taken("near", uint64(n))
	s.Taken("far", 3)
	until(t, "what both have taken is gone", func() bool { return s.Status().First == 4 })
	s.Taken("far", uint64(n))
	until(t, "writable again", func() bool { return s.Writable() == nil })
	mustPublish(t, s, "next")
	if st := s.Status(); st.First >= uint64(n) || st.Pending != 1 {
		t.Errorf("purged all, or miscounted: %+v", st)
	}
}

func TestAServerThatLosesItsStreamIsStartedAgain(t *testing.T) {
	s := open(t, Options{})
	serve(t, s)
	mustPublish(t, s, "a")
	before := s.Status().Incarnation
	// What the server does to itself when a write fails.
	if err := s.running.Load().server.ShutdownJetStream(); err != nil {
		t.Fatal(err)
	}
	if _, err := publish(t, s, "b", 10); err == nil {
		t.Fatal("published without JetStream")
	}
	until(t, "works again", func() bool { return s.Writable() == nil && s.Status().Incarnation != before })
	if got := mustPublish(t, s, "b"); got != 2 {
		t.Errorf("sequence %d, want 2", got)
	}
}

func TestThePartThatWatchesMayPanicAndStall(t *testing.T) {
	steps := make(chan func(), 2)
	s := open(t, Options{Fault: func(string) {
		select {
		case f := <-steps:
			f()
		default:
		}
	}})
	serve(t, s)
	stalled, gate := make(chan struct{}), make(chan struct{})
	steps <- func() { panic("test") }
	steps <- func() { close(stalled); <-gate }
	signal(s.check)
	<-stalled // after the restart
	mustPublish(t, s, "meanwhile")
	close(gate)
	until(t, "checks again", func() bool { return s.Status().Messages == 1 })
}

func TestDamagedFilesDoNotStopThePublisher(t *testing.T) {
	damages := map[string]func(t *testing.T, path string){
		"cut short":   func(t *testing.T, path string) { truncate(t, path) },
		"overwritten": func(t *testing.T, path string) { write(t, path, strings.Repeat("garbage ", 200)) },
		"removed":     func(t *testing.T, path string) { remove(t, path) },
	}
	files := []string{"meta.inf", "meta.sum", "msgs/1.blk", "msgs/index.db"}
	for name, damage := range damages {
		for _, file := range files {
			t.Run(strings.ReplaceAll(file, "/", " ")+" "+name, func(t *testing.T) {
				dir := t.TempDir()
				s := open(t, Options{Dir: dir})
				for i := range 20 {
					mustPublish(t, s, fmt.Sprint(i))
				}
				before := s.Status().Incarnation
				s.Close(t.Context())
				found, err := filepath.Glob(filepath.Join(dir, "nats/jetstream/*/streams/*/", file))
				if err != nil || len(found) != 1 {
					t.Fatalf("%v, %v", found, err)
				}
				damage(t, found[0])

				s = open(t, Options{Dir: dir})
				serve(t, s)
				until(t, "writable", func() bool { return s.Writable() == nil })
				sequence := mustPublish(t, s, "next")
				last := segments(t, s)[len(segments(t, s))-1]
				if last.Incarnation == before || last.First > sequence {
					t.Errorf("sequence %d in %v, before %s", sequence, last, before)
				}
			})
		}
	}
}

func truncate(t *testing.T, path string) {
	t.Helper()
	st, err := os.Stat(path)
	if err == nil {
		err = os.Truncate(path, st.Size()/2)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func TestAFullDiskRefusesAndAFreedOneAllowsAgain(t *testing.T) {
	for name, minFree := range map[string]int64{"stopped before": 4 << 20, "hit by the server": 1} {
		t.Run(name, func(t *testing.T) {
			dir := smallDisk(t, "24m")
			s := open(t, Options{Dir: filepath.Join(dir, "spool"), MinFree: minFree})
			serve(t, s)
			acked := map[uint64]string{}
			until(t, "full", func() bool {
				id := uuid.NewString()
				sequence, err := publish(t, s, id, 200<<10)
				if err != nil {
					return s.Writable() != nil
				}
				acked[sequence] = id
				return false
			})
			if !errors.Is(s.Writable(), ErrFull) && minFree > 1 {
				t.Errorf("writable: %v", s.Writable())
			}
			if err := exec.Command("mount", "-o", "remount,size=96m", dir).Run(); err != nil {
				t.Fatal(err)
			}
			until(t, "writable after more room", func() bool {
				if s.Writable() != nil {
					return false
				}
				id := uuid.NewString()
				sequence, err := publish(t, s, id, 1000)
				if err == nil {
					acked[sequence] = id
				}
				return err == nil
			})
			for sequence, id := range acked {
				msg, err := mustStream(t, s).GetMsg(t.Context(), sequence)
				if err != nil || msg.Header.Get(jetstream.MsgIDHeader) != id {
					t.Errorf("acknowledged %d lost: %v", sequence, err)
				}
			}
			t.Logf("%d batches acknowledged, all there", len(acked))
		})
	}
}

// smallDisk mounts a file system of that size.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk needs the right to mount: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Logf("umount: %s", out)
		}
	})
	return dir
}

func TestSegmentsFollowTheStream(t *testing.T) {
	const a, b, c = "0189f7ea-ae2c-4809-8aeb-b819cf5e9e7a", "0189f7ea-ae2c-4809-8aeb-b819cf5e9e7b", "0189f7ea-ae2c-4809-8aeb-b819cf5e9e7c"
	tests := map[string]struct {
		segments    []Segment
		first, last uint64
		want        []Segment
	}{
		"a new stream":                           {nil, 0, 0, []Segment{{c, 1}}},
		"messages since the last start":          {[]Segment{{a, 1}}, 1, 9, []Segment{{a, 1}, {c, 10}}},
		"no message since the last start":        {[]Segment{{a, 1}, {b, 10}}, 1, 9, []Segment{{a, 1}, {c, 10}}},
		"the tail is lost":                       {[]Segment{{a, 1}, {b, 10}}, 1, 7, []Segment{{a, 1}, {c, 8}}},
		"the disk is lost":                       {[]Segment{{a, 1}, {b, 10}}, 0, 0, []Segment{{c, 1}}},
		"the oldest messages are gone":           {[]Segment{{a, 1}, {b, 10}}, 12, 20, []Segment{{b, 10}, {c, 21}}},
		"all messages are gone":                  {[]Segment{{a, 1}, {b, 10}}, 21, 20, []Segment{{c, 21}}},
		"the metadata is lost, the messages not": {nil, 5, 20, []Segment{{c, 21}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := advance(test.segments, jetstream.StreamState{FirstSeq: test.first, LastSeq: test.last}, c)
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			again, err := Segments(map[string]string{segmentsKey: formatSegments(got)})
			if err != nil || fmt.Sprint(again) != fmt.Sprint(got) {
				t.Errorf("read back %v, %v", again, err)
			}
		})
	}
	for _, bad := range []string{"", "x", a, a + ":0", a + ":x", a + ":5," + b + ":5", "x:1"} {
		if got, err := Segments(map[string]string{segmentsKey: bad}); err == nil {
			t.Errorf("%q: got %v", bad, got)
		}
	}
}

func TestSyncIsAlwaysOrAnInterval(t *testing.T) {
	for text, want := range map[string]Sync{"": {}, "always": {Always: true}, "10s": {Interval: 10 * time.Second}} {
		if got, err := ParseSync(text); err != nil || got != want {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"never", "10", "1ms", "-5s"} {
		if got, err := ParseSync(text); err == nil {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	for name, sync := range map[string]Sync{"default": {}, "always": {Always: true}} {
		b.Run(name, func(b *testing.B) {
			s, err := Open(Options{Dir: b.TempDir(), Node: "n1", Sync: sync})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close(context.Background())
			payload := make([]byte, 256*330)
			i := 0
			for b.Loop() {
				i++
				if _, err := s.Publish(context.Background(), fmt.Sprint(i), payload); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(256*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
