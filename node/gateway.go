package node

import (
	"context"
	"net/http"

	"tallygate/node/server"
	"tallygate/routing"
	"tallygate/routing/client"
	"tallygate/routing/container"
	"tallygate/routing/origin"
	"tallygate/routing/python"
	"tallygate/routing/source"
)

// newGateway fits the parts of the gateway listener together.
func (n *Node) newGateway(origins *origin.Pool) (*routing.Gateway, error) {
	index := python.New(python.Options{
		Transport: origins.Transport(), Origins: origins,
		Logger: n.component("python"), Registerer: n.registry,
	})
	n.stack.Push("package index", func(context.Context) error { return index.Close() })
	containers := container.New(container.Options{
		Origins: origins, Logger: n.logger, Registerer: n.registry,
		Sources: source.New(n.settings.Proxies), PlainCredentials: n.settings.AllowPrivate,
		Packages: collected{n.replica(), n.settings.Name},
	})
	n.supervise("image actors", containers)
	return routing.New(routing.Options{
		Table:          n.publisher.Table,
		Recorder:       n.analytics.Recorder(),
		Enricher:       n.analytics.Enricher(),
		Clients:        client.New(),
		Origins:        origins,
		Containers:     containers,
		Python:         index,
		TrustedProxies: n.settings.Proxies,
		BaseDomain:     n.settings.BaseDomain,
		Node:           n.settings.Name,
		Region:         n.settings.Region,
		Logger:         n.logger,
		Registerer:     n.registry,
	})
}

// newSecureGateway makes the HTTPS listener, if there is to be one.
func (n *Node) newSecureGateway(gateway http.Handler) error {
	tls := n.settings.GatewayTLS
	if tls == nil {
		return nil
	}
	files, err := server.OpenFiles(server.FilesOptions{
		Certificate: tls.Certificate, Key: tls.Key,
		Logger: n.component("gateway"), Registerer: n.registry,
	})
	if err != nil {
		return err
	}
	n.secure = server.New(server.Options{
		Name: "gateway-tls", Network: "tcp", Address: tls.Listen, Certificates: files,
		Handler: gateway, Logger: n.component("gateway"), Hook: n.hookAt("gateway-tls "),
	})
	return nil
}

// servers are the node's listeners, in the order in which they open: those that a
// stop leaves open the longest first.
func (n *Node) servers() []*server.Server {
	servers := []*server.Server{n.socket, n.admin, n.gateway}
	if n.secure != nil {
		servers = append(servers, n.secure)
	}
	return servers
}
