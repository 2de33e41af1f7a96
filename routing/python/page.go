package python

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// page is one project's files as its origin lists them.
type page struct {
	files    []file
	versions []string // PEP 700; nil: the origin doesn't tell
	minor    int      // of the API version 1.minor that the origin speaks
	status   status   // PEP 792
}

// status is a project's status marker (PEP 792). The zero status is not marked.
type status struct {
	Status string `json:"status,omitempty"` // active, archived, quarantined, deprecated
	Reason string `json:"reason,omitempty"`
}

// file is one file of a project. It is immutable and shared.
type file struct {
	name           string
	url            string // absolute, http or https, without a fragment
	host           string // of url, with its port if it has one
	hashes         []hash // by algorithm, ascending
	requiresPython string

	yanked       bool // PEP 592
	yankedReason string

	gpgSig *bool // nil: not told

	metadata       bool   // there is a core metadata file at url + ".metadata" (PEP 658, 714)
	metadataHashes []hash // by algorithm, ascending; may be empty

	size       int64  // bytes; negative: not told (PEP 700)
	uploadTime string // as the origin writes it; "": not told (PEP 700)
	provenance string // absolute URL; "": none (PEP 740)

	dist distribution
}

// hash is one digest of a file, in lower-case hex.
type hash struct{ algorithm, value string }

// Bounds of what is taken from an origin's page. The largest projects that
// there are list some ten thousand files.
const (
	maxFiles    = 50_000
	maxVersions = 50_000
	maxURL      = 4096 // bytes
	maxText     = 1024 // bytes of one piece of text: a reason, a specifier, a version
	maxHashes   = 8    // per file
)

// errBadPage is what errors about the contents of an origin's page wrap.
var errBadPage = errors.New("origin's page can't be read")

// newFile makes a file of a link on a page, or says that it is none that we
// would list. text is the name that the page gives it, if any.
func newFile(base *url.URL, href, text, project string) (file, bool) {
	href = strings.TrimSpace(href)
	if href == "" || len(href) > maxURL || strings.ContainsFunc(href, isControl) {
		return file{}, false
	}
	ref, err := url.Parse(href)
	if err != nil {
		return file{}, false
	}
	u := base.ResolveReference(ref)
	fragment := u.Fragment
	u.Fragment, u.RawFragment = "", ""
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Opaque != "" {
		return file{}, false
	}
	f := file{url: u.String(), host: u.Host, size: -1}
	if len(f.url) > maxURL {
		return file{}, false
	}
	// Installers read the name off the URL, and so do we; a URL that ends in
	// something else ("download?id=7") is named by the page.
	path := u.EscapedPath() // a slash that is escaped ends no segment
	f.name, err = url.PathUnescape(path[strings.LastIndexByte(path, '/')+1:])
	if err != nil || !validFileName(f.name) {
		if f.name = strings.TrimSpace(text); !validFileName(f.name) {
			return file{}, false
		}
	}
	f.dist = parseFileName(f.name, project)
	for part := range strings.SplitSeq(fragment, "&") {
		if algorithm, value, ok := strings.Cut(part, "="); ok {
			f.hashes = addHash(f.hashes, algorithm, value)
		}
	}
	return f, true
}

// addHash adds a digest in its place, if it is one.
func addHash(list []hash, algorithm, value string) []hash {
	algorithm, value = strings.ToLower(algorithm), strings.ToLower(value)
	if !isHash(algorithm, value) || len(list) == maxHashes {
		return list
	}
	i, found := slices.BinarySearchFunc(list, algorithm, func(h hash, a string) int { return strings.Compare(h.algorithm, a) })
	if found {
		return list
	}
	return slices.Insert(list, i, hash{algorithm, value})
}

// isHash says whether algorithm names one (sha256, blake2b_256, sha3-512) and
// value is hex of at least MD5's length. "egg=..." in a fragment is none.
func isHash(algorithm, value string) bool {
	if len(algorithm) < 3 || len(algorithm) > 16 || len(value) < 32 || len(value) > 128 || len(value)%2 != 0 {
		return false
	}
	for i := range len(algorithm) {
		if c := algorithm[i]; !isAlnum(c) && c != '_' && c != '-' {
			return false
		}
	}
	for i := range len(value) {
		if c := value[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// strength orders the algorithms that installers know, best first: PEP 503 says
// that one digest goes into a link, and to prefer SHA-256.
var strength = []string{"sha256", "sha512", "sha384", "sha3_256", "sha3_512", "sha3_384", "blake2b", "blake2s", "sha224", "sha3_224", "sha1", "md5"}

// best returns the digest for a place that takes one; zero if there is none.
func best(hashes []hash) hash {
	for _, algorithm := range strength {
		for _, h := range hashes {
			if h.algorithm == algorithm {
				return h
			}
		}
	}
	return hash{}
}

// checkAPIVersion reads "1.N". Another major version may mean anything, so its
// page is refused (PEP 629).
func checkAPIVersion(s string) (minor int, err error) {
	major, rest, _ := strings.Cut(strings.TrimSpace(s), ".")
	if major != "1" {
		return 0, fmt.Errorf("%w: it is of API version %.20q", errBadPage, s)
	}
	for i := range len(rest) {
		if rest[i] < '0' || rest[i] > '9' || minor > 999 {
			return 0, nil
		}
		minor = minor*10 + int(rest[i]-'0')
	}
	return minor, nil
}

// cleanText returns s if it is short text without control characters, else "".
func cleanText(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxText || strings.ContainsFunc(s, isControl) {
		return ""
	}
	return strings.ToValidUTF8(s, "")
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// cleanStatus returns a project's status if it is one that PEP 792 knows. A page
// of a status that is unknown reads as unmarked.
func cleanStatus(s, reason string) status {
	switch s {
	case "active", "archived", "quarantined", "deprecated":
		return status{s, cleanText(reason)}
	}
	return status{}
}

// httpURL returns s if it is an absolute http or https URL of bounded length,
// resolved against base; else "".
func httpURL(base *url.URL, s string) string {
	if s == "" || len(s) > maxURL {
		return ""
	}
	ref, err := url.Parse(s)
	if err != nil {
		return ""
	}
	u := base.ResolveReference(ref)
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

// uniqueFiles drops files whose name was there before, and shortens to the bound.
func uniqueFiles(files []file) []file {
	seen := make(map[string]bool, len(files))
	return slices.Clip(slices.DeleteFunc(files, func(f file) bool {
		if seen[f.name] || len(seen) == maxFiles {
			return true
		}
		seen[f.name] = true
		return false
	}))
}

// bytes is about how much memory a page takes.
func (p *page) bytes() int64 {
	const perFile, perHash = 400, 48 // structs, string headers, map entries
	n := int64(256)
	for i := range p.files {
		f := &p.files[i]
		n += perFile + int64(2*len(f.name)+len(f.url)+len(f.requiresPython)+len(f.yankedReason)+len(f.uploadTime)+len(f.provenance))
		for _, h := range f.hashes {
			n += perHash + int64(len(h.value))
		}
		for _, h := range f.metadataHashes {
			n += perHash + int64(len(h.value))
		}
	}
	for _, v := range p.versions {
		n += 16 + int64(len(v))
	}
	return n
}
