package collect

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Body is the bytes of a request's body. Release gives them back.
type Body struct {
	Bytes []byte

	// Partial says why there is more than Bytes, or would have been. Nil: the
	// body is whole.
	Partial *Fault
}

// buffers keeps buffers between requests; ones grown beyond keep are let go.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

const keep = 128 << 10

// Release lets the bytes be used again. What [Parse] returned stays valid.
func (b *Body) Release() {
	if cap(b.Bytes) > 0 && cap(b.Bytes) <= keep {
		bytes := b.Bytes[:0]
		buffers.Put(&bytes)
	}
	b.Bytes = nil
}

// ReadBody reads at most limit bytes of a request's body, decompressed where
// Content-Encoding says gzip. A body that is too large, broken off or
// undecodable is read as far as it goes; Partial tells.
func ReadBody(r *http.Request, limit int) *Body {
	var from io.Reader = r.Body
	if r.Body == nil || r.Body == http.NoBody {
		return &Body{}
	}
	encoding := strings.TrimSpace(strings.ToLower(r.Header.Get("Content-Encoding")))
	switch encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(r.Body)
		if errors.Is(err, io.EOF) {
			return &Body{}
		}
		if err != nil {
			return &Body{Partial: &Fault{Status: http.StatusBadRequest, Reason: "the body is not gzip, as Content-Encoding says"}}
		}
		from = z
	default:
		return &Body{Partial: &Fault{Status: http.StatusUnsupportedMediaType, Reason: "the only Content-Encoding taken is gzip"}}
	}

	buffer := (*buffers.Get().(*[]byte))[:0]
	for {
		if len(buffer) > limit {
			return &Body{Bytes: buffer[:limit], Partial: &Fault{
				Status: http.StatusRequestEntityTooLarge,
				Reason: fmt.Sprintf("the body is larger than %d bytes", limit),
			}}
		}
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := from.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case err == nil:
		case len(buffer) > limit:
		case errors.Is(err, io.EOF):
			return &Body{Bytes: buffer}
		default:
			// Whatever it was, the client's connection or its compression broke
			// off; the error's text may name addresses and is not repeated.
			return &Body{Bytes: buffer, Partial: &Fault{Status: http.StatusBadRequest, Reason: "the body broke off"}}
		}
	}
}
