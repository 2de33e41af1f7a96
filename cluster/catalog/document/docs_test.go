package document

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestTheExamplesOfTheDocumentationAreRight applies every example of
// docs/catalog.md.
func TestTheExamplesOfTheDocumentationAreRight(t *testing.T) {
	text, err := os.ReadFile("../../../docs/catalog.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	if len(examples) < 10 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, m := range examples {
		example := string(m[1])
		if strings.HasPrefix(example, "  - ") {
			example = "packages:\n" + example
		}
		w := newWorld(t)
		w.apply("organizations: [{name: acme}]\npackages: [{owner: acme, name: rocket, type: npm}]\n")
		w.opts.Owner = "acme"
		w.apply(example)
		w.unchanged(example)
	}
}

// TestTheDocumentationNamesEveryKey keeps it complete.
func TestTheDocumentationNamesEveryKey(t *testing.T) {
	text, err := os.ReadFile("../../../docs/catalog.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^[ {-]*([a-z_]+):`).FindAllStringSubmatch(full, -1) {
		if key := m[1]; !strings.Contains(string(text), key+":") && !strings.Contains(string(text), "`"+key+"`") {
			t.Errorf("%q is not in docs/catalog.md", key)
		}
	}
}
