package origin

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func answer(t testing.TB, asked, location string) *http.Response {
	t.Helper()
	u, err := url.Parse(asked)
	if err != nil {
		t.Fatal(err)
	}
	req := &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{
		"Authorization": {"Bearer secret"}, "Cookie": {"a=b"}, "Accept": {"text/html"},
	}}
	resp := &http.Response{StatusCode: http.StatusFound, Header: http.Header{}, Request: req}
	if location != "" {
		resp.Header.Set("Location", location)
	}
	return resp
}

func TestLocationKeepsEveryByteOfASignedURL(t *testing.T) {
	for _, tt := range []struct{ name, location, want string }{
		{"signed", "https://cdn.example/blob?X-Sig=a%2Fb+c==&x=%7e", "https://cdn.example/blob?X-Sig=a%2Fb+c==&x=%7e"},
		{"odd case", "HTTPS://CDN.example/%2f", "HTTPS://CDN.example/%2f"},
		{"of the host", "/other?q=1", "https://registry.example/other?q=1"},
		{"beside", "sibling", "https://registry.example/v2/acme/sibling"},
		{"of the scheme", "//cdn.example/x", "https://cdn.example/x"},
		{"only a query", "?page=2", "https://registry.example/v2/acme/app?page=2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, got, err := Location(answer(t, "https://registry.example/v2/acme/app", tt.location))
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestLocationRefusesWhatLeadsNowhere(t *testing.T) {
	for name, location := range map[string]string{
		"nothing":             "",
		"another scheme":      "ftp://cdn.example/",
		"a script":            "javascript:alert(1)",
		"an opaque URL":       "https:cdn.example",
		"credentials":         "https://user:pass@cdn.example/",
		"a blank":             "https://cdn.example/a b",
		"a line":              "https://cdn.example/\r\nX: y",
		"no host":             "https:///path",
		"a bad escape":        "https://cdn.example/%zz",
		"a bad port":          "https://cdn.example:port/",
		"more than is likely": "https://cdn.example/" + strings.Repeat("a", maxLocation),
	} {
		t.Run(name, func(t *testing.T) {
			resp := answer(t, "https://registry.example/", location)
			if _, got, err := Location(resp); !errors.Is(err, ErrBadRedirect) {
				t.Errorf("got %q, %v; want ErrBadRedirect", got, err)
			}
			if _, err := Next(resp); !errors.Is(err, ErrBadRedirect) {
				t.Errorf("Next: %v, want ErrBadRedirect", err)
			}
		})
	}
}

func TestNextKeepsCredentialsOnTheirServer(t *testing.T) {
	for _, tt := range []struct {
		name, asked, location string
		kept                  bool
	}{
		{"the same server", "https://a.example/x", "/y", true},
		{"the same server, spelled out", "https://a.example/x", "https://A.example:443/y", true},
		{"another host", "https://a.example/x", "https://b.example/y", false},
		{"a host below", "https://a.example/x", "https://cdn.a.example/y", false},
		{"another port", "https://a.example/x", "https://a.example:8443/y", false},
		{"another scheme", "http://a.example/x", "https://a.example/y", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next, err := Next(answer(t, tt.asked, tt.location))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"Authorization", "Cookie"} {
				if got := next.Header.Get(name) != ""; got != tt.kept {
					t.Errorf("%s kept: %v", name, got)
				}
			}
			if next.Header.Get("Accept") == "" {
				t.Error("Accept was lost")
			}
		})
	}
}

func TestNextGoesNotFromHTTPSToHTTP(t *testing.T) {
	if _, err := Next(answer(t, "https://a.example/", "http://a.example/")); !errors.Is(err, ErrBadRedirect) {
		t.Errorf("error is %v, want ErrBadRedirect", err)
	}
}

func TestNextRepeatsReadsOnly(t *testing.T) {
	resp := answer(t, "https://a.example/", "/b")
	resp.Request.Method = http.MethodPost
	if _, err := Next(resp); !errors.Is(err, ErrBadRedirect) {
		t.Errorf("error is %v, want ErrBadRedirect", err)
	}
}

// A location that is believed is an http URL that says the same when read again.
func FuzzLocation(f *testing.F) {
	for _, seed := range []string{"/a", "https://b.example/x?y=%2f", "//c", "?q", "#f", "https://u@h/", "http://[::1]:80/", "a b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, location string) {
		target, text, err := Location(answer(t, "https://registry.example/v2/a", location))
		if err != nil {
			return
		}
		again, err := url.Parse(text)
		if err != nil || again.Host != target.Host || again.Scheme != target.Scheme || again.User != nil {
			t.Errorf("%q leads to %q, which reads as %v (%v)", location, target, again, err)
		}
		if strings.ContainsAny(text, " \r\n\t") {
			t.Errorf("%q has blanks", text)
		}
	})
}
