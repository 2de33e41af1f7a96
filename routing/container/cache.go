package container

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Bounds of the manifests that are kept, and how long they are believed.
const (
	maxKeptBytes  = 64 << 20         // of all manifests together
	maxKept       = smallBody        // bytes of one; larger ones pass through
	keptOverhead  = 1 << 10          // bytes that an entry takes beside its body, about
	maxTagged     = 16384            // tags
	tagTTL        = 15 * time.Second // then a HEAD asks whether the tag has moved
	publicTTL     = time.Hour        // then a HEAD asks whether the repository is still public
	staleTagLimit = 24 * time.Hour   // how old a tag may be that is served while the registry is down
	largeTTL      = 10 * time.Minute
)

// manifests keeps what registries hand to strangers, so that many pulls cost them
// one: they limit how many manifests one address may fetch, and all pulls through
// us come from ours. HEADs are not limited, and tell whether a tag has moved.
//
// Only anonymous answers may enter it. It is kept by endpoint, so that what one
// registry says is never another's word.
type manifests struct {
	mu    sync.Mutex // guards kept and bytes
	kept  *simplelru.LRU[manifestKey, *held]
	bytes int64

	tags   *lru.Cache[manifestKey, tagged]
	large  *lru.Cache[manifestKey, time.Time]
	closed *lru.Cache[endpoint, time.Time] // repositories that turned out not to be public
	pauses *lru.Cache[pauseKey, time.Time] // until when not to ask
}

// manifestKey is a manifest by digest, or by tag and what types the client accepts,
// for registries choose by these.
type manifestKey struct {
	endpoint
	reference string
	accept    string // with a tag
}

// held is a manifest. It is immutable but for the time.
type held struct {
	digest string
	header http.Header // that clients get: content type and [passed]
	length int64       // -1: unknown
	body   []byte      // nil: only a HEAD told of it

	confirmed time.Time // by the registry; guarded by manifests.mu once it is kept
}

// tagged is what a tag led to.
type tagged struct {
	*held
	at time.Time // when the registry said so
}

type pauseKey struct{ root, method string }

func newManifests() *manifests {
	m := new(manifests)
	m.kept = must(simplelru.NewLRU(1<<20, func(_ manifestKey, h *held) { m.bytes -= h.size() }))
	m.tags = must(lru.New[manifestKey, tagged](maxTagged))
	m.large = must(lru.New[manifestKey, time.Time](1024))
	m.closed = must(lru.New[endpoint, time.Time](maxRepositories))
	m.pauses = must(lru.New[pauseKey, time.Time](maxRegistries))
	return m
}

// must is for caches, whose sizes are positive constants.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (h *held) size() int64 { return int64(len(h.body)) + keptOverhead }

// keyOfManifest is the key of what a client asks for. accept is its Accept.
func keyOfManifest(ep endpoint, t target, accept string) manifestKey {
	if t.byDigest() {
		return manifestKey{endpoint: ep, reference: t.reference}
	}
	return manifestKey{ep, t.reference, normalAccept(accept)}
}

// normalAccept is an Accept as a set: clients list the same types in any order.
func normalAccept(accept string) string {
	types := strings.Split(strings.ToLower(accept), ",")
	for i := range types {
		types[i] = strings.TrimSpace(types[i])
	}
	slices.Sort(types)
	joined := strings.Join(slices.Compact(types), ",")
	if len(joined) > 1<<10 {
		sum := sha256.Sum256([]byte(joined))
		return hex.EncodeToString(sum[:])
	}
	return joined
}

// fresh is what can be answered without asking; nil: nothing. body says that the
// manifest itself is wanted.
func (m *manifests) fresh(key manifestKey, body bool) *held {
	now := time.Now()
	if key.byDigest() {
		h, confirmed := m.byDigest(key.endpoint, key.reference)
		if h == nil || now.Sub(confirmed) >= publicTTL || m.closedSince(key.endpoint, confirmed) {
			return nil
		}
		return h
	}
	t, ok := m.tags.Get(key)
	if !ok || now.Sub(t.at) >= tagTTL || m.closedSince(key.endpoint, t.at) {
		return nil
	}
	return m.whole(key.endpoint, t.held, body)
}

// stale is what may be answered while the registry can't be asked; nil: nothing.
func (m *manifests) stale(key manifestKey, body bool) *held {
	if key.byDigest() {
		h, confirmed := m.byDigest(key.endpoint, key.reference)
		if h == nil || m.closedSince(key.endpoint, confirmed) {
			return nil
		}
		return h
	}
	t, ok := m.tags.Get(key)
	if !ok || time.Since(t.at) >= staleTagLimit || m.closedSince(key.endpoint, t.at) {
		return nil
	}
	return m.whole(key.endpoint, t.held, body)
}

// whole is what a tag led to, with its body if that is wanted and still kept.
func (m *manifests) whole(ep endpoint, h *held, body bool) *held {
	if !body || h.body != nil {
		return h
	}
	h, _ = m.byDigest(ep, h.digest)
	return h
}

func (m *manifests) byDigest(ep endpoint, digest string) (*held, time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, _ := m.kept.Get(manifestKey{endpoint: ep, reference: digest})
	if h == nil {
		return nil, time.Time{}
	}
	return h, h.confirmed
}

// keep keeps an answer of a registry: of a GET with the body, of a HEAD without.
func (m *manifests) keep(key manifestKey, h *held) {
	now := time.Now()
	if h.body != nil {
		m.add(manifestKey{endpoint: key.endpoint, reference: h.digest}, h, now)
	}
	if key.byDigest() {
		return
	}
	// The body is kept once, by its digest.
	m.tags.Add(key, tagged{&held{digest: h.digest, header: h.header, length: h.length}, now})
}

func (m *manifests) add(key manifestKey, h *held, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h.confirmed = now
	m.kept.Remove(key)
	m.kept.Add(key, h)
	m.bytes += h.size()
	for m.bytes > maxKeptBytes {
		m.kept.RemoveOldest()
	}
}

// confirm notes that a registry still has a digest for everyone.
func (m *manifests) confirm(ep endpoint, digest string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h, ok := m.kept.Get(manifestKey{endpoint: ep, reference: digest}); ok {
		h.confirmed = time.Now()
	}
}

// forget lets go of what a registry no longer has.
func (m *manifests) forget(key manifestKey) {
	if !key.byDigest() {
		m.tags.Remove(key)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept.Remove(key)
}

// close makes all that is kept of a repository worthless: it is not public.
func (m *manifests) close(ep endpoint) { m.closed.Add(ep, time.Now()) }

func (m *manifests) closedSince(ep endpoint, confirmed time.Time) bool {
	at, ok := m.closed.Get(ep)
	return ok && !confirmed.After(at)
}

// isLarge says that a manifest was too large to keep, not long ago.
func (m *manifests) isLarge(key manifestKey) bool {
	at, ok := m.large.Get(key)
	return ok && time.Since(at) < largeTTL
}

// byDigest says whether the key's reference is a digest.
func (k manifestKey) byDigest() bool { return strings.IndexByte(k.reference, ':') >= 0 }

// text is the key for one flight.
func (k manifestKey) text(method string) string {
	return method + " " + k.url(k.reference) + " " + k.accept
}
