package table

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestRadixIsAMapOfPrefixes makes random changes in random steps, read from either
// end: every version stays what it was, and finds the longest key that a text begins
// with.
func TestRadixIsAMapOfPrefixes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := direction(rapid.Bool().Draw(t, "backwards"))
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab/é")), 0, 6, -1)
		type version struct {
			tree *radix[int]
			want map[string]int
		}
		now := version{want: map[string]int{}}
		var history []version
		for step := range uint64(rapid.IntRange(1, 15).Draw(t, "steps")) {
			history = append(history, version{now.tree, maps.Clone(now.want)})
			for range rapid.IntRange(1, 10).Draw(t, "changes") {
				key, val := text.Draw(t, "key"), rapid.IntRange(0, 5).Draw(t, "value")
				now.tree = now.tree.update(step+1, key, d, func(old *int) *int {
					if want, ok := now.want[key]; ok != (old != nil) || ok && want != *old {
						t.Fatalf("update of %q is told %v, want %d, %v", key, old, want, ok)
					}
					if val == 0 {
						return nil
					}
					return &val
				})
				if now.want[key] = val; val == 0 {
					delete(now.want, key)
				}
			}
		}
		probes := rapid.SliceOfN(text, 10, 10).Draw(t, "probes")
		for i, v := range append(history, now) {
			got := map[string]int{}
			var keys []string
			v.tree.all(d, func(key string, val *int) bool {
				got[key] = *val
				keys = append(keys, key)
				return true
			})
			if !maps.Equal(got, v.want) {
				t.Fatalf("version %d holds %v, want %v", i, got, v.want)
			}
			if d == forwards && !slices.IsSorted(keys) {
				t.Fatalf("version %d: keys come as %q", i, keys)
			}
			for _, p := range probes {
				if got, want := v.tree.get(p, d), v.want[p]; got == nil && want != 0 || got != nil && *got != want {
					t.Fatalf("version %d: get(%q) = %v, want %d", i, p, got, want)
				}
				longest, want := -1, 0
				for k, val := range v.want {
					begins := strings.HasPrefix(p, k)
					if d == backwards {
						begins = strings.HasSuffix(p, k)
					}
					if begins && len(k) > longest {
						longest, want = len(k), val
					}
				}
				if got := v.tree.longest(p, d); got == nil && want != 0 || got != nil && *got != want {
					t.Fatalf("version %d: longest(%q) = %v, want %d", i, p, got, want)
				}
			}
		}
	})
}
