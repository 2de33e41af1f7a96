package template

import "strings"

// Captures are the values of a match, by the index of the variable in
// [Incoming.Names]. The zero value is ready. They are reusable, and not safe for
// concurrent use; values taken from them may be kept.
type Captures struct {
	vars []capture
	used []bool // pairs of the subject's query that the template took

	failed [MaxVariables*2 + 2]failure // see matcher
}

// capture is one value, cut out of a subject.
type capture struct {
	text string // canonical
	enc  []byte // like Subject.enc, of text; nil: nothing is set
	from source
	set  bool
}

// source tells how a capture's text was encoded.
type source uint8

const (
	fromPath  source = iota // by {v}
	fromQuery               // by {v}, or by {+v} when multi is set too
	fromTail                // by {+v} in the path
	fromQueryTail
)

func (c *Captures) reset(n int) {
	if cap(c.vars) < n {
		c.vars = make([]capture, n, max(n, 8))
	}
	c.vars = c.vars[:n]
	clear(c.vars)
	c.used = c.used[:0]
}

// Len is the number of variables of the template that matched.
func (c *Captures) Len() int { return len(c.vars) }

// Set binds variable i to the text at [from, to) of the subject's path: for
// matchers other than templates. The first call for a match is Reset.
func (c *Captures) Set(s *Subject, i, from, to int) {
	v := capture{text: s.path[from:to], from: fromTail, set: true}
	if s.enc != nil {
		v.enc = anySet(s.enc[from:to])
	}
	c.vars[i] = v
}

// Reset makes room for n variables, none of them set.
func (c *Captures) Reset(n int) { c.reset(n) }

// IsSet says whether variable i has a value. After a template's match each has.
func (c *Captures) IsSet(i int) bool { return c.vars[i].set }

// Value is the value of variable i as RFC 6570 means it: percent-decoded; for
// {+v} without the encodings that its expansion would lose.
func (c *Captures) Value(i int) string { return c.vars[i].value() }

// Decoded is the value of variable i, percent-decoded whatever its operator.
func (c *Captures) Decoded(i int) string { return c.vars[i].plain() }

func (v *capture) value() string {
	switch v.from {
	case fromTail, fromQueryTail:
		return v.kept()
	}
	return v.plain()
}

// plain is the text fully decoded.
func (v *capture) plain() string {
	if v.from == fromQuery || v.from == fromQueryTail || v.enc == nil {
		return v.text
	}
	if strings.IndexByte(v.text, '%') < 0 {
		return v.text
	}
	dst := make([]byte, 0, len(v.text))
	for i := 0; i < len(v.text); i++ {
		if b, ok := triplet(v.text, i); ok {
			dst = append(dst, b)
			i += 2
			continue
		}
		dst = append(dst, v.text[i])
	}
	return string(dst)
}

// kept is the text decoded, except for reserved characters that came encoded, and
// for a "%" that would begin a triplet when it stood by itself.
func (v *capture) kept() string {
	if v.enc == nil && strings.IndexByte(v.text, '%') < 0 {
		return v.text
	}
	dst := make([]byte, 0, len(v.text)+8)
	path := v.from == fromTail || v.from == fromPath
	for i := 0; i < len(v.text); i++ {
		c := v.text[i]
		encoded := v.enc != nil && v.enc[i] != 0
		if c == '%' && path {
			// Canonical paths hold "%2F" and "%25" only.
			c, _ = triplet(v.text, i)
			i += 2
			encoded = true
		}
		switch {
		case c == '%' && v.hexAfter(i+1):
			dst = append(dst, "%25"...)
		case encoded && c != '%':
			dst = appendTriplet(dst, c)
		default:
			dst = append(dst, c)
		}
	}
	return string(dst)
}

// hexAfter says whether two characters that stay as they are, both hex digits,
// stand at i.
func (v *capture) hexAfter(i int) bool {
	return i+1 < len(v.text) && unhex(v.text[i]) < 16 && unhex(v.text[i+1]) < 16
}
