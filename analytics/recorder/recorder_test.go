package recorder

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/thejerf/suture/v4"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"tallygate/routing/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeSpool keeps batches by id as a stream with duplicate detection does. Its
// holes: before runs at the start of a publish, after once the batch is stored,
// both with the number of the attempt.
type fakeSpool struct {
	mu         sync.Mutex
	stored     map[string]bool
	batches    [][]*event.Event
	attempts   int
	unwritable error
	before     func(attempt int) error
	after      func(attempt int) error
}

func (s *fakeSpool) Publish(ctx context.Context, id string, payload []byte) (uint64, error) {
	s.mu.Lock()
	s.attempts++
	attempt, before, after := s.attempts, s.before, s.after
	s.mu.Unlock()
	if before != nil {
		if err := before(attempt); err != nil {
			return 0, err
		}
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	events, err := event.DecodeBatch(payload)
	if err != nil {
		panic(err)
	}
	s.mu.Lock()
	if s.stored == nil {
		s.stored = map[string]bool{}
	}
	if !s.stored[id] {
		s.stored[id] = true
		s.batches = append(s.batches, events)
	}
	s.mu.Unlock()
	if after != nil {
		return 0, after(attempt)
	}
	return 0, nil
}

func (s *fakeSpool) Writable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unwritable
}

func (s *fakeSpool) setUnwritable(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unwritable = err
}

func (s *fakeSpool) sizes() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sizes []int
	for _, b := range s.batches {
		sizes = append(sizes, len(b))
	}
	return sizes
}

// paths counts the stored events by path.
func (s *fakeSpool) paths() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	paths := map[string]int{}
	for _, b := range s.batches {
		for _, e := range b {
			paths[e.Path]++
		}
	}
	return paths
}

func start(t *testing.T, r *Recorder) {
	t.Helper()
	super := suture.New("test", suture.Spec{EventHook: func(suture.Event) {}})
	super.Add(r)
	ctx, cancel := context.WithCancel(context.Background())
	done := super.ServeBackground(ctx)
	t.Cleanup(func() { cancel(); <-done })
}

func named(path string) *event.Event { return &event.Event{Path: path} }

func record(r *Recorder, n int) {
	for i := range n {
		r.Record(named(fmt.Sprint(i)))
	}
}

func equal(a, b []int) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func TestRecordedEventsGoOutTogetherAfterTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spool := &fakeSpool{}
		r := New(Options{Spool: spool, Node: "n1", Region: "eu"})
		start(t, r)
		record(r, 3)
		time.Sleep(4 * time.Millisecond)
		synctest.Wait()
		if got := spool.sizes(); len(got) != 0 {
			t.Fatalf("published before the delay: %v", got)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if got := spool.sizes(); !equal(got, []int{3}) {
			t.Fatalf("batches of %v, want one of 3", got)
		}
		e := spool.batches[0][0]
		if e.Node != "n1" || e.Region != "eu" || e.Time.IsZero() || e.ID[6]>>4 != 7 {
			t.Errorf("not completed: %+v", e)
		}
		if got := r.Stats(); got != (Stats{Recorded: 3}) {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestAFullBatchGoesOutAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spool := &fakeSpool{}
		r := New(Options{Spool: spool})
		start(t, r)
		record(r, 256+10)
		synctest.Wait()
		if got := spool.sizes(); !equal(got, []int{256}) {
			t.Fatalf("batches of %v, want one of 256", got)
		}
		time.Sleep(5 * time.Millisecond)
		synctest.Wait()
		if got := spool.sizes(); !equal(got, []int{256, 10}) {
			t.Errorf("batches of %v", got)
		}
	})
}

func TestStoreGoesOutAtOnceAndCallersShareABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		spool := &fakeSpool{before: func(int) error { <-gate; return nil }}
		r := New(Options{Spool: spool})
		start(t, r)
		results := make(chan error, 21)
		store := func() { results <- r.Store(t.Context(), []*event.Event{named("x")}) }
		go store()
		synctest.Wait()
		for range 20 {
			go store()
		}
		record(r, 5)
		synctest.Wait()
		close(gate)
		synctest.Wait()
		if got := spool.sizes(); !equal(got, []int{1, 25}) {
			t.Fatalf("batches of %v, want the first caller alone and all others together", got)
		}
		for range 21 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestALargeStoreIsSplitAndAnsweredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spool := &fakeSpool{}
		r := New(Options{Spool: spool})
		start(t, r)
		events := make([]*event.Event, 1000)
		for i := range events {
			events[i] = named(fmt.Sprint(i))
		}
		if err := r.Store(t.Context(), events); err != nil {
			t.Fatal(err)
		}
		if got := len(spool.paths()); got != 1000 {
			t.Errorf("%d events stored, batches of %v", got, spool.sizes())
		}
		huge := named(string(make([]byte, event.MaxString)))
		if err := r.Store(t.Context(), []*event.Event{huge, huge, huge}); err != nil {
			t.Error(err)
		}
	})
}

func TestAFullMailboxDropsRecordsAndPushesBackOnCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		spool := &fakeSpool{before: func(int) error { <-gate; return nil }}
		r := New(Options{Spool: spool, MaxBytes: 1000, PublishTimeout: time.Hour})
		start(t, r)
		record(r, 100)
		got := r.Stats()
		if got.Dropped == 0 || got.Waiting == 0 || got.Dropped+int64(got.Waiting) != 100 {
			t.Fatalf("stats %+v", got)
		}
		begun := time.Now()
		err := r.Store(t.Context(), []*event.Event{named("late")})
		if !errors.Is(err, event.ErrUnavailable) || time.Since(begun) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		result := make(chan error)
		go func() { result <- r.Store(t.Context(), []*event.Event{named("patient")}) }()
		synctest.Wait()
		close(gate)
		if err := <-result; err != nil {
			t.Errorf("a caller that waited for room: %v", err)
		}
	})
}

func TestARetryCarriesTheBatchIDAndCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The first attempt is stored, but its acknowledgement is lost.
		spool := &fakeSpool{after: func(attempt int) error {
			if attempt == 1 {
				return errors.New("no answer")
			}
			return nil
		}}
		r := New(Options{Spool: spool})
		start(t, r)
		if err := r.Store(t.Context(), []*event.Event{named("x")}); err != nil {
			t.Error(err)
		}
		if spool.attempts != 2 || spool.paths()["x"] != 1 {
			t.Errorf("%d attempts, stored %v", spool.attempts, spool.paths())
		}
	})
}

func TestABrokenSpoolRefusesCallersAndKeepsRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("disk full")
		spool := &fakeSpool{}
		spool.before = func(attempt int) error {
			if attempt == 1 {
				spool.setUnwritable(broken) // under the eyes of a waiting caller
			}
			return spool.Writable()
		}
		r := New(Options{Spool: spool})
		start(t, r)
		record(r, 3)
		if err := r.Store(t.Context(), []*event.Event{named("caller")}); !errors.Is(err, event.ErrUnavailable) || !errors.Is(err, broken) {
			t.Errorf("waiting caller: %v", err)
		}
		begun := time.Now()
		if err := r.Store(t.Context(), []*event.Event{named("caller")}); !errors.Is(err, event.ErrUnavailable) || time.Since(begun) != 0 {
			t.Errorf("next caller: %v after %v", err, time.Since(begun))
		}
		time.Sleep(time.Minute)
		spool.setUnwritable(nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := spool.paths(); len(got) != 3 || got["caller"] != 0 {
			t.Errorf("after the repair: %v", got)
		}
		if got := r.Stats(); got != (Stats{Recorded: 3}) {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestAPublisherThatPanicsLosesNothing(t *testing.T) {
	for _, step := range []string{"publish", "published"} {
		t.Run("at "+step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				spool := &fakeSpool{}
				panics := 2
				r := New(Options{Spool: spool, Fault: func(at string) {
					if at == step && panics > 0 {
						panics--
						panic("test")
					}
				}})
				start(t, r)
				record(r, 10)
				if err := r.Store(t.Context(), []*event.Event{named("caller")}); err != nil {
					t.Error(err)
				}
				got := spool.paths()
				if len(got) != 11 || got["caller"] != 1 || got["0"] != 1 {
					t.Errorf("stored %v", got)
				}
			})
		})
	}
}

func TestABatchThatKillsEveryPublisherIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spool := &fakeSpool{before: func(attempt int) error {
			if attempt <= maxPanics {
				panic("test")
			}
			return nil
		}}
		r := New(Options{Spool: spool})
		start(t, r)
		record(r, 2)
		if err := r.Store(t.Context(), []*event.Event{named("caller")}); !errors.Is(err, event.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		if err := r.Store(t.Context(), []*event.Event{named("next")}); err != nil {
			t.Error(err)
		}
		if got := r.Stats(); got != (Stats{Recorded: 1, Dropped: 2}) {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestAStalledPublisherDelaysNobodyWhoRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		spool := &fakeSpool{}
		r := New(Options{Spool: spool, Fault: func(string) { <-gate }})
		start(t, r)
		begun := time.Now()
		record(r, 1000)
		synctest.Wait()
		if time.Since(begun) != 0 {
			t.Error("Record waited")
		}
		time.Sleep(time.Minute)
		close(gate)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := len(spool.paths()); got != 1000 {
			t.Errorf("%d of 1000 stored after the stall", got)
		}
	})
}

func TestFlushMakesAllDurableWithAndWithoutAPublisher(t *testing.T) {
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprintf("publisher running: %v", running), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				spool := &fakeSpool{}
				r := New(Options{Spool: spool})
				if running {
					start(t, r)
				}
				record(r, 600)
				if err := r.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := len(spool.paths()); got != 600 {
					t.Errorf("%d of 600 stored", got)
				}
				r.Close()
				record(r, 1)
				if err := r.Store(t.Context(), []*event.Event{named("x")}); !errors.Is(err, event.ErrUnavailable) {
					t.Errorf("Store after Close: %v", err)
				}
				if got := r.Stats(); got != (Stats{Recorded: 600, Dropped: 1}) {
					t.Errorf("stats %+v", got)
				}
			})
		})
	}
}

func TestFlushSurvivesPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spool := &fakeSpool{before: func(attempt int) error {
			if attempt < maxPanics {
				panic("test")
			}
			return nil
		}}
		r := New(Options{Spool: spool})
		record(r, 3)
		if err := r.Flush(t.Context()); err != nil || len(spool.paths()) != 3 {
			t.Errorf("%v, stored %v", err, spool.paths())
		}
	})
}

func TestFlushEndsWithItsContextWhenTheSpoolIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spool := &fakeSpool{before: func(int) error { return errors.New("stuck") }}
		r := New(Options{Spool: spool})
		record(r, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Flush(ctx); err == nil {
			t.Error("no error")
		}
		if got := r.Stats().Waiting; got != 1 {
			t.Errorf("%d events waiting", got)
		}
	})
}

// Whatever fails when: acknowledged ⊆ stored ⊆ attempted, and nothing twice.
func TestAcknowledgedIsStoredAndStoredIsAttempted(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(t *testing.T) {
			type fate struct{ before, after, panics bool }
			fates := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) fate {
				return fate{rapid.Bool().Draw(rt, "refused"), rapid.Bool().Draw(rt, "answer lost"), rapid.IntRange(0, 9).Draw(rt, "panics") == 0}
			}), 0, 30).Draw(rt, "fates")
			at := func(attempt int) fate {
				if attempt > len(fates) {
					return fate{}
				}
				return fates[attempt-1]
			}
			spool := &fakeSpool{}
			spool.before = func(attempt int) error {
				f := at(attempt)
				if f.panics {
					panic("test")
				}
				if f.before {
					return errors.New("refused")
				}
				return nil
			}
			spool.after = func(attempt int) error {
				if at(attempt).after {
					return errors.New("answer lost")
				}
				return nil
			}
			r := New(Options{Spool: spool, MaxBatch: 4, MaxBytes: 4000})
			start(t, r)
			var mu sync.Mutex
			acked, attempted := map[string]bool{}, map[string]bool{}
			var wg sync.WaitGroup
			for c, n := range rapid.SliceOfN(rapid.IntRange(1, 9), 1, 8).Draw(rt, "callers") {
				wg.Go(func() {
					for i := range n {
						name := fmt.Sprintf("%d/%d", c, i)
						mu.Lock()
						attempted[name] = true
						mu.Unlock()
						if i%3 == 2 {
							r.Record(named(name))
							continue
						}
						if r.Store(t.Context(), []*event.Event{named(name)}) == nil {
							mu.Lock()
							acked[name] = true
							mu.Unlock()
						}
					}
				})
			}
			wg.Wait()
			_ = r.Flush(t.Context())
			stored := spool.paths()
			for name := range acked {
				if stored[name] != 1 {
					rt.Errorf("%s acknowledged and stored %d times", name, stored[name])
				}
			}
			for name, n := range stored {
				if n != 1 || !attempted[name] {
					rt.Errorf("%s stored %d times", name, n)
				}
			}
			if got := r.Stats(); got.Waiting != 0 && len(fates) == 0 {
				rt.Errorf("stats %+v", got)
			}
		})
	})
}

func BenchmarkRecord(b *testing.B) {
	r := New(Options{Spool: &discard{}, Node: "n", Region: "r"})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = r.Serve(ctx) }()
	e := &event.Event{
		Time: time.Now(), Type: event.BinaryDownload, Owner: "acme", PackageID: "0189f7ea-ae2c-7809-8aeb-b819cf5e9e7f",
		Package: "rocket-skates", PackageType: "file", Domain: "acme.gateway.localhost",
		Path: "/files/1.2.3/linux/rocket-skates-linux-1.2.3.tar.gz", Version: "1.2.3", Platform: "linux", Arch: "amd64",
		Client: "curl", ClientVersion: "8.5.0", ClientClass: "client", UserAgent: "curl/8.5.0",
		Variables: []event.Variable{{Name: "platform", Value: "linux"}, {Name: "version", Value: "1.2.3"}},
		Countable: true, Status: 302, OriginHost: "downloads.example.com", Node: "n", Region: "r",
	}
	e.ID = event.NewID(e.Time)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.Record(e)
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(r.Stats().Dropped)/float64(b.N), "dropped/op")
	cancel()
	<-done
}

type discard struct{}

func (*discard) Publish(context.Context, string, []byte) (uint64, error) { return 0, nil }
func (*discard) Writable() error                                         { return nil }
