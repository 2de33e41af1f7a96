package document

import (
	"strings"
	"testing"
)

func TestAnImageIsNamedByWhatPeoplePaste(t *testing.T) {
	doc, err := parsed("owner: acme\npackages:\n" +
		"  - {name: a, type: docker, image: 'docker pull ghcr.io/acme/rocket:1.2'}\n" +
		"  - {name: b, type: docker, image: alpine, public_name: acme/base}\n" +
		"  - {name: c, type: docker, image: 'localhost:5000/x'}\n")
	if err != "" {
		t.Fatal(err)
	}
	for i, want := range []string{"ghcr.io acme/rocket acme/rocket", "docker.io alpine acme/base", "localhost:5000 x x"} {
		img := doc.Packages[i].Image
		if got := img.Registry + " " + img.Repository + " " + img.PublicName(); got != want {
			t.Errorf("%d is %s, want %s", i, got, want)
		}
	}
	for entry, want := range map[string]string{
		"image: a/b, backend_registry: ghcr.io": "already",
		"image: acme/Rocket":                    "lowercase",
		"image: 'https://ghcr.io/acme/rocket'":  "leave out",
		"image: ''":                             "empty",
		"image: [a]":                            "image",
	} {
		if _, err := parsed("owner: acme\npackages:\n  - {name: a, type: docker, " + entry + "}\n"); !strings.Contains(err, want) {
			t.Errorf("%s: %q", entry, err)
		}
	}
	if _, err := parsed("owner: acme\npackages:\n  - {name: a, type: python, image: a/b}\n"); !strings.Contains(err, "docker") {
		t.Errorf("a python package with an image: %q", err)
	}
}

// parsed is a file's document, and its problems as one text.
func parsed(file string) (*Document, string) {
	doc, problems := Parse("catalog.yaml", []byte(file))
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.Path + ": " + p.Message + " " + p.Fix + "\n")
	}
	return doc, b.String()
}
