package catalog

import (
	"fmt"
	"regexp/syntax"
)

// regexpGroups checks the expression of a route: RE2 syntax, so that no request
// can make matching slow, and small when compiled. It gives the names of its
// groups, which are the route's variables.
func regexpGroups(expr string) ([]string, error) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("is not an RE2 regular expression: %w", err)
	}
	if size := regexpSize(re); size > MaxRegexpSize {
		return nil, fmt.Errorf("is too large with its repetitions written out (%d instructions; at most %d are allowed)", size, MaxRegexpSize)
	}
	var names []string
	for _, name := range re.CapNames() {
		if name != "" {
			names = append(names, name)
		}
	}
	if len(names) > MaxVariables {
		return nil, fmt.Errorf("has more than %d named groups", MaxVariables)
	}
	return names, nil
}

// regexpSize is about how many instructions an expression compiles to, found
// without compiling it: repetitions multiply, and the parser lets through some
// that come to 100 MB.
func regexpSize(re *syntax.Regexp) int {
	const most = MaxRegexpSize + 1
	size := 1 + len(re.Rune)/2
	for _, sub := range re.Sub {
		size += regexpSize(sub)
	}
	if re.Op == syntax.OpLiteral {
		size = 1 + len(re.Rune)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(1, re.Min, re.Max)
	}
	return min(size, most)
}
