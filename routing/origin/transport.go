package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// ErrTimeout is the error of a request or a body that an origin left waiting
// for too long. It reports Timeout as a [net.Error].
var ErrTimeout error = timeoutError{}

type timeoutError struct{}

func (timeoutError) Error() string   { return "origin took too long" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

// ErrScheme is returned for a URL that is neither http nor https.
var ErrScheme = errors.New("origin URL is neither http nor https")

// transport is the pool as a [http.RoundTripper].
type transport Pool

// RoundTrip sends one request.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	p := (*Pool)(t)
	if req.URL.Scheme != "https" && req.URL.Scheme != "http" {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, fmt.Errorf("%w: %q", ErrScheme, req.URL.Scheme)
	}
	start := time.Now()
	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(p.opts.HeaderTimeout, func() { cancel(ErrTimeout) })
	var connected atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	resp, err := p.base.RoundTrip(req.WithContext(traced))
	timer.Stop()
	if err != nil {
		err = timedOut(ctx, err)
		late := errors.Is(context.Cause(ctx), ErrTimeout) // by the bound on all of it, not one on a step
		cancel(nil)
		p.observe(0, err, time.Since(start))
		switch {
		case req.Context().Err() != nil:
			// The client went away, which says nothing of the origin.
		case late && !connected.Load():
			// All connections were busy, with clients that take their time
			// perhaps. A dial that hangs has a bound of its own.
		default:
			p.Failed(req.URL.Host, err)
		}
		return nil, err
	}
	p.observe(resp.StatusCode, nil, time.Since(start))
	if healthy(resp.StatusCode) {
		p.Succeeded(req.URL.Host)
	} else {
		p.Failed(req.URL.Host, statusError(resp.StatusCode))
	}
	resp.Request = req // without our context: callers compare and reuse it
	resp.Body = &body{inner: resp.Body, ctx: ctx, cancel: cancel, wait: p.opts.IdleTimeout}
	return resp, nil
}

// observe counts one exchange.
func (p *Pool) observe(status int, err error, elapsed time.Duration) {
	p.metrics.requests.WithLabelValues(outcome(status, err)).Inc()
	if err == nil {
		p.metrics.wait.Observe(elapsed.Seconds())
	}
}

// healthy says whether an answer shows a working origin. 501 and 505 are a
// server's considered opinion of the request.
func healthy(status int) bool {
	return status < 500 || status == http.StatusNotImplemented || status == http.StatusHTTPVersionNotSupported
}

type statusError int

func (e statusError) Error() string { return fmt.Sprintf("origin answered %d", int(e)) }

// timedOut makes err an [ErrTimeout] if a bound of ours or of the dialler was
// its cause.
func timedOut(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), ErrTimeout) {
		return ErrTimeout
	}
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}

// body bounds the wait for each read, and releases the request's context at the
// end. Only time spent in Read counts: a slow client is not the origin's fault.
type body struct {
	inner  io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	wait   time.Duration
	timer  *time.Timer // made by the first Read; most bodies need one or two
	once   sync.Once
}

func (b *body) Read(p []byte) (int, error) {
	if b.timer == nil {
		b.timer = time.AfterFunc(b.wait, func() { b.cancel(ErrTimeout) })
	} else {
		b.timer.Reset(b.wait)
	}
	n, err := b.inner.Read(p)
	b.timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = timedOut(b.ctx, err)
	}
	return n, err
}

func (b *body) Close() error {
	err := b.inner.Close()
	b.once.Do(func() { b.cancel(nil) })
	return err
}

// countedConn is a connection that a gauge counts until it is closed.
type countedConn struct {
	net.Conn
	gauge  prometheus.Gauge
	closed atomic.Bool
}

func (c *countedConn) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.gauge.Dec()
	}
	return c.Conn.Close()
}
