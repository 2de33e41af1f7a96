package node

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"tallygate/node/access"
	"tallygate/node/admin"
	"tallygate/node/version"
	"tallygate/routing/table"
	"tallygate/ui"
)

// newPages fits the admin UI to the node.
func (n *Node) newPages() (http.Handler, error) {
	gateway, err := n.publicGateway()
	if err != nil {
		return nil, err
	}
	var credits []ui.Credit
	for _, c := range n.analytics.Networks().Credits() {
		credits = append(credits, ui.Credit(c))
	}
	return ui.New(ui.Options{
		Reports: n.analytics.Reports(),
		Catalog: func() ui.Catalog { return n.catalog.View() },
		Access:  pageAccess{n.access},
		Live:    n.analytics,
		Status:  n.problems,
		Cluster: n.cluster,
		Explain: n.explain,
		Pixels:  n.pixels,
		Gateway: gateway,
		Version: version.Version,
		Credits: credits,
		Logger:  n.logger,
	}), nil
}

// publicGateway is the listener that commands to copy name: HTTPS where there is
// one, since image clients want it.
func (n *Node) publicGateway() (ui.Gateway, error) {
	g := ui.Gateway{BaseDomain: n.settings.BaseDomain, Scheme: "http"}
	address, usual := n.GatewayAddress(), "80"
	if n.secure != nil {
		g.Scheme, address, usual = "https", n.GatewayTLSAddress(), "443"
	}
	_, port, err := net.SplitHostPort(address)
	if port != usual {
		g.Port = port
	}
	return g, err
}

// pageAccess tells the pages' own error for a secret that signs nobody in.
type pageAccess struct{ *access.Control }

func (a pageAccess) Redeem(ctx context.Context, secret, userAgent string) (string, time.Time, error) {
	session, expires, err := a.Control.Redeem(ctx, secret, userAgent)
	return session, expires, refused(err)
}

func (a pageAccess) RedeemToken(ctx context.Context, secret, userAgent string) (string, time.Time, error) {
	session, expires, err := a.Control.RedeemToken(ctx, secret, userAgent)
	return session, expires, refused(err)
}

func refused(err error) error {
	if errors.Is(err, access.ErrUnknownSecret) {
		return ui.ErrRefused
	}
	return err
}

// pixels gives the pixels with their snippets.
func (n *Node) pixels(owner string) []ui.Pixel {
	var out []ui.Pixel
	for _, p := range admin.Pixels(n.catalog.View(), owner, n.settings.BaseDomain) {
		out = append(out, ui.Pixel(p))
	}
	return out
}

// explain answers the page's "which rule wins" box.
func (n *Node) explain(method, url string) (ui.Explanation, error) {
	return explanation(n.publisher.Table().Explain(method, url)), nil
}

func explanation(e table.Explanation) ui.Explanation {
	out := ui.Explanation{Host: e.Host, Owner: e.Owner, Summary: e.Summary, Location: e.Location}
	for _, c := range e.Candidates {
		candidate := ui.Candidate{
			Kind: c.Kind, Pattern: c.Pattern, Owner: c.Owner, PackageID: c.PackageID, Package: c.Package,
			Matches: c.Matches, Wins: c.Wins, Why: c.Why,
		}
		for _, v := range c.Variables {
			candidate.Variables = append(candidate.Variables, ui.Variable{Name: v.Name, Value: v.Value})
		}
		out.Candidates = append(out.Candidates, candidate)
	}
	return out
}
