package python

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// body is the bytes of an answer, plain and compressed, with their entity tags.
type body struct {
	plain, gzipped       []byte // gzipped is nil where it gains nothing
	etag, gzipTag        string // strong: equal tags, equal bytes (RFC 9110 section 8.8.1)
	length, gzippedBytes string
}

// compressFrom is the size from which a body is compressed, in bytes: about
// what goes into one packet anyway.
const compressFrom = 1400

func newBody(plain []byte) *body {
	sum := sha256.Sum256(plain)
	tag := hex.EncodeToString(sum[:16])
	b := &body{plain: plain, etag: `"` + tag + `"`, length: strconv.Itoa(len(plain))}
	if len(plain) < compressFrom {
		return b
	}
	var z bytes.Buffer
	zw, _ := gzip.NewWriterLevel(&z, gzip.DefaultCompression) // the level is valid
	_, _ = zw.Write(plain)                                    // a buffer takes all
	_ = zw.Close()
	if z.Len() < len(plain) {
		b.gzipped, b.gzipTag, b.gzippedBytes = bytes.Clone(z.Bytes()), `"`+tag+`-gzip"`, strconv.Itoa(z.Len())
	}
	return b
}

// bytes is the memory that a body takes.
func (b *body) bytes() int64 { return int64(len(b.plain) + len(b.gzipped) + 256) }

// write answers r with the body, or with 304 if r says that its sender has it;
// it returns the status. The headers of HEAD and of 304 are those of GET.
func (b *body) write(w http.ResponseWriter, r *http.Request, f format) int {
	h := w.Header()
	data, tag, length := b.plain, b.etag, b.length
	if b.gzipped != nil && acceptsGzip(r.Header["Accept-Encoding"]) {
		data, tag, length = b.gzipped, b.gzipTag, b.gzippedBytes
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", f.contentType())
	h.Set("Etag", tag)
	h.Set("Vary", "Accept, Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	if matchesTag(r.Header["If-None-Match"], tag) {
		h.Del("Content-Encoding") // of a body that isn't there
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified
	}
	h.Set("Content-Length", length)
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(data) // the client is gone if this fails
	}
	return http.StatusOK
}

// matchesTag says whether one of the tags in If-None-Match is tag, by the weak
// comparison that the header asks for (RFC 9110 section 13.1.2).
func matchesTag(lines []string, tag string) bool {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			item = strings.TrimSpace(item)
			if item == "*" || strings.TrimPrefix(item, "W/") == tag {
				return true
			}
		}
	}
	return false
}

// acceptsGzip says whether a client takes gzip: it must say so.
func acceptsGzip(lines []string) bool {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(item, ";")
			name = strings.TrimSpace(name)
			if strings.EqualFold(name, "gzip") || name == "*" {
				return parseQuality(params) > 0
			}
		}
	}
	return false
}
