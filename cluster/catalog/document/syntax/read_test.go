package syntax

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

// entries lists what a file holds as "document path value@line:column".
func entries(t *testing.T, name, data string) (out, problems []string) {
	t.Helper()
	r := &Reader{File: name}
	r.Read([]byte(data), func(e Entry) {
		out = append(out, fmt.Sprintf("%d %s %s@%d:%d", e.Document, e.Path, show(e.Value), e.Value.Line, e.Value.Column))
	})
	for _, p := range r.Finish() {
		problems = append(problems, p.Error())
	}
	return out, problems
}

func show(n *Node) string {
	n = Follow(n)
	var parts []string
	for _, c := range n.Content {
		parts = append(parts, show(c))
	}
	switch n.Kind {
	case yaml.MappingNode:
		return "{" + strings.Join(parts, " ") + "}"
	case yaml.SequenceNode:
		return "[" + strings.Join(parts, " ") + "]"
	}
	return n.Value
}

func TestEveryTopLevelValueIsAnEntry(t *testing.T) {
	for _, c := range []struct {
		name, data string
		want       []string
	}{
		{"block lists", "a:\n  - x: 1\n    y: 2\n  # why\n  - z\nb:\n- q\n", []string{
			"0 a[0] {x 1 y 2}@2:5", "0 a[1] z@5:5", "0 b[0] q@7:3",
		}},
		{"flow lists and plain values", "owner: acme # me\na: [x,\n  y]\nb: []\n", []string{
			"0 owner acme@1:8", "0 a[0] x@2:5", "0 a[1] y@3:3", "0 b []@4:4",
		}},
		{"several documents", "# first\n---\na:\n - x\n---\nb: 1\n...\n# the end\n", []string{
			"0 a[0] x@4:4", "1 b 1@6:4",
		}},
		{"a document on the line of its marker", "--- {a: [x]}\n", []string{"0 a[0] x@1:10"}},
		{"directives", "%YAML 1.1\n---\na:\n - x\n", []string{"0 a[0] x@4:4"}},
		{"a block scalar that looks like a list", "a:\n  - |\n    - no\n     - no\n  - yes\n", []string{
			"0 a[0] - no\n - no\n@2:5", "0 a[1] yes@5:5",
		}},
		{"a quoted scalar cut by what looks like an element", "a:\n  - \"x\n  - y\"\n  - z\n", []string{
			"0 a[0] x - y@2:5", "0 a[1] z@4:5",
		}},
		{"aliases over entries", "x-one: &one {p: 1}\na:\n  - *one\n  - <<: *one\n", []string{
			"0 x-one {p 1}@1:8", "0 a[0] {p 1}@3:5", "0 a[1] {<< {p 1}}@4:5",
		}},
		{"windows line ends", "a:\r\n  - x\r\n  - y\r\n", []string{"0 a[0] x@2:5", "0 a[1] y@3:5"}},
		{"a byte order mark", "\ufeffa:\n  - x\n", []string{"0 a[0] x@2:5"}},
		{"JSON", "{\"a\": [{\"x\": 1.50},\n null], \"é\": \"\\ud83d\\ude80\"}", []string{
			"0 a[0] {x 1.50}@1:8", "0 a[1] null@2:2", "0 é 🚀@2:14",
		}},
		{"JSON documents one after the other", "{\"a\": 1}\n{\"a\": []}", []string{"0 a 1@1:7", "1 a []@2:7"}},
		{"YAML that looks like JSON", "{a: [x, # why\n 'y']}\n", []string{"0 a[0] x@1:6", "0 a[1] y@2:2"}},
		{"nothing", "# only words\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, problems := entries(t, "f.yaml", c.data)
			if !reflect.DeepEqual(got, c.want) || len(problems) > 0 {
				t.Errorf("got  %q\nwant %q\nproblems %q", got, c.want, problems)
			}
		})
	}
}

func TestMistakesOfSyntaxHideNothingElse(t *testing.T) {
	got, problems := entries(t, "f.yaml", strings.Join([]string{
		"a:",
		"  - name: good",
		"  - name: bad: worse",
		"  - {path: /dl/{version}, x: y}",
		"  - name: fine",
		"b:",
		"\t- tab",
		"c:",
		"  - last",
	}, "\n"))
	want := []string{"0 a[0] {name good}@2:5", "0 a[3] {name fine}@5:5", "0 c[0] last@9:5"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	for i, prefix := range []string{"f.yaml:3:", "f.yaml:4:", "f.yaml:7:"} {
		if i >= len(problems) || !strings.HasPrefix(problems[i], prefix) {
			t.Errorf("problem %d is not at %s: %q", i, prefix, problems)
		}
	}
}

func TestBrokenFilesNameThePlace(t *testing.T) {
	for _, c := range []struct{ name, file, data, want string }{
		{"not UTF-8", "f.yaml", "a: x\nb: y\xffz", "f.yaml:2:5: this byte is not UTF-8; save the file with the encoding UTF-8"},
		{"a list at the top", "f.yaml", "- x\n", "f.yaml:1:1: the top of the file is not a mapping; start it with a key, as in \"packages:\""},
		{"JSON with a comma too many", "f.json", "{\n\"a\": [1,]}", "f.json:2:9: this is not JSON: invalid character ']' looking for beginning of value"},
		{"JSON cut short", "f.json", "{\"a\": [1", "f.json:1:9: this is not JSON: the file ends too early"},
		{"an unknown anchor", "f.yaml", "a:\n  - *x\n", "f.yaml:2:3: this is not YAML: unknown anchor 'x' referenced; put a value that starts with \"*\" into quotes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := entries(t, c.file, c.data)
			if len(problems) != 1 || problems[0] != c.want {
				t.Errorf("got  %q\nwant %q", problems, c.want)
			}
		})
	}
}

// TestPiecesReadLikeTheWhole compares reading in pieces with reading at once.
func TestPiecesReadLikeTheWhole(t *testing.T) {
	line := rapid.SampledFrom([]string{
		"a:", "b:", "a: 1", "  - x", "- x", "  - k: v", "    l: w", "  - |", "    text", "   - text", "  - \"open",
		"    close\"", "  - [1,", "    2]", "# c", "", "x: &a {k: v}", "  - *a", "  - 'it''s", "---", "  -", "    - n", "b: [", "]",
	})
	rapid.Check(t, func(t *rapid.T) {
		data := strings.Join(rapid.SliceOfN(line, 0, 12).Draw(t, "lines"), "\n")
		var pieced, whole []string
		r := &Reader{File: "f"}
		r.Read([]byte(data), func(e Entry) { pieced = append(pieced, e.Path+show(e.Value)) })
		if len(r.Problems) > 0 {
			return
		}
		texts, lines := documents([]byte(data))
		number := 0
		for i := range texts {
			top, err := parseYAML(texts[i], lines[i])
			if err != nil {
				t.Fatalf("the pieces of %q parse, the whole doesn't: %v", data, err)
			}
			if top != nil {
				emit(number, top, func(e Entry) { whole = append(whole, e.Path+show(e.Value)) })
				number++
			}
		}
		if !reflect.DeepEqual(pieced, whole) {
			t.Fatalf("%q\npieces %q\nwhole  %q", data, pieced, whole)
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"a:\n  - x: 1\n", "{\"a\": [1]}", "---\na: [x]\n...\n", "%YAML 1.1\n---\n- x", "a: &x\n  - *x\n", "a:\n\t- x", "\"a\":\n- ? x\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &Reader{File: "f"}
		r.Read(data, func(e Entry) {
			if m := r.Mapping(e.Value, e.Path); m != nil {
				m.Text("a")
				m.Texts("b")
				m.Close(nil)
			}
		})
		for _, p := range r.Finish() {
			if p.Message == "" || p.File == "" {
				t.Fatalf("a problem says nothing: %+v", p)
			}
		}
	})
}
