package template

import "strings"

// Segment is what a template asks of one path segment.
type Segment struct {
	Literal bool
	Text    string // of a literal
	// Prefix and Suffix are the literals around the first and the last variable,
	// Inner is the longest one between two.
	Prefix, Suffix, Inner string
	// Tail: a variable of the segment crosses segments. The segment is the last
	// one, Suffix is what the path ends in, and Inner may hold slashes.
	Tail bool
}

// AppendSegments appends the path's segments to dst; the texts are parts of the
// template, in the form of [Subject.Path].
func (t *Incoming) AppendSegments(dst []Segment) []Segment { return segments(t.path(), t.text, dst) }

func segments(parts []part, text string, dst []Segment) []Segment {
	cur := Segment{Literal: true}
	for i, p := range parts {
		if p.kind != literal {
			cur.Tail = cur.Tail || p.kind == multi
			if len(cur.Suffix) > len(cur.Inner) {
				cur.Inner = cur.Suffix
			}
			cur.Literal, cur.Suffix, cur.Text = false, "", ""
			continue
		}
		lit := cut(text, p.span)
		if cur.Tail {
			cur.Suffix = lit
			continue
		}
		if i == 0 {
			lit = lit[1:] // the slash that every path begins with
		}
		for {
			head, rest, slash := strings.Cut(lit, "/")
			if cur.Literal {
				cur.Text, cur.Prefix = head, head
			} else {
				cur.Suffix = head
			}
			if !slash {
				break
			}
			dst = append(dst, cur.finish())
			cur, lit = Segment{Literal: true}, rest
		}
	}
	return append(dst, cur.finish())
}

func (s Segment) finish() Segment {
	if s.Literal {
		s.Prefix = ""
	}
	return s
}
