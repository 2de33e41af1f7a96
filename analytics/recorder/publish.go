package recorder

import (
	"context"
	"errors"
	"time"

	"tallygate/routing/event"
)

const (
	// A publish whose fate is open is tried this often before its callers hear
	// of it; what was recorded without a caller is tried until it goes through.
	maxTries = 3
	// A batch that killed this many publishers is given up.
	maxPanics = 3

	minBackoff = 50 * time.Millisecond
	maxBackoff = time.Second
)

// Serve publishes until ctx ends. It may be started again after it returned or
// panicked: the batch it was at stays at the head of the queue under its id, so
// that nothing is lost and nothing counts twice.
func (r *Recorder) Serve(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	r.resume()
	for {
		b, wait := r.next(false)
		if b != nil {
			r.publish(ctx, b)
		} else if !r.idle(ctx, wait) {
			return ctx.Err()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// idle waits until there may be something to publish; wait < 0: until an event
// comes.
func (r *Recorder) idle(ctx context.Context, wait time.Duration) bool {
	if wait < 0 {
		select {
		case <-r.arrived:
		case <-r.urgent:
		case <-ctx.Done():
			return false
		}
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.urgent:
	case <-ctx.Done():
		return false
	}
	return true
}

// resume takes back the batch that a publisher before us died with.
func (r *Recorder) resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 || !r.queue[0].taken {
		return
	}
	b := r.queue[0]
	if b.panics++; b.panics >= maxPanics {
		r.log.Error("batch given up: publishing it failed each time with a panic", "events", b.events)
		r.drop(b, errors.New("publishing failed"))
	}
}

// next returns the batch to publish now, or how long to wait for it; a negative
// wait means that there is none. With all set even a young batch is due.
func (r *Recorder) next(all bool) (*batch, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		return nil, -1
	}
	b := r.queue[0]
	if !b.taken && !all && len(b.parts) == 0 && len(r.queue) == 1 && !r.full(b) {
		if age := time.Since(b.born); age < r.opts.MaxDelay {
			return nil, r.opts.MaxDelay - age
		}
	}
	b.taken = true
	event.EndBatch(b.payload, b.events)
	return b, 0
}

// publish tries one batch once and settles what follows.
func (r *Recorder) publish(ctx context.Context, b *batch) {
	r.opts.Fault("publish")
	start := time.Now()
	attempt, cancel := context.WithTimeout(ctx, r.opts.PublishTimeout)
	_, err := r.opts.Spool.Publish(attempt, b.id, b.payload)
	cancel()
	r.opts.Fault("published")
	r.metrics.duration.Observe(time.Since(start).Seconds())
	if err == nil {
		r.metrics.recorded.Add(float64(b.events))
		r.mu.Lock()
		r.stats.Recorded += int64(b.events)
		r.pop(b, nil)
		r.mu.Unlock()
		return
	}
	if ctx.Err() != nil {
		return // stopping; the batch waits for whoever publishes next
	}
	r.metrics.failures.Inc()
	if b.tries++; b.tries == 1 {
		r.log.Warn("batch not published, trying again", "err", err, "events", b.events)
	}
	backoff := min(minBackoff<<min(b.tries-1, 10), maxBackoff)
	if unwritable := r.opts.Spool.Writable(); unwritable != nil || b.tries >= maxTries {
		r.refuse(err)
		backoff = max(backoff, maxBackoff/4)
	}
	timer := time.NewTimer(backoff)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case <-r.urgent:
			// A caller came in between. While the spool is known to be broken
			// it is told so; else it waits for its turn.
			if err := r.opts.Spool.Writable(); err != nil {
				r.refuse(err)
			}
		}
	}
}

// refuse tells all waiting callers that their events were not stored and takes
// those events out: a caller may send them again. What was recorded without a
// caller stays.
func (r *Recorder) refuse(err error) {
	err = unavailable(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := r.queue[:0]
	for _, b := range r.queue {
		r.cut(b, err)
		if b.events > 0 {
			kept = append(kept, b)
		} else {
			r.recycle(b)
		}
	}
	clear(r.queue[len(kept):])
	r.queue = kept
	r.freed()
}

// cut removes the parts of waiting callers from a batch. The batch keeps its id:
// if an attempt before did go through, with them, another one changes nothing.
func (r *Recorder) cut(b *batch, err error) {
	if len(b.parts) == 0 {
		return
	}
	end := event.HeadBytes
	at := event.HeadBytes
	for _, p := range b.parts {
		end += copy(b.payload[end:], b.payload[at:p.from])
		at = p.to
		b.events -= p.events
		p.waiter.finish(err)
	}
	end += copy(b.payload[end:], b.payload[at:])
	r.bytes -= len(b.payload) - end
	b.payload = b.payload[:end]
	event.EndBatch(b.payload, b.events)
	clear(b.parts)
	b.parts = b.parts[:0]
}

// drop gives up a batch. The caller holds mu.
func (r *Recorder) drop(b *batch, err error) {
	lost := b.events
	for _, p := range b.parts {
		lost -= p.events
	}
	r.stats.Dropped += int64(lost)
	r.metrics.dropped.Add(float64(lost))
	r.pop(b, unavailable(err))
}

// pop removes the first batch and tells its callers. The caller holds mu.
func (r *Recorder) pop(b *batch, err error) {
	for _, p := range b.parts {
		p.waiter.finish(err)
	}
	r.bytes -= len(b.payload) - event.HeadBytes
	copy(r.queue, r.queue[1:])
	r.queue[len(r.queue)-1] = nil
	r.queue = r.queue[:len(r.queue)-1]
	clear(b.parts)
	r.recycle(b)
	r.freed()
}

func (r *Recorder) recycle(b *batch) {
	if len(r.free) < 16 {
		r.free = append(r.free, b)
	}
}

// freed wakes those who wait for room. The caller holds mu.
func (r *Recorder) freed() {
	close(r.room)
	r.room = make(chan struct{})
}

// Flush returns once all that was recorded before is durable. It publishes by
// itself when [Recorder.Serve] doesn't run (any more). Part of an ordered stop:
// after the listeners are drained, before the spool is closed.
func (r *Recorder) Flush(ctx context.Context) error {
	r.mu.Lock()
	if len(r.queue) == 0 {
		r.mu.Unlock()
		return nil
	}
	// Batches are published in order, so the last one says that all are.
	w := &waiter{done: make(chan struct{})}
	last := r.queue[len(r.queue)-1]
	last.parts = append(last.parts, part{len(last.payload), len(last.payload), 0, w})
	r.mu.Unlock()
	signal(r.urgent)

	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	}
	r.resume()
	for {
		select {
		case <-w.done:
			return w.err
		default:
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b, _ := r.next(true)
		if b == nil {
			return w.wait(ctx)
		}
		r.survive(ctx, b)
	}
}

// survive publishes where no supervisor would catch a panic: one here would end
// the process in the middle of its ordered stop.
func (r *Recorder) survive(ctx context.Context, b *batch) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("publishing failed with a panic", "err", p)
			r.resume()
		}
	}()
	r.publish(ctx, b)
}

// Close refuses all events from now on. Call Flush before.
func (r *Recorder) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.freed()
}
