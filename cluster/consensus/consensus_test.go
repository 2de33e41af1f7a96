package consensus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"tallygate/cluster/catalog"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(proposerDir); dir != "" {
		proposeUntilKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

func options(dir string, change ...func(*Options)) Options {
	opts := Options{Dir: dir, NodeID: "node-1", Store: catalog.NewStore()}
	for _, f := range change {
		f(&opts)
	}
	return opts
}

func open(tb testing.TB, dir string, change ...func(*Options)) *Consensus {
	tb.Helper()
	c, err := Open(options(dir, change...))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closed(tb, c) })
	return c
}

func closed(tb testing.TB, c *Consensus) {
	tb.Helper()
	if err := c.Close(); err != nil {
		tb.Error(err)
	}
}

func command(id string, ops ...catalog.Op) *catalog.Command {
	return &catalog.Command{
		Format: catalog.Format,
		ID:     id,
		Time:   time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC),
		Actor:  catalog.Actor{Kind: "local", Operator: true},
		Ops:    ops,
	}
}

func organization(n int) *catalog.Command {
	return command(fmt.Sprintf("command-%d", n), catalog.Op{Organization: &catalog.Organization{
		ID: fmt.Sprintf("org-%d", n), Name: fmt.Sprintf("owner-%d", n),
	}})
}

func propose(tb testing.TB, c *Consensus, cmd *catalog.Command) catalog.Result {
	tb.Helper()
	r, err := c.Propose(context.Background(), cmd)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestAClusterOfOneContinuesWhereItWas(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir)
	for i := range 100 {
		if r := propose(t, c, organization(i)); r.Err() != nil || r.Version != uint64(i+1) {
			t.Fatalf("command %d: version %d, %v", i, r.Version, r.Err())
		}
	}
	before := c.Status()
	closed(t, c)
	if s := before; s.State != "leader" || s.Leader != "node-1" || s.Term == 0 || s.CommitIndex != s.LastIndex || s.CatalogVersion != 100 || s.Err != nil {
		t.Errorf("%+v", s)
	}

	c = open(t, dir)
	after := c.Status()
	if after.CatalogVersion != 100 || after.Digest != before.Digest || after.Term <= before.Term {
		t.Errorf("after a restart: %+v, before: %+v", after, before)
	}
	if r := propose(t, c, organization(7)); r.Version != 8 || r.Err() != nil {
		t.Errorf("a command that was applied before the restart: %+v", r)
	}
}

func TestARefusalIsAnAnswer(t *testing.T) {
	c := open(t, t.TempDir())
	r := propose(t, c, command("x", catalog.Op{Delete: &catalog.Ref{Kind: catalog.KindUser, ID: "nobody"}}))
	if r.Version != 0 || len(r.Errors) != 1 || r.Errors[0].Code != catalog.CodeNotFound {
		t.Errorf("%+v", r)
	}
}

func TestWhatCannotBeReadBackNeverEntersTheLog(t *testing.T) {
	c := open(t, t.TempDir())
	last := c.Status().LastIndex
	bad := organization(1)
	bad.Ops[0].Organization.Description = "\xff"
	if _, err := c.Propose(context.Background(), bad); !errors.Is(err, catalog.ErrCommandDamaged) {
		t.Error(err)
	}
	large := organization(1)
	large.Ops[0].Organization.Description = strings.Repeat("x", catalog.MaxCommandBytes)
	if _, err := c.Propose(context.Background(), large); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if c.Status().LastIndex != last {
		t.Error("the log has grown")
	}
}

func TestACallerMayGiveUp(t *testing.T) {
	c := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Propose(ctx, organization(1)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := c.WaitLeader(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestAfterCloseNothingIsProposed(t *testing.T) {
	c := open(t, t.TempDir())
	closed(t, c)
	closed(t, c)
	if _, err := c.Propose(context.Background(), organization(1)); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := c.WaitLeader(context.Background()); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if s := c.Status(); s.State != "shutdown" {
		t.Errorf("%+v", s)
	}
}

func TestCloseAnswersProposalsUnderWay(t *testing.T) {
	c := open(t, t.TempDir())
	var wg sync.WaitGroup
	started := make(chan struct{}, 50)
	for i := range 50 {
		wg.Go(func() {
			started <- struct{}{}
			for n := 0; ; n++ {
				_, err := c.Propose(context.Background(), organization(1000*i+n))
				if err == nil {
					continue
				}
				if !errors.Is(err, ErrClosed) && !errors.Is(err, ErrNotLeader) {
					t.Error(err)
				}
				return
			}
		})
	}
	for range 50 {
		<-started
	}
	closed(t, c)
	wg.Wait()
}

// journal notes what OnCommit was told.
type journal struct {
	mu       sync.Mutex
	calls    int
	whole    int // calls with nil changes
	versions []uint64
	changes  []catalog.Change
}

func (j *journal) onCommit(v *catalog.View, changes []catalog.Change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls++
	if changes == nil {
		j.whole++
	}
	seen := make(map[catalog.Ref]bool)
	for _, ch := range changes {
		if ref := (catalog.Ref{Kind: ch.Kind, ID: ch.ID}); seen[ref] {
			panic("an object was named twice")
		} else {
			seen[ref] = true
		}
	}
	j.versions = append(j.versions, v.Version())
	j.changes = append(j.changes, changes...)
}

func (j *journal) listen(o *Options) { o.OnCommit = j.onCommit }

func TestChangesArePassedOnInOrderBeforeTheAnswer(t *testing.T) {
	dir := t.TempDir()
	var j journal
	c := open(t, dir, j.listen)
	if j.calls != 1 || j.whole != 1 {
		t.Fatalf("at the start: %d calls, %d whole", j.calls, j.whole)
	}
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			r, err := c.Propose(context.Background(), organization(i))
			if err != nil || r.Err() != nil {
				t.Error(err, r.Err())
				return
			}
			j.mu.Lock()
			defer j.mu.Unlock()
			if j.versions[len(j.versions)-1] < r.Version {
				t.Errorf("version %d was answered before it was passed on", r.Version)
			}
		})
	}
	wg.Wait()
	if len(j.changes) != 200 || !slices.IsSorted(j.versions) || j.whole != 1 {
		t.Errorf("%d changes, versions %v", len(j.changes), j.versions)
	}
	propose(t, c, command("refused", catalog.Op{}))
	if len(j.changes) != 200 {
		t.Error("a refused command has changes")
	}
	closed(t, c)

	var again journal
	open(t, dir, again.listen)
	if again.calls != 1 || again.whole != 1 || again.versions[0] != 200 {
		t.Errorf("after a restart: %d calls at versions %v", again.calls, again.versions)
	}
}

func TestChangesOfOneBatchAreMerged(t *testing.T) {
	change := func(id string, before, after any) catalog.Change {
		return catalog.Change{Kind: catalog.KindUser, ID: id, Before: before, After: after}
	}
	got := merge([]catalog.Change{
		change("a", nil, 1), change("b", 1, 2), change("a", 1, 2), change("c", nil, 1), change("b", 2, nil), change("c", 1, nil),
	})
	want := []catalog.Change{change("a", nil, 2), change("b", 1, nil)}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestALogGrownLargeIsCompacted(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir)
	c.fsm.limit.Store(1000)
	for i := range 50 {
		propose(t, c, organization(i))
	}
	await(t, "a snapshot", func() bool { return c.Status().SnapshotIndex > 0 })
	await(t, "the next limit", func() bool { return c.fsm.limit.Load() == compactBytes })
	digest := c.Status().Digest
	closed(t, c)
	c = open(t, dir)
	if s := c.Status(); s.Digest != digest || s.SnapshotIndex == 0 {
		t.Errorf("%+v", s)
	}
}

// await waits for a condition that another goroutine brings about.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestANewerCommandStopsTheNodeRatherThanPartIt(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir)
	propose(t, c, organization(1))
	newer := organization(2)
	newer.Format = catalog.Format + 1
	encoded, err := catalog.EncodeCommand(newer)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.raft.Apply(encoded, 0).Error(); err != nil { // as a newer leader would
		t.Fatal(err)
	}
	if _, err := c.Propose(context.Background(), organization(3)); !errors.Is(err, catalog.ErrCommandFormat) {
		t.Error(err)
	}
	if s := c.Status(); !errors.Is(s.Err, catalog.ErrCommandFormat) || s.CatalogVersion != 1 {
		t.Errorf("%+v", s)
	}
	closed(t, c)
	if _, err := Open(options(dir)); !errors.Is(err, catalog.ErrCommandFormat) {
		t.Error(err)
	}
}

func TestAnUnreadableCommandIsRefusedByAll(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir)
	f := c.raft.Apply([]byte("nonsense"), 0)
	if err := f.Error(); err != nil {
		t.Fatal(err)
	}
	if r, ok := f.Response().(catalog.Result); !ok || r.Err() == nil || r.Version != 0 {
		t.Errorf("%+v", f.Response())
	}
	propose(t, c, organization(1))
	closed(t, c)
	if s := open(t, dir).Status(); s.CatalogVersion != 1 {
		t.Errorf("%+v", s)
	}
}

// faultyLog fails to write while it is told to, as a full disk does.
type faultyLog struct {
	raft.LogStore
	mu  sync.Mutex
	err error
}

func (f *faultyLog) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *faultyLog) StoreLogs(logs []*raft.Log) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return f.err
	}
	return f.LogStore.StoreLogs(logs)
}

func (f *faultyLog) StoreLog(l *raft.Log) error { return f.StoreLogs([]*raft.Log{l}) }

func TestAFullDiskFailsProposalsAndPasses(t *testing.T) {
	var disk faultyLog
	c := open(t, t.TempDir(), func(o *Options) {
		o.wrapLog = func(l raft.LogStore) raft.LogStore { disk.LogStore = l; return &disk }
	})
	propose(t, c, organization(1))
	full := errors.New("no space left on device")
	disk.fail(full)
	cmd := organization(2)
	if _, err := c.Propose(context.Background(), cmd); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	if v := c.fsm.store.View().Version(); v != 1 {
		t.Errorf("version %d", v)
	}
	disk.fail(nil)
	await(t, "the proposal to pass", func() bool {
		r, err := c.Propose(context.Background(), cmd)
		return err == nil && r.Err() == nil && r.Version == 2
	})
}

func TestMetricsAreThereWhileOpen(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	with := func(o *Options) { o.Registerer = reg }
	dir := t.TempDir()
	c := open(t, dir, with)
	propose(t, c, organization(1))
	propose(t, c, command("refused", catalog.Op{}))
	found, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, family := range found {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, l := range m.GetLabel() {
				name += "/" + l.GetValue()
			}
			values[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for name, want := range map[string]float64{
		"tallygate_consensus_proposals_total/applied": 1,
		"tallygate_consensus_proposals_total/refused": 1,
		"tallygate_consensus_proposals_total/failed":  0,
		"tallygate_consensus_commit_duration_seconds": 2,
		"tallygate_consensus_leader":                  1,
		"tallygate_consensus_catalog_version":         1,
		"tallygate_consensus_stopped":                 0,
		"tallygate_consensus_applied_index":           float64(c.Status().AppliedIndex),
	} {
		if got, ok := values[name]; !ok || got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if _, err := Open(options(t.TempDir(), with)); err == nil {
		t.Error("two members share one registry")
	}
	closed(t, c)
	closed(t, open(t, dir, with)) // the names are free again
}

func TestOpenNeedsToKnowWhoAndWhere(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no directory": func(o *Options) { o.Dir = "" },
		"no id":        func(o *Options) { o.NodeID = "" },
		"no store":     func(o *Options) { o.Store = nil },
		"a file where the directory would be": func(o *Options) {
			o.Dir = filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(o.Dir, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		if _, err := Open(options(t.TempDir(), change)); err == nil {
			t.Errorf("opened with %s", name)
		}
	}
}
