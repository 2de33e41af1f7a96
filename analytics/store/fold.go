package store

import (
	"math"
	"slices"
	"time"
	"unique"
)

// A pull is one or more GETs of manifests of one image by one origin. Of the
// rows of one image and origin, in their total order, the first is counted; it
// covers those up to foldWindow after it; the next one is counted again, and so
// on. Which rows are counted depends on the set of rows alone.
//
// The folder keeps the recent rows of each chain in memory and decides there.
// Rows that come later than its memory reaches are folded by SQL (repair.go).
const foldWindow = int64(60 * time.Second / time.Microsecond)

// maxPulls bounds the rows in memory, about 100 bytes each. Beyond it the memory
// reaches less far back.
const maxPulls = 500_000

// pullKey is an image and an origin.
type pullKey struct {
	image  unique.Handle[string]
	origin [16]byte
}

func newPullKey(image string, origin [16]byte) pullKey {
	// As it stands in the database, or rows of one image would not meet.
	s, _ := text(image).(string)
	return pullKey{unique.Make(s), origin}
}

// pull is one row of a chain.
type pull struct {
	order
	counted bool
	stored  bool // in the database; else row is set
	row     *Row
}

// chain is rows of one key in order. It begins with a counted row and holds all
// rows since.
type chain []pull

// folder is the memory. Of every key, rows at or after floor are in a chain.
type folder struct {
	chains map[pullKey]chain
	floor  int64
	size   int
}

// beginning is a floor below every time: all rows are in memory.
const beginning = math.MinInt64 / 2

func newFolder(floor int64) *folder {
	return &folder{chains: map[pullKey]chain{}, floor: floor}
}

// knows says whether memory suffices to place rows of the key from the given
// one on.
func (f *folder) knows(key pullKey, from order) bool {
	if c := f.chains[key]; len(c) > 0 && c[0].order.compare(from) <= 0 {
		return true
	}
	return from.time-foldWindow >= f.floor
}

// add places new rows of one key, sorted or not, and sets their Counted. It
// returns the stored rows whose counted has changed.
func (f *folder) add(key pullKey, rows []*Row) (changed []pull) {
	before := f.chains[key]
	merged, first, last := merge(before, rows)
	changed, _ = recount(merged, first, last)
	f.set(key, before, trim(merged, f.floor))
	return changed
}

func (f *folder) set(key pullKey, before, after chain) {
	f.size += len(after) - len(before)
	if len(after) == 0 {
		delete(f.chains, key)
		return
	}
	f.chains[key] = after
}

// merge puts new rows into a chain and returns the places of the first and the
// last of them.
func merge(c chain, rows []*Row) (merged chain, first, last int) {
	slices.SortFunc(rows, func(a, b *Row) int { return a.order.compare(b.order) })
	if n := len(c); n == 0 || c[n-1].order.compare(rows[0].order) < 0 {
		for _, r := range rows {
			c = append(c, pull{order: r.order, row: r})
		}
		return c, n, len(c) - 1
	}
	merged = make(chain, 0, len(c)+len(rows))
	first = -1
	for len(rows) > 0 || len(c) > 0 {
		if len(rows) == 0 || len(c) > 0 && c[0].order.compare(rows[0].order) < 0 {
			merged, c = append(merged, c[0]), c[1:]
			continue
		}
		if first < 0 {
			first = len(merged)
		}
		last = len(merged)
		merged, rows = append(merged, pull{order: rows[0].order, row: rows[0]}), rows[1:]
	}
	return merged, first, last
}

// recount decides the rows from first on, given that those before are right, and
// stops behind last where it meets the old decisions again. It returns the
// stored rows that have changed, and whether it met them before the end.
func recount(c chain, first, last int) (changed []pull, met bool) {
	covered := int64(beginning)
	for i := first - 1; i >= 0; i-- {
		if c[i].counted {
			covered = c[i].time + foldWindow
			break
		}
	}
	for i := first; i < len(c); i++ {
		p := &c[i]
		counts := p.time > covered
		if counts {
			covered = p.time + foldWindow
			if i > last && p.counted {
				return changed, true
			}
		}
		if p.counted != counts {
			p.counted = counts
			if p.stored {
				changed = append(changed, *p)
			}
		}
		if p.row != nil {
			p.row.Counted = counts
		}
	}
	return changed, false
}

// trim leaves out what is not needed to place rows at or after floor: a chain
// begins with the last counted row up to floor, or with its first counted one.
func trim(c chain, floor int64) chain {
	if len(c) == 0 || c[len(c)-1].time < floor {
		return nil
	}
	from := -1
	for i, p := range c {
		if p.counted && (from < 0 || p.time <= floor) {
			from = i
		}
		if p.time > floor && from >= 0 {
			break
		}
	}
	if from < 0 {
		return nil
	}
	if from == 0 {
		return c
	}
	return slices.Clone(c[from:])
}

// settle marks the n new rows of a chain as part of the database.
func (f *folder) settle(key pullKey, n int) {
	c := f.chains[key]
	for i := len(c) - 1; i >= 0 && n > 0; i-- {
		if !c[i].stored {
			c[i].stored, c[i].row = true, nil
			n--
		}
	}
}

// forget lets memory reach back to the horizon only, or less far when there are
// too many rows. It looks at every chain, so it doesn't do so after each write:
// memory reaches back up to an eighth further.
func (f *folder) forget(now time.Time, horizon time.Duration) {
	if f.size <= maxPulls && now.Add(-horizon-horizon/8).UnixMicro() < f.floor {
		return
	}
	enough := maxPulls
	if f.size > maxPulls {
		enough = maxPulls / 2 // so that the next look is not after the next write
	}
	for {
		if floor := now.Add(-horizon).UnixMicro(); floor > f.floor {
			f.floor = floor
			for key, c := range f.chains {
				f.set(key, c, trim(c, floor))
			}
		}
		if f.size <= enough || horizon < time.Second {
			return
		}
		horizon /= 2
	}
}
