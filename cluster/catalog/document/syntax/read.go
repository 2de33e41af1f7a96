package syntax

import (
	"bytes"
	"path"
	"unicode/utf8"

	// Nodes with line and column, comments and aliases: what a message that
	// points into a file needs, and what encoding/json and decoding into structs
	// can't give.
	"go.yaml.in/yaml/v3"
)

// Node is one value of a file with its place.
type Node = yaml.Node

// Entry is one value below a key at the top of a document. A list is handed over
// element by element, so that no more than a part of a large file is held as
// nodes at a time.
type Entry struct {
	Document int    // of a file with several, from zero
	Key      *Node  // the top-level key
	Index    int    // of the element in its list; -1: the value is no list, or an empty one
	Value    *Node  // aliases are not followed yet
	Path     string // "packages" or "packages[3]"
}

// Read hands every top-level entry of the file to visit, in the order of the
// file, and adds what isn't YAML or JSON to the reader's problems. A list of the
// file may be arbitrarily long: its elements are read in pieces.
//
// A mistake of syntax in one element of a list doesn't hide the mistakes in the
// elements around it, as long as they are indented like it.
func (r *Reader) Read(data []byte, visit func(Entry)) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if at := invalidUTF8(data); at >= 0 {
		line, column := position(data, at)
		r.Add(&Problem{
			Line: line, Column: column,
			Message: "this byte is not UTF-8", Fix: "save the file with the encoding UTF-8",
		})
		return
	}
	r.budget = len(data) + 1<<20

	if looksLikeJSON(data) {
		visited := 0
		at, err := readJSON(data, func(e Entry) { visited++; visit(e) })
		if err == nil {
			return
		}
		// YAML's flow style looks like JSON too, with comments and bare words.
		if path.Ext(r.File) == ".json" || !r.wholeIsYAML(data) {
			line, column := position(data, at)
			r.Add(&Problem{Line: line, Column: column, Message: "this is not JSON: " + jsonMessage(err)})
			return
		}
		r.readYAML(data, skip(visited, visit))
		return
	}
	r.readYAML(data, visit)
}

// skip leaves out the first n entries, which were visited before.
func skip(n int, visit func(Entry)) func(Entry) {
	return func(e Entry) {
		if n > 0 {
			n--
			return
		}
		visit(e)
	}
}

// emit splits the mapping at the top of a document into entries. Elements of
// lists count from first[key].
func emit(document int, mapping *Node, visit func(Entry)) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		list := Follow(value)
		if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
			visit(Entry{Document: document, Key: key, Index: -1, Value: value, Path: key.Value})
			continue
		}
		for j, element := range list.Content {
			visit(Entry{Document: document, Key: key, Index: j, Value: element, Path: elementPath(key.Value, j)})
		}
	}
}

// Follow gives the node that an alias stands for, or the node itself.
func Follow(n *Node) *Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

// position counts lines and characters up to an offset, both from 1.
func position(data []byte, at int) (line, column int) {
	at = min(max(at, 0), len(data))
	before := data[:at]
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// invalidUTF8 is the offset of the first byte that isn't UTF-8, or -1.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for at := 0; at < len(data); {
		c, size := utf8.DecodeRune(data[at:])
		if c == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}
