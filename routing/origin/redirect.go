package origin

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// ErrBadRedirect is returned for a redirect that leads nowhere we would go.
var ErrBadRedirect = errors.New("origin redirects badly")

// maxLocation is the longest Location, in bytes, that is believed. Signed URLs
// of object stores are the longest there are; they stay under 4 KiB.
const maxLocation = 16 << 10

// IsRedirect says whether a status sends the client to another URL.
func IsRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// Location returns the target of a redirect, made absolute by the URL that was
// asked, and the text to hand to a client: the header's own bytes when they were
// absolute already, so that signed URLs stay as they were signed.
func Location(resp *http.Response) (*url.URL, string, error) {
	raw := resp.Header.Get("Location")
	if raw == "" || len(raw) > maxLocation {
		return nil, "", fmt.Errorf("%w: location of %d bytes", ErrBadRedirect, len(raw))
	}
	for i := range len(raw) {
		if raw[i] <= ' ' || raw[i] == 0x7f {
			return nil, "", fmt.Errorf("%w: location with blanks or control characters", ErrBadRedirect)
		}
	}
	ref, err := url.Parse(raw)
	if err != nil {
		return nil, "", fmt.Errorf("%w: location can't be read", ErrBadRedirect)
	}
	target := resp.Request.URL.ResolveReference(ref)
	if !ref.IsAbs() {
		// A reference is parsed less strictly than what it resolves to.
		raw = target.String()
		if target, err = url.Parse(raw); err != nil {
			return nil, "", fmt.Errorf("%w: location can't be read", ErrBadRedirect)
		}
	}
	if target.Scheme != "https" && target.Scheme != "http" || target.Hostname() == "" || target.User != nil || target.Opaque != "" {
		return nil, "", fmt.Errorf("%w: location isn't an http URL", ErrBadRedirect)
	}
	return target, raw, nil
}

// Next returns the request that follows the redirect of resp inside the gateway:
// GET or HEAD only, never from https down to http, and without credentials when
// scheme, host or port changes. The caller bounds the number of hops and closes
// resp.
func Next(resp *http.Response) (*http.Request, error) {
	req := resp.Request
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return nil, fmt.Errorf("%w: answer to %s", ErrBadRedirect, req.Method)
	}
	target, _, err := Location(resp)
	if err != nil {
		return nil, err
	}
	if req.URL.Scheme == "https" && target.Scheme != "https" {
		return nil, fmt.Errorf("%w: from https to http", ErrBadRedirect)
	}
	next := req.Clone(req.Context())
	next.URL, next.Host = target, ""
	if !SameServer(req.URL, target) {
		for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
			next.Header.Del(name)
		}
	}
	return next, nil
}

// SameServer says whether two URLs lead to the same scheme, host and port.
func SameServer(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}
