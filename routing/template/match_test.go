package template

import (
	"maps"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	type values = map[string]string
	for _, tt := range []struct {
		name, template, url string
		want                values // nil: no match
	}{
		{"a literal path matches itself", "/a/b", "/a/b", values{}},
		{"a literal path does not match a longer one", "/a/b", "/a/b/", nil},
		{"a variable takes one segment", "/f/{v}/x", "/f/1.0/x", values{"v": "1.0"}},
		{"a variable does not cross a slash", "/f/{v}/x", "/f/1/0/x", nil},
		{"a variable is never empty", "/f/{v}/x", "/f//x", nil},
		{"two variables in a segment: the first takes the longest", "/r-{p}-{v}.tar.gz", "/r-linux-x64-1.0.tar.gz", values{"p": "linux-x64", "v": "1.0"}},
		{"a repeated variable must be equal", "/{v}/r-{v}.zip", "/1.0/r-1.0.zip", values{"v": "1.0"}},
		{"a repeated variable that differs", "/{v}/r-{v}.zip", "/1.0/r-1.1.zip", nil},
		{"a repeated variable may force a shorter reading", "/{a}-{a}-x", "/1-1-x", values{"a": "1"}},
		{"{+v} crosses segments", "/f/{+v}", "/f/a/b/c", values{"v": "a/b/c"}},
		{"{+v} before a suffix", "/f/{+v}/x.zip", "/f/a/x.zip/x.zip", values{"v": "a/x.zip"}},
		{"{+v} is never empty", "/f/{+v}", "/f/", nil},
		{"{a,b} is separated by a comma", "/{a,b}", "/1,2", values{"a": "1", "b": "2"}},
		{"{/a,b} is two segments", "/f{/a,b}", "/f/1/2", values{"a": "1", "b": "2"}},
		{"{.a} is an extension", "/f{.a}", "/f.zip", values{"a": "zip"}},
		{"{;a,b} is matrix parameters", "/f{;a,b}/x", "/f;a=1;b=2/x", values{"a": "1", "b": "2"}},
		{"{?a,b} in any order", "/f{?a,b}", "/f?b=2&a=1", values{"a": "1", "b": "2"}},
		{"{?a} among others", "/f{?a}", "/f?x=0&a=1&y=2", values{"a": "1"}},
		{"{?a} is required", "/f{?a}", "/f?b=1", nil},
		{"{?a} is never empty", "/f{?a}", "/f?a=", nil},
		{"{&a} after a literal query", "/f?k=1{&a}", "/f?a=2&k=1", values{"a": "2"}},
		{"a literal parameter is required", "/f?k=1", "/f?k=2", nil},
		{"a literal parameter without a value", "/f?k", "/f?k", values{}},
		{"any of several parameters of that name", "/f?k=1", "/f?k=0&k=1", values{}},
		{"a parameter with literals around its variable", "/get?file=app-{v}.zip", "/get?file=app-1.0.zip", values{"v": "1.0"}},
		{"path and query agree on a variable", "/{v}?v={v}", "/1?v=1", values{"v": "1"}},
		{"path and query disagree on a variable", "/{v}?v={v}", "/1?v=2", nil},

		{"values are decoded", "/f/{v}", "/f/a%20b%C3%A9", values{"v": "a bé"}},
		{"an encoded slash does not separate", "/f/{v}", "/f/a%2Fb", values{"v": "a/b"}},
		{"an encoded percent sign is one", "/f/{v}", "/f/100%25", values{"v": "100%"}},
		{"decoded once", "/f/{v}", "/f/a%252Fb", values{"v": "a%2Fb"}},
		{"lower-case hex", "/caf%C3%A9/{v}", "/caf%c3%a9/a%2fb", values{"v": "a/b"}},
		{"raw é in the URL", "/caf%C3%A9/{v}", "/café/é", values{"v": "é"}},
		{"raw é in the template", "/café/{v}", "/caf%C3%A9/1", values{"v": "1"}},
		{"raw space", "/my file/{v}", "/my%20file/a b", values{"v": "a b"}},
		{"raw plus in a value", "/f/{v}.zip", "/f/1.0+build.zip", values{"v": "1.0+build"}},
		{"encoded plus in a value", "/f/{v}.zip", "/f/1.0%2Bbuild.zip", values{"v": "1.0+build"}},
		{"encoded plus for a literal one", "/c++/{v}", "/c%2B%2b/1", values{"v": "1"}},
		{"an unreserved character encoded", "/~me/{v}", "/%7Eme/%41", values{"v": "A"}},
		{"a malformed triplet", "/f/{v}", "/f/a%2", nil},
		{"bytes that are not UTF-8", "/f/{v}", "/f/%FF", values{"v": "\xff"}},
		{"{+v} keeps reserved characters encoded", "/f/{+v}", "/f/a%2Fb/c%3Fd%20e", values{"v": "a%2Fb/c%3Fd e"}},
		{"{+v} keeps what a percent sign would make", "/f/{+v}", "/f/%2541/100%25", values{"v": "%2541/100%"}},
		{"an encoded delimiter is not a delimiter", "/{a},{b}", "/1,2%2C3", values{"a": "1", "b": "2,3"}},
		{"an encoded delimiter is one when nothing else fits", "/{a},{b}", "/1%2C2", values{"a": "1", "b": "2"}},
		{"a plus is a space in a query", "/f{?v}", "/f?v=a+b%2Bc", values{"v": "a b+c"}},
		{"a slash in a query, either way", "/f?p=a/{v}", "/f?p=a%2Fb", values{"v": "b"}},
		{"an encoded parameter name", "/f?my%20key={v}", "/f?my+key=1", values{"v": "1"}},
		{"neighbours split between characters", "/{a}{b}", "/éé", values{"a": "é", "b": "é"}},
		{"no end inside an encoded slash", "/{a}2Fx", "/a%2Fx", nil},
		{"dots in names", "/{a.b}", "/1", values{"a.b": "1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := matchURL(mustIncoming(t, tt.template), tt.url)
			if ok != (tt.want != nil) {
				t.Fatalf("%s on %s: matches %v, %v", tt.template, tt.url, ok, got)
			}
			if ok && !maps.Equal(got, tt.want) {
				t.Errorf("%s on %s = %q, want %q", tt.template, tt.url, got, tt.want)
			}
		})
	}
}

func TestIncomingTemplatesThatAreRefused(t *testing.T) {
	for tmpl, want := range map[string]string{
		"":                                   "begins with",
		"a/{v}":                              "begins with",
		"{v}":                                "begins with",
		"?/":                                 "begins with",
		"{?v}":                               "begins with",
		"/{#v}":                              "fragment",
		"/a#b":                               "fragment",
		"/{v*}":                              "explode",
		"/{v:3}":                             "prefix",
		"/{&v}":                              "not begun",
		"/a?b=1{?v}":                         "begun already",
		"/a?{v}=1":                           "not its name",
		"/a?b{/v}":                           "no place in the query",
		"/a?=1":                              "without a name",
		"/{v}/{+v}":                          "differ",
		"/{v":                                "never closed",
		"/v}":                                "without {",
		"/{}":                                "names no variable",
		"/{my-var}":                          "not a variable name",
		"/{=v}":                              "reserved",
		"/100%":                              "two hex digits",
		"/a/../b":                            "resolve",
		"/a\nb":                              "control",
		"/\xff":                              "UTF-8",
		"/" + strings.Repeat("a", MaxLength): "too long",
		"/" + strings.Repeat("{a}-", 65):     "too many",
	} {
		if _, err := ParseIncoming(tmpl); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseIncoming(%.40q) = %v, want an error with %q", tmpl, err, want)
		}
	}
}
