package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/thejerf/suture/v4"

	"tallygate/analytics"
	"tallygate/cluster/catalog"
	"tallygate/cluster/consensus"
	"tallygate/node/access"
	"tallygate/node/admin"
	"tallygate/node/lifecycle"
	"tallygate/node/publish"
	"tallygate/node/server"
	"tallygate/node/version"
	"tallygate/routing/origin"
	"tallygate/routing/table"
	"tallygate/ui"
)

// Start brings the node up and returns once it serves. A start that fails undoes
// what it did.
func (n *Node) Start(ctx context.Context) (err error) {
	n.started = time.Now()
	n.stack = lifecycle.New(n.component("lifecycle"))
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Stop())
		}
	}()

	dir := n.settings.DataDir
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	n.stack.Push("data directory", func(context.Context) error { return lock.Close() })
	if n.id, err = nodeID(dir); err != nil {
		return err
	}

	// What was recorded must outlive all that records, so it opens first and
	// closes last.
	n.analytics, err = analytics.Open(analytics.Options{
		Dir:         dir,
		NodeID:      n.id,
		NodeName:    n.settings.Name,
		Region:      n.settings.Region,
		Store:       n.settings.Analytics,
		GeoCountry:  n.settings.GeoCountry,
		GeoASN:      n.settings.GeoASN,
		SpoolSync:   n.settings.SpoolSync,
		SpoolBytes:  n.settings.SpoolMaxBytes,
		StoreMemory: n.settings.AnalyticsMemory,
		Fault:       n.hook,
		Logger:      n.logger, // its parts name themselves
		Registerer:  n.registry,
	})
	if err != nil {
		return err
	}
	n.stack.Push("analytics", n.analytics.Close)
	n.supervise("analytics actors", n.analytics.Services()...)

	n.catalog = catalog.NewStore()
	n.publisher = publish.New(table.Options{BaseDomain: n.settings.BaseDomain}, n.component("publish"), n.registry, n.hook)
	origins := origin.New(origin.Options{
		AllowPrivate: n.settings.AllowPrivate, Logger: n.logger, Registerer: n.registry,
	})
	watched := newFailover(origins.Watch)
	n.consensus, err = consensus.Open(consensus.Options{
		Dir:    dir,
		NodeID: n.id,
		Store:  n.catalog,
		OnCommit: func(view *catalog.View, changes []catalog.Change) {
			n.publisher.Offer(view, changes)
			watched.commit(view, changes)
		},
		Logger:     n.logger,
		Registerer: n.registry,
	})
	if err != nil {
		return err
	}
	n.stack.Push("consensus", func(context.Context) error { return n.consensus.Close() })

	gateway, err := n.newGateway(origins)
	if err != nil {
		return err
	}
	n.supervise("routing actors", n.publisher, origins)

	// Raft applies what it logged before the last stop only once there is a
	// leader; until then the catalog could be an old one.
	if err := n.consensus.WaitLeader(ctx); err != nil {
		return fmt.Errorf("wait for a leader: %w", err)
	}
	if err := n.publisher.Wait(ctx, n.catalog.View().Version()); err != nil {
		return fmt.Errorf("wait for the routing table: %w", err)
	}
	n.access = access.New(n.replica(), nil)
	if err := n.importManifest(ctx); err != nil {
		return err
	}

	n.gateway = server.New(server.Options{
		Name: "gateway", Network: "tcp", Address: n.settings.GatewayListen,
		Handler: gateway, Logger: n.component("gateway"), Hook: n.hookAt("gateway "),
	})
	n.admin = server.New(server.Options{
		Name: "admin", Network: "tcp", Address: n.settings.AdminListen,
		Logger: n.component("admin"), Hook: n.hookAt("admin "),
	})
	socketPath, err := filepath.Abs(filepath.Join(dir, "admin.sock"))
	if err != nil {
		return err
	}
	n.socket = server.New(server.Options{
		Name: "socket", Network: "unix", Address: socketPath, Mode: 0o600,
		Logger: n.component("admin"), Hook: n.hookAt("socket "),
	})
	if err := n.newSecureGateway(gateway); err != nil {
		return err
	}
	for _, s := range n.servers() {
		if err := s.Bind(); err != nil {
			return err
		}
	}
	pages, err := n.newPages()
	if err != nil {
		return err
	}
	api := admin.New(admin.Options{
		Access: n.access, Catalog: n.replica(), Table: n.publisher.Table, SQL: n.analytics.SQL(),
		Status: n.Status, Ready: n.Ready, Pages: pages, Session: ui.SessionSecret, BaseDomain: n.settings.BaseDomain,
		Gatherer: n.registry, Logger: n.component("admin"), BaseURL: n.adminURL,
	})
	n.admin.SetHandler(api.Remote())
	n.socket.SetHandler(api.Local())
	var listeners []suture.Service
	for _, s := range n.servers() {
		listeners = append(listeners, s)
	}
	n.supervise("listeners", listeners...)
	for _, s := range n.servers() {
		n.stack.Push(s.String(), s.Drain)
	}

	if err := n.firstOperator(ctx); err != nil {
		return err
	}
	n.logger.Info("ready",
		"version", version.Version, "region", n.settings.Region,
		"gateway", n.GatewayAddress(), "gateway_tls", n.GatewayTLSAddress(), "admin", n.adminURL(),
		"catalog_version", n.catalog.View().Version(), "elapsed", time.Since(n.started))
	return nil
}

func (n *Node) hookAt(prefix string) func(string) {
	return func(point string) { n.hook(prefix + point) }
}

func (n *Node) adminURL() string { return "http://" + n.AdminAddress() }

// firstOperator gives an empty catalog its first operator: by the token in the
// environment, or else by a one-time link in the log.
func (n *Node) firstOperator(ctx context.Context) error {
	actor := catalog.Actor{Kind: "node", Name: n.settings.Name, Operator: true}
	if n.catalog.View().UserByName(access.OperatorName) != nil {
		return nil
	}
	if token := n.settings.AdminToken; token != "" {
		return n.access.AddToken(ctx, actor, access.OperatorName, "TALLYGATE_ADMIN_TOKEN", token, admin.AllScopes, time.Time{})
	}
	secret, expires, err := n.access.NewSignInLink(ctx, actor, access.OperatorName)
	if err != nil {
		return err
	}
	n.logger.Info("set up the first operator with this one-time link",
		"link", admin.LinkURL(n.adminURL(), secret), "until", expires)
	return nil
}

// importManifest applies --manifest, as `tallygate apply --format manifest` would.
func (n *Node) importManifest(ctx context.Context) error {
	path := n.settings.Manifest
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	applied, err := admin.Apply(ctx, admin.ApplyOptions{
		Catalog: n.replica(), BaseDomain: n.settings.BaseDomain,
		Name: filepath.Base(path), Data: data, Manifest: true, Owner: n.settings.ManifestOwner,
		Actor: catalog.Actor{Kind: "node", Name: n.settings.Name, Operator: true},
	})
	if err != nil {
		return fmt.Errorf("import %s: %w", path, err)
	}
	n.logger.Info("manifest imported", "changes", len(applied.Plan.Changes), "unchanged", applied.Plan.Unchanged)
	return nil
}
