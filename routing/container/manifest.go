package container

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"tallygate/routing/origin"
)

// maxManifest is the longest manifest, in bytes: what the distribution
// specification says that registries should take.
const maxManifest = 4 << 20

// serveManifest passes on a manifest from its registry to one client alone.
func (p *pull) serveManifest() error {
	x := p.begin()
	defer x.end()
	resp, ep, err := p.fetch(x.ctx)
	if err != nil {
		return err
	}
	defer discard(resp)
	switch {
	case origin.IsRedirect(resp.StatusCode):
		return p.handOn(resp, ep)
	case resp.StatusCode == http.StatusNotModified:
		p.remember(resp, ep)
		p.recorded(resp.StatusCode, digestOf(resp), ep)
		p.pass(resp)
		p.done()
		p.w.WriteHeader(http.StatusNotModified)
		return nil
	case resp.StatusCode != http.StatusOK:
		return refusalOf(resp, p.target, ep)
	}
	if err := p.checked(resp); err != nil {
		return err
	}
	if p.r.Method == http.MethodHead {
		p.remember(resp, ep)
		p.recorded(resp.StatusCode, digestOf(resp), ep)
		p.pass(resp)
		p.describe(resp, resp.ContentLength)
		p.done()
		p.w.WriteHeader(http.StatusOK)
		return nil
	}
	buf, release, err := p.buffers.read(x.ctx, resp.Body, resp.ContentLength, maxManifest)
	if err != nil {
		return unreadable(err)
	}
	defer release()
	return p.writeManifest(resp, ep, buf)
}

// checked looks at the header of an answer that is to be a manifest.
func (a *ask) checked(resp *http.Response) error {
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return badAnswer("its manifest is encoded as %.32q", encoding)
	}
	if got := digestOf(resp); a.byDigest() && got != "" && sameAlgorithm(got, a.reference) && got != a.reference {
		return badAnswer("it has %.80q for this digest", got)
	}
	if resp.ContentLength > maxManifest {
		return badAnswer("its manifest has %d bytes", resp.ContentLength)
	}
	return nil
}

// verify finds out the digest of a manifest, and whether it is the one asked for.
// The header of the answer names it afterwards.
func (a *ask) verify(resp *http.Response, body []byte) (digest string, err error) {
	digest = digestOf(resp)
	switch {
	case isSigned(resp.Header.Get("Content-Type")):
		if a.byDigest() {
			digest = a.reference
		}
	case a.byDigest():
		// A registry that sends other bytes than asked for is broken or worse;
		// the client would find out, but some only after they have kept them.
		if computed, known := compute(a.reference, body); known && computed != a.reference {
			return "", badAnswer("its manifest's digest is %s", computed)
		}
		digest = a.reference
	default:
		computed, known := compute(digest, body)
		if known && computed != digest {
			return "", badAnswer("its manifest's digest is %s, not %s", computed, digest)
		}
		if !known {
			digest, _ = compute("sha256:", body) // it named none, or one that we can't check
			resp.Header.Set("Docker-Content-Digest", digest)
		}
	}
	return digest, nil
}

// writeManifest answers with a manifest that is there as a whole.
func (p *pull) writeManifest(resp *http.Response, ep endpoint, buf *bytes.Buffer) error {
	body := buf.Bytes()
	digest, err := p.verify(resp, body)
	if err != nil {
		return err
	}
	p.remember(resp, ep)
	if isImageIndex(resp.Header.Get("Content-Type")) {
		p.memory.learnIndex(ep, digest, p.tag(), body)
	}
	p.recorded(http.StatusOK, digest, ep)
	p.pass(resp)
	p.describe(resp, int64(len(body)))
	p.done()
	p.writeWhole(body)
	return nil
}

// isSigned says whether a manifest is of Docker's first schema, whose digest leaves
// out the signatures in its body. Registries still make one, newly signed each
// time, for clients that accept nothing else.
func isSigned(contentType string) bool {
	kind, _, _ := mime.ParseMediaType(contentType)
	return kind == "application/vnd.docker.distribution.manifest.v1+prettyjws"
}

// remember keeps which tag led to a digest, since clients go on by digest. An
// answer by digest names it, too.
func (p *pull) remember(resp *http.Response, ep endpoint) {
	digest := digestOf(resp)
	switch {
	case p.byDigest() && digest == "":
		resp.Header.Set("Docker-Content-Digest", p.reference)
	case !p.byDigest() && digest != "":
		p.memory.learnTag(ep, digest, p.reference)
	}
}

// tag is the tag that was asked for, "" with a digest.
func (p *pull) tag() string {
	if p.byDigest() {
		return ""
	}
	return p.reference
}

// describe passes on the type and the length of what an answer carries.
func (p *pull) describe(resp *http.Response, length int64) {
	header := p.w.Header()
	// Set even where the registry named none, or the server would guess.
	header.Set("Content-Type", inert(resp.Header.Get("Content-Type")))
	if length >= 0 {
		header.Set("Content-Length", strconv.FormatInt(length, 10))
	}
}

// inert keeps a type that no browser would run on our host's name; others become
// plain bytes.
func inert(contentType string) string {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(kind, "application/") || strings.Contains(kind, "html") || strings.Contains(kind, "script") {
		return "application/octet-stream"
	}
	return contentType
}

func (p *pull) done() { p.metrics.answers.WithLabelValues(p.kind.String(), "proxied").Inc() }

// digestOf is the digest that a registry names, if it is one.
func digestOf(resp *http.Response) string {
	if digest := resp.Header.Get("Docker-Content-Digest"); validDigest(digest) {
		return digest
	}
	return ""
}

func sameAlgorithm(a, b string) bool {
	algorithm, _, _ := strings.Cut(a, ":")
	return strings.HasPrefix(b, algorithm+":")
}

// compute returns the digest of body by the algorithm of like; known is false for
// an algorithm that isn't.
func compute(like string, body []byte) (digest string, known bool) {
	switch algorithm, _, _ := strings.Cut(like, ":"); algorithm {
	case "sha256":
		sum := sha256.Sum256(body)
		return "sha256:" + hex.EncodeToString(sum[:]), true
	case "sha512":
		sum := sha512.Sum512(body)
		return "sha512:" + hex.EncodeToString(sum[:]), true
	}
	return "", false
}
