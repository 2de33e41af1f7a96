// Package node is the process: it fits catalog, consensus, routing, analytics and
// pages together, starts them in order, and stops them in the opposite one. It is
// the only package that knows who is who.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/thejerf/suture/v4"

	"tallygate/analytics"
	"tallygate/cluster/catalog"
	"tallygate/cluster/consensus"
	"tallygate/node/access"
	"tallygate/node/config"
	"tallygate/node/lifecycle"
	"tallygate/node/publish"
	"tallygate/node/server"
)

// How long the parts of a stop may take, together.
const stopTimeout = 30 * time.Second

// Node is one running node. New, then Start and Stop, or Run for both.
type Node struct {
	settings *config.Settings
	logger   *slog.Logger
	registry *prometheus.Registry
	hook     func(point string)

	id      string
	started time.Time

	catalog   *catalog.Store
	consensus *consensus.Consensus
	publisher *publish.Publisher
	analytics *analytics.Analytics
	access    *access.Control
	gateway   *server.Server
	secure    *server.Server // the gateway over HTTPS; nil: off
	admin     *server.Server
	socket    *server.Server

	stack *lifecycle.Stack
}

// Option changes a node from what `tallygate run` makes.
type Option func(*Node)

// WithHook calls a function at named points of every actor's loop, where a test
// may panic or stall: "publish", "gateway accept", "spool", …
func WithHook(hook func(point string)) Option { return func(n *Node) { n.hook = hook } }

// New makes a node that has touched nothing yet.
func New(settings *config.Settings, logger *slog.Logger, opts ...Option) (*Node, error) {
	n := &Node{
		settings: settings,
		logger:   logger.With("node", settings.Name),
		registry: prometheus.NewRegistry(),
		hook:     func(string) {},
	}
	for _, o := range opts {
		o(n)
	}
	n.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return n, nil
}

// Run starts the node and stops it when the context ends.
func (n *Node) Run(ctx context.Context) error {
	if err := n.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	n.logger.Info("stopping")
	begun := time.Now()
	err := n.Stop()
	n.logger.Info("stopped", "elapsed", time.Since(begun))
	return err
}

// Stop undoes Start: unready, drain the listeners, flush what was recorded, stop
// the actors, close consensus and stores. Every step runs, whatever the others do.
func (n *Node) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return n.stack.Stop(ctx)
}

// GatewayAddress is where the gateway listens, once started.
func (n *Node) GatewayAddress() string { return n.gateway.Address() }

// GatewayTLSAddress is where the gateway listens for HTTPS, once started; empty
// where it does not.
func (n *Node) GatewayTLSAddress() string {
	if n.secure == nil {
		return ""
	}
	return n.secure.Address()
}

// AdminAddress is where the admin listener is, once started.
func (n *Node) AdminAddress() string { return n.admin.Address() }

// Socket is the path of the local operator's socket, once started.
func (n *Node) Socket() string { return n.socket.Address() }

func (n *Node) component(name string) *slog.Logger { return n.logger.With("component", name) }

// supervise starts an actor tree. Its stop is one step of the node's list, since
// a supervisor stops its children together and in no order.
func (n *Node) supervise(name string, services ...suture.Service) {
	tree := suture.New(name, suture.Spec{
		EventHook: superviseLog(n.logger),
		// An actor that fails again and again is started once a second: the
		// listeners' accept loops are among them, and downloads wait for those.
		FailureBackoff: time.Second,
		Timeout:        10 * time.Second,
	})
	for _, s := range services {
		tree.Add(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := tree.ServeBackground(ctx)
	n.stack.Push(name, func(stop context.Context) error {
		cancel()
		select {
		case err := <-done:
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		case <-stop.Done():
			return fmt.Errorf("actors still run: %w", context.Cause(stop))
		}
	})
}
