package collect

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"

	"tallygate/cluster/catalog"
)

// Allowed says whether a request may post events where access is asked, and
// whether it proved so by a token. The token's hash is compared with every one
// allowed, each in constant time, so that the time taken tells nothing about
// them.
func Allowed(access *catalog.EventAccess, h http.Header) (allowed, byToken bool) {
	if access == nil || len(access.TokenHashes) == 0 {
		return access == nil || !access.Restricted, false
	}
	token, ok := bearer(h)
	if !ok {
		return !access.Restricted, false
	}
	sum := sha256.Sum256([]byte(token))
	var given [2 * sha256.Size]byte
	hex.Encode(given[:], sum[:])
	match := 0
	for _, hash := range access.TokenHashes {
		match |= subtle.ConstantTimeCompare(given[:], []byte(strings.ToLower(hash)))
	}
	return match == 1 || !access.Restricted, match == 1
}

// bearer is the token of an Authorization header, RFC 6750 section 2.1.
func bearer(h http.Header) (string, bool) {
	scheme, token, ok := strings.Cut(strings.TrimSpace(h.Get("Authorization")), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	token = strings.TrimSpace(token)
	return token, token != ""
}
