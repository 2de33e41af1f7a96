package python

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
)

// An index whose origin leads back to itself would wait for its own fetch. So
// each fetch says where it comes from in Via (RFC 9110 section 7.6.3), under a
// pseudonym that each handler makes up, and a request that has been here is
// refused.

// maxVia bounds the way that is passed on, in bytes: some thirty indexes.
const maxVia = 1024

// newID makes up a pseudonym.
func newID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return "tallygate-" + hex.EncodeToString(b[:])
}

// isLoop says whether a request was sent by this handler, be it by way of others.
func (h *Handler) isLoop(r *http.Request) bool {
	n := 0
	for _, line := range r.Header["Via"] {
		if n += len(line); n > maxVia || strings.Contains(line, h.id) {
			return true
		}
	}
	return false
}

// via is the way of a fetch that r begins.
func (h *Handler) via(r *http.Request) string {
	return strings.Join(append(slices.Clip(r.Header["Via"]), "1.1 "+h.id), ", ")
}
