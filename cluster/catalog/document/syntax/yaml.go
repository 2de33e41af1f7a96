package syntax

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// errNotMapping: the top of a document is no mapping.
var errNotMapping = errors.New("the top of the file is not a mapping")

// readYAML hands over the entries of every document of the file.
func (r *Reader) readYAML(data []byte, visit func(Entry)) {
	texts, lines := documents(data)
	number := 0
	for i, text := range texts {
		if r.readDocument(number, text, lines[i], visit) {
			number++
		}
	}
}

// readDocument reads one document in pieces; where that fails, as a whole; where
// that fails too, element by element, to name every broken one. It answers false
// for a document without content.
func (r *Reader) readDocument(number int, text []byte, line int, visit func(Entry)) bool {
	all := pieces(text, line)
	visited := 0
	count := func(e Entry) { visited++; visit(e) }
	for i, p := range all {
		err := errNotMapping
		if !hasDirective(text) {
			err = p.read(number, count)
		}
		if err == nil {
			continue
		}
		whole, wholeErr := parseYAML(text, line)
		switch {
		case wholeErr == nil && whole == nil:
			return false
		case wholeErr == nil && whole.Kind != yaml.MappingNode:
			r.At(whole, "", errNotMapping.Error(), "start it with a key, as in \"packages:\"")
		case wholeErr == nil:
			emit(number, whole, skip(visited, visit))
		default:
			r.recover(number, all[i:], text, line, wholeErr, visit)
		}
		return true
	}
	return len(all) > 0
}

// recover reads what can be read of the pieces of a broken document and names
// the rest.
func (r *Reader) recover(number int, broken []piece, text []byte, line int, whole error, visit func(Entry)) {
	before := len(r.Problems)
	for _, p := range broken {
		if p.read(number, visit) == nil {
			continue
		}
		for i := range p.starts {
			element := p.element(i)
			if err := element.read(number, visit); err != nil && !missesAnchor(err, whole) {
				r.syntaxError(element.text, element.line, err)
			}
		}
		if len(p.starts) == 0 {
			if _, err := parseYAML(p.text, p.line); err != nil && !missesAnchor(err, whole) {
				r.syntaxError(p.text, p.line, err)
			}
		}
	}
	if len(r.Problems) == before {
		r.syntaxError(text, line, whole)
	}
}

// missesAnchor: an element read alone doesn't see the anchors of others.
func missesAnchor(err, whole error) bool {
	return strings.Contains(err.Error(), "unknown anchor") && !strings.Contains(whole.Error(), "unknown anchor")
}

// read parses one piece and hands over its entries.
func (p piece) read(document int, visit func(Entry)) error {
	top, err := parseYAML(p.text, p.line)
	if err != nil {
		return err
	}
	if p.key == nil {
		if top == nil {
			return nil
		}
		if top.Kind != yaml.MappingNode || top.Column != 1 {
			return errNotMapping // or indented unlike the lists around it
		}
		emit(document, top, visit)
		return nil
	}
	if top == nil || top.Kind != yaml.SequenceNode || len(top.Content) != len(p.starts) {
		return errNotMapping
	}
	key := &Node{
		Kind: yaml.ScalarNode, Tag: "!!str", Line: p.keyLine + 1, Column: 1,
		Value: string(listKey.FindSubmatch(p.key)[2]),
	}
	for i, element := range top.Content {
		visit(Entry{
			Document: document, Key: key, Index: p.first + i, Value: element,
			Path: elementPath(key.Value, p.first+i),
		})
	}
	return nil
}

// parseYAML parses one document whose first line has the given number, from
// zero. Nil without an error: there is no content.
func parseYAML(text []byte, line int) (top *Node, err error) {
	defer func() {
		// The parser is a port from C; what strangers send must not end the node.
		if r := recover(); r != nil {
			top, err = nil, fmt.Errorf("yaml: %v", r)
		}
	}()
	var document Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	// What follows the first value would be passed over in silence.
	if err := dec.Decode(new(Node)); err == nil {
		return nil, errors.New("yaml: did not expect more after the first value")
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	top = document.Content[0]
	moveDown(top, line)
	return top, nil
}

// moveDown adds to the lines of a node and all below it.
func moveDown(n *Node, lines int) {
	n.Line += lines
	for _, c := range n.Content {
		moveDown(c, lines)
	}
}

func (r *Reader) wholeIsYAML(data []byte) bool {
	top, err := parseYAML(data, 0)
	return err == nil && top != nil
}

func hasDirective(text []byte) bool {
	return text[0] == '%' || bytes.Contains(text, []byte("\n%"))
}

var yamlErrorLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntaxError adds the parser's complaint about text, which starts at a line.
func (r *Reader) syntaxError(text []byte, line int, err error) {
	m := yamlErrorLine.FindStringSubmatch(err.Error())
	if m == nil {
		m = []string{"", ""}
	}
	at, _ := strconv.Atoi(m[1])
	at = max(at, 1)
	message := strings.TrimPrefix(err.Error(), m[0])
	lines := bytes.Split(text, []byte("\n"))
	var bad []byte
	if at <= len(lines) {
		bad = trimEnd(lines[at-1])
	}
	r.Add(&Problem{
		Line: line + at, Column: 1 + len(bad) - len(bytes.TrimLeft(bad, " \t")),
		Message: "this is not YAML: " + message, Fix: syntaxFix(message, bad),
	})
}

// syntaxFix is advice on the mistakes that are made most.
func syntaxFix(message string, line []byte) string {
	indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
	switch {
	case bytes.IndexByte(indent, '\t') >= 0 || strings.Contains(message, "cannot start any token") && bytes.IndexByte(line, '\t') >= 0:
		return "indent with spaces instead of tabs"
	case strings.Contains(message, "mapping values are not allowed"):
		return "put a value that contains \": \" into quotes, and indent the keys of one entry alike"
	case strings.Contains(message, "unknown anchor"):
		return "put a value that starts with \"*\" into quotes"
	case strings.Contains(message, "flow"), bytes.ContainsAny(line, "{["):
		return "between { } or [ ], put values that contain braces, brackets, commas or colons into quotes"
	case strings.Contains(message, "cannot start any token"):
		return "put a value that starts with \"@\", \"%\" or a backquote into quotes"
	case strings.Contains(message, "did not find expected"):
		return "look at the indentation and the quotes of this entry"
	}
	return ""
}
