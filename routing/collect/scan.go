package collect

import (
	"unicode/utf16"
	"unicode/utf8"
)

// scalar reads a string, number or boolean as text. A number keeps the text it
// was written in: 1.10 is a version for someone, and no float holds every id.
func (p *parser) scalar() (string, *Fault) {
	c := p.peek()
	switch {
	case c == '"':
		return p.str()
	case c == 't':
		return "true", p.literal("true")
	case c == 'f':
		return "false", p.literal("false")
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	return "", p.fault("expected a value")
}

func (p *parser) literal(word string) *Fault {
	for i := 0; i < len(word); i++ {
		if p.pos >= len(p.text) || p.text[p.pos] != word[i] {
			return p.fault("expected " + word)
		}
		p.pos++
	}
	return nil
}

// number is RFC 8259 section 6.
func (p *parser) number() (string, *Fault) {
	start := p.pos
	if p.text[p.pos] == '-' {
		p.pos++
	}
	switch {
	case p.digit() && p.text[p.pos] == '0':
		p.pos++
	case p.digit():
		p.digits()
	default:
		return "", p.fault("expected a digit")
	}
	if p.pos < len(p.text) && p.text[p.pos] == '.' {
		p.pos++
		if !p.digit() {
			return "", p.fault("expected a digit after the decimal point")
		}
		p.digits()
	}
	if p.pos < len(p.text) && (p.text[p.pos] == 'e' || p.text[p.pos] == 'E') {
		p.pos++
		if p.pos < len(p.text) && (p.text[p.pos] == '+' || p.text[p.pos] == '-') {
			p.pos++
		}
		if !p.digit() {
			return "", p.fault("expected a digit in the exponent")
		}
		p.digits()
	}
	return string(p.text[start:p.pos]), nil
}

func (p *parser) digit() bool {
	return p.pos < len(p.text) && '0' <= p.text[p.pos] && p.text[p.pos] <= '9'
}

func (p *parser) digits() {
	for p.digit() {
		p.pos++
	}
}

// str reads a string, the quotes included.
func (p *parser) str() (string, *Fault) {
	p.pos++
	start := p.pos
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"':
			s := string(p.text[start:p.pos])
			p.pos++
			return s, nil
		case c == '\\' || c >= utf8.RuneSelf:
			return p.slow(start)
		case c < 0x20:
			return "", p.fault("a control character in a string, where an escape is due")
		default:
			p.pos++
		}
	}
	return "", p.fault("the body ends inside a string")
}

// slow reads the rest of a string that has escapes or other than ASCII.
func (p *parser) slow(start int) (string, *Fault) {
	out := append([]byte(nil), p.text[start:p.pos]...)
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"':
			p.pos++
			return string(out), nil
		case c == '\\':
			var f *Fault
			if out, f = p.escape(out); f != nil {
				return "", f
			}
		case c < 0x20:
			return "", p.fault("a control character in a string, where an escape is due")
		case c < utf8.RuneSelf:
			out = append(out, c)
			p.pos++
		default:
			r, size := utf8.DecodeRune(p.text[p.pos:])
			out = utf8.AppendRune(out, r) // U+FFFD for an invalid byte
			p.pos += size
		}
	}
	return "", p.fault("the body ends inside a string")
}

func (p *parser) escape(out []byte) ([]byte, *Fault) {
	if p.pos+1 >= len(p.text) {
		p.pos = len(p.text)
		return nil, p.fault("the body ends inside a string")
	}
	c := p.text[p.pos+1]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r, f := p.hex4()
		if f != nil {
			return nil, f
		}
		if utf16.IsSurrogate(r) {
			r = p.surrogate(r)
		}
		return utf8.AppendRune(out, r), nil
	default:
		return nil, p.fault("an unknown escape in a string")
	}
	p.pos += 2
	return append(out, c), nil
}

// hex4 reads \uXXXX.
func (p *parser) hex4() (rune, *Fault) {
	var r rune
	for i := 2; i < 6; i++ {
		if p.pos+i >= len(p.text) {
			p.pos = len(p.text)
			return 0, p.fault("the body ends inside a string")
		}
		switch c := p.text[p.pos+i]; {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, p.fault("expected four hexadecimal digits in an escape")
		}
	}
	p.pos += 6
	return r, nil
}

// surrogate joins a surrogate with the one that follows, if they are a pair; a
// lone one becomes U+FFFD and what follows it is read by itself.
func (p *parser) surrogate(r rune) rune {
	if p.pos+6 > len(p.text) || p.text[p.pos] != '\\' || p.text[p.pos+1] != 'u' {
		return utf8.RuneError
	}
	back := p.pos
	low, f := p.hex4()
	if f != nil {
		p.pos = back
		return utf8.RuneError
	}
	joined := utf16.DecodeRune(r, low)
	if joined == utf8.RuneError {
		p.pos = back
	}
	return joined
}
