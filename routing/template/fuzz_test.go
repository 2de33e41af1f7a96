package template

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// FuzzMatch matches any URL with any template: no panic, no long search, and the law
// holds for what matches.
func FuzzMatch(f *testing.F) {
	for _, s := range [][2]string{
		{"/f/{v}/app-{v}.zip", "/f/1.0/app-1.0.zip"},
		{"/{a}-{b}-{c}-{a}-{b}-x", "/------------------------"},
		{"/{+p}/{+q}{?r,s}", "/a/b%2Fc/%zz?s=1&r=+%20"},
		{"/{a,b}{;c}{.d}{/e}?k={f}&l", "/1,2;c=3.4/5?l&k=%FF"},
		{"/caf%C3%A9{v}%25%2F", "/café%%2525%2f"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, tmpl, u string) {
		in, err := ParseIncoming(tmpl)
		if err != nil || u == "" || u[0] != '/' {
			return
		}
		start := time.Now()
		values, ok := matchURL(in, u)
		if d := time.Since(start); d > 5*time.Second {
			t.Fatalf("%s on %s took %v", tmpl, u, d)
		}
		if !ok {
			return
		}
		again, err := in.Expand(values)
		if err != nil {
			t.Fatal(err)
		}
		// A raw "?" or "#" in a path, or from {+v} in a query, is not as clients send it.
		if path, _, _ := strings.Cut(u, "?"); !strings.ContainsAny(path, "#") && !within(again, u) && !strings.Contains(tmpl, "{+") {
			t.Fatalf("%s finds %q in %s, and expands it to %s", tmpl, values, u, again)
		}
	})
}

// FuzzOutgoing redirects any request by any template: the scheme and the host of the
// location are those of the template, whatever is put in.
func FuzzOutgoing(f *testing.F) {
	f.Add("https://o.test/{+v}?a={v}#{v}", "/@evil.test", "x=1&y=%0d%0a")
	f.Add("https://o.test{/v}{?v}{#v}", "//evil.test/..", "v=1&v=2")
	f.Add("http://o.test:8080{?v:3}", "\\\r\n", "&&=&a")
	f.Add("https://o.test{+v}", ".evil.test", "")
	f.Fuzz(func(t *testing.T, tmpl, value, query string) {
		out, err := ParseOutgoing(tmpl, []string{"v"})
		if err != nil {
			return
		}
		var s Subject
		var c Captures
		s.Reset("/", query)
		c.Reset(1)
		c.vars[0] = textCapture(value)
		b, err := out.Append(nil, &s, &c)
		if err != nil {
			return
		}
		for _, ch := range b {
			if ch <= ' ' || ch >= 0x7f {
				t.Fatalf("%q: %q in a location", b, ch)
			}
		}
		u, err := url.Parse(string(b))
		if err != nil {
			t.Skip("a literal that is a template's but not a URL's")
		}
		scheme, _, _ := strings.Cut(tmpl, ":")
		if !strings.EqualFold(u.Scheme, scheme) || u.Host != out.Host() || u.User != nil {
			t.Fatalf("%q with %q goes to %q on %q", tmpl, value, b, u.Host)
		}
	})
}
