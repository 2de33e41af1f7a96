package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tallygate/analytics/report"
)

func TestPointsFallIntoTheirBuckets(t *testing.T) {
	p, _ := parsePeriod(query(t, "from=2026-11-01&to=2026-11-05"), noon)
	starts := p.buckets()
	got := fill(starts, []report.Point{
		{Time: starts[0].Add(-time.Hour), Count: 100}, // before the period: not shown
		{Time: starts[0], Count: 1},
		{Time: starts[2].Add(time.Hour), Count: 2}, // another idea of where days start
		{Time: starts[2], Count: 4},
	})
	if want := []int64{1, 0, 6, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWeeksStartOnMonday(t *testing.T) {
	for day := range 7 {
		at := time.Date(2026, 11, 23+day, 15, 0, 0, 0, time.UTC)
		if got := bucketStart(at, report.Week).Format(dateLayout); got != "2026-11-23" {
			t.Errorf("%s is in the week of %s", at.Format(dateLayout), got)
		}
	}
	if got := bucketStart(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), report.Week).Format(dateLayout); got != "2026-11-16" {
		t.Errorf("Sunday is in the week of %s", got)
	}
	kathmandu := time.FixedZone("", 5*3600+45*60)
	at := time.Date(2026, 11, 23, 15, 50, 30, 7, kathmandu)
	if got := bucketStart(at, report.Hour); got.Minute() != 0 || got.Hour() != 15 {
		t.Errorf("hours in Kathmandu start at %s", got)
	}
}

func TestLevelsAreRoundAndReachTheTop(t *testing.T) {
	for top, want := range map[int64][]int64{
		0:  {0, 1},
		1:  {0, 1},
		3:  {0, 1, 2, 3},
		5:  {0, 2, 4, 6},
		10: {0, 5, 10}, // never 2.5 downloads
		95: {0, 25, 50, 75, 100},
	} {
		if got := levels(top); !slices.Equal(got, want) {
			t.Errorf("to %d: %v, want %v", top, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		top := rapid.Int64Range(0, 1<<50).Draw(t, "top")
		got := levels(top)
		last := got[len(got)-1]
		if got[0] != 0 || last < top || last > 2*max(top, 1) || len(got) > 6 {
			t.Fatalf("to %d: %v", top, got)
		}
	})
}

func TestAxesHaveAtMostEightTicksAndNameTheLast(t *testing.T) {
	for n := 1; n <= 400; n++ {
		got := ticks(n)
		if len(got) == 0 || len(got) > 9 || got[len(got)-1] != n-1 || got[0] < 0 {
			t.Fatalf("of %d buckets: %v", n, got)
		}
	}
}

func TestAChartSaysInWordsWhatItShows(t *testing.T) {
	st := stateOf(t, "from=2026-11-22&to=2026-11-25&show=views")
	st.measure = measureOf("views")
	st.period.Step = report.Day
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
	c := newChart(st, []report.Point{{Time: day(22), Count: 1200}, {Time: day(24), Count: 40}}, []report.Point{{Time: day(18), Count: 600}})
	if want := "Views per day, 22 – 25 Nov 2026. 1,240 in all. Most: 1,200, Sun 22 Nov 2026."; strings.ReplaceAll(c.Label, "22 Nov – 25", "22 – 25") != want {
		t.Errorf("label %q", c.Label)
	}
	if !c.Data.Partial || c.Partial == "" {
		t.Error("today isn't over, but drawn as if")
	}
	if c.Data.Zoom != "/?show=views" || c.Data.Starts[1] != "2026-11-23" || c.Data.Ends[1] != "2026-11-23" {
		t.Errorf("a selection leads to %s with %s to %s", c.Data.Zoom, c.Data.Starts[1], c.Data.Ends[1])
	}
	if row := c.Rows[3]; row.Label != "Sun 22 Nov 2026" || row.Count != 1200 || row.Before != 600 || row.Change.Text != "100%" {
		t.Errorf("the last row is %+v", row)
	}
	if empty := newChart(st, nil, nil); !strings.HasSuffix(empty.Label, " None.") {
		t.Errorf("label %q", empty.Label)
	}
}

func TestPathsStayInTheirBox(t *testing.T) {
	if got := polyline([]int64{0, 5, 10}, 0, 3, 10); got != "M0 204L500 102L1000 0" {
		t.Errorf("line %q", got)
	}
	if got := polyline([]int64{7}, 0, 1, 7); got != "M0 0h6" {
		t.Errorf("a single point is %q", got)
	}
	if got := area([]int64{0, 10}, 2, 10); got != "M0 204L1000 0L1000 204L0 204Z" {
		t.Errorf("area %q", got)
	}
	if got := sparkline([]int64{3}); got != "" {
		t.Errorf("a sparkline of one point is %q", got)
	}
	if got := sparkline([]int64{0, 0}); got != "M0 204L1000 204" {
		t.Errorf("a sparkline of nothing is %q", got)
	}
}
