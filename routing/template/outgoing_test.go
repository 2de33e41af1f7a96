package template

import (
	"errors"
	"strings"
	"testing"
)

func TestOutgoingTemplatesThatAreRefused(t *testing.T) {
	for tmpl, want := range map[string]string{
		"":                          "literally",
		"{v}":                       "literally",
		"/{v}":                      "begins with http",
		"ftp://o.test/{v}":          "begins with http",
		"javascript:alert({v})":     "begins with http",
		"//o.test/{v}":              "begins with http",
		"https://{v}/":              "host",
		"https://o.test{v}":         "part of the host",
		"https://o.test{+v}":        "part of the host",
		"https://o.test{.v}":        "part of the host",
		"https://o.test:{v}/":       "host",
		"https://o.{v}.test/":       "host",
		"https://":                  "host is missing",
		"https:///{v}":              "host is missing",
		"https://:80/{v}":           "host is missing",
		"https://me:secret@o.test/": "user name or password",
		"https://me@o.test/":        "user name or password",
		"https://ö.test/":           "xn--",
		`https://o.test\evil.test/`: "not a host",
		"https://o test/":           "not a host",
		"https://o.test/{w}":        "{w} is not a variable",
		"https://o.test/{w}/{x}":    "{w}, {x} are not variables",
		"https://o.test/a/../{v}":   `".." segment`,
		"https://o.test/%2E%2e/{v}": `".." segment`,
		"https://o.test/{v":         "never closed",
		"https://o.test/100%":       "two hex digits",
	} {
		if _, err := ParseOutgoing(tmpl, []string{"v"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseOutgoing(%q) = %v, want an error with %q", tmpl, err, want)
		}
	}
}

func TestLocation(t *testing.T) {
	for _, tt := range []struct{ name, in, out, url, want string }{
		{"operators that begin the path", "/{v}", "https://o.test{/v}", "/1", "https://o.test/1"},
		{"operators that begin the query", "/{v}", "https://o.test{?v}", "/1?a=2", "https://o.test?v=1&a=2"},
		{"a port", "/{v}", "http://o.test:8080/{v}", "/1", "http://o.test:8080/1"},
		{"a prefix", "/{v}", "https://o.test/{v:2}/{v}", "/%C3%A9b3", "https://o.test/%C3%A9b/%C3%A9b3"},
		{"a literal is encoded where it must be", "/{v}", "https://o.test/caf%C3%A9 é/{v}", "/1", "https://o.test/caf%C3%A9%20%C3%A9/1"},
		{"a parameter that only begins like an own one", "/{v}", "https://o.test/?tag={v}", "/1?ta=2&tags=3&tag=4", "https://o.test/?tag=1&ta=2&tags=3"},
		{"an own query that is empty", "/{v}", "https://o.test/{v}?", "/1?a=2", "https://o.test/1?a=2"},
		{"a query in a fragment is none", "/{v}", "https://o.test/#?{v}", "/1?a=2", "https://o.test/?a=2#?1"},
		{"a raw # in the query", "/{v}", "https://o.test/{v}", "/1?a=#b", "https://o.test/1?a=%23b"},
		{"many variables", "/{a}/{b}/{c}/{d}/{e}", "https://o.test/{e}/{d}/{c}/{b}/{a}", "/1/2/3/4/5", "https://o.test/5/4/3/2/1"},
		{"a dot is no dot segment", "/{v}", "https://o.test/{v}.", "/a", "https://o.test/a."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := locate(t, tt.in, tt.out, tt.url)
			if err != nil || got != tt.want {
				t.Errorf("%s to %s on %s: %q, %v, want %q", tt.in, tt.out, tt.url, got, err, tt.want)
			}
		})
	}
}

func TestVariablesCanNotClimb(t *testing.T) {
	for _, tt := range []struct{ in, out, url string }{
		{"/f{?v}", "https://o.test/acme/{v}/x", "/f?v=.."},
		{"/f{?v}", "https://o.test/acme/{+v}/x", "/f?v=%2E%2E/evil"},
		{"/f?p={+v}", "https://o.test/acme/{+v}", "/f?p=a/../../evil"},
		{"/f{?v}", "https://o.test/acme/.{v}/x", "/f?v=."},
		{"/f{?v}", "https://o.test/acme/{v}", "/f?v=."},
	} {
		if got, err := locate(t, tt.in, tt.out, tt.url); !errors.Is(err, ErrDotSegment) {
			t.Errorf("%s to %s on %s: %q, %v, want ErrDotSegment", tt.in, tt.out, tt.url, got, err)
		}
	}
}

func locate(t *testing.T, in, out, url string) (string, error) {
	t.Helper()
	i := mustIncoming(t, in)
	o, err := ParseOutgoing(out, i.Names())
	if err != nil {
		t.Fatal(err)
	}
	var s Subject
	var c Captures
	path, query, _ := strings.Cut(url, "?")
	if !s.Reset(path, query) || !i.Match(&s, &c) {
		t.Fatalf("%s does not match %s", in, url)
	}
	b, err := o.Append(nil, &s, &c)
	return string(b), err
}

func TestMatchesDoNotAllocate(t *testing.T) {
	in := mustIncoming(t, "/files/{version}/{platform}/rocket-skates-{platform}-{version}.tar.gz")
	out, err := ParseOutgoing("https://o.test/{version}/{platform}?x=1", in.Names())
	if err != nil {
		t.Fatal(err)
	}
	var s Subject
	var c Captures
	buf := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() {
		s.Reset("/files/1.0.2/linux-x64/rocket-skates-linux-x64-1.0.2.tar.gz", "a=1&b=2")
		if !in.Match(&s, &c) {
			t.Fatal("no match")
		}
		if buf, err = out.Append(buf[:0], &s, &c); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestHostileTemplatesAreQuick gives the matcher what makes a naive one exponential.
func TestHostileTemplatesAreQuick(t *testing.T) {
	long := strings.Repeat("-", 8000)
	for _, tmpl := range []string{
		"/{a}-{b}-{c}-{d}-{e}-{f}-{g}-{h}-x",
		"/{a}-{b}-{c}-{d}-{a}-{b}-{c}-{d}-x",
		"/{a}{b}{c}{d}{e}{f}x",
		"/{+a}-{+b}-{+c}-{+d}-{+e}-{+f}x",
		"/{+a}{+a}{+b}{+b}{+a}x",
	} {
		in := mustIncoming(t, tmpl)
		var s Subject
		var c Captures
		s.Reset("/"+long, "")
		m := matcher{t: in, c: &c, parts: in.path(), text: s.path, frozen: int(in.frozen), path: true, budget: maxSteps}
		c.reset(in.Variables())
		if m.run() {
			t.Errorf("%s matches dashes", tmpl)
		}
		if used := maxSteps - m.budget; used > 20*len(long) {
			t.Errorf("%s takes %d steps for %d characters", tmpl, used, len(long))
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	in := mustIncoming(b, "/files/{version}/{platform}/rocket-skates-{platform}-{version}.tar.gz")
	var s Subject
	var c Captures
	b.ReportAllocs()
	for b.Loop() {
		s.Reset("/files/1.0.2/linux-x64/rocket-skates-linux-x64-1.0.2.tar.gz", "")
		if !in.Match(&s, &c) {
			b.Fatal("no match")
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		in, err := ParseIncoming("/files/{version}/{platform}/rocket-skates-{platform}-{version}.tar.gz")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := ParseOutgoing("https://origin.example/rocket-skates/{version}/{platform}.tar.gz", in.Names()); err != nil {
			b.Fatal(err)
		}
	}
}
