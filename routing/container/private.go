package container

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"tallygate/routing/source"
)

// errOtherRegistry is returned for a token of another registry than the image's.
var errOtherRegistry = errors.New("token is for another registry")

// insecure is the answer to credentials that came in the clear.
func insecure() *refusal {
	return refuse(http.StatusForbidden, codeDenied, "credentials are taken by https only")
}

// bearerOf is the pass that a client presents. One that we never gave is none.
func bearerOf(r *http.Request) (pass, bool) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return pass{}, false
	}
	return parsePass(strings.TrimSpace(value))
}

// proven says whether the client presents something to prove itself by.
func (a *ask) proven() bool { return a.proof.kind == bearerPass || a.proof.kind == basicPass }

// present reads what the client proves itself by, for an image that allows private
// pulls; for others nothing is read, and nothing passed on. A client that brings
// its credentials along, instead of asking for a token first, has them exchanged.
func (p *pull) present() error {
	if !p.private.allowed || p.r.Header.Get("Authorization") == "" {
		return nil
	}
	ep := p.endpoints[0]
	presented, ok := bearerOf(p.r)
	user, password, basic := p.r.BasicAuth()
	switch {
	case ok && presented.kind == anonymousPass, basic && user == "" && password == "":
		return nil
	case !p.sources.Resolve(p.r).Secure:
		return insecure()
	case ok && presented.kind == refreshPass, !ok && !basic:
		return fmt.Errorf("%w: token is none of ours", errNotPublic)
	case ok && presented.registry != ep.root():
		return fmt.Errorf("%w: %w", errNotPublic, errOtherRegistry)
	case !p.carries(ep.scheme):
		return refuse(http.StatusForbidden, codeDenied, "registry of this image can't be reached by https, so it gets no credentials")
	case ok:
		p.proof = presented
		return nil
	}
	g, err := p.exchange(p.r.Context(), question{
		credentials: credentials{user: user, password: password}, private: p.private, at: ep, repositories: []string{ep.repository},
	})
	if err != nil {
		p.metrics.logins.WithLabelValues(outcomeOf(err)).Inc()
		return err
	}
	p.metrics.logins.WithLabelValues("ok").Inc()
	p.proof = g.pass
	return nil
}

// fetchPrivate asks with what the client proves itself by. Nothing is learned from
// the answer, and nothing kept of it: it is for this client alone.
func (a *ask) fetchPrivate(ctx context.Context, ep endpoint) (*http.Response, error) {
	resp, err := a.send(ctx, ep, a.proof.authorization())
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		discard(resp)
		return nil, fmt.Errorf("%w: registry refuses the token", errNotPublic)
	}
	return resp, err
}

// challengeFor is what a 401 asks for (RFC 9110 wants it to ask for something): a
// token of ours where the image allows private pulls. For others it makes clients
// without credentials say so, and promises no token server.
func (h *Handler) challengeFor(r *http.Request, t target, host images) string {
	asked := h.sources.Resolve(r)
	if asked.Authority == "" || !host.HasPrivateImages() {
		return basicChallenge(source.Asked{})
	}
	scope := ""
	if t.kind != apiBase {
		rule := host.Image(t.name)
		if rule == nil {
			return basicChallenge(asked)
		}
		if src, ok := homeOf(rule, t.name); !ok || !src.private.allowed {
			return basicChallenge(asked)
		}
		scope = `,scope="repository:` + t.name + `:pull"`
	}
	scheme := "http"
	if asked.Secure {
		scheme = "https"
	}
	challenge := `Bearer realm="` + scheme + `://` + asked.Authority + TokenPath + `",service="` + asked.Authority + `"` + scope
	if t.kind != apiBase && strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		challenge += `,error="invalid_token"` // RFC 6750 section 3.1
	}
	return challenge
}

// basicChallenge asks for credentials, for a realm that is the host.
func basicChallenge(asked source.Asked) string {
	if asked.Authority == "" {
		return `Basic realm="registry"`
	}
	return `Basic realm="` + asked.Authority + `"`
}
