package report

import (
	"fmt"
	"time"
)

// maxPoints bounds a series: two years by the hour fit.
const maxPoints = 20_000

// buckets divide a period by the calendar of a zone. Rows carry UTC; the offsets
// of the zone within the period, two a year where there is summer time, enter the
// statement, which spares DuckDB's own time zones: they took ten times as long.
type buckets struct {
	step    Bucket
	zone    *time.Location
	from    time.Time // start of the first bucket
	to      time.Time
	changes []change
}

// change is an offset from UTC and when it ends.
type change struct{ until, offset int64 } // microseconds

const (
	microHour = int64(time.Hour / time.Microsecond)
	microDay  = 24 * microHour
)

func newBuckets(q Query, step Bucket) (*buckets, error) {
	b := &buckets{step: step, zone: q.Zone, to: q.To}
	if b.zone == nil {
		b.zone = time.UTC
	}
	switch step {
	case Hour, Day, Week, Month:
	default:
		return nil, fmt.Errorf("%w: bucket %q", ErrQuery, step)
	}
	b.from = b.floor(q.From)
	n := 0
	for t := b.from; t.Before(b.to); t = b.next(t) {
		if n++; n > maxPoints {
			return nil, fmt.Errorf("%w: more than %d buckets", ErrQuery, maxPoints)
		}
	}
	for t := q.From.In(b.zone); ; {
		_, offset := t.Zone()
		_, end := t.ZoneBounds()
		if end.IsZero() || !end.Before(b.to) {
			b.changes = append(b.changes, change{0, int64(offset) * 1e6})
			return b, nil
		}
		b.changes = append(b.changes, change{end.UnixMicro(), int64(offset) * 1e6})
		t = end
	}
}

// expression adds a number for each row that tells its bucket.
func (b *buckets) expression(s *statement) {
	const us = "epoch_us(time)"
	local := func() {
		s.add("(" + us)
		if len(b.changes) == 1 {
			s.add(" + ?::BIGINT)", b.changes[0].offset)
			return
		}
		s.add(" + CASE")
		for _, c := range b.changes[:len(b.changes)-1] {
			s.add(" WHEN "+us+" < ?::BIGINT THEN ?::BIGINT", c.until, c.offset)
		}
		s.add(" ELSE ?::BIGINT END)", b.changes[len(b.changes)-1].offset)
	}
	// Division rounds towards minus infinity with //, and all our years are
	// after 1970 or nobody minds.
	switch b.step {
	case Hour:
		// The hour's start in UTC: when clocks are set back, one hour of the
		// zone comes twice.
		s.add(us + " - ")
		local()
		s.add(" % ?::BIGINT", microHour)
	case Day:
		local()
		s.add(" // ?::BIGINT", microDay)
	case Week:
		s.add("(")
		local()
		s.add(" // ?::BIGINT + 3) // 7", microDay) // 1970-01-01 was a Thursday
	case Month:
		s.add("datediff('month', TIMESTAMP '1970-01-01', make_timestamp(")
		local()
		s.add("))")
	}
}

// start is when the bucket of that number begins.
func (b *buckets) start(n int64) time.Time {
	switch b.step {
	case Hour:
		return time.UnixMicro(n).In(b.zone)
	case Day:
		return time.Date(1970, 1, 1+int(n), 0, 0, 0, 0, b.zone)
	case Week:
		return time.Date(1970, 1, 1+int(n)*7-3, 0, 0, 0, 0, b.zone)
	default:
		return time.Date(1970, 1+time.Month(n), 1, 0, 0, 0, 0, b.zone)
	}
}

// floor is the start of the bucket that t is in. Weeks begin on Monday
// (ISO 8601).
func (b *buckets) floor(t time.Time) time.Time {
	t = t.In(b.zone)
	y, m, d := t.Date()
	switch b.step {
	case Hour:
		return t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
	case Day:
		return time.Date(y, m, d, 0, 0, 0, 0, b.zone)
	case Week:
		return time.Date(y, m, d-(int(t.Weekday())+6)%7, 0, 0, 0, 0, b.zone)
	default:
		return time.Date(y, m, 1, 0, 0, 0, 0, b.zone)
	}
}

// next is the start of the bucket behind the one that begins at t.
func (b *buckets) next(t time.Time) time.Time {
	y, m, d := t.Date()
	switch b.step {
	case Hour:
		return b.floor(t.Add(time.Hour))
	case Day:
		return time.Date(y, m, d+1, 0, 0, 0, 0, b.zone)
	case Week:
		return time.Date(y, m, d+7, 0, 0, 0, 0, b.zone)
	default:
		return time.Date(y, m+1, 1, 0, 0, 0, 0, b.zone)
	}
}

// fill makes a point of each bucket of the period.
func (b *buckets) fill(counts map[time.Time]int64) []Point {
	points := []Point{}
	for t := b.from; t.Before(b.to); t = b.next(t) {
		points = append(points, Point{Time: t, Count: counts[t.UTC()]})
	}
	return points
}
