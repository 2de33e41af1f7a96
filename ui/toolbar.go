package ui

import "time"

// chip is one filter above the figures.
type chip struct {
	Name    string // "Country"
	Value   string
	Exclude bool
	Remove  string // address without it
	Turn    string // address with its opposite; empty: there is none
}

func (st state) chips(names namer) []chip {
	var chips []chip
	if st.user.Operator && st.pkg == nil && st.owner != "" {
		all := st
		all.owner = ""
		chips = append(chips, chip{Name: "Owner", Value: st.owner, Remove: all.href()})
	}
	for i, f := range st.filters {
		d, _ := dimensionOf(string(f.Dimension))
		for _, value := range f.Values {
			chips = append(chips, chip{
				Name:    d.One,
				Value:   names.label(f.Dimension, value),
				Exclude: f.Exclude,
				Remove:  st.withFilters(without(st.filters, i, value)).href(),
				Turn:    st.withFilters(turned(st.filters, i, value)).href(),
			})
		}
	}
	if st.bots {
		people := st
		people.bots = false
		chips = append(chips, chip{Name: "Bots", Value: "included", Remove: people.href()})
	}
	return chips
}

// toolbar is the line above the figures: filters and period.
type toolbar struct {
	Chips    []chip
	Clear    string // address without any filter
	Presets  []link
	Earlier  string
	Later    string // empty: it would be in the future
	Period   string
	Length   string
	Zone     string
	Custom   bool
	From, To string // for the fields of the form
	Bots     bool
	Action   string      // where the form leads
	Keep     [][2]string // what the form must carry along
	Notices  []string
}

type link struct {
	Label   string
	Name    string // said aloud
	Href    string
	Current bool
}

func (st state) toolbar(names namer) toolbar {
	clean := st.withFilters(nil)
	clean.bots = false
	if st.pkg == nil && st.user.Operator {
		clean.owner = ""
	}
	last := st.period.To
	if st.period.days() > 0 {
		last = last.AddDate(0, 0, -1)
	}
	t := toolbar{
		Chips:   st.chips(names),
		Clear:   clean.href(),
		Earlier: st.withPeriod(st.period.shifted(-1)).href(),
		Period:  st.period.String(),
		Length:  st.period.Length(),
		Zone:    st.period.Zone.String(),
		Custom:  st.period.Key == customPeriod,
		From:    st.period.From.Format(dateLayout),
		To:      last.Format(dateLayout),
		Bots:    st.bots,
		Action:  st.base(),
		Notices: st.notices,
	}
	if later := st.period.shifted(1); later.From.Before(st.now) {
		t.Later = st.withPeriod(later).href()
	}
	for _, p := range presets {
		t.Presets = append(t.Presets, link{
			Label:   p.Label,
			Name:    p.Name,
			Href:    st.withPeriod(p.ending(st.now, st.period.Zone)).href(),
			Current: st.period.Key == p.Key,
		})
	}
	// The form sets the period, the zone and bots itself.
	plain := st
	plain.bots = false
	plain.period = period{Key: defaultPeriod, Zone: time.UTC}
	t.Keep = plain.pairs()
	return t
}
