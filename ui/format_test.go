package ui

import (
	"testing"
	"time"
)

func TestNumbers(t *testing.T) {
	for n, want := range map[int64][2]string{
		0:             {"0", "0"},
		999:           {"999", "999"},
		1_000:         {"1,000", "1,000"},
		9_999:         {"9,999", "9,999"},
		10_000:        {"10,000", "10k"},
		12_345:        {"12,345", "12.3k"},
		999_999:       {"999,999", "999k"}, // not 1M: it wasn't reached
		2_214_000:     {"2,214,000", "2.21M"},
		1_000_000_000: {"1,000,000,000", "1B"},
		-1_234_567:    {"−1,234,567", "-1.23M"},
	} {
		if got := [2]string{num(n), compact(n)}; got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

func TestChanges(t *testing.T) {
	for _, c := range []struct {
		now, before int64
		want        change
	}{
		{0, 0, change{}},
		{5, 0, change{Text: "new", Up: true}},
		{5, 5, change{Text: "0%"}},
		{103, 100, change{Text: "3.0%", Up: true}},
		{112, 100, change{Text: "12%", Up: true}},
		{0, 100, change{Text: "100%", Down: true}},
		{2_000, 100, change{Text: "×20", Up: true}},
	} {
		if got := changeOf(c.now, c.before); got != c.want {
			t.Errorf("%d after %d is %+v, want %+v", c.now, c.before, got, c.want)
		}
	}
}

func TestSpans(t *testing.T) {
	for d, want := range map[time.Duration]string{
		400 * time.Millisecond: "0.4 s",
		42 * time.Second:       "42 s",
		5 * time.Minute:        "5 min",
		30 * time.Hour:         "30 h",
		12 * 24 * time.Hour:    "12 d",
	} {
		if got := span(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}

func TestCountries(t *testing.T) {
	for code, want := range map[string]string{"DE": "Germany", "CI": "Côte d’Ivoire", "HK": "Hong Kong", "ZZ": "ZZ", "": ""} {
		if got := countryName(code); got != want {
			t.Errorf("%q is %q, want %q", code, got, want)
		}
	}
	if n := len(countryNames()); n != 250 {
		t.Errorf("%d countries", n)
	}
}
