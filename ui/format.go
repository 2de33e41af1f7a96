package ui

import (
	"encoding/json"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
)

// funcs are what templates can call beside the methods of their data.
var funcs = template.FuncMap{
	"num":       num,
	"compact":   compact,
	"clock":     clock,
	"stamp":     stamp,
	"iso":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"span":      span,
	"country":   countryName,
	"eventName": eventName,
	"typeName":  typeName,
	"pkgPath":   packagePath,
	"pkgName":   packageName,
	"plural":    plural,
	"lower":     strings.ToLower,
	"json":      jsonText,
}

// num writes a whole number with commas.
func num(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// compact writes a number in at most five characters: 9,999, 12.3k, 2.21M. It
// rounds down, so that a figure never shows what wasn't reached.
func compact(n int64) string {
	if n < 10_000 && n > -10_000 {
		return num(n)
	}
	v, unit := float64(n), ""
	for _, u := range []string{"k", "M", "B", "T"} {
		if v, unit = v/1000, u; math.Abs(v) < 1000 {
			break
		}
	}
	digits := 2
	if a := math.Abs(v); a >= 100 {
		digits = 0
	} else if a >= 10 {
		digits = 1
	}
	scale := math.Pow(10, float64(digits))
	s := strconv.FormatFloat(math.Trunc(v*scale)/scale, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s + unit
}

// change compares a figure with the one before.
type change struct {
	Text string // "12.4%"; empty: there is nothing to compare with
	Up   bool
	Down bool
}

func changeOf(now, before int64) change {
	switch {
	case before == 0 && now == 0:
		return change{}
	case before == 0:
		return change{Text: "new", Up: true}
	case now == before:
		return change{Text: "0%"}
	}
	c := change{Up: now > before, Down: now < before}
	ratio := math.Abs(float64(now-before)) / float64(before)
	switch {
	case ratio >= 10:
		c.Text = "×" + compact(int64(float64(now)/float64(before)))
	case ratio >= 0.1:
		c.Text = strconv.FormatFloat(ratio*100, 'f', 0, 64) + "%"
	default:
		c.Text = strconv.FormatFloat(ratio*100, 'f', 1, 64) + "%"
	}
	return c
}

// clock is the time of day of an event in UTC, stamp the whole time.
func clock(t time.Time) string { return t.UTC().Format("15:04:05") }
func stamp(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05.000 UTC") }

// span writes a length of time with one unit.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < 2*time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < 2*time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h"
	default:
		return strconv.Itoa(int(d.Hours()/24)) + " d"
	}
}

// jsonText writes data for script into an attribute. Not into a script element:
// htmx is told to drop those from what it fetches.
func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// plural writes a count with its word: "1 package", "2,000 packages".
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return num(n) + " " + many
}
