package container

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tallygate/routing/origin"
)

// errLarge is returned for a manifest that is too large to be shared: each client
// fetches its own, within the bounds of [buffers].
var errLarge = errors.New("manifest is too large to keep")

// elsewhere is a registry's redirect of a manifest, to be handed on.
type elsewhere struct {
	status   int
	location string
}

func (e *elsewhere) Error() string { return "registry redirects the manifest" }

// serveShared answers with a manifest that is everyone's: from what is kept, else
// from the first registry that has it, else from what is kept but no longer
// confirmed.
func (p *pull) serveShared() error {
	accept := p.out.Get("Accept")
	body := p.r.Method == http.MethodGet
	var failure error
	for i, ep := range p.endpoints {
		key := keyOfManifest(ep, p.target, accept)
		if h := p.manifests.fresh(key, body); h != nil {
			return p.writeHeld(h, ep, "cached")
		}
		if p.manifests.isLarge(key) {
			return errLarge
		}
		err := p.unreached
		if i > 0 || err == nil {
			var h *held
			if h, err = p.share(ep, key, accept); err == nil {
				return p.writeHeld(h, ep, "proxied")
			}
		}
		if cause := context.Cause(p.r.Context()); cause != nil {
			return cause
		}
		var away *elsewhere
		if errors.As(err, &away) {
			p.redirect(away.status, away.location, ep)
			return nil
		}
		if errors.Is(err, errLarge) || answered(err) && !isBusy(err) {
			return err
		}
		if failure == nil || !isBusy(err) {
			failure = err
		}
	}
	for _, ep := range p.endpoints {
		if h := p.manifests.stale(keyOfManifest(ep, p.target, accept), body); h != nil {
			p.logger.Debug("registry failed, serving what it said before", "origin", ep.host, "err", failure)
			p.w.Header().Set("Warning", staleWarning)
			return p.writeHeld(h, ep, "stale")
		}
	}
	return failure
}

// staleWarning marks an answer that its registry could not confirm (RFC 7234
// section 5.5.1, which RFC 9111 dropped; clients that know it print it).
const staleWarning = `110 tallygate "Response is Stale"`

// isBusy says whether a registry asks to be left alone for a while.
func isBusy(err error) bool {
	var e *refusal
	return errors.As(err, &e) && e.status == http.StatusTooManyRequests
}

// share gets a manifest from a registry, for all clients that want it at once. The
// request outlives the client that began it.
func (p *pull) share(ep endpoint, key manifestKey, accept string) (*held, error) {
	// Nothing of the one client goes along but what decides the answer.
	a := &ask{Handler: p.Handler, target: p.target, out: http.Header{
		"User-Agent": {userAgent}, "Accept-Encoding": {"identity"}, "Via": p.out["Via"],
	}}
	switch {
	case p.byDigest():
		a.out["Accept"] = []string{anyManifest} // a digest is one thing, whatever the client would prefer
	case accept != "":
		a.out["Accept"] = []string{accept}
	}
	method := p.r.Method
	ctx := context.WithoutCancel(p.r.Context())
	ch := p.flight.DoChan(key.text(method), func() (any, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, wholeTimeout, origin.ErrTimeout)
		defer cancel()
		// A flight that ended while we came here may have brought it.
		if h := p.manifests.fresh(key, method == http.MethodGet); h != nil {
			return h, nil
		}
		h, err := a.refresh(ctx, ep, key, method)
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		switch {
		case errors.Is(err, errNotPublic):
			p.manifests.close(ep)
		case errors.Is(err, errLarge):
			p.manifests.large.Add(key, time.Now())
		}
		return h, err
	})
	select {
	case <-p.r.Context().Done():
		return nil, context.Cause(p.r.Context())
	case res := <-ch:
		h, _ := res.Val.(*held)
		return h, res.Err
	}
}

// refresh asks a registry for a manifest: by HEAD where that may be enough, for
// those are not counted.
func (a *ask) refresh(ctx context.Context, ep endpoint, key manifestKey, method string) (*held, error) {
	if method == http.MethodHead || a.manifests.stale(key, true) != nil {
		h, err := a.describe(ctx, ep, key)
		switch {
		case err != nil && (method == http.MethodHead || !answered(err) || isBusy(err) || errors.Is(err, errNotPublic)):
			return nil, err
		case err == nil && (method == http.MethodHead || h.body != nil):
			return h, nil
		}
	}
	if err := a.paused(ep, http.MethodGet); err != nil {
		return nil, err
	}
	a.method = http.MethodGet
	resp, err := a.fetchFrom(ctx, ep)
	if err != nil {
		return nil, err
	}
	defer discard(resp)
	if err := a.usable(resp, ep, key); err != nil {
		return nil, err
	}
	if resp.ContentLength > maxKept {
		return nil, errLarge
	}
	buf, release, err := a.buffers.read(ctx, resp.Body, resp.ContentLength, maxKept)
	if errors.Is(err, errTooLong) {
		return nil, errLarge
	}
	if err != nil {
		return nil, unreadable(err)
	}
	defer release()
	body := bytes.Clone(buf.Bytes())
	if body == nil {
		body = []byte{}
	}
	digest, err := a.verify(resp, body)
	if err != nil {
		return nil, err
	}
	h := &held{digest: digest, header: headerOf(resp, digest), length: int64(len(body)), body: body}
	if computed, known := compute(digest, body); known && computed == digest {
		a.manifests.keep(key, h)
	}
	a.learn(ep, h)
	return h, nil
}

// describe asks by HEAD. What it tells of is the kept manifest, where that is the
// same.
func (a *ask) describe(ctx context.Context, ep endpoint, key manifestKey) (*held, error) {
	if err := a.paused(ep, http.MethodHead); err != nil {
		return nil, err
	}
	a.method = http.MethodHead
	resp, err := a.fetchFrom(ctx, ep)
	if err != nil {
		return nil, err
	}
	defer discard(resp)
	if err := a.usable(resp, ep, key); err != nil {
		return nil, err
	}
	digest := digestOf(resp)
	if a.byDigest() {
		digest = a.reference
	}
	h := &held{digest: digest, header: headerOf(resp, digest), length: resp.ContentLength}
	if digest == "" {
		return h, nil // it answers HEAD alone, and is not kept
	}
	a.manifests.confirm(ep, digest)
	a.manifests.keep(key, h)
	a.learn(ep, h)
	if known, _ := a.manifests.byDigest(ep, digest); known != nil {
		return known, nil
	}
	return h, nil
}

// usable says whether an answer is a manifest, and notes what a registry asks for
// when it is not.
func (a *ask) usable(resp *http.Response, ep endpoint, key manifestKey) error {
	switch {
	case origin.IsRedirect(resp.StatusCode):
		_, location, err := origin.Location(resp)
		if err != nil {
			return badAnswer("%w", err)
		}
		return &elsewhere{resp.StatusCode, location}
	case resp.StatusCode == http.StatusTooManyRequests:
		a.pause(ep, resp)
	case resp.StatusCode == http.StatusNotFound:
		a.manifests.forget(key)
	}
	if resp.StatusCode != http.StatusOK {
		e := refusalOf(resp, a.target, ep)
		if e.status == http.StatusForbidden {
			a.manifests.close(ep)
		}
		return e
	}
	return a.checked(resp)
}

// headerOf is what clients get of a manifest's header.
func headerOf(resp *http.Response, digest string) http.Header {
	header := make(http.Header, len(passed)+1)
	for _, name := range passed {
		if values := resp.Header[name]; len(values) > 0 {
			header[name] = values
		}
	}
	if digest != "" {
		header["Docker-Content-Digest"] = []string{digest}
	}
	// Set even where the registry named none, or the server would guess.
	header["Content-Type"] = []string{inert(resp.Header.Get("Content-Type"))}
	return header
}

// learn keeps what a manifest tells of those that clients will ask for next.
func (a *ask) learn(ep endpoint, h *held) {
	tag := ""
	if !a.byDigest() {
		tag = a.reference
		if h.digest != "" {
			a.memory.learnTag(ep, h.digest, tag)
		}
	}
	if h.body != nil && isImageIndex(h.header.Get("Content-Type")) {
		a.memory.learnIndex(ep, h.digest, tag, h.body)
	}
}

// writeHeld answers with a manifest that is kept or was just fetched.
func (p *pull) writeHeld(h *held, ep endpoint, outcome string) error {
	status := http.StatusOK
	header := p.w.Header()
	for name, values := range h.header {
		if name == "Warning" && len(header[name]) > 0 {
			values = append(values[:len(values):len(values)], header[name]...)
		}
		header[name] = values
	}
	if unchanged(p.r.Header["If-None-Match"], h) {
		status = http.StatusNotModified
		delete(header, "Content-Type")
	} else if h.length >= 0 {
		header.Set("Content-Length", strconv.FormatInt(h.length, 10))
	}
	p.recorded(status, h.digest, ep)
	p.metrics.answers.WithLabelValues(p.kind.String(), outcome).Inc()
	if status == http.StatusNotModified || p.r.Method == http.MethodHead {
		p.w.WriteHeader(status)
		return nil
	}
	p.writeWhole(h.body)
	return nil
}

// unchanged says whether a client has the manifest already (RFC 9110 section
// 13.1.2). Registries' entity tags are the digest; theirs is taken as it is.
func unchanged(conditions []string, h *held) bool {
	etag := strings.TrimPrefix(h.header.Get("Etag"), "W/")
	for _, line := range conditions {
		if len(line) > maxForwarded {
			continue
		}
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == "*" || tag != "" && tag == etag || h.digest != "" && tag == `"`+h.digest+`"` {
				return true
			}
		}
	}
	return false
}

// Bounds of a registry's wish to be left alone.
const (
	defaultPause = 5 * time.Second
	longestPause = time.Hour
)

// pause remembers that a registry has had enough of requests of a method.
func (a *ask) pause(ep endpoint, resp *http.Response) {
	wait := defaultPause
	after := resp.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(after); err == nil && seconds >= 0 {
		wait = time.Duration(min(seconds, int(longestPause/time.Second))) * time.Second
	} else if at, err := http.ParseTime(after); err == nil {
		wait = min(max(time.Until(at), 0), longestPause)
	}
	if wait > 0 {
		a.manifests.pauses.Add(pauseKey{ep.root(), a.method}, time.Now().Add(wait))
	}
}

// paused refuses what a registry does not want to be asked now.
func (a *ask) paused(ep endpoint, method string) error {
	until, ok := a.manifests.pauses.Get(pauseKey{ep.root(), method})
	wait := time.Until(until)
	if !ok || wait <= 0 {
		return nil
	}
	e := refuse(http.StatusTooManyRequests, codeTooMany, "too many requests to the registry of this image")
	e.set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	return e
}
