package routing

import (
	"net/http"
	"runtime/debug"

	"tallygate/routing/client"
	"tallygate/routing/event"
	"tallygate/routing/table"
	"tallygate/routing/variables"
)

// Bounds of an event's columns, in bytes.
const (
	maxPath      = 2048
	maxUserAgent = 1024
	maxReferer   = 2048
)

// event makes the event of a request with all that is known without the rule's
// kind. rule may be nil.
func (rq *visit) event(rule *table.Rule) *event.Event {
	g := rq.gateway
	e := &event.Event{
		ID:        event.NewID(rq.now),
		Time:      rq.now.UTC(),
		Domain:    rq.asked.Host,
		Path:      variables.Cut(rq.path, maxPath),
		UserAgent: variables.Cut(first(rq.r.Header["User-Agent"]), maxUserAgent),
		Referer:   variables.Cut(first(rq.r.Header["Referer"]), maxReferer),
		Status:    http.StatusOK,
		Node:      g.opts.Node,
		Region:    g.opts.Region,
	}
	if rule != nil {
		setRule(e, rule)
	}
	rq.recognise(e)
	return e
}

func setRule(e *event.Event, rule *table.Rule) {
	switch {
	case rule.Package != nil:
		e.Owner = rule.Package.Owner
		e.PackageID = rule.Package.ID
		e.Package = rule.Package.Name
		e.PackageType = string(rule.Package.Type)
	case rule.Collection != nil:
		e.Owner = rule.Collection.Owner
	}
}

// recognise sets what the User-Agent of e tells.
func (rq *visit) recognise(e *event.Event) client.Client {
	if rq.gateway.opts.Clients == nil {
		return client.Client{}
	}
	c := rq.gateway.opts.Clients.Recognize(e.UserAgent)
	e.Client, e.ClientVersion, e.ClientClass = c.Name, c.Version, string(c.Class)
	e.Platform, e.Arch, e.Bot = c.Platform, c.Arch, c.Bot
	return c
}

// captured puts a match's variables and the request's other query parameters
// into e, and fills the columns that they speak for.
func (rq *visit) captured(e *event.Event, m *table.Match) {
	var set variables.Set
	if n := len(m.Vars) + len(m.Extra); n > 0 {
		set.Grow(n)
		for _, v := range m.Vars {
			set.Add(v.Name, v.Value)
		}
		for _, v := range m.Extra {
			set.Add(v.Name, v.Value)
		}
	}
	rq.settle(e, &set, m.Rule.Overrides)
}

// settle gives e the variables of set and the columns that they speak for.
func (rq *visit) settle(e *event.Event, set *variables.Set, overrides map[string]string) {
	if d := set.Dropped(); d > 0 {
		rq.gateway.metrics.dropped.Add(float64(d))
	}
	e.Variables = set.List()
	if len(e.Variables) > 0 {
		variables.Fill(e, overrides)
	}
}

// enrich adds the facts of the client and of the request's source. It comes
// last: nothing sees the address afterwards. A nil source is the request's own.
func (rq *visit) enrich(e *event.Event, src *Source) {
	g := rq.gateway
	if g.opts.Clients != nil {
		if extra := g.opts.Clients.Recognize(e.UserAgent).Extra; len(extra) > 0 {
			e.Variables = merge(e.Variables, extra)
		}
	}
	if g.opts.Enricher == nil {
		return
	}
	if src == nil {
		src = &Source{Addr: rq.asked.Addr, Header: rq.r.Header}
	}
	g.opts.Enricher.Enrich(e, *src)
}

// merge adds extra variables to list, whose own win.
func merge(list, extra []event.Variable) []event.Variable {
	var set variables.Set
	set.Grow(len(list) + len(extra))
	for _, v := range list {
		set.Add(v.Name, v.Value)
	}
	for _, v := range extra {
		set.Add(v.Name, v.Value)
	}
	return set.List()
}

// spare is deferred where an event is made and recorded, so that a fault in there
// costs the event and not the download.
func (rq *visit) spare() {
	fault := recover()
	if fault == nil {
		return
	}
	rq.gateway.metrics.lost.Inc()
	rq.gateway.logger.Error("event was lost to a fault", "kind", rq.kind.String(), "err", fault, "stack", string(debug.Stack()))
}

// note is the Note of a request.
func (rq *visit) note(rule *table.Rule, fill func(e *event.Event)) {
	if !rq.tracked || rule == nil {
		return
	}
	defer rq.spare()
	e := rq.event(rule)
	fill(e)
	if len(e.Variables) > 0 {
		var set variables.Set
		set.Grow(len(e.Variables))
		for _, v := range e.Variables {
			set.Add(v.Name, v.Value)
		}
		rq.settle(e, &set, rule.Overrides)
	}
	rq.enrich(e, nil)
	rq.gateway.opts.Recorder.Record(e)
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
