package container

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tallygate/cluster/catalog"
	"tallygate/routing/event"
	"tallygate/routing/table"
)

// madePackages remembers what was to be made. block holds it up, err fails it.
type madePackages struct {
	block chan struct{}
	err   error

	mu   sync.Mutex
	made []string
}

func (m *madePackages) Create(ctx context.Context, c *catalog.Collection, repository string) error {
	if m.block != nil {
		select {
		case <-m.block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made = append(m.made, c.Owner+" "+repository)
	return m.err
}

func (m *madePackages) names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.made)
}

func acmeCollection() *catalog.Collection {
	return &catalog.Collection{ID: "c", Owner: "acme", Pattern: "acme/*"}
}

func TestOnlyAPullOfAnImageThatIsThereAsksForItsPackage(t *testing.T) {
	for name, b := range map[string]*backend{"a token registry": newBackend(t, withTokens), "an open registry": newBackend(t)} {
		t.Run(name, func(t *testing.T) {
			img := image(t)
			for _, repository := range []string{"new", "untracked", "headed", "packaged"} {
				b.pushOpen(t, "acme/"+repository+":1", img)
			}
			h := hostOf{}
			for _, repository := range []string{"new", "untracked", "headed", "missing"} {
				c := acmeCollection()
				c.Registry, c.PlainHTTP = b.host(), true
				h["acme/"+repository] = &table.Rule{Kind: table.CollectionRule, Collection: c}
			}
			h["acme/packaged"] = rule(catalog.Image{Registry: b.host(), Repository: "acme/packaged", PlainHTTP: true})
			g := newGateway(t, h)
			made := &madePackages{}
			g.firstPulls.packages = made
			for range 3 {
				_ = text(t, g.do(t, http.MethodGet, "/v2/acme/new/manifests/1"))
				_ = text(t, g.do(t, http.MethodGet, "/v2/acme/packaged/manifests/1"))
				_ = text(t, g.do(t, http.MethodGet, "/v2/acme/missing/manifests/1"))
				_ = text(t, g.do(t, http.MethodGet, "/v2/acme/new/manifests/2"))
				_ = text(t, g.do(t, http.MethodHead, "/v2/acme/headed/manifests/1"))
			}
			// Whoever asks not to be tracked leaves no trace in the catalog either.
			r := httptest.NewRequest(http.MethodGet, "/v2/acme/untracked/manifests/1", nil)
			g.serve(httptest.NewRecorder(), r, h, func(*table.Rule, func(*event.Event)) {})

			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- g.Serve(ctx) }()
			for len(made.names()) == 0 {
				time.Sleep(time.Millisecond)
			}
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if got := made.names(); !slices.Equal(got, []string{"acme acme/new"}) {
				t.Errorf("packages made: %v", got)
			}
		})
	}
}

func TestFirstPullsAreMadeOnceAndWithinALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := &madePackages{}
		f := newFirstPulls(made, slog.New(slog.DiscardHandler), newMetrics(nil))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Serve(ctx) }()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { f.offer(acmeCollection(), "acme/one") })
		}
		wg.Wait()
		synctest.Wait()
		if got := made.names(); len(got) != 1 {
			t.Errorf("%d packages of one image", len(got))
		}
		for i := range 1000 {
			f.offer(acmeCollection(), fmt.Sprintf("acme/flood-%d", i))
		}
		other := acmeCollection()
		other.Owner, other.ID = "orbit", "d"
		f.offer(other, "orbit/one")
		synctest.Wait()
		got := made.names()
		if len(got) != firstPullRush+1 || got[len(got)-1] != "orbit orbit/one" {
			t.Errorf("%d packages in a flood, the last is %s", len(got), got[len(got)-1])
		}
		time.Sleep(10 * firstPullGap)
		for i := range 1000 {
			f.offer(acmeCollection(), fmt.Sprintf("acme/flood-%d", i+500))
		}
		synctest.Wait()
		if n := len(made.names()) - len(got); n != 10 {
			t.Errorf("%d packages later", n)
		}
		cancel()
		<-done
	})
}

func TestAStuckCatalogHoldsUpNoPull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := &madePackages{block: make(chan struct{}), err: errors.New("no leader")}
		f := newFirstPulls(made, slog.New(slog.DiscardHandler), newMetrics(nil))
		for i := range 2 * maxFirstPulls {
			c := acmeCollection()
			c.Owner = fmt.Sprintf("o%d", i)
			f.offer(c, fmt.Sprintf("acme/%d", i)) // returns at once
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Serve(ctx) }()
		time.Sleep(createTimeout + time.Millisecond) // the first is given up
		close(made.block)
		synctest.Wait()
		if n := len(made.names()); n != maxFirstPulls-1 {
			t.Errorf("%d of %d waited", n, maxFirstPulls)
		}
		cancel()
		<-done
	})
}
