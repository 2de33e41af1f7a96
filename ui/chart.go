package ui

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"tallygate/analytics/report"
)

// chart is a time series, drawn as SVG by the server and handed to the browser as
// data for the interactive one.
type chart struct {
	Label string // what the picture shows, in words

	Area, Line, Partial, Before string // paths in a view box of chartWidth × chartHeight
	Levels                      []level
	Ticks                       []tick
	Rows                        []chartRow // the same as a table, newest first

	Data chartData
}

// The view box of the paths. Both are stretched to the size on the page.
const (
	chartWidth  = 1000
	chartHeight = 204
)

type level struct {
	Y     string // from the top of the plot, in pixels
	Label string
}

type tick struct {
	X     string // in percent of the width
	Label string
	Odd   bool // left out where there is little room
}

type chartRow struct {
	Label   string
	Count   int64
	Before  int64
	Change  change
	Partial bool
}

// chartData is what chart.js reads; the names are short since it goes out with
// every page.
type chartData struct {
	Measure      string   `json:"measure"`
	Now          []int64  `json:"now"`
	Before       []int64  `json:"before"`
	Labels       []string `json:"labels"`
	BeforeLabels []string `json:"beforeLabels"`
	Short        []string `json:"short"`
	Ticks        []int    `json:"ticks"`
	Levels       []int64  `json:"levels"`
	Top          int64    `json:"top"`
	Partial      bool     `json:"partial"` // the last bucket isn't over
	Starts       []string `json:"starts"`  // of buckets, as in an address
	Ends         []string `json:"ends"`
	Zoom         string   `json:"zoom"` // address to add from and to to
}

// newChart draws a series above the one of the period before.
func newChart(st state, now, before []report.Point) chart {
	p := st.period
	starts := p.buckets()
	earlier := p.shifted(-1)
	earlierStarts := earlier.buckets()

	d := chartData{
		Measure: st.measure.Label,
		Now:     fill(starts, now),
		Before:  make([]int64, len(starts)),
		Partial: st.now.Before(p.To) && len(starts) > 1,
		Zoom:    zoom(st),
	}
	// Months differ in length: buckets are laid over each other by number.
	copy(d.Before, fill(earlierStarts, before))

	var peak, total int64
	at := 0
	for i, n := range d.Now {
		total += n
		if n > peak {
			peak, at = n, i
		}
	}
	top := peak
	for _, n := range d.Before {
		top = max(top, n)
	}
	d.Levels = levels(top)
	d.Top = d.Levels[len(d.Levels)-1]

	for i, t := range starts {
		d.Labels = append(d.Labels, bucketLabel(t, p.Step))
		d.Short = append(d.Short, bucketTick(t, p.Step))
		label := ""
		if i < len(earlierStarts) {
			label = bucketLabel(earlierStarts[i], p.Step)
		}
		d.BeforeLabels = append(d.BeforeLabels, label)
		from, to := bucketRange(t, p.Step)
		d.Starts = append(d.Starts, from)
		d.Ends = append(d.Ends, to)
	}
	d.Ticks = ticks(len(starts))

	c := chart{Data: d}
	c.Label = fmt.Sprintf("%s per %s, %s.", st.measure.Label, stepName(p.Step), p)
	switch {
	case total == 0:
		c.Label += " None."
	case st.measure.Key == report.UniqueOrigins:
		c.Label += fmt.Sprintf(" Most: %s, %s.", num(peak), d.Labels[at])
	default:
		c.Label += fmt.Sprintf(" %s in all. Most: %s, %s.", num(total), num(peak), d.Labels[at])
	}

	whole := d.Now
	if d.Partial {
		whole = d.Now[:len(d.Now)-1]
		c.Partial = polyline(d.Now, len(d.Now)-2, len(d.Now), d.Top)
	}
	c.Line = polyline(d.Now, 0, len(whole), d.Top)
	c.Area = area(d.Now, len(whole), d.Top)
	c.Before = polyline(d.Before, 0, len(d.Before), d.Top)
	for _, n := range d.Levels {
		y := chartHeight - float64(n)/float64(d.Top)*chartHeight
		c.Levels = append(c.Levels, level{Y: coordinate(y), Label: compact(n)})
	}
	for n, i := range d.Ticks {
		c.Ticks = append(c.Ticks, tick{
			X:     coordinate(100*position(i, len(starts))) + "%",
			Label: d.Short[i],
			Odd:   (len(d.Ticks)-1-n)%2 == 1,
		})
	}
	for i := len(starts) - 1; i >= 0; i-- {
		c.Rows = append(c.Rows, chartRow{
			Label:   d.Labels[i],
			Count:   d.Now[i],
			Before:  d.Before[i],
			Change:  changeOf(d.Now[i], d.Before[i]),
			Partial: d.Partial && i == len(starts)-1,
		})
	}
	return c
}

// zoom is the page's address without its period, to which the browser adds one.
func zoom(st state) string {
	p := period{Key: defaultPeriod, Zone: st.period.Zone}
	return st.withPeriod(p).href()
}

// bucketRange writes a bucket as from and to of an address.
func bucketRange(t time.Time, step report.Bucket) (from, to string) {
	end := bucketAfter(t, step)
	if step == report.Hour {
		return t.Format(hourLayout), end.Format(hourLayout)
	}
	return t.Format(dateLayout), end.AddDate(0, 0, -1).Format(dateLayout)
}

// levels are the numbers on the vertical axis: round, from zero, four steps or
// fewer, the last at or above top.
func levels(top int64) []int64 {
	if top <= 4 {
		top = max(top, 1)
		out := make([]int64, top+1)
		for i := range out {
			out[i] = int64(i)
		}
		return out
	}
	rough := float64(top) / 4
	magnitude := math.Pow(10, math.Floor(math.Log10(rough)))
	step := int64(10 * magnitude)
	for _, f := range []float64{1, 2, 2.5, 5} {
		// Counts are whole: there is no line at 2.5 downloads.
		if s := f * magnitude; s >= rough && s == math.Trunc(s) {
			step = int64(s)
			break
		}
	}
	var out []int64
	for n := int64(0); ; n += step {
		out = append(out, n)
		if n >= top {
			return out
		}
	}
}

// ticks picks the buckets that are named on the horizontal axis: at most eight,
// evenly spaced, the last one among them.
func ticks(n int) []int {
	every := 1
	for _, every = range []int{1, 2, 3, 4, 6, 7, 8, 12, 14, 24, 26, 28, 36, 48} {
		if (n+every-1)/every <= 8 {
			break
		}
	}
	var out []int
	for i := n - 1; i >= 0; i -= every {
		out = append(out, i)
	}
	slices.Reverse(out)
	return out
}

// position is where the i-th of n buckets is, from 0 to 1.
func position(i, n int) float64 {
	if n < 2 {
		return 0
	}
	return float64(i) / float64(n-1)
}

// polyline is the path through counts[from:to]. A single one becomes a short
// stroke, so that it can be seen.
func polyline(counts []int64, from, to int, top int64) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		if i == from {
			b.WriteByte('M')
		} else {
			b.WriteByte('L')
		}
		point(&b, counts, i, top)
	}
	if to-from == 1 {
		b.WriteString("h6")
	}
	return b.String()
}

// area is the path around what is below counts[:to].
func area(counts []int64, to int, top int64) string {
	if to < 2 {
		return ""
	}
	var b strings.Builder
	b.WriteString(polyline(counts, 0, to, top))
	b.WriteString("L" + coordinate(chartWidth*position(to-1, len(counts))) + " " + strconv.Itoa(chartHeight))
	b.WriteString("L0 " + strconv.Itoa(chartHeight) + "Z")
	return b.String()
}

func point(b *strings.Builder, counts []int64, i int, top int64) {
	b.WriteString(coordinate(chartWidth * position(i, len(counts))))
	b.WriteByte(' ')
	b.WriteString(coordinate(chartHeight - float64(counts[i])/float64(max(top, 1))*chartHeight))
}

// coordinate writes a coordinate with a tenth of a pixel.
func coordinate(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// sparkline is the path of a small chart without axes, from zero to its own
// highest, in the same view box.
func sparkline(counts []int64) string {
	if len(counts) < 2 {
		return ""
	}
	var top int64
	for _, n := range counts {
		top = max(top, n)
	}
	return polyline(counts, 0, len(counts), top)
}
