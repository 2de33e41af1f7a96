package python

import (
	"container/list"
	"sync"
	"time"

	"tallygate/cluster/catalog"
)

// cache keeps the pages used last within a bound of memory. It is safe for
// concurrent use. Lock order: an entry's lock before the cache's, never the
// other way round.
type cache struct {
	limit int64

	mu      sync.Mutex
	entries map[string]*entry // guarded by mu, as all below
	used    *list.List        // of *entry, the one used last in front
	bytes   int64
}

// entry is what is known of one project on one list of indexes.
type entry struct {
	key string

	// Guarded by the cache's lock.
	place *list.Element // nil: evicted
	bytes int64

	mu      sync.Mutex
	snap    *snapshot // the last answer; nil: none yet. Guarded by mu, as all below.
	flight  *flight   // the fetch under way; nil: none
	err     error     // of the last fetch; nil: it went well
	retryAt time.Time // no fetch starts before, after one that failed
	probed  time.Time // when it was last asked whether the snapshot's index is up
}

// flight is one fetch that several requests may wait for.
type flight struct{ done chan struct{} }

// snapshot is what an origin answered: a page, or that there is no such
// project. It is immutable but for its views.
type snapshot struct {
	page    *page
	missing bool // the origin has no such project; page is empty

	source       int    // which of the indexes answered; 0: the first
	host         string // of that index
	etag         string // validators of the answer, for the next request
	lastModified string
	checked      time.Time // when the origin last said so

	views *views // shared by the snapshots that a 304 prolongs
}

// views are the ways in which a page is served: one for each package that
// shares it and, where files are named for single hosts, each host.
type views struct {
	mu    sync.Mutex
	all   map[viewKey]*view // guarded by mu
	bytes int64             // of all, with their bodies; guarded by mu
}

type viewKey struct {
	pkg  *catalog.Package // its identity: a changed package is another pointer
	host string           // "" where it makes no difference
}

// maxViews bounds the views of one page. More than a few are those of packages
// that have changed since.
const maxViews = 8

// view returns the snapshot as a package serves it on a host. grown is the
// memory that the call added, in bytes; negative if it let go of more.
func (s *snapshot) view(pkg *catalog.Package, host string) (v *view, grown int64) {
	key := viewKey{pkg: pkg}
	for i := range pkg.Index.Files {
		if pkg.Index.Files[i].Domain != "" {
			key.host = host
			break
		}
	}
	s.views.mu.Lock()
	defer s.views.mu.Unlock()
	if v := s.views.all[key]; v != nil {
		return v, 0
	}
	if len(s.views.all) == maxViews {
		clear(s.views.all)
		grown, s.views.bytes = -s.views.bytes, 0
	}
	v = newView(s.page, pkg.Index, host)
	s.views.all[key] = v
	s.views.bytes += v.bytes()
	return v, grown + v.bytes()
}

// grow adds the memory of a view's body.
func (v *views) grow(bytes int64) {
	if bytes != 0 {
		v.mu.Lock()
		v.bytes += bytes
		v.mu.Unlock()
	}
}

func newViews() *views { return &views{all: map[viewKey]*view{}} }

func newCache(limit int64) *cache {
	return &cache{limit: limit, entries: map[string]*entry{}, used: list.New()}
}

// entry finds or makes the entry of a key, and marks it as used.
func (c *cache) entry(key string) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil {
		c.used.MoveToFront(e.place)
		return e
	}
	e := &entry{key: key, bytes: int64(len(key)) + 512}
	e.place = c.used.PushFront(e)
	c.entries[key] = e
	c.bytes += e.bytes
	c.shrink()
	return e
}

// resize sets the memory that an entry's page takes, without its views, which
// have to be made anew.
func (c *cache) resize(e *entry, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.place == nil {
		return
	}
	bytes += int64(len(e.key)) + 512
	c.bytes += bytes - e.bytes
	e.bytes = bytes
	c.shrink()
}

// grow adds to the memory that an entry takes.
func (c *cache) grow(e *entry, bytes int64) {
	if bytes == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.place == nil {
		return
	}
	c.bytes += bytes
	e.bytes += bytes
	c.shrink()
}

// shrink evicts what was used longest ago until the bound is kept, but never the
// entry used last: a page above the bound is served all the same. Requests that
// hold an evicted entry finish with it. c.mu is held.
func (c *cache) shrink() {
	for c.bytes > c.limit && c.used.Len() > 1 {
		e := c.used.Remove(c.used.Back()).(*entry)
		e.place = nil
		delete(c.entries, e.key)
		c.bytes -= e.bytes
	}
}

// size returns the memory of all entries, in bytes, and their number.
func (c *cache) size() (bytes int64, entries int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes, len(c.entries)
}
