package table

import (
	"strings"

	"tallygate/routing/template"
)

// burst is how many rules a node keeps in a plain list before it sorts them by
// their next segment. Most hosts have fewer and are no more than a list.
const burst = 8

// trieNode is a persistent trie over path segments: all templates that have taken
// the same way so far. A path segment leads to at most one literal child, and to the
// pattern children whose literal prefix and suffix it has. Whether a template really
// matches is left to the template.
type trieNode struct {
	step  uint64
	count int // of rules, here and below
	// rules are those that end here; all of them while kids is nil. The most
	// specific comes first.
	rules []*Rule
	kids  *trieKids
}

type trieKids struct {
	literals hashmap[*trieNode]
	patterns *affixes // by what the segment begins and ends in
	tails    *affixes // by what the rest of the path begins and ends in; lists only
}

// affixes finds what a text may match by the longest literals at its ends.
type affixes = radix[radix[trieNode]]

func (n *trieNode) edit(step uint64) *trieNode {
	if n == nil {
		return &trieNode{step: step}
	}
	if n.step == step {
		return n
	}
	c := *n
	c.step = step
	c.rules = append(make([]*Rule, 0, len(n.rules)), n.rules...)
	if n.kids != nil {
		kids := *n.kids
		c.kids = &kids
	}
	return &c
}

// insert adds a rule below n, which stands for the first depth segments of the
// rule's path.
func (n *trieNode) insert(step uint64, r *Rule, segments []template.Segment, depth int) *trieNode {
	n = n.edit(step)
	n.count++
	if n.kids != nil {
		n.descend(step, r, segments, depth)
		return n
	}
	n.rules = insertRule(n.rules, r, moreSpecific)
	if len(n.rules) <= burst || !anyDeeper(n.rules, depth) {
		return n
	}
	all := n.rules
	n.rules, n.kids = nil, new(trieKids)
	var buf [16]template.Segment
	for _, r := range all {
		n.descend(step, r, r.in.AppendSegments(buf[:0]), depth)
	}
	return n
}

func anyDeeper(rules []*Rule, depth int) bool {
	for _, r := range rules {
		if int(r.depth) > depth {
			return true
		}
	}
	return false
}

// descend files a rule by its next segment.
func (n *trieNode) descend(step uint64, r *Rule, segments []template.Segment, depth int) {
	if depth == len(segments) {
		n.rules = insertRule(n.rules, r, moreSpecific)
		return
	}
	n.child(step, segments[depth], func(c *trieNode) *trieNode {
		return c.insert(step, r, segments, depth+1)
	})
}

// remove takes out the rule that is the same as r; nil is the empty node.
func (n *trieNode) remove(step uint64, r *Rule, segments []template.Segment, depth int) *trieNode {
	if n == nil {
		return nil
	}
	if n.kids == nil || depth == len(segments) {
		for i, o := range n.rules {
			if o.same(r) {
				n = n.edit(step)
				n.rules = cutOut(n.rules, i)
				n.count--
				return n.shrunk(step)
			}
		}
		return n
	}
	n = n.edit(step)
	n.child(step, segments[depth], func(c *trieNode) *trieNode {
		if c == nil {
			return nil
		}
		before := c.count
		if c = c.remove(step, r, segments, depth+1); c == nil {
			n.count -= before
		} else {
			n.count -= before - c.count
		}
		return c
	})
	return n.shrunk(step)
}

// shrunk turns a node that has become small into a list again. It waits until half
// of what made it burst is gone, so that a rule that comes and goes costs little.
func (n *trieNode) shrunk(step uint64) *trieNode {
	if n.count == 0 {
		return nil
	}
	if n.kids != nil && n.count <= burst/2 {
		list := make([]*Rule, 0, n.count)
		n.all(func(r *Rule) bool {
			list = insertRule(list, r, moreSpecific)
			return true
		})
		n.rules, n.kids = list, nil
	}
	return n
}

// child updates the child that a segment leads to; f gets and returns nil for none.
func (n *trieNode) child(step uint64, s template.Segment, f func(*trieNode) *trieNode) {
	switch {
	case s.Literal:
		old := n.kids.literals.get(s.Text)
		switch c := f(old); {
		case c != nil && c != old:
			n.kids.literals.set(step, s.Text, c)
		case c == nil && old != nil:
			n.kids.literals.remove(step, s.Text)
		}
	case s.Tail:
		n.kids.tails = updateAffix(n.kids.tails, step, s, f)
	default:
		n.kids.patterns = updateAffix(n.kids.patterns, step, s, f)
	}
}

func updateAffix(a *affixes, step uint64, s template.Segment, f func(*trieNode) *trieNode) *affixes {
	return a.update(step, s.Prefix, forwards, func(suffixes *radix[trieNode]) *radix[trieNode] {
		return suffixes.update(step, s.Suffix, backwards, f)
	})
}

// all calls f with every rule, in no order, until it returns false.
func (n *trieNode) all(f func(*Rule) bool) bool {
	if n == nil {
		return true
	}
	for _, r := range n.rules {
		if !f(r) {
			return false
		}
	}
	if n.kids == nil {
		return true
	}
	ok := true
	n.kids.literals.all(func(_ string, c *trieNode) bool {
		ok = c.all(f)
		return ok
	})
	for _, a := range []*affixes{n.kids.patterns, n.kids.tails} {
		ok = ok && a.all(forwards, func(_ string, suffixes *radix[trieNode]) bool {
			return suffixes.all(backwards, func(_ string, c *trieNode) bool { return c.all(f) })
		})
	}
	return ok
}

// search looks for the most specific rule that matches. Every node is visited at
// most once, since a node stands for one number of segments.
type search struct {
	m    *Match
	path string
	best *Rule
	// every, if set, gets each rule that the way leads to, and nothing is matched.
	every func(*Rule)
}

// walk goes on at the segment that begins at pos; past the path's end, pos is one
// more than its length. literal says that the way to n was all literal, so that the
// literal prefix of the rules below is known to begin with path[:pos].
func (q *search) walk(n *trieNode, pos int, literal bool) {
	if n.kids == nil || pos > len(q.path) {
		q.try(n.rules)
		return
	}
	end, next := len(q.path), len(q.path)+1
	if slash := strings.IndexByte(q.path[pos:], '/'); slash >= 0 {
		end, next = pos+slash, pos+slash+1
	}
	if c := n.kids.literals.get(q.path[pos:end]); c != nil {
		q.walk(c, next, literal)
	}
	if n.kids.patterns != nil {
		q.prefixes(n.kids.patterns, pos, pos, end, next, literal)
	}
	if n.kids.tails != nil {
		q.prefixes(n.kids.tails, pos, pos, len(q.path), len(q.path)+1, literal)
	}
}

// prefixes follows the text in path[from:end], the longest prefix first.
func (q *search) prefixes(a *affixes, pos, from, end, next int, literal bool) {
	if c, rest := a.down(q.path[from:end], forwards); c != nil {
		q.prefixes(c, pos, end-len(rest), end, next, literal)
	}
	if a.val == nil {
		return
	}
	// All rules below have a literal prefix that ends at from, if it is literal
	// until here: too short to win against a longer one.
	if literal && q.best != nil && q.best.prefix() > from {
		return
	}
	q.suffixes(a.val, from, end, next)
}

func (q *search) suffixes(s *radix[trieNode], from, end, next int) {
	if from >= end {
		return // nothing is left for the variable
	}
	if c, rest := s.down(q.path[from:end], backwards); c != nil {
		q.suffixes(c, from, from+len(rest), next)
	}
	if s.val != nil {
		q.walk(s.val, next, false)
	}
}

// try matches rules, of which the most specific comes first.
func (q *search) try(rules []*Rule) {
	for _, r := range rules {
		if q.every != nil {
			q.every(r)
			continue
		}
		if q.best != nil && !r.before(q.best) {
			return
		}
		m := q.m
		if r.in.Match(&m.subject, &m.captures[1-m.current]) {
			m.current = 1 - m.current
			q.best = r
			return
		}
	}
}
