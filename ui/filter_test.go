package ui

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"tallygate/analytics/report"
	"tallygate/cluster/catalog"
)

var operator = &catalog.User{Name: "operator", Operator: true}

func stateOf(t testing.TB, s string) state {
	t.Helper()
	st := state{user: operator, now: noon, measure: measures[0], filters: parseFilters(query(t, s))}
	st.period, _ = parsePeriod(query(t, s), noon)
	return st
}

func TestFiltersOfAnAddress(t *testing.T) {
	got := parseFilters(query(t, "country=DE&client=pip&client=uv&client=pip&version!=latest&platform=&variable:page=x&nonsense=1&variable:=y"))
	want := []report.Filter{
		{Dimension: "version", Values: []string{"latest"}, Exclude: true},
		{Dimension: "platform", Values: []string{""}},
		{Dimension: "client", Values: []string{"pip", "uv"}},
		{Dimension: "country", Values: []string{"DE"}},
		{Dimension: "variable:page", Values: []string{"x"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestHugeFiltersAreCutOff(t *testing.T) {
	v := url.Values{"client": {strings.Repeat("x", maxValue+1), "pip"}}
	for i := range 100 {
		v.Add("country", strings.Repeat("c", i))
		v.Add("variable:"+strings.Repeat("v", i+1), "1")
	}
	got := parseFilters(v)
	if len(got) > maxFilters {
		t.Errorf("%d filters", len(got))
	}
	for _, f := range got {
		if len(f.Values) > maxValues {
			t.Errorf("%d values of %s", len(f.Values), f.Dimension)
		}
		if f.Dimension == "client" && !reflect.DeepEqual(f.Values, []string{"pip"}) {
			t.Errorf("clients %v", f.Values)
		}
	}
}

func TestClicksOnFilters(t *testing.T) {
	st := stateOf(t, "client=pip&client=uv&country!=DE")
	for _, c := range []struct {
		name, got, want string
	}{
		{"a row adds a filter", st.withFilters(with(st.filters, "platform", "linux")).href(), "/?platform=linux&client=pip&client=uv&country!=DE"},
		{"a row of a filtered list narrows to it", st.withFilters(with(st.filters, "client", "uv")).href(), "/?client=uv&country!=DE"},
		{"unknown is a value", st.withFilters(with(nil, "client", "")).href(), "/?client="},
		{"a cross takes one value away", st.withFilters(without(st.filters, 0, "pip")).href(), "/?client=uv&country!=DE"},
		{"and the last with its filter", st.withFilters(without(st.filters, 1, "DE")).href(), "/?client=pip&client=uv"},
		{"a chip turns into its opposite", st.withFilters(turned(st.filters, 1, "DE")).href(), "/?client=pip&client=uv&country=DE"},
		{"one value of several, too", st.withFilters(turned(st.filters, 0, "uv")).href(), "/?client=pip&client!=uv&country!=DE"},
		{"an odd value survives", st.withFilters(with(nil, "variable:a b", "x&y=z")).href(), "/?variable%3Aa+b=x%26y%3Dz"},
	} {
		// The order of a state's filters is that of an address that was read.
		again := stateOf(t, strings.TrimPrefix(c.got, "/?")).href()
		if c.name != "an odd value survives" && again != c.want {
			t.Errorf("%s: %s, want %s", c.name, again, c.want)
		}
		if c.name == "an odd value survives" && c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	if got := st.href(); got != "/?client=pip&client=uv&country!=DE" {
		t.Errorf("clicks changed the state: %s", got)
	}
}

func TestArrivingEventsPassTheSameFilters(t *testing.T) {
	event := report.Latest{PackageID: "p", Owner: "acme", Client: "pip", Country: "", Domain: "d", Version: "1", Platform: "linux", Type: "event"}
	for filters, want := range map[string]bool{
		"":                          true,
		"client=pip":                true,
		"client=uv&client=pip":      true,
		"client!=pip":               false,
		"country=":                  true,
		"country!=":                 false,
		"client=pip&version=2":      false,
		"package=p&domain=d&type!=": true,
		"platform=linux":            true,
		"region=eu":                 false,
	} {
		st := stateOf(t, filters)
		if got := st.arrives(&event); got != want {
			t.Errorf("with %q: %t, want %t", filters, got, want)
		}
		if got, want := streamable(st.filters), filters != "region=eu"; got != want {
			t.Errorf("with %q: streamable %t, want %t", filters, got, want)
		}
	}
	st := stateOf(t, "")
	st.owner = "orbit"
	if st.arrives(&event) {
		t.Error("an event of another owner arrives")
	}
	st = stateOf(t, "")
	st.pkg = &catalog.Package{ID: "other"}
	if st.arrives(&event) {
		t.Error("an event of another package arrives")
	}
}

func FuzzFilters(f *testing.F) {
	f.Add("client=pip&client!=uv&country=")
	f.Add("variable:x!!=1&variable:x!=2&variable:x=3")
	f.Add("version=%00&page=%ff")
	f.Fuzz(func(t *testing.T, s string) {
		filters := parseFilters(query(t, s))
		// Written into an address and read again, filters are the same.
		again := parseFilters(query(t, encode(filterPairs(filters))))
		if len(filters)+len(again) > 0 && !reflect.DeepEqual(filters, again) {
			t.Fatalf("%v became %v", filters, again)
		}
		for i, f := range filters {
			for _, v := range f.Values {
				without(filters, i, v)
				turned(turned(filters, i, v), 0, f.Values[0])
			}
		}
	})
}
