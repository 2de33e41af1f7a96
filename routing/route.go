package routing

import (
	"net/http"
	"strings"

	"tallygate/cluster/catalog"
	"tallygate/routing/container"
	"tallygate/routing/npm"
	"tallygate/routing/pixel"
	"tallygate/routing/table"
)

// route finds who serves a request, in the order of the kinds on one host: npm
// install events, images, the pixel, templates, regular expressions, the package
// index, collected events, catch-alls. What nobody serves is not found, in the
// words of the protocol that asked.
func (g *Gateway) route(rq *request) {
	switch rq.r.Method {
	case http.MethodConnect, http.MethodTrace:
		rq.notAllowed("GET, HEAD, POST")
		return
	}
	t := g.opts.Table()
	if t == nil {
		rq.unavailable("The catalog is not loaded yet.")
		return
	}
	host := t.Host(rq.asked.Host)
	if id, ok := npm.Match(rq.path); ok && g.takesInstalls(rq, host) {
		g.install(rq, t, id)
		return
	}
	if rq.asked.Host != "" && rq.asked.Host == g.base {
		g.servesBase(rq)
		return
	}
	if host == nil {
		g.unknownHost(rq)
		return
	}

	switch host.Kind() {
	case table.StaticHost:
		if rq.path == pixel.Path {
			g.pixel(rq, t)
			return
		}
		g.notFound(rq)
	case table.BaseHost:
		g.servesBase(rq)
	case table.DockerHost:
		if host.HasImages() && isRegistry(rq.path) || takesLogins(rq.path, host) {
			g.images(rq, host)
			return
		}
		g.notFound(rq)
	default:
		g.routeOwn(rq, t, host)
	}
}

// routeOwn serves a request on an owner's gateway host or custom domain.
func (g *Gateway) routeOwn(rq *request, t *table.Table, host *table.Host) {
	if isRegistry(rq.path) && host.HasImages() || takesLogins(rq.path, host) {
		g.images(rq, host)
		return
	}
	if rq.path == pixel.Path && host.HasPixels() && namesPixel(rq.query) {
		g.pixel(rq, t)
		return
	}

	matched := host.Match(rq.r.Method, rq.path, rq.query, &rq.match)
	if (!matched || rq.match.Rule.Kind > table.PythonRule) && isIndex(rq.path) && g.servesIndex(host, rq.path, matched) {
		g.index(rq, host)
		return
	}
	if !matched {
		g.notFound(rq)
		return
	}
	g.serve(rq, &rq.match)
}

// serve answers for a matched route.
func (g *Gateway) serve(rq *request, m *table.Match) {
	rule := m.Rule
	switch {
	case rule.Kind == table.CatchAllRule:
		rq.kind = kindCatchAll
	case isEvents(rule):
		rq.kind = kindEvent
	default:
		rq.kind = kindFile
	}
	if m.Origins() > 0 {
		g.redirect(rq, m)
		return
	}
	g.collect(rq, m)
}

// takesInstalls says where npm install events are taken: on the base domain, on
// localhost, which is what the SDK's local port setting asks for, and on every
// host of an owner's but the image hosts. There the path is an owner's own for
// any method but POST.
func (g *Gateway) takesInstalls(rq *request, host *table.Host) bool {
	if name := rq.asked.Host; name == "localhost" || name != "" && name == g.base {
		return true
	}
	if host == nil || rq.r.Method != http.MethodPost {
		return false
	}
	k := host.Kind()
	return k != table.DockerHost && k != table.StaticHost
}

// isRegistry says whether a path belongs to the OCI distribution API.
func isRegistry(path string) bool {
	return path == "/v2" || strings.HasPrefix(path, "/v2/")
}

// takesLogins says whether a path is where a host gives out tokens for its images.
func takesLogins(path string, host *table.Host) bool {
	return path == container.TokenPath && host.HasPrivateImages()
}

// isIndex says whether a path belongs to a Python package index (PEP 503).
func isIndex(path string) bool {
	return path == "/simple" || strings.HasPrefix(path, "/simple/")
}

// servesIndex says whether the package index answers for a path, given that a
// rule that comes after it matches or not. Where a catch-all stands behind it,
// the index speaks for its own projects and its root only; otherwise its
// not-found is the answer.
func (g *Gateway) servesIndex(host *table.Host, path string, otherwise bool) bool {
	if g.opts.Python == nil || !host.HasPython() {
		return false
	}
	if !otherwise {
		return true
	}
	project, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(path, "/simple"), "/"), "/")
	return project == "" || host.Python(catalog.NormalizePythonProject(unescape(project))) != nil
}
