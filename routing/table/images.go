package table

import (
	"errors"
	"strings"
)

// imagePattern is the pattern of a collection, over repository names: "*" is any
// text within a component, "**" any text at all, both at least one character;
// "{a, b}" is one of several texts, with spaces around them ignored; "\" takes the
// next character as it is.
type imagePattern struct {
	steps    []patternStep
	prefix   string // the literal beginning
	literals int    // bytes of it all; the shortest alternatives count
	wild     int    // stars
}

type patternStep struct {
	lit    string
	alts   []string // of braces
	star   bool
	double bool
}

const maxPatternLength = 512

func parseImagePattern(s string) (*imagePattern, error) {
	if s == "" {
		return nil, errors.New("the pattern is empty")
	}
	if len(s) > maxPatternLength {
		return nil, errors.New("the pattern is too long")
	}
	p := new(imagePattern)
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			p.steps = append(p.steps, patternStep{lit: lit.String()})
			p.literals += lit.Len()
			lit.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\\':
			if i++; i == len(s) {
				return nil, errors.New(`a "\" at the end escapes nothing`)
			}
			lit.WriteByte(s[i])
		case '*':
			flush()
			step := patternStep{star: true}
			for i+1 < len(s) && s[i+1] == '*' {
				step.double = true
				i++
			}
			p.steps = append(p.steps, step)
			p.wild++
		case '{':
			flush()
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return nil, errors.New("{ is never closed")
			}
			step := patternStep{}
			shortest := maxPatternLength
			for alt := range strings.SplitSeq(s[i+1:i+end], ",") {
				alt = strings.TrimSpace(alt)
				if strings.ContainsAny(alt, "{*") {
					return nil, errors.New("between { and } stand texts, with neither * nor {")
				}
				step.alts = append(step.alts, alt)
				shortest = min(shortest, len(alt))
			}
			p.literals += shortest
			p.steps = append(p.steps, step)
			i += end
		case '}':
			return nil, errors.New("} without {")
		default:
			lit.WriteByte(c)
		}
	}
	flush()
	if len(p.steps) > 32 {
		return nil, errors.New("the pattern has too many stars and braces")
	}
	if p.steps[0].lit != "" {
		p.prefix = p.steps[0].lit
	}
	return p, nil
}

// match says whether the pattern matches a whole repository name.
func (p *imagePattern) match(name string) bool {
	// ends[i]: some of the steps so far can end at i. Names are short.
	if len(name) > 255 {
		return false
	}
	var now, next [256]bool
	now[0] = true
	for _, s := range p.steps {
		next = [256]bool{}
		any := false
		for i := range len(name) + 1 {
			if !now[i] {
				continue
			}
			switch {
			case s.star:
				for j := i; j < len(name) && (s.double || name[j] != '/'); j++ {
					next[j+1], any = true, true
				}
			case s.alts != nil:
				for _, alt := range s.alts {
					if strings.HasPrefix(name[i:], alt) {
						next[i+len(alt)], any = true, true
					}
				}
			case strings.HasPrefix(name[i:], s.lit):
				next[i+len(s.lit)], any = true, true
			}
		}
		if !any {
			return false
		}
		now = next
	}
	return now[len(name)]
}

// specificity orders patterns: the longest literal beginning, the most literal
// characters, the fewest stars.
func (p *imagePattern) specificity() uint64 {
	return uint64(len(p.prefix))<<32 | uint64(p.literals)<<16 | uint64(0xffff-p.wild)
}

// Image finds the rule of a repository by its public name: the image of that
// name, else the most specific collection; nil if there is neither.
func (h *Host) Image(publicName string) *Rule {
	if h.more == nil {
		return nil
	}
	if l := h.more.images.get(fit(hashOf(publicName))); l != nil {
		for _, r := range l.rules {
			if r.Package.Image.PublicName() == publicName {
				return r
			}
		}
	}
	var best *Rule
	for n, rest := h.more.collections, publicName; n != nil; n, rest = n.down(rest, forwards) {
		if n.val == nil {
			continue
		}
		for _, r := range n.val.rules {
			if (best == nil || r.before(best)) && r.rest.image.match(publicName) {
				best = r
				break
			}
		}
	}
	return best
}

// HasImages says whether the host serves images at all.
func (h *Host) HasImages() bool {
	return h.more != nil && (h.more.images.n > 0 || h.more.collections != nil)
}
