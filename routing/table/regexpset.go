package table

import "slices"

// regexpSet is a host's regular expressions, found by a literal that each match
// holds: by the beginning of the path where the expression is tied to it, else by the
// first bytes of its longest literal, wherever they are in the path. Persistent like
// the other parts of a host.
type regexpSet struct {
	n       int
	starts  *radix[ruleList]    // by literal prefix; "" for those with no literal to go by
	windows [len(windows)]int32 // rules by the length of their key
	slots   pages[*ruleList]    // by the hash of the key
}

// windows are the lengths of keys that are looked for all over the path.
var windows = [...]int{16, 8, 4}

// window is the index in windows of the key of an expression that is not tied to the
// path's beginning; -1 if its literal is too short to be one.
func (re *regexpRule) window() int {
	if re.prefix != "" {
		return -1
	}
	return slices.IndexFunc(windows[:], func(n int) bool { return len(re.must) >= n })
}

// update files a rule, or takes it out, as f does with the list that it belongs to.
func (s *regexpSet) update(step uint64, r *Rule, f func(*ruleList) *ruleList) {
	re := r.rest.re
	before, after := 0, 0
	count := func(l *ruleList) *ruleList {
		before = l.len()
		l = f(l)
		after = l.len()
		return l
	}
	w := re.window()
	if w < 0 {
		s.starts = s.starts.update(step, re.prefix, forwards, count)
	} else {
		s.slots.update(step, fit(hashOf(re.must[:windows[w]])), func(l *ruleList) (*ruleList, bool) {
			l = count(l)
			return l, l != nil
		})
		s.windows[w] += int32(after - before)
	}
	s.n += after - before
}

func (l *ruleList) len() int {
	if l == nil {
		return 0
	}
	return len(l.rules)
}

// candidates appends the rules whose literal the path holds, the oldest first.
func (s *regexpSet) candidates(dst []*Rule, path string) []*Rule {
	lists := 0
	for n, rest := s.starts, path; n != nil; n, rest = n.down(rest, forwards) {
		if n.val != nil {
			dst = append(dst, n.val.rules...)
			lists++
		}
	}
	for w, n := range windows {
		if s.windows[w] == 0 {
			continue
		}
		for at := 0; at+n <= len(path); at++ {
			if l := s.slots.get(fit(hashOf(path[at : at+n]))); l != nil {
				dst = append(dst, l.rules...)
				lists++
			}
		}
	}
	if lists > 1 {
		slices.SortFunc(dst, (*Rule).age)
		dst = slices.Compact(dst) // a literal may be in the path twice
	}
	return dst
}

// all calls yield with every rule, in no order, until it returns false.
func (s *regexpSet) all(yield func(*Rule) bool) bool {
	list := func(l *ruleList) bool {
		for _, r := range l.rules {
			if !yield(r) {
				return false
			}
		}
		return true
	}
	return s.starts.all(forwards, func(_ string, l *ruleList) bool { return list(l) }) &&
		s.slots.all(func(_ uint64, l *ruleList) bool { return list(l) })
}
