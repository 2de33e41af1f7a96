package ui

import (
	"context"
	"net/http"

	"tallygate/analytics/report"
	"tallygate/cluster/catalog"
)

// figures are the panels that the overview and a package's page share.
type figures struct {
	Bar    toolbar
	Cards  *cards
	Series *series
	Tops   []*top
	Latest *latest
	Bare   bool // nothing was counted, with no filter in the way: teach instead
	Off    bool // the node keeps no analytics: say so once instead of in every panel
}

func (s *server) figures(ctx context.Context, st state) figures {
	f := figures{Bar: st.toolbar(namer{s.opts.Catalog()})}
	jobs := []func(context.Context){
		func(ctx context.Context) { f.Cards = s.cards(ctx, st) },
		func(ctx context.Context) { f.Series = s.series(ctx, st) },
		func(ctx context.Context) { f.Latest = s.latest(ctx, st) },
	}
	for _, d := range dimensions {
		if !d.Panel || st.pkg != nil && d.Key == report.ByPackage {
			continue
		}
		i := len(f.Tops)
		f.Tops = append(f.Tops, nil)
		jobs = append(jobs, func(ctx context.Context) { f.Tops[i] = s.top(ctx, st, d, shortList) })
	}
	// A package's page has room for one more list.
	if st.pkg != nil {
		i := len(f.Tops)
		f.Tops = append(f.Tops, nil)
		arch, _ := dimensionOf(string(report.ByArch))
		jobs = append(jobs, func(ctx context.Context) { f.Tops[i] = s.top(ctx, st, arch, shortList) })
	}
	s.together(ctx, jobs...)
	f.Bare = len(st.filters) == 0 && f.Cards.empty() && len(f.Latest.Rows) == 0 &&
		!f.Latest.Late && !f.Latest.Failed && !f.Latest.Disabled
	f.Off = f.Cards.Disabled
	return f
}

type overviewPage struct {
	chrome
	figures
	Lessons []lesson // what to try, when there is nothing to see
}

// lesson is a command to try.
type lesson struct {
	Package *catalog.Package
	Command command
}

// maxLessons is how many packages the empty overview offers to try.
const maxLessons = 3

func (s *server) overview(w http.ResponseWriter, r *http.Request, user *catalog.User) error {
	st := s.readState(r.URL.Query(), user, nil)
	page := overviewPage{
		chrome:  s.chrome(r, user, "Overview", "overview"),
		figures: s.figures(r.Context(), st),
	}
	if page.Bare {
		page.Lessons = s.lessons(st)
	}
	return s.render(w, r, http.StatusOK, "overview.gohtml", page)
}

// lessons picks packages of different types that have a command to try.
func (s *server) lessons(st state) []lesson {
	// Nobody reads an empty page of a catalog with a million packages.
	const looks = 1000
	var lessons []lesson
	seen := map[catalog.PackageType]bool{}
	n := 0
	for p := range s.visible(st.user, st.owner) {
		if n++; n > looks || len(lessons) == maxLessons {
			break
		}
		if seen[p.Type] {
			continue
		}
		if cs := s.opts.Gateway.commands(p); len(cs) > 0 {
			seen[p.Type] = true
			cs[0].ID = commandID(len(lessons))
			lessons = append(lessons, lesson{p, cs[0]})
		}
	}
	return lessons
}
