package client

import (
	"cmp"
	"slices"
	"strings"
)

// index finds the rule of a User-Agent: by the first letters and digits of its
// token, so that a miss costs one look-up whatever the table's size.
type index struct {
	lead   map[string][]*rule // by the first word of the token; longer tokens first
	inside map[string]*rule   // by the token
}

func newIndex(rules []rule) *index {
	ix := &index{lead: map[string][]*rule{}, inside: map[string]*rule{}}
	for i := range rules {
		r := &rules[i]
		if r.inside {
			ix.inside[strings.ToLower(r.token)] = r
			continue
		}
		word := wordOf(r.token)
		ix.lead[word] = append(ix.lead[word], r)
	}
	for _, list := range ix.lead {
		slices.SortStableFunc(list, func(a, b *rule) int { return cmp.Compare(len(b.token), len(a.token)) })
	}
	return ix
}

// maxWord is longer than the first word of any token, in bytes.
const maxWord = 32

// wordOf returns the letters and digits that s starts with, in lower case.
func wordOf(s string) string {
	end := 0
	for end < len(s) && end < maxWord && isAlnum(s[end]) {
		end++
	}
	return strings.ToLower(s[:end])
}

// find returns the rule that recognises a, or nil, and what stands behind the
// rule's token.
func (ix *index) find(a *agent) (r *rule, rest string) {
	for _, r := range ix.lead[wordOf(a.raw)] {
		if hasToken(a.raw, r.token) {
			return r, a.raw[len(r.token):]
		}
	}
	return nil, ""
}

// findInside returns the rule of a product behind the first one, or nil, and
// the product's version.
func (ix *index) findInside(a *agent) (r *rule, version string) {
	for i, p := range a.products {
		if i == 0 || len(p.name) > maxWord {
			continue
		}
		if r := ix.inside[strings.ToLower(p.name)]; r != nil {
			return r, p.version
		}
	}
	return nil, ""
}

// hasToken says whether s starts with token, in any case, and the token ends
// there.
func hasToken(s, token string) bool {
	if len(s) < len(token) || !strings.EqualFold(s[:len(token)], token) {
		return false
	}
	return len(s) == len(token) || !isToken(token[len(token)-1]) || token[len(token)-1] == '-' || !isToken(s[len(token)])
}

// isToken says whether c may be in a product's name: the tchar of RFC 9110
// section 5.6.2.
func isToken(c byte) bool {
	return isAlnum(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isAlnum(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
