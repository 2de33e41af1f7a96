package template

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Match matches a subject and leaves the values in c. It neither allocates, once
// c has grown, nor takes more than time in proportion to the length of the
// template times that of the path, except for a bounded number of steps where a
// variable is repeated.
func (t *Incoming) Match(s *Subject, c *Captures) bool {
	if !t.match(s, c, false) {
		return false
	}
	if t.exact(s, c) {
		return true
	}
	// Another reading may expand to the very same characters.
	return t.match(s, c, true) || t.match(s, c, false)
}

// exact says whether what was captured expands to the subject itself, or no other
// reading could do better.
func (t *Incoming) exact(s *Subject, c *Captures) bool {
	if !t.ambig {
		return true
	}
	if s.enc != nil || t.enc() != "" {
		return false
	}
	for i := range c.vars {
		v := &c.vars[i]
		if v.enc != nil || (v.from == fromPath || v.from == fromQuery) && hasReserved(v.text) {
			return false
		}
	}
	return true
}

func hasReserved(s string) bool {
	for i := range len(s) {
		if classes[s[i]] == reserved {
			return true
		}
	}
	return false
}

// match finds the leftmost, longest reading. When strict, a literal's reserved
// characters match only what is encoded like them, and {v} takes no raw ones.
func (t *Incoming) match(s *Subject, c *Captures, strict bool) bool {
	return t.matchPath(s, c, strict) && (t.more == nil || t.more.query == nil || t.matchQuery(s, c, strict))
}

func (t *Incoming) matchPath(s *Subject, c *Captures, strict bool) bool {
	c.reset(int(t.names))
	m := matcher{
		t: t, c: c, parts: t.path(), text: s.path, enc: s.enc,
		strict: strict, frozen: int(t.frozen), path: true, budget: maxSteps,
	}
	return m.run()
}

// matchQuery gives each required parameter the first one of the request that has
// its name, fits, and was not given to another.
func (t *Incoming) matchQuery(s *Subject, c *Captures, strict bool) bool {
	pairs := s.splitQuery()
	for len(c.used) < len(pairs) {
		c.used = append(c.used, false)
	}
	query := t.more.query
next:
	for i := range query {
		q := &query[i]
		name := cut(t.text, q.name)
		for j := range pairs {
			p := &pairs[j]
			if c.used[j] || p.name != name {
				continue
			}
			m := matcher{
				t: t, c: c, parts: q.parts, text: p.value, enc: p.enc,
				strict: strict, frozen: int(q.frozen), budget: maxSteps,
			}
			if m.run() {
				c.used[j] = true
				continue next
			}
		}
		return false
	}
	return true
}

// MatchPath says whether the path alone matches, whatever the query.
func (t *Incoming) MatchPath(s *Subject, c *Captures) bool { return t.matchPath(s, c, false) }

// Missing says in a clause, for people, why a subject whose path matches does not
// match.
func (t *Incoming) Missing(s *Subject) string {
	for _, q := range t.query() {
		name := cut(t.text, q.name)
		if !slices.ContainsFunc(s.splitQuery(), func(p pair) bool { return p.name == name }) {
			return "the query parameter " + name + " is missing"
		}
	}
	return "its query parameters don't have the values that the template asks for"
}

// maxSteps bounds the search where a repeated variable makes it depend on what
// was captured before. Without one it is linear and needs no bound.
const maxSteps = 10_000

// failure remembers that a variable can't end anywhere in (low, end].
type failure struct{ low, end int }

// matcher reads one text, a path or a parameter's value.
type matcher struct {
	t      *Incoming
	c      *Captures
	parts  []part
	text   string
	enc    []byte
	strict bool
	path   bool
	frozen int
	budget int
}

func (m *matcher) run() bool {
	failed := m.c.failed[:len(m.parts)]
	for i := range failed {
		failed[i] = failure{end: -1}
	}
	return m.rest(0, 0)
}

// rest matches the parts from i on with the text from pos on. A variable is given
// the longest text with which the rest matches: its ends are tried from the right.
//
// From m.frozen on, whether the rest can follow an end does not depend on where
// the variable began. So an end that failed once is not tried again when the
// variable is given an earlier beginning: each is tried once, and the whole is
// linear in the text for each part.
func (m *matcher) rest(i, pos int) bool {
	for ; i < len(m.parts); i++ {
		p := &m.parts[i]
		switch {
		case p.kind == literal:
			if !m.literal(p, pos) {
				return false
			}
			pos += int(p.span.n)
		case m.c.vars[p.v].set:
			n, ok := m.repeated(p, pos)
			if !ok {
				return false
			}
			pos += n
		default:
			return m.variable(i, pos)
		}
	}
	return pos == len(m.text)
}

// literal matches a literal part at pos.
func (m *matcher) literal(p *part, pos int) bool {
	lit := cut(m.t.text, p.span)
	if !strings.HasPrefix(m.text[pos:], lit) {
		return false
	}
	if !m.strict {
		return true
	}
	enc := m.t.enc()
	for k := range len(lit) {
		if classes[lit[k]] != reserved {
			continue
		}
		encoded := m.enc != nil && m.enc[pos+k] != 0
		wanted := enc != "" && enc[int(p.span.off)+k] != 0
		if encoded != wanted {
			return false
		}
	}
	return true
}

// repeated matches a variable that has its value already.
func (m *matcher) repeated(p *part, pos int) (n int, ok bool) {
	v := &m.c.vars[p.v]
	text := v.text
	if path := v.from == fromPath || v.from == fromTail; path != m.path && v.enc != nil {
		// A path's canonical text keeps "%2F" and "%25", a query's does not.
		return m.repeatedAcross(v, pos)
	}
	if !strings.HasPrefix(m.text[pos:], text) || !m.boundary(pos+len(text)) {
		return 0, false
	}
	if m.strict {
		for k := range len(text) {
			was := v.enc != nil && v.enc[k] != 0
			is := m.enc != nil && m.enc[pos+k] != 0
			if was != is {
				return 0, false
			}
		}
	}
	return len(text), true
}

// repeatedAcross compares a value of the path with one of the query by what they
// decode to.
func (m *matcher) repeatedAcross(v *capture, pos int) (n int, ok bool) {
	want := v.plain()
	if !strings.HasPrefix(m.text[pos:], want) || !m.boundary(pos+len(want)) {
		return 0, false
	}
	return len(want), true
}

// variable matches the variable at part i, which begins at pos, and all that
// follows.
func (m *matcher) variable(i, pos int) bool {
	p := &m.parts[i]
	end := m.limit(p, pos)
	if end <= pos {
		return false
	}
	if i+1 == len(m.parts) {
		return end == len(m.text) && m.bind(p, pos, end)
	}
	low := pos // ends in (low, high] are to be tried
	high := end
	remember := i+1 >= m.frozen
	if f := &m.c.failed[i]; remember && f.end == end {
		if f.low <= low {
			return false
		}
		high = f.low
	}
	next := &m.parts[i+1]
	lit := ""
	if next.kind == literal {
		lit = cut(m.t.text, next.span)
	}
	for at := high; at > low; at-- {
		if lit != "" {
			at = m.before(lit, p.kind, low+1, at, end)
			if at < 0 {
				break
			}
		} else if !m.boundary(at) || !utf8.RuneStart(m.text[min(at, len(m.text)-1)]) {
			continue
		}
		if m.enc != nil && !m.boundary(at) {
			continue
		}
		if m.budget--; m.budget < 0 && !remember {
			return false
		}
		if m.bind(p, pos, at) && m.rest(i+1, at) {
			return true
		}
		m.c.vars[p.v].set = false
	}
	if remember {
		m.c.failed[i] = failure{low: low, end: end}
	}
	return false
}

// before finds the last place in [from, to] where lit begins, at which a variable
// may end; -1 if there is none. end is where it must end at the latest.
func (m *matcher) before(lit string, kind partKind, from, to, end int) int {
	if lit[0] == '/' && kind == single && m.path {
		// The most usual case: the variable fills the rest of its segment.
		if to == end && strings.HasPrefix(m.text[end:], lit) {
			return end
		}
		return -1
	}
	stop := min(to+len(lit), len(m.text))
	if from > stop {
		return -1
	}
	if at := strings.LastIndex(m.text[from:stop], lit); at >= 0 {
		return from + at
	}
	return -1
}

// limit is where a variable that begins at pos ends at the latest.
func (m *matcher) limit(p *part, pos int) int {
	end := len(m.text)
	if p.kind == multi {
		return end
	}
	if m.path {
		if slash := strings.IndexByte(m.text[pos:], '/'); slash >= 0 {
			end = pos + slash
		}
	}
	if m.strict {
		for k := pos; k < end; k++ {
			if classes[m.text[k]] == reserved && (m.enc == nil || m.enc[k] == 0) {
				return k
			}
		}
	}
	return end
}

// boundary says whether pos is not inside a triplet of a canonical path.
func (m *matcher) boundary(pos int) bool {
	if !m.path || m.enc == nil {
		return true
	}
	return !(pos >= 1 && m.text[pos-1] == '%' || pos >= 2 && m.text[pos-2] == '%')
}

func (m *matcher) bind(p *part, from, to int) bool {
	v := &m.c.vars[p.v]
	v.text, v.set, v.enc = m.text[from:to], true, nil
	if m.enc != nil {
		v.enc = anySet(m.enc[from:to])
	}
	switch {
	case m.path && p.kind == multi:
		v.from = fromTail
	case m.path:
		v.from = fromPath
	case p.kind == multi:
		v.from = fromQueryTail
	default:
		v.from = fromQuery
	}
	return true
}
