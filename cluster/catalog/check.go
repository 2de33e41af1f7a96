package catalog

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// checker collects what is wrong with one object of a command.
type checker struct {
	tx     *transaction
	op     int
	kind   Kind
	object string
}

func (c *checker) fail(field string, code Code, format string, args ...any) {
	c.tx.errors = append(c.tx.errors, &Error{
		Code:    code,
		Op:      c.op,
		Kind:    c.kind,
		Object:  printable(c.object),
		Field:   field,
		Message: strings.ToValidUTF8(fmt.Sprintf(format, args...), "\uFFFD"),
	})
}

// trusted says whether the actor has the rights of the cluster's operator.
func (c *checker) trusted() bool { return c.tx.actor.trusted() }

func (a Actor) trusted() bool {
	return a.Operator || a.Kind == "local" || a.Kind == "node"
}

// text checks a single line of at most limit bytes; empty is fine.
func (c *checker) text(field, s string, limit int) bool {
	return c.textLike(field, s, limit, false)
}

// lines checks text that may have several lines.
func (c *checker) lines(field, s string, limit int) bool {
	return c.textLike(field, s, limit, true)
}

// textLike refuses what can't be encoded (invalid UTF-8) or shown safely
// (control characters), and what is too long.
func (c *checker) textLike(field, s string, limit int, lines bool) bool {
	switch {
	case len(s) > limit:
		c.fail(field, CodeFieldTooLong, "is %d bytes long; at most %d are allowed", len(s), limit)
	case !utf8.ValidString(s):
		c.fail(field, CodeTextInvalid, "is not valid UTF-8")
	case strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && (!lines || r != '\n' && r != '\t' && r != '\r')
	}):
		c.fail(field, CodeTextInvalid, "has control characters; remove them")
	default:
		return true
	}
	return false
}

// required checks a single line that must not be empty.
func (c *checker) required(field, s string, limit int) bool {
	if s == "" {
		c.fail(field, CodeFieldIsEmpty, "must not be empty")
		return false
	}
	return c.text(field, s, limit)
}

func (c *checker) id(field, s string) bool { return c.required(field, s, MaxIDBytes) }

// count checks the length of a list.
func (c *checker) count(field string, n, limit int) bool {
	if n > limit {
		c.fail(field, CodeTooMany, "has %d items; at most %d are allowed", n, limit)
		return false
	}
	return true
}

// sha256Hex checks a SHA-256 in lower-case hex.
func (c *checker) sha256Hex(field, s string) bool {
	if !isHex(s, 32) {
		c.fail(field, CodeHashInvalid, "must be a SHA-256 in 64 lower-case hex digits")
		return false
	}
	return true
}

// isHex says whether s is n bytes in lower-case hex.
func isHex(s string, n int) bool {
	if len(s) != 2*n || strings.ToLower(s) != s {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil
}

// time checks that t can be encoded (RFC 3339 has four digits for a year).
func (c *checker) time(field string, t time.Time) bool {
	if !validTime(t) {
		c.fail(field, CodeTimeInvalid, "must be in the years 1 to 9999")
		return false
	}
	return true
}

func validTime(t time.Time) bool {
	y := t.UTC().Year()
	return y >= 1 && y <= 9999
}

// printable makes a name fit for an error message, whatever it holds.
func printable(s string) string {
	const most = 200
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// quoted is s as it appears inside a message.
func quoted(s string) string { return fmt.Sprintf("%q", printable(s)) }

// at names a field of an item of a list: at("routes", 2, "id") is "routes[2].id".
func at(list string, i int, field string) string {
	if field == "" {
		return fmt.Sprintf("%s[%d]", list, i)
	}
	return fmt.Sprintf("%s[%d].%s", list, i, field)
}
