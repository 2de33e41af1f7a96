package document

import (
	"fmt"
	"strconv"

	"tallygate/cluster/catalog"
	"tallygate/cluster/catalog/document/syntax"
)

// routes reads the routes of a file or event package: a list, or the keys of one
// route on the package itself.
func routes(m *syntax.Mapping, k *Package, needed bool) {
	list := m.List("routes")
	place := &k.Place
	if m.Has("incoming_path") {
		if m.Has("routes") {
			m.Report("incoming_path", "the package has routes as well", "move it into one of the routes")
		}
		at := &routeReader{m: m, place: place, index: 0}
		k.Routes = append(k.Routes, at.read())
		return
	}
	for _, key := range routeKeys {
		if m.Has(key) {
			m.Get(key)
			m.Report(key, key+" belongs to a route", "add incoming_path beside it, or move it into one of the routes")
		}
	}
	m.Get("incoming_path")
	for i, n := range list {
		place.Mark(indexed("routes", i), "", n.Line, n.Column)
		inner := m.Element("routes", i)
		if inner == nil {
			k.Routes = append(k.Routes, catalog.Route{}) // keeps the numbers right
			continue
		}
		at := &routeReader{m: inner, place: place, index: i, listed: true}
		k.Routes = append(k.Routes, at.read())
		inner.Close(instead)
		m.Adopt(inner)
	}
	if needed && !m.Has("routes") && !m.Broken() { // an empty list says that it is meant
		m.Report("routes", "a file package needs at least one route", "add routes, or incoming_path and outgoing_url")
	}
}

var routeKeys = []string{"outgoing_url", "failover_origins", "redirect_status", "kind"}

type routeReader struct {
	m      *syntax.Mapping
	place  *Place
	index  int
	listed bool // in a list, rather than on the package
}

// mark notes the place of a key of the route.
func (r *routeReader) mark(key string) {
	n := r.m.Get(key)
	if n == nil {
		return
	}
	field, shown := routeField(r.index, key), ""
	if !r.listed {
		shown = "." + key
	}
	r.place.Mark(field, shown, n.Line, n.Column)
}

func (r *routeReader) read() (route catalog.Route) {
	m := r.m
	route.IncomingPath = m.Required("incoming_path", "the path that clients ask for, such as /dl/{version}/rocket.tgz")
	for _, key := range []string{"incoming_path", "outgoing_url", "redirect_status", "kind"} {
		r.mark(key)
	}
	// Null, or no key: the route answers 200 and counts. "" is a mistake, most
	// likely a variable of some template that was empty.
	if n := m.Get("outgoing_url"); n != nil && !syntax.IsNull(n) {
		url := m.Required("outgoing_url", "write the origin's URL, or null for a route that answers 200 and counts")
		route.OutgoingURL = &url
	}
	route.FailoverOrigins = m.Texts("failover_origins")
	for i, n := range m.List("failover_origins") {
		field := fmt.Sprintf("%s[%d]", routeField(r.index, "failover_origins"), i)
		shown := ""
		if !r.listed {
			shown = fmt.Sprintf(".failover_origins[%d]", i)
		}
		r.place.Mark(field, shown, n.Line, n.Column)
	}
	route.RedirectStatus = m.Number("redirect_status")
	route.Kind = catalog.RouteKind(m.Text("kind"))
	switch route.Kind {
	case "", catalog.TemplateRoute, catalog.RegexpRoute, catalog.CatchAllRoute:
	default:
		m.Report("kind", fmt.Sprintf("%q is not a kind of route", route.Kind),
			syntax.DidYouMean(string(route.Kind), []string{"template", "regexp", "catch-all"}))
	}
	if r.listed {
		r.mark("domain")
		if domain := m.Text("domain"); domain != "" {
			route.Domain = canonical(domain)
		}
	}
	return route
}

// firstRoutes are the names of the fields of the first routes, made once: nearly
// all packages have few.
var firstRoutes = func() (names [8]map[string]string) {
	for i := range names {
		names[i] = make(map[string]string)
		for _, key := range []string{"incoming_path", "outgoing_url", "redirect_status", "kind", "failover_origins", "domain"} {
			names[i][key] = "routes[" + strconv.Itoa(i) + "]." + key
		}
	}
	return names
}()

func routeField(i int, key string) string {
	if i < len(firstRoutes) {
		return firstRoutes[i][key]
	}
	return "routes[" + strconv.Itoa(i) + "]." + key
}

func indexed(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
