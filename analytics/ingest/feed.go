package ingest

import (
	"strings"
	"sync"

	"tallygate/analytics/report"
	"tallygate/analytics/store"
	"tallygate/routing/event"
)

// feedLength is how many events a subscriber may be behind before it misses
// some.
const feedLength = 256

// Feed hands stored events to those who watch. The zero value is ready; a nil
// feed has no subscribers.
type Feed struct {
	mu          sync.Mutex // guards what follows
	subscribers map[chan report.Latest]struct{}
	closed      bool
}

// Subscribe returns events as they are stored. A reader that doesn't keep up
// misses some. The channel is closed by cancel, which may be called again, and
// by [Feed.Close].
func (f *Feed) Subscribe() (events <-chan report.Latest, cancel func()) {
	c := make(chan report.Latest, feedLength)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		close(c)
		return c, func() {}
	}
	if f.subscribers == nil {
		f.subscribers = map[chan report.Latest]struct{}{}
	}
	f.subscribers[c] = struct{}{}
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if _, there := f.subscribers[c]; there {
			delete(f.subscribers, c)
			close(c)
		}
	}
}

// Close ends all subscriptions.
func (f *Feed) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for c := range f.subscribers {
		close(c)
	}
	f.subscribers = nil
}

// publish never waits for a subscriber.
func (f *Feed) publish(rows []store.Row) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.subscribers) == 0 {
		return
	}
	// Nobody can take more than the last ones at once.
	for i := max(0, len(rows)-feedLength); i < len(rows); i++ {
		latest := toLatest(&rows[i])
		for c := range f.subscribers {
			select {
			case c <- latest:
			default:
			}
		}
	}
}

// toLatest copies what a page shows; the event's strings belong to a whole
// batch, which a slow page must not keep in memory.
func toLatest(r *store.Row) report.Latest {
	s := func(v string) string { return strings.Clone(strings.ToValidUTF8(v, "\uFFFD")) }
	return report.Latest{
		ID: event.FormatID(r.ID), Time: r.Time.UTC(), Type: s(r.Type), Owner: s(r.Owner), PackageID: s(r.PackageID),
		Package: s(r.Package), Version: s(r.Version), Platform: s(r.Platform), Client: s(r.Client),
		Country: s(r.Country), Domain: s(r.Domain), Path: s(r.Path), Status: r.Status, Counted: r.Counted,
	}
}
