package container

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/distribution/reference"
)

// kind is what a path under /v2/ asks for.
type kind uint8

// The end points of the distribution specification that read.
const (
	apiBase   kind = iota + 1 // end-1: /v2/
	manifest                  // end-3
	blob                      // end-2
	tags                      // end-8
	referrers                 // end-12
)

// String is the kind as a label of metrics.
func (k kind) String() string {
	switch k {
	case apiBase:
		return "base"
	case manifest:
		return "manifest"
	case blob:
		return "blob"
	case tags:
		return "tags"
	case referrers:
		return "referrers"
	}
	return "other"
}

// target is a path under /v2/ taken apart.
type target struct {
	kind      kind
	name      string // the repository, as the client calls it
	reference string // of manifests: a tag or a digest; of blobs and referrers: a digest
}

// byDigest says whether the reference is a digest. A tag has no colon.
func (t target) byDigest() bool { return strings.IndexByte(t.reference, ':') >= 0 }

// rest is the path after the repository, for a request to a registry. Tags and
// digests need no escaping.
func (t target) rest() string {
	switch t.kind {
	case manifest:
		return "manifests/" + t.reference
	case blob:
		return "blobs/" + t.reference
	case referrers:
		return "referrers/" + t.reference
	default:
		return "tags/list"
	}
}

// maxPath is the longest path, in bytes, that can hold a valid name (255) and
// reference, even with every byte of them escaped.
const maxPath = 2048

// parsePath takes an escaped path apart. Names and references are checked by the
// grammar of package reference, so that nothing in them can change the meaning of
// a URL they are put into: no "..", no empty segment, no escaped slash.
func parsePath(escaped string) (target, error) {
	if escaped == "/v2" || escaped == "/v2/" {
		return target{kind: apiBase}, nil
	}
	rest, ok := strings.CutPrefix(escaped, "/v2/")
	if !ok {
		return target{}, refuse(http.StatusNotFound, codeUnsupported, "there is no such path in the registry API")
	}
	if len(rest) > maxPath {
		return target{}, refuse(http.StatusBadRequest, codeNameInvalid, "repository name or reference is too long")
	}
	if strings.IndexByte(rest, '%') >= 0 {
		// Some clients escape the colon of a digest. An escaped slash would
		// make one segment two.
		if strings.Contains(strings.ToLower(rest), "%2f") {
			return target{}, refuse(http.StatusBadRequest, codeNameInvalid, "repository name with an escaped slash")
		}
		decoded, err := url.PathUnescape(rest)
		if err != nil {
			return target{}, refuse(http.StatusBadRequest, codeNameInvalid, "path is badly escaped")
		}
		rest = decoded
	}
	if rest == "_catalog" {
		return target{}, refuse(http.StatusNotFound, codeUnsupported, "this registry keeps no catalog of its repositories")
	}

	t, ok := splitPath(rest)
	if !ok {
		return target{}, refuse(http.StatusNotFound, codeUnsupported, "there is no such path in the registry API")
	}
	if !validName(t.name) {
		return target{}, refuse(http.StatusBadRequest, codeNameInvalid, "invalid repository name")
	}
	switch {
	case t.kind == tags:
	case t.kind == manifest && !t.byDigest():
		if !validTag.MatchString(t.reference) {
			return target{}, refuse(http.StatusNotFound, codeManifestUnknown, "invalid tag")
		}
	case !validDigest(t.reference):
		return target{}, refuse(http.StatusBadRequest, codeDigestInvalid, "invalid digest")
	}
	return t, nil
}

// splitPath finds the end point at the end of a path: a repository may itself have
// segments called "manifests" or "blobs".
func splitPath(path string) (target, bool) {
	if name, ok := strings.CutSuffix(path, "/tags/list"); ok {
		return target{kind: tags, name: name}, true
	}
	head, ref, ok := cutLast(path)
	if !ok {
		return target{}, false
	}
	name, word, ok := cutLast(head)
	if !ok {
		return target{}, false
	}
	t := target{name: name, reference: ref}
	switch word {
	case "manifests":
		t.kind = manifest
	case "blobs":
		t.kind = blob
	case "referrers":
		t.kind = referrers
	default:
		return target{}, false
	}
	return t, true
}

func cutLast(path string) (before, after string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// validName holds a repository's name against the grammar of package reference: the
// path components of a name, letters and digits parted by one dot, one or two
// underscores or any number of dashes. It is written out because it is asked for
// every request; a fuzz target holds it equal to the library.
func validName(name string) bool {
	if len(name) > reference.RepositoryNameTotalLengthMax {
		return false
	}
	separator := 0 // start of the separators that end before i, if after is false
	after := false // a letter or digit stands before i
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			if !after && !validSeparator(name[separator:i]) {
				return false
			}
			after = true
		case c == '/':
			if !after {
				return false
			}
			after, separator = false, i+1
		case c == '.' || c == '_' || c == '-':
			if after {
				after, separator = false, i
			} else if separator == i || name[separator] != c {
				return false // at the start of a component, or mixed
			}
		default:
			return false
		}
	}
	return after
}

// validSeparator takes what parts two words of a component, or nothing before the
// first.
func validSeparator(s string) bool {
	return s == "" || s == "." || s == "_" || s == "__" || s[0] == '-'
}

var (
	validTag      = regexp.MustCompile("^(?:" + reference.TagRegexp.String() + ")$")
	digestGrammar = regexp.MustCompile("^(?:" + reference.DigestRegexp.String() + ")$")
)

// maxDigest is the longest digest, in bytes, that is passed on: SHA-512's hex with
// room for a longer name of the algorithm.
const maxDigest = 256

// validDigest takes any algorithm of the grammar, since a registry may know more
// than we do, but holds those we know to their length. An algorithm's name is lower
// case by the image specification, which the grammar of references leaves open.
func validDigest(digest string) bool {
	algorithm, encoded, _ := strings.Cut(digest, ":")
	switch algorithm {
	case "sha256":
		return len(encoded) == 64 && lowerHex(encoded)
	case "sha512":
		return len(encoded) == 128 && lowerHex(encoded)
	}
	return len(digest) <= maxDigest && algorithm == strings.ToLower(algorithm) && digestGrammar.MatchString(digest)
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
