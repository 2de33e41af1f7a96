package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

// origin is what the demo's packages are hosted on: a registry under /v2/, files
// under /releases/ and a Python index under /simple/.
type origin struct {
	Addr string

	server *http.Server
}

// startOrigin serves the origin on the address, or on another port of the host
// if that one is taken.
func startOrigin(addr string) (*origin, error) {
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		var host string
		if host, _, err = net.SplitHostPort(addr); err == nil {
			listener, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listen for the demo's origin: %w", err)
	}
	project, err := newProject()
	if err != nil {
		listener.Close()
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/v2/", registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	mux.HandleFunc("GET /releases/{version}/{file}", serveRelease)
	project.register(mux)

	o := &origin{
		Addr:   listener.Addr().String(),
		server: &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second},
	}
	go o.server.Serve(listener) //nolint:errcheck // ends with Close
	if err := pushImage(o.Addr); err != nil {
		o.Close()
		return nil, fmt.Errorf("fill the demo's registry: %w", err)
	}
	return o, nil
}

// Close stops the origin at once.
func (o *origin) Close() { o.server.Close() } //nolint:errcheck // nothing is lost
