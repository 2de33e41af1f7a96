package template

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of a template. They keep a rule's compiled form small and a match short.
const (
	MaxLength    = 2048 // bytes
	MaxVariables = 64   // occurrences
)

// Error says what is wrong with a template, where, and how to mend it.
type Error struct {
	Template string
	Pos      int // byte offset in Template
	Msg      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("template %q: at %d: %s", e.Template, e.Pos, e.Msg)
}

// token is a literal or an expression of a template as it was written.
type token struct {
	pos  int
	lit  string // of a literal
	op   byte   // of an expression; 0 for {v}
	vars []varspec
}

// varspec is one variable of an expression, with its modifier (RFC 6570
// section 2.4).
type varspec struct {
	name    string
	explode bool
	prefix  int // greatest number of characters; 0: no prefix modifier
}

// tokenize splits a template by RFC 6570 section 2. Beyond the RFC's literals it
// takes spaces and quotes, which expand percent-encoded.
func tokenize(s string) ([]token, error) {
	fail := func(pos int, format string, args ...any) ([]token, error) {
		return nil, &Error{Template: s, Pos: pos, Msg: fmt.Sprintf(format, args...)}
	}
	if len(s) > MaxLength {
		return fail(MaxLength, "too long: at most %d bytes", MaxLength)
	}
	if !utf8.ValidString(s) {
		return fail(0, "not valid UTF-8")
	}
	tokens := make([]token, 0, 2*strings.Count(s, "{")+1)
	variables := 0
	for i := 0; i < len(s); {
		if s[i] != '{' {
			end := i + len(s[i:])
			if j := strings.IndexByte(s[i:], '{'); j >= 0 {
				end = i + j
			}
			if pos, msg := badLiteral(s, i, end); msg != "" {
				return fail(pos, "%s", msg)
			}
			tokens = append(tokens, token{pos: i, lit: s[i:end]})
			i = end
			continue
		}
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			return fail(i, "{ is never closed")
		}
		t, msg := parseExpression(s[i+1 : i+end])
		if msg != "" {
			return fail(i, "%s", msg)
		}
		t.pos = i
		tokens = append(tokens, t)
		if variables += len(t.vars); variables > MaxVariables {
			return fail(i, "too many variables: at most %d", MaxVariables)
		}
		i += end + 1
	}
	return tokens, nil
}

func badLiteral(s string, from, to int) (pos int, msg string) {
	for i := from; i < to; i++ {
		switch c := s[i]; {
		case c == '}':
			return i, "} without {"
		case c == '%':
			if _, ok := triplet(s[:to], i); !ok {
				return i, "% must be followed by two hex digits; write %25 for a percent sign"
			}
		case c < ' ' || c == 0x7f:
			return i, "a control character"
		}
	}
	return 0, ""
}

// parseExpression reads what stands between braces.
func parseExpression(s string) (t token, msg string) {
	if s == "" {
		return t, "{} names no variable"
	}
	switch s[0] {
	case '+', '#', '.', '/', ';', '?', '&':
		t.op, s = s[0], s[1:]
	case '=', ',', '!', '@', '|', '$':
		return t, fmt.Sprintf("the operator %q is reserved by RFC 6570 and means nothing yet", s[0])
	}
	t.vars = make([]varspec, 0, strings.Count(s, ",")+1)
	for spec := range strings.SplitSeq(s, ",") {
		v := varspec{name: spec}
		if rest, ok := strings.CutSuffix(spec, "*"); ok {
			v.name, v.explode = rest, true
		} else if name, digits, ok := strings.Cut(spec, ":"); ok {
			v.name = name
			if v.prefix = maxLength(digits); v.prefix == 0 {
				return t, fmt.Sprintf("the prefix %q is not a number from 1 to 9999", digits)
			}
		}
		if !validName(v.name) {
			return t, fmt.Sprintf("%q is not a variable name: use letters, digits and _, with dots between", v.name)
		}
		t.vars = append(t.vars, v)
	}
	return t, ""
}

// maxLength reads a prefix modifier's number; 0 if it isn't one.
func maxLength(digits string) int {
	if digits == "" || len(digits) > 4 || digits[0] == '0' {
		return 0
	}
	n := 0
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// validName checks a varname: varchars (letters, digits, "_", triplets) with
// single dots between them.
func validName(s string) bool {
	dot := true // so that a leading dot is refused
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			if dot {
				return false
			}
			dot = true
			continue
		case c == '%':
			if _, ok := triplet(s, i); !ok {
				return false
			}
			i += 2
		case c == '_', '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		default:
			return false
		}
		dot = false
	}
	return !dot
}

// Variables are the names of a template's variables, by order of appearance, each
// once; nil if the template can't be read.
func Variables(s string) []string {
	tokens, err := tokenize(s)
	if err != nil {
		return nil
	}
	var names []string
	for _, t := range tokens {
		for _, v := range t.vars {
			if !slices.Contains(names, v.name) {
				names = append(names, v.name)
			}
		}
	}
	return names
}
