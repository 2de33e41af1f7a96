package client

import (
	"hash/maphash"
	"sync/atomic"
)

// The cache's shape: sets × ways entries in all.
const (
	cacheSets = 1024 // a power of two
	cacheWays = 8
)

// cache remembers the clients of User-Agents seen lately. It holds at most
// sets × ways of them, so that strings made up by a stranger can't grow it:
// with maxAgent bytes each, some 20 MB at worst.
//
// It is a set-associative table of atomic pointers to immutable entries: a hit
// takes no lock and allocates nothing. An entry that was hit since the set's
// hand last passed it is spared once (the clock algorithm), so a flood of
// strings that come once doesn't push out those that come always. Two writers
// may overwrite each other's entry; one of the two strings is recognised again.
type cache struct {
	seed maphash.Seed
	sets [cacheSets]cacheSet
}

type cacheSet struct {
	ways [cacheWays]atomic.Pointer[cacheEntry]
	hand atomic.Uint32
}

type cacheEntry struct {
	agent  string
	client Client
	hit    atomic.Bool
}

func newCache() *cache { return &cache{seed: maphash.MakeSeed()} }

func (c *cache) set(agent string) *cacheSet {
	return &c.sets[maphash.String(c.seed, agent)&(cacheSets-1)]
}

// get returns the client of agent, or nil. The client is shared.
func (c *cache) get(agent string) *Client {
	s := c.set(agent)
	for i := range s.ways {
		if e := s.ways[i].Load(); e != nil && e.agent == agent {
			if !e.hit.Load() { // without this, every hit would write to the entry's line
				e.hit.Store(true)
			}
			return &e.client
		}
	}
	return nil
}

// put remembers the client of agent.
func (c *cache) put(agent string, client Client) {
	s := c.set(agent)
	entry := &cacheEntry{agent: agent, client: client}
	for i := range s.ways {
		if s.ways[i].CompareAndSwap(nil, entry) {
			return
		}
	}
	for range cacheWays {
		way := &s.ways[s.hand.Add(1)%cacheWays]
		if old := way.Load(); !old.hit.Swap(false) {
			way.Store(entry)
			return
		}
	}
	s.ways[s.hand.Add(1)%cacheWays].Store(entry)
}
