package ui

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"tallygate/analytics/report"
	"tallygate/cluster/catalog"
)

// frame is what every panel has: it is a section that can be fetched again, and
// that may be late or broken without harming the rest of the page.
type frame struct {
	ID      string // of the section
	URL     string // where it is fetched alone
	Refresh bool   // new events change it

	// At most one of these is set; then the panel holds nothing else.
	Late     bool // not counted yet: the browser fetches it
	Failed   bool // counting went wrong: the log says why
	Disabled bool // the node keeps no analytics
}

// wait bounds how long a panel may take when it is fetched alone.
const wait = 30 * time.Second

// settle notes in the frame why a panel has no figures.
func (s *server) settle(ctx context.Context, f *frame, err error) {
	switch {
	case err == nil:
	case errors.Is(err, report.ErrDisabled):
		f.Disabled = true
	case ctx.Err() != nil:
		f.Late = true
	default:
		s.log.Error("panel failed", "panel", f.ID, "err", err)
		f.Failed = true
	}
}

// together runs the panels of a page at once, each with what is left of the
// page's budget.
func (s *server) together(ctx context.Context, panels ...func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Budget)
	defer cancel()
	var group sync.WaitGroup
	for _, p := range panels {
		group.Go(func() { p(ctx) })
	}
	group.Wait()
}

// alone answers the request for one panel.
func (s *server) alone(w http.ResponseWriter, r *http.Request, name string, make func(ctx context.Context) (any, *frame)) error {
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	data, f := make(ctx)
	if err := r.Context().Err(); err != nil {
		return err
	}
	// The browser would ask again at once, and for ever.
	if f.Late {
		s.log.Warn("panel took too long", "panel", f.ID, "limit", wait)
		f.Late, f.Failed = false, true
	}
	return s.render(w, r, http.StatusOK, name, data)
}

// cards are the headline figures, each choosing what chart and lists show.
type cards struct {
	frame
	Cards  []card
	Length string // of the period before
}

type card struct {
	measure
	Href    string
	Current bool
	Count   int64
	Before  int64
	Change  change
	Spark   string
}

func (s *server) cards(ctx context.Context, st state) *cards {
	c := &cards{
		frame:  frame{ID: "cards", URL: st.at("/panel/cards"), Refresh: st.period.current(st.now)},
		Length: st.period.Length(),
	}
	var now, before report.Totals
	series := make([][]report.Point, len(measures))
	err := parallel(ctx,
		func(ctx context.Context) (err error) {
			now, err = s.opts.Reports.Totals(ctx, st.query())
			return err
		},
		func(ctx context.Context) (err error) {
			before, err = s.opts.Reports.Totals(ctx, st.queryBefore())
			return err
		},
		func(ctx context.Context) (err error) {
			// One after the other: a page must not take every connection.
			for i, m := range measures {
				if series[i], err = s.opts.Reports.Series(ctx, st.withMeasure(m).query(), st.period.Step); err != nil {
					return err
				}
			}
			return nil
		},
	)
	s.settle(ctx, &c.frame, err)
	starts := st.period.buckets()
	for i, m := range measures {
		card := card{
			measure: m,
			Href:    st.withMeasure(m).href(),
			Current: m.Key == st.measure.Key,
		}
		if err == nil {
			card.Count, card.Before = figure(now, m.Key), figure(before, m.Key)
			card.Change = changeOf(card.Count, card.Before)
			counts := fill(starts, series[i])
			if st.now.Before(st.period.To) && len(counts) > 2 {
				counts = counts[:len(counts)-1] // it isn't over, and would look like a fall
			}
			card.Spark = sparkline(counts)
		}
		c.Cards = append(c.Cards, card)
	}
	return c
}

// figure is the field of totals that a measure is about.
func figure(t report.Totals, m report.Measure) int64 {
	switch m {
	case report.Views:
		return t.Views
	case report.Events:
		return t.Events
	case report.UniqueOrigins:
		return t.UniqueOrigins
	default:
		return t.Downloads
	}
}

// empty says that nothing at all was counted.
func (c *cards) empty() bool {
	if c.Late || c.Failed || c.Disabled {
		return false
	}
	for _, card := range c.Cards {
		if card.Count != 0 || card.Before != 0 {
			return false
		}
	}
	return true
}

func (s *server) cardsPanel(w http.ResponseWriter, r *http.Request, user *catalog.User) error {
	st, err := s.panelState(r.URL.Query(), user)
	if err != nil {
		return err
	}
	return s.alone(w, r, "_cards.gohtml", func(ctx context.Context) (any, *frame) {
		c := s.cards(ctx, st)
		return c, &c.frame
	})
}

// series is the time series of the chosen measure.
type series struct {
	frame
	Measure measure
	Step    string
	Length  string
	Chart   chart
}

func (s *server) series(ctx context.Context, st state) *series {
	p := &series{
		frame:   frame{ID: "series", URL: st.at("/panel/series"), Refresh: st.period.current(st.now)},
		Measure: st.measure,
		Step:    stepName(st.period.Step),
		Length:  st.period.Length(),
	}
	var now, before []report.Point
	err := parallel(ctx,
		func(ctx context.Context) (err error) {
			now, err = s.opts.Reports.Series(ctx, st.query(), st.period.Step)
			return err
		},
		func(ctx context.Context) (err error) {
			q, whole := st.query(), st.period.shifted(-1)
			q.From, q.To = whole.From, whole.To
			before, err = s.opts.Reports.Series(ctx, q, st.period.Step)
			return err
		},
	)
	s.settle(ctx, &p.frame, err)
	if err == nil {
		p.Chart = newChart(st, now, before)
	}
	return p
}

func (s *server) seriesPanel(w http.ResponseWriter, r *http.Request, user *catalog.User) error {
	st, err := s.panelState(r.URL.Query(), user)
	if err != nil {
		return err
	}
	return s.alone(w, r, "_series.gohtml", func(ctx context.Context) (any, *frame) {
		p := s.series(ctx, st)
		return p, &p.frame
	})
}

// parallel runs functions at once and returns the first error, having ended the
// others.
func parallel(ctx context.Context, fs ...func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	for _, f := range fs {
		group.Go(func() {
			if err := f(ctx); err != nil {
				cancel(err) // the first cause stays
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
