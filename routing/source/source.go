// Package source tells who really asked: the client's address and the host it
// asked for, seen through the reverse proxies that an operator trusts.
//
// Whatever a stranger writes into X-Forwarded-For, Forwarded or
// X-Forwarded-Host is only believed as far as a trusted proxy vouches for it:
// hops are read from the right, and the first one that is not a trusted proxy
// is the client.
package source

import (
	"net/http"
	"net/netip"
	"strings"
)

// maxHops bounds how many hops of a chain are read; what lies further left is
// the word of strangers anyway.
const maxHops = 32

// Resolver knows the trusted proxies. It is immutable and safe for concurrent
// use.
type Resolver struct {
	trusted []netip.Prefix
}

// New returns a Resolver that believes the proxies in trusted. None: the peer
// of the connection is the client.
func New(trusted []netip.Prefix) *Resolver {
	s := &Resolver{trusted: make([]netip.Prefix, 0, len(trusted))}
	for _, p := range trusted {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		s.trusted = append(s.trusted, p.Masked())
	}
	return s
}

// Trusted says whether addr is one of the trusted proxies.
func (s *Resolver) Trusted(addr netip.Addr) bool {
	if !addr.IsValid() {
		return false
	}
	addr = addr.Unmap().WithZone("")
	for _, p := range s.trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// Asked is a request as its client made it.
type Asked struct {
	// Addr is the client's address, IPv4-mapped addresses as IPv4. Invalid:
	// unknown, for a proxy may hide it.
	Addr netip.Addr

	// Host is the normalized host that the client asked for; see [Host]. Empty:
	// none, or not a host name.
	Host string

	// Authority is Host with the port that the client asked for, if it named one:
	// what stands in a URL that leads back to us. Empty where Host is.
	Authority string

	// Secure says that the client spoke https.
	Secure bool

	// Proxied says that a trusted proxy passed the request on.
	Proxied bool
}

// Resolve tells who asked. The proxy nearest to the client that is still
// trusted is the one whose word counts, for the address, the host and the
// scheme alike.
//
// Where both are there, X-Forwarded-For is read and not Forwarded (RFC 7239):
// nearly every proxy writes the former and passes on the latter as it came.
func (s *Resolver) Resolve(r *http.Request) Asked {
	asked := Asked{Addr: Peer(r.RemoteAddr), Secure: r.TLS != nil}
	if len(s.trusted) == 0 || !s.Trusted(asked.Addr) {
		asked.Host, asked.Authority = authority(r.Host)
		return asked
	}

	asked.Proxied = true
	host := r.Host
	if values := r.Header["X-Forwarded-For"]; len(values) > 0 {
		var hops int
		asked.Addr, hops = s.walk(asked.Addr, forwardedFor(values))
		if h := nth(r.Header["X-Forwarded-Host"], hops); h != "" {
			host = h
		}
		if p := nth(r.Header["X-Forwarded-Proto"], hops); p != "" {
			asked.Secure = strings.EqualFold(p, "https")
		}
	} else if values := r.Header["Forwarded"]; len(values) > 0 {
		host, asked = s.forwarded(values, host, asked)
	} else {
		if h := nth(r.Header["X-Forwarded-Host"], 1); h != "" {
			host = h
		}
		if p := nth(r.Header["X-Forwarded-Proto"], 1); p != "" {
			asked.Secure = strings.EqualFold(p, "https")
		}
	}
	asked.Host, asked.Authority = authority(host)
	return asked
}

// forwarded reads a chain of RFC 7239 elements.
func (s *Resolver) forwarded(values []string, host string, asked Asked) (string, Asked) {
	elements, err := ParseForwarded(values)
	if err != nil {
		// The proxy's own element can't be told from a stranger's: the address
		// is unknown rather than wrong.
		asked.Addr = netip.Addr{}
		return host, asked
	}
	addrs := make([]netip.Addr, 0, len(elements))
	for i := len(elements) - 1; i >= 0 && len(addrs) < maxHops; i-- {
		addrs = append(addrs, elements[i].For)
	}
	var hops int
	asked.Addr, hops = s.walk(asked.Addr, addrs)
	e := elements[max(len(elements)-hops, 0)]
	if e.Host != "" {
		host = e.Host
	}
	if e.Proto != "" {
		asked.Secure = strings.EqualFold(e.Proto, "https")
	}
	return host, asked
}

// walk follows addrs, nearest first, from a trusted peer to the client. hops is
// how many trusted proxies lie between the client and us.
func (s *Resolver) walk(peer netip.Addr, addrs []netip.Addr) (client netip.Addr, hops int) {
	client, hops = peer, 1
	for i, a := range addrs {
		client, hops = a, i+1
		if !s.Trusted(a) {
			break
		}
	}
	return client, hops
}

// Peer parses the address of a connection's other end, as in
// [http.Request.RemoteAddr]. Invalid: it is not an IP address.
func Peer(remote string) netip.Addr {
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		return ap.Addr().Unmap()
	}
	if a, err := netip.ParseAddr(remote); err == nil {
		return a.Unmap()
	}
	return netip.Addr{}
}

// forwardedFor reads X-Forwarded-For, nearest hop first. An element that is no
// address is an invalid Addr.
func forwardedFor(values []string) []netip.Addr {
	var addrs []netip.Addr
	for i := len(values) - 1; i >= 0; i-- {
		rest := values[i]
		for more := true; more && len(addrs) < maxHops; {
			var element string
			element, rest, more = lastElement(rest)
			addrs = append(addrs, hop(element))
		}
	}
	return addrs
}

// nth is the n-th element from the right of a comma-separated header, counting
// from 1; the left-most one if there are fewer. Proxies either append to these
// headers or replace them: the element at the trusted proxies' number is the one
// written by the outermost of them.
func nth(values []string, n int) string {
	found := ""
	for i := len(values) - 1; i >= 0; i-- {
		rest := values[i]
		for more := true; more; {
			var element string
			element, rest, more = lastElement(rest)
			if element == "" {
				continue
			}
			found = element
			if n--; n <= 0 {
				return found
			}
		}
	}
	return found
}

// lastElement splits the last element off a comma-separated list.
func lastElement(list string) (element, rest string, more bool) {
	if i := strings.LastIndexByte(list, ','); i >= 0 {
		return trim(list[i+1:]), list[:i], true
	}
	return trim(list), "", false
}

func trim(s string) string { return strings.Trim(s, " \t") }

// hop parses one hop's address: an IP address with or without a port, IPv6 with
// or without brackets. "unknown" and obfuscated names are invalid.
func hop(s string) netip.Addr {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap().WithZone("")
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		if a, err := netip.ParseAddr(s[1 : len(s)-1]); err == nil {
			return a.Unmap().WithZone("")
		}
	}
	return netip.Addr{}
}
