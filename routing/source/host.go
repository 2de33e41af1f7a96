package source

import "strings"

// maxHost is the longest host name in bytes, RFC 1035 section 2.3.4.
const maxHost = 253

// Host normalizes the host of a request: lower case, without port and trailing
// dot, an IPv6 literal without brackets. It returns "" for what can't be a host
// name. A name in normal form costs no allocation.
func Host(host string) string {
	switch {
	case strings.HasPrefix(host, "["):
		end := strings.IndexByte(host, ']')
		if end < 0 || !isPort(host[end+1:]) {
			return ""
		}
		host = host[1:end]
		if !isIPv6(host) {
			return ""
		}
		return strings.ToLower(host)
	default:
		if i := strings.IndexByte(host, ':'); i >= 0 {
			if !isPort(host[i:]) {
				return ""
			}
			host = host[:i]
		}
	}
	host = strings.TrimSuffix(host, ".")
	if host == "" || len(host) > maxHost || host[len(host)-1] == '.' {
		return ""
	}
	upper := false
	for i := 0; i < len(host); i++ {
		switch c := host[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		case c == '.':
			if i == 0 || host[i-1] == '.' {
				return ""
			}
		case 'A' <= c && c <= 'Z':
			upper = true
		default:
			return ""
		}
	}
	if upper {
		return strings.ToLower(host)
	}
	return host
}

// authority normalizes the host of a request, and the same with its port.
func authority(host string) (name, withPort string) {
	name = Host(host)
	port := strings.LastIndexByte(host, ':')
	switch {
	case name == "":
		return "", ""
	case len(host) == len(name):
		return name, name
	case host[0] == '[':
		withPort = "[" + name + "]"
		if port < strings.IndexByte(host, ']') {
			return name, withPort
		}
	default:
		withPort = name
	}
	if port < 0 || port == len(host)-1 {
		return name, withPort
	}
	if port == len(name) {
		if host[:port] == name {
			return name, host
		}
	}
	return name, withPort + host[port:]
}

// isPort says whether s is empty or a colon and digits; RFC 3986 allows none.
func isPort(s string) bool {
	if s == "" {
		return true
	}
	if s[0] != ':' || len(s) > 6 {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func isIPv6(s string) bool {
	if s == "" || len(s) > 45 {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f', 'A' <= c && c <= 'F', c == ':', c == '.':
		default:
			return false
		}
	}
	return true
}
