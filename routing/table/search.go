package table

import (
	"strings"

	"tallygate/routing/template"
)

// search looks for the most specific template that matches. It lives in a Match, so
// that it costs no allocation.
type search struct {
	path     string
	segments int                    // how many there are
	ends     [maxSegment + 1]uint32 // ends[i] is where segment i-1 ends; segment i begins one later
	hashes   [maxSegment]uint64     // of segments
	hashed   uint64                 // which of hashes are known

	subject  *template.Subject
	captures [2]template.Captures // those of the best rule so far, and those being tried
	current  uint8                // which of them are the best rule's
	best     *templateRule

	// every, if set, gets each rule whose literal segments the path has, and nothing is
	// matched: for explanations.
	every func(*templateRule)
}

// reset takes a new path.
func (q *search) reset(s *template.Subject) {
	q.subject, q.path, q.hashed, q.every = s, s.Path(), 0, nil
	q.segments = 0
	for at := 0; ; {
		q.segments++
		i := strings.IndexByte(q.path[at+1:], '/')
		end := at + 1 + i
		if i < 0 {
			end = len(q.path)
		}
		if q.segments <= maxSegment {
			q.ends[q.segments] = uint32(end)
		}
		if i < 0 {
			return
		}
		at = end
	}
}

// segment is the text of the i-th segment; i is below maxSegment and segments.
func (q *search) segment(i int) string { return q.path[q.ends[i]+1 : q.ends[i+1]] }

func (q *search) hash(i int) uint64 {
	if q.hashed&(1<<i) == 0 {
		q.hashes[i] = hashOf(q.segment(i))
		q.hashed |= 1 << i
	}
	return q.hashes[i]
}

// find looks in f for the best rule.
func (q *search) find(f finder) *templateRule {
	q.best = nil
	q.visit(f)
	return q.best
}

func (q *search) visit(f finder) {
	if f.rule != nil {
		q.try(f.rule)
		return
	}
	b := f.bucket
	if b == nil {
		return
	}
	if q.every != nil && b.level > 0 {
		f.all(func(r *templateRule) bool {
			q.every(r)
			return true
		})
		return
	}
	for _, r := range b.rules {
		if q.try(r) {
			return // those that follow are less specific
		}
	}
	// All keys first: their slots are then fetched side by side.
	var keys [16]uint64
	for from := 0; from < len(b.tuples); from += len(keys) {
		tuples := b.tuples[from:min(from+len(keys), len(b.tuples))]
		for i := range tuples {
			keys[i] = q.key(&tuples[i])
			if keys[i] != 0 && b.slots.vacant(keys[i]) {
				keys[i] = 0
			}
		}
		for i := range tuples {
			t := &tuples[i]
			switch {
			case keys[i] == 0:
				q.many(b, t)
			case t.kind > tailShape || !q.beaten(t):
				if f := b.slots.get(keys[i]); f.ready() {
					q.visit(f)
				}
			}
		}
	}
}

// many visits what a path may hold several of.
func (q *search) many(b *bucket, t *tuple) {
	switch t.kind {
	case inner:
		n := int(t.n)
		for at := 1; at+n <= len(q.path); at++ {
			q.visit(b.slots.get(fit(mix(t.sign(), hashOf(q.path[at:at+n])))))
		}
	case param:
		q.subject.Params(func(name, value string) {
			q.visit(b.slots.get(fit(mix(t.sign(), mix(hashOf(name), hashOf(value))))))
		})
	}
}

// key is the one key that the path has in a tuple; 0 if it has none, or several.
func (q *search) key(t *tuple) uint64 {
	switch t.kind {
	case shape, tailShape:
		return q.shape(t)
	case prefix, suffix, tailPrefix, tailSuffix:
		if text, ok := q.end(t); ok {
			return fit(mix(t.sign(), hashOf(text)))
		}
	case rest:
		return fit(t.sign())
	}
	return 0
}

// beaten says that no rule of a tuple of the first level could beat the best so far:
// its literal prefix ends within the first segment that has a variable.
func (q *search) beaten(t *tuple) bool {
	return q.best != nil && int(t.lead) < min(q.segments, maxSegment) && q.best.prefix() >= int(q.ends[t.lead+1])
}

// shape is the path's key in a tuple of the first level; 0 if its templates can't
// match.
func (q *search) shape(t *tuple) uint64 {
	n := int(t.segment)
	if t.kind == shape && q.segments != n || t.kind == tailShape && q.segments <= n {
		return 0
	}
	h := t.sign()
	for i, left := 0, t.literal; left != 0; i, left = i+1, left>>1 {
		if left&1 != 0 {
			h = mix(h, q.hash(i))
		}
	}
	return fit(h)
}

// end is the path's text at a tuple of the lower levels; false if there is too little
// of it.
func (q *search) end(t *tuple) (text string, ok bool) {
	n := int(t.n)
	switch t.kind {
	case prefix, suffix:
		text = q.segment(int(t.segment))
	case tailPrefix:
		if int(t.segment) >= maxSegment {
			return "", false
		}
		text = q.path[q.ends[t.segment]+1:]
	default:
		text = q.path
	}
	if len(text) <= n {
		return "", false
	}
	if t.kind == suffix || t.kind == tailSuffix {
		return text[len(text)-n:], true
	}
	return text[:n], true
}

// try matches a rule if it would be better than the best so far.
func (q *search) try(r *templateRule) bool {
	if q.every != nil {
		q.every(r)
		return false
	}
	if q.best != nil && !r.before(&q.best.Rule) {
		return false
	}
	if !r.incoming.Match(q.subject, &q.captures[1-q.current]) {
		return false
	}
	q.current = 1 - q.current
	q.best = r
	return true
}
