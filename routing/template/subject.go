package template

import "strings"

// MaxPath is the length of the longest path, in bytes, that templates match. With
// repeated variables, matching takes up to a number of steps that each look through
// the path.
const MaxPath = 16 << 10

// Subject is one request's path and query, made ready once to be matched against
// any number of templates. The zero value is ready for Reset. It is reusable, and
// not safe for concurrent use; strings taken from it may be kept.
type Subject struct {
	path string
	enc  []byte // path[i] was percent-encoded and is reserved; nil: none was

	query string // as it came
	pairs []pair
	split bool // pairs are those of query

	buf    []byte
	encBuf []byte
}

// pair is one query parameter.
type pair struct {
	raw         string // name=value as it came
	name, value string
	enc         []byte // like Subject.enc, of value
}

// Reset takes a new request. It reports false, and the subject is of no use to
// templates, when a "%" in the path is not followed by two hex digits or the path is
// longer than [MaxPath].
//
// The path is kept percent-decoded, except for "%2F" and "%25", so that an
// encoded slash stays apart from a separator. A path without "%" is kept as it
// is; another one is copied: the only allocation.
func (s *Subject) Reset(escapedPath, rawQuery string) bool {
	s.query, s.split, s.pairs = rawQuery, false, s.pairs[:0]
	s.path, s.enc = escapedPath, nil
	if escapedPath == "" {
		s.path = "/"
	}
	if len(escapedPath) > MaxPath {
		return false
	}
	if strings.IndexByte(s.path, '%') < 0 && strings.IndexByte(s.path, '#') < 0 && strings.IndexByte(s.path, '?') < 0 {
		return true
	}
	var ok bool
	s.buf, s.encBuf, ok = canonical(s.buf[:0], s.encBuf[:0], escapedPath, false)
	s.path = string(s.buf)
	s.enc = anySet(s.encBuf)
	return ok
}

// Path is the path as templates see it.
func (s *Subject) Path() string { return s.path }

// RawQuery is the query as it came.
func (s *Subject) RawQuery() string { return s.query }

// canonical appends s percent-decoded to dst and, for each byte of it, to enc
// whether it is a reserved character that was encoded. It reports whether every
// "%" began a triplet; one that doesn't is taken as itself.
//
// In a path, "%2F" and "%25" stay as they are, and a raw "?" or "#", which can't
// be meant as a delimiter there, counts as encoded. In a query "+" is a space, as
// HTML forms have it.
func canonical(dst, enc []byte, s string, query bool) (outDst, outEnc []byte, ok bool) {
	ok = true
	for i := 0; i < len(s); i++ {
		c, encoded := s[i], byte(0)
		switch {
		case c == '%':
			b, valid := triplet(s, i)
			if !valid {
				ok = false
				break
			}
			i += 2
			if !query && (b == '/' || b == '%') {
				dst = appendTriplet(dst, b)
				enc = append(enc, 1, 1, 1)
				continue
			}
			c = b
			if classes[b] == reserved || b == '%' {
				encoded = 1
			}
		case query && c == '+':
			c = ' '
		case !query && (c == '?' || c == '#'):
			encoded = 1
		}
		dst, enc = append(dst, c), append(enc, encoded)
	}
	return dst, enc, ok
}

// anySet is enc, or nil if nothing in it is set.
func anySet(enc []byte) []byte {
	for _, e := range enc {
		if e != 0 {
			return enc
		}
	}
	return nil
}

// splitQuery makes the pairs of the query, once.
func (s *Subject) splitQuery() []pair {
	if s.split {
		return s.pairs
	}
	s.split = true
	for rest := s.query; rest != ""; {
		var raw string
		raw, rest, _ = strings.Cut(rest, "&")
		if raw == "" {
			continue
		}
		p := pair{raw: raw}
		p.name, p.value, _ = strings.Cut(raw, "=")
		if strings.IndexByte(raw, '%') >= 0 || strings.IndexByte(raw, '+') >= 0 {
			// An invalid triplet is taken as it is written: no reason to refuse a
			// download.
			p.name, _ = decodeQuery(p.name)
			p.value, p.enc = decodeQuery(p.value)
		}
		s.pairs = append(s.pairs, p)
	}
	return s.pairs
}

func decodeQuery(s string) (string, []byte) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s, nil
	}
	dst, enc, _ := canonical(make([]byte, 0, len(s)), nil, s, true)
	return string(dst), anySet(enc)
}
