package table

import (
	"hash/maphash"
	"math/bits"
	"slices"

	"tallygate/routing/template"
)

// A host's templates are found by tuple space search (Srinivasan, Suri and Varghese,
// "Packet Classification Using Tuple Space Search", 1999). Templates that ask for
// literals at the same places of a path form a tuple; what they ask for is a key, so
// that one look-up per tuple finds those that can match, however many there are.
// Hosts have few tuples: a vendor's thousands of routes differ in names, not in form.
//
// On the first level a tuple is which segments are literal. Templates that agree in
// these too, like /files/{version}/app-1-{version}.zip and its sisters, are told
// apart on the levels below by their longest literal beside a variable. Whether a
// template really matches is left to the template.

const (
	// burst is how many rules are kept in a plain list.
	burst = 4
	// maxLevel is the last level that is not a plain list.
	maxLevel = 3
	// maxSegment is how many of a path's segments tuples look at.
	maxSegment = 64
)

// seed keeps strangers from choosing texts that fall together.
var seed = maphash.MakeSeed()

func hashOf(s string) uint64 { return maphash.String(seed, s) }

func mix(h, x uint64) uint64 { return (bits.RotateLeft64(h, 23) ^ x) * 0x9e3779b97f4a7c15 }

// finder is a persistent set of templates: nothing, one rule, or a bucket.
type finder struct {
	rule   *templateRule
	bucket *bucket
}

// bucket is several rules. It carries the step that made it, as all parts of a table
// do.
type bucket struct {
	step   uint64
	count  int32
	level  uint8
	rules  []*templateRule // the most specific first, nil when there are tuples
	tuples []tuple         // the longest literal beginning first
	slots  pages[finder]
	inside [4]tuple // what tuples is made of while it fits
}

// tuple is a place at which templates ask for a literal.
type tuple struct {
	kind    tupleKind
	lead    uint8  // of a shape: segments before the first variable
	segment uint16 // which segment; of a shape: how many there are, before the tail
	n       uint16 // bytes of the literal
	literal uint64 // of a shape: which segments are literal, the first ones
	count   int32  // rules
}

type tupleKind uint8

const (
	shape      tupleKind = iota // all segments
	tailShape                   // the segments before a tail
	prefix                      // of a segment with variables
	suffix                      // of a segment with variables
	tailPrefix                  // of the tail
	tailSuffix                  // of the path, where the template has a tail
	inner                       // anywhere
	param                       // a query parameter and its value
	rest                        // no literal
)

func (t *tuple) same(o *tuple) bool {
	return t.kind == o.kind && t.segment == o.segment && t.n == o.n && t.literal == o.literal
}

// sign begins the hash of a tuple's key.
func (t *tuple) sign() uint64 {
	return mix(mix(uint64(t.kind)<<48|uint64(t.segment)<<16|uint64(t.n), t.literal), 0x5851f42d4c957f2d)
}

// tupleOf is the tuple that a rule belongs to on a level, and its key there.
func tupleOf(r *templateRule, level uint8) (tuple, uint64) {
	var buf [16]template.Segment
	segments := r.incoming.AppendSegments(buf[:0])
	if level == 0 {
		return shapeOf(segments)
	}
	return literalOf(r, segments, int(level)-1)
}

func shapeOf(segments []template.Segment) (tuple, uint64) {
	t := tuple{kind: shape, segment: uint16(len(segments))}
	if segments[len(segments)-1].Tail {
		t.kind = tailShape
		t.segment--
	}
	segments = segments[:min(len(segments), maxSegment)]
	for i, s := range segments {
		if s.Literal {
			t.literal |= 1 << i
		}
	}
	t.lead = uint8(bits.TrailingZeros64(^t.literal))
	h := t.sign()
	for _, s := range segments {
		if s.Literal {
			h = mix(h, hashOf(s.Text))
		}
	}
	return t, fit(h)
}

// literalOf is the skip-th longest literal beside a variable.
func literalOf(r *templateRule, segments []template.Segment, skip int) (tuple, uint64) {
	type choice struct {
		tuple
		key   uint64
		value int
	}
	var buf [8]choice
	choices := buf[:0]
	add := func(kind tupleKind, segment int, text string, value int) {
		if text != "" {
			choices = append(choices, choice{tuple{kind: kind, segment: uint16(segment), n: uint16(len(text))}, hashOf(text), value})
		}
	}
	for i, s := range segments {
		switch {
		case s.Tail:
			add(tailPrefix, i, s.Prefix, len(s.Prefix))
			add(tailSuffix, 0, s.Suffix, len(s.Suffix))
		case !s.Literal && i < maxSegment:
			add(prefix, i, s.Prefix, len(s.Prefix))
			add(suffix, i, s.Suffix, len(s.Suffix))
		default:
			continue
		}
		// To find it, all of the path has to be searched: it must be worth it.
		add(inner, 0, s.Inner, len(s.Inner)-3)
	}
	r.incoming.Params(func(name, value string) bool {
		choices = append(choices, choice{tuple{kind: param}, mix(hashOf(name), hashOf(value)), len(name) + len(value)})
		return true
	})
	slices.SortStableFunc(choices, func(a, b choice) int { return b.value - a.value })
	if skip >= len(choices) {
		t := tuple{kind: rest}
		return t, fit(t.sign())
	}
	c := choices[skip]
	return c.tuple, fit(mix(c.sign(), c.key))
}

// ready is always true. Asked as soon as the finder is known, it begins to fetch
// what a search is going to read, while the request is made ready.
func (f finder) ready() bool {
	switch {
	case f.rule != nil:
		return f.rule.ready()
	case f.bucket != nil:
		return f.bucket.count|f.bucket.inside[0].count|f.bucket.inside[3].count != 0
	}
	return true
}

// insert adds a rule.
func (f finder) insert(step uint64, r *templateRule, level uint8) finder {
	switch {
	case f.rule != nil:
		b := &bucket{step: step, level: level, count: 1, rules: []*templateRule{f.rule}}
		b.insert(step, r)
		return finder{bucket: b}
	case f.bucket != nil:
		b := f.bucket.edit(step)
		b.insert(step, r)
		return finder{bucket: b}
	}
	return finder{rule: r}
}

// remove takes out the rule that is the same as r, if there is one.
func (f finder) remove(step uint64, r *templateRule) finder {
	switch {
	case f.rule != nil:
		if f.rule.same(&r.Rule) {
			return finder{}
		}
	case f.bucket != nil:
		b := f.bucket.edit(step)
		b.remove(step, r)
		if b.count == 1 {
			return finder{rule: b.rules[0]}
		}
		return finder{bucket: b}
	}
	return f
}

func (f finder) count() int {
	switch {
	case f.rule != nil:
		return 1
	case f.bucket != nil:
		return int(f.bucket.count)
	}
	return 0
}

// all calls yield with every rule, in no order, until it returns false.
func (f finder) all(yield func(*templateRule) bool) bool {
	if f.rule != nil {
		return yield(f.rule)
	}
	if f.bucket == nil {
		return true
	}
	for _, r := range f.bucket.rules {
		if !yield(r) {
			return false
		}
	}
	return f.bucket.slots.all(func(_ uint64, f finder) bool { return f.all(yield) })
}

func (b *bucket) edit(step uint64) *bucket {
	if b.step == step {
		return b
	}
	c := *b
	c.step = step
	if b.rules != nil {
		c.rules = append(make([]*templateRule, 0, len(b.rules)+1), b.rules...)
	}
	c.tuples = append(c.inside[:0], b.tuples...)
	return &c
}

func (b *bucket) insert(step uint64, r *templateRule) {
	b.count++
	if b.rules == nil {
		b.file(step, r)
		return
	}
	i, _ := slices.BinarySearchFunc(b.rules, r, func(a, b *templateRule) int { return a.order(&b.Rule) })
	b.rules = putIn(b.rules, i, r)
	if len(b.rules) > burst && b.level <= maxLevel {
		rules := b.rules
		b.rules, b.tuples = nil, b.inside[:0]
		for _, r := range rules {
			b.file(step, r)
		}
	}
}

// file puts a rule under its tuple.
func (b *bucket) file(step uint64, r *templateRule) {
	t, key := tupleOf(r, b.level)
	i := slices.IndexFunc(b.tuples, func(o tuple) bool { return o.same(&t) })
	if i < 0 {
		i = 0
		for i < len(b.tuples) && (b.tuples[i].lead > t.lead || b.tuples[i].lead == t.lead && b.tuples[i].n >= t.n) {
			i++
		}
		b.tuples = putIn(b.tuples, i, t)
	}
	b.tuples[i].count++
	level := b.level + 1
	if t.kind == rest {
		level = maxLevel + 1
	}
	b.slots.update(step, key, func(f finder) (finder, bool) { return f.insert(step, r, level), true })
}

// remove takes out a rule. What becomes small turns into a list again, but not
// before it is much smaller than what made it burst, so that a rule that comes and
// goes costs little.
func (b *bucket) remove(step uint64, r *templateRule) {
	if b.rules != nil {
		for i, o := range b.rules {
			if o.same(&r.Rule) {
				b.rules = cutOut(b.rules, i)
				b.count--
				return
			}
		}
		return
	}
	t, key := tupleOf(r, b.level)
	i := slices.IndexFunc(b.tuples, func(o tuple) bool { return o.same(&t) })
	if i < 0 {
		return
	}
	before := 0
	after := 0
	b.slots.update(step, key, func(f finder) (finder, bool) {
		before = f.count()
		f = f.remove(step, r)
		after = f.count()
		return f, after > 0
	})
	if before == after {
		return
	}
	b.count--
	if b.tuples[i].count--; b.tuples[i].count == 0 {
		b.tuples = cutOut(b.tuples, i)
	}
	if b.count <= burst/2 {
		rules := make([]*templateRule, 0, b.count)
		finder{bucket: b}.all(func(r *templateRule) bool {
			rules = append(rules, r)
			return true
		})
		slices.SortFunc(rules, func(a, b *templateRule) int { return a.order(&b.Rule) })
		b.rules, b.tuples, b.slots = rules, nil, pages[finder]{}
	}
}
