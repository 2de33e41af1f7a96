package source

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// ErrForwarded is wrapped by the errors of [ParseForwarded].
var ErrForwarded = errors.New("malformed Forwarded header")

// maxForwarded bounds the elements of one Forwarded header.
const maxForwarded = 64

// Element is one hop of a Forwarded header, RFC 7239 section 4.
type Element struct {
	For   netip.Addr // invalid: "unknown", an obfuscated identifier, or missing
	Host  string     // as written; not normalized
	Proto string
}

// ParseForwarded parses the values of the Forwarded header fields of one
// request, left-most hop first. The header is a chain of custody, so one
// malformed element makes the whole chain an error, wrapping [ErrForwarded].
func ParseForwarded(values []string) ([]Element, error) {
	var elements []Element
	for _, v := range values {
		p := forwardedParser{text: v}
		for {
			p.spaces()
			if p.done() {
				break
			}
			if p.take(',') { // RFC 9110 section 5.6.1: empty elements are allowed
				continue
			}
			e, err := p.element()
			if err != nil {
				return nil, err
			}
			if len(elements) == maxForwarded {
				return nil, fmt.Errorf("%w: more than %d elements", ErrForwarded, maxForwarded)
			}
			elements = append(elements, e)
			p.spaces()
			if !p.done() && !p.take(',') {
				return nil, p.fault("a comma")
			}
		}
	}
	if len(elements) == 0 {
		return nil, fmt.Errorf("%w: no element", ErrForwarded)
	}
	return elements, nil
}

type forwardedParser struct {
	text string
	pos  int
}

func (p *forwardedParser) done() bool { return p.pos >= len(p.text) }

func (p *forwardedParser) take(c byte) bool {
	if p.done() || p.text[p.pos] != c {
		return false
	}
	p.pos++
	return true
}

func (p *forwardedParser) spaces() {
	for !p.done() && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
}

func (p *forwardedParser) fault(want string) error {
	return fmt.Errorf("%w: expected %s at byte %d", ErrForwarded, want, p.pos)
}

// element is [ forwarded-pair ] *( ";" [ forwarded-pair ] ). A parameter must
// not occur twice (section 4).
func (p *forwardedParser) element() (Element, error) {
	var e Element
	var seenFor, seenHost, seenProto bool
	for {
		p.spaces()
		if !p.done() && p.text[p.pos] != ';' && p.text[p.pos] != ',' {
			name := p.token()
			if name == "" {
				return e, p.fault("a parameter name")
			}
			if !p.take('=') {
				return e, p.fault("=")
			}
			value, err := p.value()
			if err != nil {
				return e, err
			}
			twice := false
			switch {
			case strings.EqualFold(name, "for"):
				twice, seenFor = seenFor, true
				e.For = hop(value)
			case strings.EqualFold(name, "host"):
				twice, seenHost = seenHost, true
				e.Host = value
			case strings.EqualFold(name, "proto"):
				twice, seenProto = seenProto, true
				e.Proto = value
			}
			if twice {
				return e, fmt.Errorf("%w: %s given twice in one element", ErrForwarded, strings.ToLower(name))
			}
		}
		p.spaces()
		if !p.take(';') {
			return e, nil
		}
	}
}

// token is RFC 9110 section 5.6.2.
func (p *forwardedParser) token() string {
	start := p.pos
	for !p.done() && isTokenByte(p.text[p.pos]) {
		p.pos++
	}
	return p.text[start:p.pos]
}

// value is a token or a quoted-string. Colons and brackets are let through
// unquoted too: several proxies write IPv6 addresses and ports that way, against
// the grammar.
func (p *forwardedParser) value() (string, error) {
	if !p.take('"') {
		start := p.pos
		for !p.done() && (isTokenByte(p.text[p.pos]) || strings.IndexByte(":[]", p.text[p.pos]) >= 0) {
			p.pos++
		}
		if p.pos == start {
			return "", p.fault("a value")
		}
		return p.text[start:p.pos], nil
	}
	start, escaped := p.pos, false
	for !p.done() {
		switch c := p.text[p.pos]; {
		case c == '"':
			value := p.text[start:p.pos]
			p.pos++
			if escaped {
				value = unquote(value)
			}
			return value, nil
		case c == '\\':
			escaped = true
			p.pos += 2
		case c < 0x20 && c != '\t', c == 0x7f:
			return "", p.fault("a printable character")
		default:
			p.pos++
		}
	}
	p.pos = len(p.text)
	return "", p.fault("a closing quote")
}

func unquote(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func isTokenByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
