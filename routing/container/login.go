package container

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tallygate/routing/source"
)

// TokenPath is where a host with images that allow private pulls gives out tokens,
// by the token specification of the registry project.
const TokenPath = "/token"

// Bounds of a request for a token.
const (
	maxForm   = 128 << 10 // bytes
	maxScopes = 16
)

// tokenRequest is what a client asks our token server for.
type tokenRequest struct {
	credentials
	given   bool     // there are credentials
	names   []string // of images, to pull
	scopes  int      // asked for, of whatever sort
	offline bool
}

// serveToken answers a request for a token.
//
// Without credentials, or where the scope names no image that allows private
// pulls, the token is one that stands for nobody, and nobody is asked. Else the
// credentials go to the token server of one registry: that of the first image
// which allows it. Of images at other registries nothing is granted; a client that
// needs one asks again, for it alone. A login without a scope is checked with the
// host's registry if it has one that allows private pulls; with several nobody
// could say which one is meant: none is asked, and the first pull tells.
func (h *Handler) serveToken(w http.ResponseWriter, r *http.Request, host images, asked source.Asked) error {
	req, err := readTokenRequest(w, r)
	if err != nil {
		return err
	}
	if !req.given {
		h.writeGrant(w, r, nobody, req)
		return nil
	}
	if !asked.Secure {
		return insecure()
	}
	q, ok := h.questionOf(req, host)
	if !ok {
		h.writeGrant(w, r, nobody, req)
		return nil
	}
	if req.refresh != "" {
		p, ok := parsePass(req.refresh)
		if !ok || p.kind != refreshPass || p.registry != q.at.root() {
			return errCredentials
		}
		q.credentials.refresh = p.value
	}
	g, err := h.exchange(r.Context(), q)
	if err != nil {
		h.metrics.logins.WithLabelValues(outcomeOf(err)).Inc()
		return err
	}
	h.metrics.logins.WithLabelValues("ok").Inc()
	h.writeGrant(w, r, g, req)
	return nil
}

// nobody is what is granted without asking anyone.
var nobody = grant{pass: pass{kind: anonymousPass}, lifetime: anonymousLifetime}

func outcomeOf(err error) string {
	switch {
	case errors.Is(err, errCredentials):
		return "denied"
	case errors.Is(err, errUnchecked):
		return "failed"
	}
	return "refused"
}

// questionOf finds the registry to ask, if there is one.
func (h *Handler) questionOf(req tokenRequest, host images) (q question, ok bool) {
	q.credentials, q.offline = req.credentials, req.offline
	for _, name := range req.names {
		rule := host.Image(name)
		if rule == nil {
			continue
		}
		src, known := homeOf(rule, name)
		if !known || !src.private.allowed {
			continue
		}
		ep := src.endpoints[0]
		if !ok {
			q.private, q.at, ok = src.private, ep, true
		}
		if ep.registry() == q.at.registry() && src.private == q.private {
			q.repositories = append(q.repositories, ep.repository)
		}
	}
	if req.scopes > 0 {
		return q, ok
	}
	if list := host.PrivateRegistries(); len(list) == 1 {
		q.private = private{allowed: true, tokenHost: list[0].TokenHost}
		q.at = resolve(list[0].Registry, "", list[0].PlainHTTP).registry()
		return q, true
	}
	return q, false
}

// readTokenRequest reads a GET of the token specification, or a POST of its OAuth
// 2 form.
func readTokenRequest(w http.ResponseWriter, r *http.Request) (tokenRequest, error) {
	var req tokenRequest
	bad := func(message string) (tokenRequest, error) {
		return req, refuse(http.StatusBadRequest, codeUnsupported, message)
	}
	var form url.Values
	var err error
	switch r.Method {
	case http.MethodGet:
		if form, err = url.ParseQuery(r.URL.RawQuery); err != nil || len(r.URL.RawQuery) > maxForm {
			return bad("query can't be read")
		}
		if r.Header.Get("Authorization") != "" {
			user, password, ok := r.BasicAuth()
			if !ok {
				return bad("authorization is not Basic")
			}
			req.user, req.password = user, password
			req.given = user != "" || password != ""
		}
		req.offline = form.Get("offline_token") == "true"
	case http.MethodPost:
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" {
			return bad("body is not a form")
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return bad("form can't be read")
		}
		form = r.PostForm
		req.given = true
		switch form.Get("grant_type") {
		case "password":
			req.user, req.password = form.Get("username"), form.Get("password")
		case "refresh_token":
			if req.credentials.refresh = form.Get("refresh_token"); req.credentials.refresh == "" {
				return bad("refresh_token is missing")
			}
		default:
			return bad("grant_type is neither password nor refresh_token")
		}
		req.offline = form.Get("access_type") == "offline"
	default:
		e := refuse(http.StatusMethodNotAllowed, codeUnsupported, "tokens are asked for by GET or POST")
		e.set("Allow", "GET, POST")
		return req, e
	}
	if strings.IndexByte(req.user, ':') >= 0 {
		return bad("user name with a colon") // RFC 7617 section 2: it would end there
	}
	for _, line := range form["scope"] {
		for scope := range strings.FieldsSeq(line) {
			if req.scopes++; req.scopes > maxScopes {
				return bad("too many scopes")
			}
			if name, ok := pullScope(scope); ok {
				req.names = append(req.names, name)
			}
		}
	}
	return req, nil
}

// pullScope is the repository of a scope that asks to pull, by the grammar of the
// token specification: type [ "(" class ")" ] ":" name ":" actions. Whatever else
// is asked for beside pulling is not granted.
func pullScope(scope string) (name string, ok bool) {
	kind, rest, _ := strings.Cut(scope, ":")
	i := strings.LastIndexByte(rest, ':')
	if i < 0 || kind != "repository" && !strings.HasPrefix(kind, "repository(") {
		return "", false
	}
	name = rest[:i]
	for action := range strings.SplitSeq(rest[i+1:], ",") {
		if action == "pull" || action == "*" {
			return name, validName(name)
		}
	}
	return "", false
}

// tokenAnswer is the answer of a token server.
type tokenAnswer struct {
	Token        string  `json:"token,omitempty"`
	AccessToken  string  `json:"access_token,omitempty"` // OAuth 2's name for it
	ExpiresIn    float64 `json:"expires_in,omitempty"`   // seconds
	IssuedAt     string  `json:"issued_at,omitempty"`
	RefreshToken string  `json:"refresh_token,omitempty"`
	TokenType    string  `json:"token_type,omitempty"`
	Scope        string  `json:"scope,omitempty"`
}

func (a *tokenAnswer) value() string {
	if a.Token != "" {
		return a.Token
	}
	return a.AccessToken
}

func (a *tokenAnswer) lifetime() time.Duration {
	if a.ExpiresIn > 0 {
		return time.Duration(min(a.ExpiresIn, longestLifetime.Seconds()) * float64(time.Second))
	}
	return defaultLifetime
}

// writeGrant answers with a token.
func (h *Handler) writeGrant(w http.ResponseWriter, r *http.Request, g grant, req tokenRequest) {
	text := g.pass.String()
	answer := tokenAnswer{
		Token: text, AccessToken: text, ExpiresIn: max(1, float64(int64(g.lifetime/time.Second))),
		IssuedAt: time.Now().UTC().Format(time.RFC3339),
	}
	if g.refresh != "" {
		answer.RefreshToken = pass{refreshPass, g.registry, g.refresh}.String()
	}
	if r.Method == http.MethodPost {
		answer.TokenType = "Bearer"
		scopes := make([]string, len(req.names))
		for i, name := range req.names {
			scopes[i] = "repository:" + name + ":pull"
		}
		answer.Scope = strings.Join(scopes, " ")
	}
	body, err := json.Marshal(&answer)
	if err != nil {
		body = []byte("{}") // texts and a number always encode
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body)
}
