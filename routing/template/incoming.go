package template

import (
	"fmt"
	"slices"
	"strings"
)

// Incoming is a compiled incoming template. It is immutable, and compact, since a
// node holds a million of them: the usual one keeps its parts in itself, where a
// match finds them without another miss of the cache.
type Incoming struct {
	text     string // the literals, canonical
	count    uint8  // of parts
	names    uint8  // how many variables
	frozen   uint8  // parts from here on repeat no variable bound before them
	ambig    bool   // the path or the query may be read in more than one way
	prefix   uint16 // bytes of the path before its first variable
	literals uint16 // literal bytes of path and query
	parts    [6]part
	vars     [3]span // variables by order of appearance, in src
	more     *moreIncoming
	src      string
}

// moreIncoming is what few templates have.
type moreIncoming struct {
	parts []part // if there are more than fit
	vars  []span
	enc   string // like Subject.enc, of text; "" if nothing is set
	query []param
}

// path are the parts of the path.
func (t *Incoming) path() []part {
	if int(t.count) > len(t.parts) {
		return t.more.parts
	}
	return t.parts[:t.count]
}

func (t *Incoming) enc() string {
	if t.more == nil {
		return ""
	}
	return t.more.enc
}

func (t *Incoming) query() []param {
	if t.more == nil {
		return nil
	}
	return t.more.query
}

// part is a literal or a variable.
type part struct {
	kind partKind
	v    uint8 // index of the variable
	span span  // of the literal, in text
}

type span struct{ off, n uint16 }

type partKind uint8

const (
	literal partKind = iota
	single           // {v}: within a segment
	multi            // {+v}: across segments
)

// param is a required query parameter.
type param struct {
	name   span // in text
	parts  []part
	frozen uint8
}

// piece is a step of a template after its operators are taken apart: a literal as
// written, or a variable.
type piece struct {
	pos   int
	lit   string // as written
	name  string // of a variable
	kind  partKind
	query bool // begins the query
}

// ParseIncoming compiles an incoming template: a path that begins with "/", with
// or without a query. The error is an [*Error].
func ParseIncoming(s string) (*Incoming, error) {
	t := new(Incoming)
	if err := t.Parse(s); err != nil {
		return nil, err
	}
	return t, nil
}

// Parse compiles s into t, which must be new: for templates that are embedded in
// a larger value.
func (t *Incoming) Parse(s string) error {
	tokens, err := tokenize(s)
	if err != nil {
		return err
	}
	pieces, err := flatten(s, tokens)
	if err != nil {
		return err
	}
	if len(pieces) == 0 || pieces[0].query || pieces[0].lit == "" || pieces[0].lit[0] != '/' {
		return &Error{Template: s, Msg: `an incoming path begins with "/"`}
	}
	t.src = s
	c := compiler{
		t: t, src: s,
		text: make([]byte, 0, len(s)), enc: make([]byte, 0, len(s)), vars: make([]span, 0, 4), kinds: make([]partKind, 0, 4),
	}
	return c.compile(pieces)
}

// String is the template as it was written.
func (t *Incoming) String() string { return t.src }

// Names are the variables, by order of appearance, each once.
func (t *Incoming) Names() []string {
	names := make([]string, t.names)
	for i := range names {
		names[i] = t.Name(i)
	}
	return names
}

// Name is the i-th of Names.
func (t *Incoming) Name(i int) string {
	if int(t.names) > len(t.vars) {
		return cut(t.src, t.more.vars[i])
	}
	return cut(t.src, t.vars[i])
}

// Prefix is the number of bytes of the path before its first variable.
func (t *Incoming) Prefix() int { return int(t.prefix) }

// LiteralPrefix is the path before its first variable, in the form of
// [Subject.Path].
func (t *Incoming) LiteralPrefix() string { return t.text[:t.prefix] }

// Literals is the number of literal bytes of path and query.
func (t *Incoming) Literals() int { return int(t.literals) }

// Variables is the number of different variables.
func (t *Incoming) Variables() int { return int(t.names) }

func cut(s string, p span) string { return s[p.off : p.off+p.n] }

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

// Params yields the literal query parameters that the template requires, as name
// and value, decoded.
func (t *Incoming) Params(yield func(name, value string) bool) {
	for _, q := range t.query() {
		if q.fixed() && !yield(cut(t.text, q.name), q.value(t)) {
			return
		}
	}
}
