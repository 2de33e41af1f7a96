package ui

import (
	"sort"
	"time"

	"tallygate/analytics/report"
)

// bucketStart returns the start of the bucket that t is in, in t's zone. Weeks
// start on Monday (ISO 8601).
func bucketStart(t time.Time, step report.Bucket) time.Time {
	switch step {
	case report.Hour:
		// Not Truncate: some zones are off by half an hour.
		return t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
	case report.Week:
		day := midnight(t)
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	case report.Month:
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, t.Location())
	default:
		return midnight(t)
	}
}

func bucketAfter(t time.Time, step report.Bucket) time.Time {
	switch step {
	case report.Hour:
		return t.Add(time.Hour)
	case report.Week:
		return t.AddDate(0, 0, 7)
	case report.Month:
		return t.AddDate(0, 1, 0)
	default:
		return t.AddDate(0, 0, 1)
	}
}

// buckets returns the starts of the buckets of a period, oldest first.
func (p period) buckets() []time.Time {
	var starts []time.Time
	for t := bucketStart(p.From, p.Step); t.Before(p.To); t = bucketAfter(t, p.Step) {
		starts = append(starts, t)
	}
	return starts
}

// fill lays points onto buckets, with zeros where there are none. A point
// between two starts belongs to the earlier one.
func fill(starts []time.Time, points []report.Point) []int64 {
	counts := make([]int64, len(starts))
	for _, p := range points {
		i := sort.Search(len(starts), func(i int) bool { return starts[i].After(p.Time) }) - 1
		if i >= 0 {
			counts[i] += p.Count
		}
	}
	return counts
}

// bucketLabel names a bucket in full, bucketTick as shortly as an axis needs.
func bucketLabel(t time.Time, step report.Bucket) string {
	switch step {
	case report.Hour:
		return t.Format("Mon 2 Jan, 15:04")
	case report.Week:
		return t.Format("Week of 2 Jan 2006")
	case report.Month:
		return t.Format("January 2006")
	default:
		return t.Format("Mon 2 Jan 2006")
	}
}

func bucketTick(t time.Time, step report.Bucket) string {
	switch step {
	case report.Hour:
		return t.Format("15:04")
	case report.Month:
		return t.Format("Jan 2006")
	default:
		return t.Format("2 Jan")
	}
}

// stepName is how a heading says the step: "Downloads per day".
func stepName(step report.Bucket) string { return string(step) }
