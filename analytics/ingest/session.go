package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"tallygate/analytics/spool"
	"tallygate/analytics/store"
	"tallygate/routing/event"
)

// received is a message with what the store doesn't need.
type received struct {
	message store.Message
	payload []byte
	pending uint64
}

// errGap ends a session in which messages are missing, for a second look.
var errGap = errors.New("messages are missing")

// The pull of a session.
const (
	// fetchAhead is the number of messages fetched while a transaction runs;
	// of 256 events each, they take about 11 MB.
	fetchAhead = 128
	heartbeat  = 2 * time.Second
	setupTime  = 10 * time.Second
)

// session connects, finds the place to read from and reads until something
// fails. A consumer of the client's own that recovers by itself would not do: it
// would ask for a sequence that a stream without its tail doesn't have, and wait
// there while new events pass below it.
func (r *Reader) session(ctx context.Context) error {
	r.opts.Fault("session")
	conn, err := r.opts.Connect()
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	setup, cancel := context.WithTimeout(ctx, setupTime)
	defer cancel()
	stream, err := js.Stream(setup, r.opts.Stream)
	if err != nil {
		return fmt.Errorf("open stream: %w", err)
	}
	info := stream.CachedInfo()
	segments, err := spool.Segments(info.Config.Metadata)
	if err != nil {
		return err
	}
	offsets, err := r.opts.Store.Offsets(setup, r.opts.Node)
	if err != nil {
		return fmt.Errorf("read position: %w", err)
	}
	place := locate(segments, info.State.FirstSeq, offsets)
	if place.missing > 0 && r.gap != place.next {
		r.gap = place.next
		r.lost(place.next-place.missing, place.next)
	}
	consumer, err := stream.CreateConsumer(setup, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       place.next,
		AckPolicy:         jetstream.AckNonePolicy,
		MemoryStorage:     true,
		InactiveThreshold: time.Minute,
	})
	if err != nil {
		return fmt.Errorf("create consumer at %d: %w", place.next, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(fetchAhead),
		jetstream.PullHeartbeat(heartbeat), jetstream.PullExpiry(10*heartbeat), jetstream.WithMessagesErrOnMissingHeartbeat(true))
	if err != nil {
		return fmt.Errorf("read stream: %w", err)
	}
	r.update(func(s *Status) {
		s.Sequence, s.Err = place.next-1, nil
		s.Pending = info.State.LastSeq - min(info.State.LastSeq, place.next-1)
	})
	if r.opts.Taken != nil {
		r.opts.Taken(place.next - 1)
	}
	r.log.Debug("reading", "sequence", place.next)

	// Next knows no timers: another goroutine waits in it, and is over before
	// we return.
	ctx, stop := context.WithCancel(ctx)
	feed := make(chan jetstream.Msg, 16)
	failed := make(chan error, 1)
	go func() {
		defer close(feed)
		for {
			msg, err := messages.Next(jetstream.NextContext(ctx))
			if err != nil {
				failed <- err
				return
			}
			select {
			case feed <- msg:
			case <-ctx.Done():
				failed <- ctx.Err()
				return
			}
		}
	}()
	defer func() {
		stop()
		messages.Stop()
		for range feed { // ends when the goroutine does
		}
	}()
	return r.read(ctx, feed, failed, segments, place.next)
}

// read collects batches and commits them. At low rates a message is committed as
// it comes; while a transaction runs, and for the rest of Interval, messages
// gather for the next.
func (r *Reader) read(ctx context.Context, feed <-chan jetstream.Msg, failed <-chan error, segments []spool.Segment, next uint64) error {
	var begun time.Time // of the last transaction
	for {
		msg, open := <-feed
		if !open {
			return <-failed
		}
		var batch []received
		rows, size := 0, 0
		var end error
		timer := time.NewTimer(r.opts.Interval - time.Since(begun))
		waiting := true
		for open && end == nil {
			var m received
			if m, end = r.receive(msg, segments, next); end == nil && m.message.Sequence >= next {
				next = m.message.Sequence + 1
				batch = append(batch, m)
				rows += len(m.message.Events)
				size += len(m.payload)
			}
			if end != nil || rows >= r.opts.MaxRows || size >= r.opts.MaxBytes {
				break
			}
			if waiting {
				select {
				case msg, open = <-feed:
					continue
				case <-timer.C:
					waiting = false
				}
			}
			select {
			case msg, open = <-feed:
				continue
			default:
			}
			break
		}
		timer.Stop()
		begun = time.Now()
		if len(batch) > 0 {
			if err := r.commit(ctx, batch); err != nil {
				return err
			}
		}
		if end != nil {
			return end
		}
	}
}

// receive reads one message. A gap before it is silent: JetStream delivers what
// it has. The first time, the session ends, to look again with a new one; what is
// missing then is lost.
func (r *Reader) receive(msg jetstream.Msg, segments []spool.Segment, next uint64) (received, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return received{}, fmt.Errorf("read message: %w", err)
	}
	sequence := meta.Sequence.Stream
	if sequence > next {
		if r.gap != sequence {
			r.gap = sequence
			return received{}, errGap
		}
		r.lost(next, sequence)
	}
	incarnation, err := uuid.Parse(spool.IncarnationOf(msg.Headers()))
	if err != nil {
		incarnation = incarnationAt(segments, sequence)
	}
	m := received{
		message: store.Message{Node: r.opts.Node, Incarnation: incarnation, Sequence: sequence},
		payload: msg.Data(),
		pending: meta.NumPending,
	}
	if m.message.Events, err = event.DecodeBatch(msg.Data()); err != nil {
		m.message.Unreadable, m.message.Reason = msg.Data(), err.Error()
	}
	return m, nil
}
