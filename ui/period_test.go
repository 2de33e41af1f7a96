package ui

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"tallygate/analytics/report"
)

var noon = time.Date(2026, 11, 24, 12, 30, 0, 0, time.UTC)

func query(t testing.TB, s string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(s)
	if err != nil {
		t.Skip(err)
	}
	return v
}

func TestParsePeriod(t *testing.T) {
	for _, c := range []struct {
		name, query, from, to string
		step                  report.Bucket
		said                  string // in the notices
	}{
		{"nothing said is 28 days with today", "", "2026-10-28T00:00:00Z", "2026-11-25T00:00:00Z", report.Day, ""},
		{"24 hours end with the running hour", "period=24h", "2026-11-23T13:00:00Z", "2026-11-24T13:00:00Z", report.Hour, ""},
		{"days are of the zone", "period=7d&tz=Asia/Tokyo", "2026-11-18T00:00:00+09:00", "2026-11-25T00:00:00+09:00", report.Day, ""},
		{"one day is shown in hours", "from=2026-11-01&to=2026-11-01", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", report.Hour, ""},
		{"hours may be named", "from=2026-11-01T06:00&to=2026-11-01T18:00", "2026-11-01T06:00:00Z", "2026-11-01T18:00:00Z", report.Hour, ""},
		{"a year is shown in weeks", "from=2025-11-01&to=2026-10-31", "2025-11-01T00:00:00Z", "2026-11-01T00:00:00Z", report.Week, ""},
		{"more is shown in months", "from=2020-01-01&to=2026-10-31", "2020-01-01T00:00:00Z", "2026-11-01T00:00:00Z", report.Month, ""},
		{"an unknown period is 28 days and says so", "period=fortnight", "2026-10-28T00:00:00Z", "2026-11-25T00:00:00Z", report.Day, `"fortnight"`},
		{"a date that is none says so", "from=yesterday&to=2026-11-01", "2026-10-28T00:00:00Z", "2026-11-25T00:00:00Z", report.Day, `"yesterday"`},
		{"the end before the beginning says so", "from=2026-11-02&to=2026-11-01", "2026-10-28T00:00:00Z", "2026-11-25T00:00:00Z", report.Day, "before the first"},
		{"a century is too long", "from=1926-11-02&to=2026-11-01", "2026-10-28T00:00:00Z", "2026-11-25T00:00:00Z", report.Day, "ten years"},
		{"an unknown zone is UTC and says so", "tz=Mars", "2026-10-28T00:00:00Z", "2026-11-25T00:00:00Z", report.Day, `"Mars"`},
		{"the zone of the machine is not a zone", "tz=Local", "2026-10-28T00:00:00Z", "2026-11-25T00:00:00Z", report.Day, `"Local"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, notices := parsePeriod(query(t, c.query), noon)
			if got := p.From.Format(time.RFC3339); got != c.from {
				t.Errorf("from %s, want %s", got, c.from)
			}
			if got := p.To.Format(time.RFC3339); got != c.to {
				t.Errorf("to %s, want %s", got, c.to)
			}
			if p.Step != c.step {
				t.Errorf("step %s, want %s", p.Step, c.step)
			}
			if said := strings.Join(notices, " "); (c.said == "") != (said == "") || !strings.Contains(said, c.said) {
				t.Errorf("says %q, want %q in it", said, c.said)
			}
		})
	}
}

func TestDaysStayDaysWhenClocksChange(t *testing.T) {
	// Clocks went back on 25 October 2026 in Berlin: that day has 25 hours.
	p, _ := parsePeriod(query(t, "from=2026-10-19&to=2026-10-25&tz=Europe/Berlin"), noon)
	if p.days() != 7 {
		t.Errorf("%d days, want 7", p.days())
	}
	if n := len(p.buckets()); n != 7 {
		t.Errorf("%d buckets, want 7", n)
	}
	if got := p.shifted(1); got.From.Format(dateLayout) != "2026-10-26" || got.To.Format("15:04") != "00:00" {
		t.Errorf("the week after is %s", got)
	}
	hours, _ := parsePeriod(query(t, "from=2026-10-25&to=2026-10-25&tz=Europe/Berlin"), noon)
	if n := len(hours.buckets()); n != 25 {
		t.Errorf("%d hours in that day, want 25", n)
	}
}

func TestAMorningIsComparedWithAMorning(t *testing.T) {
	p, _ := parsePeriod(query(t, "period=7d"), noon)
	before := p.before(noon)
	if want := p.shifted(-1).From; !before.From.Equal(want) {
		t.Errorf("from %s, want %s", before.From, want)
	}
	if want := noon.AddDate(0, 0, -7); !before.To.Equal(want) {
		t.Errorf("to %s, want %s", before.To, want)
	}
	past := p.shifted(-3)
	if got := past.before(noon); !got.To.Equal(past.From) {
		t.Errorf("what is over is compared with a whole period, not one until %s", got.To)
	}
}

func TestPeriodsAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct{ query, want, length string }{
		{"", "28 Oct – 24 Nov 2026", "28 days"},
		{"period=90d", "27 Aug – 24 Nov 2026", "90 days"},
		{"period=24h", "23 Nov, 13:00 – 24 Nov 2026, 13:00", "24 hours"},
		{"from=2026-11-01&to=2026-11-01", "Sunday, 1 November 2026", "day"},
		{"from=2025-12-01&to=2026-01-31", "1 Dec 2025 – 31 Jan 2026", "62 days"},
		{"from=2025-12-31T12:00&to=2026-01-01T12:00", "31 Dec 2025, 12:00 – 1 Jan 2026, 12:00", "24 hours"},
	} {
		p, _ := parsePeriod(query(t, c.query), noon)
		if p.String() != c.want || p.Length() != c.length {
			t.Errorf("%q is %q, %q; want %q, %q", c.query, p, p.Length(), c.want, c.length)
		}
	}
}

func FuzzPeriod(f *testing.F) {
	for _, s := range []string{"", "period=7d", "from=2026-11-01&to=2026-11-02", "from=0000-01-01&to=9999-12-31", "tz=../../etc/passwd", "from=2026-03-29T02:30&to=2026-03-30&tz=Europe/Berlin"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, _ := parsePeriod(query(t, s), noon)
		if !p.From.Before(p.To) {
			t.Fatalf("%s is not before %s", p.From, p.To)
		}
		starts := p.buckets()
		if len(starts) == 0 || len(starts) > 400 {
			t.Fatalf("%d buckets", len(starts))
		}
		// What a page writes into an address reads as the same period.
		again, notices := parsePeriod(query(t, encode(p.values())), noon)
		if len(notices) > 0 || !again.From.Equal(p.From) || !again.To.Equal(p.To) || again.Step != p.Step {
			t.Fatalf("%v became %v: %v", p, again, notices)
		}
	})
}
