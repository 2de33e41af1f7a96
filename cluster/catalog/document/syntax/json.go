package syntax

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// looksLikeJSON says whether a file starts like a JSON object.
func looksLikeJSON(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && data[0] == '{'
}

// readJSON hands over the entries of one or more JSON objects. An error comes
// with the offset at which reading stopped.
//
// JSON has a reader of its own since YAML's doesn't know its surrogate pairs
// (RFC 8259, section 7) and would hold the whole file as nodes.
func readJSON(data []byte, visit func(Entry)) (offset int, err error) {
	s := &jsonStream{data: data, line: 1, column: 1, dec: json.NewDecoder(bytes.NewReader(data))}
	s.dec.UseNumber()
	for document := 0; ; document++ {
		node, err := s.token()
		if errors.Is(err, io.EOF) {
			return 0, nil
		}
		if err == nil && node.Kind != yaml.MappingNode {
			err = errors.New("expected an object")
		}
		if err == nil {
			err = s.entries(document, visit)
		}
		if err != nil {
			return s.stopped(err), err
		}
	}
}

// jsonStream reads tokens and follows their places.
type jsonStream struct {
	data         []byte
	dec          *json.Decoder
	at           int // the place of line and column in data
	line, column int
}

// entries reads the members of the object at the top of a document.
func (s *jsonStream) entries(document int, visit func(Entry)) error {
	for s.dec.More() {
		key, err := s.token()
		if err != nil {
			return err
		}
		value, err := s.token()
		if err != nil {
			return err
		}
		if value.Kind != yaml.SequenceNode || !s.dec.More() {
			if err := s.fill(value); err != nil {
				return err
			}
			visit(Entry{Document: document, Key: key, Index: -1, Value: value, Path: key.Value})
			continue
		}
		for i := 0; s.dec.More(); i++ {
			element, err := s.token()
			if err == nil {
				err = s.fill(element)
			}
			if err != nil {
				return err
			}
			visit(Entry{Document: document, Key: key, Index: i, Value: element, Path: elementPath(key.Value, i)})
		}
		if _, err := s.token(); err != nil { // "]"
			return err
		}
	}
	_, err := s.token() // "}"
	return err
}

// fill reads what an object or a list holds.
func (s *jsonStream) fill(n *Node) error {
	if n.Kind == yaml.ScalarNode {
		return nil
	}
	for s.dec.More() {
		child, err := s.token()
		if err == nil {
			err = s.fill(child)
		}
		if err != nil {
			return err
		}
		n.Content = append(n.Content, child)
	}
	_, err := s.token()
	return err
}

// token reads the next token as a node without content.
func (s *jsonStream) token() (*Node, error) {
	token, err := s.dec.Token()
	if err != nil {
		return nil, err
	}
	s.advance(func(c byte) bool { return strings.IndexByte(" \t\r\n,:", c) >= 0 }, len(s.data))
	n := &Node{Kind: yaml.ScalarNode, Line: s.line, Column: s.column}
	s.advance(func(byte) bool { return true }, int(s.dec.InputOffset()))
	switch v := token.(type) {
	case json.Delim:
		n.Kind = yaml.SequenceNode
		if v == '{' {
			n.Kind = yaml.MappingNode
		}
	case string:
		n.Tag, n.Value, n.Style = "!!str", v, yaml.DoubleQuotedStyle
	case json.Number:
		n.Tag, n.Value = "!!int", v.String()
		if strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!float"
		}
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(v)
	default:
		n.Tag, n.Value = "!!null", "null"
	}
	return n, nil
}

// advance moves the place over bytes while they pass, at most up to an offset.
func (s *jsonStream) advance(pass func(byte) bool, until int) {
	for s.at < until && pass(s.data[s.at]) {
		switch c := s.data[s.at]; {
		case c == '\n':
			s.line, s.column = s.line+1, 1
		case utf8.RuneStart(c):
			s.column++
		}
		s.at++
	}
}

// stopped is the offset of the byte that an error is about.
func (s *jsonStream) stopped(err error) int {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		// The offset is that of the byte or of the one after it.
		at := min(int(syntax.Offset), len(s.data)-1)
		if at > 0 && !strings.Contains(err.Error(), "'"+string(s.data[at])+"'") {
			at--
		}
		return at
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return len(s.data)
	}
	return int(s.dec.InputOffset()) - 1
}

// jsonMessage words an error of package json for people.
func jsonMessage(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the file ends too early"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// elementPath is the path of one element of a list.
func elementPath(list string, index int) string {
	return fmt.Sprintf("%s[%d]", list, index)
}
