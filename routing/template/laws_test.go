package template

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/yosida95/uritemplate/v3"
	"pgregory.net/rapid"
)

// pieceGen makes the pieces of templates out of few characters, so that literals
// and values meet often.
var (
	literalGen    = rapid.SampledFrom([]string{"/", "/", "/", "a", "b", "-", ".", ",", "+", "%2F", "%25", "é", "%E9", " ", "/a", "-b", ";"})
	expressionGen = rapid.SampledFrom([]string{"{v}", "{w}", "{x}", "{+p}", "{v,w}", "{/v}", "{.w}", "{;v}", "{/v,w}", "{+p,q}", "{v}-{w}"})
	queryGen      = rapid.SampledFrom([]string{"", "", "", "{?v}", "{?y,z}", "?a=1", "?a={y}", "?a=x{y}b&c=2{&z}", "?a&b={+p}", "?k={v},{w}"})
	charGen       = rapid.SampledFrom([]string{"a", "b", "1", "-", ".", "/", ",", "+", "%", "2F", "é", " ", "?", "#", "&", "=", ";", "\xff", "日"})
)

func drawIncoming(t *rapid.T) *Incoming {
	s := "/"
	for range rapid.IntRange(0, 5).Draw(t, "pieces") {
		if rapid.Bool().Draw(t, "variable") {
			s += expressionGen.Draw(t, "expression")
		} else {
			s += literalGen.Draw(t, "literal")
		}
	}
	in, err := ParseIncoming(s + queryGen.Draw(t, "query"))
	if err != nil {
		t.Skip("not a template")
	}
	return in
}

func drawValues(t *rapid.T, in *Incoming, chars *rapid.Generator[string]) map[string]string {
	values := map[string]string{}
	for _, n := range in.Names() {
		values[n] = strings.Join(rapid.SliceOfN(chars, 1, 4).Draw(t, n), "")
	}
	return values
}

// drawURL makes a URL that the template may match: one of its expansions, or one
// with characters changed as clients do.
func drawURL(t *rapid.T, in *Incoming) string {
	url, err := in.Expand(drawValues(t, in, charGen))
	if err != nil {
		t.Fatal(err)
	}
	switch rapid.IntRange(0, 4).Draw(t, "client") {
	case 0:
		url = strings.NewReplacer("%2F", "%2f", "%C3%A9", "é").Replace(url)
	case 1:
		url = strings.NewReplacer("%2B", "+", "%2C", ",", "-", "%2D").Replace(url)
	case 2:
		i := rapid.IntRange(1, len(url)).Draw(t, "at")
		url = url[:i] + rapid.SampledFrom([]string{"a", "-", "/", "%2F", "+", "%41", "é"}).Draw(t, "inserted") + url[i:]
	}
	return url
}

// TestExpandOfMatchIsTheURL is the law: what a template finds in a URL makes that
// URL again; to the byte if the URL is written as RFC 6570 expands, and in any case
// once both are decoded.
func TestExpandOfMatchIsTheURL(t *testing.T) {
	matched := 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawIncoming(t)
		url := drawURL(t, in)
		values, ok := matchURL(in, url)
		if !ok {
			return
		}
		matched++
		again, err := in.Expand(values)
		if err != nil {
			t.Fatal(err)
		}
		if !within(again, url) {
			t.Fatalf("%s finds %q in %s, and expands it to %s", in, values, url, again)
		}
	})
	if matched < 20 {
		t.Errorf("only %d URLs matched", matched)
	}
}

// within says whether a URL is another one once both are decoded, some query
// parameters and their order aside.
func within(url, whole string) bool {
	path, params := decoded(url)
	wholePath, rest := decoded(whole)
	for _, p := range params {
		i := slices.Index(rest, p)
		if i < 0 {
			return false
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return path == wholePath
}

// decoded is a URL's path, decoded segment by segment, and its query parameters.
func decoded(url string) (path string, params [][2]string) {
	path, query, _ := strings.Cut(url, "?")
	b, _, _ := canonical(nil, nil, path, false)
	for p := range strings.SplitSeq(query, "&") {
		if p == "" {
			continue
		}
		name, value, _ := strings.Cut(p, "=")
		name, _ = decodeQuery(name)
		value, _ = decodeQuery(value)
		params = append(params, [2]string{name, value})
	}
	return string(b), params
}

// TestExpandedURLsComeBackToTheByte: a URL that RFC 6570 made is made again. Left out
// are the characters with which {+v} makes something other than a value: the
// delimiters of query and fragment, "+" for a space in a query, and a "%" that makes
// a triplet.
func TestExpandedURLsComeBackToTheByte(t *testing.T) {
	chars := charGen.Filter(func(c string) bool { return !strings.Contains("?#&+", c) })
	matched := 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawIncoming(t)
		put := drawValues(t, in, chars)
		if strings.Contains(in.String(), "{+") && anyTriplet(put) {
			return
		}
		url, err := in.Expand(put)
		if err != nil {
			t.Fatal(err)
		}
		values, ok := matchURL(in, url)
		if !ok {
			return
		}
		matched++
		again, err := in.Expand(values)
		if err != nil {
			t.Fatal(err)
		}
		if again != url {
			t.Fatalf("%s finds %q in %s, and expands it to %s", in, values, url, again)
		}
	})
	if matched < 20 {
		t.Errorf("only %d URLs matched", matched)
	}
}

// anyTriplet says whether a value holds what {+v} expands as it is.
func anyTriplet(values map[string]string) bool {
	for _, v := range values {
		for i := range len(v) {
			if _, ok := triplet(v, i); ok {
				return true
			}
		}
	}
	return false
}

// TestMatchOfExpandIsTheValues: whatever was put in comes out, as long as no value
// holds a character of a literal or an encoding that {+v} can't tell apart.
func TestMatchOfExpandIsTheValues(t *testing.T) {
	for _, tmpl := range []string{
		"/f/{v}", "/f/{v}/app-{v}.zip", "/{a}-{b}-{c}", "/{a,b}", "/x{/a,b}", "/x{.a,b}", "/x{;a,b}", "/x{?a,b}", "/x?k=1{&a}",
		"/f/{+p}/end", "/f/{+p}", "/get?file=app-{v}.zip&p={p}", "/{v}?v={v}", "/{a}-{b}?q={c}.{d}",
	} {
		in := mustIncoming(t, tmpl)
		t.Run(tmpl, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				literals := tmpl
				for _, n := range in.Names() {
					literals = strings.ReplaceAll(literals, n, "")
				}
				chars := rapid.SampledFrom([]string{"1", "2", "Z", "_", "~", "é", "日", " ", "%", "+", ":", "@", "!", "\xff", "\"", "<", "|"}).
					Filter(func(c string) bool { return !strings.Contains(literals, c) })
				values := drawValues(t, in, chars)
				if strings.Contains(tmpl, "{+") && anyTriplet(values) {
					return
				}
				url, err := in.Expand(values)
				if err != nil {
					t.Fatal(err)
				}
				got, ok := matchURL(in, url)
				if !ok || !maps.Equal(got, values) {
					t.Fatalf("%s with %q is %s, in which it finds %q, %v", tmpl, values, url, got, ok)
				}
			})
		})
	}
}

// TestOutgoingExpandsLikeTheLibrary compares two implementations where both are
// right: uritemplate expands text outside ASCII by code point, and triplets under
// {+v} twice.
func TestOutgoingExpandsLikeTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tmpl := ""
		for range rapid.IntRange(1, 6).Draw(t, "pieces") {
			tmpl += rapid.SampledFrom([]string{
				"a", "/", "-", "%41", "{v}", "{+v}", "{#v}", "{.v}", "{/v}", "{;v}", "{?v}", "{&v}", "{v,w}", "{+v,w}", "{#v,w}",
				"{.v,w}", "{/v,w}", "{;v,w}", "{?v,w}", "{&v,w}", "{v:2}", "{+v:3}", "{/v:1,w}", "{?v:2}", "{v*}", "{?w*}",
			}).Draw(t, "piece")
		}
		values := map[string]string{}
		library := uritemplate.Values{}
		for _, n := range []string{"v", "w"} {
			if rapid.IntRange(0, 3).Draw(t, "defined") > 0 {
				values[n] = rapid.StringOfN(rapid.RuneFrom([]rune("ab1-./,+:?#&= \"<~!*'()")), 0, 6, -1).Draw(t, n)
				library.Set(n, uritemplate.String(values[n]))
			}
		}
		names := []string{"v", "w"}
		o, err := expander(tmpl, names)
		if err != nil {
			t.Fatal(err)
		}
		var c Captures
		c.Reset(len(names))
		for i, n := range names {
			if v, ok := values[n]; ok {
				c.vars[i] = textCapture(v)
			}
		}
		got := string(o.append(nil, o.all(), &c))
		want, err := uritemplate.MustNew(tmpl).Expand(library)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("%q with %q expands to %q, the library says %q", tmpl, values, got, want)
		}
	})
}
