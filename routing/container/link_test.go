package container

import (
	"net/url"
	"strings"
	"testing"
)

func TestRewriteLinks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"by path", []string{`</v2/acme/app/tags/list?last=a&n=2>; rel="next"`}, `</v2/rocket/tags/list?last=a&n=2>; rel="next"`},
		{"by URL", []string{`<https://registry.example/v2/acme/app/tags/list?n=2>; rel="next"`}, `</v2/rocket/tags/list?n=2>; rel="next"`},
		{
			"by the URL of another host, which answers here too",
			[]string{`<http://inner.example:5000/v2/acme/app/tags/list?n=2>; rel=next`},
			`</v2/rocket/tags/list?n=2>; rel=next`,
		},
		{"only a query", []string{`<?last=b>; rel="next"`}, `</v2/rocket/tags/list?last=b>; rel="next"`},
		{"referrers", []string{`</v2/acme/app/referrers/sha256:00?page=2>; rel="next"`}, `</v2/rocket/referrers/sha256:00?page=2>; rel="next"`},
		{"an escaped query stays", []string{`</v2/acme/app/tags/list?last=a%2Fb%3D&n=2>; rel="next"`}, `</v2/rocket/tags/list?last=a%2Fb%3D&n=2>; rel="next"`},
		{
			"two, with a comma in quotes",
			[]string{`</v2/acme/app/tags/list?a>; title="x, y"; rel="next", </v2/acme/app/tags/list?b>; rel="last"`},
			`</v2/rocket/tags/list?a>; title="x, y"; rel="next", </v2/rocket/tags/list?b>; rel="last"`,
		},
		{
			"two lines",
			[]string{`</v2/acme/app/tags/list?a>; rel="next"`, `</v2/acme/app/tags/list?b>`},
			`</v2/rocket/tags/list?a>; rel="next", </v2/rocket/tags/list?b>`,
		},
		{"another repository", []string{`</v2/acme/other/tags/list>; rel="next"`}, ""},
		{"a repository that only begins alike", []string{`</v2/acme/app-two/tags/list>; rel="next"`}, ""},
		{"something else of the repository", []string{`</v2/acme/app/manifests/1>; rel="next"`}, ""},
		{"up and out", []string{`</v2/acme/app/referrers/../../../../x>; rel="next"`}, ""},
		{"another page", []string{`<https://docs.example/>; rel="help"`}, ""},
		{"no brackets", []string{`/v2/acme/app/tags/list; rel="next"`}, ""},
		{"an open bracket", []string{`</v2/acme/app/tags/list`}, ""},
		{"a broken URL", []string{`<http://[::1/v2/acme/app/tags/list>; rel="next"`}, ""},
		{"none", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base, err := url.Parse("https://registry.example/v2/acme/app/tags/list")
			if err != nil {
				t.Fatal(err)
			}
			if got := rewriteLinks(tt.lines, base, "acme/app", "rocket"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Whatever a registry sends, a link that goes to the client is one of this
// repository's lists on this host, and breaks no header.
func FuzzRewriteLinks(f *testing.F) {
	for _, seed := range []string{
		`</v2/acme/app/tags/list?last=a&n=2>; rel="next"`, `<?a>;b="c,d", <x>`, `<//h/v2/acme/app/tags/list>`, `<`, `<>`, `<a>;"`,
		`</v2/acme/app/tags/list?%0d%0a>`, `</v2/acme/app/tags/list#f>`,
	} {
		f.Add(seed)
	}
	base, err := url.Parse("https://registry.example/v2/acme/app/tags/list")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\r\n\x00") {
			return // net/http takes no such header
		}
		rest := rewriteLinks([]string{line}, base, "acme/app", "rocket")
		for rest != "" {
			target, _, next, ok := cutLink(rest)
			if !ok {
				t.Fatalf("%q gives %q", line, rest)
			}
			u, err := url.Parse(target)
			if err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/v2/rocket/") || u.Fragment != "" {
				t.Fatalf("%q gives %q", line, target)
			}
			rest = next
		}
	})
}
