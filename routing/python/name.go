package python

import "strings"

// Normalize returns a project's name as PEP 503 normalizes it: runs of "-", "_"
// and "." become one "-", letters become lower case.
func Normalize(name string) string {
	if isNormal(name) {
		return name
	}
	var b strings.Builder
	b.Grow(len(name))
	run := false
	for i := range len(name) {
		c := name[i]
		if c == '-' || c == '_' || c == '.' {
			if !run {
				b.WriteByte('-')
			}
			run = true
			continue
		}
		run = false
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}

// isNormal says whether Normalize would return name as it is.
func isNormal(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_' || c == '.' || c >= 'A' && c <= 'Z':
			return false
		case c == '-' && i > 0 && name[i-1] == '-':
			return false
		}
	}
	return true
}

// maxName bounds a project's name, in bytes. No index takes longer ones.
const maxName = 214

// validName says whether name may name a project: letters, digits, "-", "_" and
// ".", with a letter or digit at either end (PEP 508, names).
func validName(name string) bool {
	if name == "" || len(name) > maxName || !isAlnum(name[0]) || !isAlnum(name[len(name)-1]) {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !isAlnum(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
