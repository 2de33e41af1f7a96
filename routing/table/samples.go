package table

import (
	"regexp/syntax"
	"strings"
)

// samples are a few paths that an expression matches.
func (re *regexpRule) samples() []string {
	tree, err := syntax.Parse(re.src, syntax.Perl)
	if err != nil {
		return nil
	}
	var out []string
	for _, f := range fillers {
		var b strings.Builder
		writeSample(&b, tree.Simplify(), f)
		p := b.String()
		if !strings.HasPrefix(p, "/") {
			p = "/" + p
		}
		if re.matches(p) {
			out = append(out, p)
		}
	}
	return out
}

// writeSample writes a text that an expression may match: the first of alternatives,
// and filler for what is repeated if it fits.
func writeSample(b *strings.Builder, re *syntax.Regexp, filler string) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		for _, r := range filler + "x1-A" {
			if inClass(re.Rune, r) {
				b.WriteRune(r)
				return
			}
		}
		if len(re.Rune) > 0 {
			b.WriteRune(re.Rune[0])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpStar, syntax.OpPlus:
		sub := re.Sub[0]
		for sub.Op == syntax.OpCapture {
			sub = sub.Sub[0]
		}
		if fits(sub, filler) {
			b.WriteString(filler)
		} else if re.Op == syntax.OpPlus {
			writeSample(b, re.Sub[0], filler)
		}
	case syntax.OpRepeat:
		for range re.Min {
			writeSample(b, re.Sub[0], filler)
		}
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			writeSample(b, sub, filler)
		}
	case syntax.OpAlternate:
		writeSample(b, re.Sub[0], filler)
	}
}

// fits says whether each character of a text is one that a single-character
// expression takes.
func fits(re *syntax.Regexp, text string) bool {
	for _, r := range text {
		switch re.Op {
		case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		case syntax.OpCharClass:
			if !inClass(re.Rune, r) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func inClass(ranges []rune, r rune) bool {
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i] <= r && r <= ranges[i+1] {
			return true
		}
	}
	return false
}
