package template

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Meet finds a URL that both templates match: path and query, as a client would
// send it, each parameter once. It is found by searching the texts that both paths allow, the shortest
// first, and is checked with Match before it is returned. Where variables are
// repeated the search is bounded, so that it may miss a URL; it never returns a
// wrong one.
func Meet(a, b *Incoming) (sample string, ok bool) {
	s := meeting{a: a, b: b, budget: 40}
	return s.solve(nil, nil)
}

// maxMeeting bounds the work for one pair of templates, in pairs of positions.
const maxMeeting = 1 << 18

type meeting struct {
	a, b   *Incoming
	budget int // searches left
}

// fixed are variables that are given a value: repeated ones, so that all their
// occurrences are equal.
type fixed map[uint8]string

// solve looks for a sample with some variables fixed on either side. When what it
// finds does not match because occurrences of a variable differ, it fixes that
// variable to what one of them was.
func (s *meeting) solve(fixA, fixB fixed) (string, bool) {
	if s.budget--; s.budget < 0 {
		return "", false
	}
	path, ok := intersect(steps(s.a.path(), s.a.text, fixA, true), steps(s.b.path(), s.b.text, fixB, true))
	if !ok {
		return "", false
	}
	query, ok := s.query(path)
	if ok {
		var sub Subject
		var c Captures
		url := EscapePath(path)
		if sub.Reset(url, query) && s.a.Match(&sub, &c) && s.b.Match(&sub, &c) {
			if query != "" {
				url += "?" + query
			}
			return url, true
		}
	}
	for v, values := range s.a.occurrences(path) {
		for _, text := range values {
			if _, done := fixA[v]; !done {
				if url, ok := s.solve(fix(fixA, v, text), fixB); ok {
					return url, true
				}
			}
		}
	}
	for v, values := range s.b.occurrences(path) {
		for _, text := range values {
			if _, done := fixB[v]; !done {
				if url, ok := s.solve(fixA, fix(fixB, v, text)); ok {
					return url, true
				}
			}
		}
	}
	return "", false
}

func fix(f fixed, v uint8, text string) fixed {
	f = maps.Clone(f)
	if f == nil {
		f = fixed{}
	}
	f[v] = text
	return f
}

// occurrences are the texts that repeated variables stand for in a canonical path
// when their occurrences need not be equal.
func (t *Incoming) occurrences(path string) map[uint8][]string {
	loose := &Incoming{text: t.text}
	var parts []part
	var of []uint8
	for _, p := range t.path() {
		if p.kind != literal {
			of = append(of, p.v)
			p.v = uint8(len(of) - 1)
		}
		parts = append(parts, p)
	}
	loose.count, loose.names = uint8(len(parts)), uint8(len(of))
	if copy(loose.parts[:], parts) < len(parts) {
		loose.more = &moreIncoming{parts: parts}
	}
	var s Subject
	var c Captures
	if !s.Reset(EscapePath(path), "") || !loose.matchPath(&s, &c, false) {
		return nil
	}
	values := make(map[uint8][]string)
	for i, v := range of {
		if !slices.Contains(values[v], c.vars[i].text) {
			values[v] = append(values[v], c.vars[i].text)
		}
	}
	for v, texts := range values {
		if len(texts) < 2 {
			delete(values, v)
		}
	}
	return values
}

// query makes a query that has every parameter of both templates, for a path that
// both may match.
func (s *meeting) query(path string) (string, bool) {
	type wanted struct {
		name  string
		parts [2][]step
	}
	var all []wanted
	for side, t := range []*Incoming{s.a, s.b} {
		taken := make(map[int]bool)
		values := t.pathValues(path)
	next:
		for _, q := range t.query() {
			name := cut(t.text, q.name)
			st := steps(q.parts, t.text, values, false)
			for i := range all {
				if all[i].name == name && !taken[i] && all[i].parts[side] == nil {
					taken[i], all[i].parts[side] = true, st
					continue next
				}
			}
			w := wanted{name: name}
			w.parts[side] = st
			all = append(all, w)
			taken[len(all)-1] = true
		}
	}
	var b []byte
	for i, w := range all {
		var value string
		var ok bool
		switch {
		case w.parts[0] == nil:
			value, ok = intersect(w.parts[1], w.parts[1])
		case w.parts[1] == nil:
			value, ok = intersect(w.parts[0], w.parts[0])
		default:
			value, ok = intersect(w.parts[0], w.parts[1])
		}
		if !ok {
			return "", false
		}
		if i > 0 {
			b = append(b, '&')
		}
		b = append(appendEncoded(b, w.name), '=')
		b = appendEncoded(b, value)
	}
	return string(b), true
}

// pathValues are the values that the path gives to variables.
func (t *Incoming) pathValues(path string) fixed {
	var s Subject
	var c Captures
	values := fixed{}
	if len(t.query()) > 0 && s.Reset(EscapePath(path), "") && t.matchPath(&s, &c, false) {
		for i := range c.vars {
			if c.vars[i].set {
				values[uint8(i)] = c.vars[i].plain()
			}
		}
	}
	return values
}

// step is one character, or one or more of any.
type step struct {
	kind partKind
	char symbol
}

// symbol is a character of a text, in which a variable can't end: a rune, a byte that
// is none, or a path's "%2F" and "%25".
type symbol int32

const (
	loneByte symbol = 0x200000
	encoded  symbol = 0x400000
)

// symbolAt reads the symbol at s[i:].
func symbolAt(s string, i int, path bool) (c symbol, size int) {
	if b, ok := triplet(s, i); ok && path {
		return symbol(b) | encoded, 3
	}
	r, size := utf8.DecodeRuneInString(s[i:])
	if r == utf8.RuneError && size == 1 {
		return symbol(s[i]) | loneByte, 1
	}
	return symbol(r), size
}

func appendSymbol(dst []byte, c symbol) []byte {
	switch {
	case c&encoded != 0:
		return appendTriplet(dst, byte(c))
	case c&loneByte != 0:
		return append(dst, byte(c))
	}
	return utf8.AppendRune(dst, rune(c))
}

// steps spells parts out. The result is not nil. Variables of a query take any
// character.
func steps(parts []part, text string, values fixed, path bool) []step {
	out := []step{}
	spell := func(s string) {
		for i := 0; i < len(s); {
			c, size := symbolAt(s, i, path)
			out = append(out, step{literal, c})
			i += size
		}
	}
	for _, p := range parts {
		value, known := values[p.v]
		switch {
		case p.kind == literal:
			spell(cut(text, p.span))
		case known:
			spell(value)
		case !path:
			out = append(out, step{kind: multi})
		default:
			out = append(out, step{kind: p.kind})
		}
	}
	return out
}

// intersect finds the shortest text that both read: a search through the product of
// the two automata. Positions are twice the index of a step, plus one when the step
// is a variable that has its first character.
func intersect(a, b []step) (string, bool) {
	wide := 2*len(b) + 1
	if (2*len(a)+1)*wide > maxMeeting {
		return "", false
	}
	type link struct {
		from int32
		char symbol
		some bool // char is there
		seen bool
	}
	links := make([]link, (2*len(a)+1)*wide)
	queue := []int32{0}
	links[0] = link{from: -1, seen: true}
	reach := func(from int32, p, q int, char symbol, some bool) {
		if to := p*wide + q; !links[to].seen {
			links[to] = link{from, char, some, true}
			queue = append(queue, int32(to))
		}
	}
	goal := int32(2*len(a)*wide + 2*len(b))
	for head := 0; head < len(queue); head++ {
		at := queue[head]
		if at == goal {
			break
		}
		p, q := int(at)/wide, int(at)%wide
		// A variable that has its first character may end.
		if p%2 == 1 {
			reach(at, p+1, q, 0, false)
		}
		if q%2 == 1 {
			reach(at, p, q+1, 0, false)
		}
		if p/2 >= len(a) || q/2 >= len(b) {
			continue
		}
		x, y := a[p/2], b[q/2]
		c := symbol('x')
		if x.kind == literal {
			c = x.char
		} else if y.kind == literal {
			c = y.char
		}
		if x.takes(c) && y.takes(c) {
			reach(at, x.after(p), y.after(q), c, true)
		}
	}
	if !links[goal].seen {
		return "", false
	}
	var chars []symbol
	for at := goal; at > 0; at = links[at].from {
		if links[at].some {
			chars = append(chars, links[at].char)
		}
	}
	var text []byte
	for _, c := range slices.Backward(chars) {
		text = appendSymbol(text, c)
	}
	return string(text), true
}

func (s step) takes(c symbol) bool {
	return s.kind == multi || s.kind == single && c != '/' || s.kind == literal && s.char == c
}

func (s step) after(p int) int {
	if s.kind == literal {
		return p + 2
	}
	return p | 1
}

// EscapePath writes a path in the form of [Subject.Path] as a client would.
func EscapePath(path string) string {
	const plain = "/:@!$&'()*+,;="
	dst := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c := path[i]
		if _, ok := triplet(path, i); ok {
			dst = append(dst, path[i:i+3]...)
			i += 2
			continue
		}
		if classes[c] == unreserved || strings.IndexByte(plain, c) >= 0 {
			dst = append(dst, c)
		} else {
			dst = appendTriplet(dst, c)
		}
	}
	return string(dst)
}
