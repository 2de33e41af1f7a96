package container

import (
	"fmt"
	"io"
	"net/http"

	"tallygate/routing/origin"
)

// maxBlob is the longest blob that is streamed, in bytes: a registry that never ends
// has an end.
const maxBlob = 256 << 30

// serveBlob passes on the registry's redirect to its storage, which is how most
// registries serve blobs, or else streams the blob.
func (p *pull) serveBlob() error {
	x := p.begin()
	defer x.end()
	resp, ep, err := p.fetch(x.ctx)
	if err != nil {
		return err
	}
	defer discard(resp)
	switch resp.StatusCode {
	case http.StatusOK, http.StatusPartialContent, http.StatusNotModified:
	default:
		if origin.IsRedirect(resp.StatusCode) {
			return p.handOn(resp, ep)
		}
		return refusalOf(resp, p.target, ep)
	}
	if got := digestOf(resp); got != "" && sameAlgorithm(got, p.reference) && got != p.reference {
		return badAnswer("it has %.80q for this digest", got)
	}
	if resp.StatusCode == http.StatusPartialContent && p.out["Range"] == nil {
		return badAnswer("it sent a part of a blob unasked")
	}
	if err := x.stream(); err != nil {
		return err
	}
	p.recorded(resp.StatusCode, "", ep)
	p.pass(resp)
	if resp.StatusCode != http.StatusNotModified {
		p.describe(resp, resp.ContentLength)
		if encoding := resp.Header["Content-Encoding"]; len(encoding) > 0 {
			p.w.Header()["Content-Encoding"] = encoding
		}
	}
	p.done()
	p.w.WriteHeader(resp.StatusCode)
	if p.r.Method == http.MethodHead || resp.StatusCode == http.StatusNotModified {
		return nil
	}
	if err := p.stream(resp); err != nil {
		// The status has gone out. Only a broken connection tells the client
		// that this was not the whole.
		p.logger.Debug("blob was cut short", "repository", p.name, "digest", p.reference, "origin", ep.host, "err", err)
		p.metrics.cut.Inc()
		panic(http.ErrAbortHandler)
	}
	return nil
}

// stream copies a body through one small buffer.
func (p *pull) stream(resp *http.Response) error {
	chunk, _ := p.buffers.chunks.Get().(*[chunkSize]byte)
	defer p.buffers.chunks.Put(chunk)
	client := newPatience(p.w)
	defer client.end()

	var sent int64
	for {
		n, err := resp.Body.Read(chunk[:])
		if n > 0 {
			if sent += int64(n); sent > maxBlob {
				return fmt.Errorf("%w: over %d bytes", errTooLong, int64(maxBlob))
			}
			if _, err := client.Write(chunk[:n]); err != nil {
				return fmt.Errorf("client: %w", err)
			}
			p.metrics.streamed.Add(float64(n))
		}
		switch {
		case err == io.EOF && resp.ContentLength >= 0 && sent != resp.ContentLength:
			return fmt.Errorf("%w: %d bytes of %d", errTooShort, sent, resp.ContentLength)
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}
