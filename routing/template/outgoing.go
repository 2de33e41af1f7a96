package template

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// ErrDotSegment is returned by [Outgoing.Append] when a variable would climb out
// of the path: a segment that is "." or "..", which clients resolve
// (RFC 3986 section 5.2.4).
var ErrDotSegment = errors.New("a variable makes a dot segment in the outgoing path")

// Outgoing is a compiled outgoing template, bound to the variables of an incoming
// one. It is immutable, and compact like an [Incoming].
type Outgoing struct {
	text     string // the literals, encoded
	host     span   // of the authority, in src
	count    uint8  // of parts
	fragment uint8  // index of the part that begins the fragment; count without one
	ownQuery bool   // the template has a query of its own
	varPath  bool   // a variable stands in the path
	parts    [4]outPart
	more     []outPart // if there are more than fit
	src      string
}

// Parts is the number of literals and variables.
func (o *Outgoing) Parts() uint8 { return o.count }

func (o *Outgoing) all() []outPart {
	if int(o.count) > len(o.parts) {
		return o.more
	}
	return o.parts[:o.count]
}

// outPart is a literal, or one variable of an expression.
type outPart struct {
	op     byte   // opLiteral, 0 for {v}, or the operator
	v      uint8  // index of the variable
	first  bool   // the expression's first
	prefix uint16 // greatest number of characters; 0: all
	span   span   // of the literal in text, or of the name in src
}

const opLiteral = 'L'

// ParseOutgoing compiles an outgoing template for the variables that names lists,
// those of the incoming template. The error is an [*Error].
func ParseOutgoing(s string, names []string) (*Outgoing, error) {
	o := new(Outgoing)
	if err := o.Parse(s, names); err != nil {
		return nil, err
	}
	return o, nil
}

// Parse compiles s into o, which must be new: for templates that are embedded in a
// larger value.
func (o *Outgoing) Parse(s string, names []string) error {
	o.src = s
	tokens, err := tokenize(s)
	if err != nil {
		return err
	}
	if err := o.authority(tokens); err != nil {
		return err
	}
	return o.compile(tokens, names)
}

// expander compiles a template of any shape, for comparison with RFC 6570's own
// examples.
func expander(s string, names []string) (*Outgoing, error) {
	tokens, err := tokenize(s)
	if err != nil {
		return nil, err
	}
	o := &Outgoing{src: s}
	return o, o.compile(tokens, names)
}

// String is the template as it was written.
func (o *Outgoing) String() string { return o.src }

// Host is the authority, as written: host or host:port.
func (o *Outgoing) Host() string { return cut(o.src, o.host) }

// authority checks what comes before the path: nobody's input may change it.
func (o *Outgoing) authority(tokens []token) error {
	fail := func(pos int, format string, args ...any) error {
		return &Error{Template: o.src, Pos: pos, Msg: fmt.Sprintf(format, args...)}
	}
	if len(tokens) == 0 || tokens[0].lit == "" {
		return fail(0, "an outgoing URL begins with http:// or https://, literally")
	}
	lit := tokens[0].lit
	scheme, rest, ok := strings.Cut(lit, "://")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return fail(0, "an outgoing URL begins with http:// or https://")
	}
	start := len(scheme) + 3
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
		if len(tokens) > 1 && !strings.ContainsRune("/?#", rune(tokens[1].op)) {
			return fail(tokens[1].pos, "a variable can't be part of the host: put a / before it")
		}
	}
	authority := rest[:end]
	if plainHost(authority) {
		o.host = span{uint16(start), uint16(end)}
		return nil
	}
	u, err := url.Parse("http://" + authority)
	switch {
	case err != nil || u.Host != authority && u.User == nil || strings.ContainsFunc(authority, notInHost):
		return fail(start, "%q is not a host; write a name outside ASCII in its xn-- form", authority)
	case u.User != nil:
		return fail(start, "a user name or password in a redirect is handed to every client: leave it out")
	case u.Hostname() == "":
		return fail(start, "the host is missing")
	}
	o.host = span{uint16(start), uint16(end)}
	return nil
}

// plainHost says that nothing can be wrong with a host: it is labels and dots.
func plainHost(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '.' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != ""
}

func notInHost(r rune) bool {
	return r >= utf8.RuneSelf || classes[byte(r)] == other && r != '%'
}

func (o *Outgoing) compile(tokens []token, names []string) error {
	text := make([]byte, 0, len(o.src)+16)
	parts := make([]outPart, 0, 2*len(tokens)+1)
	var unknown []string
	query, fragment := false, false
	at := func() {
		if !fragment {
			fragment, o.fragment = true, uint8(len(parts))
		}
	}
	literal := func(s string) {
		off := len(text)
		text = appendReserved(text, s)
		if n := len(text) - off; n > 0 {
			parts = append(parts, outPart{op: opLiteral, span: span{uint16(off), uint16(n)}})
		}
	}
	for _, tok := range tokens {
		if tok.lit != "" {
			before, after, found := strings.Cut(tok.lit, "#")
			if !fragment && found {
				query = query || strings.Contains(before, "?")
				literal(before)
				at()
				literal("#" + after)
				continue
			}
			query = query || !fragment && strings.Contains(tok.lit, "?")
			literal(tok.lit)
			continue
		}
		switch tok.op {
		case '#':
			at()
		case '?':
			query = query || !fragment
		}
		for i, v := range tok.vars {
			k := slices.Index(names, v.name)
			if k < 0 {
				if !slices.Contains(unknown, v.name) {
					unknown = append(unknown, v.name)
				}
				continue
			}
			off := tok.pos + strings.Index(o.src[tok.pos:], v.name)
			parts = append(parts, outPart{
				op: tok.op, v: uint8(k), first: i == 0, prefix: uint16(v.prefix),
				span: span{uint16(off), uint16(len(v.name))},
			})
			o.varPath = o.varPath || !query && !fragment
		}
	}
	if unknown != nil {
		return &Error{Template: o.src, Msg: unknownMessage(unknown, names)}
	}
	at()
	o.ownQuery, o.text, o.count = query, string(text), uint8(len(parts))
	if copy(o.parts[:], parts) < len(parts) {
		o.more = slices.Clip(parts)
	}
	if o.literalDots() {
		return &Error{Template: o.src, Msg: `the path holds a "." or ".." segment: write the path that it leads to`}
	}
	return nil
}

// literalDots says whether the path holds a dot segment whatever the variables are.
func (o *Outgoing) literalDots() bool {
	b := make([]byte, 0, len(o.text)+16)
	for i, p := range o.all()[:o.fragment] {
		switch {
		case p.op != opLiteral:
			b = append(appendSeparator(b, p.op, !p.first), 'x')
		case i == 0:
			b = append(b, cut(o.text, p.span)[o.host.off+o.host.n:]...)
		default:
			b = append(b, cut(o.text, p.span)...)
		}
	}
	return hasDotSegment(b)
}

func unknownMessage(unknown, names []string) string {
	s := "{" + strings.Join(unknown, "}, {") + "}"
	if len(unknown) == 1 {
		s += " is not a variable of the incoming path"
	} else {
		s += " are not variables of the incoming path"
	}
	if len(names) == 0 {
		return s + ", which has none"
	}
	return s + ", which has {" + strings.Join(names, "}, {") + "}"
}

// Pack puts the literals of templates that are used together side by side in
// memory: into store if they fit, which must never change afterwards, else into a
// string of their own. None of the templates may be in use yet.
func Pack(store []byte, in *Incoming, outs []Outgoing) {
	b := append(store[:0], in.text...)
	for i := range outs {
		b = append(b, outs[i].text...)
	}
	// A string that shares the store's memory. Nobody writes to it again.
	all := unsafe.String(unsafe.SliceData(b), len(b))
	take := func(text *string) {
		n := len(*text)
		*text, all = all[:n], all[n:]
	}
	take(&in.text)
	for i := range outs {
		take(&outs[i].text)
	}
}

// Append appends the URL to dst. The parameters of the subject's query that the
// incoming template left over are passed on as they came, after the URL's own,
// which win over those of the same name; c must hold the subject's match. On
// error, [ErrDotSegment], dst is returned as it was.
func (o *Outgoing) Append(dst []byte, s *Subject, c *Captures) ([]byte, error) {
	start := len(dst)
	parts := o.all()
	dst = o.append(dst, parts[:o.fragment], c)
	path := start + int(o.host.off) + int(o.host.n)
	if o.varPath && hasDotSegment(dst[path:]) {
		return dst[:start], ErrDotSegment
	}
	if s.query != "" {
		dst = s.AppendExtra(dst, path, o.ownQuery, c)
	}
	return o.append(dst, parts[o.fragment:], c), nil
}

// append expands parts by RFC 6570 section 3.2.1. A variable that is not set (an
// optional group of a regular expression) is undefined.
func (o *Outgoing) append(dst []byte, parts []outPart, c *Captures) []byte {
	some := false // a variable of the expression was defined
	for i := range parts {
		p := &parts[i]
		if p.op == opLiteral {
			dst = append(dst, cut(o.text, p.span)...)
			continue
		}
		if p.first {
			some = false
		}
		v := &c.vars[p.v]
		if !v.set {
			continue
		}
		dst = appendSeparator(dst, p.op, some)
		some = true
		value := ""
		keep := p.op == '+' || p.op == '#'
		if keep {
			value = v.value()
		} else {
			value = v.plain()
		}
		if p.prefix > 0 {
			value = firstChars(value, int(p.prefix))
		}
		if p.op == ';' || p.op == '?' || p.op == '&' {
			dst = append(dst, cut(o.src, p.span)...)
			if value == "" && p.op == ';' {
				continue
			}
			dst = append(dst, '=')
		}
		if keep {
			dst = appendReserved(dst, value)
		} else {
			dst = appendEncoded(dst, value)
		}
	}
	return dst
}

// appendSeparator appends what an operator puts before its first variable, or
// between two (the table of RFC 6570 appendix A).
func appendSeparator(dst []byte, op byte, some bool) []byte {
	switch op {
	case 0, '+':
		if some {
			dst = append(dst, ',')
		}
	case '#':
		if some {
			return append(dst, ',')
		}
		dst = append(dst, '#')
	case '?':
		if some {
			return append(dst, '&')
		}
		dst = append(dst, '?')
	default: // . / ; &
		dst = append(dst, op)
	}
	return dst
}

// firstChars is the prefix modifier: characters, not bytes (RFC 6570 section
// 2.4.1); a triplet counts as one.
func firstChars(s string, n int) string {
	i := 0
	for ; n > 0 && i < len(s); n-- {
		if _, ok := triplet(s, i); ok {
			i += 3
			continue
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return s[:i]
}

// hasDotSegment says whether a segment of a URL's path is "." or "..", in any
// spelling that a client resolves (WHATWG URL, "single-dot URL path segment").
func hasDotSegment(b []byte) bool {
	if i := bytes.IndexByte(b, '?'); i >= 0 {
		b = b[:i]
	}
	for len(b) > 0 {
		segment := b
		if i := bytes.IndexByte(b, '/'); i >= 0 {
			segment, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		if len(segment) > 0 && (segment[0] == '.' || segment[0] == '%') && onlyDots(segment) {
			return true
		}
	}
	return false
}

func onlyDots(b []byte) bool {
	dots := 0
	for i := 0; i < len(b); i++ {
		if c, ok := triplet(b, i); ok && c == '.' {
			i += 2
		} else if b[i] != '.' {
			return false
		}
		dots++
	}
	return dots == 1 || dots == 2
}
