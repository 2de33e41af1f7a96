package container

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"tallygate/routing/origin"
)

// maxInside is how many redirects of a registry within itself are followed for one
// request.
const maxInside = 5

// exchange is one request to registries with the time it may take.
type exchange struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

// begin starts an exchange that ends with the client's patience, or after
// wholeTimeout unless it becomes a stream.
func (p *pull) begin() *exchange {
	ctx, cancel := context.WithCancelCause(p.r.Context())
	return &exchange{ctx, cancel, time.AfterFunc(wholeTimeout, func() { cancel(origin.ErrTimeout) })}
}

// stream lifts the bound on the whole: from here on each read has its own.
func (x *exchange) stream() error {
	if !x.timer.Stop() {
		return origin.ErrTimeout
	}
	return nil
}

func (x *exchange) end() {
	x.timer.Stop()
	x.cancel(nil)
}

// fetch asks the endpoints in turn until one answers. It returns the answer, which
// is no 401 and no redirect within the registry, and who gave it.
func (p *pull) fetch(ctx context.Context) (*http.Response, endpoint, error) {
	for i, ep := range p.endpoints {
		last := i == len(p.endpoints)-1
		var resp *http.Response
		err := p.unreached
		if i > 0 || err == nil {
			resp, err = p.fetchFrom(ctx, ep)
		}
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return nil, ep, cause
			}
			if last || answered(err) {
				return nil, ep, err
			}
			p.logger.Debug("registry failed, trying the next", "origin", ep.host, "err", err)
			continue
		}
		if resp.StatusCode >= http.StatusInternalServerError && !last {
			discard(resp)
			p.logger.Debug("registry failed, trying the next", "origin", ep.host, "status", resp.StatusCode)
			continue
		}
		return resp, ep, nil
	}
	return nil, endpoint{}, errors.New("image without a registry") // homeOf gives at least one
}

// answered says whether a failure is a registry's considered answer, so that
// another one has no say.
func answered(err error) bool {
	var e *refusal
	return errors.Is(err, errNotPublic) || errors.As(err, &e) && e.status < http.StatusInternalServerError
}

// fetchFrom asks one endpoint, with an anonymous token where it wants one. A token
// that is refused is replaced once.
func (a *ask) fetchFrom(ctx context.Context, ep endpoint) (*http.Response, error) {
	var (
		key  tokenKey
		held string
	)
	if a.proven() {
		return a.fetchPrivate(ctx, ep)
	}
	d, err := a.demands.of(ctx, ep)
	if err != nil {
		return nil, err
	}
	if d.access == accessToken {
		key = keyOf(ep, d)
		if held, err = a.tokens.get(ctx, key); err != nil {
			return nil, err
		}
	}
	resp, err := a.send(ctx, ep, bearerHeader(held))
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	d = demandOf(resp.Header["Www-Authenticate"])
	discard(resp)
	switch {
	case d.access != accessToken:
		a.demands.learn(ep, d)
		return nil, errNotPublic
	case held == "":
		a.demands.learn(ep, d)
	case d.insufficient:
		return nil, errNotPublic
	default:
		a.tokens.expire(key, held)
	}
	if held, err = a.tokens.get(ctx, keyOf(ep, d)); err != nil {
		return nil, err
	}
	resp, err = a.send(ctx, ep, bearerHeader(held))
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		discard(resp)
		return nil, errNotPublic
	}
	return resp, err
}

// bearerHeader is the authorization by a token, if there is one.
func bearerHeader(token string) string {
	if token == "" {
		return ""
	}
	return "Bearer " + token
}

// send makes one request, and follows the registry's redirects within its API.
// authorization may be empty.
func (a *ask) send(ctx context.Context, ep endpoint, authorization string) (*http.Response, error) {
	url := ep.url(a.rest())
	if a.query != "" {
		url += "?" + a.query
	}
	req, err := http.NewRequestWithContext(ctx, a.method, url, nil)
	if err != nil {
		// The path is by the grammar, so it is the query.
		return nil, refuse(http.StatusBadRequest, codeUnsupported, "invalid query").because(err)
	}
	req.Header = a.out
	if authorization != "" {
		req.Header = a.out.Clone()
		req.Header["Authorization"] = []string{authorization}
	}
	return follow(a.transport, req, maxInside, func(resp *http.Response) bool {
		target, _, err := origin.Location(resp)
		return err == nil && origin.SameServer(target, req.URL) && strings.HasPrefix(target.Path, "/v2/")
	})
}

// follow makes a request, and those that its redirects ask for while inside says
// that they are ours to follow.
func follow(transport http.RoundTripper, req *http.Request, hops int, inside func(*http.Response) bool) (*http.Response, error) {
	for {
		resp, err := transport.RoundTrip(req)
		if err != nil || !origin.IsRedirect(resp.StatusCode) || !inside(resp) {
			return resp, err
		}
		if hops--; hops < 0 {
			discard(resp)
			return nil, badAnswer("it redirects without end")
		}
		req, err = origin.Next(resp)
		discard(resp)
		if err != nil {
			return nil, badAnswer("%w", err)
		}
	}
}

// discard closes an answer's body. What is short is read first, so that the
// connection can be used again.
func discard(resp *http.Response) {
	if resp.ContentLength > 0 && resp.ContentLength <= 4<<10 {
		_, _ = io.CopyN(io.Discard, resp.Body, resp.ContentLength)
	}
	_ = resp.Body.Close()
}
