package routing

import (
	"net/http"
	"net/url"

	"tallygate/cluster/catalog"
	"tallygate/routing/collect"
	"tallygate/routing/event"
	"tallygate/routing/npm"
	"tallygate/routing/table"
)

// install takes the install event of an npm package, named by the id in the path
// or else by its name in the body.
func (g *Gateway) install(rq *request, t *table.Table, id string) {
	rq.kind = kindInstall
	if rq.r.Method != http.MethodPost {
		rq.notAllowed("POST")
		return
	}
	if !rq.tracked {
		rq.answer(http.StatusOK, collect.NewAnswer(nil, nil))
		return
	}
	in, fault := npm.Read(rq.r, id != "", rq.now)
	if fault != nil {
		rq.answer(fault.Status, collect.NewAnswer(nil, fault))
		return
	}
	p := g.installed(t, id, in)
	if p == nil {
		g.metrics.unmatched[kindInstall].Inc()
		rq.text(http.StatusNotFound, "No npm package of this name or id is registered here. "+
			"Its owner can add it: a package of type npm, named as on the registry.")
		return
	}
	e := rq.event(&table.Rule{Package: p})
	in.Fill(e)
	rq.enrich(e, nil)
	g.store(rq, []*event.Event{e}, nil)
}

// installed finds the package that an install event is about.
func (g *Gateway) installed(t *table.Table, id string, in *npm.Install) *catalog.Package {
	if id == "" {
		return t.NPM(in.Package)
	}
	id, err := url.PathUnescape(id)
	if err != nil {
		return nil
	}
	p := t.PackageByID(id)
	if p == nil || p.Type != catalog.NPM {
		return nil
	}
	return p
}
