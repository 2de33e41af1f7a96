// Package report defines what is counted, in one place: pages, exports, badges
// and the API ask it and so agree.
package report

import "time"

// Dimension is something that reports group and filter by.
type Dimension string

// The dimensions. A variable is "variable:NAME".
const (
	ByPackage  Dimension = "package"
	ByVersion  Dimension = "version"
	ByPlatform Dimension = "platform"
	ByArch     Dimension = "arch"
	ByClient   Dimension = "client"
	ByCountry  Dimension = "country"
	ByCompany  Dimension = "company"
	ByRegion   Dimension = "region"
	ByDomain   Dimension = "domain"
	ByPage     Dimension = "page"
	ByType     Dimension = "type"
)

// Bucket is the step of a time series.
type Bucket string

// The buckets.
const (
	Hour  Bucket = "hour"
	Day   Bucket = "day"
	Week  Bucket = "week"
	Month Bucket = "month"
)

// Query selects the events a report is about: counted ones in [From, To), bots
// left out unless asked for.
type Query struct {
	Owner     string // empty: every owner (operators only)
	PackageID string // empty: every package of the owner
	PixelID   string
	From, To  time.Time
	Zone      *time.Location // days and hours are of this zone; nil: UTC
	Filters   []Filter
	Bots      bool

	// Measure is what a series or a list counts. Empty: downloads. Totals and
	// the latest events don't depend on it.
	Measure Measure
}

// Measure is one of the figures of Totals, as something to draw over time or to
// rank rows by.
type Measure string

// The measures, each the field of Totals that it adds up to (except unique
// origins: one origin may come in several buckets).
const (
	Downloads     Measure = "downloads"
	Views         Measure = "views"
	Events        Measure = "events"
	UniqueOrigins Measure = "unique_origins"
)

// Filter keeps, or leaves out, rows with one of the values. The value "" stands
// for unknown.
type Filter struct {
	Dimension Dimension
	Values    []string
	Exclude   bool
}

// Totals are the headline figures of a query.
type Totals struct {
	Downloads       int64 `json:"downloads"`
	Views           int64 `json:"views"`
	Events          int64 `json:"events"` // collected events
	UniqueOrigins   int64 `json:"unique_origins"`
	UniqueEndpoints int64 `json:"unique_endpoints"`
	Companies       int64 `json:"companies"`
}

// Point is one bucket of a time series, at the bucket's start.
type Point struct {
	Time  time.Time `json:"time"`
	Count int64     `json:"count"`
}

// Row is one value of a dimension. Key is what a filter takes; Label is what a
// person reads; they differ for packages.
type Row struct {
	Key    string `json:"key"`
	Label  string `json:"label"`
	Count  int64  `json:"count"`
	Unique int64  `json:"unique"` // unique origins
}

// Latest is one recent event as a page shows it.
type Latest struct {
	ID        string    `json:"id"`
	Time      time.Time `json:"time"`
	Type      string    `json:"type"`
	Owner     string    `json:"owner"`
	PackageID string    `json:"package_id"`
	Package   string    `json:"package"`
	Version   string    `json:"version"`
	Platform  string    `json:"platform"`
	Client    string    `json:"client"`
	Country   string    `json:"country"`
	Domain    string    `json:"domain"`
	Path      string    `json:"path"`
	Status    int       `json:"status"`
	Counted   bool      `json:"counted"`
}
