// Package ingest reads the streams of events into the store: one reader, one
// goroutine, per stream. The position is stored with the rows, so it keeps none
// of its own and may be stopped, killed or started again at any point.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"tallygate/analytics/store"
)

// Store is what a reader writes to. *store.Store is one.
type Store interface {
	Write(ctx context.Context, messages []store.Message) (store.Result, error)
	Offsets(ctx context.Context, node string) (map[[16]byte]uint64, error)
}

// Options of a [Reader]. Zero values take the defaults.
type Options struct {
	Node    string // whose stream
	Stream  string // its name
	Connect func() (*nats.Conn, error)
	// Taken, if set, is told after each commit which sequence of the stream's
	// present run is stored.
	Taken func(sequence uint64)

	Store Store
	Feed  *Feed // nil: none

	// MaxRows ends a batch; default 10,000. MaxBytes as well, of encoded
	// events; default 8 MiB. Both bound memory: about ten times MaxBytes.
	MaxRows  int
	MaxBytes int
	// Interval is the least time between the starts of two transactions;
	// default 100 ms. What comes after a quiet time is written at once. Each
	// transaction costs about 3 ms of a processor, however few rows it has.
	Interval time.Duration

	Logger  *slog.Logger // nil: discarded
	Metrics *Metrics     // nil: none

	// Fault is called at the named steps, for tests that make it panic or stall
	// there; nil otherwise.
	Fault func(step string)
}

// Reader reads one stream.
type Reader struct {
	opts Options
	log  *slog.Logger

	mu     sync.Mutex // guards status
	status Status

	// gap is the sequence at which messages were missing, to be believed when
	// they still are after connecting anew. Used by Serve alone.
	gap uint64
}

// Status is how far a stream was read. Counts are since the start.
type Status struct {
	Node       string
	Sequence   uint64 // last stored, or where reading began
	Pending    uint64 // messages behind it, as of the last one read
	Events     int64  // stored
	Lost       int64  // messages missing from the stream
	Unreadable int64  // messages kept aside, not being batches of events
	Updated    time.Time
	Err        error // why reading doesn't go on now
}

// New returns a reader; it reads while [Reader.Serve] runs.
func New(o Options) *Reader {
	if o.MaxRows == 0 {
		o.MaxRows = 10_000
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 8 << 20
	}
	if o.Interval == 0 {
		o.Interval = 100 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	if o.Fault == nil {
		o.Fault = func(string) {}
	}
	return &Reader{
		opts:   o,
		log:    o.Logger.With("component", "ingest", "stream", o.Stream),
		status: Status{Node: o.Node},
	}
}

// Status returns the present state.
func (r *Reader) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

func (r *Reader) update(f func(*Status)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.status)
}

const (
	minBackoff = 20 * time.Millisecond
	maxBackoff = 2 * time.Second
)

// Serve reads until ctx ends. What fails is tried again, with pauses.
func (r *Reader) Serve(ctx context.Context) error {
	failures := 0
	for {
		before := r.Status().Sequence
		err := r.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.Status().Sequence != before {
			failures = 0
		}
		if failures == 0 && !errors.Is(err, errGap) {
			r.log.Warn("stream not readable, connecting again", "err", err)
		}
		r.update(func(s *Status) { s.Err = err })
		if !pause(ctx, min(minBackoff<<min(failures, 10), maxBackoff)) {
			return ctx.Err()
		}
		failures++
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// lost counts messages that the stream no longer has.
func (r *Reader) lost(from, to uint64) {
	n := to - from
	r.opts.Metrics.lost.Add(float64(n))
	r.update(func(s *Status) { s.Lost += int64(n) })
	r.log.Error("messages are missing from the stream: their events are lost", "sequence", from, "messages", n)
}

// poisonTries is how often one message alone is tried before it is put aside, if
// the store takes that.
const poisonTries = 5

// commit writes messages, trying until it works or ctx ends. After a failure it
// halves what it writes at once, down to one message: if that one is at fault it
// is put aside as unreadable, and if the store is, nothing is lost by waiting.
func (r *Reader) commit(ctx context.Context, batch []received) error {
	failures, size := 0, len(batch)
	for len(batch) > 0 {
		part := batch[:min(size, len(batch))]
		r.opts.Fault("write")
		messages := make([]store.Message, len(part))
		for i := range part {
			messages[i] = part[i].message
		}
		result, err := r.opts.Store.Write(ctx, messages)
		r.opts.Fault("wrote")
		if err == nil {
			r.committed(part, result)
			batch, failures = batch[len(part):], 0
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failures++
		if failures == 1 {
			r.log.Error("events not written, trying again", "err", err, "messages", len(part))
		}
		r.update(func(s *Status) { s.Err = fmt.Errorf("write events: %w", err) })
		if len(part) == 1 && failures >= poisonTries && part[0].message.Unreadable == nil {
			aside := part[0].message
			aside.Events, aside.Unreadable, aside.Reason = nil, part[0].payload, err.Error()
			if result, err := r.opts.Store.Write(ctx, []store.Message{aside}); err == nil {
				part[0].message = aside
				r.committed(part, result)
				batch, failures = batch[1:], 0
				continue
			}
		}
		size = max(1, len(part)/2)
		if !pause(ctx, min(minBackoff<<min(failures, 10), maxBackoff)) {
			return ctx.Err()
		}
	}
	return nil
}

// committed tells everybody.
func (r *Reader) committed(part []received, result store.Result) {
	last := part[len(part)-1]
	unreadable := 0
	for _, m := range part {
		if m.message.Unreadable != nil {
			unreadable++
			r.log.Error("message put aside", "sequence", m.message.Sequence, "err", m.message.Reason)
		}
	}
	r.opts.Metrics.events.Add(float64(len(result.Rows)))
	r.opts.Metrics.unreadable.Add(float64(unreadable))
	now := time.Now()
	if n := len(result.Rows); n > 0 {
		r.opts.Metrics.delay.Observe(now.Sub(result.Rows[n-1].Time).Seconds())
	}
	r.update(func(s *Status) {
		s.Sequence, s.Pending, s.Updated, s.Err = last.message.Sequence, last.pending, now, nil
		s.Events += int64(len(result.Rows))
		s.Unreadable += int64(unreadable)
	})
	if r.opts.Taken != nil {
		r.opts.Taken(last.message.Sequence)
	}
	r.opts.Feed.publish(result.Rows)
}

// Metrics are shared by all readers of a node.
type Metrics struct {
	events, lost, unreadable prometheus.Counter
	delay                    prometheus.Histogram
}

// NewMetrics registers the metrics; nil registers none.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tallygate", Subsystem: "ingest", Name: name, Help: help})
	}
	m := &Metrics{
		events:     counter("events_total", "Events stored."),
		lost:       counter("lost_messages_total", "Messages that a stream no longer had when they were to be read."),
		unreadable: counter("unreadable_messages_total", "Messages put aside, not being batches of events."),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "tallygate", Subsystem: "ingest", Name: "delay_seconds",
			Help:    "Time from an event to its commit, of the last event of each transaction.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}),
	}
	if reg != nil {
		reg.MustRegister(m.events, m.lost, m.unreadable, m.delay)
	}
	return m
}
