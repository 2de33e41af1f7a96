package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What is counted, as conditions on rows of the view events. The column counted
// already says whether the row counts at all: HEAD requests, index pages and
// blobs don't, and of the rows of one pull the first does.
const (
	// isView: a tracking pixel was fetched, or an import says so.
	isView = `(counted AND (type = 'pixel-fetch' OR pixel_id IS NOT NULL))`
	// isCollected: an event was collected.
	isCollected = `(counted AND type = 'event' AND pixel_id IS NULL)`
	// isDownload: everything else that counts: pulls, files, Python
	// distributions, installations, and the types of imports.
	isDownload = `(counted AND type NOT IN ('pixel-fetch', 'event') AND pixel_id IS NULL)`
)

// The figures over rows that count. Origins are pseudonyms within a calendar
// month: over several months one origin counts once in each.
const (
	uniqueOrigins   = `count(DISTINCT origin_id)`
	uniqueEndpoints = `count(DISTINCT endpoint_id)`
	companies       = `count(DISTINCT company)`
)

// measures give for each measure which rows enter and how they are counted.
var measures = map[Measure]struct{ rows, figure string }{
	"":            {isDownload, "count(*)"},
	Downloads:     {isDownload, "count(*)"},
	Views:         {isView, "count(*)"},
	Events:        {isCollected, "count(*)"},
	UniqueOrigins: {"counted", uniqueOrigins},
}

// columns are what dimensions group and filter by.
var columns = map[Dimension]string{
	ByPackage: "package_id", ByVersion: "version", ByPlatform: "platform", ByArch: "arch",
	ByClient: "client", ByCountry: "country", ByCompany: "company", ByRegion: "region",
	ByDomain: "domain", ByPage: "page", ByType: "type",
}

// ErrQuery is returned for a query that can't be answered: an unknown dimension,
// measure or bucket, or a period without an end.
var ErrQuery = errors.New("query not understood")

// variablePrefix begins the dimension of a variable.
const variablePrefix = "variable:"

// statement collects SQL and its parameters. Values of a query enter as
// parameters only.
type statement struct {
	text strings.Builder
	args []any
}

func (s *statement) add(text string, args ...any) {
	s.text.WriteString(text)
	s.args = append(s.args, args...)
}

// dimension adds the expression of a dimension, NULL being unknown.
func (s *statement) dimension(d Dimension) error {
	if name, ok := strings.CutPrefix(string(d), variablePrefix); ok && name != "" {
		s.add("nullif(variables[?], '')", name)
		return nil
	}
	column, ok := columns[d]
	if !ok {
		return fmt.Errorf("%w: dimension %q", ErrQuery, d)
	}
	s.add(column)
	return nil
}

// where adds the conditions of a query, without those on what is counted.
func (s *statement) where(q Query) error {
	s.add(" WHERE true")
	equal := func(column, value string) {
		if value != "" {
			s.add(" AND "+column+" = ?", value)
		}
	}
	equal("owner", q.Owner)
	equal("package_id", q.PackageID)
	equal("pixel_id", q.PixelID)
	if !q.From.IsZero() {
		s.add(" AND time >= make_timestamp(?::BIGINT)", ceilMicro(q.From))
	}
	if !q.To.IsZero() {
		s.add(" AND time < make_timestamp(?::BIGINT)", ceilMicro(q.To))
	}
	if !q.Bots {
		s.add(" AND NOT bot")
	}
	for _, f := range q.Filters {
		if err := s.filter(f); err != nil {
			return err
		}
	}
	return nil
}

func (s *statement) filter(f Filter) error {
	if len(f.Values) == 0 {
		return nil
	}
	s.add(" AND ")
	if !f.Exclude && !slices.Contains(f.Values, "") {
		// A bare column lets DuckDB skip parts of the table.
		if err := s.dimension(f.Dimension); err != nil {
			return err
		}
	} else {
		s.add("coalesce(")
		if err := s.dimension(f.Dimension); err != nil {
			return err
		}
		s.add(", '')")
	}
	if f.Exclude {
		s.add(" NOT")
	}
	s.add(" IN (?"+strings.Repeat(", ?", len(f.Values)-1)+")", toAny(f.Values)...)
	return nil
}

func toAny(values []string) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

// ceilMicro is the first microsecond not before t: times are stored by the
// microsecond.
func ceilMicro(t time.Time) int64 {
	us := t.UnixMicro()
	if time.UnixMicro(us).Before(t) {
		us++
	}
	return us
}
