package origin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Options are the settings of a [Pool]. The zero value is right for a node on
// the public internet.
type Options struct {
	// AllowPrivate lets connections go to private addresses.
	AllowPrivate bool

	// Resolver looks up the names of origins. Nil: the system's.
	Resolver *net.Resolver

	// RootCAs sign the certificates of origins. Nil: the system's.
	RootCAs *x509.CertPool

	// ConnectTimeout bounds the TCP connection and, again, the TLS handshake.
	// Zero: 5 s.
	ConnectTimeout time.Duration

	// HeaderTimeout bounds the time from a request to the header of its answer,
	// waiting for a free connection included. Zero: 20 s.
	HeaderTimeout time.Duration

	// IdleTimeout bounds the wait for the next byte of a body. Zero: 30 s.
	IdleTimeout time.Duration

	// CheckInterval is the time between two checks of a watched origin that is
	// up. Zero: 10 s.
	CheckInterval time.Duration

	Logger     *slog.Logger          // nil: none
	Registerer prometheus.Registerer // nil: metrics are kept but not registered
}

// Limits of one node's connections to its origins.
const (
	maxConnsPerOrigin     = 512 // of HTTP/1.1 one for each request at a time, a streamed blob's included
	maxIdleConnsPerOrigin = 64
	maxIdleConns          = 1024
	maxHeaderBytes        = 64 << 10 // of an answer; registries' signed URLs stay under 8 KiB
)

// Pool holds the connections to origins and what is known of their health. It is
// safe for concurrent use.
type Pool struct {
	opts    Options
	logger  *slog.Logger
	metrics *metrics
	base    *http.Transport
	health  health
	watched watchList
}

// New makes a pool. Connections are made as they are needed; [Pool.Serve] runs
// the checks of watched origins.
func New(opts Options) *Pool {
	setDefault(&opts.ConnectTimeout, 5*time.Second)
	setDefault(&opts.HeaderTimeout, 20*time.Second)
	setDefault(&opts.IdleTimeout, 30*time.Second)
	setDefault(&opts.CheckInterval, 10*time.Second)
	logger := opts.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	p := &Pool{opts: opts, logger: logger.With("component", "origin")}
	p.metrics = newMetrics(opts.Registerer, &p.health)
	p.watched.changed = make(chan struct{}, 1)

	dialer := &net.Dialer{
		Timeout:   opts.ConnectTimeout,
		KeepAlive: 30 * time.Second,
		Resolver:  opts.Resolver,
	}
	if !opts.AllowPrivate {
		dialer.ControlContext = guard
	}
	p.base = &http.Transport{
		// No Proxy: behind one the address check would see the proxy's address
		// and the origin's name would be resolved out of sight.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			p.metrics.connections.Inc()
			return &countedConn{Conn: conn, gauge: p.metrics.connections}, nil
		},
		TLSClientConfig:        &tls.Config{RootCAs: opts.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    opts.ConnectTimeout,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
		MaxConnsPerHost:        maxConnsPerOrigin,
		MaxIdleConnsPerHost:    maxIdleConnsPerOrigin,
		MaxIdleConns:           maxIdleConns,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ExpectContinueTimeout:  time.Second,
		// Bodies pass as they are: an artifact's digest is over its bytes.
		DisableCompression: true,
	}
	return p
}

// Transport carries requests to origins and reports their outcome to the pool's
// health. It follows no redirect; see [Next]. A request ends with an error that
// is [ErrPrivateAddress] or [ErrTimeout] where one of these was the cause. Bodies
// must be closed, as always.
func (p *Pool) Transport() http.RoundTripper { return (*transport)(p) }

// CloseIdle closes the connections that carry no request.
func (p *Pool) CloseIdle() { p.base.CloseIdleConnections() }

func setDefault(d *time.Duration, value time.Duration) {
	if *d <= 0 {
		*d = value
	}
}
