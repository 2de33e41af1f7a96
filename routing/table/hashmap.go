package table

import (
	"hash/maphash"
	"math/bits"
)

// seed keeps strangers from choosing names that fall together.
var seed = maphash.MakeSeed()

// hashmap is a persistent map from strings: a compressed hash-array mapped prefix
// tree (Steindorfer and Vinju, "Optimizing Hash-Array Mapped Tries for Fast and
// Lean Immutable JVM Collections", 2015), 64 ways wide. An update copies the path
// to the entry, or nothing at all where the same step made that path: nodes carry
// the number of the step that made them.
//
// go-immutable-radix would do, but spends about 300 bytes an entry on channels
// that tell of changes, and follows twice the pointers.
type hashmap[V any] struct {
	root *hashNode[V]
	n    int
}

type hashNode[V any] struct {
	step    uint64
	here    uint64 // which of the 64 places hold an entry
	below   uint64 // and which a node
	entries []hashEntry[V]
	nodes   []*hashNode[V]
}

type hashEntry[V any] struct {
	key string
	val V
}

const (
	hashBits = 6
	// hashDepth is where the bits of a hash have run out. Entries below are in
	// no order.
	hashDepth = 60
)

func place(hash uint64, shift uint) uint64 { return 1 << (hash >> shift & 63) }

func rank(set, bit uint64) int { return bits.OnesCount64(set & (bit - 1)) }

// get finds a key's value, or the zero value.
func (m *hashmap[V]) get(key string) (val V) {
	n := m.root
	if n == nil {
		return val
	}
	hash := maphash.String(seed, key)
	for shift := uint(0); shift < hashDepth; shift += hashBits {
		bit := place(hash, shift)
		if n.here&bit != 0 {
			if e := &n.entries[rank(n.here, bit)]; e.key == key {
				return e.val
			}
			return val
		}
		if n.below&bit == 0 {
			return val
		}
		n = n.nodes[rank(n.below, bit)]
	}
	for i := range n.entries {
		if n.entries[i].key == key {
			return n.entries[i].val
		}
	}
	return val
}

// set gives key a value.
func (m *hashmap[V]) set(step uint64, key string, val V) {
	if m.root == nil {
		m.root = &hashNode[V]{step: step}
	}
	var added bool
	m.root, added = m.root.set(step, maphash.String(seed, key), 0, hashEntry[V]{key, val})
	if added {
		m.n++
	}
}

// remove takes key out.
func (m *hashmap[V]) remove(step uint64, key string) {
	if m.root == nil {
		return
	}
	var removed bool
	if m.root, removed = m.root.remove(step, maphash.String(seed, key), 0, key); removed {
		m.n--
	}
}

// all calls f with every entry, in no order, until it returns false.
func (m *hashmap[V]) all(f func(key string, val V) bool) {
	if m.root != nil {
		m.root.all(f)
	}
}

func (n *hashNode[V]) all(f func(key string, val V) bool) bool {
	for i := range n.entries {
		if !f(n.entries[i].key, n.entries[i].val) {
			return false
		}
	}
	for _, sub := range n.nodes {
		if !sub.all(f) {
			return false
		}
	}
	return true
}

// edit is n itself if this step made it, else a copy.
func (n *hashNode[V]) edit(step uint64) *hashNode[V] {
	if n.step == step {
		return n
	}
	c := *n
	c.step = step
	c.entries = append(make([]hashEntry[V], 0, len(n.entries)+1), n.entries...)
	c.nodes = append(make([]*hashNode[V], 0, len(n.nodes)), n.nodes...)
	return &c
}

func (n *hashNode[V]) set(step, hash uint64, shift uint, e hashEntry[V]) (out *hashNode[V], added bool) {
	n = n.edit(step)
	if shift >= hashDepth {
		for i := range n.entries {
			if n.entries[i].key == e.key {
				n.entries[i].val = e.val
				return n, false
			}
		}
		n.entries = append(n.entries, e)
		return n, true
	}
	bit := place(hash, shift)
	at := rank(n.here, bit)
	switch {
	case n.here&bit != 0 && n.entries[at].key == e.key:
		n.entries[at].val = e.val
		return n, false
	case n.here&bit != 0: // two keys in one place: move both below
		old := n.entries[at]
		sub := &hashNode[V]{step: step}
		sub, _ = sub.set(step, maphash.String(seed, old.key), shift+hashBits, old)
		sub, _ = sub.set(step, hash, shift+hashBits, e)
		n.entries = cutOut(n.entries, at)
		n.nodes = putIn(n.nodes, rank(n.below, bit), sub)
		n.here, n.below = n.here&^bit, n.below|bit
		return n, true
	case n.below&bit != 0:
		i := rank(n.below, bit)
		n.nodes[i], added = n.nodes[i].set(step, hash, shift+hashBits, e)
		return n, added
	}
	n.entries = putIn(n.entries, at, e)
	n.here |= bit
	return n, true
}

func (n *hashNode[V]) remove(step, hash uint64, shift uint, key string) (out *hashNode[V], removed bool) {
	if shift >= hashDepth {
		for i := range n.entries {
			if n.entries[i].key == key {
				n = n.edit(step)
				n.entries = cutOut(n.entries, i)
				return n, true
			}
		}
		return n, false
	}
	bit := place(hash, shift)
	switch {
	case n.here&bit != 0:
		at := rank(n.here, bit)
		if n.entries[at].key != key {
			return n, false
		}
		n = n.edit(step)
		n.entries = cutOut(n.entries, at)
		n.here &^= bit
		return n, true
	case n.below&bit != 0:
		i := rank(n.below, bit)
		sub, removed := n.nodes[i].remove(step, hash, shift+hashBits, key)
		if !removed {
			return n, false
		}
		n = n.edit(step)
		n.nodes[i] = sub
		if len(sub.nodes) == 0 && len(sub.entries) <= 1 {
			// Lift what is left, so that the same keys always make the same tree.
			n.nodes = cutOut(n.nodes, i)
			n.below &^= bit
			if len(sub.entries) == 1 {
				n.entries = putIn(n.entries, rank(n.here, bit), sub.entries[0])
				n.here |= bit
			}
		}
		return n, true
	}
	return n, false
}

// putIn inserts into a slice that the caller owns.
func putIn[E any](s []E, i int, e E) []E {
	if len(s) == cap(s) {
		// Nodes are many and small: grow by one or two, not by half.
		s = append(make([]E, 0, len(s)+1+len(s)/8), s...)
	}
	s = s[:len(s)+1]
	copy(s[i+1:], s[i:])
	s[i] = e
	return s
}

// cutOut removes from a slice that the caller owns.
func cutOut[E any](s []E, i int) []E {
	var zero E
	copy(s[i:], s[i+1:])
	s[len(s)-1] = zero
	return s[:len(s)-1]
}
