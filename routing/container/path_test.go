package container

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/distribution/reference"
)

var (
	someSHA256 = "sha256:" + strings.Repeat("0a", 32)
	someSHA512 = "sha512:" + strings.Repeat("0a", 64)
)

func TestParsePathTakesTheSpecificationsPathsApart(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		want       target
	}{
		{"the root", "/v2/", target{kind: apiBase}},
		{"the root without a slash", "/v2", target{kind: apiBase}},
		{"a tag", "/v2/acme/app/manifests/1.2.3", target{manifest, "acme/app", "1.2.3"}},
		{"a repository of one word", "/v2/app/manifests/latest", target{manifest, "app", "latest"}},
		{"a deep repository", "/v2/a/b/c/d/e/manifests/_", target{manifest, "a/b/c/d/e", "_"}},
		{"a manifest's digest", "/v2/app/manifests/" + someSHA256, target{manifest, "app", someSHA256}},
		{"a longer digest", "/v2/app/manifests/" + someSHA512, target{manifest, "app", someSHA512}},
		{"a digest of an algorithm not known here", "/v2/app/manifests/blake3+b64:" + strings.Repeat("a", 40), target{manifest, "app", "blake3+b64:" + strings.Repeat("a", 40)}},
		{"an escaped colon", "/v2/app/blobs/sha256%3a" + strings.Repeat("0a", 32), target{blob, "app", someSHA256}},
		{"a letter escaped for no reason", "/v2/%61pp/manifests/latest", target{manifest, "app", "latest"}},
		{"a blob", "/v2/acme/app/blobs/" + someSHA256, target{blob, "acme/app", someSHA256}},
		{"tags", "/v2/acme/app/tags/list", target{kind: tags, name: "acme/app"}},
		{"referrers", "/v2/acme/app/referrers/" + someSHA256, target{referrers, "acme/app", someSHA256}},
		{"a repository called manifests", "/v2/manifests/manifests/manifests", target{manifest, "manifests", "manifests"}},
		{"a repository with an end point within", "/v2/a/tags/list/b/manifests/1", target{manifest, "a/tags/list/b", "1"}},
		{"a repository called as a list of tags", "/v2/a/tags/list/tags/list", target{kind: tags, name: "a/tags/list"}},
		{"separators", "/v2/a.b/c_d/e__f/g---h/manifests/A.b_c-d", target{manifest, "a.b/c_d/e__f/g---h", "A.b_c-d"}},
		{"a repository like a host", "/v2/ghcr.io/acme/app/manifests/1", target{manifest, "ghcr.io/acme/app", "1"}},
		{"the longest name", "/v2/" + strings.Repeat("a", 255) + "/manifests/1", target{manifest, strings.Repeat("a", 255), "1"}},
		{"the longest tag", "/v2/app/manifests/" + strings.Repeat("a", 128), target{manifest, "app", strings.Repeat("a", 128)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parsePath(tt.path)
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestParsePathRefusesWhatIsNoPathOfTheSpecification(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		status     int
		code       string
	}{
		{"not under /v2/", "/v3/app/manifests/1", 404, codeUnsupported},
		{"the catalog", "/v2/_catalog", 404, codeUnsupported},
		{"nothing known", "/v2/app", 404, codeUnsupported},
		{"an end point of another API", "/v2/app/manifest/1", 404, codeUnsupported},
		{"an upload", "/v2/app/blobs/uploads/", 404, codeUnsupported},
		{"no name", "/v2/manifests/1", 404, codeUnsupported},
		{"an empty name", "/v2//manifests/1", 400, codeNameInvalid},
		{"a name that starts with a slash", "/v2//app/manifests/1", 400, codeNameInvalid},
		{"an empty segment", "/v2/acme//app/manifests/1", 400, codeNameInvalid},
		{"a parent", "/v2/../app/manifests/1", 400, codeNameInvalid},
		{"a parent within", "/v2/acme/../app/manifests/1", 400, codeNameInvalid},
		{"an escaped parent", "/v2/acme/%2e%2e/app/manifests/1", 400, codeNameInvalid},
		{"an escaped slash", "/v2/acme%2fapp/manifests/1", 400, codeNameInvalid},
		{"an escaped slash, upper case", "/v2/acme%2Fapp/manifests/1", 400, codeNameInvalid},
		{"a slash escaped twice", "/v2/acme%252fapp/manifests/1", 400, codeNameInvalid},
		{"an escaped backslash", "/v2/acme%5capp/manifests/1", 400, codeNameInvalid},
		{"a NUL", "/v2/acme%00/app/manifests/1", 400, codeNameInvalid},
		{"a line break", "/v2/acme/app/manifests/1%0d%0aX:%20y", 400, codeDigestInvalid},
		{"upper case", "/v2/Acme/app/manifests/1", 400, codeNameInvalid},
		{"another script", "/v2/äcme/app/manifests/1", 400, codeNameInvalid},
		{"a leading dot", "/v2/.acme/app/manifests/1", 400, codeNameInvalid},
		{"a trailing dash", "/v2/acme-/app/manifests/1", 400, codeNameInvalid},
		{"three underscores", "/v2/a___b/manifests/1", 400, codeNameInvalid},
		{"a name too long", "/v2/" + strings.Repeat("a", 256) + "/manifests/1", 400, codeNameInvalid},
		{"a name with a tag", "/v2/app:1/manifests/1", 400, codeNameInvalid},
		{"a name with a digest", "/v2/app@" + someSHA256 + "/manifests/1", 400, codeNameInvalid},
		{"no reference", "/v2/app/manifests/", 404, codeManifestUnknown},
		{"a tag too long", "/v2/app/manifests/" + strings.Repeat("a", 129), 404, codeManifestUnknown},
		{"a tag that starts with a dot", "/v2/app/manifests/.1", 404, codeManifestUnknown},
		{"a reference of 10 KB", "/v2/app/manifests/" + strings.Repeat("a", 10<<10), 400, codeNameInvalid},
		{"a short digest", "/v2/app/manifests/sha256:0a", 400, codeDigestInvalid},
		{"a digest of the wrong length", "/v2/app/blobs/sha256:" + strings.Repeat("0", 63), 400, codeDigestInvalid},
		{"a digest in upper case", "/v2/app/blobs/sha256:" + strings.Repeat("0A", 32), 400, codeDigestInvalid},
		{"a digest with a path", "/v2/app/blobs/sha256:" + strings.Repeat("0", 60) + "%2e%2e%2e", 400, codeDigestInvalid},
		{"a blob by tag", "/v2/app/blobs/latest", 400, codeDigestInvalid},
		{"referrers of a tag", "/v2/app/referrers/latest", 400, codeDigestInvalid},
		{"a bad escape", "/v2/app/manifests/%zz", 400, codeNameInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parsePath(tt.path)
			var e *refusal
			if !errors.As(err, &e) {
				t.Fatalf("got %+v, %v", got, err)
			}
			if e.status != tt.status || e.code != tt.code {
				t.Errorf("refused with %d %s, want %d %s", e.status, e.code, tt.status, tt.code)
			}
		})
	}
}

// What the parser takes can be put into a URL as it is, and means the same to the
// reference grammar.
func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{
		"/v2/", "/v2/acme/app/manifests/1.2", "/v2/app/blobs/" + someSHA256, "/v2/a/tags/list", "/v2/a/referrers/" + someSHA256,
		"/v2/%61/manifests/sha256%3A" + strings.Repeat("0", 64), "/v2/../a/manifests/1", "/v2/a%2fb/manifests/1", "/v2/_catalog",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got, err := parsePath(path)
		if err != nil {
			var e *refusal
			if !errors.As(err, &e) || e.status >= http.StatusInternalServerError {
				t.Errorf("%q: %v", path, err)
			}
			return
		}
		if got.kind == apiBase {
			return
		}
		text := "registry.example/" + got.name
		switch {
		case got.byDigest():
			text += "@" + got.reference
		case got.reference != "":
			text += ":" + got.reference
		}
		if _, err := reference.ParseNamed(text); err != nil && !errors.Is(err, reference.ErrReferenceInvalidFormat) {
			// Algorithms that the library has no code for are passed on.
			if !strings.Contains(err.Error(), "unsupported digest algorithm") {
				t.Errorf("%q gives %q: %v", path, text, err)
			}
		}
		ep := endpoint{"https", "registry.example", got.name}
		u, err := url.Parse(ep.url(got.rest()))
		if err != nil || u.EscapedPath() != u.Path || u.Host != "registry.example" || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("%q gives the URL %v, %v", path, u, err)
		}
		again, err := parsePath(u.Path)
		if err != nil || again != got {
			t.Errorf("%q gives %+v, which reads as %+v, %v", path, got, again, err)
		}
	})
}

// The grammar of names that is written out here is that of the library.
func FuzzValidName(f *testing.F) {
	for _, seed := range []string{"a", "a/b", "a..b", "a__b", "a___b", "a--b", "-a", "a-", "a/", "/a", "a._b", "A", "a//b", "", "a-_b", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		named, err := reference.WithName("host/" + name)
		if want := err == nil && named.Name() == "host/"+name; validName(name) != want {
			t.Errorf("validName(%q) = %v, the library says %v", name, !want, err)
		}
	})
}

func BenchmarkParsePath(b *testing.B) {
	path := "/v2/acme/rocket-skates/manifests/" + someSHA256
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parsePath(path); err != nil {
			b.Fatal(err)
		}
	}
}
