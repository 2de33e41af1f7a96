package container

import (
	"fmt"
	"strings"
	"testing"
)

func digestNumber(i int) string { return fmt.Sprintf("sha256:%064x", i) }

func indexOf(children ...string) []byte {
	return []byte(`{"manifests":[` + strings.Join(children, ",") + `]}`)
}

func child(i int, os, arch string) string {
	return fmt.Sprintf(`{"digest":"%s","platform":{"os":"%s","architecture":"%s"}}`, digestNumber(i), os, arch)
}

func TestMemoryTellsAChildsPlatformAndTag(t *testing.T) {
	m := newMemory()
	ep, other := endpoint{"https", "a.example", "acme/app"}, endpoint{"https", "a.example", "acme/other"}
	m.learnIndex(ep, digestNumber(0), "1.2", indexOf(
		child(1, "linux", "amd64"), child(2, "linux", "aarch64"), child(3, "darwin", "arm64"), child(4, "unknown", "unknown"),
		child(5, "<b>", "amd64"), `{"digest":"nonsense","platform":{"os":"linux","architecture":"amd64"}}`, `{"digest":"`+digestNumber(6)+`"}`,
	))
	for i, want := range map[int]hint{
		1: {"linux", "amd64", "1.2"}, 2: {"linux", "arm64", "1.2"}, 3: {"macos", "arm64", "1.2"},
		4: {"", "", "1.2"}, 5: {"", "amd64", "1.2"}, 6: {"", "", "1.2"}, 7: {},
	} {
		if got := m.recall(ep, digestNumber(i)); got != want {
			t.Errorf("child %d is %+v, want %+v", i, got, want)
		}
	}
	if got := m.recall(other, digestNumber(1)); got != (hint{}) {
		t.Errorf("another repository's child is %+v", got)
	}
	if got := m.recall(ep, ""); got != (hint{}) {
		t.Errorf("no digest is %+v", got)
	}
}

func TestMemoryFollowsTagsThroughDigests(t *testing.T) {
	m := newMemory()
	ep := endpoint{"https", "a.example", "acme/app"}
	// A client asks by tag what the digest is, then for the index by digest.
	m.learnTag(ep, digestNumber(0), "latest")
	m.learnIndex(ep, digestNumber(0), "", indexOf(child(1, "linux", "amd64")))
	if got := m.recall(ep, digestNumber(1)); got.tag != "latest" {
		t.Errorf("the child is %+v", got)
	}
	// Another tag of the same: the last one counts, and a digest pull keeps it.
	m.learnTag(ep, digestNumber(0), "1.2")
	m.learnIndex(ep, digestNumber(0), "1.2", indexOf(child(1, "linux", "amd64")))
	m.learnIndex(ep, digestNumber(9), "", indexOf(child(1, "linux", "amd64")))
	if got := m.recall(ep, digestNumber(1)); got != (hint{"linux", "amd64", "1.2"}) {
		t.Errorf("the child is %+v", got)
	}
	// A tag that leads to a child itself leaves its platform.
	m.learnTag(ep, digestNumber(1), "1.2-amd64")
	if got := m.recall(ep, digestNumber(1)); got != (hint{"linux", "amd64", "1.2-amd64"}) {
		t.Errorf("the child is %+v", got)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory()
	ep := endpoint{"https", "a.example", "acme/app"}
	var children []string
	for i := range maxChildren + 10 {
		children = append(children, child(i, "linux", "amd64"))
	}
	m.learnIndex(ep, digestNumber(1<<20), "1", indexOf(children...))
	if n := m.cache.Len(); n != maxChildren {
		t.Errorf("%d children are remembered", n)
	}
	for i := range maxMemory + 10 {
		m.learnTag(ep, digestNumber(i), "1")
	}
	if n := m.cache.Len(); n != maxMemory {
		t.Errorf("%d digests are remembered", n)
	}
}

// An image index is a stranger's text.
func FuzzLearnIndex(f *testing.F) {
	f.Add(indexOf(child(1, "linux", "amd64")))
	f.Add([]byte(`{"manifests":[{"digest":1}]}`))
	f.Add([]byte(`{"manifests":{}}`))
	f.Add([]byte(`[]`))
	ep := endpoint{"https", "a.example", "acme/app"}
	f.Fuzz(func(t *testing.T, body []byte) {
		m := newMemory()
		m.learnIndex(ep, digestNumber(0), "1", body)
		for _, key := range m.cache.Keys() {
			known, _ := m.cache.Peek(key)
			if !validDigest(key.digest) || platformName(known.os) != known.os || archName(known.arch) != known.arch {
				t.Errorf("%+v is remembered of %+v", known, key)
			}
		}
	})
}
