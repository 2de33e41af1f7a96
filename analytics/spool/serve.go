package spool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// Beyond this share of MaxBytes what every known reader has taken is
	// removed, down to the lower share.
	highWater, lowWater = 0.8, 0.6
	// Within this of MaxBytes the stream counts as full: a batch may not fit.
	fullMargin = 1 << 20
	// So many checks without an answer, and the server is started again.
	maxSilence = 3
	// So many starts that failed with room on the disk, and the files are set
	// aside as damaged.
	maxFailures = 5
)

// Serve watches the server and the disk until ctx ends: it starts the server
// again when it stopped working, refuses writing before the disk is full, and
// allows it again afterwards. The server itself outlives Serve; see
// [Spool.Close].
func (s *Spool) Serve(ctx context.Context) error {
	silent := 0
	for {
		s.opts.Fault("check")
		wait := checkInterval
		if run := s.running.Load(); run == nil {
			wait = s.restart(ctx)
		} else if err := s.inspect(ctx, run); err == nil {
			silent = 0
		} else if ctx.Err() == nil {
			silent++
			if silent >= maxSilence || errors.Is(err, errUnanswered) {
				silent = 0
				s.silent.Store(false)
				s.log.Error("spool doesn't work, starting it again", "err", err)
				s.block(fmt.Errorf("%w: %w", ErrBroken, err))
				s.lifecycle.Lock()
				s.stop()
				s.lifecycle.Unlock()
				wait = 0
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.check:
			timer.Stop()
			// Not more often than every 50 ms, however many publishes fail.
			timer.Reset(50 * time.Millisecond)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// restart tries to start the server and returns how long to wait then.
func (s *Spool) restart(ctx context.Context) time.Duration {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	if s.closed {
		return time.Hour
	}
	s.metrics.restarts.Inc()
	err := s.start(ctx)
	if err == nil || ctx.Err() != nil {
		return 0
	}
	s.failures++
	s.log.Error("spool not started, trying again", "err", err)
	if s.failures%maxFailures == 0 && s.room() == nil {
		s.setAside()
	}
	return min(time.Duration(s.failures)*200*time.Millisecond, 5*time.Second)
}

// errUnanswered: the server seems well but doesn't acknowledge.
var errUnanswered = errors.New("a publish got no answer")

// inspect looks at the stream and decides whether it can be written.
func (s *Spool) inspect(ctx context.Context, run *session) error {
	if err := s.room(); err != nil {
		s.block(err)
		return nil
	}
	if s.silent.Load() || !run.server.JetStreamEnabled() {
		return errUnanswered
	}
	ctx, cancel := context.WithTimeout(ctx, infoTimeout)
	defer cancel()
	stream, err := run.js.Stream(ctx, s.stream)
	if err != nil {
		return fmt.Errorf("inspect stream: %w", err)
	}
	info := stream.CachedInfo()
	if float64(info.State.Bytes) > highWater*float64(s.opts.MaxBytes) {
		if s.purge(ctx, stream, info.State) {
			if info, err = stream.Info(ctx); err != nil {
				return fmt.Errorf("inspect stream: %w", err)
			}
		}
	}
	s.mu.Lock()
	s.state = info.State
	s.mu.Unlock()
	if info.State.Bytes+min(fullMargin, uint64(s.opts.MaxBytes)/10) > uint64(s.opts.MaxBytes) {
		s.block(fmt.Errorf("%w: %d MiB wait for readers", ErrFull, info.State.Bytes>>20))
		return nil
	}
	s.block(nil)
	return nil
}

// purge removes the oldest messages that every known reader has taken, until the
// stream is at the low water mark. Messages are taken to be of one size.
func (s *Spool) purge(ctx context.Context, stream jetstream.Stream, state jetstream.StreamState) bool {
	s.mu.Lock()
	taken, known := s.slowest()
	s.mu.Unlock()
	if !known || state.Msgs == 0 || taken < state.FirstSeq {
		return false
	}
	excess := 1 - lowWater*float64(s.opts.MaxBytes)/float64(state.Bytes)
	upTo := min(state.FirstSeq+uint64(excess*float64(state.Msgs)), taken)
	if err := stream.Purge(ctx, jetstream.WithPurgeSequence(upTo+1)); err != nil {
		s.log.Error("spool not purged", "err", err)
		return false
	}
	s.log.Info("spool purged of what all readers have taken", "sequence", upTo)
	return true
}
