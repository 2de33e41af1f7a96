package collect

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"tallygate/routing/event"
	"tallygate/routing/variables"
)

// Bounds of single properties, in bytes.
const (
	maxType     = 64
	maxUniqueID = 256
)

// Parse reads the objects of a body. It returns those before the first fault,
// and the fault, if any. partial is why the body is not whole (see [ReadBody]);
// nil for a whole one.
//
// The grammar is RFC 8259's, with two allowances: a byte order mark at the start
// is skipped, and invalid UTF-8 in a string becomes U+FFFD.
func Parse(body []byte, partial *Fault, limits Limits, now time.Time) ([]Object, *Fault) {
	p := parser{text: body, limits: limits, now: now}
	if len(body) >= 3 && string(body[:3]) == "\uFEFF" {
		p.pos = 3
	}
	fault := p.body()
	if partial != nil && (fault == nil || fault.At >= int64(len(body))) {
		// Reading stopped where the body was cut off: the reason is the cut.
		f := *partial
		f.At, f.Object = int64(len(body)), len(p.objects)
		fault = &f
	}
	return p.objects, fault
}

type parser struct {
	text    []byte
	pos     int
	limits  Limits
	now     time.Time
	objects []Object

	// Of the object being read.
	object Object
	bytes  int
}

func (p *parser) fault(reason string) *Fault {
	return p.faultAt(p.pos, reason)
}

func (p *parser) faultAt(pos int, reason string) *Fault {
	return &Fault{Status: http.StatusBadRequest, Reason: reason, At: int64(pos), Object: len(p.objects)}
}

func (p *parser) tooLarge(pos int, format string, args ...any) *Fault {
	f := p.faultAt(pos, fmt.Sprintf(format, args...))
	f.Status = http.StatusRequestEntityTooLarge
	return f
}

func (p *parser) spaces() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// peek is the next byte that is not white space; 0 at the end, which no JSON
// text may contain.
func (p *parser) peek() byte {
	p.spaces()
	if p.pos >= len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

func (p *parser) body() *Fault {
	for {
		c := p.peek()
		if p.pos >= len(p.text) {
			return nil
		}
		switch c {
		case '{':
			if f := p.one(); f != nil {
				return f
			}
		case '[':
			if f := p.many(); f != nil {
				return f
			}
		default:
			return p.fault("expected a JSON object, or an array of objects")
		}
	}
}

// many reads an array of objects.
func (p *parser) many() *Fault {
	p.pos++
	if p.peek() == ']' {
		p.pos++
		return nil
	}
	for {
		if p.peek() != '{' {
			return p.fault("expected an object in the array")
		}
		if f := p.one(); f != nil {
			return f
		}
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return nil
		default:
			return p.fault("expected a comma or the end of the array")
		}
	}
}

// one reads an object of the body's top level.
func (p *parser) one() *Fault {
	if len(p.objects) == p.limits.Objects {
		return p.tooLarge(p.pos, "more than %d objects in one body", p.limits.Objects)
	}
	p.object, p.bytes = Object{}, 0
	if f := p.members("", 1); f != nil {
		return f
	}
	p.objects = append(p.objects, p.object)
	return nil
}

// members reads an object, whose values go under prefix.
func (p *parser) members(prefix string, depth int) *Fault {
	if depth > p.limits.Depth {
		return p.tooLarge(p.pos, "nested deeper than %d levels", p.limits.Depth)
	}
	p.pos++
	if p.peek() == '}' {
		p.pos++
		if prefix == "" {
			return nil
		}
		return p.add(p.pos-1, prefix, "{}")
	}
	for {
		if p.peek() != '"' {
			return p.fault("expected a property's name in quotes")
		}
		start := p.pos
		name, f := p.str()
		if f != nil {
			return f
		}
		if p.peek() != ':' {
			return p.fault("expected a colon after a property's name")
		}
		p.pos++
		if prefix == "" && len(name) > 1 && name[0] == '$' {
			known, f := p.special(name)
			if f != nil {
				return f
			}
			if !known {
				f = p.value(start, name, depth)
			}
			if f != nil {
				return f
			}
		} else {
			if f := p.child(start, prefix, name, depth); f != nil {
				return f
			}
		}
		switch p.peek() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			return nil
		default:
			return p.fault("expected a comma or the end of the object")
		}
	}
}

func (p *parser) child(start int, prefix, name string, depth int) *Fault {
	if prefix != "" {
		// Checked before joining: deep nesting of long names must not cost
		// more than the body's own size.
		if len(prefix)+1+len(name) > variables.MaxName {
			return p.tooLarge(start, "a name of more than %d bytes, nesting included", variables.MaxName)
		}
		name = prefix + "." + name
	}
	return p.value(start, name, depth)
}

// value reads any value and adds it, or what it contains, under name.
func (p *parser) value(start int, name string, depth int) *Fault {
	switch c := p.peek(); c {
	case '{':
		if name == "" {
			return p.faultAt(start, "a nested object needs a name")
		}
		return p.members(name, depth+1)
	case '[':
		return p.elements(name, depth+1)
	case 'n':
		return p.literal("null") // says nothing, so nothing is recorded
	default:
		text, f := p.scalar()
		if f != nil {
			return f
		}
		return p.add(start, name, text)
	}
}

// elements reads an array inside an object: its values go under their indexes.
func (p *parser) elements(name string, depth int) *Fault {
	if depth > p.limits.Depth {
		return p.tooLarge(p.pos, "nested deeper than %d levels", p.limits.Depth)
	}
	start := p.pos
	p.pos++
	if p.peek() == ']' {
		p.pos++
		return p.add(start, name, "[]")
	}
	for i := 0; ; i++ {
		p.spaces()
		if f := p.child(p.pos, name, strconv.Itoa(i), depth); f != nil {
			return f
		}
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return nil
		default:
			return p.fault("expected a comma or the end of the array")
		}
	}
}

// add records one value.
func (p *parser) add(start int, name, value string) *Fault {
	switch {
	case name == "":
		return nil
	case len(name) > variables.MaxName:
		return p.tooLarge(start, "a name of more than %d bytes, nesting included", variables.MaxName)
	case len(p.object.Variables) == p.limits.Keys:
		return p.tooLarge(start, "more than %d values in one object", p.limits.Keys)
	}
	value = variables.Cut(value, variables.MaxValue)
	if p.bytes += len(name) + len(value); p.bytes > variables.MaxBytes {
		return p.tooLarge(start, "more than %d bytes of names and values in one object", variables.MaxBytes)
	}
	p.object.Variables = append(p.object.Variables, event.Variable{Name: name, Value: value})
	return nil
}
