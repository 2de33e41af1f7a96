package ui

import (
	_ "embed"
	"strings"
	"sync"

	"tallygate/analytics/report"
	"tallygate/cluster/catalog"
)

// countries.tsv holds the codes of ISO 3166-1 and Kosovo's XK, a tab, and the
// name in English as in CLDR (made from Intl.DisplayNames).
//
//go:embed countries.tsv
var countryTable string

var countryNames = sync.OnceValue(func() map[string]string {
	names := make(map[string]string, 256)
	for line := range strings.Lines(countryTable) {
		code, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		names[code] = name
	}
	return names
})

// countryName returns the name of a country's code, or the code itself.
func countryName(code string) string {
	if name := countryNames()[code]; name != "" {
		return name
	}
	return code
}

// unknown is shown for what no event told.
const unknown = "Unknown"

// eventNames are the types of events as a person reads them. Imports may bring
// others; they are shown as they are.
var eventNames = map[string]string{
	"manifest-fetch":  "pull",
	"blob-fetch":      "layer",
	"binary-download": "download",
	"index-fetch":     "package index",
	"package-install": "install",
	"pixel-fetch":     "view",
	"event":           "event",
}

func eventName(typ string) string {
	if name := eventNames[typ]; name != "" {
		return name
	}
	return typ
}

// namer gives the names that people read for the keys that filters take.
type namer struct{ cat Catalog }

func (n namer) label(d report.Dimension, key string) string {
	if key == "" {
		return unknown
	}
	switch d {
	case report.ByCountry:
		return countryName(key)
	case report.ByType:
		return eventName(key)
	case report.ByPackage:
		if p := n.cat.Package(key); p != nil {
			return packageName(p)
		}
	}
	return key
}

func packageName(p *catalog.Package) string { return p.Owner + "/" + p.Name }

// typeNames are the package types as headings and tags say them.
var typeNames = map[catalog.PackageType]string{
	catalog.Docker:  "Image",
	catalog.File:    "File",
	catalog.Python:  "Python",
	catalog.NPM:     "npm",
	catalog.Hackage: "Hackage",
	catalog.Event:   "Events",
}

func typeName(t catalog.PackageType) string {
	if name := typeNames[t]; name != "" {
		return name
	}
	return string(t)
}

// packageTypes are the types in the order of menus.
var packageTypes = []catalog.PackageType{
	catalog.Docker, catalog.File, catalog.Python, catalog.NPM, catalog.Event, catalog.Hackage,
}
