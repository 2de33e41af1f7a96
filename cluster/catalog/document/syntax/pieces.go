package syntax

import (
	"bytes"
	"regexp"
)

// pieceBytes is about how much of a list is parsed at a time. Nodes take some
// fifteen times the space of their text.
const pieceBytes = 256 << 10

// piece is a part of a YAML document that stands alone: some elements of a
// block list below a top-level key, or the lines between such lists.
type piece struct {
	key     []byte // the line of the list's key; nil: no list, text is a mapping
	keyLine int    // line of the key, from zero
	first   int    // index of the first element in its list
	line    int    // line of the text in the file, from zero
	text    []byte
	starts  []int // offsets of the elements in text
}

var (
	listKey = regexp.MustCompile(`^("?)([A-Za-z_][A-Za-z0-9_-]*)("?):[ \t]*(?:#.*)?$`)
	dash    = regexp.MustCompile(`^( *)-(?: |$)`)
	// Directives change how the rest is read, and a document may start on the
	// line of its marker: such documents are read as a whole.
	plainMarker = regexp.MustCompile(`^---[ \t]*(?:#.*)?$`)
)

// pieces cuts a document where its top-level block lists and their elements
// begin. It looks at indentation only, so a cut may fall into a quoted scalar or
// a flow collection that runs over several lines. That is harmless: a piece that
// ends inside of one doesn't parse, and the document is then read as a whole.
// A block scalar is always indented more than the dash of its element.
func pieces(document []byte, line int) []piece {
	var out []piece
	var misc *piece // the mapping lines being gathered
	lines := newLines(document, line)
	for text, number, ok := lines.next(); ok; text, number, ok = lines.next() {
		if len(out) == 0 && plainMarker.Match(trimEnd(text)) {
			continue
		}
		if listKey.Match(trimEnd(text)) {
			if list, ok := listPieces(lines, trimEnd(text), number); ok {
				out, misc = append(out, list...), nil
				continue
			}
		}
		if misc == nil {
			if blank(text) {
				continue
			}
			out = append(out, piece{line: number})
			misc = &out[len(out)-1]
			misc.text = text
			continue
		}
		misc.text = misc.text[:len(misc.text)+len(text)] // the lines follow each other in the file
	}
	return out
}

// listPieces reads the elements of the list whose key was just read. When there
// is no block list, the lines stay unread.
func listPieces(lines *lineReader, key []byte, keyLine int) ([]piece, bool) {
	mark := *lines
	var indent int
	for {
		before := *lines
		text, _, ok := lines.next()
		if ok && blank(text) {
			continue
		}
		m := dash.FindSubmatch(trimEnd(text))
		if !ok || m == nil {
			*lines = mark
			return nil, false
		}
		indent = len(m[1])
		*lines = before
		break
	}
	out := []piece{{key: key, keyLine: keyLine, line: lines.line, text: lines.rest()[:0]}}
	count := 0
	for {
		before := *lines
		text, number, ok := lines.next()
		if !ok {
			return out, true
		}
		p := &out[len(out)-1]
		switch n := indentation(text); {
		case blank(text):
		case n < indent, n == indent && !dash.Match(trimEnd(text)):
			*lines = before
			return out, true
		case n == indent:
			if len(p.text) >= pieceBytes {
				out = append(out, piece{
					key: key, keyLine: keyLine, first: count, line: number, text: before.rest()[:0],
				})
				p = &out[len(out)-1]
			}
			p.starts = append(p.starts, len(p.text))
			count++
		}
		p.text = p.text[:len(p.text)+len(text)]
	}
}

// element cuts one element out of a piece of a list.
func (p piece) element(i int) piece {
	start, end := p.starts[i], len(p.text)
	if i+1 < len(p.starts) {
		end = p.starts[i+1]
	}
	return piece{
		key: p.key, keyLine: p.keyLine, first: p.first + i,
		line: p.line + bytes.Count(p.text[:start], []byte("\n")),
		text: p.text[start:end], starts: []int{0},
	}
}

// documents cuts a file at its document markers. They are found at the start of
// a line whatever surrounds them (YAML 1.2.2, section 9.1.2). Comments and
// directives before a marker belong to the document after it.
func documents(data []byte) (texts [][]byte, firstLines []int) {
	start, startLine := 0, 0
	lines := newLines(data, 0)
	for {
		at := lines.at
		text, number, ok := lines.next()
		if !ok {
			break
		}
		if !bytes.HasPrefix(text, []byte("---")) && !bytes.HasPrefix(text, []byte("...")) {
			continue
		}
		if len(trimEnd(text)) > 3 && text[3] != ' ' && text[3] != '\t' {
			continue
		}
		if text[0] == '-' && onlyPrefix(data[start:at]) {
			continue
		}
		if at > start {
			texts, firstLines = append(texts, data[start:at]), append(firstLines, startLine)
		}
		start, startLine = at, number
		if text[0] == '.' {
			start, startLine = lines.at, number+1
		}
	}
	return append(texts, data[start:]), append(firstLines, startLine)
}

// onlyPrefix says whether nothing but comments and directives is there.
func onlyPrefix(text []byte) bool {
	lines := newLines(text, 0)
	for text, _, ok := lines.next(); ok; text, _, ok = lines.next() {
		if !blank(text) && text[0] != '%' {
			return false
		}
	}
	return true
}

// lineReader walks over lines; they keep their line ends.
type lineReader struct {
	data []byte
	at   int
	line int // of at
}

func newLines(data []byte, line int) *lineReader { return &lineReader{data: data, line: line} }

func (l *lineReader) rest() []byte { return l.data[l.at:] }

func (l *lineReader) next() (text []byte, number int, ok bool) {
	if l.at == len(l.data) {
		return nil, l.line, false
	}
	text, number = l.rest(), l.line
	if end := bytes.IndexByte(text, '\n'); end >= 0 {
		text = text[:end+1]
	}
	l.at += len(text)
	l.line++
	return text, number, true
}

func trimEnd(line []byte) []byte { return bytes.TrimRight(line, "\r\n") }

func indentation(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " ")) }

// blank says whether a line holds nothing or a comment.
func blank(line []byte) bool {
	line = bytes.TrimLeft(line, " \t\r\n")
	return len(line) == 0 || line[0] == '#'
}
