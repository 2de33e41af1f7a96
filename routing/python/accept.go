package python

import (
	"strconv"
	"strings"
)

// format is one of the serializations of the simple API (PEP 691).
type format uint8

const (
	noFormat   format = iota
	jsonV1            // application/vnd.pypi.simple.v1+json
	htmlV1            // application/vnd.pypi.simple.v1+html
	legacyHTML        // text/html: the same bytes as htmlV1
)

// formats are the media types that we serve. The "latest" names ask for the
// newest version that the server has, and get the versioned name in return.
var formats = map[string]format{
	"application/vnd.pypi.simple.v1+json":     jsonV1,
	"application/vnd.pypi.simple.latest+json": jsonV1,
	"application/vnd.pypi.simple.v1+html":     htmlV1,
	"application/vnd.pypi.simple.latest+html": htmlV1,
	"text/html": legacyHTML,
}

// contentType is the value of Content-Type for a format.
func (f format) contentType() string {
	switch f {
	case jsonV1:
		return "application/vnd.pypi.simple.v1+json"
	case htmlV1:
		return "application/vnd.pypi.simple.v1+html; charset=utf-8"
	default:
		return "text/html; charset=utf-8"
	}
}

// Bounds of what is read of Accept.
const (
	maxAcceptBytes  = 4096
	maxAcceptRanges = 64
)

// How precisely a media range names a format; the more precise one gives the
// format its quality (RFC 9110 section 12.5.1).
const (
	byNothing = iota
	byAny     // */*
	byType    // text/*
	byName
)

// negotiate chooses a format by the lines of Accept; noFormat if the client takes
// none of ours. Of formats that it likes equally one that it names goes first,
// then JSON; to a client that takes anything goes text/html, which is what a
// browser or an old installer means by that (PEP 691).
func negotiate(accept []string) format {
	line := strings.Join(accept, ",")
	if strings.TrimSpace(line) == "" {
		return legacyHTML
	}
	if len(line) > maxAcceptBytes {
		line = line[:maxAcceptBytes]
	}
	var quality [legacyHTML + 1]int
	var precision [legacyHTML + 1]int
	n := 0
	for item := range strings.SplitSeq(line, ",") {
		if n++; n > maxAcceptRanges {
			break
		}
		name, params, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		q := parseQuality(params)
		set := func(f format, p int) {
			// Of the latest and the versioned name the better liked one counts.
			if p > precision[f] || p == precision[f] && q > quality[f] {
				quality[f], precision[f] = q, p
			}
		}
		switch {
		case name == "*/*" || name == "*": // the latter is Java's
			set(jsonV1, byAny)
			set(htmlV1, byAny)
			set(legacyHTML, byAny)
		case name == "application/*":
			set(jsonV1, byType)
			set(htmlV1, byType)
		case name == "text/*":
			set(legacyHTML, byType)
		case formats[name] != noFormat:
			set(formats[name], byName)
		}
	}
	best := noFormat
	for _, f := range []format{jsonV1, htmlV1, legacyHTML} {
		switch {
		case quality[f] == 0:
		case best == noFormat, quality[f] > quality[best]:
			best = f
		case quality[f] == quality[best] && precision[f] > precision[best]:
			best = f
		case quality[f] == quality[best] && precision[f] == byAny && precision[best] == byAny:
			best = f
		}
	}
	return best
}

// parseQuality returns the weight among a media range's parameters in
// thousandths: 1000 if there is none, 0 if it can't be read.
func parseQuality(params string) int {
	for p := range strings.SplitSeq(params, ";") {
		name, value, ok := strings.Cut(p, "=")
		if !ok || !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return int(q*1000 + 0.5)
	}
	return 1000
}

// acceptable lists the media types that we serve, for those who take none.
const acceptable = "This index is served as application/vnd.pypi.simple.v1+json, " +
	"application/vnd.pypi.simple.v1+html and text/html: name one of them in Accept."
