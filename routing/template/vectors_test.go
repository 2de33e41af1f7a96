package template

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// vectorDir holds the test vectors of RFC 6570 and their extensions, beside the
// checkout: they are not ours to copy.
const vectorDir = "../../../shared/reference/uri-template-vectors"

type vectorGroup struct {
	Level     int                        `json:"level"`
	Variables map[string]json.RawMessage `json:"variables"`
	Cases     [][]json.RawMessage        `json:"testcases"`
}

func readVectors(t *testing.T, name string) map[string]vectorGroup {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectorDir, name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the test vectors are not here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var groups map[string]vectorGroup
	if err := json.Unmarshal(b, &groups); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return groups
}

// TestVectors expands the RFC's own examples and their extensions: with Expand all
// of them, with Outgoing those whose values are text, all that a URL can bring.
func TestVectors(t *testing.T) {
	outgoing, all := 0, 0
	for _, file := range []string{"spec-examples.json", "spec-examples-by-section.json", "extended-tests.json"} {
		for name, group := range readVectors(t, file) {
			t.Run(file+"/"+name, func(t *testing.T) {
				values, texts := decodeValues(t, group.Variables)
				for _, c := range group.Cases {
					tmpl, want := decodeCase(t, c)
					all++
					if got, err := Expand(tmpl, values); err != nil || !slices.Contains(want, got) {
						t.Errorf("Expand(%q) = %q, %v, want one of %q", tmpl, got, err, want)
					}
					names, ok := variablesOf(t, tmpl, texts)
					if !ok {
						continue
					}
					outgoing++
					if got := expandOutgoing(t, tmpl, names, texts); !slices.Contains(want, got) {
						t.Errorf("%q as an outgoing template expands to %q, want one of %q", tmpl, got, want)
					}
				}
			})
		}
	}
	t.Logf("%d vectors, %d of them with text values only", all, outgoing)
	if !t.Failed() && (all < 200 || outgoing < 100) {
		t.Errorf("only %d vectors were tried, %d of them as outgoing templates", all, outgoing)
	}
}

func TestMalformedTemplatesOfTheVectorsAreRefused(t *testing.T) {
	for name, group := range readVectors(t, "negative-tests.json") {
		_, texts := decodeValues(t, group.Variables)
		for _, c := range group.Cases {
			tmpl, _ := decodeCase(t, c)
			// Modifiers on composite values fail at expansion only; ours can't have any.
			if tmpl == "{keys:1}" || tmpl == "{+keys:1}" {
				continue
			}
			names := slices.Collect(func(yield func(string) bool) {
				for n := range texts {
					if !yield(n) {
						return
					}
				}
			})
			if _, err := expander(tmpl, append(names, "list", "keys", "default-graph-uri")); err == nil {
				t.Errorf("%s: %q is accepted", name, tmpl)
			}
		}
	}
}

// decodeValues reads the variables: all of them, and those that are text.
func decodeValues(t *testing.T, raw map[string]json.RawMessage) (map[string]Value, map[string]*string) {
	t.Helper()
	values, texts := map[string]Value{}, map[string]*string{}
	for name, b := range raw {
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		switch v := v.(type) {
		case nil:
			texts[name] = nil
		case string:
			values[name] = Value{Text: v}
			texts[name] = &v
		case float64:
			s := string(b)
			values[name] = Value{Text: s}
			texts[name] = &s
		case []any:
			list := make([]string, len(v))
			for i := range v {
				list[i], _ = v[i].(string)
			}
			values[name] = Value{List: list}
		case map[string]any:
			pairs := [][2]string{}
			for _, k := range orderedKeys(t, b) {
				if s, ok := v[k].(string); ok {
					pairs = append(pairs, [2]string{k, s})
				}
			}
			values[name] = Value{Pairs: pairs}
		}
	}
	return values, texts
}

func orderedKeys(t *testing.T, b []byte) []string {
	t.Helper()
	var keys []string
	d := json.NewDecoder(bytesReader(b))
	for depth := 0; ; {
		tok, err := d.Token()
		if err != nil {
			return keys
		}
		switch tok := tok.(type) {
		case json.Delim:
			if tok == '{' || tok == '[' {
				depth++
			} else {
				depth--
			}
		case string:
			if depth == 1 {
				keys = append(keys, tok)
				var skip json.RawMessage
				if err := d.Decode(&skip); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func decodeCase(t *testing.T, c []json.RawMessage) (tmpl string, want []string) {
	t.Helper()
	if err := json.Unmarshal(c[0], &tmpl); err != nil {
		t.Fatal(err)
	}
	var one string
	if json.Unmarshal(c[1], &one) == nil {
		return tmpl, []string{one}
	}
	_ = json.Unmarshal(c[1], &want) // false: no expansion
	return tmpl, want
}

// variablesOf lists a template's variables if all of them are text or undefined.
func variablesOf(t *testing.T, tmpl string, texts map[string]*string) ([]string, bool) {
	t.Helper()
	tokens, err := tokenize(tmpl)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tok := range tokens {
		for _, v := range tok.vars {
			if _, ok := texts[v.name]; !ok && v.name != "undef" {
				return nil, false
			}
			names = append(names, v.name)
		}
	}
	return names, true
}

func expandOutgoing(t *testing.T, tmpl string, names []string, texts map[string]*string) string {
	t.Helper()
	o, err := expander(tmpl, names)
	if err != nil {
		t.Fatalf("%q: %v", tmpl, err)
	}
	var c Captures
	c.Reset(len(names))
	for i, n := range names {
		if v := texts[n]; v != nil {
			c.vars[i] = textCapture(*v)
		}
	}
	return string(o.append(nil, o.all(), &c))
}

// textCapture is a value that comes from no URL.
func textCapture(s string) capture { return capture{text: s, from: fromQuery, set: true} }
