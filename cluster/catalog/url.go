package catalog

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// website checks an address shown to people. A scheme may be left out.
func (c *checker) website(s string) {
	if s == "" || !c.text("website", s, MaxURLBytes) {
		return
	}
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	if err := checkURL(s, "http", "https"); err != nil {
		c.fail("website", CodeInvalidWebsiteURL, "%s; write it like https://example.com", err)
	}
}

// checkURL checks an absolute URL with a host and one of the schemes.
func checkURL(s string, schemes ...string) error {
	u, err := url.Parse(s)
	if err != nil {
		return fmt.Errorf("is not a URL")
	}
	known := false
	for _, scheme := range schemes {
		known = known || u.Scheme == scheme
	}
	switch {
	case !known:
		return fmt.Errorf("must begin with %s://", strings.Join(schemes, ":// or "))
	case u.User != nil:
		return fmt.Errorf("must not carry a user name or password")
	}
	return checkAuthority(u.Host)
}

// checkHostPort checks host or host:port, where the host is a domain name or an
// IP address. Whether a private address may be asked is decided when it is.
func checkHostPort(s string) error {
	host, port, hasPort := s, "", false
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		host, port, hasPort = s[:i], s[i+1:], true
	}
	if hasPort {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("%s is not a port", quoted(port))
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		ip, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !ip.Is6() || ip.Zone() != "" || !strings.HasSuffix(host, "]") {
			return fmt.Errorf("%s is not an IPv6 address", quoted(host))
		}
		return nil
	}
	if _, err := CanonicalDomain(host); err != nil {
		return err
	}
	return nil
}
