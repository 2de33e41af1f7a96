package table

// pages is a persistent hash table from 64-bit hashes to values: extendible hashing
// (Fagin, Nievergelt, Pippenger and Strong, 1979) in which an update copies one page
// and the directory, or nothing at all where the same step made them.
//
// It is made for few misses of the cache, which are what a match among a million
// rules costs: a look-up reads the directory, which is small and warm, and one line
// of a page. It keeps hashes, not keys: whoever needs to tell two keys of one hash
// apart keeps both in one value. Hashes must be random in all their bits, as those
// of hash/maphash are; nobody outside can choose them.
type pages[V any] struct {
	step uint64 // made few or dir
	n    int
	few  []slot[V] // all of them, while there are few; a power of two long
	bits uint8
	dir  []*page[V] // by the first bits of the hash; several may be the same page
}

type slot[V any] struct {
	hash uint64 // 0: empty
	val  V
}

type page[V any] struct {
	step  uint64
	bits  uint8 // the first bits that all hashes here share
	n     uint16
	slots [pageSlots]slot[V]
}

const (
	pageSlots = 256
	pageFull  = 192 // a page with more is split
)

// fit makes a hash that is never 0.
func fit(hash uint64) uint64 {
	if hash == 0 {
		return 1
	}
	return hash
}

// get finds a hash's value, or the zero value.
func (t *pages[V]) get(hash uint64) (val V) {
	slots := t.few
	if t.dir != nil {
		slots = t.dir[hash>>(64-t.bits)].slots[:]
	}
	if i := find(slots, hash); i >= 0 && slots[i].hash == hash {
		return slots[i].val
	}
	return val
}

// vacant says that nothing is there, or nothing is known: the place where a hash
// would be is read, and whether it is empty. Asked for several hashes in a row, the
// reads overlap.
func (t *pages[V]) vacant(hash uint64) bool {
	slots := t.few
	if t.dir != nil {
		slots = t.dir[hash>>(64-t.bits)].slots[:]
	}
	return len(slots) == 0 || slots[int(hash)&(len(slots)-1)].hash == 0
}

// find is where a hash is or, if it is absent, may be put; -1 when slots is empty.
// Slots are never full.
func find[V any](slots []slot[V], hash uint64) int {
	mask := len(slots) - 1
	if mask < 0 {
		return -1
	}
	i := int(hash) & mask
	for slots[i].hash != hash && slots[i].hash != 0 {
		i = (i + 1) & mask
	}
	return i
}

// update gives a hash the value that f makes of its present one, the zero value if
// it has none; false takes the hash out.
func (t *pages[V]) update(step, hash uint64, f func(V) (V, bool)) {
	if t.dir == nil {
		t.updateFew(step, hash, f)
		return
	}
	p := t.own(step, hash)
	i := find(p.slots[:], hash)
	had := p.slots[i].hash == hash
	val, keep := f(p.slots[i].val)
	switch {
	case keep:
		p.slots[i] = slot[V]{hash, val}
		if !had {
			t.n++
			if p.n++; p.n > pageFull {
				t.split(step, hash)
			}
		}
	case had:
		shift(p.slots[:], i)
		p.n--
		if t.n--; t.n <= pageFull/2 {
			t.gather(step)
		}
	}
}

func (t *pages[V]) updateFew(step, hash uint64, f func(V) (V, bool)) {
	if t.step != step {
		t.few, t.step = append(make([]slot[V], 0, len(t.few)), t.few...), step
	}
	i := find(t.few, hash)
	had := i >= 0 && t.few[i].hash == hash
	var old V
	if had {
		old = t.few[i].val
	}
	val, keep := f(old)
	switch {
	case keep && had:
		t.few[i].val = val
	case keep:
		if t.n++; t.n > pageFull {
			t.spread(step, slot[V]{hash, val})
			return
		}
		if t.n*4 > len(t.few)*3 {
			old := t.few
			t.few = make([]slot[V], max(2, 2*len(old)))
			for _, s := range old {
				if s.hash != 0 {
					t.few[find(t.few, s.hash)] = s
				}
			}
		}
		t.few[find(t.few, hash)] = slot[V]{hash, val}
	case had:
		shift(t.few, i)
		if t.n--; t.n == 0 {
			t.few = nil
		}
	}
}

// spread puts few slots and one more on pages.
func (t *pages[V]) spread(step uint64, more slot[V]) {
	p := &page[V]{step: step}
	for _, s := range append(t.few, more) {
		if s.hash != 0 {
			p.slots[find(p.slots[:], s.hash)] = s
			p.n++
		}
	}
	t.few, t.bits, t.dir = nil, 0, []*page[V]{p}
	t.split(step, more.hash)
}

// gather takes what is left on pages back.
func (t *pages[V]) gather(step uint64) {
	few := make([]slot[V], pageSlots)
	t.all(func(hash uint64, val V) bool {
		few[find(few, hash)] = slot[V]{hash, val}
		return true
	})
	t.step, t.few, t.dir, t.bits = step, few, nil, 0
}

// own makes the page of a hash, and the directory, belong to this step.
func (t *pages[V]) own(step, hash uint64) *page[V] {
	if t.step != step {
		t.dir, t.step = append(make([]*page[V], 0, len(t.dir)), t.dir...), step
	}
	p := t.dir[t.index(hash)]
	if p.step != step {
		c := *p
		c.step = step
		p = &c
		t.link(hash, p)
	}
	return p
}

func (t *pages[V]) index(hash uint64) int { return int(hash >> (64 - t.bits)) }

// link lets the directory lead to p for all hashes that begin as this one does.
func (t *pages[V]) link(hash uint64, p *page[V]) {
	span := 1 << (t.bits - p.bits)
	first := t.index(hash) &^ (span - 1)
	for i := first; i < first+span; i++ {
		t.dir[i] = p
	}
}

// split parts the page of a hash, which belongs to this step, until none of the
// parts is too full.
func (t *pages[V]) split(step, hash uint64) {
	for {
		p := t.dir[t.index(hash)]
		if p.n <= pageFull {
			return
		}
		if p.bits == t.bits {
			dir := make([]*page[V], 2*len(t.dir))
			for i, q := range t.dir {
				dir[2*i], dir[2*i+1] = q, q
			}
			t.dir, t.bits = dir, t.bits+1
		}
		halves := [2]*page[V]{{step: step, bits: p.bits + 1}, {step: step, bits: p.bits + 1}}
		for _, s := range p.slots {
			if s.hash != 0 {
				q := halves[s.hash>>(63-p.bits)&1]
				q.slots[find(q.slots[:], s.hash)] = s
				q.n++
			}
		}
		top := hash >> (63 - p.bits) &^ 1
		t.link(top<<(63-p.bits), halves[0])
		t.link((top|1)<<(63-p.bits), halves[1])
	}
}

// shift empties slot i and moves up those that are not at their place because of it.
func shift[V any](slots []slot[V], i int) {
	mask := len(slots) - 1
	for j := (i + 1) & mask; slots[j].hash != 0; j = (j + 1) & mask {
		home := int(slots[j].hash) & mask
		if (j-home)&mask >= (j-i)&mask {
			slots[i] = slots[j]
			i = j
		}
	}
	slots[i] = slot[V]{}
}

// all calls f with every value, in no order, until it returns false.
func (t *pages[V]) all(f func(hash uint64, val V) bool) bool {
	for _, s := range t.few {
		if s.hash != 0 && !f(s.hash, s.val) {
			return false
		}
	}
	var last *page[V]
	for _, p := range t.dir {
		if p == last {
			continue
		}
		last = p
		for i := range p.slots {
			if s := &p.slots[i]; s.hash != 0 && !f(s.hash, s.val) {
				return false
			}
		}
	}
	return true
}
