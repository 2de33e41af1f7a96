package imageref

import (
	"errors"
	"strings"
	"testing"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestParseReadsWhatPeoplePaste(t *testing.T) {
	for text, want := range map[string]Image{
		"rocket":                                 {"docker.io", "rocket", "", ""},
		"library/rocket":                         {"docker.io", "rocket", "", ""},
		"rocket:1.2":                             {"docker.io", "rocket", "1.2", ""},
		"acme/rocket":                            {"docker.io", "acme/rocket", "", ""},
		"docker.io/rocket":                       {"docker.io", "rocket", "", ""},
		"index.docker.io/acme/rocket":            {"docker.io", "acme/rocket", "", ""},
		"ghcr.io/acme/rocket:1.2@" + digest:      {"ghcr.io", "acme/rocket", "1.2", digest},
		"GHCR.io/acme/rocket":                    {"ghcr.io", "acme/rocket", "", ""},
		"ghcr.io/acme/deep/er@" + digest:         {"ghcr.io", "acme/deep/er", "", digest},
		"localhost:5000/x":                       {"localhost:5000", "x", "", ""},
		"localhost/x":                            {"localhost", "x", "", ""},
		"[::1]:5000/x":                           {"[::1]:5000", "x", "", ""},
		"docker pull rocket":                     {"docker.io", "rocket", "", ""},
		"$ sudo docker pull ghcr.io/acme/rocket": {"ghcr.io", "acme/rocket", "", ""},
		"docker pull --platform linux/arm64 ghcr.io/acme/rocket:2": {"ghcr.io", "acme/rocket", "2", ""},
		"docker image pull -q quay.io/acme/rocket":                 {"quay.io", "acme/rocket", "", ""},
		"podman pull docker://quay.io/acme/rocket":                 {"quay.io", "acme/rocket", "", ""},
		"ctr images pull docker.io/library/rocket:1":               {"docker.io", "rocket", "1", ""},
		"  rocket\n": {"docker.io", "rocket", "", ""},
	} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
}

func TestParseRefusesWhatIsNoImage(t *testing.T) {
	for text, why := range map[string]string{
		"":                             "empty",
		"$":                            "empty",
		"https://ghcr.io/acme/rocket":  "https://",
		"acme/Rocket":                  "lowercase",
		"npm install rocket":           "neither",
		"docker rm rocket":             "neither",
		"rocket skates":                "neither",
		"docker pull":                  "neither",
		"ghcr.io/":                     "",
		"ghcr.io/acme/rocket@sha256:1": "",
		"../etc":                       "",
		digest[7:]:                     "",
		strings.Repeat("a", 4096):      "too long",
		"a\x00b":                       "",
	} {
		if got, err := Parse(text); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), why) {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"rocket", "docker pull a.b/c:d@" + digest, "[::1]:1/x", "A/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		image, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(image.Registry + "/" + image.Repository)
		if err != nil || again.Registry != image.Registry || again.Repository != image.Repository {
			t.Errorf("%q is %+v, which is %+v, %v", text, image, again, err)
		}
	})
}
