package origin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ErrPrivateAddress is returned when an origin's name leads to an address that
// is not on the public internet. The connection was not made.
var ErrPrivateAddress = errors.New("origin has a private address")

// refused4 are the IPv4 ranges that are not globally reachable, by the IANA
// special-purpose registry (RFC 6890), and the platforms' metadata services that
// hide among public addresses.
var refused4 = prefixes(
	"0.0.0.0/8",        // this network, RFC 791
	"10.0.0.0/8",       // private, RFC 1918
	"100.64.0.0/10",    // carrier-grade NAT, RFC 6598; one cloud's metadata at 100.100.100.200
	"127.0.0.0/8",      // loopback
	"168.63.129.16/32", // a cloud's host agent, reachable from its machines only
	"169.254.0.0/16",   // link-local, RFC 3927; most clouds' metadata at 169.254.169.254
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // protocol assignments; one cloud's metadata at 192.0.0.192
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays, RFC 7526
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarking, RFC 2544
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"224.0.0.0/4",      // multicast
	"240.0.0.0/4",      // reserved, and broadcast
)

// Of IPv6 only global unicast is reachable at all; within it, these are not, or
// they carry an IPv4 address that would pass the check above unseen.
var (
	global6  = netip.MustParsePrefix("2000::/3")
	refused6 = prefixes(
		"2001::/23",     // protocol assignments, Teredo among them
		"2001:db8::/32", // documentation
		"2002::/16",     // 6to4
		"3fff::/20",     // documentation, RFC 9637
	)
	// nat64 is what DNS64 resolvers map IPv4 addresses into (RFC 6052): the
	// address within decides.
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(cidrs ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(cidrs))
	for i, cidr := range cidrs {
		list[i] = netip.MustParsePrefix(cidr)
	}
	return list
}

// Public says whether addr is on the public internet: not private, loopback,
// link-local, unique-local, multicast, unspecified, reserved or a metadata
// service, also when it is an IPv4 address in IPv6 clothes.
func Public(addr netip.Addr) bool {
	if !addr.IsValid() || addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap()
	if addr.Is6() && nat64.Contains(addr) {
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	refused := refused4
	if addr.Is6() {
		if !global6.Contains(addr) {
			return false
		}
		refused = refused6
	}
	for _, p := range refused {
		if p.Contains(addr) {
			return false
		}
	}
	return true
}

// guard is a [net.Dialer]'s ControlContext. It sees the address that the socket
// is about to connect to, after the name was resolved: a name that resolves to a
// public address when asked and to a private one when dialled gains nothing.
func guard(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q can't be read", ErrPrivateAddress, address)
	}
	if !Public(ap.Addr()) {
		return fmt.Errorf("%w: %s", ErrPrivateAddress, ap.Addr())
	}
	return nil
}
