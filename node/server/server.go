// Package server runs one HTTP or HTTPS listener as an actor: it binds before it serves,
// so that a taken port is an error of the start; it binds again after a panic of
// its accept loop; and it drains.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/thejerf/suture/v4"
)

// Options say what to serve and where.
type Options struct {
	Name    string // for logs: "gateway"
	Network string // "tcp" or "unix"
	Address string
	Mode    os.FileMode // of a unix socket
	Handler http.Handler
	Logger  *slog.Logger

	// Certificates, if any, makes it HTTPS, with HTTP/2 beside HTTP/1.1. A
	// request's TLS field is then set.
	Certificates Certificates

	// Hook, if any, is called in the accept loop: tests panic and stall there.
	Hook func(point string)
}

// Server is one listener. Bind, then let a supervisor run Serve; Drain ends it.
type Server struct {
	opts Options

	mu       sync.Mutex // guards what follows
	listener net.Listener
	http     *http.Server
	address  string // as bound: a port 0 has become a real one
	draining bool
}

// New makes a server that is not bound yet.
func New(opts Options) *Server {
	if opts.Hook == nil {
		opts.Hook = func(string) {}
	}
	return &Server{opts: opts, address: opts.Address}
}

// SetHandler sets what is served, for a handler that needs the bound address.
// Call it before Serve.
func (s *Server) SetHandler(h http.Handler) { s.opts.Handler = h }

// Bind takes the address.
func (s *Server) Bind() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bind()
}

func (s *Server) bind() error {
	if s.opts.Network == "unix" {
		// A socket file left by a killed process would refuse the address.
		if err := os.Remove(s.address); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	l, err := net.Listen(s.opts.Network, s.address)
	if err != nil {
		return fmt.Errorf("listen for %s: %w", s.opts.Name, err)
	}
	if s.opts.Network == "unix" {
		if err := os.Chmod(s.address, s.opts.Mode); err != nil {
			l.Close()
			return err
		}
	}
	s.listener, s.address = l, l.Addr().String()
	return nil
}

// Address is where the server listens.
func (s *Server) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// Listening says whether the listener is open.
func (s *Server) Listening() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listener != nil && !s.draining
}

// String names the actor in the supervisor's log.
func (s *Server) String() string { return "server " + s.opts.Name }

// Serve accepts connections until the context ends or the server is drained.
func (s *Server) Serve(ctx context.Context) error {
	s.mu.Lock()
	if s.draining {
		s.mu.Unlock()
		return suture.ErrDoNotRestart
	}
	if s.listener == nil {
		if err := s.bind(); err != nil {
			s.mu.Unlock()
			return err
		}
	}
	l := s.listener
	srv := &http.Server{
		Handler:           recovered(s.opts.Handler, s.opts.Logger),
		ReadHeaderTimeout: 10 * time.Second, // bounds TLS handshakes, too
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		// Its messages name client addresses, which must not reach a log.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	s.http = srv
	s.mu.Unlock()

	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	// After a panic below the next Serve binds again; connections that are open
	// live on in goroutines of their own.
	defer func() {
		l.Close()
		s.mu.Lock()
		if s.listener == l {
			s.listener = nil
		}
		s.mu.Unlock()
	}()
	accept := &hooked{Listener: l, hook: s.opts.Hook}
	var err error
	if s.opts.Certificates != nil {
		srv.TLSConfig = tlsConfig(s.opts.Certificates)
		err = srv.ServeTLS(accept, "", "")
	} else {
		err = srv.Serve(accept)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, http.ErrServerClosed) {
		return suture.ErrDoNotRestart // drained
	}
	return err
}

// Drain stops accepting and waits for requests under way, at most until the
// context ends; then it closes their connections.
func (s *Server) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	srv, l := s.http, s.listener
	s.mu.Unlock()
	if srv == nil {
		if l != nil {
			return l.Close()
		}
		return nil
	}
	err := srv.Shutdown(ctx)
	if err != nil {
		return errors.Join(err, srv.Close())
	}
	return nil
}

// hooked calls the hook before each accept.
type hooked struct {
	net.Listener
	hook func(string)
}

func (l *hooked) Accept() (net.Conn, error) {
	l.hook("accept")
	return l.Listener.Accept()
}

// recovered answers 500 for a handler's panic. net/http would do so too, but
// writes the client's address into its log.
func recovered(h http.Handler, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler { //nolint:errorlint // a sentinel that net/http compares so too
				panic(p)
			}
			logger.Error("handler panicked", "method", r.Method, "host", r.Host, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			w.WriteHeader(http.StatusInternalServerError)
		}()
		h.ServeHTTP(w, r)
	})
}
