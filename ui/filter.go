package ui

import (
	"net/url"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"tallygate/analytics/report"
)

// dimension is a report's dimension in words.
type dimension struct {
	Key   report.Dimension
	One   string // "Country"
	Many  string // "Countries"
	Panel bool   // has a list on the overview and package pages
}

// dimensions in the order of panels and of parameters in addresses.
var dimensions = []dimension{
	{Key: report.ByPackage, One: "Package", Many: "Packages", Panel: true},
	{Key: report.ByVersion, One: "Version", Many: "Versions", Panel: true},
	{Key: report.ByPlatform, One: "Platform", Many: "Platforms", Panel: true},
	{Key: report.ByClient, One: "Client", Many: "Clients", Panel: true},
	{Key: report.ByCountry, One: "Country", Many: "Countries", Panel: true},
	{Key: report.ByDomain, One: "Domain", Many: "Domains", Panel: true},
	{Key: report.ByArch, One: "Architecture", Many: "Architectures"},
	{Key: report.ByCompany, One: "Company", Many: "Companies"},
	{Key: report.ByRegion, One: "Region", Many: "Regions"},
	{Key: report.ByPage, One: "Page", Many: "Pages"},
	{Key: report.ByType, One: "Type", Many: "Types"},
}

// variablePrefix starts the dimension of a variable.
const variablePrefix = "variable:"

// dimensionOf finds a dimension by its key in an address.
func dimensionOf(key string) (dimension, bool) {
	if name, ok := strings.CutPrefix(key, variablePrefix); ok && name != "" {
		return dimension{Key: report.Dimension(key), One: "Variable " + name, Many: "Values of " + name}, true
	}
	i := slices.IndexFunc(dimensions, func(d dimension) bool { return string(d.Key) == key })
	if i < 0 {
		return dimension{}, false
	}
	return dimensions[i], true
}

// Bounds of what an address may filter by. More is cut off: no page makes such
// an address.
const (
	maxFilters = 24
	maxValues  = 50
	maxValue   = 512 // bytes
)

// parseFilters reads the filters of an address: "client=pip&client=uv" keeps
// rows of either, "client!=pip" leaves rows out. The value "" means unknown.
func parseFilters(v url.Values) []report.Filter {
	var filters []report.Filter
	for key, values := range v {
		name, exclude := strings.CutSuffix(key, "!")
		d, ok := dimensionOf(name)
		if !ok || !readable(key) {
			continue
		}
		f := report.Filter{Dimension: d.Key, Exclude: exclude}
		for _, value := range values {
			if readable(value) && len(f.Values) < maxValues && !slices.Contains(f.Values, value) {
				f.Values = append(f.Values, value)
			}
		}
		if len(f.Values) > 0 {
			filters = append(filters, f)
		}
	}
	// A map has no order; addresses and chips need one.
	sort.Slice(filters, func(i, j int) bool {
		a, b := filters[i], filters[j]
		if ai, bi := rank(a.Dimension), rank(b.Dimension); ai != bi {
			return ai < bi
		}
		if a.Dimension != b.Dimension {
			return a.Dimension < b.Dimension
		}
		return !a.Exclude && b.Exclude
	})
	if len(filters) > maxFilters {
		filters = filters[:maxFilters]
	}
	return filters
}

// readable says whether a stranger's text can be a value of a report: no event
// has another, and the database would refuse the question.
func readable(s string) bool { return len(s) <= maxValue && utf8.ValidString(s) }

func rank(d report.Dimension) int {
	i := slices.IndexFunc(dimensions, func(x dimension) bool { return x.Key == d })
	if i < 0 {
		return len(dimensions)
	}
	return i
}

// with returns filters that also keep rows with the value, on top of what they
// keep now.
func with(filters []report.Filter, d report.Dimension, value string) []report.Filter {
	out := cloneFilters(filters)
	for i, f := range out {
		if f.Dimension == d && !f.Exclude {
			// A list shows only values that the filter keeps: choosing one of
			// several narrows to it.
			out[i].Values = []string{value}
			return out
		}
	}
	return append(out, report.Filter{Dimension: d, Values: []string{value}})
}

// without returns filters with one value of the i-th taken out.
func without(filters []report.Filter, i int, value string) []report.Filter {
	out := cloneFilters(filters)
	out[i].Values = slices.DeleteFunc(out[i].Values, func(v string) bool { return v == value })
	if len(out[i].Values) == 0 {
		out = slices.Delete(out, i, i+1)
	}
	return out
}

// turned returns filters in which one value of the i-th is left out instead of
// kept, or the other way around.
func turned(filters []report.Filter, i int, value string) []report.Filter {
	d, exclude := filters[i].Dimension, filters[i].Exclude
	out := without(filters, i, value)
	for j, f := range out {
		if f.Dimension == d && f.Exclude == !exclude {
			if !slices.Contains(f.Values, value) {
				out[j].Values = append(f.Values, value)
			}
			return out
		}
	}
	return append(out, report.Filter{Dimension: d, Values: []string{value}, Exclude: !exclude})
}

func cloneFilters(filters []report.Filter) []report.Filter {
	out := slices.Clone(filters)
	for i := range out {
		out[i].Values = slices.Clone(out[i].Values)
	}
	return out
}

// told returns what a latest event tells of a dimension; ok is false for the
// dimensions that it tells nothing of.
func told(d report.Dimension, e *report.Latest) (value string, ok bool) {
	switch d {
	case report.ByPackage:
		return e.PackageID, true
	case report.ByVersion:
		return e.Version, true
	case report.ByPlatform:
		return e.Platform, true
	case report.ByClient:
		return e.Client, true
	case report.ByCountry:
		return e.Country, true
	case report.ByDomain:
		return e.Domain, true
	case report.ByType:
		return e.Type, true
	default:
		return "", false
	}
}

// streamable says whether arriving events can be filtered so.
func streamable(filters []report.Filter) bool {
	return !slices.ContainsFunc(filters, func(f report.Filter) bool {
		_, ok := told(f.Dimension, &report.Latest{})
		return !ok
	})
}

// matches says whether an arriving event passes the filters.
func matches(filters []report.Filter, e *report.Latest) bool {
	for _, f := range filters {
		value, ok := told(f.Dimension, e)
		if !ok || slices.Contains(f.Values, value) == f.Exclude {
			return false
		}
	}
	return true
}
