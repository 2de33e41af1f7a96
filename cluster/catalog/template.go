package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// A template is an RFC 6570 URI template, taken apart as far as the catalog has
// to know it: which text is literal and which variables there are. Matching and
// expanding are the business of package routing/template.
type template []templatePart

// templatePart is literal text, or an expression with at least one variable.
type templatePart struct {
	literal  string
	operator byte // 0 for simple expansion
	specs    []templateVariable
}

// templateVariable is a variable with its modifier (section 2.4): ":3" or "*".
type templateVariable struct {
	name, modifier string
}

// parseTemplate parses a template by the grammar of RFC 6570, section 2.
func parseTemplate(s string) (template, error) {
	var t template
	n := 0
	for s != "" {
		open := strings.IndexAny(s, "{}")
		if open < 0 {
			open = len(s)
		}
		if open > 0 {
			if err := checkLiteral(s[:open]); err != nil {
				return nil, err
			}
			t = append(t, templatePart{literal: s[:open]})
			s = s[open:]
			continue
		}
		if s[0] == '}' {
			return nil, fmt.Errorf("has a \"}\" without a \"{\" before it; a literal brace is written %%7D")
		}
		end := strings.IndexByte(s, '}')
		if end < 0 {
			return nil, fmt.Errorf("has a \"{\" without a \"}\"; a literal brace is written %%7B")
		}
		part, err := parseExpression(s[1:end])
		if err != nil {
			return nil, err
		}
		if n += len(part.specs); n > MaxVariables {
			return nil, fmt.Errorf("has more than %d variables", MaxVariables)
		}
		t = append(t, part)
		s = s[end+1:]
	}
	return t, nil
}

// checkLiteral refuses a "%" that doesn't begin a percent-encoded byte. Other
// characters that the grammar leaves out (spaces, "é") are taken as they are.
func checkLiteral(s string) error {
	for i := range len(s) {
		if s[i] == '%' && (i+2 >= len(s) || !isHexDigit(s[i+1]) || !isHexDigit(s[i+2])) {
			return fmt.Errorf("has a \"%%\" that isn't followed by two hex digits; a literal one is written %%25")
		}
	}
	return nil
}

func parseExpression(s string) (templatePart, error) {
	whole := "{" + printable(s) + "}"
	var part templatePart
	if s != "" && strings.IndexByte("+#./;?&", s[0]) >= 0 {
		part.operator = s[0]
		s = s[1:]
	} else if s != "" && strings.IndexByte("=,!@|", s[0]) >= 0 {
		return part, fmt.Errorf("%s: the operator %q is reserved (RFC 6570, section 2.2)", whole, s[0])
	}
	for spec := range strings.SplitSeq(s, ",") {
		v := templateVariable{name: spec}
		if i := strings.IndexAny(spec, ":*"); i >= 0 {
			v.name, v.modifier = spec[:i], spec[i:]
		}
		if !isVariableName(v.name) {
			return part, fmt.Errorf("%s: %s is not a variable's name; use letters, digits and \"_\"", whole, quoted(v.name))
		}
		if !isModifier(v.modifier) {
			return part, fmt.Errorf("%s: %s is not a modifier", whole, quoted(v.modifier))
		}
		part.specs = append(part.specs, v)
	}
	return part, nil
}

// isVariableName checks a varname: ALPHA, DIGIT, "_" and percent-encoded bytes,
// with single dots between them (section 2.3).
func isVariableName(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" {
			return false
		}
		for i := 0; i < len(label); i++ {
			switch ch := label[i]; {
			case isAlphanumeric(ch), ch == '_':
			case ch == '%' && i+2 < len(label) && isHexDigit(label[i+1]) && isHexDigit(label[i+2]):
				i += 2
			default:
				return false
			}
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func isHexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// isModifier checks an explode ("*") or a prefix (":1" to ":9999").
func isModifier(s string) bool {
	if s == "" || s == "*" {
		return true
	}
	digits, ok := strings.CutPrefix(s, ":")
	return ok && digits != "" && len(digits) <= 4 && digits[0] != '0' &&
		strings.Trim(digits, "0123456789") == ""
}

// variables are the names in order of first appearance.
func (t template) variables() []string {
	var names []string
	for _, part := range t {
		for _, v := range part.specs {
			if !slices.Contains(names, v.name) {
				names = append(names, v.name)
			}
		}
	}
	return names
}

// matchable says what keeps a template from being matched against requests.
func (t template) matchable() error {
	for _, part := range t {
		if part.operator == '#' {
			return fmt.Errorf("{#%s} stands for a fragment, which clients don't send", part.specs[0].name)
		}
		for _, v := range part.specs {
			if v.modifier != "" {
				return fmt.Errorf("{%s%s}: a prefix or \"*\" can't be matched; use {%s}", v.name, v.modifier, v.name)
			}
		}
	}
	return nil
}

// head is the literal text before the first expression.
func (t template) head() string {
	if len(t) == 0 {
		return ""
	}
	return t[0].literal
}

// delimits says whether an expression right after a host can't become part of
// it: what it expands to is empty or begins with "/", "?" or "#".
func (p templatePart) delimits() bool {
	return p.operator == '/' || p.operator == '?' || p.operator == '#'
}
