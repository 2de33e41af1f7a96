package template

import "bytes"

// Extra calls f with each parameter of the subject's query that the template did
// not take, decoded, in order.
func (c *Captures) Extra(s *Subject, f func(name, value string)) {
	for i, p := range s.splitQuery() {
		if i >= len(c.used) || !c.used[i] {
			f(p.name, p.value)
		}
	}
}

// Params calls f with each parameter of the query, decoded, in order.
func (s *Subject) Params(f func(name, value string)) {
	for _, p := range s.splitQuery() {
		f(p.name, p.value)
	}
}

// AppendExtra passes on the parameters of the subject's query that the match in c
// did not take, as they came. The URL's path begins somewhere before dst[path];
// ownQuery says that the URL may have a query already: its parameters win over
// those of the same name.
func (s *Subject) AppendExtra(dst []byte, path int, ownQuery bool, c *Captures) []byte {
	own := []byte(nil)
	ownFrom, ownTo := 0, 0
	mark := byte('?')
	if ownQuery {
		if i := bytes.IndexByte(dst[path:], '?'); i >= 0 {
			ownFrom, ownTo, mark = path+i+1, len(dst), '&'
			if ownFrom == ownTo || dst[ownTo-1] == '&' {
				mark = 0
			}
		}
	}
	for i, p := range s.splitQuery() {
		if i < len(c.used) && c.used[i] {
			continue
		}
		// dst may move while it grows: look at the URL's own query anew.
		if own = dst[ownFrom:ownTo]; hasParameter(own, p.name) {
			continue
		}
		if mark != 0 {
			dst = append(dst, mark)
		}
		mark = '&'
		dst = AppendRaw(dst, p.raw)
	}
	return dst
}

// hasParameter says whether a query holds a parameter of that name.
func hasParameter(query []byte, name string) bool {
	for len(query) > 0 {
		field := query
		if i := bytes.IndexByte(query, '&'); i >= 0 {
			field, query = query[:i], query[i+1:]
		} else {
			query = nil
		}
		if i := bytes.IndexByte(field, '='); i >= 0 {
			field = field[:i]
		}
		if len(field) > 0 && decodesTo(field, name) {
			return true
		}
	}
	return false
}

// decodesTo says whether a query's name or value decodes to want.
func decodesTo(b []byte, want string) bool {
	n := 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		if t, ok := triplet(b, i); ok {
			c = t
			i += 2
		} else if c == '+' {
			c = ' '
		}
		if n >= len(want) || want[n] != c {
			return false
		}
		n++
	}
	return n == len(want)
}

// AppendRaw appends a part of a request's URL byte for byte, except that bytes
// which can't stand in a URL, and "#", are percent-encoded: it may go into a
// Location header.
func AppendRaw(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c != '#' && (classes[c] != other || c == '%') {
			dst = append(dst, c)
		} else {
			dst = appendTriplet(dst, c)
		}
	}
	return dst
}
