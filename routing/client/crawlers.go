package client

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

//go:generate go run ./gencrawlers

// crawlersJSON is made by gencrawlers from the npm package crawler-user-agents
// (MIT, see crawlers.LICENSE). Patterns of its http-library class are left out:
// a download by curl is a download.
//
//go:embed crawlers.json
var crawlersJSON []byte

// crawlers matches a User-Agent against the patterns of crawlers.
//
// Some 1,500 expressions in turn, or as one alternation, cost a millisecond a
// string. Each pattern has a literal that any match must contain, and nearly
// all are nothing else. So the string's three-byte grams are looked up in a map
// from a gram to the patterns whose literal starts with it, and only those are
// tried: a few microseconds.
type crawlers struct {
	patterns []crawler
	byGram   map[gram][]candidate
	loose    []int // patterns without a literal of a gram's length: always tried
}

type gram [3]byte

// candidate is one literal of one pattern.
type candidate struct {
	pattern int
	literal string
}

type crawler struct {
	kind string         // the data's first tag: "search-engine", "monitoring", ...
	expr *regexp.Regexp // nil: the literal is all there is
}

// crawlerData is the shape of crawlers.json.
type crawlerData struct {
	Package  string           `json:"package"`
	Version  string           `json:"version"`
	License  string           `json:"license"`
	Patterns []crawlerPattern `json:"patterns"`
}

type crawlerPattern struct {
	Pattern string `json:"pattern"`
	Kind    string `json:"kind"`
}

// newCrawlers compiles the embedded patterns.
func newCrawlers() *crawlers {
	c, err := parseCrawlers(crawlersJSON)
	if err != nil {
		panic("client: embedded crawlers.json: " + err.Error()) // a test reads it
	}
	return c
}

func parseCrawlers(data []byte) (*crawlers, error) {
	var d crawlerData
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, err
	}
	c := &crawlers{patterns: make([]crawler, len(d.Patterns)), byGram: make(map[gram][]candidate, len(d.Patterns))}
	for i, p := range d.Patterns {
		tree, err := syntax.Parse(p.Pattern, syntax.Perl)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", p.Pattern, err)
		}
		tree = tree.Simplify()
		c.patterns[i].kind = p.Kind
		if tree.Op != syntax.OpLiteral || tree.Flags&syntax.FoldCase != 0 {
			if c.patterns[i].expr, err = regexp.Compile(p.Pattern); err != nil {
				return nil, fmt.Errorf("pattern %q: %w", p.Pattern, err)
			}
		}
		literals := required(tree)
		if shortest(literals) < len(gram{}) {
			c.loose = append(c.loose, i)
			continue
		}
		for _, l := range literals {
			g := gram([]byte(l[:len(gram{})]))
			c.byGram[g] = append(c.byGram[g], candidate{i, l})
		}
	}
	return c, nil
}

// find returns the first pattern of the file that matches s, and where; i is
// negative when none does.
func (c *crawlers) find(s string) (i, start, end int) {
	best, start, end := -1, 0, 0
	for at := 0; at+len(gram{}) <= len(s); at++ {
		for _, cand := range c.byGram[gram([]byte(s[at:at+len(gram{})]))] {
			if best >= 0 && cand.pattern >= best || !strings.HasPrefix(s[at:], cand.literal) {
				continue
			}
			if expr := c.patterns[cand.pattern].expr; expr == nil {
				best, start, end = cand.pattern, at, at+len(cand.literal)
			} else if loc := expr.FindStringIndex(s); loc != nil {
				best, start, end = cand.pattern, loc[0], loc[1]
			}
		}
	}
	for _, p := range c.loose {
		if best >= 0 && p >= best {
			break
		}
		if loc := c.patterns[p].expr.FindStringIndex(s); loc != nil {
			best, start, end = p, loc[0], loc[1]
			break
		}
	}
	return best, start, end
}

// recognize describes the crawler that sends s; ok is false for anything else.
func (c *crawlers) recognize(s string) (client Client, ok bool) {
	i, start, end := c.find(s)
	if i < 0 {
		return Client{}, false
	}
	client = Client{Name: crawlerName(s, start, end), Class: Bot, Bot: true}
	if rest := s[end:]; strings.HasSuffix(s[start:end], "/") {
		client.Version = versionOf(rest)
	} else if rest, ok := strings.CutPrefix(rest, "/"); ok {
		client.Version = versionOf(rest)
	}
	extra(&client, "crawler_kind", c.patterns[i].kind)
	return client, true
}

// crawlerName returns the word around the match, so that a pattern like
// "bingbot\/" or "[cC]urebot" gives the name as it was sent.
func crawlerName(s string, start, end int) string {
	for start > 0 && isName(s[start-1]) {
		start--
	}
	name, _, versioned := strings.Cut(strings.TrimLeft(s[start:end], " (;/"), "/")
	for !versioned && end < len(s) && isName(s[end]) {
		end++
		name = s[start:end]
	}
	name = strings.Trim(name, " (;)")
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "")
	}
	return name
}

func isName(c byte) bool { return isAlnum(c) || c == '-' || c == '_' || c == '.' }

// required returns literals of which any match of re contains one; nil when
// none can be told.
func required(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return []string{string(re.Rune)}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if l := required(sub); shortest(l) > shortest(best) {
				best = l
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			l := required(sub)
			if len(l) == 0 {
				return nil
			}
			all = append(all, l...)
		}
		return all
	}
	return nil
}

// shortest returns the length of the shortest string, in bytes; 0 for none.
func shortest(list []string) int {
	if len(list) == 0 {
		return 0
	}
	n := len(list[0])
	for _, s := range list {
		n = min(n, len(s))
	}
	return n
}
