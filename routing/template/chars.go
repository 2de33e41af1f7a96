package template

// class sorts the bytes of a URI by RFC 3986 section 2.
type class uint8

const (
	other      class = iota // never as itself in a URI: space, quotes, controls, non-ASCII
	unreserved              // section 2.3
	reserved                // section 2.2: gen-delims and sub-delims
)

var classes = func() (t [256]class) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") {
		t[c] = unreserved
	}
	for _, c := range []byte(":/?#[]@!$&'()*+,;=") {
		t[c] = reserved
	}
	return t
}()

const upperHex = "0123456789ABCDEF"

// unhex is the value of a hex digit, or above 15.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// triplet reads the percent-encoded byte at s[i:].
func triplet[S string | []byte](s S, i int) (b byte, ok bool) {
	if i+2 >= len(s) || s[i] != '%' {
		return 0, false
	}
	hi, lo := unhex(s[i+1]), unhex(s[i+2])
	return hi<<4 | lo, hi < 16 && lo < 16
}

func appendTriplet(dst []byte, b byte) []byte {
	return append(dst, '%', upperHex[b>>4], upperHex[b&15])
}

// appendEncoded appends s as {v} expands: everything but unreserved characters
// is percent-encoded (RFC 6570 section 3.2.1, "U").
func appendEncoded(dst []byte, s string) []byte {
	for i := range len(s) {
		if classes[s[i]] == unreserved {
			dst = append(dst, s[i])
		} else {
			dst = appendTriplet(dst, s[i])
		}
	}
	return dst
}

// appendReserved appends s as {+v} and literals expand: reserved characters and
// triplets stay, the rest is percent-encoded (RFC 6570 section 3.2.1, "U+R").
func appendReserved(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch {
		case classes[s[i]] != other:
			dst = append(dst, s[i])
		case s[i] == '%':
			if _, ok := triplet(s, i); ok {
				dst = append(dst, s[i:i+3]...)
				i += 2
				continue
			}
			dst = appendTriplet(dst, '%')
		default:
			dst = appendTriplet(dst, s[i])
		}
	}
	return dst
}
