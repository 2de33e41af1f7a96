package document

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// DiffOption changes how [Plan.WriteDiff] writes.
type DiffOption func(*diffWriter)

// Color uses the terminal's colours.
func Color() DiffOption { return func(d *diffWriter) { d.color = true } }

// WriteDiff writes the plan like a diff: "+" made, "-" deleted, "~" changed with
// one line for each field before and after, and a summary as the last line.
func (p *Plan) WriteDiff(w io.Writer, opts ...DiffOption) error {
	d := &diffWriter{w: bufio.NewWriter(w)}
	for _, o := range opts {
		o(d)
	}
	count := make(map[Action]int)
	for i := range p.Changes {
		c := &p.Changes[i]
		count[c.Action]++
		switch c.Action {
		case Create:
			d.line('+', "%s %s", c.Kind, c.Name)
			for _, f := range c.Fields() {
				if f.Field != "owner" && f.Field != "name" && f.Field != "type" { // they are in the line above
					d.line('+', "  %s: %s", f.Field, shorten(f.After))
				}
			}
		case Delete:
			d.line('-', "%s %s", c.Kind, c.Name)
		case Update:
			d.line('~', "%s %s", c.Kind, c.Name)
			for _, f := range c.Fields() {
				if f.Before != "" {
					d.line('-', "  %s: %s", f.Field, shorten(f.Before))
				}
				if f.After != "" {
					d.line('+', "  %s: %s", f.Field, shorten(f.After))
				}
			}
		}
	}
	if len(p.Changes) == 0 {
		fmt.Fprintf(d.w, "no changes, %d as they should be\n", p.Unchanged)
	} else {
		fmt.Fprintf(d.w, "%d to create, %d to update, %d to delete, %d unchanged\n",
			count[Create], count[Update], count[Delete], p.Unchanged)
	}
	return d.w.Flush()
}

type diffWriter struct {
	w     *bufio.Writer
	color bool
}

var diffColors = map[byte]string{'+': "\x1b[32m", '-': "\x1b[31m", '~': "\x1b[33m"}

// line writes one line. Errors are kept by the buffer until it is flushed.
func (d *diffWriter) line(sign byte, format string, args ...any) {
	if d.color {
		d.w.WriteString(diffColors[sign]) //nolint:errcheck // see above
	}
	fmt.Fprintf(d.w, "%c "+format, append([]any{sign}, args...)...)
	if d.color {
		d.w.WriteString("\x1b[0m") //nolint:errcheck // see above
	}
	d.w.WriteByte('\n') //nolint:errcheck // see above
}

// shorten makes a value fit on a line, and keeps control characters from the
// terminal.
func shorten(s string) string {
	const most = 160
	if strings.ContainsFunc(s, unicode.IsControl) {
		s = strconv.Quote(s)
	}
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return s
}
