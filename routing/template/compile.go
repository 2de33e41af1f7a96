package template

import (
	"fmt"
	"slices"
	"strings"
)

// piece is a step of a template after its operators are taken apart: a literal as
// written, or a variable.
type piece struct {
	pos   int
	lit   string // as written
	name  string // of a variable
	kind  partKind
	query bool // begins the query
}

// flatten takes operators apart and refuses what can't be matched backwards.
func flatten(s string, tokens []token) ([]piece, error) {
	pieces := make([]piece, 0, len(tokens)+4)
	query := false
	fail := func(pos int, format string, args ...any) ([]piece, error) {
		return nil, &Error{Template: s, Pos: pos, Msg: fmt.Sprintf(format, args...)}
	}
	for _, tok := range tokens {
		if tok.lit != "" {
			if i := strings.IndexByte(tok.lit, '#'); i >= 0 {
				return fail(tok.pos+i, `a fragment ("#…") is never sent to a server: leave it out of an incoming path`)
			}
			before, after, found := strings.Cut(tok.lit, "?")
			if query || !found {
				pieces = append(pieces, piece{pos: tok.pos, lit: tok.lit})
				continue
			}
			if before != "" {
				pieces = append(pieces, piece{pos: tok.pos, lit: before})
			}
			query = true
			pieces = append(pieces, piece{pos: tok.pos + len(before) + 1, lit: after, query: true})
			continue
		}
		for i, v := range tok.vars {
			if v.explode {
				return fail(tok.pos, "{%s*}: explode takes a list, and a list can't be told from its expansion: write one variable for each value", v.name)
			}
			if v.prefix > 0 {
				return fail(tok.pos, "{%s:%d}: a prefix drops the rest of the value, which a match can't bring back: leave out the modifier", v.name, v.prefix)
			}
			p := piece{pos: tok.pos, name: v.name, kind: single}
			sep := piece{pos: tok.pos}
			switch tok.op {
			case 0, '+':
				if i > 0 {
					sep.lit = ","
				}
				if tok.op == '+' {
					p.kind = multi
				}
			case '#':
				return fail(tok.pos, "{#%s}: a fragment is never sent to a server, so it can't be matched: use {%s} or {+%s}", v.name, v.name, v.name)
			case '.', '/':
				sep.lit = string(tok.op)
			case ';':
				sep.lit = ";" + v.name + "="
			case '?':
				sep.lit = "&" + v.name + "="
				if i == 0 {
					if query {
						return fail(tok.pos, "{?%s}: the query has begun already: write {&%s}", v.name, v.name)
					}
					query, sep.query, sep.lit = true, true, v.name+"="
				}
			case '&':
				if !query {
					return fail(tok.pos, "{&%s}: the query has not begun: write {?%s}", v.name, v.name)
				}
				sep.lit = "&" + v.name + "="
			}
			if query && (tok.op == '/' || tok.op == ';') {
				return fail(tok.pos, "{%c%s}: path operators have no place in the query", tok.op, v.name)
			}
			if sep.lit != "" {
				pieces = append(pieces, sep)
			}
			pieces = append(pieces, p)
		}
	}
	return pieces, nil
}

// compiler turns pieces into an Incoming.
type compiler struct {
	t     *Incoming
	src   string
	text  []byte
	enc   []byte
	vars  []span
	kinds []partKind // of vars
	query []param
}

func (c *compiler) compile(pieces []piece) error {
	path, query := pieces, []piece(nil)
	for i, p := range pieces {
		if p.query {
			path, query = pieces[:i], pieces[i:]
			break
		}
	}
	t := c.t
	parts, err := c.parts(path, false)
	if err != nil {
		return err
	}
	if err := c.dotSegments(parts); err != nil {
		return err
	}
	t.ambig, t.frozen = c.ambiguous(parts, false), frozen(parts, 0)
	t.prefix = parts[0].span.n
	seen := c.count(parts, 0)
	if query != nil {
		if err := c.params(query, seen); err != nil {
			return err
		}
	}
	t.text, t.count, t.names = string(c.text), uint8(len(parts)), uint8(len(c.vars))
	var more moreIncoming
	if copy(t.parts[:], parts) < len(parts) {
		more.parts = slices.Clip(parts)
	}
	if copy(t.vars[:], c.vars) < len(c.vars) {
		more.vars = slices.Clip(c.vars)
	}
	more.query = c.query
	more.enc = string(anySet(c.enc))
	if more.parts != nil || more.vars != nil || more.query != nil || more.enc != "" {
		t.more = &more
	}
	return nil
}

// count adds the literals of parts to the template's, and their variables to those
// seen.
func (c *compiler) count(parts []part, seen uint64) uint64 {
	for _, p := range parts {
		if p.kind == literal {
			c.t.literals += p.span.n
		} else {
			seen |= 1 << p.v
		}
	}
	return seen
}

// parts compiles the pieces of a path or of a parameter's value.
func (c *compiler) parts(pieces []piece, query bool) ([]part, error) {
	parts := make([]part, 0, len(pieces))
	for _, p := range pieces {
		if p.name == "" {
			off := len(c.text)
			c.text, c.enc, _ = canonical(c.text, c.enc, p.lit, query)
			n := len(c.text) - off
			if n == 0 {
				continue
			}
			if last := len(parts) - 1; last >= 0 && parts[last].kind == literal {
				parts[last].span.n += uint16(n)
				continue
			}
			parts = append(parts, part{kind: literal, span: span{uint16(off), uint16(n)}})
			continue
		}
		v := c.variable(p)
		if c.kinds[v] != p.kind {
			return nil, &Error{Template: c.src, Pos: p.pos, Msg: fmt.Sprintf("{%s} and {+%s} of one variable differ in what they encode: use one of them", p.name, p.name)}
		}
		parts = append(parts, part{kind: p.kind, v: v})
	}
	return parts, nil
}

// variable is the index of a piece's variable, a new one at its first appearance.
func (c *compiler) variable(p piece) uint8 {
	for i := range c.vars {
		if cut(c.src, c.vars[i]) == p.name {
			return uint8(i)
		}
	}
	off := p.pos + strings.Index(c.src[p.pos:], p.name)
	c.vars = append(c.vars, span{uint16(off), uint16(len(p.name))})
	c.kinds = append(c.kinds, p.kind)
	return uint8(len(c.vars) - 1)
}

// params compiles the query: parameters separated by "&".
func (c *compiler) params(pieces []piece, seen uint64) error {
	t := c.t
	var name string
	var value []piece
	var pos int
	open := false // a "=" was seen
	finish := func() error {
		if name == "" && !open && len(value) == 0 {
			return nil // "?&" or a trailing "&"
		}
		if name == "" {
			return &Error{Template: c.src, Pos: pos, Msg: "a query parameter without a name"}
		}
		off := len(c.text)
		c.text, c.enc, _ = canonical(c.text, c.enc, name, true)
		q := param{name: span{uint16(off), uint16(len(c.text) - off)}}
		t.literals += q.name.n
		var err error
		if q.parts, err = c.parts(value, true); err != nil {
			return err
		}
		q.parts = slices.Clip(q.parts)
		q.frozen = frozen(q.parts, seen)
		t.ambig = t.ambig || c.ambiguous(q.parts, true)
		seen = c.count(q.parts, seen)
		c.query = append(c.query, q)
		name, value, open = "", nil, false
		return nil
	}
	for _, p := range pieces {
		if p.name != "" {
			if !open {
				return &Error{Template: c.src, Pos: p.pos, Msg: fmt.Sprintf("{%s}: a variable can be a query parameter's value, not its name: write name={%s} or {?%s}", p.name, p.name, p.name)}
			}
			value = append(value, p)
			continue
		}
		for i, field := range strings.Split(p.lit, "&") {
			if i > 0 {
				if err := finish(); err != nil {
					return err
				}
			}
			if !open {
				pos = p.pos
				before, after, found := strings.Cut(field, "=")
				name += before
				if open = found; !found {
					continue
				}
				field = after
			}
			if field != "" {
				value = append(value, piece{pos: p.pos, lit: field})
			}
		}
	}
	if err := finish(); err != nil {
		return err
	}
	c.query = slices.Clip(c.query)
	return nil
}

// ambiguous says whether one text can be read in several ways: two variables
// share a segment, or one crosses segments beside another.
func (c *compiler) ambiguous(parts []part, query bool) bool {
	vars, inSegment, crossing := 0, 0, false
	for _, p := range parts {
		switch p.kind {
		case literal:
			if !query && strings.IndexByte(string(c.text[p.span.off:p.span.off+p.span.n]), '/') >= 0 {
				inSegment = 0
			}
			continue
		case multi:
			crossing = true
		}
		vars++
		if inSegment++; inSegment > 1 {
			return true
		}
	}
	return crossing && vars > 1
}

// frozen is the first index from which on no part repeats a variable bound
// before it: what can follow there does not depend on what was captured.
func frozen(parts []part, seen uint64) uint8 {
	from := 0
	for i, p := range parts {
		if p.kind == literal {
			continue
		}
		if seen&(1<<p.v) != 0 {
			from = i + 1
		}
		seen |= 1 << p.v
	}
	return uint8(from)
}

// dotSegments refuses a path that no client sends: "." and ".." are resolved
// before (RFC 3986 section 5.2.4).
func (c *compiler) dotSegments(parts []part) error {
	var buf [16]Segment
	for _, s := range segments(parts, string(c.text), buf[:0]) {
		if s.Literal && (s.Text == "." || s.Text == "..") {
			return &Error{Template: c.src, Msg: fmt.Sprintf("clients resolve %q before they ask: no request can match", "/"+s.Text)}
		}
	}
	return nil
}
