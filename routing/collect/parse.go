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
	_, f := p.list(']', "expected a comma or the end of the array", func() *Fault {
		if p.peek() != '{' {
			return p.fault("expected an object in the array")
		}
		return p.one()
	})
	return f
}

// list reads what stands between brackets or braces, the opening one being
// next: items with commas between them.
func (p *parser) list(end byte, otherwise string, item func() *Fault) (empty bool, f *Fault) {
	p.pos++
	if p.peek() == end {
		p.pos++
		return true, nil
	}
	for {
		if f := item(); f != nil {
			return false, f
		}
		switch p.peek() {
		case ',':
			p.pos++
		case end:
			p.pos++
			return false, nil
		default:
			return false, p.fault(otherwise)
		}
	}
}

// name reads a member's name and the colon after it.
func (p *parser) name() (name string, start int, f *Fault) {
	if p.peek() != '"' {
		return "", p.pos, p.fault("expected a property's name in quotes")
	}
	start = p.pos
	if name, f = p.str(); f != nil {
		return "", start, f
	}
	if p.peek() != ':' {
		return "", start, p.fault("expected a colon after a property's name")
	}
	p.pos++
	return name, start, nil
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
	start := p.pos
	empty, f := p.list('}', "expected a comma or the end of the object", func() *Fault {
		name, start, f := p.name()
		if f != nil {
			return f
		}
		if prefix == "" && len(name) > 1 && name[0] == '$' {
			if known, f := p.special(name); known {
				return f
			}
		}
		return p.child(start, prefix, name, depth)
	})
	if empty && prefix != "" {
		return p.add(start, prefix, "{}")
	}
	return f
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
	start, i := p.pos, 0
	empty, f := p.list(']', "expected a comma or the end of the array", func() *Fault {
		p.spaces()
		index := strconv.Itoa(i)
		i++
		return p.child(p.pos, name, index, depth)
	})
	if empty {
		return p.add(start, name, "[]")
	}
	return f
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
