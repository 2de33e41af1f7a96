package e2e

import (
	"crypto/sha256"
	"encoding/hex"
)

// digestOf is a manifest's digest, as registries name it.
func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
