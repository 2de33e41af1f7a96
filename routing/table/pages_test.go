package table

import (
	"hash/maphash"
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// TestPagesAreAMap makes random changes in random steps: every version of the table
// stays what it was.
func TestPagesAreAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			table pages[int]
			want  map[uint64]int
		}
		now := version{want: map[uint64]int{}}
		var history []version
		keys := rapid.SampledFrom([]int{10, 100, 1000}).Draw(t, "keys")
		hash := rapid.Custom(func(t *rapid.T) uint64 {
			return fit(maphash.Comparable(seed, rapid.IntRange(1, keys).Draw(t, "key")))
		})
		steps := uint64(rapid.IntRange(2, 20).Draw(t, "steps"))
		for step := uint64(1); step < steps; step++ {
			history = append(history, version{now.table, maps.Clone(now.want)})
			for range rapid.IntRange(1, 100).Draw(t, "changes") {
				h, keep := hash.Draw(t, "hash"), rapid.IntRange(0, 2).Draw(t, "keep") > 0
				val := rapid.IntRange(1, 1000).Draw(t, "value")
				now.table.update(step, h, func(old int) (int, bool) {
					if old != now.want[h] {
						t.Fatalf("step %d: update of %x is told %d, want %d", step, h, old, now.want[h])
					}
					return val, keep
				})
				if keep {
					now.want[h] = val
				} else {
					delete(now.want, h)
				}
			}
		}
		for i, v := range append(history, now) {
			got := map[uint64]int{}
			v.table.all(func(hash uint64, val int) bool {
				got[hash] = val
				return true
			})
			if !maps.Equal(got, v.want) || v.table.n != len(v.want) {
				t.Fatalf("version %d holds %d entries, counts %d, want %d", i, len(got), v.table.n, len(v.want))
			}
			for h, want := range v.want {
				if got := v.table.get(h); got != want {
					t.Fatalf("version %d: get(%x) = %d, want %d", i, h, got, want)
				}
			}
		}
	})
}
