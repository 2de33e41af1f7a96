package document

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// plain are scalars that need no quotes wherever they stand in block style:
// paths, URLs, templates, names and sentences without anything that YAML may
// take for syntax. Words that mean something else to YAML are looked up.
var plain = regexp.MustCompile(`^[A-Za-z0-9/._(][A-Za-z0-9/._~+=&?!%@$^*'()<>{}|;,-]*(:?[A-Za-z0-9/._~+=&?!%@$^*'()<>{}|;,-]+| [A-Za-z0-9/._~+=&?!%@$^*'()<>{}|;,-]+)*$`)

// scalar writes a value for people to read: plain where that is safe, in several
// lines where it has several, else in double quotes.
func scalar(s, indent string) string {
	if len(s) <= 2<<10 && plain.MatchString(s) && isString(s) {
		return s
	}
	if block, ok := literal(s, indent); ok {
		return block
	}
	return quote(s)
}

// scalarKey writes a key.
func scalarKey(s string) string {
	if len(s) < 64 && plain.MatchString(s) && isString(s) && s != "<<" {
		return s
	}
	return quote(s)
}

// isString says whether YAML takes the plain scalar for text.
func isString(s string) bool {
	n := yaml.Node{Kind: yaml.ScalarNode, Value: s}
	return n.ShortTag() == "!!str" && !oldWord(s)
}

// oldWord: YAML 1.1 takes these for booleans and numbers, and people's other
// tools may still do.
func oldWord(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return true
	}
	return s != "" && strings.Trim(s, "0123456789_.:eE+-xobXOB") == "" && strings.ContainsAny(s[:1], "0123456789+-.")
}

// literal writes text of several lines as a literal block scalar, if nothing in
// it would get lost that way.
func literal(s, indent string) (string, bool) {
	if !strings.Contains(s, "\n") || s[0] == ' ' || s[0] == '\n' || s[0] == '\t' || strings.HasSuffix(s, "\n\n") {
		return "", false
	}
	for _, r := range s {
		if r != '\n' && r != '\t' && !printable(r) {
			return "", false
		}
	}
	header := "|-"
	if strings.HasSuffix(s, "\n") {
		header, s = "|", s[:len(s)-1]
	}
	var b strings.Builder
	b.WriteString(header)
	for line := range strings.SplitSeq(s, "\n") {
		b.WriteByte('\n')
		if line != "" {
			if strings.TrimSpace(line) == "" {
				return "", false // spaces alone are easily lost by editors
			}
			b.WriteString(indent + "  " + line)
		}
	}
	return b.String(), true
}

// quote writes a double-quoted scalar (YAML 1.2.2, section 7.3.1).
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			b.WriteString("\uFFFD") // the catalog holds valid UTF-8 only
		case printable(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// printable says whether a character may stand in a YAML file as it is (section
// 5.1) and people can see it.
func printable(r rune) bool {
	return r == ' ' || unicode.IsPrint(r) && r != '\uFEFF'
}
