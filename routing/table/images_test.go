package table

import (
	"strings"
	"testing"

	"tallygate/cluster/catalog"
)

func TestImagePatterns(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		yes, no []string
	}{
		{"acme/*", []string{"acme/app", "acme/a.b-c"}, []string{"acme", "acme/", "acme/a/b", "acmes/app", "bolt/app"}},
		{"acme/{a, b}", []string{"acme/a", "acme/b"}, []string{"acme/c", "acme/ b", "acme/ab", "acme/{a, b}"}},
		{"acme/{a,b}-*", []string{"acme/a-x", "acme/b-y"}, []string{"acme/a-", "acme/c-x"}},
		{"**", []string{"a", "a/b", "a/b/c"}, []string{""}},
		{"acme/**", []string{"acme/a", "acme/a/b"}, []string{"acme", "acme/"}},
		{"**/app", []string{"a/app", "a/b/app"}, []string{"app", "a/apps"}},
		{"*", []string{"a"}, []string{"a/b", ""}},
		{"*/*", []string{"a/b"}, []string{"a", "a/b/c"}},
		{"l*n*k*er/d{1,2,5}", []string{"lxnxkxer/d5"}, []string{"linker/d5", "lxnxkxer/d3"}},
		{"acme/app", []string{"acme/app"}, []string{"acme/app2"}},
		{`acme/\*`, []string{"acme/*"}, []string{"acme/a"}},
	} {
		p, err := parseImagePattern(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		for _, name := range tt.yes {
			if !p.match(name) {
				t.Errorf("%s does not match %q", tt.pattern, name)
			}
		}
		for _, name := range tt.no {
			if p.match(name) {
				t.Errorf("%s matches %q", tt.pattern, name)
			}
		}
	}
}

func TestPatternsThatAreRefused(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                       "empty",
		"a/{b":                   "never closed",
		"a/b}":                   "without {",
		"a/{b*}":                 "neither",
		`a\`:                     "escapes nothing",
		strings.Repeat("a", 600): "too long",
		strings.Repeat("a*", 40): "too many",
	} {
		if err := CheckPattern(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckPattern(%.20q) = %v, want an error with %q", pattern, err, want)
		}
	}
}

func TestWhichRuleServesAnImage(t *testing.T) {
	src := newFakeSource()
	image := func(id, name, repository string) {
		src.add(&catalog.Package{ID: id, Owner: "acme", Type: catalog.Docker, Image: &catalog.Image{Name: name, Repository: repository, Registry: "r.test"}})
	}
	collection := func(id, pattern string, age int) {
		c := &catalog.Collection{ID: id, Owner: "acme", Pattern: pattern, Registry: "r.test"}
		c.CreatedAt = day(age)
		src.collections[id] = c
	}
	image("exact", "", "acme/app")
	image("renamed", "app", "acme/other")
	collection("all", "**", 1)
	collection("ours", "acme/*", 1)
	collection("tools", "acme/tool-*", 1)
	collection("young", "tools/*", 2)
	collection("old", "tools/*", 1)
	h := mustBuild(t, src).Host("acme.docker.base.test")
	for name, want := range map[string]string{
		"acme/app":    "exact",
		"app":         "renamed",
		"acme/other":  "ours",
		"acme/tool-x": "tools",
		"acme/x/y":    "all",
		"tools/x":     "old",
	} {
		if got := h.Image(name); got == nil || got.id() != want {
			t.Errorf("%s is served by %s, want %s", name, describe(got), want)
		}
	}
	if !h.HasImages() || mustBuild(t, newFakeSource().add(file("p", routes(route("/a"))))).Host(own).HasImages() {
		t.Error("HasImages is wrong")
	}
}

func FuzzImagePattern(f *testing.F) {
	f.Add("acme/{a, b}-*", "acme/b-x")
	f.Add("**/a*b**", "x/ab/c")
	f.Add(`\*{}`, "*")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		p, err := parseImagePattern(pattern)
		if err != nil {
			return
		}
		matches := p.match(name)
		if !strings.ContainsAny(pattern, `*{\`) && matches != (pattern == name) && len(name) <= 255 {
			t.Errorf("%q matches %q: %v", pattern, name, matches)
		}
		if matches && !strings.HasPrefix(name, p.prefix) {
			t.Errorf("%q matches %q, which does not begin with %q", pattern, name, p.prefix)
		}
	})
}
