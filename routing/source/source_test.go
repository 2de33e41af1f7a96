package source

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("::ffff:192.0.2.0/120")}
	tests := map[string]struct {
		peer    string
		host    string
		headers [][2]string
		addr    string // "": unknown
		asked   string
		secure  bool
	}{
		"without a proxy the peer is the client": {
			peer: "203.0.113.9:4711", addr: "203.0.113.9", asked: "dl.acme.com",
		},
		"an untrusted peer's headers are not believed": {
			peer:    "203.0.113.9:4711",
			headers: [][2]string{{"X-Forwarded-For", "198.51.100.1"}, {"Forwarded", "for=198.51.100.1;host=evil.example;proto=https"}, {"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-Proto", "https"}},
			addr:    "203.0.113.9", asked: "dl.acme.com",
		},
		"a trusted proxy names the client": {
			peer:    "10.0.0.1:80",
			headers: [][2]string{{"X-Forwarded-For", "198.51.100.1"}, {"X-Forwarded-Host", "Files.Acme.com:443"}, {"X-Forwarded-Proto", "https"}},
			addr:    "198.51.100.1", asked: "files.acme.com", secure: true,
		},
		"the right-most untrusted hop is the client, whatever stands to its left": {
			peer:    "10.0.0.1:80",
			headers: [][2]string{{"X-Forwarded-For", "6.6.6.6, 198.51.100.1, 10.0.0.7"}},
			addr:    "198.51.100.1", asked: "dl.acme.com",
		},
		"several header lines are one list": {
			peer:    "10.0.0.1:80",
			headers: [][2]string{{"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-For", "198.51.100.1"}, {"X-Forwarded-For", "10.0.0.7"}},
			addr:    "198.51.100.1", asked: "dl.acme.com",
		},
		"a client among the proxies is the left-most of them": {
			peer:    "10.0.0.1:80",
			headers: [][2]string{{"X-Forwarded-For", "10.0.0.9, 10.0.0.7"}},
			addr:    "10.0.0.9", asked: "dl.acme.com",
		},
		"a hop that hides itself leaves the client unknown": {
			peer:    "10.0.0.1:80",
			headers: [][2]string{{"X-Forwarded-For", "198.51.100.1, unknown"}},
			addr:    "", asked: "dl.acme.com",
		},
		"ports and brackets are dropped": {
			peer:    "[fd00::1]:80",
			headers: [][2]string{{"X-Forwarded-For", "[2001:db8::5]:9000"}},
			addr:    "2001:db8::5", asked: "dl.acme.com",
		},
		"an IPv4-mapped peer is IPv4": {
			peer: "[::ffff:203.0.113.9]:80", addr: "203.0.113.9", asked: "dl.acme.com",
		},
		"an IPv4-mapped trusted prefix trusts IPv4": {
			peer:    "192.0.2.77:80",
			headers: [][2]string{{"X-Forwarded-For", "198.51.100.1"}},
			addr:    "198.51.100.1", asked: "dl.acme.com",
		},
		"the host that counts is the one written by the outermost trusted proxy": {
			peer:    "10.0.0.1:80",
			headers: [][2]string{{"X-Forwarded-For", "198.51.100.1, 10.0.0.7"}, {"X-Forwarded-Host", "evil.example, files.acme.com, inner.local"}},
			addr:    "198.51.100.1", asked: "files.acme.com",
		},
		"a proxy that replaces the host needs no list": {
			peer:    "10.0.0.1:80",
			headers: [][2]string{{"X-Forwarded-For", "198.51.100.1, 10.0.0.7"}, {"X-Forwarded-Host", "files.acme.com"}},
			addr:    "198.51.100.1", asked: "files.acme.com",
		},
		"RFC 7239 is read where X-Forwarded-For is missing": {
			peer:    "10.0.0.1:80",
			headers: [][2]string{{"Forwarded", `for="[2001:db8:cafe::17]:4711";host=files.acme.com;proto=https`}},
			addr:    "2001:db8:cafe::17", asked: "files.acme.com", secure: true,
		},
		"RFC 7239 elements left of the client are strangers' words": {
			peer:    "10.0.0.1:80",
			headers: [][2]string{{"Forwarded", "for=6.6.6.6;host=evil.example, for=198.51.100.1;host=files.acme.com, for=10.0.0.7;host=inner.local"}},
			addr:    "198.51.100.1", asked: "files.acme.com",
		},
		"an obfuscated identifier is unknown": {
			peer:    "10.0.0.1:80",
			headers: [][2]string{{"Forwarded", "for=_hidden, for=_SEVKISEK"}},
			addr:    "", asked: "dl.acme.com",
		},
		"a malformed Forwarded leaves the client unknown rather than wrong": {
			peer:    "10.0.0.1:80",
			headers: [][2]string{{"Forwarded", `for=198.51.100.1, for="`}},
			addr:    "", asked: "dl.acme.com",
		},
		"X-Forwarded-Host alone is believed of a trusted proxy": {
			peer:    "10.0.0.1:80",
			headers: [][2]string{{"X-Forwarded-Host", "files.acme.com"}},
			addr:    "10.0.0.1", asked: "files.acme.com",
		},
		"an empty X-Forwarded-For hides the client": {
			peer:    "10.0.0.1:80",
			headers: [][2]string{{"X-Forwarded-For", ""}},
			addr:    "", asked: "dl.acme.com",
		},
		"a peer without an address is unknown": {peer: "@", addr: "", asked: "dl.acme.com"},
		"a host that is none is empty":         {peer: "203.0.113.9:1", host: "a b", addr: "203.0.113.9", asked: ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Host = tt.peer, "dl.acme.com"
			if tt.host != "" {
				r.Host = tt.host
			}
			for _, h := range tt.headers {
				r.Header.Add(h[0], h[1])
			}
			got := New(proxies).Resolve(r)
			addr := ""
			if got.Addr.IsValid() {
				addr = got.Addr.String()
			}
			if addr != tt.addr || got.Host != tt.asked || got.Secure != tt.secure {
				t.Errorf("got %q, host %q, secure %v; want %q, host %q, secure %v", addr, got.Host, got.Secure, tt.addr, tt.asked, tt.secure)
			}
		})
	}
}

func TestALongChainIsReadFromTheRightAndOnlySoFar(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "10.0.0.1:80"
	r.Header.Set("X-Forwarded-For", strings.Repeat("6.6.6.6, ", 100_000)+"198.51.100.1")
	got := New([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}).Resolve(r)
	if got.Addr.String() != "198.51.100.1" {
		t.Errorf("got %s", got.Addr)
	}
}

func TestHost(t *testing.T) {
	tests := map[string]string{
		"acme.gateway.example":         "acme.gateway.example",
		"ACME.Gateway.Example:8080":    "acme.gateway.example",
		"acme.example.":                "acme.example",
		"acme.example.:443":            "acme.example",
		"acme.example:":                "acme.example",
		"localhost":                    "localhost",
		"127.0.0.1:80":                 "127.0.0.1",
		"[::1]:80":                     "::1",
		"[2001:DB8::1]":                "2001:db8::1",
		"_acme.example":                "_acme.example",
		"":                             "",
		".":                            "",
		".example":                     "",
		"a..b":                         "",
		"a b":                          "",
		"a/b":                          "",
		"acme.example:80x":             "",
		"acme.example:123456":          "",
		"[::1":                         "",
		"[]":                           "",
		"[::1]x":                       "",
		"[evil.example]":               "",
		"ex\u00e4mple.com":             "",
		"a\x00b":                       "",
		strings.Repeat("a.", 130):      "",
		"user@acme.example":            "",
		"acme.example:80:80":           "",
		strings.Repeat("a", 253):       strings.Repeat("a", 253),
		strings.Repeat("a", 254):       "",
		strings.Repeat("a", 253) + ".": strings.Repeat("a", 253),
	}
	for in, want := range tests {
		if got := Host(in); got != want {
			t.Errorf("Host(%.60q) = %q, want %q", in, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Host("acme.gateway.example:8080") }); n != 0 {
		t.Errorf("a name in normal form costs %v allocations", n)
	}
}

func TestParseForwarded(t *testing.T) {
	// The examples of RFC 7239 section 4, and what proxies get wrong.
	tests := map[string]struct {
		values []string
		want   []Element
		bad    bool
	}{
		"an obfuscated name":              {values: []string{`for="_gazonk"`}, want: []Element{{}}},
		"a quoted IPv6 address with port": {values: []string{`For="[2001:db8:cafe::17]:4711"`}, want: []Element{{For: netip.MustParseAddr("2001:db8:cafe::17")}}},
		"several parameters":              {values: []string{"for=192.0.2.60;proto=http;by=203.0.113.43"}, want: []Element{{For: netip.MustParseAddr("192.0.2.60"), Proto: "http"}}},
		"several elements": {
			values: []string{"for=192.0.2.43, for=198.51.100.17"},
			want:   []Element{{For: netip.MustParseAddr("192.0.2.43")}, {For: netip.MustParseAddr("198.51.100.17")}},
		},
		"several lines": {
			values: []string{"for=192.0.2.43", "for=198.51.100.17"},
			want:   []Element{{For: netip.MustParseAddr("192.0.2.43")}, {For: netip.MustParseAddr("198.51.100.17")}},
		},
		"an escaped quote":             {values: []string{`host="a\"b"`}, want: []Element{{Host: `a"b`}}},
		"unknown parameters":           {values: []string{"secret=x;for=192.0.2.1"}, want: []Element{{For: netip.MustParseAddr("192.0.2.1")}}},
		"empty pairs and elements":     {values: []string{", ;for=192.0.2.1;, ,"}, want: []Element{{For: netip.MustParseAddr("192.0.2.1")}}},
		"unquoted ports, as some send": {values: []string{"for=192.0.2.1:80;host=a.example:443"}, want: []Element{{For: netip.MustParseAddr("192.0.2.1"), Host: "a.example:443"}}},
		"no closing quote":             {values: []string{`for="192.0.2.1`}, bad: true},
		"a quote that ends in escape":  {values: []string{`for="192.0.2.1\`}, bad: true},
		"no value":                     {values: []string{"for="}, bad: true},
		"no equals sign":               {values: []string{"for"}, bad: true},
		"a parameter given twice":      {values: []string{"for=192.0.2.1;for=192.0.2.2"}, bad: true},
		"a blank between elements":     {values: []string{"for=192.0.2.1 for=192.0.2.2"}, bad: true},
		"nothing":                      {values: []string{"", " , "}, bad: true},
		"too many elements":            {values: []string{strings.Repeat("for=192.0.2.1,", 65)}, bad: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseForwarded(tt.values)
			if (err != nil) != tt.bad {
				t.Fatalf("error %v", err)
			}
			if len(got) != len(tt.want) && !tt.bad {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
			for i := range tt.want {
				if got[i] != tt.want[i] {
					t.Errorf("element %d: got %v, want %v", i, got[i], tt.want[i])
				}
			}
		})
	}
}

func FuzzParseForwarded(f *testing.F) {
	for _, s := range []string{`for="[2001:db8:cafe::17]:4711";host=a;proto=https, for=unknown`, `for="\`, "for=1.2.3.4;;,,", "a=b c=d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		elements, err := ParseForwarded([]string{s})
		if err == nil && (len(elements) == 0 || len(elements) > maxForwarded) {
			t.Errorf("%d elements without an error", len(elements))
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "10.0.0.1:80"
		for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host"} {
			r.Header[name] = []string{s}
		}
		trusting := New([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
		trusting.Resolve(r)
		delete(r.Header, "X-Forwarded-For")
		trusting.Resolve(r)
	})
}

func FuzzHost(f *testing.F) {
	for _, s := range []string{"acme.example:80", "[::1]:80", "A.B.", "a..b", ":", "[", "[::1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Host(s)
		if got == "" {
			return
		}
		if strings.ContainsAny(got, " /?#@[]\r\n\t") || strings.ToLower(got) != got || len(got) > maxHost {
			t.Errorf("Host(%q) = %q", s, got)
		}
		if !strings.Contains(got, ":") && Host(got) != got {
			t.Errorf("normalizing %q again gives %q", got, Host(got))
		}
	})
}
