package table

import (
	"errors"
	"fmt"
	"strings"

	"tallygate/routing/template"
)

// ErrNoOrigin is returned by [Match.Location] for an origin that the rule does not
// have.
var ErrNoOrigin = errors.New("the rule has no such origin")

// Match is what matched a request. It belongs to the caller; used again, it
// overwrites what it held, so copy what must outlive it. The strings in it may
// be kept. It is large: keep it in a pool. It is not safe for concurrent use.
type Match struct {
	Rule  *Rule
	Vars  Vars
	Extra []Var // query parameters outside the template, decoded, in their order

	rawPath    string
	subject    template.Subject
	search     search
	buf        []byte
	candidates []*Rule // regular expressions to be tried
}

// Match finds the rule for a request among templates, regular expressions, event
// rules and catch-alls, in this order. It fills m, which the caller owns and may
// use again, and says whether there is one.
//
// Images and Python projects have look-ups of their own: a caller that serves
// Python asks for the project before it takes a match of a kind after [PythonRule].
//
// The method chooses no rule, so that a request that a rule can't serve is told so
// rather than served by a catch-all behind it.
func (h *Host) Match(_, escapedPath, rawQuery string, m *Match) bool {
	m.Rule, m.Vars, m.Extra = nil, m.Vars[:0], m.Extra[:0]
	m.rawPath = escapedPath
	if m.rawPath == "" {
		m.rawPath = "/"
	}
	wellFormed := m.subject.Reset(escapedPath, rawQuery)
	if wellFormed {
		m.search.reset(&m.subject)
		m.Rule = m.template(h.templates)
		if m.Rule == nil && h.more != nil && h.more.regexps.n > 0 {
			m.Rule = m.regexp(&h.more.regexps)
		}
		if m.Rule == nil && h.events != (finder{}) {
			m.Rule = m.template(h.events)
		}
	}
	if m.Rule == nil && h.more != nil {
		m.Rule = m.catchAll(h.more)
	}
	if m.Rule == nil {
		return false
	}
	m.fill()
	return true
}

// template finds the most specific template.
func (m *Match) template(f finder) *Rule {
	if r := m.search.find(f); r != nil {
		return &r.Rule
	}
	return nil
}

// bound are the captures of the winning rule.
func (m *Match) bound() *template.Captures { return &m.search.captures[m.search.current] }

// fill makes the variables public.
func (m *Match) fill() {
	c := m.bound()
	switch m.Rule.Kind {
	case CatchAllRule:
		c.Reset(0)
	case RegexpRule:
		for i, name := range m.Rule.rest.re.names {
			if c.IsSet(i) {
				m.Vars = append(m.Vars, Var{name, c.Decoded(i)})
			}
		}
	default:
		for i := range c.Len() {
			m.Vars = append(m.Vars, Var{m.Rule.tmpl.incoming.Name(i), c.Value(i)})
		}
	}
	if m.subject.RawQuery() != "" {
		c.Extra(&m.subject, func(name, value string) {
			m.Extra = append(m.Extra, Var{name, value})
		})
	}
}

// Origins counts the outgoing URLs: the primary and the failovers; zero for a
// route that answers by itself.
func (m *Match) Origins() int {
	if m.Rule.Kind == CatchAllRule {
		return len(m.Rule.rest.catchAll.outs)
	}
	return len(m.Rule.outs)
}

// Location expands the i-th outgoing URL, 0 being the primary, and names its
// host with port, as the origin is known by. The request's query parameters
// outside the template are passed on as they came; the outgoing URL's own win.
//
// Errors: [ErrNoOrigin]; [template.ErrDotSegment] when a variable would lead out of
// the outgoing path, to be answered like a request that no rule matches.
func (m *Match) Location(i int) (location, host string, err error) {
	if i < 0 || i >= m.Origins() {
		return "", "", ErrNoOrigin
	}
	if m.Rule.Kind == CatchAllRule {
		out := &m.Rule.rest.catchAll.outs[i]
		m.buf = out.append(m.buf[:0], m.Rule.rest.catchAll, m)
		return string(m.buf), out.host, nil
	}
	out := &m.Rule.outs[i]
	if m.buf, err = out.Append(m.buf[:0], &m.subject, m.bound()); err != nil {
		return "", out.Host(), fmt.Errorf("expand %q: %w", out, err)
	}
	return string(m.buf), out.Host(), nil
}

// afterSlashes is what follows the first n slashes of a path.
func afterSlashes(path string, n int) string {
	for ; n > 0; n-- {
		i := strings.IndexByte(path, '/')
		if i < 0 {
			return ""
		}
		path = path[i+1:]
	}
	return path
}
