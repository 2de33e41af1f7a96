package table

import "strings"

// radix is a persistent radix tree from strings to pointers, in which all keys that
// a text begins with are found on the way down. Turned round, it finds the keys that
// a text ends in. Nil is the empty tree. Like hashmap, its nodes carry the step that
// made them.
type radix[V any] struct {
	step  uint64
	label string
	val   *V
	next  string // the first byte (last, when turned round) of each child's label, ascending
	nodes []*radix[V]
}

// direction says from which end keys are read.
type direction bool

const (
	forwards  direction = false
	backwards direction = true
)

// first is the byte with which a reader of s begins.
func (d direction) first(s string) byte {
	if d == backwards {
		return s[len(s)-1]
	}
	return s[0]
}

// split cuts s after its first n bytes.
func (d direction) split(s string, n int) (head, rest string) {
	if d == backwards {
		return s[len(s)-n:], s[:len(s)-n]
	}
	return s[:n], s[n:]
}

// strip takes label off the beginning of s.
func (d direction) strip(s, label string) (rest string, ok bool) {
	if d == backwards {
		return strings.CutSuffix(s, label)
	}
	return strings.CutPrefix(s, label)
}

// common is how many bytes a and b share at their beginning.
func (d direction) common(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if d == backwards && a[len(a)-1-i] != b[len(b)-1-i] || d == forwards && a[i] != b[i] {
			return i
		}
	}
	return n
}

// join puts rest behind head.
func (d direction) join(head, rest string) string {
	if d == backwards {
		return rest + head
	}
	return head + rest
}

// down is the child that s leads to, and what is left of s.
func (n *radix[V]) down(s string, d direction) (child *radix[V], rest string) {
	if s == "" || n.nodes == nil {
		return nil, ""
	}
	i := strings.IndexByte(n.next, d.first(s))
	if i < 0 {
		return nil, ""
	}
	child = n.nodes[i]
	rest, ok := d.strip(s, child.label)
	if !ok {
		return nil, ""
	}
	return child, rest
}

// get finds the value of exactly this key.
func (n *radix[V]) get(key string, d direction) *V {
	for n != nil {
		if key == "" {
			return n.val
		}
		n, key = n.down(key, d)
	}
	return nil
}

// longest finds the value of the longest key that s begins with.
func (n *radix[V]) longest(s string, d direction) (val *V) {
	for n != nil {
		if n.val != nil {
			val = n.val
		}
		n, s = n.down(s, d)
	}
	return val
}

// all calls f with every key and value, in ascending order of keys when read
// forwards, until it returns false.
func (n *radix[V]) all(d direction, f func(key string, val *V) bool) bool {
	return n.under("", d, f)
}

func (n *radix[V]) under(head string, d direction, f func(key string, val *V) bool) bool {
	if n == nil {
		return true
	}
	head = d.join(head, n.label)
	if n.val != nil && !f(head, n.val) {
		return false
	}
	for _, c := range n.nodes {
		if !c.under(head, d, f) {
			return false
		}
	}
	return true
}

func (n *radix[V]) edit(step uint64) *radix[V] {
	if n.step == step {
		return n
	}
	c := *n
	c.step = step
	c.nodes = append(make([]*radix[V], 0, len(n.nodes)), n.nodes...)
	return &c
}

// update gives key the value that f makes of its present one, nil if it has none;
// nil takes the key out. It returns the new tree.
func (n *radix[V]) update(step uint64, key string, d direction, f func(*V) *V) *radix[V] {
	if n == nil {
		// The root's label is always empty.
		n = &radix[V]{step: step}
	}
	n = n.edit(step)
	if key == "" {
		n.val = f(n.val)
		return n.shrunk(step, d)
	}
	c := d.first(key)
	i := strings.IndexByte(n.next, c)
	if i < 0 {
		if val := f(nil); val != nil {
			n.insert(&radix[V]{step: step, label: key, val: val}, c)
		}
		return n.shrunk(step, d)
	}
	child := n.nodes[i]
	shared := d.common(child.label, key)
	_, rest := d.split(key, shared)
	if shared < len(child.label) {
		// Part the label, whatever f is going to say; shrunk joins it again.
		head, tail := d.split(child.label, shared)
		lower := child.edit(step)
		lower.label = tail
		child = &radix[V]{step: step, label: head}
		child.insert(lower, d.first(tail))
	}
	if child = child.update(step, rest, d, f); child == nil {
		n.nodes = cutOut(n.nodes, i)
		n.next = n.next[:i] + n.next[i+1:]
	} else {
		n.nodes[i] = child
	}
	return n.shrunk(step, d)
}

// insert adds a child whose label begins with c to a node of this step.
func (n *radix[V]) insert(child *radix[V], c byte) {
	i := 0
	for i < len(n.next) && n.next[i] < c {
		i++
	}
	n.nodes = putIn(n.nodes, i, child)
	n.next = n.next[:i] + string([]byte{c}) + n.next[i:]
}

// shrunk is n without a reason to be smaller: nil if it holds nothing, joined with
// its only child if it is but a link to it. It keeps a tree's shape a matter of its
// keys alone.
func (n *radix[V]) shrunk(step uint64, d direction) *radix[V] {
	switch {
	case n.val != nil || len(n.nodes) > 1:
		return n
	case len(n.nodes) == 0:
		return nil
	case n.label == "": // a root
		return n
	}
	c := n.nodes[0].edit(step)
	c.label = d.join(n.label, c.label)
	return c
}
