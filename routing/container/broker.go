package container

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tallygate/routing/origin"
)

// credentials are what a client proves who it is by, for one exchange.
type credentials struct {
	user, password string
	refresh        string // a refresh token, instead of the two
}

// basic is the value of a Basic authorization (RFC 7617).
func (c credentials) basic() string {
	return base64.StdEncoding.EncodeToString([]byte(c.user + ":" + c.password))
}

// question is what a registry's token server is asked with a client's credentials.
// Nothing of it is kept: neither the question nor the answer.
type question struct {
	credentials
	private
	at           endpoint // the registry; a repository to find its token server by, or none
	repositories []string // to pull from; none: only whether the credentials are good
	offline      bool     // a refresh token is wanted, too
}

// grant is the answer.
type grant struct {
	pass
	refresh  string        // for a pass of its own; may be empty
	lifetime time.Duration // of the pass
}

// private is who may get clients' credentials for the images of a registry.
type private struct {
	allowed   bool
	tokenHost string // as the owner names it; may be empty
}

// errCredentials is returned for credentials that a registry does not take.
var errCredentials = errors.New("registry refuses the credentials")

// errUnchecked is returned where nobody can say whether credentials are good.
var errUnchecked = errors.New("credentials can't be checked")

// exchange asks for a token by a client's credentials. It returns errCredentials
// for bad ones and errUnchecked where the registry can't be asked.
func (h *Handler) exchange(ctx context.Context, q question) (grant, error) {
	if !h.carries(q.at.scheme) {
		return grant{}, refuse(http.StatusForbidden, codeDenied, "registry of this image can't be reached by https, so it gets no credentials")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, tokenTimeout, origin.ErrTimeout)
	defer cancel()
	d, err := h.demands.of(ctx, q.at)
	if err == nil && d.access == accessOpen && q.at.repository != "" {
		// It greets everyone, and may ask later.
		d, err = h.demands.ask(ctx, h.demands.repositories, q.at, http.MethodHead, "tags/list")
	}
	switch {
	case err != nil:
		return grant{}, fmt.Errorf("%w: %w", errUnchecked, err)
	case d.access == accessToken:
		return h.askTokenServer(ctx, q, d)
	case d.access == accessLogin && d.basic && q.credentials.refresh == "":
		return h.tryBasic(ctx, q)
	case d.access == accessOpen:
		return grant{pass: pass{kind: anonymousPass}, lifetime: anonymousLifetime}, nil
	}
	return grant{}, fmt.Errorf("%w: registry has no way to log in that we know", errUnchecked)
}

// carries says whether credentials may travel by a scheme.
func (h *Handler) carries(scheme string) bool { return scheme == "https" || h.plainCredentials }

// mayKnow says whether a token server is one that credentials for a registry may
// be sent to: on the registry's own host, or on the host that the owner named, or
// that we know to be the registry's. A registry can't point elsewhere.
func (h *Handler) mayKnow(realm *url.URL, q question) bool {
	if realm.User != nil || realm.Opaque != "" || !h.carries(realm.Scheme) || realm.Scheme != "https" && realm.Scheme != q.at.scheme {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(realm.Host, ":443"))
	if q.tokenHost != "" {
		return host == strings.TrimSuffix(q.tokenHost, ":443")
	}
	return host == strings.TrimSuffix(q.at.host, ":443") || host == tokenHosts[q.at.host]
}

// askTokenServer exchanges credentials for a token, as the token specification of
// the registry project says: GET with Basic credentials, POST with a refresh token.
func (h *Handler) askTokenServer(ctx context.Context, q question, d demand) (grant, error) {
	realm, err := url.Parse(d.realm)
	if err != nil || realm.Host == "" {
		return grant{}, fmt.Errorf("%w: %w", errUnchecked, badAnswer("its token server has a bad address"))
	}
	if !h.mayKnow(realm, q) {
		e := refuse(http.StatusForbidden, codeDenied, fmt.Sprintf(
			"registry of this image names a token server at %.253q, which its owner has not allowed to see credentials", realm.Host))
		return grant{}, e.because(errors.New("token server is not pinned; its host is missing in token_host"))
	}
	form := realm.Query()
	if d.service != "" {
		form.Set("service", d.service)
	}
	var scopes []string
	for _, repository := range q.repositories {
		scopes = append(scopes, "repository:"+repository+":pull")
	}
	realm.Fragment = ""
	var req *http.Request
	if q.credentials.refresh == "" {
		form["scope"] = scopes
		if q.offline {
			form.Set("offline_token", "true")
			form.Set("client_id", userAgent)
		}
		realm.RawQuery = form.Encode()
		req, err = http.NewRequestWithContext(ctx, http.MethodGet, realm.String(), nil)
	} else {
		// OAuth 2 (RFC 6749 section 6): one scope, with blanks.
		form.Set("grant_type", "refresh_token")
		form.Set("client_id", userAgent)
		form.Set("refresh_token", q.credentials.refresh)
		form.Set("scope", strings.Join(scopes, " "))
		req, err = http.NewRequestWithContext(ctx, http.MethodPost, realm.String(), strings.NewReader(form.Encode()))
	}
	if err != nil {
		return grant{}, fmt.Errorf("%w: %w", errUnchecked, err)
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "application/json")
	if q.credentials.refresh == "" {
		req.Header.Set("Authorization", "Basic "+q.basic())
	} else {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	// Its redirects are not followed: they would carry the credentials on.
	resp, err := h.transport.RoundTrip(req)
	if err != nil {
		return grant{}, fmt.Errorf("%w: token server: %w", errUnchecked, err)
	}
	defer discard(resp)
	if err := refusedLogin(resp); err != nil {
		return grant{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return grant{}, fmt.Errorf("%w: token server answered %d", errUnchecked, resp.StatusCode)
	}
	return readGrant(resp.Body, q.at)
}

// refusedLogin is the error of an answer that refuses credentials; nil if it is
// something else.
func refusedLogin(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusBadRequest:
		return fmt.Errorf("%w: %d", errCredentials, resp.StatusCode)
	case http.StatusTooManyRequests:
		e := refuse(http.StatusTooManyRequests, codeTooMany, "too many logins at the registry of this image")
		e.retryAfter(resp)
		return e
	}
	return nil
}

// readGrant reads a token server's answer.
func readGrant(body io.Reader, registry endpoint) (grant, error) {
	var answer tokenAnswer
	if err := json.NewDecoder(io.LimitReader(body, maxTokenAnswer)).Decode(&answer); err != nil {
		return grant{}, fmt.Errorf("%w: token server's answer can't be read", errUnchecked)
	}
	if !validToken(answer.value()) {
		return grant{}, fmt.Errorf("%w: token server gave no token", errUnchecked)
	}
	g := grant{pass: pass{bearerPass, registry.root(), answer.value()}, lifetime: answer.lifetime()}
	if validToken(answer.RefreshToken) {
		g.refresh = answer.RefreshToken
	}
	return g, nil
}

// tryBasic finds out whether a registry without a token server takes credentials.
// The pass is then these, since there is nothing else to prove oneself by.
func (h *Handler) tryBasic(ctx context.Context, q question) (grant, error) {
	method, rest := http.MethodGet, ""
	if q.at.repository != "" {
		method, rest = http.MethodHead, "tags/list"
	}
	req, err := http.NewRequestWithContext(ctx, method, q.at.url(rest), nil)
	if err != nil {
		return grant{}, fmt.Errorf("%w: %w", errUnchecked, err)
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Authorization", "Basic "+q.basic())
	resp, err := h.transport.RoundTrip(req)
	if err != nil {
		return grant{}, fmt.Errorf("%w: %w", errUnchecked, err)
	}
	defer discard(resp)
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return grant{}, refusedLogin(resp)
	}
	if resp.StatusCode >= http.StatusInternalServerError {
		return grant{}, fmt.Errorf("%w: registry answered %d", errUnchecked, resp.StatusCode)
	}
	return grant{pass: pass{basicPass, q.at.root(), q.basic()}, lifetime: basicLifetime}, nil
}

// How long clients use what is no token of a registry's.
const (
	anonymousLifetime = time.Hour
	basicLifetime     = 5 * time.Minute
)
