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

const (
	viaPrefix = "tallygate-"

	// maxVia bounds the indexes on a way. A longer one is a loop that came in
	// somewhere on the side.
	maxVia = 8
)

// newID makes up a pseudonym.
func newID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return viaPrefix + hex.EncodeToString(b[:])
}

// passed lists the indexes like us that a request has passed. Who else is on its
// way, the client's own proxies for one, is no business of an origin.
func passed(r *http.Request) []string {
	var ids []string
	for _, line := range r.Header["Via"] {
		for item := range strings.SplitSeq(line, ",") {
			_, id, _ := strings.Cut(strings.TrimSpace(item), " ")
			if strings.HasPrefix(id, viaPrefix) && len(ids) < maxVia {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// isLoop says whether a request was sent by this handler, be it by way of others.
func (h *Handler) isLoop(r *http.Request) bool {
	ids := passed(r)
	return len(ids) == maxVia || slices.Contains(ids, h.id)
}

// via is the way of a fetch that r begins.
func (h *Handler) via(r *http.Request) string {
	return "1.1 " + strings.Join(append(passed(r), h.id), ", 1.1 ")
}
