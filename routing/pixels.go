package routing

import (
	"cmp"
	"net/http"

	"tallygate/routing/event"
	"tallygate/routing/pixel"
	"tallygate/routing/table"
	"tallygate/routing/variables"
)

// namesPixel says whether a query has the pixel's parameter.
func namesPixel(query string) bool {
	found := false
	params(query, func(p param) bool {
		found = p.name == pixel.Param
		return !found
	})
	return found
}

// pixel serves the tracking pixel and records the view.
func (g *Gateway) pixel(rq *request, t *table.Table) {
	rq.kind = kindPixel
	if m := rq.r.Method; m != http.MethodGet && m != http.MethodHead {
		rq.notAllowed("GET, HEAD")
		return
	}
	rq.status = http.StatusOK
	pixel.Serve(rq.w, rq.r)
	if !rq.tracked {
		return
	}

	defer rq.spare()
	id := ""
	var set variables.Set
	params(rq.query, func(p param) bool {
		if p.name == pixel.Param {
			id = cmp.Or(id, p.value)
		} else {
			set.Add(p.name, p.value)
		}
		return true
	})
	px := t.Pixel(id)
	if px == nil {
		g.metrics.unmatched[kindPixel].Inc()
		return
	}
	e := rq.event(nil)
	e.Type = event.PixelFetch
	e.Countable = rq.r.Method == http.MethodGet
	e.Owner, e.PixelID, e.Pixel = px.Owner, px.ID, px.Name
	if px.PackageID != "" {
		if p := t.PackageByID(px.PackageID); p != nil {
			e.PackageID, e.Package, e.PackageType = p.ID, p.Name, string(p.Type)
		}
	}
	rq.settle(e, &set, t.Overrides(px.Owner))
	e.Page = cmp.Or(e.Page, e.Referer)
	rq.enrich(e, nil)
	g.opts.Recorder.Record(e)
}
