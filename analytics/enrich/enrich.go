// Package enrich fills in what the source of a request tells and is the last to
// see the client's address. It turns the address into two pseudonyms, keyed
// hashes under a salt that exists for one calendar month (UTC) only: whoever
// holds the salt could try all addresses, so it is kept in one file of the
// node's owner, in no backup, and destroyed when the month ends. Pseudonyms of
// different months can't be compared, by anyone.
//
// Enrichment is a list of small steps, each from (event, source) to fields of
// the event; what a database of networks or places knows is another step.
package enrich

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"net/netip"
	"sync"
	"time"

	"tallygate/analytics/geo"
	"tallygate/routing/event"
)

// identifyingHeaders enter the origin's hash beside the address, to tell apart
// the clients behind one address. They are those that a client sends with each
// of its requests, the same each time; Accept, say, differs between the requests
// of one pull and would split it.
var identifyingHeaders = []string{
	"User-Agent",
	"Accept-Language",
	"Sec-Ch-Ua",
	"Sec-Ch-Ua-Mobile",
	"Sec-Ch-Ua-Platform",
}

// IdentifyingHeaders lists the headers that enter the origin's hash, for the
// documentation.
func IdentifyingHeaders() []string { return append([]string(nil), identifyingHeaders...) }

// Networks knows what is public of an address. It must not keep it.
type Networks interface {
	Lookup(addr netip.Addr) geo.Result
}

// Enricher implements routing.Enricher. It is safe for concurrent use.
type Enricher struct {
	salts    *Salts
	networks Networks
}

// New returns an enricher that hashes under the salts and asks networks, if there
// are any, for place and network.
func New(salts *Salts, networks Networks) *Enricher { return &Enricher{salts, networks} }

// Enrich sets OriginID, EndpointID, and what is known of place and network;
// without a valid address they stay unknown. The salt is the present month's, also for an event of the past: an
// older salt no longer exists.
func (n *Enricher) Enrich(e *event.Event, src event.Source) {
	if !src.Addr.IsValid() {
		return
	}
	key := n.salts.current(time.Now())
	addr := src.Addr.Unmap().WithZone("")
	h := key.hashes.Get().(*hasher)
	e.EndpointID = h.sum(appendEndpoint(append(h.data[:0], 'e'), addr))
	e.OriginID = h.sum(appendOrigin(append(h.data[:0], 'o'), addr, e, src))
	key.hashes.Put(h)
	if n.networks != nil {
		place(e, n.networks.Lookup(addr))
	}
}

// place writes what the look-up knows over what the event said: an import's own
// country, say, stays where the databases know none.
func place(e *event.Event, r geo.Result) {
	if r.Country != "" {
		e.Country, e.State, e.City = r.Country, r.State, r.City
		e.Latitude, e.Longitude = r.Latitude, r.Longitude
	}
	if r.ASN != 0 {
		e.ASN = r.ASN
	}
	if kind, company, domain, confidence := r.Network(); kind != "" {
		e.NetworkType, e.Company, e.CompanyDomain, e.Confidence = kind, company, domain, confidence
	}
}

// appendEndpoint writes an IPv4 address, or the network of an IPv6 address: a
// household or host has a /64 of its own and changes addresses within it.
func appendEndpoint(b []byte, addr netip.Addr) []byte {
	if addr.Is4() {
		a := addr.As4()
		return append(b, a[:]...)
	}
	a := addr.As16()
	return append(b, a[:8]...)
}

func appendOrigin(b []byte, addr netip.Addr, e *event.Event, src event.Source) []byte {
	a := addr.As16()
	b = append(b, a[:]...)
	for i, name := range identifyingHeaders {
		values := src.Header[name]
		if i == 0 && values == nil && e.UserAgent != "" {
			values = []string{e.UserAgent} // an import has the field only
		}
		b = binary.AppendUvarint(b, uint64(len(values)))
		for _, v := range values {
			b = binary.AppendUvarint(b, uint64(len(v)))
			b = append(b, v...)
		}
	}
	return b
}

// key hashes under one salt.
type key struct {
	until  time.Time // end of the salt's month
	hashes sync.Pool // of *hasher
}

type hasher struct {
	mac  hash.Hash
	data []byte
	out  [sha256.Size]byte
}

func newKey(salt []byte, until time.Time) *key {
	k := &key{until: until}
	salt = append([]byte(nil), salt...)
	k.hashes.New = func() any { return &hasher{mac: hmac.New(sha256.New, salt)} }
	return k
}

// sum is HMAC-SHA256 (RFC 2104) cut to 128 bits.
func (h *hasher) sum(data []byte) (id [16]byte) {
	h.mac.Reset()
	h.mac.Write(data)
	copy(id[:], h.mac.Sum(h.out[:0]))
	clear(data) // it holds the address
	if cap(data) <= 4<<10 {
		h.data = data
	}
	return id
}
