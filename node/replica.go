package node

import (
	"context"
	"fmt"
	"strings"

	"tallygate/cluster/catalog"
)

// replica is the catalog as the rest of the node uses it: reads come from the
// local state, writes go through consensus and return once they are served here.
type replica struct{ n *Node }

func (n *Node) replica() replica { return replica{n} }

// View is the newest local state.
func (r replica) View() *catalog.View { return r.n.catalog.View() }

// Propose commits a command. When it returns, requests are routed by it.
func (r replica) Propose(ctx context.Context, cmd *catalog.Command) (catalog.Result, error) {
	result, err := r.n.consensus.Propose(ctx, cmd)
	if err != nil {
		return result, err
	}
	return result, r.n.publisher.Wait(ctx, result.Version)
}

// reservedDomain says why a name can't be claimed: the base domain and all below
// it are the cluster's own, and OWNER hosts there belong to the owner named.
func (n *Node) reservedDomain(name string) string {
	base := n.settings.BaseDomain
	if name == base || strings.HasSuffix(name, "."+base) {
		return fmt.Sprintf("%s is under the base domain %s, whose names the cluster gives out itself", name, base)
	}
	return ""
}
