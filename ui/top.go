package ui

import (
	"context"
	"net/http"
	"strconv"

	"tallygate/analytics/report"
	"tallygate/cluster/catalog"
)

// top is the list of the most frequent values of a dimension, with bars.
type top struct {
	frame
	Dimension dimension
	Measure   measure
	Sources   bool // a second column tells unique sources
	Rows      []bar
	More      string // address of the panel with more rows; empty: these are all
	All       string // address of the page with more rows
	Alone     bool   // it is a page of its own
}

type bar struct {
	Label   string
	Tag     string // a package's type
	Href    string
	Does    string // what the link does, said aloud
	Width   string // of the bar, in percent of the longest
	Count   int64
	Unique  int64
	Unknown bool // the row stands for what no event told
}

// The lengths of a list: on a page among others, opened there, and alone.
const (
	shortList = 8
	longList  = 40
	fullList  = 500
)

func (s *server) top(ctx context.Context, st state, d dimension, limit int) *top {
	p := &top{
		frame: frame{
			ID:      "top-" + string(d.Key),
			URL:     st.at("/panel/top/" + string(d.Key)),
			Refresh: st.period.current(st.now),
		},
		Dimension: d,
		Measure:   st.measure,
		Sources:   st.measure.Key != report.UniqueOrigins,
	}
	if limit != shortList {
		p.URL = st.at("/panel/top/"+string(d.Key), [2]string{"limit", strconv.Itoa(limit)})
	}
	// One more than shown tells whether there are more.
	rows, err := s.opts.Reports.Top(ctx, st.query(), d.Key, limit+1)
	s.settle(ctx, &p.frame, err)
	if err != nil {
		return p
	}
	if len(rows) > limit {
		rows = rows[:limit]
		p.More = st.at("/panel/top/"+string(d.Key), [2]string{"limit", strconv.Itoa(longList)})
		p.All = st.at("/top/" + string(d.Key))
	}
	names := namer{s.opts.Catalog()}
	for _, row := range rows {
		p.Rows = append(p.Rows, newBar(st, names, d, row, rows[0].Count))
	}
	return p
}

func newBar(st state, names namer, d dimension, row report.Row, longest int64) bar {
	b := bar{
		Label:   row.Label,
		Count:   row.Count,
		Unique:  row.Unique,
		Unknown: row.Key == "",
		Width:   coordinate(100*float64(row.Count)/float64(max(longest, 1))) + "%",
		Href:    st.withFilters(with(st.filters, d.Key, row.Key)).href(),
		Does:    "Only " + names.label(d.Key, row.Key),
	}
	if b.Label == "" || b.Label == row.Key {
		b.Label = names.label(d.Key, row.Key)
	}
	if d.Key != report.ByPackage {
		return b
	}
	// A package has a page of its own: that is where its row leads, with the other
	// filters. One that was deleted can only be filtered by.
	if p := names.cat.Package(row.Key); p != nil && maySee(st.user, p) {
		inside := st
		inside.pkg = p
		inside.owner = p.Owner
		inside.filters = nil
		for _, f := range st.filters {
			if f.Dimension != report.ByPackage {
				inside.filters = append(inside.filters, f)
			}
		}
		b.Href = inside.href()
		b.Does = "Open " + packageName(p)
		b.Label = packageName(p)
		b.Tag = typeName(p.Type)
	}
	return b
}

// topOf reads the dimension of an address.
func topOf(r *http.Request) (dimension, error) {
	d, ok := dimensionOf(r.PathValue("dimension"))
	if !ok {
		return dimension{}, errNotFound
	}
	return d, nil
}

func (s *server) topPanel(w http.ResponseWriter, r *http.Request, user *catalog.User) error {
	d, err := topOf(r)
	if err != nil {
		return err
	}
	st, err := s.panelState(r.URL.Query(), user)
	if err != nil {
		return err
	}
	limit := shortList
	if n, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil && n > 0 {
		limit = min(n, longList)
	}
	return s.alone(w, r, "_top.gohtml", func(ctx context.Context) (any, *frame) {
		p := s.top(ctx, st, d, limit)
		return p, &p.frame
	})
}

// topPage is a list as a page of its own, for browsers without script and for
// long lists.
type topPage struct {
	chrome
	Bar  toolbar
	Back link
	Top  *top
}

func (s *server) topPage(w http.ResponseWriter, r *http.Request, user *catalog.User) error {
	d, err := topOf(r)
	if err != nil {
		return err
	}
	st, err := s.panelState(r.URL.Query(), user)
	if err != nil {
		return err
	}
	page := topPage{
		chrome: s.chrome(r, user, d.Many, ""),
		Back:   link{Label: "Overview", Href: st.href()},
	}
	here := st
	here.list = r.URL.Path
	page.Bar = here.toolbar(namer{s.opts.Catalog()})
	if st.pkg != nil {
		page.Back.Label = packageName(st.pkg)
	}
	s.together(r.Context(), func(ctx context.Context) { page.Top = s.top(ctx, st, d, fullList) })
	page.Top.Alone = true
	page.Top.More, page.Top.All = "", ""
	return s.render(w, r, http.StatusOK, "top.gohtml", page)
}
