package sql

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Format is how a result is written.
type Format string

// The formats.
const (
	Table   Format = "table"   // aligned text for people
	JSON    Format = "json"    // one array of objects
	NDJSON  Format = "ndjson"  // one object a line
	CSV     Format = "csv"     // RFC 4180 with a header; NULL is empty, "" is quoted
	Parquet Format = "parquet" // one file
)

var contentTypes = map[Format]string{
	Table:   "text/plain; charset=utf-8",
	JSON:    "application/json",
	NDJSON:  "application/x-ndjson",
	CSV:     "text/csv; charset=utf-8; header=present",
	Parquet: "application/vnd.apache.parquet",
}

// ErrFormat is returned by [ParseFormat].
var ErrFormat = errors.New("unknown format")

// ParseFormat returns the format of that name; empty is [Table].
func ParseFormat(name string) (Format, error) {
	if name == "" {
		return Table, nil
	}
	if _, ok := contentTypes[Format(name)]; !ok {
		return "", fmt.Errorf("%w %q: table, json, ndjson, csv or parquet", ErrFormat, name)
	}
	return Format(name), nil
}

// ContentType is the media type of the format.
func (f Format) ContentType() string { return contentTypes[f] }

// encoder writes a result row by row. Values are the driver's.
type encoder interface {
	begin(columns []Column) error
	row(values []any) error
	end() error
}

func newEncoder(f Format, w io.Writer) (encoder, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	switch f {
	case Table, "":
		return &tableEncoder{out: out}, nil
	case JSON, NDJSON:
		return &jsonEncoder{out: out, lines: f == NDJSON}, nil
	case CSV:
		return &csvEncoder{out: out}, nil
	}
	return nil, fmt.Errorf("%w %q", ErrFormat, f)
}

// jsonEncoder writes objects, as an array or one a line.
type jsonEncoder struct {
	out     *bufio.Writer
	lines   bool
	columns []Column
	keys    [][]byte // with quotes and colon
	buf     []byte
	rows    int
}

func (e *jsonEncoder) begin(columns []Column) error {
	e.columns = columns
	for _, c := range columns {
		e.keys = append(e.keys, append(appendString(nil, c.Name), ':'))
	}
	if e.lines {
		return nil
	}
	return e.out.WriteByte('[')
}

func (e *jsonEncoder) row(values []any) error {
	e.buf = e.buf[:0]
	switch {
	case e.lines:
	case e.rows > 0:
		e.buf = append(e.buf, ",\n"...)
	default:
		e.buf = append(e.buf, '\n')
	}
	e.rows++
	e.buf = append(e.buf, '{')
	for i, v := range values {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = append(e.buf, e.keys[i]...)
		e.buf = appendJSON(e.buf, v, e.columns[i].Type)
	}
	e.buf = append(e.buf, '}')
	if e.lines {
		e.buf = append(e.buf, '\n')
	}
	_, err := e.out.Write(e.buf)
	return err
}

func (e *jsonEncoder) end() error {
	if !e.lines {
		text := "\n]\n"
		if e.rows == 0 {
			text = "]\n"
		}
		if _, err := e.out.WriteString(text); err != nil {
			return err
		}
	}
	return e.out.Flush()
}

// csvEncoder writes RFC 4180 with \n, as most programs do.
type csvEncoder struct {
	out     *bufio.Writer
	columns []Column
}

func (e *csvEncoder) begin(columns []Column) error {
	e.columns = columns
	for i, c := range columns {
		e.field(i, c.Name, false)
	}
	return e.out.WriteByte('\n')
}

func (e *csvEncoder) row(values []any) error {
	for i, v := range values {
		e.field(i, cell(v, e.columns[i].Type), v == nil)
	}
	return e.out.WriteByte('\n')
}

// field writes one field; the writer keeps its first error for Flush.
func (e *csvEncoder) field(i int, s string, null bool) {
	if i > 0 {
		_ = e.out.WriteByte(',')
	}
	if null {
		return
	}
	if s != "" && !strings.ContainsAny(s, "\",\r\n") && s[0] != ' ' && s[len(s)-1] != ' ' {
		_, _ = e.out.WriteString(s)
		return
	}
	_, _ = e.out.WriteString(`"` + strings.ReplaceAll(s, `"`, `""`) + `"`)
}

func (e *csvEncoder) end() error { return e.out.Flush() }

// tableEncoder aligns columns by the first rows; later ones that are wider stand
// out.
type tableEncoder struct {
	out     *bufio.Writer
	columns []Column
	widths  []int
	first   [][]string // nil once written
	rows    int
}

const tableSample = 500

func (e *tableEncoder) begin(columns []Column) error {
	e.columns = columns
	e.first = [][]string{}
	e.widths = make([]int, len(columns))
	for i, c := range columns {
		e.widths[i] = utf8.RuneCountInString(c.Name)
	}
	return nil
}

func (e *tableEncoder) row(values []any) error {
	e.rows++
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = "NULL"
		if v != nil {
			cells[i] = oneLine(cell(v, e.columns[i].Type))
		}
	}
	if e.first == nil {
		return e.line(cells)
	}
	for i, c := range cells {
		e.widths[i] = max(e.widths[i], utf8.RuneCountInString(c))
	}
	if e.first = append(e.first, cells); len(e.first) < tableSample {
		return nil
	}
	return e.flushFirst()
}

// oneLine keeps a terminal from doing what a value says.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, s)
}

func (e *tableEncoder) flushFirst() error {
	head, rule := make([]string, len(e.columns)), make([]string, len(e.columns))
	for i, c := range e.columns {
		head[i], rule[i] = c.Name, strings.Repeat("-", e.widths[i])
	}
	lines := append([][]string{head, rule}, e.first...)
	e.first = nil
	for _, l := range lines {
		if err := e.line(l); err != nil {
			return err
		}
	}
	return nil
}

func (e *tableEncoder) line(cells []string) error {
	for i, c := range cells {
		if i > 0 {
			_, _ = e.out.WriteString("  ")
		}
		pad := strings.Repeat(" ", max(0, e.widths[i]-utf8.RuneCountInString(c)))
		switch {
		case numeric(e.columns[i].Type):
			c = pad + c
		case i < len(cells)-1:
			c += pad
		}
		_, _ = e.out.WriteString(c) // the writer keeps its first error
	}
	return e.out.WriteByte('\n')
}

func numeric(kind string) bool {
	for _, n := range []string{"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL"} {
		if strings.HasPrefix(strings.TrimPrefix(kind, "U"), n) && !strings.Contains(kind, "[") {
			return true
		}
	}
	return false
}

func (e *tableEncoder) end() error {
	if e.first != nil {
		if err := e.flushFirst(); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(e.out, "(%d rows)\n", e.rows); err != nil {
		return err
	}
	return e.out.Flush()
}

// pageEncoder collects rows as text.
type pageEncoder struct{ page Page }

func (e *pageEncoder) begin(columns []Column) error {
	e.page.Columns = columns
	e.page.Rows = [][]*string{}
	return nil
}

func (e *pageEncoder) row(values []any) error {
	row := make([]*string, len(values))
	for i, v := range values {
		if v != nil {
			text := cell(v, e.page.Columns[i].Type)
			row[i] = &text
		}
	}
	e.page.Rows = append(e.page.Rows, row)
	return nil
}

func (e *pageEncoder) end() error { return nil }
