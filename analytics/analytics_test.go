package analytics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/thejerf/suture/v4"

	"tallygate/analytics/report"
	"tallygate/analytics/spool"
	"tallygate/routing/event"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir)
		return
	}
	os.Exit(m.Run())
}

// node is an Analytics with its parts under a supervisor.
type node struct {
	*Analytics
	t    testing.TB
	stop func()
}

func start(t testing.TB, o Options) *node {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.NodeID, o.NodeName, o.Region = "id1", "edge-1", "eu"
	if o.MinFree == 0 {
		o.MinFree = 1
	}
	o.Store = true
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	a, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	super := suture.New("test", suture.Spec{EventHook: func(suture.Event) {}, FailureBackoff: 50 * time.Millisecond})
	for _, s := range a.Services() {
		super.Add(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := super.ServeBackground(ctx)
	var once sync.Once
	n := &node{Analytics: a, t: t}
	n.stop = func() {
		once.Do(func() {
			ctx, end := context.WithTimeout(context.Background(), 20*time.Second)
			defer end()
			if err := a.recorder.Flush(ctx); err != nil {
				t.Logf("flush: %v", err)
			}
			cancel()
			<-done
			if err := a.Close(ctx); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	t.Cleanup(n.stop)
	return n
}

func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not reached: %s", what)
		}
	}
}

// stored waits until everything spooled is stored.
func (n *node) stored() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := n.recorder.Flush(ctx); err != nil {
		n.t.Fatal(err)
	}
	until(n.t, "all spooled events stored", func() bool {
		return n.spool.Writable() == nil && n.readers[0].Status().Sequence >= n.spool.Status().Last
	})
}

func (n *node) query(query string) string {
	n.t.Helper()
	var out string
	rows, err := n.store.QueryContext(context.Background(), query)
	if err != nil {
		n.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&out); err != nil {
			n.t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		n.t.Fatal(err)
	}
	return out
}

// paths counts the rows by path.
func (n *node) paths() map[string]int {
	n.t.Helper()
	rows, err := n.store.QueryContext(context.Background(), `SELECT path, count(*) FROM events GROUP BY path`)
	if err != nil {
		n.t.Fatal(err)
	}
	defer rows.Close()
	paths := map[string]int{}
	for rows.Next() {
		var path string
		var count int
		if err := rows.Scan(&path, &count); err != nil {
			n.t.Fatal(err)
		}
		paths[path] = count
	}
	return paths
}

func (n *node) put(path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return n.Recorder().Store(ctx, []*event.Event{{Type: event.Custom, Owner: "acme", PackageID: "p1", Path: path, Countable: true, Status: 200}})
}

func (n *node) mustPut(path string) {
	n.t.Helper()
	if err := n.put(path); err != nil {
		n.t.Fatal(err)
	}
}

func TestAnEventBecomesARow(t *testing.T) {
	n := start(t, Options{})
	feed, cancel := n.Subscribe()
	n.Recorder().Record(&event.Event{Type: event.BinaryDownload, Owner: "acme", Path: "/recorded", Countable: true, Status: 302})
	n.mustPut("/stored")
	seen := map[string]report.Latest{}
	for len(seen) < 2 {
		l := <-feed
		seen[l.Path] = l
	}
	if l := seen["/recorded"]; !l.Counted || l.Owner != "acme" || l.Status != 302 || l.ID == "" || time.Since(l.Time) > time.Minute {
		t.Errorf("watched %+v", l)
	}
	cancel()
	cancel()
	if _, open := <-feed; open {
		t.Error("the feed goes on after cancel")
	}
	n.stored()
	if got := n.query(`SELECT string_agg(path || ' ' || node || ' ' || region || ' ' || counted, '; ' ORDER BY path) FROM events`); got != "/recorded edge-1 eu true; /stored edge-1 eu true" {
		t.Errorf("rows: %s", got)
	}
	st := n.Status(t.Context())
	if st.Recorder.Recorded != 2 || st.Store.Events != 2 || st.Streams[0].Events != 2 || st.Streams[0].Error != "" || st.Spool.Error != "" || st.Spool.Incarnation == "" {
		t.Errorf("status %+v", st)
	}
	if err := n.Ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
}

func TestANodeWithoutAStoreRecordsOnly(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(Options{Dir: dir, NodeID: "id1", MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	a.Recorder().Record(&event.Event{Path: "/x"})
	if _, err := a.Reports().Totals(t.Context(), report.Query{}); !errors.Is(err, report.ErrDisabled) {
		t.Errorf("reports: %v", err)
	}
	if a.Status(t.Context()).Store != nil || a.Ready() != nil || len(a.Services()) != 3 {
		t.Errorf("status %+v, ready %v", a.Status(t.Context()), a.Ready())
	}
	if err := a.Close(t.Context()); err != nil { // flushes without a supervisor
		t.Fatal(err)
	}
	n := start(t, Options{Dir: dir})
	n.stored()
	if n.paths()["/x"] != 1 {
		t.Errorf("rows %v", n.paths())
	}
}

func TestWrongOptionsAreAnError(t *testing.T) {
	for name, o := range map[string]Options{
		"no node id":         {Dir: t.TempDir()},
		"spool sync unknown": {Dir: t.TempDir(), NodeID: "n", SpoolSync: "sometimes"},
	} {
		if a, err := Open(o); err == nil {
			t.Errorf("%s: accepted", name)
			_ = a.Close(t.Context())
		}
	}
}

// Every part in turn panics, and stalls; meanwhile recording goes on, and
// nothing acknowledged is lost or counted twice.
func TestEachPartMayPanicOrStall(t *testing.T) {
	steps := []string{
		"spool check", "recorder publish", "recorder published",
		"ingest session", "ingest write", "ingest wrote",
		"store begun", "store written", "store committed", "store maintain",
	}
	for _, step := range steps {
		for _, way := range []string{"panics", "stalls"} {
			t.Run(step+" "+way, func(t *testing.T) {
				var mu sync.Mutex
				armed := step == "ingest session" // passed once, at the start
				hit, gate := make(chan struct{}), make(chan struct{})
				n := start(t, Options{Fault: func(at string) {
					mu.Lock()
					now := armed && at == step
					if now {
						armed = false
					}
					mu.Unlock()
					if !now {
						return
					}
					close(hit)
					if way == "panics" {
						panic("test")
					}
					<-gate
				}})
				if step != "ingest session" {
					n.mustPut("/before")
					n.stored()
					mu.Lock()
					armed = true
					mu.Unlock()
				}
				want := map[string]bool{}
				var wg sync.WaitGroup
				var acked sync.Map
				for i := range 20 {
					path := fmt.Sprintf("/%d", i)
					wg.Go(func() {
						if n.put(path) == nil {
							acked.Store(path, true)
						}
					})
				}
				<-hit
				// Must return although the part hangs.
				for i := range 100 {
					path := fmt.Sprintf("/record/%d", i)
					n.Recorder().Record(&event.Event{Path: path})
					want[path] = true
				}
				close(gate)
				wg.Wait()
				acked.Range(func(k, _ any) bool { want[k.(string)] = true; return true })
				n.stored()
				got := n.paths()
				for path := range want {
					if got[path] != 1 {
						t.Errorf("%s stored %d times", path, got[path])
					}
				}
				for path, times := range got {
					if times != 1 {
						t.Errorf("%s stored %d times", path, times)
					}
				}
				if len(want) < 120 {
					t.Errorf("only %d of 120 acknowledged or recorded", len(want))
				}
			})
		}
	}
}

func TestNoNewEventHidesBehindOldSequences(t *testing.T) {
	losses := map[string]func(t *testing.T, dir, before string){
		"the tail of the stream is lost": func(t *testing.T, dir, before string) {
			if err := os.RemoveAll(dir + "/spool"); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(dir+"/spool", os.DirFS(before)); err != nil {
				t.Fatal(err)
			}
		},
		"the disk of the stream is lost": func(t *testing.T, dir, _ string) {
			if err := os.RemoveAll(dir + "/spool"); err != nil {
				t.Fatal(err)
			}
		},
		"nothing is lost": func(*testing.T, string, string) {},
	}
	for name, lose := range losses {
		t.Run(name, func(t *testing.T) {
			dir, before := t.TempDir(), t.TempDir()+"/copy"
			n := start(t, Options{Dir: dir})
			for i := range 5 {
				n.mustPut(fmt.Sprintf("/first/%d", i))
			}
			n.stored()
			n.stop()
			if err := os.CopyFS(before, os.DirFS(dir+"/spool")); err != nil {
				t.Fatal(err)
			}
			n = start(t, Options{Dir: dir})
			for i := range 50 {
				n.mustPut(fmt.Sprintf("/second/%d", i))
			}
			n.stored()
			n.stop()
			lose(t, dir, before)
			n = start(t, Options{Dir: dir})
			for i := range 50 {
				n.mustPut(fmt.Sprintf("/third/%d", i))
			}
			n.stored()
			got := n.paths()
			if len(got) != 105 {
				t.Errorf("%d paths, want 105", len(got))
			}
			for path, times := range got {
				if times != 1 {
					t.Errorf("%s stored %d times", path, times)
				}
			}
			if lost := n.readers[0].Status().Lost; lost != 0 {
				t.Errorf("%d counted as lost", lost)
			}
		})
	}
}

func TestMissingMessagesAreCountedAndReadingGoesOn(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(Options{Dir: dir, NodeID: "id1", MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if _, err := a.spool.Publish(t.Context(), fmt.Sprint(i), event.AppendBatch(nil, []*event.Event{{Path: fmt.Sprintf("/%d", i)}})); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := a.spool.Connect("test")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), spool.StreamName("id1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, sequence := range []uint64{4, 5, 8} {
		if err := stream.DeleteMsg(t.Context(), sequence); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := start(t, Options{Dir: dir})
	n.stored()
	n.mustPut("/after")
	n.stored()
	if got := n.paths(); len(got) != 8 || got["/after"] != 1 || got["/8"] != 1 {
		t.Errorf("rows %v", got)
	}
	if lost := n.Status(t.Context()).Streams[0].Lost; lost != 3 {
		t.Errorf("%d counted as lost, want 3", lost)
	}
}

func TestAMessageThatIsNoBatchIsPutAside(t *testing.T) {
	n := start(t, Options{})
	n.mustPut("/before")
	if _, err := n.spool.Publish(t.Context(), "x", []byte("garbage")); err != nil {
		t.Fatal(err)
	}
	n.mustPut("/after")
	n.stored()
	if got := n.query(`SELECT payload::VARCHAR FROM unreadable`); got != "garbage" {
		t.Errorf("put aside: %s", got)
	}
	if got := n.paths(); len(got) != 2 {
		t.Errorf("rows %v", got)
	}
	if st := n.Status(t.Context()).Streams[0]; st.Unreadable != 1 || st.Lost != 0 {
		t.Errorf("status %+v", st)
	}
}

// Freshness is measured, not asserted: the machine is shared.
func TestFreshness(t *testing.T) {
	n := start(t, Options{})
	feed, cancel := n.Subscribe()
	defer cancel()
	const events = 400
	var delays []time.Duration
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range events {
			l := <-feed
			delays = append(delays, time.Since(l.Time))
		}
	}()
	for i := range events {
		n.Recorder().Record(&event.Event{Path: fmt.Sprint(i), Time: time.Now()})
		time.Sleep(time.Millisecond)
	}
	<-done
	for i := range delays { // insertion sort: they nearly are
		for j := i; j > 0 && delays[j] < delays[j-1]; j-- {
			delays[j], delays[j-1] = delays[j-1], delays[j]
		}
	}
	t.Logf("from Record to committed and told, about 1,000 events/s: median %v, p99 %v, worst %v",
		delays[events/2].Round(time.Millisecond), delays[events*99/100].Round(time.Millisecond), delays[events-1].Round(time.Millisecond))
}

func BenchmarkStoreToRow(b *testing.B) {
	n := start(b, Options{SpoolBytes: 8 << 30})
	const batch = 256
	events := func(i int) []*event.Event {
		list := make([]*event.Event, batch)
		for j := range list {
			list[j] = &event.Event{
				Type: event.BinaryDownload, Owner: "acme", PackageID: "0189f7ea-ae2c-7809-8aeb-b819cf5e9e7f", Package: "rocket-skates",
				PackageType: "file", Domain: "acme.gateway.localhost", Path: fmt.Sprintf("/files/1.%d.%d/linux/rocket-skates.tar.gz", i%50, j%7),
				Version: fmt.Sprintf("1.%d.%d", i%50, j%7), Platform: "linux", Arch: "amd64", Client: "curl", ClientVersion: "8.5.0",
				UserAgent: "curl/8.5.0", Variables: []event.Variable{{Name: "platform", Value: "linux"}, {Name: "version", Value: "1.2.3"}},
				OriginID: [16]byte{1, byte(i), byte(j)}, EndpointID: [16]byte{2, byte(i), byte(j)}, Country: "DE", Countable: true, Status: 302,
			}
		}
		return list
	}
	b.ResetTimer()
	for i := range b.N {
		if err := n.Recorder().Store(context.Background(), events(i)); err != nil {
			b.Fatal(err)
		}
	}
	n.stored()
	b.StopTimer()
	if got, want := n.query(`SELECT count(*)::VARCHAR FROM events`), fmt.Sprint(b.N*batch); got != want {
		b.Fatalf("%s rows, want %s", got, want)
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "events/s")
}

func lines(path string) []string {
	text, _ := os.ReadFile(path) // missing: nothing yet
	list := strings.Split(string(text), "\n")
	return list[:len(list)-1] // a last line without its end was cut by the kill
}
