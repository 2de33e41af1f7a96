package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// RouteKind is the language of a route's incoming path.
type RouteKind string

// The kinds of routes, in the order in which they are tried on a host.
const (
	TemplateRoute RouteKind = "template"  // RFC 6570 template
	RegexpRoute   RouteKind = "regexp"    // RE2 expression with named groups
	CatchAllRoute RouteKind = "catch-all" // a path prefix ending in "/*"; the rest and the query are kept byte for byte
)

// Route maps requests on the package's domains to an origin's URL.
type Route struct {
	ID           string    `json:"id"`
	Kind         RouteKind `json:"kind,omitempty"` // empty: template
	IncomingPath string    `json:"incoming_path"`  // starts with "/"; a template may carry a query

	// OutgoingURL is the template of the redirect. Nil: the route answers 200
	// and records an event.
	OutgoingURL *string `json:"outgoing_url"`

	// FailoverOrigins are further outgoing templates, tried in order while the
	// ones before them are known to be down.
	FailoverOrigins []string `json:"failover_origins,omitempty"`

	// RedirectStatus is 301, 302, 307 or 308. Zero: 302 for GET and HEAD, 307
	// for other methods.
	RedirectStatus int `json:"redirect_status,omitempty"`

	// Domain limits the route to one of the package's domains. Empty: all.
	Domain string `json:"domain,omitempty"`

	CreatedAt time.Time `json:"created_at"`
}

func (p *Package) checkRoutes(c *checker, before *Package) {
	if !c.count("routes", len(p.Routes), MaxRoutes) {
		return
	}
	p.Routes = slices.Clone(p.Routes)
	var made map[string]time.Time
	if before != nil && len(before.Routes) > 0 {
		made = make(map[string]time.Time, len(before.Routes))
		for i := range before.Routes {
			made[before.Routes[i].ID] = before.Routes[i].CreatedAt
		}
	}
	ids := make(map[string]bool)
	for i := range p.Routes {
		r := &p.Routes[i]
		c.unique(at("routes", i, "id"), r.ID, ids)
		r.Domain = p.onDomain(c, at("routes", i, "domain"), r.Domain)
		r.check(c, i)
		c.time(at("routes", i, "created_at"), r.CreatedAt)
		if r.CreatedAt.IsZero() {
			r.CreatedAt = made[r.ID]
		}
		r.CreatedAt = c.created(r.CreatedAt)
	}
}

// incoming is what checking an incoming path tells the checks of outgoing URLs.
type incoming struct {
	ok        bool
	variables []string
}

func (r *Route) check(c *checker, i int) {
	var in incoming
	kinds := [...]RouteKind{"", TemplateRoute, RegexpRoute, CatchAllRoute}
	k := slices.Index(kinds[:], r.Kind)
	if k < 0 {
		c.fail(at("routes", i, "kind"), CodeRouteKind, "%s is not a kind of route; use template, regexp or catch-all", quoted(string(r.Kind)))
		return
	}
	r.Kind = kinds[k] // the constant's memory, not the command's
	field := at("routes", i, "incoming_path")
	switch r.Kind {
	case RegexpRoute:
		in = c.incomingRegexp(field, r.IncomingPath)
	case CatchAllRoute:
		in = c.incomingCatchAll(field, r.IncomingPath)
	default:
		in = c.incomingTemplate(field, r.IncomingPath)
	}

	if r.OutgoingURL != nil {
		r.checkOutgoing(c, at("routes", i, "outgoing_url"), *r.OutgoingURL, in)
	} else if len(r.FailoverOrigins) > 0 {
		c.fail(at("routes", i, "failover_origins"), CodeOutgoingURLIsEmpty, "a route without an outgoing URL has nothing to fail over from")
	}
	list := at("routes", i, "failover_origins")
	if c.count(list, len(r.FailoverOrigins), MaxFailovers) {
		for j, u := range r.FailoverOrigins {
			r.checkOutgoing(c, at(list, j, ""), u, in)
		}
	}

	switch r.RedirectStatus {
	case 0, 301, 302, 307, 308:
	default:
		c.fail(at("routes", i, "redirect_status"), CodeRedirectStatus, "%d is not a redirect's; use 301, 302, 307 or 308, or leave it out", r.RedirectStatus)
	}
}

// pathStart checks how every kind of incoming path begins.
func (c *checker) pathStart(field, path string) bool {
	switch {
	case path == "":
		c.fail(field, CodeIncomingPathIsEmpty, "must not be empty; the shortest path is \"/\"")
	case !c.text(field, path, MaxURLBytes):
	case strings.Contains(path, "://"):
		c.fail(field, CodeIncomingPathNotRelative, "must be a path, without scheme and host; the package's domains say on which hosts")
	case path[0] != '/':
		c.fail(field, CodeIncomingPathWithoutSlash, "must start with \"/\": write /%s", printable(path))
	default:
		return true
	}
	return false
}

func (c *checker) incomingTemplate(field, path string) incoming {
	if !c.pathStart(field, path) {
		return incoming{}
	}
	t, err := parseTemplate(path)
	if err == nil {
		err = t.matchable()
	}
	if err != nil {
		c.fail(field, CodeIncomingPathInvalidTemplate, "%s", err)
		return incoming{}
	}
	if strings.Contains(path, "#") {
		c.fail(field, CodeIncomingPathInvalidTemplate, "must not have a fragment (#…): clients don't send it")
		return incoming{}
	}
	return incoming{ok: true, variables: t.variables()}
}

func (c *checker) incomingRegexp(field, expr string) incoming {
	switch {
	case expr == "":
		c.fail(field, CodeIncomingPathIsEmpty, "must not be empty")
		return incoming{}
	case !c.text(field, expr, MaxRegexpBytes):
		return incoming{}
	}
	groups, err := regexpGroups(expr)
	if err != nil {
		c.fail(field, CodeRegexpInvalid, "%s", err)
		return incoming{}
	}
	return incoming{ok: true, variables: groups}
}

func (c *checker) incomingCatchAll(field, path string) incoming {
	if !c.pathStart(field, path) {
		return incoming{}
	}
	prefix, ok := strings.CutSuffix(path, "/*")
	if !ok || strings.ContainsAny(prefix, "{}*?#") {
		c.fail(field, CodeCatchAllInvalid, "must be a path that ends in \"/*\", such as /docs/*, without variables or a query")
		return incoming{}
	}
	return incoming{ok: true}
}

// checkOutgoing checks the URL that a route redirects to. With an incoming path
// that is wrong itself, only what doesn't depend on it.
func (r *Route) checkOutgoing(c *checker, field, url string, in incoming) {
	if url == "" {
		c.fail(field, CodeOutgoingURLIsEmpty, "must not be empty; leave it out for a route that only counts")
		return
	}
	if !c.text(field, url, MaxURLBytes) {
		return
	}
	literal := url
	if r.Kind == CatchAllRoute {
		// "*" stands for the rest of the request's path.
		literal = strings.TrimSuffix(url, "/*") + "/"
		if strings.ContainsAny(literal, "{}*?#") {
			c.fail(field, CodeCatchAllInvalid, "must be a URL without variables, query or fragment, such as https://example.com/docs/*")
			return
		}
	}
	t, err := parseTemplate(literal)
	if err != nil {
		c.fail(field, CodeOutgoingURLInvalidTemplate, "%s", err)
		return
	}
	if !c.outgoingAuthority(field, t) || !in.ok {
		return
	}
	var missing []string
	for _, name := range t.variables() {
		if !slices.Contains(in.variables, name) {
			missing = append(missing, "{"+name+"}")
		}
	}
	if len(missing) > 0 {
		c.fail(field, CodeIncomingPathMissingVariables, "uses %s, which the incoming path doesn't have; add %s there",
			printable(strings.Join(missing, ", ")), theyOrIt(len(missing)))
	}
}

func theyOrIt(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// outgoingAuthority checks the part of an outgoing template that says which
// server is asked. No variable may change it, or whoever makes a request could
// choose where clients are sent.
func (c *checker) outgoingAuthority(field string, t template) bool {
	head := t.head()
	if !strings.Contains(head, "://") {
		c.fail(field, CodeOutgoingURLNotAbsolute, "must be an absolute URL, such as https://example.com/file.tar.gz")
		return false
	}
	scheme, rest, _ := strings.Cut(head, "://")
	if s := strings.ToLower(scheme); s != "http" && s != "https" {
		c.fail(field, CodeOutgoingURLNotAbsolute, "must begin with https:// or http://")
		return false
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		if len(t) > 1 && !t[1].delimits() {
			c.fail(field, CodeOutgoingAuthority, "a variable may not be part of the host; write the host out, then \"/\"")
			return false
		}
		end = len(rest)
	}
	if err := checkAuthority(rest[:end]); err != nil {
		c.fail(field, CodeOutgoingURLNotAbsolute, "%s", err)
		return false
	}
	return true
}

// checkAuthority checks host[:port] of a URL.
func checkAuthority(authority string) error {
	switch {
	case authority == "":
		return fmt.Errorf("has no host")
	case strings.Contains(authority, "@"):
		return fmt.Errorf("must not carry a user name or password; everyone would see it")
	}
	return checkHostPort(authority)
}
