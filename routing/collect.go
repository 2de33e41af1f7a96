package routing

import (
	"context"
	"net/http"

	"tallygate/cluster/catalog"
	"tallygate/routing/collect"
	"tallygate/routing/event"
	"tallygate/routing/source"
	"tallygate/routing/table"
	"tallygate/routing/variables"
)

// isEvents says whether a rule belongs to an event package.
func isEvents(rule *table.Rule) bool {
	return rule.Kind == table.EventRule || rule.Package != nil && rule.Package.Type == catalog.Event
}

// collect answers for a route without an outgoing URL: each object of the body,
// or the request itself if there is none, becomes an event, and the answer is
// 200 only once they are durable.
func (g *Gateway) collect(rq *request, m *table.Match) {
	// Pages of any origin may post events; nothing here depends on cookies.
	rq.w.Header()["Access-Control-Allow-Origin"] = anyOrigin
	switch rq.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	case http.MethodOptions:
		h := rq.w.Header()
		h["Allow"] = collectMethods
		h["Access-Control-Allow-Methods"] = collectMethods
		h["Access-Control-Allow-Headers"] = collectHeaders
		h["Access-Control-Max-Age"] = []string{"86400"}
		rq.reply(http.StatusNoContent)
		return
	default:
		rq.notAllowed(collectMethods[0])
		return
	}

	var access *catalog.EventAccess
	if m.Rule.Package != nil {
		access = m.Rule.Package.Events
	}
	allowed, byToken := collect.Allowed(access, rq.r.Header)
	if !allowed {
		rq.w.Header()["Www-Authenticate"] = []string{`Bearer realm="events"`}
		rq.text(http.StatusUnauthorized, "Events here need a token: send it as Authorization: Bearer TOKEN")
		return
	}
	if !rq.tracked {
		rq.answer(http.StatusOK, collect.NewAnswer(nil, nil))
		return
	}

	c := collector{rq: rq, match: m, believed: byToken || g.source.Trusted(rq.asked.Addr)}
	var fault *collect.Fault
	if rq.r.Method == http.MethodPost {
		fault = c.body()
	} else {
		c.one()
	}
	g.store(rq, c.events, fault)
}

var (
	collectMethods = []string{"GET, HEAD, POST, OPTIONS"}
	collectHeaders = []string{"Authorization, Content-Type, Content-Encoding, DNT, Sec-GPC"}
)

// store makes events durable and tells the client.
func (g *Gateway) store(rq *request, events []*event.Event, fault *collect.Fault) {
	if len(events) > 0 {
		ctx, cancel := context.WithTimeout(rq.r.Context(), g.opts.StoreTimeout)
		defer cancel()
		if err := g.opts.Recorder.Store(ctx, events); err != nil {
			rq.unavailable("The events can't be stored now; nothing is lost if they are sent again.")
			return
		}
	}
	status := http.StatusOK
	if fault != nil {
		status = fault.Status
	}
	rq.answer(status, collect.NewAnswer(events, fault))
}

// collector makes the events of one request.
type collector struct {
	rq       *request
	match    *table.Match
	believed bool // the caller may say where its events come from
	events   []*event.Event
}

// body reads the objects of a body. An empty body is one event, like a GET.
func (c *collector) body() *collect.Fault {
	limits := c.rq.gateway.opts.Limits
	body := collect.ReadBody(c.rq.r, limits.Bytes)
	defer body.Release()
	objects, fault := collect.Parse(body.Bytes, body.Partial, limits, c.rq.now)
	if len(objects) == 0 && fault == nil {
		if len(body.Bytes) == 0 {
			c.one()
		}
		return nil
	}
	c.events = make([]*event.Event, 0, len(objects))
	for i := range objects {
		c.object(&objects[i])
	}
	return fault
}

// one makes an event of the request itself.
func (c *collector) one() {
	e := c.event()
	c.rq.captured(e, c.match)
	c.finish(e, nil)
}

func (c *collector) event() *event.Event {
	e := c.rq.event(c.match.Rule)
	e.Type = event.Custom
	e.Countable = c.rq.r.Method != http.MethodHead
	return e
}

// finish enriches and keeps an event.
func (c *collector) finish(e *event.Event, src *Source) {
	if e.Page == "" {
		e.Page = e.Referer
	}
	c.rq.enrich(e, src)
	c.events = append(c.events, e)
}

// object makes an event of one object of the body.
func (c *collector) object(o *collect.Object) {
	if optedOut(o.Headers) {
		return
	}
	e := c.event()
	e.UniqueID = o.UniqueID
	if o.Type != "" {
		e.Type = o.Type
	}
	if !o.Time.IsZero() {
		e.Time = o.Time
	}
	if o.Referrer == "" {
		o.Referrer = o.Headers.Get("Referer")
	}
	if o.Referrer != "" {
		e.Referer = variables.Cut(o.Referrer, maxReferer)
	}
	if o.Domain != "" {
		if e.Domain = source.Host(o.Domain); e.Domain == "" {
			e.Domain = variables.Cut(o.Domain, 253)
		}
	}
	if o.UserAgent == "" {
		o.UserAgent = o.Headers.Get("User-Agent")
	}
	if o.UserAgent != "" {
		e.UserAgent = variables.Cut(o.UserAgent, maxUserAgent)
		c.rq.recognise(e)
	}

	var set variables.Set
	set.Grow(len(c.match.Vars) + len(o.Variables) + len(c.match.Extra))
	for _, v := range c.match.Vars {
		set.Add(v.Name, v.Value)
	}
	for _, v := range o.Variables {
		set.Add(v.Name, v.Value)
	}
	for _, v := range c.match.Extra {
		set.Add(v.Name, v.Value)
	}
	c.rq.settle(e, &set, c.match.Rule.Overrides)
	if o.Version != "" {
		e.Version = variables.Cut(o.Version, variables.MaxValue)
	}

	src := Source{Addr: c.rq.asked.Addr, Header: c.rq.r.Header}
	if c.believed {
		if o.RemoteAddress.IsValid() {
			src.Addr = o.RemoteAddress
		}
		if o.Headers != nil {
			src.Header = o.Headers
		}
	}
	c.finish(e, &src)
}
