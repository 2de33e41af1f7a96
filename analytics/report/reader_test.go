package report_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tallygate/analytics/report"
	"tallygate/analytics/store"
	"tallygate/routing/event"
)

func reader(t testing.TB, events ...*event.Event) *report.Reader {
	t.Helper()
	s, err := store.Open(store.Options{Dir: t.TempDir(), MemoryLimit: 256 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	if len(events) > 0 {
		if _, err := s.Write(t.Context(), []store.Message{{Node: "n", Incarnation: [16]byte{1}, Sequence: 1, Events: events}}); err != nil {
			t.Fatal(err)
		}
	}
	return report.New(s)
}

var noon = time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)

// served is a countable event of its own origin.
func served(kind string, change func(*event.Event)) *event.Event {
	e := &event.Event{
		ID: event.NewID(noon), Time: noon, Type: kind, Owner: "acme", PackageID: "p1", Package: "rocket",
		Countable: true, Status: 200, OriginID: event.NewID(noon), EndpointID: [16]byte{1},
	}
	if change != nil {
		change(e)
	}
	return e
}

func TestWhatIsADownloadAViewAndAnEvent(t *testing.T) {
	pixel := func(e *event.Event) { e.PackageID, e.Package, e.PixelID, e.Pixel = "", "", "x1", "readme" }
	tests := map[string]struct {
		event *event.Event
		want  report.Totals
	}{
		"a pull":                   {served(event.ManifestFetch, nil), report.Totals{Downloads: 1, UniqueOrigins: 1, UniqueEndpoints: 1}},
		"a file":                   {served(event.BinaryDownload, nil), report.Totals{Downloads: 1, UniqueOrigins: 1, UniqueEndpoints: 1}},
		"an installation":          {served(event.PackageInstall, nil), report.Totals{Downloads: 1, UniqueOrigins: 1, UniqueEndpoints: 1}},
		"a type of an import":      {served("mirror-sync", nil), report.Totals{Downloads: 1, UniqueOrigins: 1, UniqueEndpoints: 1}},
		"a view":                   {served(event.PixelFetch, pixel), report.Totals{Views: 1, UniqueOrigins: 1, UniqueEndpoints: 1}},
		"an import's view":         {served("page-view", pixel), report.Totals{Views: 1, UniqueOrigins: 1, UniqueEndpoints: 1}},
		"a collected event":        {served(event.Custom, nil), report.Totals{Events: 1, UniqueOrigins: 1, UniqueEndpoints: 1}},
		"a HEAD request":           {served(event.BinaryDownload, func(e *event.Event) { e.Countable = false }), report.Totals{}},
		"an unknown origin":        {served(event.BinaryDownload, func(e *event.Event) { e.OriginID, e.EndpointID = [16]byte{}, [16]byte{} }), report.Totals{Downloads: 1}},
		"a company":                {served(event.BinaryDownload, func(e *event.Event) { e.Company = "ACME" }), report.Totals{Downloads: 1, UniqueOrigins: 1, UniqueEndpoints: 1, Companies: 1}},
		"a crawler":                {served(event.BinaryDownload, func(e *event.Event) { e.Bot = true }), report.Totals{}},
		"before the period":        {served(event.BinaryDownload, func(e *event.Event) { e.Time = noon.Add(-25 * time.Hour) }), report.Totals{}},
		"at the end of the period": {served(event.BinaryDownload, func(e *event.Event) { e.Time = noon.Add(24 * time.Hour) }), report.Totals{}},
		"at its beginning":         {served(event.BinaryDownload, func(e *event.Event) { e.Time = noon.Add(-24 * time.Hour) }), report.Totals{Downloads: 1, UniqueOrigins: 1, UniqueEndpoints: 1}},
		"of another owner's":       {served(event.BinaryDownload, func(e *event.Event) { e.Owner = "other" }), report.Totals{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := reader(t, test.event)
			q := report.Query{Owner: "acme", From: noon.Add(-24 * time.Hour), To: noon.Add(24 * time.Hour)}
			got, err := r.Totals(t.Context(), q)
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
			q.Bots = true
			if got, err := r.Totals(t.Context(), q); err != nil || test.event.Bot && got.Downloads != 1 {
				t.Errorf("with bots: %+v, %v", got, err)
			}
		})
	}
}

func TestTopRanksAndFiltersKeepOrLeaveOut(t *testing.T) {
	version := func(v, platform, plan string) func(*event.Event) {
		return func(e *event.Event) {
			e.Version, e.Platform = v, platform
			e.OriginID = [16]byte{1}
			if plan != "" {
				e.Variables = []event.Variable{{Name: "plan", Value: plan}}
			}
		}
	}
	r := reader(t,
		served(event.BinaryDownload, version("1.0", "linux", "free")),
		served(event.BinaryDownload, version("1.0", "linux", "paid")),
		served(event.BinaryDownload, version("2.0", "macos", "paid")),
		served(event.BinaryDownload, version("", "windows", "")),
		served(event.PixelFetch, func(e *event.Event) { e.PackageID, e.PixelID = "", "x1" }),
		served(event.BinaryDownload, func(e *event.Event) {
			e.PackageID, e.Package, e.Version, e.Time = "p2", "old name", "9", noon.Add(-time.Hour)
		}),
		served(event.BinaryDownload, func(e *event.Event) { e.PackageID, e.Package, e.Version = "p2", "new name", "9" }),
	)
	tests := map[string]struct {
		by    report.Dimension
		query report.Query
		limit int
		want  string
	}{
		"by version":             {report.ByVersion, report.Query{PackageID: "p1"}, 10, "[{1.0 1.0 2 1} {  1 1} {2.0 2.0 1 1}]"},
		"the first alone":        {report.ByVersion, report.Query{PackageID: "p1"}, 1, "[{1.0 1.0 2 1}]"},
		"by package, last name":  {report.ByPackage, report.Query{}, 10, "[{p1 rocket 4 1} {p2 new name 2 2}]"},
		"by a variable":          {"variable:plan", report.Query{PackageID: "p1"}, 10, "[{paid paid 2 1} {  1 1} {free free 1 1}]"},
		"views":                  {report.ByType, report.Query{Measure: report.Views}, 10, "[{pixel-fetch pixel-fetch 1 1}]"},
		"by unique origins":      {report.ByPackage, report.Query{Measure: report.UniqueOrigins}, 10, "[{p2 new name 2 2} {  1 1} {p1 rocket 1 1}]"},
		"one value":              {report.ByPlatform, report.Query{Filters: []report.Filter{{Dimension: report.ByVersion, Values: []string{"1.0"}}}}, 10, "[{linux linux 2 1}]"},
		"several values":         {report.ByPlatform, report.Query{Filters: []report.Filter{{Dimension: report.ByVersion, Values: []string{"1.0", "2.0"}}}}, 10, "[{linux linux 2 1} {macos macos 1 1}]"},
		"unknown":                {report.ByPlatform, report.Query{Filters: []report.Filter{{Dimension: report.ByVersion, Values: []string{""}}}}, 10, "[{windows windows 1 1}]"},
		"all but one":            {report.ByPlatform, report.Query{PackageID: "p1", Filters: []report.Filter{{Dimension: report.ByVersion, Values: []string{"1.0"}, Exclude: true}}}, 10, "[{macos macos 1 1} {windows windows 1 1}]"},
		"all but unknown":        {report.ByPlatform, report.Query{PackageID: "p1", Filters: []report.Filter{{Dimension: report.ByVersion, Values: []string{""}, Exclude: true}}}, 10, "[{linux linux 2 1} {macos macos 1 1}]"},
		"a variable's value":     {report.ByVersion, report.Query{Filters: []report.Filter{{Dimension: "variable:plan", Values: []string{"free"}}}}, 10, "[{1.0 1.0 1 1}]"},
		"nothing to keep":        {report.ByVersion, report.Query{PackageID: "p1", Filters: []report.Filter{{Dimension: report.ByVersion}}}, 1, "[{1.0 1.0 2 1}]"},
		"a value that is no SQL": {report.ByVersion, report.Query{Filters: []report.Filter{{Dimension: report.ByVersion, Values: []string{"' OR true --"}}}}, 10, "[]"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := r.Top(t.Context(), test.query, test.by, test.limit)
			if err != nil || fmt.Sprint(got) != test.want {
				t.Errorf("got %v, %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestAQueryNotUnderstoodIsAnError(t *testing.T) {
	r := reader(t)
	year := report.Query{From: noon.AddDate(-10, 0, 0), To: noon}
	for name, f := range map[string]func() error{
		"dimension":       func() error { _, err := r.Top(t.Context(), year, "nope", 1); return err },
		"variable's name": func() error { _, err := r.Top(t.Context(), year, "variable:", 1); return err },
		"measure": func() error {
			_, err := r.Top(t.Context(), report.Query{Measure: "nope"}, report.ByType, 1)
			return err
		},
		"measure of time":  func() error { _, err := r.Series(t.Context(), report.Query{Measure: "nope"}, report.Day); return err },
		"bucket":           func() error { _, err := r.Series(t.Context(), year, "minute"); return err },
		"too many buckets": func() error { _, err := r.Series(t.Context(), year, report.Hour); return err },
		"filter": func() error {
			_, err := r.Totals(t.Context(), report.Query{Filters: []report.Filter{{Dimension: "nope", Values: []string{"x"}}}})
			return err
		},
	} {
		if err := f(); !errors.Is(err, report.ErrQuery) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := r.Series(t.Context(), report.Query{}, report.Day); err != nil || len(got) != 0 {
		t.Errorf("a series of nothing: %v, %v", got, err)
	}
	none := report.New(nil)
	if _, err := none.Latest(t.Context(), report.Query{}, 1); !errors.Is(err, report.ErrDisabled) {
		t.Error(err)
	}
}

// The buckets that DuckDB makes by arithmetic are those of the zone's calendar:
// each event is in the bucket that Go's time package puts it in.
func TestSeriesFollowTheCalendarOfTheZone(t *testing.T) {
	from := time.Date(2026, 2, 27, 22, 15, 0, 0, time.UTC)
	to := time.Date(2026, 12, 3, 9, 45, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(1, 2))
	var events []*event.Event
	for range 3000 {
		at := from.Add(time.Duration(random.Int64N(int64(to.Sub(from))))).Truncate(time.Microsecond)
		events = append(events, served(event.BinaryDownload, func(e *event.Event) { e.Time = at }))
	}
	// The edges, and the hours around the changes of summer time.
	for _, at := range []time.Time{from, to.Add(-time.Microsecond), time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC), time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)} {
		events = append(events, served(event.BinaryDownload, func(e *event.Event) { e.Time = at }))
	}
	r := reader(t, events...)
	for _, name := range []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Skipf("no time zone data: %v", err)
		}
		for _, step := range []report.Bucket{report.Hour, report.Day, report.Week, report.Month} {
			t.Run(name+" by "+string(step), func(t *testing.T) {
				q := report.Query{From: from, To: to, Zone: zone}
				points, err := r.Series(t.Context(), q, step)
				if err != nil {
					t.Fatal(err)
				}
				var sum int64
				for i, p := range points {
					sum += p.Count
					end := to
					if i+1 < len(points) {
						end = points[i+1].Time
					}
					if !p.Time.Before(end) {
						t.Fatalf("bucket %d begins at %v, the next at %v", i, p.Time, end)
					}
					var want int64
					for _, e := range events {
						if !e.Time.Before(p.Time) && e.Time.Before(end) {
							want++
						}
					}
					if p.Count != want {
						t.Errorf("%v: %d events, want %d", p.Time, p.Count, want)
					}
					local := p.Time.In(zone)
					if local.Minute() != 0 && step == report.Hour && name != "Asia/Kolkata" && name != "Australia/Lord_Howe" || step != report.Hour && (local.Hour() > 1) ||
						step == report.Week && local.Weekday() != time.Monday || step == report.Month && local.Day() != 1 {
						t.Errorf("a bucket begins at %v", local)
					}
				}
				if sum != int64(len(events)) {
					t.Errorf("%d events in all buckets, want %d", sum, len(events))
				}
			})
		}
	}
}

func TestASeriesWithoutAPeriodBeginsWithTheFirstEvent(t *testing.T) {
	old := time.Now().AddDate(0, 0, -3)
	r := reader(t, served(event.BinaryDownload, func(e *event.Event) { e.Time = old }), served(event.BinaryDownload, func(e *event.Event) { e.Time = time.Now().Add(-time.Minute) }))
	got, err := r.Series(t.Context(), report.Query{}, report.Day)
	if err != nil || len(got) < 3 || len(got) > 5 || got[0].Count != 1 || got[1].Count != 0 {
		t.Errorf("got %v, %v", got, err)
	}
	got, err = r.Series(t.Context(), report.Query{Measure: report.UniqueOrigins}, report.Month)
	var sum int64
	for _, p := range got {
		sum += p.Count
	}
	if err != nil || sum != 2 {
		t.Errorf("unique origins: %v, %v", got, err)
	}
}

func TestLatestIsNewestFirstHoweverOld(t *testing.T) {
	var events []*event.Event
	for i, age := range []time.Duration{100 * 24 * time.Hour, time.Minute, 25 * time.Hour, 2 * time.Minute, 0} {
		events = append(events, served(event.BinaryDownload, func(e *event.Event) {
			e.Time, e.Path, e.Countable = time.Now().Add(-age), fmt.Sprint(i), i != 1
		}))
	}
	r := reader(t, events...)
	for limit, want := range map[int]string{0: "", 1: "4", 3: "413", 4: "4132", 10: "41320"} {
		got, err := r.Latest(t.Context(), report.Query{}, limit)
		paths := ""
		for _, l := range got {
			paths += l.Path
		}
		if err != nil || paths != want {
			t.Errorf("limit %d: %s, %v, want %s", limit, paths, err, want)
		}
	}
	got, err := r.Latest(t.Context(), report.Query{}, 2)
	if err != nil || got[1].Counted || !got[0].Counted || got[0].ID == "" || got[0].Owner != "acme" || got[0].Status != 200 {
		t.Errorf("%+v, %v", got, err)
	}
}
