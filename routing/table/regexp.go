package table

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync/atomic"

	"tallygate/cluster/catalog"
	"tallygate/routing/template"
)

// The bounds of a regular expression. RE2 takes time in proportion to the path
// times the size of the program, so bounding both bounds every match. The catalog
// bounds the size more closely.
const (
	maxRegexpSize = 2 * catalog.MaxRegexpSize // instructions, roughly
	maxRegexpPath = 2048                      // bytes; no expression matches a longer path
)

// regexpRule is a regular expression over the path as templates see it: decoded,
// except for encoded slashes. It is found anywhere in the path, as in the
// manifests that these rules come from; "^" and "$" tie it down.
//
// Compiled, an expression takes kilobytes, so that is left to the first request
// that its literals don't rule out.
type regexpRule struct {
	src    string
	names  []string // of the groups, in order
	prefix string   // what the path begins with, if the expression says so
	must   string   // a literal that is in each match

	compiled atomic.Pointer[regexp.Regexp]
}

// parseRegexp checks an expression and finds its literals.
func parseRegexp(src string) (*regexpRule, error) {
	if len(src) > catalog.MaxRegexpBytes {
		return nil, fmt.Errorf("the expression is too long: at most %d bytes", catalog.MaxRegexpBytes)
	}
	tree, err := syntax.Parse(src, syntax.Perl)
	if err != nil {
		var e *syntax.Error
		if errors.As(err, &e) && (e.Code == syntax.ErrInvalidPerlOp || e.Code == syntax.ErrInvalidEscape) {
			return nil, fmt.Errorf("%w (RE2 has no look-around and no back references)", err)
		}
		return nil, err
	}
	re := &regexpRule{src: src}
	for _, name := range tree.CapNames() {
		if name != "" {
			re.names = append(re.names, name)
		}
	}
	// Before it is simplified, which writes repetitions out.
	if programSize(tree) > maxRegexpSize {
		return nil, fmt.Errorf("the expression is larger than %d instructions once its repetitions are written out: repeat less", maxRegexpSize)
	}
	tree = tree.Simplify()
	re.prefix, re.must = literals(tree)
	return re, nil
}

// programSize is about how many instructions an expression takes, counted without
// making them, and no further than to above the bound.
func programSize(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		if n += programSize(sub); n > maxRegexpSize {
			return maxRegexpSize + 1
		}
	}
	if re.Op == syntax.OpRepeat {
		n *= max(1, re.Min, re.Max)
	}
	return min(n, maxRegexpSize+1)
}

// literals finds the literal that a match begins the path with, if it is tied to
// its beginning, and the longest one that every match holds.
func literals(tree *syntax.Regexp) (prefix, must string) {
	steps := []*syntax.Regexp{tree}
	for len(steps) > 0 && (steps[0].Op == syntax.OpConcat || steps[0].Op == syntax.OpCapture) {
		steps = append(append([]*syntax.Regexp{}, steps[0].Sub...), steps[1:]...)
	}
	anchored := false
	for i, s := range steps {
		switch s.Op {
		case syntax.OpBeginText:
			anchored = anchored || i == 0
		case syntax.OpLiteral:
			if s.Flags&syntax.FoldCase != 0 {
				continue
			}
			lit := string(s.Rune)
			if anchored && i == 1 {
				prefix = lit
			}
			if len(lit) > len(must) {
				must = lit
			}
		}
	}
	return prefix, must
}

// find is the match in a path, as [regexp.Regexp.FindStringSubmatchIndex] has it.
func (re *regexpRule) find(path string) []int {
	if len(path) > maxRegexpPath || !strings.Contains(path, re.must) {
		return nil
	}
	c := re.compiled.Load()
	if c == nil {
		var err error
		if c, err = regexp.Compile(re.src); err != nil {
			return nil // parseRegexp has compiled it before
		}
		re.compiled.Store(c)
	}
	return c.FindStringSubmatchIndex(path)
}

// capture binds the named groups of a match that find returned.
func (re *regexpRule) capture(at []int, s *template.Subject, c *template.Captures) {
	c.Reset(len(re.names))
	k := 0
	for i, name := range re.compiled.Load().SubexpNames() {
		if name == "" {
			continue
		}
		if at[2*i] >= 0 {
			c.Set(s, k, at[2*i], at[2*i+1])
		}
		k++
	}
}

// regexp finds the oldest expression that matches. Those whose literal the path holds
// are tried in turn. (One program for all of them would have to be compiled anew with
// each change, and could not say which of several is the oldest.)
func (m *Match) regexp(set *regexpSet) *Rule {
	path := m.subject.Path()
	m.candidates = set.candidates(m.candidates[:0], path)
	for _, r := range m.candidates {
		at := r.rest.re.find(path)
		if at == nil || at[0] == at[1] {
			continue
		}
		r.rest.re.capture(at, &m.subject, m.bound())
		return r
	}
	return nil
}
