package catalog

import (
	"strings"
	"unique"

	"github.com/distribution/reference"
)

// Image is where a docker package's repository is really hosted.
type Image struct {
	// Name is the repository clients ask for, as in DOMAIN/Name. Empty: the
	// same as Repository.
	Name       string `json:"name,omitempty"`
	Registry   string `json:"registry"`   // host[:port] of the backend registry
	Repository string `json:"repository"` // repository at the backend

	// FailoverRegistries are further registries holding the same repository.
	FailoverRegistries []string `json:"failover_registries,omitempty"`

	// AlwaysProxy keeps manifests from being redirected even where the backend
	// would allow it.
	AlwaysProxy bool `json:"always_proxy,omitempty"`

	// PlainHTTP speaks http to the backend. Only operators may set it.
	PlainHTTP bool `json:"plain_http,omitempty"`

	PrivatePulls
}

// PrivatePulls says whether clients may pull with credentials of their own, and
// whom these may reach.
type PrivatePulls struct {
	// AllowPrivatePulls passes clients' credentials on to the token server of the
	// registry. Without it no credentials leave the gateway.
	AllowPrivatePulls bool `json:"allow_private_pulls,omitempty"`

	// TokenHost is the host[:port] of the token server that credentials may be
	// sent to, where it is neither the registry's own host nor one that is known
	// to belong to a public registry.
	TokenHost string `json:"token_host,omitempty"`
}

func (p *PrivatePulls) checked(c *checker, prefix string) {
	switch {
	case p.TokenHost == "":
	case !p.AllowPrivatePulls:
		c.fail(prefix+"token_host", CodeFieldNotForType, "credentials are sent there only where allow_private_pulls is true")
	default:
		p.TokenHost = c.registry(prefix+"token_host", p.TokenHost)
	}
}

// PublicName is the repository that clients ask for.
func (i *Image) PublicName() string {
	if i.Name != "" {
		return i.Name
	}
	return i.Repository
}

// checked checks the image and gives a copy to keep.
func (i *Image) checked(c *checker, before *Package) *Image {
	img := *i
	img.Registry = c.registry("image.registry", img.Registry)
	c.imageName("image.repository", img.Repository)
	if img.Name != "" {
		c.imageName("image.name", img.Name)
		if img.Name == img.Repository {
			img.Name = img.Repository // one string in memory
		}
	}
	if c.count("image.failover_registries", len(img.FailoverRegistries), MaxFailovers) {
		img.FailoverRegistries = append([]string(nil), img.FailoverRegistries...)
		for j, r := range img.FailoverRegistries {
			img.FailoverRegistries[j] = c.registry(at("image.failover_registries", j, ""), r)
		}
	}
	img.PrivatePulls.checked(c, "image.")
	c.operatorOnly("image.plain_http", img.PlainHTTP &&
		(before == nil || before.Image == nil || !before.Image.PlainHTTP))
	return &img
}

// registry checks the host[:port] of a backend registry. It gives a copy that
// shares its memory with the others: most images are on a few registries.
func (c *checker) registry(field, s string) string {
	switch {
	case s == "":
		c.fail(field, CodeRegistryIsEmpty, "must name the registry, such as docker.io or ghcr.io")
		return s
	case !c.text(field, s, MaxNameBytes):
		return s
	case strings.ContainsAny(s, "/@?#"):
		c.fail(field, CodeRegistryInvalidCharacters, "must be a host, or host:port, without a scheme or path")
		return s
	case strings.ToLower(s) != s:
		c.fail(field, CodeRegistryInvalidCharacters, "must be in lower case: write %s", quoted(strings.ToLower(s)))
		return s
	}
	if err := checkHostPort(s); err != nil {
		c.fail(field, CodeRegistryInvalidCharacters, "%s", err)
		return s
	}
	return unique.Make(s).Value()
}

// imageName checks a repository name by the grammar of distribution/reference
// (path-component with "/" between, in lower case).
func (c *checker) imageName(field, name string) {
	switch {
	case len(name) > MaxImageNameBytes:
		c.fail(field, CodeImageNameTooLong, "is %d bytes long; an image name has at most %d", len(name), MaxImageNameBytes)
		return
	case name == "":
		c.fail(field, CodeImageNameEmptySegments, "must not be empty")
		return
	case name[0] == '/' || name[len(name)-1] == '/' || strings.Contains(name, "//"):
		c.fail(field, CodeImageNameEmptySegments, "%s has an empty segment; write it like acme/app", quoted(name))
		return
	}
	// A host is put before the name, or its first segment might pass for one.
	named, err := reference.WithName("registry.invalid/" + name)
	if err != nil || reference.Path(named) != name {
		c.fail(field, CodeImageNameInvalidCharacters,
			"%s is not an image name; use a-z, 0-9, \".\", \"_\", \"-\" and \"/\", without a tag or digest", quoted(name))
	}
}

// imagePattern checks the pattern of a collection: an image name whose segments
// may hold "*" (anything within the segment), "**" (alone in its segment: any
// number of segments) and "{a, b}" (one of these).
func (c *checker) imagePattern(field, pattern string) {
	invalid := func(format string, args ...any) {
		c.fail(field, CodePatternIsInvalid, format, args...)
	}
	switch {
	case pattern == "":
		c.fail(field, CodePatternIsEmpty, "must not be empty; \"**\" takes every image")
		return
	case !c.text(field, pattern, MaxImageNameBytes):
		return
	case strings.ContainsFunc(pattern, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("._-/*{}, ", r)
	}):
		c.fail(field, CodePatternInvalidCharacters,
			"%s has characters that image names don't have; use a-z, 0-9, \".\", \"_\", \"-\", \"/\", \"*\" and \"{a, b}\"", quoted(pattern))
		return
	}
	for segment := range strings.SplitSeq(pattern, "/") {
		switch {
		case segment == "":
			invalid("has an empty segment; write it like acme/*")
			return
		case segment == "**":
			continue
		case strings.Contains(segment, "**"):
			invalid("%s: \"**\" must stand alone between slashes", quoted(segment))
			return
		}
		if !checkAlternatives(segment) {
			invalid("%s: alternatives are written {a, b}, within one segment and not inside each other", quoted(segment))
			return
		}
	}
}

// checkAlternatives checks the braces of one segment of a pattern.
func checkAlternatives(segment string) bool {
	for {
		before, rest, found := strings.Cut(segment, "{")
		if strings.ContainsAny(before, "}, ") {
			return false
		}
		if !found {
			return true
		}
		inside, after, closed := strings.Cut(rest, "}")
		if !closed || strings.Contains(inside, "{") {
			return false
		}
		for alternative := range strings.SplitSeq(inside, ",") {
			if a := strings.TrimSpace(alternative); a == "" || strings.Contains(a, " ") {
				return false
			}
		}
		segment = after
	}
}

// takesEverything says whether a pattern names no owner's images but whatever a
// registry holds: its first segment has no letter or digit of its own. A host with
// such a collection is a relay for the whole registry.
func takesEverything(pattern string) bool {
	first, _, _ := strings.Cut(pattern, "/")
	return first != "" && !strings.ContainsFunc(first, func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
	})
}
