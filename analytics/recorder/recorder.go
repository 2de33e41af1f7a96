// Package recorder takes events from the request path and makes them durable in
// batches. It knows nothing of what an event means, nor of what carries it.
//
// The mailbox is not a channel of events but the batches themselves: a caller
// encodes its event and adds the bytes to the last batch under a short lock. So
// a waiting event is a few hundred bytes without pointers, the bound is in
// bytes, and one goroutine, the publisher, wakes up once per batch rather than
// once per event. The publisher alone takes batches away; see publish.go.
package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"tallygate/routing/event"
)

// Spool is where batches become durable.
type Spool interface {
	// Publish returns once the payload is durable. A payload published again
	// under the same batch id, after an error that left its fate open, counts
	// once.
	Publish(ctx context.Context, batchID string, payload []byte) (sequence uint64, err error)
	// Writable says, from memory, why nothing can be published now.
	Writable() error
}

// Options of a [Recorder]. Zero values take the defaults.
type Options struct {
	Spool  Spool
	Node   string // fills Event.Node
	Region string // fills Event.Region

	// MaxDelay is how long a batch without waiting callers is kept open for
	// more events; default 5 ms. A batch that a caller of Store waits for goes
	// out as soon as the previous one is published.
	MaxDelay time.Duration
	// MaxBatch is the number of events that close a batch; default 256.
	MaxBatch int
	// MaxBytes bounds the events in memory, encoded; default 8 MiB, about
	// 25,000 events. Beyond it Record drops and counts, Store waits for room.
	MaxBytes int
	// PublishTimeout bounds one attempt; default 3 s.
	PublishTimeout time.Duration
	// StoreTimeout bounds a call of Store whatever its context; default 10 s.
	StoreTimeout time.Duration

	Logger     *slog.Logger          // nil: discarded
	Registerer prometheus.Registerer // nil: no metrics

	// Fault is called at the named steps of the publisher, for tests that make
	// it panic or stall there; nil otherwise.
	Fault func(step string)
}

// maxBatchBytes closes a batch early: together with the largest event it stays
// under the 1 MiB that a NATS server takes by default.
const maxBatchBytes = 512 << 10

// Recorder implements routing.Recorder.
type Recorder struct {
	opts    Options
	log     *slog.Logger
	metrics *metrics
	scratch sync.Pool // of *[]byte: events are encoded outside the lock

	arrived chan struct{} // holds one: the mailbox was empty and isn't now
	urgent  chan struct{} // holds one: a batch is full, or someone waits for it
	turn    chan struct{} // holds one while somebody publishes

	mu     sync.Mutex // guards what follows; held for a copy of an event at most
	queue  []*batch   // the first may be with the publisher, the last takes events
	free   []*batch   // emptied, for reuse
	bytes  int        // of all batches in queue
	room   chan struct{}
	closed bool
	stats  Stats
}

// Stats counts since the start.
type Stats struct {
	Recorded int64 // events made durable
	Dropped  int64 // events given up, those of failed Store calls not included
	Waiting  int   // events in memory
}

// batch is one publish.
type batch struct {
	id      string // stays the same over all attempts
	payload []byte
	events  int
	parts   []part    // callers who wait
	born    time.Time // arrival of the first event
	taken   bool      // with the publisher: takes no more events
	panics  int       // publishers that died with it
	tries   int
}

// part is what one caller of Store added to a batch.
type part struct {
	from, to int // in the payload
	events   int
	waiter   *waiter
}

// New returns a recorder; it publishes while [Recorder.Serve] runs.
func New(o Options) *Recorder {
	if o.MaxDelay == 0 {
		o.MaxDelay = 5 * time.Millisecond
	}
	if o.MaxBatch == 0 {
		o.MaxBatch = 256
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 8 << 20
	}
	if o.PublishTimeout == 0 {
		o.PublishTimeout = 3 * time.Second
	}
	if o.StoreTimeout == 0 {
		o.StoreTimeout = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Fault == nil {
		o.Fault = func(string) {}
	}
	r := &Recorder{
		opts:    o,
		log:     o.Logger.With("component", "recorder"),
		arrived: make(chan struct{}, 1),
		urgent:  make(chan struct{}, 1),
		turn:    make(chan struct{}, 1),
		room:    make(chan struct{}),
	}
	r.scratch.New = func() any { b := make([]byte, 0, 1024); return &b }
	r.metrics = newMetrics(o.Registerer, r)
	return r
}

// Record takes one event, which belongs to the recorder from then on. It never
// waits; when the mailbox is full the event is dropped and counted.
func (r *Recorder) Record(e *event.Event) {
	buf := r.encode(e)
	r.mu.Lock()
	if r.closed || r.bytes+len(*buf) > r.opts.MaxBytes {
		r.stats.Dropped++
		r.mu.Unlock()
		r.metrics.dropped.Inc()
	} else {
		b, first := r.open()
		b.payload = append(b.payload, *buf...)
		b.events++
		r.bytes += len(*buf)
		full := r.full(b)
		r.mu.Unlock()
		if first {
			signal(r.arrived)
		}
		if full {
			signal(r.urgent)
		}
	}
	r.release(buf)
}

// Store returns once every event is durable, or with [event.ErrUnavailable]:
// the spool is full or broken, the mailbox had no room, or ctx or StoreTimeout
// ended. After an error events may have been stored or not: a caller who repeats
// them should give them a unique id.
func (r *Recorder) Store(ctx context.Context, events []*event.Event) error {
	if len(events) == 0 {
		return nil
	}
	if err := r.opts.Spool.Writable(); err != nil {
		return unavailable(err)
	}
	ctx, cancel := context.WithTimeout(ctx, r.opts.StoreTimeout)
	defer cancel()
	var waiters []*waiter
	for len(events) > 0 {
		n := min(len(events), r.opts.MaxBatch)
		w, taken, err := r.enqueue(ctx, events[:n])
		if err != nil {
			return unavailable(err)
		}
		waiters = append(waiters, w)
		events = events[taken:]
	}
	for _, w := range waiters {
		if err := w.wait(ctx); err != nil {
			return unavailable(err)
		}
	}
	return nil
}

func unavailable(err error) error {
	if errors.Is(err, event.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", event.ErrUnavailable, err)
}

var (
	errClosed = errors.New("the recorder is closed")
	errFull   = errors.New("the recorder's mailbox is full")
)

// enqueue adds as many of the events as fit into one batch, waiting for room.
func (r *Recorder) enqueue(ctx context.Context, events []*event.Event) (*waiter, int, error) {
	buf := r.scratch.Get().(*[]byte)
	defer r.release(buf)
	n := 0
	for n < len(events) && len(*buf) < maxBatchBytes {
		r.complete(events[n])
		*buf = event.AppendEvent(*buf, events[n])
		n++
	}
	w := &waiter{done: make(chan struct{})}
	for {
		r.mu.Lock()
		if r.closed {
			r.mu.Unlock()
			return nil, 0, errClosed
		}
		// An empty mailbox takes any size: a bound below one batch must not
		// refuse for ever.
		if r.bytes == 0 || r.bytes+len(*buf) <= r.opts.MaxBytes {
			b, _ := r.open()
			from := len(b.payload)
			b.payload = append(b.payload, *buf...)
			b.events += n
			b.parts = append(b.parts, part{from, len(b.payload), n, w})
			r.bytes += len(*buf)
			r.mu.Unlock()
			signal(r.urgent)
			return w, n, nil
		}
		room := r.room
		r.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return nil, 0, errFull
		}
	}
}

// encode fills in what the caller left out and encodes the event.
func (r *Recorder) encode(e *event.Event) *[]byte {
	r.complete(e)
	buf := r.scratch.Get().(*[]byte)
	*buf = event.AppendEvent(*buf, e)
	return buf
}

func (r *Recorder) release(buf *[]byte) {
	if cap(*buf) > 64<<10 {
		return // an exceptional event shall not keep its memory
	}
	*buf = (*buf)[:0]
	r.scratch.Put(buf)
}

func (r *Recorder) complete(e *event.Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	if e.ID == [16]byte{} {
		// The time of receipt, not Event.Time: an import's events lie in the
		// past, and of two with one unique id the later received wins.
		e.ID = event.NewID(time.Now())
	}
	if e.Node == "" {
		e.Node = r.opts.Node
	}
	if e.Region == "" {
		e.Region = r.opts.Region
	}
}

// open returns the batch that takes the next event, and whether it is the
// first of an empty one. The caller holds mu.
func (r *Recorder) open() (b *batch, first bool) {
	if n := len(r.queue); n > 0 {
		if last := r.queue[n-1]; !last.taken && !r.full(last) {
			return last, last.events == 0
		}
	}
	if n := len(r.free); n > 0 {
		b, r.free = r.free[n-1], r.free[:n-1]
	} else {
		b = &batch{payload: make([]byte, 0, 96<<10)} // 256 events, by and large
	}
	*b = batch{id: uuid.NewString(), payload: event.BeginBatch(b.payload[:0]), parts: b.parts[:0], born: time.Now()}
	r.queue = append(r.queue, b)
	return b, true
}

func (r *Recorder) full(b *batch) bool {
	return b.events >= r.opts.MaxBatch || len(b.payload) >= maxBatchBytes
}

// Stats returns the present counts.
func (r *Recorder) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	for _, b := range r.queue {
		s.Waiting += b.events
	}
	return s
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// waiter is one caller waiting for one batch.
type waiter struct {
	done chan struct{} // closed with err set
	err  error
}

func (w *waiter) finish(err error) { w.err = err; close(w.done) }

func (w *waiter) wait(ctx context.Context) error {
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
