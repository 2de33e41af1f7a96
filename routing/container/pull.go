package container

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"tallygate/routing/event"
	"tallygate/routing/origin"
	"tallygate/routing/table"
)

// ask is a request to registries.
type ask struct {
	*Handler
	target

	method string      // GET or HEAD
	query  string      // raw, of lists
	out    http.Header // to send

	// proof is what the client shows that it may pull; the zero pass: nothing.
	proof pass
}

// pull is one request for something in a repository.
type pull struct {
	ask
	home

	rule *table.Rule
	note Note
	w    http.ResponseWriter
	r    *http.Request

	// unreached is why the first endpoint could not be asked what it wants: it
	// has failed this request already.
	unreached error

	// open: the registry has answered for the repository without asking for
	// anything.
	open bool
}

// wholeTimeout bounds an exchange whose answer is read whole: all but blobs.
const wholeTimeout = 60 * time.Second

// maxForwarded is the longest header value, in bytes, that is passed on. A longer
// one is left out: real clients' are under 1 KiB.
const maxForwarded = 8 << 10

// outgoing makes the header for a registry. It names what passes, so nothing else
// does: no credentials, no cookies, no address of the client.
func (h *Handler) outgoing(r *http.Request, t target) http.Header {
	out := make(http.Header, 8)
	forward := func(name string) {
		// Several lines are one list (RFC 9110 section 5.3); registries are
		// known to read the first line only.
		if value := strings.Join(r.Header[name], ", "); value != "" && len(value) <= maxForwarded {
			out[name] = []string{value}
		}
	}
	switch t.kind {
	case manifest, referrers, tags:
		forward("Accept")
	case blob:
		// Servers may ignore Range; several ranges in one answer would, so
		// that nobody makes a registry shuffle bytes through us.
		if ranges := r.Header["Range"]; len(ranges) == 1 && !strings.Contains(ranges[0], ",") {
			forward("Range")
			forward("If-Range")
		}
	}
	forward("If-None-Match")
	forward("If-Modified-Since")
	forward("User-Agent")
	if out["User-Agent"] == nil {
		out["User-Agent"] = []string{userAgent}
	}
	// Digests are over the bytes as they are.
	out["Accept-Encoding"] = []string{"identity"}
	out["Via"] = []string{strings.TrimPrefix(strings.Join(append(r.Header["Via"], h.via), ", "), ", ")}
	return out
}

// prefer moves the first endpoint that is up to the front. With none up, the first
// of all is as good as any.
func (p *pull) prefer() {
	if len(p.endpoints) == 1 {
		return
	}
	for i, ep := range p.endpoints {
		if p.origins.Up(ep.host) {
			copy(p.endpoints[1:i+1], p.endpoints[:i])
			p.endpoints[0] = ep
			return
		}
	}
}

// serve answers by redirect where that is known to work, else by proxy.
func (p *pull) serve() error {
	first := p.endpoints[0]
	redirect, err := p.mayRedirect(first)
	if redirect {
		p.open = true
		p.redirect(http.StatusFound, first.url(p.rest()), first)
		return nil
	}
	p.unreached = err
	p.out = p.outgoing(p.r, p.target)
	switch p.kind {
	case manifest:
		if p.proven() || p.came(p.r) {
			return p.serveManifest()
		}
		if err := p.serveShared(); !errors.Is(err, errLarge) {
			return err
		}
		return p.serveManifest()
	case blob:
		return p.serveBlob()
	default:
		return p.serveList()
	}
}

// mayRedirect says whether the client can be sent to the registry itself: the
// registry is known to ask nobody for anything, and its answers will name the
// repository as the client does. A client that came by https is not sent to http.
// The error is that of a registry that can't be asked.
func (p *pull) mayRedirect(ep endpoint) (bool, error) {
	switch {
	case p.alwaysProxy, p.proven(), ep.scheme != "https" && p.r.TLS != nil:
		return false, nil
	case (p.kind == tags || p.kind == referrers) && ep.repository != p.name:
		return false, nil
	}
	d, err := p.demands.of(p.r.Context(), ep)
	if err != nil || d.access != accessOpen {
		return false, err
	}
	return p.demands.open(p.r.Context(), ep, p.rest())
}

// redirect sends the client on, and notes it. The query goes along for lists only;
// manifests and blobs have none.
func (p *pull) redirect(status int, location string, ep endpoint) {
	if (p.kind == tags || p.kind == referrers) && p.r.URL.RawQuery != "" && !strings.Contains(location, "?") {
		location += "?" + p.r.URL.RawQuery
	}
	p.recorded(status, "", ep)
	p.metrics.answers.WithLabelValues(p.kind.String(), "redirect").Inc()
	header := p.w.Header()
	header.Set("Location", location)
	header.Set("Content-Length", "0")
	p.w.WriteHeader(status)
}

// handOn gives a registry's own redirect to the client: to its storage, or to
// another registry.
func (p *pull) handOn(resp *http.Response, ep endpoint) error {
	_, location, err := origin.Location(resp)
	if err != nil {
		return badAnswer("%w", err)
	}
	p.redirect(resp.StatusCode, location, ep)
	return nil
}

// recorded notes that a manifest or blob was handed over, or the way to it. digest
// is that of the manifest served, where it is known.
func (p *pull) recorded(status int, digest string, ep endpoint) {
	if p.kind != manifest && p.kind != blob {
		return
	}
	if p.byDigest() {
		digest = p.reference
	}
	p.note(p.rule, func(e *event.Event) {
		e.Type = event.BlobFetch
		e.Reference, e.Digest = p.reference, digest
		e.Status, e.OriginHost = status, ep.host
		if e.Package == "" {
			e.Package, e.PackageType = p.name, "docker" // a collection's, at its first pull
		}
		if p.kind == blob {
			return
		}
		e.Type = event.ManifestFetch
		e.Countable = p.r.Method == http.MethodGet
		if p.rule.Package == nil && e.Countable && (status == http.StatusOK || p.open) {
			// Here, since nothing is remembered of who asks not to be tracked.
			p.firstPulls.offer(p.rule.Collection, p.name)
		}
		known := p.memory.recall(ep, digest)
		if known.os != "" {
			// More certain than the User-Agent, which tells where the client
			// runs, not what it fetches.
			e.Platform, e.Arch = known.os, known.arch
		}
		if e.Version = known.tag; !p.byDigest() {
			e.Version = p.reference
		}
	})
}

// passed are the fields of a registry's answer that the client gets, beside the
// content's type and length. All others stay: cookies, challenges, hop-by-hop
// fields and quotas that are ours.
var passed = []string{
	"Docker-Content-Digest", "Etag", "Last-Modified", "Cache-Control", "Accept-Ranges", "Content-Range",
	"Oci-Filters-Applied", "Warning",
}

func (p *pull) pass(resp *http.Response) {
	header := p.w.Header()
	for _, name := range passed {
		if values := resp.Header[name]; len(values) > 0 && (name != "Cache-Control" || !p.proven()) {
			header[name] = values
		}
	}
}
