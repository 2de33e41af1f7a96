package node

import (
	"context"

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
