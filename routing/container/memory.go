package container

import (
	"encoding/json"
	"mime"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Bounds of the memory. An entry takes about 300 bytes.
const (
	maxMemory   = 32768
	maxChildren = 256 // of one image index
)

// memory remembers what passing manifests tell of those that clients will ask for
// next: which tag led to a digest, and which platform an image index names for
// each of its children. Clients fetch an index by tag and a child by digest; only
// together they say what was pulled.
//
// It is kept by repository, so that one owner's index can't name the platform of
// another's image.
type memory struct {
	cache *lru.Cache[memoryKey, hint]
}

type memoryKey struct {
	endpoint
	digest string
}

// hint is what is known of a manifest beyond its digest.
type hint struct {
	os, arch string // of a child of an image index
	tag      string // that was last seen to lead here
}

func newMemory() *memory {
	cache, err := lru.New[memoryKey, hint](maxMemory)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &memory{cache}
}

// recall returns what is known of a digest.
func (m *memory) recall(ep endpoint, digest string) hint {
	if digest == "" {
		return hint{}
	}
	known, _ := m.cache.Get(memoryKey{ep, digest})
	return known
}

// learnTag notes that a tag led to a digest. Two at once may overwrite each other,
// which costs one of them its hint.
func (m *memory) learnTag(ep endpoint, digest, tag string) {
	key := memoryKey{ep, digest}
	known, _ := m.cache.Get(key)
	if known.tag != tag {
		known.tag = tag
		m.cache.Add(key, known)
	}
}

// learnIndex notes the platforms of an image index's children. They are reached by
// the tag that led to the index, if one did.
func (m *memory) learnIndex(ep endpoint, digest, tag string, body []byte) {
	var index struct {
		Manifests []struct {
			Digest   string `json:"digest"`
			Platform struct {
				OS   string `json:"os"`
				Arch string `json:"architecture"`
			} `json:"platform"`
		} `json:"manifests"`
	}
	if json.Unmarshal(body, &index) != nil {
		return // it is passed on as it is; clients know best
	}
	if tag == "" {
		tag = m.recall(ep, digest).tag
	}
	for i, child := range index.Manifests {
		if i == maxChildren {
			return
		}
		if !validDigest(child.Digest) {
			continue
		}
		next := hint{tag: tag}
		// Attestations beside the images call themselves unknown.
		if child.Platform.OS != "unknown" {
			next.os, next.arch = platformName(child.Platform.OS), archName(child.Platform.Arch)
		}
		key := memoryKey{ep, child.Digest}
		known, _ := m.cache.Get(key)
		if next.tag == "" {
			next.tag = known.tag
		}
		if next != known {
			m.cache.Add(key, next)
		}
	}
}

// isImageIndex says whether a manifest of this type lists others.
func isImageIndex(contentType string) bool {
	kind, _, _ := mime.ParseMediaType(contentType)
	return kind == "application/vnd.oci.image.index.v1+json" ||
		kind == "application/vnd.docker.distribution.manifest.list.v2+json"
}

// platformName is an image's operating system as events name it. Names are Go's
// but for darwin; any other word of an index is a stranger's and is dropped.
func platformName(os string) string {
	switch os {
	case "darwin":
		return "macos"
	case "linux", "windows", "freebsd", "netbsd", "openbsd", "dragonfly", "solaris", "illumos", "aix", "android", "plan9":
		return os
	}
	return ""
}

// archName is an image's architecture, by Go's names as the image specification
// asks.
func archName(arch string) string {
	switch arch {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	case "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le",
		"riscv64", "s390x", "wasm":
		return arch
	}
	return ""
}
