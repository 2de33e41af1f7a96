package origin

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func TestPublicTellsAddressesApart(t *testing.T) {
	tests := []struct {
		name, addr string
		want       bool
	}{
		{"an address of the internet", "140.82.121.34", true},
		{"an IPv6 address of the internet", "2606:50c0:8000::154", true},
		{"a mapped address of the internet", "::ffff:140.82.121.34", true},
		{"NAT64 of an address of the internet", "64:ff9b::8c52:7922", true},
		{"this network", "0.0.0.0", false},
		{"this network, further on", "0.1.2.3", false},
		{"ten", "10.0.0.1", false},
		{"the last of ten", "10.255.255.255", false},
		{"just after ten", "11.0.0.0", true},
		{"172.15", "172.15.255.255", true},
		{"172.16", "172.16.0.0", false},
		{"172.31", "172.31.255.255", false},
		{"172.32", "172.32.0.0", true},
		{"192.168", "192.168.1.1", false},
		{"loopback", "127.0.0.1", false},
		{"loopback, further on", "127.8.9.10", false},
		{"carrier-grade NAT", "100.64.0.1", false},
		{"a metadata service within carrier-grade NAT", "100.100.100.200", false},
		{"just after carrier-grade NAT", "100.128.0.0", true},
		{"link-local", "169.254.0.1", false},
		{"most metadata services", "169.254.169.254", false},
		{"a metadata service among the protocol assignments", "192.0.0.192", false},
		{"a host agent with a public address", "168.63.129.16", false},
		{"its neighbour", "168.63.129.17", true},
		{"documentation", "192.0.2.1", false},
		{"benchmarking", "198.19.0.1", false},
		{"multicast", "224.0.0.1", false},
		{"reserved", "240.0.0.1", false},
		{"broadcast", "255.255.255.255", false},
		{"IPv6 unspecified", "::", false},
		{"IPv6 loopback", "::1", false},
		{"mapped loopback", "::ffff:127.0.0.1", false},
		{"mapped metadata service", "::ffff:169.254.169.254", false},
		{"compatible loopback", "::127.0.0.1", false},
		{"NAT64 of a private address", "64:ff9b::a00:1", false},
		{"NAT64 of a metadata service", "64:ff9b::a9fe:a9fe", false},
		{"local NAT64", "64:ff9b:1::1", false},
		{"6to4 of a private address", "2002:a00:1::1", false},
		{"Teredo", "2001:0:1::1", false},
		{"IPv6 documentation", "2001:db8::1", false},
		{"unique-local", "fd12:3456::1", false},
		{"a metadata service with a unique-local address", "fd00:ec2::254", false},
		{"IPv6 link-local", "fe80::1", false},
		{"IPv6 link-local with a zone", "fe80::1%eth0", false},
		{"a public address with a zone", "2606:50c0:8000::154%eth0", false},
		{"site-local", "fec0::1", false},
		{"IPv6 multicast", "ff02::1", false},
		{"discard", "100::1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Public(netip.MustParseAddr(tt.addr)); got != tt.want {
				t.Errorf("Public(%s) = %v, want %v", tt.addr, got, tt.want)
			}
		})
	}
	if Public(netip.Addr{}) {
		t.Error("the zero address is public")
	}
}

func TestTransportRefusesPrivateAddresses(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	pool := New(Options{Resolver: resolverTo(t, netip.MustParseAddr("127.0.0.1"))})
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]", "0.0.0.0", "[::]",
		"169.254.169.254", "2130706433", "registry.example",
	} {
		t.Run(host, func(t *testing.T) {
			resp, err := get(t, pool, "http://"+host+":"+port+"/")
			if err == nil {
				_ = resp.Body.Close()
				t.Fatal("it was asked")
			}
			// Odd spellings may be names that don't resolve, which is as good.
			if host != "2130706433" && !errors.Is(err, ErrPrivateAddress) {
				t.Errorf("error is %v, want ErrPrivateAddress", err)
			}
			if !pool.Up(host + ":" + port) {
				t.Error("a refused address counts as an outage")
			}
		})
	}
	if asked {
		t.Error("a request got through")
	}

	allowing := New(Options{AllowPrivate: true})
	resp, err := get(t, allowing, server.URL)
	if err != nil {
		t.Fatalf("with AllowPrivate: %v", err)
	}
	_ = resp.Body.Close()
	allowing.CloseIdle()
}

// resolverTo resolves every name to one address, by a DNS server of its own.
func resolverTo(t *testing.T, addr netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply, err := dnsReply(buf[:n], addr); err == nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	dialer := net.Dialer{}
	return &net.Resolver{PreferGo: true, Dial: func(ctx ctx, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func dnsReply(query []byte, addr netip.Addr) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	m.Response, m.Additionals = true, nil
	for _, q := range m.Questions {
		if q.Type == dnsmessage.TypeA && strings.HasSuffix(q.Name.String(), ".example.") {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
				Body:   &dnsmessage.AResource{A: addr.As4()},
			})
		} else if q.Type == dnsmessage.TypeA {
			m.RCode = dnsmessage.RCodeNameError
		}
	}
	return m.Pack()
}
