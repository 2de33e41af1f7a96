package template

// param is a required query parameter.
type param struct {
	name   span // in text
	parts  []part
	frozen uint8
}

// Params yields the literal query parameters that the template requires, as name
// and value, decoded.
func (t *Incoming) Params(yield func(name, value string) bool) {
	for _, q := range t.query() {
		if q.fixed() && !yield(cut(t.text, q.name), q.value(t)) {
			return
		}
	}
}

// fixed says whether a parameter has a literal value, and value is that.
func (p *param) fixed() bool {
	return len(p.parts) == 0 || len(p.parts) == 1 && p.parts[0].kind == literal
}

func (p *param) value(t *Incoming) string {
	if len(p.parts) == 0 {
		return ""
	}
	return cut(t.text, p.parts[0].span)
}
