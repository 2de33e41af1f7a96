package table

import (
	"fmt"
	"slices"

	"tallygate/cluster/catalog"
	"tallygate/routing/template"
)

// CheckRoute says what is wrong with a route before it enters the catalog: every
// mistake in its paths and URLs, nil if it can be compiled. t is the type of the
// package that it belongs to.
func CheckRoute(t catalog.PackageType, r *catalog.Route) []error {
	_, errs := compileRoute(t, r)
	return errs
}

// CheckPattern says what is wrong with a collection's pattern; nil if nothing is.
func CheckPattern(pattern string) error {
	if _, err := parseImagePattern(pattern); err != nil {
		return fmt.Errorf("pattern %q: %w", pattern, err)
	}
	return nil
}

// compileRoute makes the rule of a route.
func compileRoute(t catalog.PackageType, r *catalog.Route) (*Rule, []error) {
	switch r.Kind {
	case "", catalog.TemplateRoute:
		return compileTemplate(t, r)
	case catalog.RegexpRoute:
		return compileRegexp(t, r)
	case catalog.CatchAllRoute:
		return compileCatchAll(r)
	}
	return nil, []error{fmt.Errorf("route kind %q: want template, regexp or catch-all", r.Kind)}
}

// outgoingURLs are the primary and the failovers; none for a route that answers by
// itself.
func outgoingURLs(r *catalog.Route) []string {
	if r.OutgoingURL == nil {
		return nil
	}
	return append([]string{*r.OutgoingURL}, r.FailoverOrigins...)
}

func compileTemplate(t catalog.PackageType, route *catalog.Route) (*Rule, []error) {
	c := new(templateRule)
	r := &c.Rule
	r.Kind, r.Route, r.tmpl = TemplateRule, route, c
	if t == catalog.Event {
		r.Kind = EventRule
	}
	var errs []error
	if err := c.incoming.Parse(route.IncomingPath); err != nil {
		errs = append(errs, fmt.Errorf("incoming path: %w", err))
	} else {
		r.rank = specificity(&c.incoming)
	}
	if errs = append(errs, c.compileOuts(c.incoming.Names(), len(errs) == 0)...); errs != nil {
		return nil, errs
	}
	template.Pack(c.literals[:], &c.incoming, c.outs)
	return r, nil
}

// compileOuts compiles the outgoing URLs of a template. When the incoming one is
// broken, its variables are unknown, and only mistakes of another kind are found.
func (r *templateRule) compileOuts(names []string, known bool) (errs []error) {
	urls := outgoingURLs(r.Route)
	if len(urls) == 0 {
		return nil
	}
	r.outs = r.outgoing[:]
	if len(urls) > 1 {
		r.outs = make([]template.Outgoing, len(urls))
	}
	for i, u := range urls {
		if !known {
			names = template.Variables(u)
		}
		if err := r.outs[i].Parse(u, names); err != nil {
			errs = append(errs, fmt.Errorf("outgoing URL: %w", err))
		}
	}
	return errs
}

func compileRegexp(t catalog.PackageType, route *catalog.Route) (*Rule, []error) {
	var errs []error
	if t == catalog.Event {
		errs = append(errs, fmt.Errorf("event packages take templates, not regular expressions"))
	}
	re, err := parseRegexp(route.IncomingPath)
	var names []string
	if err != nil {
		errs = append(errs, fmt.Errorf("incoming path %q: %w", route.IncomingPath, err))
	} else {
		names = slices.Clone(re.names)
	}
	urls := outgoingURLs(route)
	r := &Rule{Kind: RegexpRule, Route: route, rest: &restRule{re: re}}
	if len(urls) > 0 {
		r.outs = make([]template.Outgoing, len(urls))
	}
	for i, u := range urls {
		if err != nil {
			names = template.Variables(u)
		}
		if err := r.outs[i].Parse(u, names); err != nil {
			errs = append(errs, fmt.Errorf("outgoing URL: %w", err))
		}
	}
	if errs != nil {
		return nil, errs
	}
	return r, nil
}

func compileCatchAll(route *catalog.Route) (*Rule, []error) {
	c, err := parseCatchAll(route.IncomingPath, outgoingURLs(route))
	if err != nil {
		return nil, []error{fmt.Errorf("catch-all %q: %w", route.IncomingPath, err)}
	}
	return &Rule{Kind: CatchAllRule, Route: route, rest: &restRule{catchAll: c}}, nil
}
