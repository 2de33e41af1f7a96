// Package spool keeps a node's events on its disk until every analytics node has
// taken them: one JetStream stream in an embedded NATS server of the node's own.
// The servers of a cluster don't form a JetStream cluster, which would lose its
// quorum, and our events, with a region.
//
// A stream is read by (node, incarnation, sequence). JetStream alone gives the
// sequence; it starts over, or repeats some, when the disk was lost or the tail
// of a file was. So each start of the server begins a new incarnation at the
// next sequence, whether something was lost or not: it costs an entry in the
// stream's metadata and makes it impossible that a new event hides behind an old
// sequence. See [Segment].
package spool

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

// The reasons why a spool can't be written.
var (
	// ErrFull: the stream reached MaxBytes, or the disk has less than MinFree
	// left. It ends by itself once readers take events or the disk is freed.
	ErrFull = errors.New("the spool is full")
	// ErrBroken: the server doesn't run or doesn't answer; it is started again
	// until it does.
	ErrBroken = errors.New("the spool doesn't work")
	// ErrClosed: after Close.
	ErrClosed = errors.New("the spool is closed")
)

// Options of a [Spool]. Zero values take the defaults.
type Options struct {
	Dir  string // of this spool alone; created if missing
	Node string // id of the node: letters, digits, '-' and '_'

	// MaxBytes bounds the stream; default 8 GiB. Near it, events that every
	// known reader has taken are removed early; after that, writing is refused.
	MaxBytes int64
	// MaxAge is how long events stay for readers that may be away; default
	// seven days, at least 72 h.
	MaxAge time.Duration
	// MinFree is the room on the disk below which writing is refused, so that
	// the catalog's files can still grow; default 256 MiB.
	MinFree int64
	Sync    Sync

	// Listen is the address at which readers on other nodes reach the server,
	// such as "10.0.0.1:7948"; port 0 takes a free one. Empty: none, the server
	// is reached in this process only. TLS is then required, and has to ask for
	// client certificates: whoever connects may read all.
	Listen string
	TLS    *tls.Config

	Logger     *slog.Logger          // nil: discarded
	Registerer prometheus.Registerer // nil: no metrics

	// Fault is called at the named steps of Serve, for tests that make it panic
	// or stall there; nil otherwise.
	Fault func(step string)
}

// Limits of time. A publish into a healthy spool takes well under a millisecond.
const (
	minAge        = 72 * time.Hour
	checkInterval = time.Second
	infoTimeout   = 2 * time.Second
	startTimeout  = time.Minute // recovery reads about 2 GB a second
	// A publish repeated within this time is recognised by its id. Beyond it
	// Publish looks at the end of the stream, so that the window needs not be
	// as long as an outage may be.
	duplicateWindow = 2 * time.Minute
	maxPayload      = 2 << 20
	// So many bytes may be written between two looks at the disk: a server that
	// meets a full one stops answering.
	roomInterval = 1 << 20
)

// Spool is a node's stream. It is safe for concurrent use; batches that must
// survive a repeated publish come from one publisher, one after the other.
type Spool struct {
	opts    Options
	log     *slog.Logger
	metrics *metrics
	lock    *os.File
	stream  string
	subject string

	running atomic.Pointer[session] // nil while the server doesn't run
	fault   atomic.Pointer[error]   // why writing is refused; nil: it isn't
	last    atomic.Uint64           // last sequence that we know of
	silent  atomic.Bool             // the server didn't answer a publish
	written atomic.Int64            // bytes since the disk was looked at
	check   chan struct{}           // holds one: look at the health now

	lifecycle sync.Mutex // guards starting and stopping the server
	closed    bool
	failures  int // starts in a row that failed

	mu        sync.Mutex // guards what follows
	readers   map[string]uint64
	state     jetstream.StreamState
	uncertain string // batch whose last publish has an open end
}

// Open starts the spool in o.Dir. A full disk or damaged files are no error: the
// spool is then not [Spool.Writable], and [Spool.Serve] repairs what it can.
// Another process on the same directory is an error.
func Open(o Options) (*Spool, error) {
	if o.Dir == "" || !validNode(o.Node) {
		return nil, fmt.Errorf("open spool: directory %q or node %q not usable", o.Dir, o.Node)
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 8 << 30
	}
	if o.MaxAge == 0 {
		o.MaxAge = 7 * 24 * time.Hour
	}
	o.MaxAge = max(o.MaxAge, minAge)
	if o.MinFree == 0 {
		o.MinFree = 256 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Fault == nil {
		o.Fault = func(string) {}
	}
	if o.Listen != "" && (o.TLS == nil || o.TLS.ClientAuth != tls.RequireAndVerifyClientCert) {
		return nil, errors.New("open spool: to listen, TLS with client certificates is required")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	lock, err := lockFile(filepath.Join(o.Dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("open spool %q: %w", o.Dir, err)
	}
	s := &Spool{
		opts:    o,
		log:     o.Logger.With("component", "spool"),
		lock:    lock,
		stream:  StreamName(o.Node),
		subject: subjectOf(o.Node),
		check:   make(chan struct{}, 1),
		readers: map[string]uint64{},
	}
	s.metrics = newMetrics(o.Registerer, s)
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	if err := s.start(context.Background()); err != nil {
		s.log.Error("spool not started, trying again", "err", err)
	}
	return s, nil
}

// StreamName is the name of a node's stream.
func StreamName(node string) string { return "events-" + node }

func subjectOf(node string) string { return "events." + node }

func validNode(id string) bool {
	for _, c := range id {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return id != "" && len(id) <= 128
}

// Writable says why nothing can be published now; nil when it can. It doesn't
// wait.
func (s *Spool) Writable() error {
	if fault := s.fault.Load(); fault != nil {
		return *fault
	}
	return nil
}

// block refuses writing from now on; nil allows it.
func (s *Spool) block(err error) {
	before := s.fault.Load()
	if err == nil {
		if before != nil && s.fault.CompareAndSwap(before, nil) {
			s.log.Info("spool writable")
		}
		return
	}
	s.fault.Store(&err)
	if before == nil {
		s.log.Error("spool not writable: downloads go on, events may get lost", "err", err)
	}
}

// incarnationHeader carries the incarnation on each message, beside the
// stream's metadata, which tells it for ranges.
const incarnationHeader = "Tallygate-Incarnation"

// Publish appends one batch and returns its sequence once JetStream has it (on
// disk with [Sync.Always], else with the operating system). After an error it
// may have been stored or not; published again under the same id it counts once.
func (s *Spool) Publish(ctx context.Context, batchID string, payload []byte) (uint64, error) {
	if err := s.Writable(); err != nil {
		return 0, err
	}
	run := s.running.Load()
	if run == nil {
		return 0, ErrBroken
	}
	if s.written.Add(int64(len(payload))) > roomInterval {
		s.written.Store(0)
		if err := s.room(); err != nil {
			s.block(err)
			return 0, err
		}
	}
	s.mu.Lock()
	again := s.uncertain == batchID
	s.mu.Unlock()
	if again {
		if sequence, ok := s.storedLast(ctx, run, batchID); ok {
			return sequence, nil
		}
	}
	msg := &nats.Msg{Subject: s.subject, Data: payload, Header: nats.Header{incarnationHeader: {run.incarnation}}}
	ack, err := run.js.PublishMsg(ctx, msg, jetstream.WithMsgID(batchID), jetstream.WithExpectStream(s.stream), jetstream.WithRetryAttempts(0))
	if err != nil {
		s.mu.Lock()
		s.uncertain = batchID
		s.mu.Unlock()
		if fault := publishFault(err); fault != nil {
			s.block(fault)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			// After a failed write the server leaves every publish without an
			// answer until it is started again, also when there is room again.
			s.silent.Store(true)
			s.block(fmt.Errorf("%w: a publish got no answer", ErrBroken))
		}
		signal(s.check)
		return 0, fmt.Errorf("publish batch: %w", err)
	}
	s.last.Store(ack.Sequence)
	return ack.Sequence, nil
}

// storedLast says whether the stream ends with the batch. With one publisher
// that repeats a batch until it succeeds, nothing else can follow it.
func (s *Spool) storedLast(ctx context.Context, run *session, batchID string) (uint64, bool) {
	stream, err := run.js.Stream(ctx, s.stream)
	if err != nil {
		return 0, false
	}
	msg, err := stream.GetLastMsgForSubject(ctx, s.subject)
	if err != nil || msg.Header.Get(jetstream.MsgIDHeader) != batchID {
		return 0, false
	}
	return msg.Sequence, true
}

// publishFault tells the errors that won't pass by trying again at once.
func publishFault(err error) error {
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api) && (api.ErrorCode == 10077 || api.ErrorCode == 10023 || api.ErrorCode == 10047):
		// Maximum bytes exceeded; insufficient resources; storage exceeded.
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrConnectionClosed):
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return nil
}

// Taken says that a reader has stored everything up to the sequence, of the
// present incarnations of the stream. Readers are forgotten when the server
// starts again, and tell us anew.
func (s *Spool) Taken(reader string, sequence uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers[reader] = sequence
}

// slowest returns what all known readers have taken; none known: nothing. The
// caller holds mu.
func (s *Spool) slowest() (sequence uint64, known bool) {
	for _, taken := range s.readers {
		if !known || taken < sequence {
			sequence, known = taken, true
		}
	}
	return sequence, known
}

// Pending is the number of messages that the slowest known reader hasn't taken,
// or all when no reader is known.
func (s *Spool) Pending() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken, _ := s.slowest()
	last := max(s.last.Load(), s.state.LastSeq)
	taken = max(taken, max(s.state.FirstSeq, 1)-1)
	if last <= taken {
		return 0
	}
	return last - taken
}

// Status is the state of the spool, at most a second old.
type Status struct {
	Stream      string
	Incarnation string
	Err         error // why it can't be written
	Messages    uint64
	Bytes       uint64
	First, Last uint64 // sequences
	Pending     uint64
}

// Status returns the present state from memory.
func (s *Spool) Status() Status {
	st := Status{Stream: s.stream, Err: s.Writable(), Pending: s.Pending()}
	if run := s.running.Load(); run != nil {
		st.Incarnation = run.incarnation
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Messages, st.Bytes, st.First = s.state.Msgs, s.state.Bytes, s.state.FirstSeq
	st.Last = max(s.last.Load(), s.state.LastSeq)
	return st
}

// Addr is the address that the server listens at, or empty.
func (s *Spool) Addr() string {
	run := s.running.Load()
	if run == nil || s.opts.Listen == "" {
		return ""
	}
	return run.server.Addr().String()
}

// Close stops the server; what was acknowledged stays. Publishers and readers
// get errors from then on.
func (s *Spool) Close(context.Context) error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	closed := ErrClosed
	s.fault.Store(&closed)
	s.stop()
	return s.lock.Close()
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
