package container

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseChallenges(t *testing.T) {
	params := func(pairs ...string) map[string]string {
		m := make(map[string]string)
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for _, tt := range []struct {
		name  string
		lines []string
		want  []challenge
	}{
		{
			"a registry's",
			[]string{`Bearer realm="https://auth.example/token",service="registry.example",scope="repository:acme/app:pull"`},
			[]challenge{{"bearer", params("realm", "https://auth.example/token", "service", "registry.example", "scope", "repository:acme/app:pull")}},
		},
		{
			"commas in quotes",
			[]string{`Bearer realm="https://a/?x=1,2",scope="repository:a:pull,push"`},
			[]challenge{{"bearer", params("realm", "https://a/?x=1,2", "scope", "repository:a:pull,push")}},
		},
		{
			"blanks and case",
			[]string{`BEARER  Realm = "r" ,  SERVICE=s`},
			[]challenge{{"bearer", params("realm", "r", "service", "s")}},
		},
		{"a quoted quote", []string{`Basic realm="a \"b\" \\c"`}, []challenge{{"basic", params("realm", `a "b" \c`)}}},
		{
			"two in a line",
			[]string{`Basic realm="a", Bearer realm="b",service="s"`},
			[]challenge{{"basic", params("realm", "a")}, {"bearer", params("realm", "b", "service", "s")}},
		},
		{
			"two lines",
			[]string{`Basic realm="a"`, `Bearer realm="b"`},
			[]challenge{{"basic", params("realm", "a")}, {"bearer", params("realm", "b")}},
		},
		{
			"without parameters",
			[]string{`Negotiate, Basic realm="a"`},
			[]challenge{{"negotiate", nil}, {"basic", params("realm", "a")}},
		},
		{"empty elements", []string{`, ,Bearer realm="a",,service="s", `}, []challenge{{"bearer", params("realm", "a", "service", "s")}}},
		{"a repeated parameter: the first counts", []string{`Bearer realm="a",realm="b"`}, []challenge{{"bearer", params("realm", "a")}}},
		{"an open quote", []string{`Bearer service="s",realm="a`}, []challenge{{"bearer", params("service", "s")}}},
		{"nothing", []string{""}, nil},
		{"garbage", []string{"\x00\x01=\"\""}, nil},
		{"a parameter before any scheme", []string{`realm="a"`}, []challenge{{"realm", nil}}},
		{"more than is likely", []string{strings.Repeat("a", maxChallengeBytes+1)}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := parseChallenges(tt.lines); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestDemandPicksTheChallengeThatCanBeMet(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  demand
	}{
		{"a token", []string{`Bearer realm="r",service="s"`}, demand{access: accessToken, realm: "r", service: "s"}},
		{"a token without a service", []string{`Bearer realm="r"`}, demand{access: accessToken, realm: "r"}},
		{"a token, or a login", []string{`Basic realm="b"`, `Bearer realm="r"`}, demand{access: accessToken, realm: "r"}},
		{"another token", []string{`Bearer realm="r",error="insufficient_scope"`}, demand{access: accessToken, realm: "r", insufficient: true}},
		{"a login", []string{`Basic realm="b"`}, demand{access: accessLogin, basic: true}},
		{"a token from nowhere", []string{`Bearer service="s"`}, demand{access: accessLogin}},
		{"nothing it would name", nil, demand{access: accessLogin}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := demandOf(tt.lines); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func FuzzParseChallenges(f *testing.F) {
	for _, seed := range []string{
		`Bearer realm="https://a/token",service="s",scope="repository:a:pull"`, `Basic realm="a", Bearer realm=b`,
		`Negotiate abc==, Basic realm="\""`, `Bearer realm="`, `a=b`, `,,,`, `Digest a=b, c="d", e`,
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		list := parseChallenges([]string{a, b})
		if len(list) > maxChallenges {
			t.Errorf("%d challenges", len(list))
		}
		for _, c := range list {
			if c.scheme == "" || c.scheme != strings.ToLower(c.scheme) || len(c.params) > maxParams {
				t.Errorf("challenge %+v", c)
			}
		}
	})
}
