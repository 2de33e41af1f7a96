package python

import "tallygate/cluster/catalog"

// maxName bounds a project's name, in bytes.
const maxName = 255

// normalized returns the name that a project is found by (PEP 503), and whether
// name may name one at all: letters, digits, "-", "_" and ".", with a letter or
// digit at either end (PEP 508).
func normalized(name string) (normal string, ok bool) {
	if name == "" || len(name) > maxName || !isAlnum(name[0]) || !isAlnum(name[len(name)-1]) {
		return "", false
	}
	normal = name
	for i := range len(name) {
		switch c := name[i]; {
		case c == '-' && name[i-1] != '-' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
		case isAlnum(c) || c == '-' || c == '_' || c == '.':
			normal = ""
		default:
			return "", false
		}
	}
	if normal == "" {
		normal = catalog.NormalizePythonProject(name)
	}
	return normal, true
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
