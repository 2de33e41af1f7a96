package routing

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"tallygate/routing/source"
	"tallygate/routing/table"
)

// visit is who asks for what, and what it came to.
type visit struct {
	gateway *Gateway
	w       http.ResponseWriter
	r       *http.Request
	now     time.Time
	asked   source.Asked
	path    string // escaped, as asked
	query   string // raw, without "?"
	tracked bool   // false: nothing is recorded and nothing looked up
	kind    kind
	status  int
}

// request is one request on its way through the gateway. It is used again for
// others: nothing may hold on to it when ServeHTTP returns.
type request struct {
	visit
	match table.Match
}

// read finds out who asks for what.
func (rq *visit) read() {
	rq.asked = rq.gateway.source.Resolve(rq.r)
	rq.path, rq.query = target(rq.r)
	rq.tracked = !optedOut(rq.r.Header)
	if !rq.tracked {
		rq.gateway.metrics.untracked.Inc()
	}
}

// optedOut says whether a client asks not to be tracked: DNT: 1 (the W3C's
// Tracking Preference Expression) or Sec-GPC: 1 (Global Privacy Control).
func optedOut(h http.Header) bool {
	return is1(h["Dnt"]) || is1(h["Sec-Gpc"])
}

func is1(values []string) bool {
	for _, v := range values {
		if v == "1" || strings.TrimSpace(v) == "1" {
			return true
		}
	}
	return false
}

// target is the escaped path and raw query of a request, as the client wrote
// them: [url.URL] would decode and encode again, and an origin may tell "%2F"
// from "/". Bytes that no URL may contain come percent-encoded.
func target(r *http.Request) (path, query string) {
	uri := r.RequestURI
	if uri == "" || uri[0] != '/' {
		// An absolute-form target (RFC 9112 section 3.2.2), "*", or a request
		// that never was on a wire.
		if r.URL == nil {
			return "", ""
		}
		return clean(r.URL.EscapedPath(), &pathBytes), clean(r.URL.RawQuery, &queryBytes)
	}
	path = uri
	if i := strings.IndexByte(uri, '?'); i >= 0 {
		path, query = uri[:i], uri[i+1:]
	}
	return clean(path, &pathBytes), clean(query, &queryBytes)
}

// byteSet is a set of bytes.
type byteSet [256]bool

// pathBytes, queryBytes and locationBytes are the bytes that stay as they are.
// They are a little more than RFC 3986 allows ("|", "[", "]"): browsers send and
// origins take them, and what is passed on shall be what was asked for. None of
// them can end a header line, an attribute or a component of the URL.
var (
	pathBytes     = printableBut(`"#<>?\^` + "`{}")
	queryBytes    = printableBut(`"#<>`)
	locationBytes = printableBut(`"<>\^` + "`{}")
)

func printableBut(not string) (s byteSet) {
	for c := byte('!'); c <= '~'; c++ {
		s[c] = strings.IndexByte(not, c) < 0
	}
	return s
}

// clean percent-encodes the bytes of s that are not in keep. It allocates only
// where there are such.
func clean(s string, keep *byteSet) string {
	for i := 0; i < len(s); i++ {
		if !keep[s[i]] {
			return encode(s, i, keep)
		}
	}
	return s
}

func encode(s string, from int, keep *byteSet) string {
	const hex = "0123456789ABCDEF"
	b := make([]byte, from, len(s)+16)
	copy(b, s)
	for i := from; i < len(s); i++ {
		if c := s[i]; keep[c] {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

// param is one query parameter, decoded.
type param struct{ name, value string }

// params calls yield for each parameter of a raw query, in order, until it says
// false. A parameter that can't be decoded is taken as it is written: a stray
// "%" must not lose a page view.
func params(query string, yield func(p param) bool) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if !yield(param{unescape(name), unescape(value)}) {
			return
		}
	}
}

func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}
