package routing

import (
	"context"

	"tallygate/routing/event"
)

// ErrUnavailable is returned by [Recorder.Store] when events can't be made
// durable now: the spool is full or broken.
var ErrUnavailable = event.ErrUnavailable

// Recorder takes what was served.
type Recorder interface {
	// Record takes one event and never waits. When the mailbox is full the
	// event is dropped and counted: a statistic is lost, not a download.
	Record(e *event.Event)

	// Store returns once every event is durable, or with ErrUnavailable.
	Store(ctx context.Context, events []*event.Event) error
}

// Enricher fills in what the source of a request tells: the keyed hashes, the
// country, the network. It is the last to see the address.
type Enricher interface {
	Enrich(e *event.Event, src Source)
}

// Source is where a request came from.
type Source = event.Source
