package syntax

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is one mistake of a file: where it is, what is wrong and how to mend
// it.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`   // from 1; zero: the whole file
	Column int    `json:"column,omitempty"` // in characters, from 1; zero: the whole line

	// Path names the value as a person would: "packages[3].routes[0].incoming_path".
	// Entries are counted from zero, within their document of the file.
	Path string `json:"path,omitempty"`

	Message string `json:"message"`       // what is wrong, lower case
	Fix     string `json:"fix,omitempty"` // what to write instead, lower case
}

// Error reads "catalog.yaml:12:7: packages[3].type: unknown type "dokcer"; did
// you mean "docker"?", a form that editors can jump to.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		b.WriteString(":" + strconv.Itoa(p.Line))
		if p.Column > 0 {
			b.WriteString(":" + strconv.Itoa(p.Column))
		}
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Fix != "" {
		b.WriteString("; " + p.Fix)
	}
	return b.String()
}

// SortProblems puts problems into the order in which a reader meets them in the
// file.
func SortProblems(problems []*Problem) {
	slices.SortStableFunc(problems, func(a, b *Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// DidYouMean is the fix for a word that isn't among the known ones: the nearest
// known word if one is near, else all of them.
func DidYouMean(word string, known []string) string {
	if best := Nearest(word, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "known are " + strings.Join(known, ", ")
}

// Nearest is the known word within a small edit distance of word, or "".
func Nearest(word string, known []string) string {
	word = strings.ToLower(strings.ReplaceAll(word, "-", "_"))
	best, least := "", 1+max(1, min(len(word)/3, 3))
	for _, k := range known {
		plain := strings.ReplaceAll(k, "-", "_")
		if plain == word {
			return k
		}
		if d := editDistance(word, plain, least); d < least {
			best, least = k, d
		}
	}
	return best
}

// editDistance counts insertions, deletions, replacements and swaps of
// neighbours (optimal string alignment) between a and b; it gives up at limit.
func editDistance(a, b string, limit int) int {
	if len(a) > 64 || max(len(a)-len(b), len(b)-len(a)) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit)
}
