package ui

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"tallygate/analytics/report"
	"tallygate/cluster/catalog"
)

// measure is one of the figures of a page in words.
type measure struct {
	Key   report.Measure
	Label string // of a card and a column
	Hint  string
}

var measures = []measure{
	{report.Downloads, "Downloads", "Pulls, files and installs; a pull counts once however many requests it took"},
	{report.UniqueOrigins, "Unique sources", "Different addresses and programs, told apart within a calendar month"},
	{report.Views, "Views", "Fetches of tracking pixels"},
	{report.Events, "Events", "Events that were posted to event packages"},
}

func measureOf(key string) measure {
	for _, m := range measures {
		if string(m.Key) == key {
			return m
		}
	}
	return measures[0]
}

// state is what a page shows, and all of it is in the page's address. It is a
// value: the methods that change it return a changed copy.
type state struct {
	user    *catalog.User
	pkg     *catalog.Package // on a package's page
	list    string           // path of a page that shows one list; empty on others
	owner   string           // of the packages; empty: every owner
	period  period
	now     time.Time
	measure measure
	filters []report.Filter
	bots    bool
	notices []string
}

// readState reads the state of an address for a user. Only operators see the
// packages of others.
func (s *server) readState(v url.Values, user *catalog.User, pkg *catalog.Package) state {
	st := state{
		user:    user,
		pkg:     pkg,
		now:     s.now(),
		measure: measureOf(v.Get("show")),
		filters: parseFilters(v),
		bots:    v.Get("bots") == "1",
	}
	st.period, st.notices = parsePeriod(v, st.now)
	switch {
	case !user.Operator:
		st.owner = user.Name
	case pkg != nil:
		st.owner = pkg.Owner
	default:
		if owner := v.Get("owner"); readable(owner) {
			st.owner = owner
		}
	}
	return st
}

// query is what to ask the reports, for the page's own period.
func (st state) query() report.Query {
	q := report.Query{
		Owner:   st.owner,
		From:    st.period.From,
		To:      st.period.To,
		Zone:    st.period.Zone,
		Filters: st.filters,
		Bots:    st.bots,
		Measure: st.measure.Key,
	}
	if st.pkg != nil {
		q.PackageID = st.pkg.ID
	}
	return q
}

// queryBefore asks about the period before, as far as this one has come.
func (st state) queryBefore() report.Query {
	q := st.query()
	before := st.period.before(st.now)
	q.From, q.To = before.From, before.To
	return q
}

// base is the path of the page that the state belongs to.
func (st state) base() string {
	switch {
	case st.list != "":
		return st.list
	case st.pkg != nil:
		return packagePath(st.pkg)
	default:
		return "/"
	}
}

// packagePath is the address of a package's page. Names may hold slashes.
func packagePath(p *catalog.Package) string {
	parts := strings.Split(p.Name, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
		if part == "." || part == ".." || part == "" {
			// Such a segment would be cleaned away from the path.
			return "/packages/" + url.PathEscape(p.Owner) + "/" + url.PathEscape(string(p.Type)) + "/" + url.PathEscape(p.Name)
		}
	}
	return "/packages/" + url.PathEscape(p.Owner) + "/" + url.PathEscape(string(p.Type)) + "/" + strings.Join(parts, "/")
}

// pairs writes the state as parameters, defaults left out, in a fixed order.
func (st state) pairs() [][2]string {
	var v [][2]string
	if st.list != "" && st.pkg != nil {
		v = append(v, [2]string{"in", st.pkg.ID})
	}
	if st.user.Operator && st.pkg == nil && st.owner != "" {
		v = append(v, [2]string{"owner", st.owner})
	}
	v = append(v, st.period.values()...)
	if st.measure.Key != measures[0].Key {
		v = append(v, [2]string{"show", string(st.measure.Key)})
	}
	if st.bots {
		v = append(v, [2]string{"bots", "1"})
	}
	return append(v, filterPairs(st.filters)...)
}

func filterPairs(filters []report.Filter) [][2]string {
	var v [][2]string
	for _, f := range filters {
		key := string(f.Dimension)
		if f.Exclude {
			key += "!"
		}
		for _, value := range f.Values {
			v = append(v, [2]string{key, value})
		}
	}
	return v
}

// encode writes parameters as a query, with "!" as it is: it may stand in a query
// (RFC 3986, section 3.4) and "client!=pip" can be read aloud.
func encode(pairs [][2]string) string {
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(strings.ReplaceAll(url.QueryEscape(p[0]), "%21", "!"))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(p[1]))
	}
	return b.String()
}

func address(path string, pairs [][2]string) string {
	if len(pairs) == 0 {
		return path
	}
	return path + "?" + encode(pairs)
}

// href is the address of the page in this state.
func (st state) href() string { return address(st.base(), st.pairs()) }

// at is the address of something that shows the state elsewhere: a panel, or a
// list of its own. The package, which a page has in its path, becomes a
// parameter.
func (st state) at(path string, more ...[2]string) string {
	pairs := st.pairs()
	if st.pkg != nil {
		pairs = append([][2]string{{"in", st.pkg.ID}}, pairs...)
	}
	return address(path, append(pairs, more...))
}

func (st state) withPeriod(p period) state {
	st.period = p
	return st
}

func (st state) withMeasure(m measure) state {
	st.measure = m
	return st
}

func (st state) withFilters(f []report.Filter) state {
	st.filters = f
	return st
}

// visiblePackage finds a package that the user may see.
func visiblePackage(cat Catalog, user *catalog.User, id string) (*catalog.Package, error) {
	p := cat.Package(id)
	if p == nil || !maySee(user, p) {
		return nil, errNotFound
	}
	return p, nil
}

// maySee is the one rule of who sees what: an operator every package, anyone
// else their own.
func maySee(user *catalog.User, p *catalog.Package) bool {
	return user.Operator || p.Owner == user.Name
}

// panelState reads the state of a panel's address.
func (s *server) panelState(v url.Values, user *catalog.User) (state, error) {
	var pkg *catalog.Package
	if id := v.Get("in"); id != "" {
		var err error
		if pkg, err = visiblePackage(s.opts.Catalog(), user, id); err != nil {
			return state{}, fmt.Errorf("panel of package: %w", err)
		}
	}
	return s.readState(v, user, pkg), nil
}
