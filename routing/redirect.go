package routing

import (
	"net/http"

	"tallygate/routing/event"
	"tallygate/routing/table"
)

// redirect sends the client to the first of a route's origins that is up, and
// records where it was sent. It waits for nothing.
func (g *Gateway) redirect(rq *request, m *table.Match) {
	location, origin, err := g.choose(m)
	if err != nil {
		// What the client sent would lead out of the origin's path.
		g.notFound(rq)
		return
	}
	status := m.Rule.Route.RedirectStatus
	if status == 0 {
		status = http.StatusFound
		if rq.r.Method != http.MethodGet && rq.r.Method != http.MethodHead {
			// 302 would let clients turn a POST into a GET, RFC 9110 section
			// 15.4.3.
			status = http.StatusTemporaryRedirect
		}
	}

	h := rq.w.Header()
	h["Location"] = []string{clean(location, &locationBytes)}
	// Every download is to pass here to be counted and to follow the catalog.
	// Permanent redirects are cached for good without this, and some CDNs cache
	// temporary ones of their own accord.
	h["Cache-Control"] = noStore
	rq.reply(status)

	if !rq.tracked {
		return
	}
	defer rq.spare()
	e := rq.event(m.Rule)
	e.Type = event.BinaryDownload
	e.Status = status
	e.OriginHost = origin
	e.Countable = rq.r.Method == http.MethodGet
	rq.captured(e, m)
	rq.enrich(e, nil)
	g.opts.Recorder.Record(e)
}

// choose expands the outgoing URL of the first origin that is up; of the primary
// where all are known to be down, since that knowledge may be out of date and no
// answer is worse than a wrong one.
func (g *Gateway) choose(m *table.Match) (location, origin string, err error) {
	location, origin, err = m.Location(0)
	n := m.Origins()
	if err != nil || n == 1 || g.opts.Origins == nil || g.opts.Origins.Up(origin) {
		return location, origin, err
	}
	for i := 1; i < n; i++ {
		l, o, err := m.Location(i)
		if err == nil && g.opts.Origins.Up(o) {
			return l, o, nil
		}
	}
	return location, origin, nil
}

// Shared header values; nothing changes them.
var (
	noStore   = []string{"no-store"}
	noSniff   = []string{"nosniff"}
	plainText = []string{"text/plain; charset=utf-8"}
	anyOrigin = []string{"*"}
)
