package publish

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/thejerf/suture/v4"

	"tallygate/cluster/catalog"
	"tallygate/routing/table"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// fixture is a catalog with one organization, whose file packages a test adds.
type fixture struct {
	t     *testing.T
	store *catalog.Store
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t, catalog.NewStore()}
	f.apply("org", catalog.Op{Organization: &catalog.Organization{ID: "o", Name: "acme"}})
	return f
}

func (f *fixture) apply(id string, ops ...catalog.Op) []catalog.Change {
	f.t.Helper()
	result, changes := f.store.Apply(&catalog.Command{
		Format: catalog.Format, ID: id, Time: time.Unix(1, 0).UTC(),
		Actor: catalog.Actor{Kind: "local", Operator: true}, Ops: ops,
	})
	if len(result.Errors) > 0 {
		f.t.Fatalf("the catalog refused: %v", result.Errors)
	}
	return changes
}

// add makes a package that answers 200 on /NAME.
func (f *fixture) add(name string) []catalog.Change {
	f.t.Helper()
	return f.apply("add "+name, catalog.Op{Package: &catalog.Package{
		ID: name, Owner: "acme", Name: name, Type: catalog.File,
		Routes: []catalog.Route{{ID: "r-" + name, Kind: catalog.TemplateRoute, IncomingPath: "/" + name, CreatedAt: time.Unix(1, 0).UTC()}},
	}})
}

// serves says whether a table has a rule for the package's path.
func serves(t *table.Table, name string) bool {
	if t == nil {
		return false
	}
	host := t.Host("acme.gateway.base.test")
	var m table.Match
	return host != nil && host.Match("GET", "/"+name, "", &m)
}

func supervised(t *testing.T, p *Publisher) {
	t.Helper()
	tree := suture.New("test", suture.Spec{FailureBackoff: time.Millisecond, FailureThreshold: 1e9})
	tree.Add(p)
	ctx, cancel := context.WithCancel(t.Context())
	done := tree.ServeBackground(ctx)
	t.Cleanup(func() { cancel(); <-done })
}

func TestWhatWasCommittedIsServedOnceWaitReturns(t *testing.T) {
	f := newFixture(t)
	p := New(table.Options{BaseDomain: "base.test"}, quiet(), nil, nil)
	p.Offer(f.store.View(), nil)
	supervised(t, p)
	for _, name := range []string{"one", "two", "three"} {
		changes := f.add(name)
		view := f.store.View()
		p.Offer(view, changes)
		if err := p.Wait(t.Context(), view.Version()); err != nil {
			t.Fatal(err)
		}
		if !serves(p.Table(), name) {
			t.Errorf("%s is not served", name)
		}
	}
}

func TestAPanicWhileBuildingLosesNothingAndReadersKeepTheLastTable(t *testing.T) {
	f := newFixture(t)
	var panics atomic.Int32
	p := New(table.Options{BaseDomain: "base.test"}, quiet(), nil, func(point string) {
		if point == "publish built" && panics.Load() > 0 {
			panics.Add(-1)
			panic("a fault of the test's")
		}
	})
	f.add("before")
	p.Offer(f.store.View(), nil)
	supervised(t, p)
	if err := p.Wait(t.Context(), f.store.View().Version()); err != nil {
		t.Fatal(err)
	}
	panics.Store(3)
	for _, name := range []string{"a", "b", "c"} {
		changes := f.add(name)
		p.Offer(f.store.View(), changes)
		if !serves(p.Table(), "before") {
			t.Fatal("readers lost the last table")
		}
	}
	if err := p.Wait(t.Context(), f.store.View().Version()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"before", "a", "b", "c"} {
		if !serves(p.Table(), name) {
			t.Errorf("%s is not served", name)
		}
	}
	if left := panics.Load(); left > 0 {
		t.Errorf("%d panics did not happen", left)
	}
}

func TestAStalledPublisherLeavesReadersOnTheLastTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		stall := make(chan struct{})
		var stalled atomic.Bool
		p := New(table.Options{BaseDomain: "base.test"}, quiet(), nil, func(point string) {
			if point == "publish built" && stalled.Load() {
				<-stall
			}
		})
		f.add("before")
		p.Offer(f.store.View(), nil)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Serve(ctx) }()
		if err := p.Wait(t.Context(), f.store.View().Version()); err != nil {
			t.Fatal(err)
		}
		stalled.Store(true)
		changes := f.add("late")
		p.Offer(f.store.View(), changes)

		short, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if err := p.Wait(short, f.store.View().Version()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait during the stall returned %v", err)
		}
		if !serves(p.Table(), "before") || serves(p.Table(), "late") {
			t.Error("readers are not on the last table")
		}
		stalled.Store(false)
		close(stall)
		if err := p.Wait(t.Context(), f.store.View().Version()); err != nil {
			t.Fatal(err)
		}
		if !serves(p.Table(), "late") {
			t.Error("the change offered during the stall is not served")
		}
		cancel()
		<-ended
	})
}
