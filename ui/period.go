package ui

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"tallygate/analytics/report"
)

// period is the time that a page is about: [From, To), in Zone.
type period struct {
	Key      string // a preset's, or "custom"
	From, To time.Time
	Step     report.Bucket
	Zone     *time.Location
}

// preset is a period that ends now.
type preset struct {
	Key   string
	Label string
	Name  string // said aloud
	days  int    // zero: 24 hours
}

var presets = []preset{
	{"24h", "24 h", "Last 24 hours", 0},
	{"7d", "7 d", "Last 7 days", 7},
	{"28d", "28 d", "Last 28 days", 28},
	{"90d", "90 d", "Last 90 days", 90},
}

const (
	defaultPeriod = "28d"
	customPeriod  = "custom"

	// maxSpan bounds a custom period. Ten years of months are 120 buckets.
	maxSpan = 10 * 366 * 24 * time.Hour
)

// The layouts of from and to. A date means the whole day; for to that is its end.
const (
	dateLayout = time.DateOnly
	hourLayout = "2006-01-02T15:04"
)

// parsePeriod reads period, from, to and tz. What can't be read becomes the
// default, and the second result says so in words for the page.
func parsePeriod(v url.Values, now time.Time) (period, []string) {
	var notices []string
	zone := time.UTC
	if name := v.Get("tz"); name != "" {
		// "Local" would be the time zone of the machine, which nobody means.
		if z, err := time.LoadLocation(name); err == nil && name != "Local" {
			zone = z
		} else {
			notices = append(notices, fmt.Sprintf("The time zone %q isn't known here; times are UTC.", clip(name)))
		}
	}
	if v.Get("from") != "" || v.Get("to") != "" {
		p, err := parseCustom(v.Get("from"), v.Get("to"), zone)
		if err == nil {
			return p, notices
		}
		notices = append(notices, err.Error()+" Showing the last 28 days.")
	}
	key := v.Get("period")
	if key == "" {
		key = defaultPeriod
	}
	for _, p := range presets {
		if p.Key == key {
			return p.ending(now, zone), notices
		}
	}
	notices = append(notices, fmt.Sprintf("The period %q isn't known. Showing the last 28 days.", clip(key)))
	p, _ := parsePeriod(url.Values{"tz": {v.Get("tz")}}, now)
	return p, notices
}

// ending returns the period of a preset whose last hour or day contains now.
func (p preset) ending(now time.Time, zone *time.Location) period {
	now = now.In(zone)
	if p.days == 0 {
		to := now.Truncate(time.Hour).Add(time.Hour)
		return period{Key: p.Key, From: to.Add(-24 * time.Hour), To: to, Step: report.Hour, Zone: zone}
	}
	to := midnight(now).AddDate(0, 0, 1)
	return period{Key: p.Key, From: to.AddDate(0, 0, -p.days), To: to, Step: report.Day, Zone: zone}
}

func parseCustom(from, to string, zone *time.Location) (period, error) {
	f, _, err := parseTime(from, zone)
	if err != nil {
		return period{}, fmt.Errorf("The first day %q isn't a date like 2026-11-24.", clip(from)) //nolint:revive,staticcheck // a sentence for the page
	}
	t, whole, err := parseTime(to, zone)
	if err != nil {
		return period{}, fmt.Errorf("The last day %q isn't a date like 2026-11-24.", clip(to)) //nolint:revive,staticcheck // a sentence for the page
	}
	if whole {
		t = t.AddDate(0, 0, 1)
	}
	switch {
	case !f.Before(t):
		return period{}, fmt.Errorf("The last day is before the first.") //nolint:revive,staticcheck // a sentence for the page
	case t.Sub(f) > maxSpan:
		return period{}, fmt.Errorf("The period is longer than ten years.") //nolint:revive,staticcheck // a sentence for the page
	}
	p := period{Key: customPeriod, From: f, To: t, Zone: zone}
	switch days := int(t.Sub(f).Hours() / 24); {
	case days <= 3:
		p.Step = report.Hour
	case days <= 183:
		p.Step = report.Day
	case days <= 2*366:
		p.Step = report.Week
	default:
		p.Step = report.Month
	}
	return p, nil
}

// parseTime reads a date or an hour in a zone; whole says that it was a date.
func parseTime(s string, zone *time.Location) (t time.Time, whole bool, err error) {
	if t, err = time.ParseInLocation(dateLayout, s, zone); err == nil {
		return t, true, nil
	}
	t, err = time.ParseInLocation(hourLayout, s, zone)
	return t, false, err
}

// days is the length in calendar days, or zero if it isn't a number of whole ones.
func (p period) days() int {
	if !p.From.Equal(midnight(p.From)) || !p.To.Equal(midnight(p.To)) {
		return 0
	}
	// Noon to noon: a day of 23 or 25 hours is still one.
	return int((p.To.Sub(p.From) + 12*time.Hour).Hours() / 24)
}

// shifted returns the period n lengths later, or earlier for n < 0. Days stay
// days when clocks change in between.
func (p period) shifted(n int) period {
	q := p
	q.Key = customPeriod
	if d := p.days(); d > 0 {
		q.From, q.To = p.From.AddDate(0, 0, n*d), p.To.AddDate(0, 0, n*d)
		return q
	}
	span := p.To.Sub(p.From) * time.Duration(n)
	q.From, q.To = p.From.Add(span), p.To.Add(span)
	return q
}

// before is the period that this one is compared with, cut where this one has
// not happened yet: a morning is compared with a morning.
func (p period) before(now time.Time) period {
	q := p.shifted(-1)
	if now.Before(p.To) && now.After(p.From) {
		q.To = q.From.Add(now.Sub(p.From))
	}
	return q
}

// current says whether the period reaches to now, so that new events change it.
func (p period) current(now time.Time) bool {
	return !now.Before(p.From) && now.Before(p.To)
}

// values writes the period as parameters of an address.
func (p period) values() [][2]string {
	var v [][2]string
	switch {
	case p.Key == customPeriod && p.days() > 0:
		v = append(v, [2]string{"from", p.From.Format(dateLayout)}, [2]string{"to", p.To.AddDate(0, 0, -1).Format(dateLayout)})
	case p.Key == customPeriod:
		v = append(v, [2]string{"from", p.From.Format(hourLayout)}, [2]string{"to", p.To.Format(hourLayout)})
	case p.Key != defaultPeriod:
		v = append(v, [2]string{"period", p.Key})
	}
	if p.Zone != time.UTC {
		v = append(v, [2]string{"tz", p.Zone.String()})
	}
	return v
}

// String is the period as a person writes it: "28 Oct – 24 Nov 2026".
func (p period) String() string {
	from, to := p.From, p.To
	layout := "2 Jan 2006"
	if p.days() > 0 {
		to = to.AddDate(0, 0, -1)
		if from.Equal(to) {
			return from.Format("Monday, 2 January 2006")
		}
	} else {
		layout = "2 Jan 2006, 15:04"
	}
	if from.Year() == to.Year() && p.days() > 0 {
		return from.Format("2 Jan") + " – " + to.Format(layout)
	}
	if p.days() == 0 && from.Year() == to.Year() {
		return from.Format("2 Jan, 15:04") + " – " + to.Format(layout)
	}
	return from.Format(layout) + " – " + to.Format(layout)
}

// Length is how long it is: "28 days".
func (p period) Length() string {
	if d := p.days(); d == 1 {
		return "day"
	} else if d > 1 {
		return strconv.Itoa(d) + " days"
	}
	return strconv.Itoa(int(p.To.Sub(p.From).Hours())) + " hours"
}

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// clip shortens a stranger's text before it is shown back.
func clip(s string) string {
	const limit = 40
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}
