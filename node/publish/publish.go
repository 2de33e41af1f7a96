// Package publish turns the catalog into the routing table that requests read.
// One actor builds the tables; readers load one atomic pointer and never wait for
// it, so a panic or a stall here leaves redirects on the last table.
package publish

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tallygate/cluster/catalog"
	"tallygate/routing/table"
)

// Publisher builds and publishes tables. Offer and Wait are safe for concurrent
// use; Serve is run by one supervisor.
type Publisher struct {
	opts   table.Options
	logger *slog.Logger
	hook   func(point string)

	current atomic.Pointer[table.Table]
	wake    chan struct{}

	mu        sync.Mutex    // guards what follows
	latest    *catalog.View // newest view offered
	pending   []offer       // steps not yet built, in order
	rebuild   bool          // the next table is built from scratch
	building  bool          // a step is under way; still set at the start of Serve: it panicked
	published uint64        // catalog version of the current table
	advanced  chan struct{} // closed and replaced when published grows

	metrics *metrics
}

type offer struct {
	view    *catalog.View
	changes []catalog.Change
}

// New makes a Publisher whose first table appears once Serve runs and a view was
// offered. The hook, if any, is called at named points of the actor's loop: tests
// panic and stall there.
func New(opts table.Options, logger *slog.Logger, reg prometheus.Registerer, hook func(string)) *Publisher {
	if hook == nil {
		hook = func(string) {}
	}
	p := &Publisher{
		opts: opts, logger: logger, hook: hook,
		wake: make(chan struct{}, 1), advanced: make(chan struct{}), rebuild: true,
		metrics: newMetrics(reg),
	}
	return p
}

// Table is the published table; nil before the first.
func (p *Publisher) Table() *table.Table { return p.current.Load() }

// Offer hands over a new view and what changed since the one before. Nil changes
// ask for a build from scratch. It never waits: steps queue up, and their number
// is bounded by what consensus commits while one table is built.
func (p *Publisher) Offer(view *catalog.View, changes []catalog.Change) {
	p.mu.Lock()
	p.latest = view
	if changes == nil {
		p.rebuild, p.pending = true, nil
	} else if !p.rebuild {
		p.pending = append(p.pending, offer{view, changes})
	}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Wait returns once the published table shows the catalog's version, so that who
// was told of a write finds it served.
func (p *Publisher) Wait(ctx context.Context, version uint64) error {
	for {
		p.mu.Lock()
		done, advanced := p.current.Load() != nil && p.published >= version, p.advanced
		p.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// String names the actor in the supervisor's log.
func (p *Publisher) String() string { return "publisher" }

// Serve builds tables until the context ends. It may be started again after a
// panic: a table under construction is then built from scratch.
func (p *Publisher) Serve(ctx context.Context) error {
	p.mu.Lock()
	if p.building {
		p.rebuild, p.pending, p.building = true, nil, false
	}
	p.mu.Unlock()
	for {
		p.hook("publish")
		switch built, err := p.step(); {
		case err != nil:
			return err
		case built:
			continue
		}
		select {
		case <-p.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// step publishes one table; false when there is nothing to do.
func (p *Publisher) step() (built bool, err error) {
	p.mu.Lock()
	view, steps, rebuild := p.latest, p.pending, p.rebuild
	if view == nil || (!rebuild && len(steps) == 0) {
		p.mu.Unlock()
		return false, nil
	}
	p.rebuild, p.pending, p.building = false, nil, true
	p.mu.Unlock()

	begun := time.Now()
	var next *table.Table
	if rebuild {
		if next, err = table.Build(view, p.opts); err != nil {
			return false, err
		}
		p.logger.Info("routing table built", "catalog_version", view.Version(), "elapsed", time.Since(begun))
	} else {
		next = p.current.Load()
		for _, s := range steps {
			next = next.Update(s.view, s.changes)
			view = s.view
		}
	}
	p.hook("publish built")

	p.current.Store(next)
	p.metrics.builds.WithLabelValues(kind(rebuild)).Inc()
	p.metrics.seconds.WithLabelValues(kind(rebuild)).Observe(time.Since(begun).Seconds())

	p.mu.Lock()
	defer p.mu.Unlock()
	p.published, p.building = view.Version(), false
	close(p.advanced)
	p.advanced = make(chan struct{})
	return true, nil
}
