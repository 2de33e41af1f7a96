package template

import "strings"

// MayMeet is a quick look, without allocation, at the literals of two templates:
// false if no URL can match both.
func MayMeet(a, b *Incoming) bool {
	x, y := a.LiteralPrefix(), b.LiteralPrefix()
	if !strings.HasPrefix(x, y) && !strings.HasPrefix(y, x) || !endAlike(a.suffix(), b.suffix()) {
		return false
	}
	return segmentsMayMeet(a, b) && queriesMayMeet(a, b)
}

func endAlike(a, b string) bool { return strings.HasSuffix(a, b) || strings.HasSuffix(b, a) }

func segmentsMayMeet(a, b *Incoming) bool {
	var bufA, bufB [16]Segment
	x, y := a.AppendSegments(bufA[:0]), b.AppendSegments(bufB[:0])
	for i := range min(len(x), len(y)) {
		s, t := &x[i], &y[i]
		if s.Tail || t.Tail {
			return true
		}
		switch {
		case s.Literal && t.Literal:
			if s.Text != t.Text {
				return false
			}
		case s.Literal:
			if !t.mayBe(s.Text) {
				return false
			}
		case t.Literal:
			if !s.mayBe(t.Text) {
				return false
			}
		case !strings.HasPrefix(s.Prefix, t.Prefix) && !strings.HasPrefix(t.Prefix, s.Prefix) || !endAlike(s.Suffix, t.Suffix):
			return false
		}
	}
	return len(x) == len(y)
}

// mayBe says whether a segment with variables begins and ends as a text does.
func (s *Segment) mayBe(text string) bool {
	return len(text) > len(s.Prefix)+len(s.Suffix) && strings.HasPrefix(text, s.Prefix) && strings.HasSuffix(text, s.Suffix)
}

// queriesMayMeet says whether no parameter is to have two values.
func queriesMayMeet(a, b *Incoming) bool {
	for _, p := range a.query() {
		for _, q := range b.query() {
			if cut(a.text, p.name) == cut(b.text, q.name) && p.fixed() && q.fixed() && p.value(a) != q.value(b) {
				return false
			}
		}
	}
	return true
}

// suffix is the literal that the path ends in.
func (t *Incoming) suffix() string {
	if p := t.path()[t.count-1]; p.kind == literal {
		return cut(t.text, p.span)
	}
	return ""
}
