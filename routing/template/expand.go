package template

import "strings"

// Value is what a variable stands for in [Expand]: a text, a list, or an
// associative array.
type Value struct {
	Text  string
	List  []string    // if not nil: a list; when empty, undefined
	Pairs [][2]string // if not nil: names and values, in order; when empty, undefined
}

// Expand expands any template by RFC 6570, level 4, following the algorithm of its
// section 3.2.1. Variables that values lacks are undefined. It is for sample URLs
// and as the measure for [Outgoing]; the error is an [*Error].
func Expand(s string, values map[string]Value) (string, error) {
	tokens, err := tokenize(s)
	if err != nil {
		return "", err
	}
	var dst []byte
	for _, tok := range tokens {
		if tok.lit != "" {
			dst = appendReserved(dst, tok.lit)
			continue
		}
		op := operators[tok.op]
		sep := op.first
		for _, spec := range tok.vars {
			v, ok := values[spec.name]
			if !ok || v.List != nil && len(v.List) == 0 || v.Pairs != nil && len(v.Pairs) == 0 {
				continue
			}
			dst = append(dst, sep...)
			sep = op.sep
			dst = op.append(dst, spec, v)
		}
	}
	return string(dst), nil
}

// operator is a row of the table in RFC 6570 appendix A.
type operator struct {
	first, sep string
	named      bool
	ifEmpty    string
	reserved   bool
}

var operators = map[byte]operator{
	0:   {"", ",", false, "", false},
	'+': {"", ",", false, "", true},
	'.': {".", ".", false, "", false},
	'/': {"/", "/", false, "", false},
	';': {";", ";", true, "", false},
	'?': {"?", "&", true, "=", false},
	'&': {"&", "&", true, "=", false},
	'#': {"#", ",", false, "", true},
}

// append appends a defined variable.
func (op operator) append(dst []byte, spec varspec, v Value) []byte {
	encode := appendEncoded
	if op.reserved {
		encode = appendReserved
	}
	named := func(dst []byte, name, value string) []byte {
		dst = appendReserved(dst, name)
		if value == "" {
			return append(dst, op.ifEmpty...)
		}
		return encode(append(dst, '='), value)
	}
	switch {
	case v.List == nil && v.Pairs == nil:
		text := v.Text
		if spec.prefix > 0 {
			text = firstChars(text, spec.prefix)
		}
		if op.named {
			return named(dst, spec.name, text)
		}
		return encode(dst, text)
	case spec.explode:
		for i, item := range v.List {
			if i > 0 {
				dst = append(dst, op.sep...)
			}
			if op.named {
				dst = named(dst, spec.name, item)
			} else {
				dst = encode(dst, item)
			}
		}
		for i, p := range v.Pairs {
			if i > 0 {
				dst = append(dst, op.sep...)
			}
			if op.named {
				dst = encode(dst, p[0])
				if p[1] == "" {
					dst = append(dst, op.ifEmpty...)
				} else {
					dst = encode(append(dst, '='), p[1])
				}
			} else {
				dst = encode(dst, p[0])
				dst = append(dst, '=')
				dst = encode(dst, p[1])
			}
		}
		return dst
	}
	if op.named {
		dst = appendReserved(dst, spec.name)
		if strings.Join(v.List, "") == "" && v.Pairs == nil && len(v.List) < 2 {
			return append(dst, op.ifEmpty...)
		}
		dst = append(dst, '=')
	}
	for i, item := range v.List {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = encode(dst, item)
	}
	for i, p := range v.Pairs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = encode(dst, p[0])
		dst = append(dst, ',')
		dst = encode(dst, p[1])
	}
	return dst
}

// Expand expands the template with its variables' values, by name: the inverse of
// Match.
func (t *Incoming) Expand(values map[string]string) (string, error) {
	v := make(map[string]Value, len(values))
	for name, text := range values {
		v[name] = Value{Text: text}
	}
	return Expand(t.src, v)
}
