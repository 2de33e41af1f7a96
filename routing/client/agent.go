package client

import "strings"

// agent is a User-Agent taken apart as RFC 9110 section 10.1.5 writes it:
// products ("name/version") and comments in parentheses. It is lenient: much of
// what is sent follows no grammar. All strings are parts of raw.
type agent struct {
	raw      string
	lead     string // what stands before the first "/", "(" or "{", trimmed: may hold spaces
	products []product
	comments []string // without their parentheses
	json     string   // from the first "{" on: pip and its relatives; else ""
}

// product is one "name/version"; version may be empty.
type product struct{ name, version string }

// parse takes a User-Agent apart.
func parse(raw string) agent {
	a := agent{raw: raw}
	if i := strings.IndexAny(raw, "/({"); i >= 0 {
		a.lead = strings.TrimSpace(raw[:i])
	} else {
		a.lead = strings.TrimSpace(raw)
	}
	for i := 0; i < len(raw); {
		switch c := raw[i]; c {
		case ' ', '\t', ',', ';', ')':
			i++
		case '(':
			end := commentEnd(raw, i)
			a.comments = append(a.comments, strings.TrimSuffix(raw[i+1:end], ")"))
			i = end
		case '{':
			a.json = raw[i:]
			return a
		default:
			end := i
			for end < len(raw) && !strings.ContainsRune(" \t,;()", rune(raw[end])) {
				end++
			}
			name, version, _ := strings.Cut(raw[i:end], "/")
			a.products = append(a.products, product{name, version})
			i = end
		}
	}
	return a
}

// commentEnd returns the index after the comment that opens at i. Comments
// nest, and a backslash quotes the next byte, as docker does with the
// parentheses of its upstream client. An open comment ends with the string.
func commentEnd(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// product returns the version of the first product called name, in any case,
// that has one.
func (a *agent) product(name string) string {
	for _, p := range a.products {
		if p.version != "" && strings.EqualFold(p.name, name) {
			return p.version
		}
	}
	return ""
}

// comment returns the i-th comment, or "".
func (a *agent) comment(i int) string {
	if i < len(a.comments) {
		return a.comments[i]
	}
	return ""
}

// versionOf returns the version that starts s: a run without spaces, brackets
// or separators, that holds a digit, without a leading "v". Else "".
func versionOf(s string) string {
	end := strings.IndexAny(s, " \t,;()[]{}\"<>")
	if end >= 0 {
		s = s[:end]
	}
	if len(s) > maxVersion || !strings.ContainsAny(s, "0123456789") {
		return ""
	}
	if len(s) > 1 && (s[0] == 'v' || s[0] == 'V') && isDigit(s[1]) {
		s = s[1:]
	}
	return s
}

// maxVersion bounds what is taken for a version, in bytes.
const maxVersion = 64

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
