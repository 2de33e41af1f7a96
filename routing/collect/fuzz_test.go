package collect

import (
	"bytes"
	"encoding/json"
	"strconv"
	"testing"
	"time"
	"unicode/utf8"

	"tallygate/routing/variables"
)

// FuzzParse holds the parser to its bounds, and to encoding/json's judgement of
// what a single JSON object is and what its values are.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"a":1}{"a":2}`, `[{"a":[1,{"b":null}]}]`, "{\"a\":\"\\ud83d\\ude00\xff\"}", `{"$time":1795521600,"$headers":{"a":["b"]}}`,
		`{"a":-1.5e+3,"b":{}}`, "\uFEFF{}", `{"":1}`, `{"a":{"":1}}`, `{"a":"\u0000"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		limits := DefaultLimits()
		objects, fault := Parse(body, nil, limits, now)
		if len(objects) > limits.Objects {
			t.Fatalf("%d objects", len(objects))
		}
		if fault != nil && (fault.At < 0 || fault.At > int64(len(body)) || fault.Reason == "" || fault.Status < 400 || fault.Status > 499) {
			t.Fatalf("fault %+v in %d bytes", fault, len(body))
		}
		for _, o := range objects {
			if len(o.Variables) > limits.Keys {
				t.Fatalf("%d values", len(o.Variables))
			}
			for _, v := range o.Variables {
				if v.Name == "" || len(v.Name) > variables.MaxName || len(v.Value) > variables.MaxValue || !utf8.ValidString(v.Name+v.Value) {
					t.Fatalf("variable %q = %q", v.Name, v.Value)
				}
			}
			if !o.Time.IsZero() && (o.Time.Before(now.Add(-limits.Past)) || o.Time.After(now.Add(limits.Future))) {
				t.Fatalf("time %v", o.Time)
			}
		}

		if bytes.HasPrefix(body, []byte("\uFEFF")) {
			return
		}
		var want map[string]any
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&want); err != nil || want == nil {
			if len(objects) == 1 && fault == nil && !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
				t.Fatalf("taken: %q, which encoding/json refuses: %v", body, err)
			}
			return
		}
		if len(objects) == 0 {
			if fault == nil {
				t.Fatalf("an object without object or fault: %q", body)
			}
			return // refused by a bound or a property's rule
		}
		// Names may repeat, and which one stays is then the caller's choice.
		last := map[string]string{}
		for _, v := range objects[0].Variables {
			last[v.Name] = v.Value
		}
		if len(last) != len(objects[0].Variables) {
			return
		}
		check(t, "", want, last)
	})
}

func check(t *testing.T, name string, value any, got map[string]string) {
	t.Helper()
	leaf := ""
	switch v := value.(type) {
	case nil:
		return
	case map[string]any:
		for k, child := range v {
			full := k
			if name != "" {
				full = name + "." + k
			} else if len(k) > 1 && k[0] == '$' {
				if _, plain := got[k]; !plain {
					continue
				}
			}
			check(t, full, child, got)
		}
		if len(v) > 0 || name == "" {
			return
		}
		leaf = "{}"
	case []any:
		for i, child := range v {
			full := strconv.Itoa(i)
			if name != "" {
				full = name + "." + full
			}
			check(t, full, child, got)
		}
		if len(v) > 0 {
			return
		}
		leaf = "[]"
	case bool:
		leaf = strconv.FormatBool(v)
	case json.Number:
		leaf = v.String()
	case string:
		leaf = v
	}
	if name == "" {
		return
	}
	if have, ok := got[name]; !ok || have != variables.Cut(leaf, variables.MaxValue) {
		t.Fatalf("%q = %q, %v; want %q", name, have, ok, leaf)
	}
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2026-11-24T12:00:00Z", "1795521600.25", "1e9", "0x1p3", "1_0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := ParseTime(s)
		if ok && (got.Location() != time.UTC || got.Year() < 1 || got.Year() > 9999) {
			t.Errorf("ParseTime(%q) = %v", s, got)
		}
	})
}
