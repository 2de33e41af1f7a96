package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// session is one run of the embedded server.
type session struct {
	server      *server.Server
	conn        *nats.Conn
	js          jetstream.JetStream
	incarnation string
}

func (s *Spool) storeDir() string { return filepath.Join(s.opts.Dir, "nats") }

// start runs the server and opens the stream. The caller holds lifecycle.
func (s *Spool) start(ctx context.Context) (err error) {
	if s.closed {
		return ErrClosed
	}
	if err := s.room(); err != nil {
		s.block(err)
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	run := &session{incarnation: uuid.NewString()}
	defer func() {
		if err != nil {
			run.stop()
			s.block(fmt.Errorf("%w: %w", ErrBroken, err))
		}
	}()
	if err := s.startServer(run); err != nil {
		return err
	}
	state, err := s.openStream(ctx, run)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.state = state
	clear(s.readers)
	s.mu.Unlock()
	s.last.Store(state.LastSeq)
	s.running.Store(run)
	s.failures = 0
	s.block(nil)
	s.log.Info("spool open", "stream", s.stream, "incarnation", run.incarnation, "messages", state.Msgs, "sequence", state.LastSeq)
	return nil
}

func (s *Spool) startServer(run *session) error {
	opts := &server.Options{
		ServerName: "tallygate-" + s.opts.Node,
		DontListen: true, // reached in this process only
		NoSigs:     true,
		JetStream:  true,
		StoreDir:   s.storeDir(),
		MaxPayload: maxPayload,
		// The stream's own limit is what counts; this one only has to be above.
		JetStreamMaxStore:  s.opts.MaxBytes + s.opts.MaxBytes/8 + 64<<20,
		JetStreamMaxMemory: 64 << 20,
		SyncAlways:         s.opts.Sync.Always,
		SyncInterval:       s.opts.Sync.Interval,
	}
	if s.opts.Listen != "" {
		if err := s.listen(opts); err != nil {
			return err
		}
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("create server: %w", err)
	}
	run.server = srv
	srv.SetLoggerV2(serverLog{s.log}, false, false, false)
	srv.Start()
	if !srv.ReadyForConnections(startTimeout) || !srv.JetStreamEnabled() {
		return errors.New("the server doesn't get ready")
	}
	conn, err := nats.Connect("", nats.InProcessServer(srv), nats.Name("recorder"),
		nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond), nats.ReconnectJitter(0, 0),
		// What is sent while not connected must fail, not wait in a buffer.
		nats.ReconnectBufSize(-1), nats.ErrorHandler(s.asyncError))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	run.conn = conn
	run.js, err = jetstream.New(conn)
	return err
}

// listen lets the server take connections from other nodes. TLS comes before the
// protocol's first line, so that a scanner learns nothing.
func (s *Spool) listen(opts *server.Options) error {
	host, port, err := net.SplitHostPort(s.opts.Listen)
	if err != nil {
		return fmt.Errorf("listen at %q: %w", s.opts.Listen, err)
	}
	opts.Port, err = strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("listen at %q: %w", s.opts.Listen, err)
	}
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	opts.Host, opts.DontListen = host, false
	opts.TLSConfig, opts.TLSVerify, opts.TLSHandshakeFirst = s.opts.TLS, true, true
	opts.TLSTimeout = 5
	return nil
}

// openStream makes or opens the stream and begins a new incarnation.
func (s *Spool) openStream(ctx context.Context, run *session) (state jetstream.StreamState, err error) {
	var segments []Segment
	stream, err := run.js.Stream(ctx, s.stream)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
	case err != nil:
		return state, fmt.Errorf("open stream: %w", err)
	default:
		info, err := stream.Info(ctx)
		if err != nil {
			return state, fmt.Errorf("open stream: %w", err)
		}
		state = info.State
		if segments, err = Segments(info.Config.Metadata); err != nil {
			s.log.Error("incarnations of the spool lost, readers start at its beginning", "err", err)
			segments = nil
		}
	}
	segments = advance(segments, state, run.incarnation)
	config := jetstream.StreamConfig{
		Name:       s.stream,
		Subjects:   []string{s.subject},
		Storage:    jetstream.FileStorage,
		Retention:  jetstream.LimitsPolicy,
		Discard:    jetstream.DiscardNew, // never the oldest: somebody may lack it
		MaxBytes:   s.opts.MaxBytes,
		MaxAge:     s.opts.MaxAge,
		Duplicates: duplicateWindow,
		Metadata:   map[string]string{segmentsKey: formatSegments(segments)},
	}
	if _, err = run.js.CreateOrUpdateStream(ctx, config); err != nil {
		return state, fmt.Errorf("create stream: %w", err)
	}
	return state, nil
}

func (run *session) stop() {
	if run.conn != nil {
		run.conn.Close()
	}
	if run.server != nil {
		run.server.Shutdown()
		run.server.WaitForShutdown()
	}
}

// stop ends the present run. The caller holds lifecycle.
func (s *Spool) stop() {
	if run := s.running.Swap(nil); run != nil {
		run.stop()
	}
}

// Connect opens a connection for a reader. It ends with the present run of the
// server; a reader then connects again and looks at the segments anew.
func (s *Spool) Connect(name string) (*nats.Conn, error) {
	run := s.running.Load()
	if run == nil {
		return nil, ErrBroken
	}
	return nats.Connect("", nats.InProcessServer(run.server), nats.Name(name), nats.NoReconnect(), nats.ErrorHandler(s.asyncError))
}

// asyncError logs what a connection can't return to a caller.
func (s *Spool) asyncError(conn *nats.Conn, _ *nats.Subscription, err error) {
	s.log.Warn("nats connection", "consumer", conn.Opts.Name, "err", err)
}

// room says whether the disk has enough left.
func (s *Spool) room() error {
	free, err := freeBytes(s.opts.Dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if free < s.opts.MinFree {
		return fmt.Errorf("%w: %d MiB left on the disk", ErrFull, free>>20)
	}
	return nil
}

// setAside moves files that the server can't open out of the way. They stay for
// a person to look at.
func (s *Spool) setAside() {
	to := fmt.Sprintf("%s.damaged-%s", s.storeDir(), time.Now().UTC().Format("20060102T150405"))
	if err := os.Rename(s.storeDir(), to); err != nil {
		s.log.Error("damaged spool can't be moved", "err", err)
		return
	}
	s.metrics.damaged.Inc()
	s.log.Error("spool damaged: its files were moved, events not yet read are in them", "path", to)
}

func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free space of %q: %w", dir, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// lockFile takes an exclusive lock that ends with the process: a second server
// on the same files would destroy them.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("in use by another process: %w", err)
	}
	return f, nil
}

// serverLog passes the server's log on. Its notices are of no use to operators.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Noticef(format string, v ...any) { l.print(slog.LevelDebug, format, v) }
func (l serverLog) Debugf(format string, v ...any)  { l.print(slog.LevelDebug, format, v) }
func (l serverLog) Tracef(format string, v ...any)  { l.print(slog.LevelDebug, format, v) }
func (l serverLog) Warnf(format string, v ...any)   { l.print(slog.LevelWarn, format, v) }
func (l serverLog) Errorf(format string, v ...any)  { l.print(slog.LevelError, format, v) }

// Fatalf doesn't end the process: a node without a spool still serves.
func (l serverLog) Fatalf(format string, v ...any) { l.print(slog.LevelError, format, v) }

func (l serverLog) print(level slog.Level, format string, v []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "nats server", "detail", fmt.Sprintf(format, v...))
	}
}
