package node

import (
	"context"

	"tallygate/routing"
	"tallygate/routing/client"
	"tallygate/routing/container"
	"tallygate/routing/origin"
	"tallygate/routing/python"
)

// newGateway fits the parts of the gateway listener together.
func (n *Node) newGateway(origins *origin.Pool) (*routing.Gateway, error) {
	index := python.New(python.Options{
		Transport: origins.Transport(), Origins: origins,
		Logger: n.component("python"), Registerer: n.registry,
	})
	n.stack.Push("package index", func(context.Context) error { return index.Close() })
	return routing.New(routing.Options{
		Table:    n.publisher.Table,
		Recorder: n.analytics.Recorder(),
		Enricher: n.analytics.Enricher(),
		Clients:  client.New(),
		Origins:  origins,
		Containers: container.New(container.Options{
			Origins: origins, Logger: n.logger, Registerer: n.registry,
		}),
		Python:         index,
		TrustedProxies: n.settings.Proxies,
		BaseDomain:     n.settings.BaseDomain,
		Node:           n.settings.Name,
		Region:         n.settings.Region,
		Logger:         n.component("routing"),
		Registerer:     n.registry,
	})
}
