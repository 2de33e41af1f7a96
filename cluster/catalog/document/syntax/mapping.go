package syntax

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Mapping is a mapping of a file being read key by key. The getters report
// values of the wrong kind and then answer as if there were none.
type Mapping struct {
	Node *Node
	Path string

	r      *Reader
	pairs  []pair
	asked  []string
	broken bool
}

type pair struct {
	key, value *Node
	asked      bool
}

// Mapping reads a mapping. Anything else is reported, and the result is nil.
func (r *Reader) Mapping(n *Node, path string) *Mapping {
	n = Follow(n)
	if n.Kind != yaml.MappingNode {
		r.At(n, path, "expected keys and values, found "+kindOf(n), "")
		return nil
	}
	m := &Mapping{Node: n, Path: path, r: r, pairs: make([]pair, 0, len(n.Content)/2)}
	var merged []*Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := Follow(n.Content[i]), n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			m.report(key, path, "a key must be a word, found "+kindOf(key), "")
		case key.Value == "<<" && key.Style == 0:
			merged = append(merged, value)
		default:
			m.pairs = append(m.pairs, pair{key: key, value: value})
		}
	}
	m.checkTwice()
	for _, value := range merged {
		m.merge(value, 0)
	}
	return m
}

// checkTwice reports keys that appear more than once and keeps the first.
func (m *Mapping) checkTwice() {
	first := make(map[string]int, len(m.pairs))
	kept := m.pairs[:0]
	for _, p := range m.pairs {
		if line, twice := first[p.key.Value]; twice {
			m.report(p.key, m.sub(p.key.Value), fmt.Sprintf("the key was given before, in line %d", line), "keep one of them")
			continue
		}
		first[p.key.Value] = p.key.Line
		kept = append(kept, p)
	}
	m.pairs = kept
}

// merge takes over the pairs of a merge key, "<<: *defaults", that the mapping
// doesn't have itself. https://yaml.org/type/merge.html
func (m *Mapping) merge(n *Node, depth int) {
	n = Follow(n)
	switch {
	case depth > 8 || !m.r.spend(n, m.Path):
		m.broken = true
	case n.Kind == yaml.SequenceNode:
		for _, each := range n.Content {
			m.merge(each, depth+1)
		}
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := Follow(n.Content[i]), n.Content[i+1]
			switch {
			case key.Kind != yaml.ScalarNode:
			case key.Value == "<<" && key.Style == 0:
				m.merge(value, depth+1)
			case m.find(key.Value) == nil:
				m.pairs = append(m.pairs, pair{key: key, value: value})
			}
		}
	default:
		m.report(n, m.Path, "\"<<\" merges keys and values, found "+kindOf(n), "give it an alias: \"<<: *name\"")
	}
}

func (m *Mapping) find(key string) *pair {
	for i := range m.pairs {
		if m.pairs[i].key.Value == key {
			return &m.pairs[i]
		}
	}
	return nil
}

func (m *Mapping) sub(key string) string {
	if m.Path == "" {
		return key
	}
	return m.Path + "." + key
}

func (m *Mapping) report(n *Node, path, message, fix string) {
	m.broken = true
	m.r.At(n, path, message, fix)
}

// Report adds a problem with the value of a key, or with the whole mapping where
// the key is missing.
func (m *Mapping) Report(key, message, fix string) {
	n := m.Node
	if p := m.find(key); p != nil {
		n = Follow(p.value)
	}
	m.report(n, m.sub(key), message, fix)
}

// wrong reports a value of the wrong kind. From then on the key has none, so that
// reading it again doesn't report it again.
func (m *Mapping) wrong(key, message, fix string) {
	m.Report(key, message, fix)
	if p := m.find(key); p != nil {
		n := Follow(p.value)
		p.value = &Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line, Column: n.Column}
	}
}

// Broken says whether a problem was reported.
func (m *Mapping) Broken() bool { return m.broken }

// Get is the value of a key; nil: there is no such key. Asking makes the key a
// known one.
func (m *Mapping) Get(key string) *Node {
	if !slices.Contains(m.asked, key) {
		m.asked = append(m.asked, key)
	}
	p := m.find(key)
	if p == nil {
		return nil
	}
	p.asked = true
	return Follow(p.value)
}

// Has says whether the key is there, without making it known.
func (m *Mapping) Has(key string) bool { return m.find(key) != nil }

// IsNull says whether a value is null: "~", "null" or nothing at all.
func IsNull(n *Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// IsList says whether a value is a list.
func IsList(n *Node) bool { return n.Kind == yaml.SequenceNode }

// Text is the text of a key's value as it stands in the file; "" without one.
// Numbers and words like "true" are text too, so that versions need no quotes.
func (m *Mapping) Text(key string) string {
	n := m.Get(key)
	if n == nil || IsNull(n) {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		m.wrong(key, "expected text, found "+kindOf(n), quoteHint(n))
		return ""
	}
	return n.Value
}

// Required is Text, and reports a value that is missing or empty. The fix says
// what to write.
func (m *Mapping) Required(key, fix string) string {
	before := m.broken
	m.broken = false
	s := m.Text(key)
	if s == "" && !m.broken {
		if m.find(key) == nil {
			m.report(m.Node, m.sub(key), key+" is missing", fix)
		} else {
			m.Report(key, key+" is empty", fix)
		}
	}
	m.broken = m.broken || before
	return s
}

// Bool is a key's value as a boolean; nil without one.
func (m *Mapping) Bool(key string) *bool {
	n := m.Get(key)
	if n == nil || IsNull(n) {
		return nil
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!bool" {
		if v, err := strconv.ParseBool(strings.ToLower(n.Value)); err == nil {
			return &v
		}
	}
	m.wrong(key, "expected true or false, found "+describe(n), "")
	return nil
}

// Number is a key's value as an integer; zero without one.
func (m *Mapping) Number(key string) int {
	n := m.Get(key)
	if n == nil || IsNull(n) {
		return 0
	}
	if n.Kind == yaml.ScalarNode {
		if v, err := strconv.Atoi(n.Value); err == nil {
			return v
		}
	}
	m.wrong(key, "expected a number, found "+describe(n), "")
	return 0
}

// List is a key's elements, aliases followed; nil without one.
func (m *Mapping) List(key string) []*Node {
	n := m.Get(key)
	if n == nil || IsNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		fix := "write each element on a line of its own, starting with \"- \""
		if n.Kind == yaml.ScalarNode {
			fix = fmt.Sprintf("write it as [%s]", n.Value)
		}
		m.wrong(key, "expected a list, found "+kindOf(n), fix)
		return nil
	}
	out := make([]*Node, 0, len(n.Content))
	for _, element := range n.Content {
		if !m.r.spend(n, m.sub(key)) {
			m.broken = true
			return nil
		}
		out = append(out, Follow(element))
	}
	return out
}

// Element reads one element of a key's list as a mapping; nil, reported, when it
// isn't one.
func (m *Mapping) Element(key string, i int) *Mapping {
	inner := m.r.Mapping(m.Get(key).Content[i], elementPath(m.sub(key), i))
	if inner == nil {
		m.broken = true
	}
	return inner
}

// Inner reads a key's value as a mapping; nil without one.
func (m *Mapping) Inner(key string) *Mapping {
	n := m.Get(key)
	if n == nil || IsNull(n) {
		return nil
	}
	inner := m.r.Mapping(n, m.sub(key))
	if inner == nil {
		m.broken = true
	}
	return inner
}

// Unknown reports a key that is likely another one, misspelt.
func (m *Mapping) Unknown(key, meant string) {
	if p := m.find(key); p != nil {
		m.report(p.key, m.sub(key), fmt.Sprintf("unknown key %q", key), fmt.Sprintf("did you mean %q?", meant))
	}
}

// Adopt makes the faults of an inner mapping those of the outer one too.
func (m *Mapping) Adopt(inner *Mapping) { m.broken = m.broken || inner.broken }

// Unasked are the keys that nothing asked for yet.
func (m *Mapping) Unasked() (keys []string) {
	for _, p := range m.pairs {
		if !p.asked {
			keys = append(keys, p.key.Value)
		}
	}
	return keys
}

// Texts is a key's list of text.
func (m *Mapping) Texts(key string) []string {
	nodes := m.List(key)
	out := make([]string, 0, len(nodes))
	for i, n := range nodes {
		switch {
		case n.Kind != yaml.ScalarNode:
			m.report(n, elementPath(m.sub(key), i), "expected text, found "+kindOf(n), quoteHint(n))
		case IsNull(n) || n.Value == "":
			m.report(n, elementPath(m.sub(key), i), "is empty", "")
		default:
			out = append(out, n.Value)
			continue
		}
		out = append(out, "")
	}
	return out
}

// Map is a key's mapping of text to text, with its keys in the order of the file.
func (m *Mapping) Map(key string) (values map[string]string, places []*Node) {
	n := m.Get(key)
	if n == nil || IsNull(n) {
		return nil, nil
	}
	inner := m.r.Mapping(n, m.sub(key))
	if inner == nil {
		m.broken = true
		return nil, nil
	}
	values = make(map[string]string, len(inner.pairs))
	for _, p := range slices.Clone(inner.pairs) {
		values[p.key.Value] = inner.Text(p.key.Value)
		places = append(places, p.key)
	}
	m.broken = m.broken || inner.broken
	return values, places
}

// Close reports the keys that nothing asked for. instead maps words that people
// try to the key they mean.
func (m *Mapping) Close(instead map[string]string) {
	for _, p := range m.pairs {
		if p.asked {
			continue
		}
		fix := ""
		if known, ok := instead[p.key.Value]; ok && slices.Contains(m.asked, known) {
			fix = fmt.Sprintf("did you mean %q?", known)
		} else {
			fix = DidYouMean(p.key.Value, m.asked)
		}
		m.report(p.key, m.sub(p.key.Value), fmt.Sprintf("unknown key %q", p.key.Value), fix)
	}
}

// kindOf says in words what a value is.
func kindOf(n *Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case IsNull(n):
		return "nothing"
	case n.Style == 0 && n.ShortTag() == "!!bool":
		return "true or false"
	case n.Style == 0 && (n.ShortTag() == "!!int" || n.ShortTag() == "!!float"):
		return "a number"
	}
	return "text"
}

// describe shows a scalar, and names the kind of anything else.
func describe(n *Node) string {
	if n.Kind == yaml.ScalarNode && len(n.Value) <= 40 {
		return strconv.Quote(n.Value)
	}
	return kindOf(n)
}

// quoteHint: "{version}" without quotes is a mapping to YAML.
func quoteHint(n *Node) string {
	if n.Style&yaml.FlowStyle != 0 {
		return "put a value that starts with a brace or a bracket into quotes"
	}
	return ""
}
