package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"tallygate/routing/origin"
)

// errNotPublic is returned when a registry gives no anonymous token for a
// repository, or none that it then accepts.
var errNotPublic = errors.New("registry wants credentials")

// userAgent is what we call ourselves in requests of our own.
const userAgent = "tallygate"

// Bounds of the anonymous tokens.
const (
	tokenTimeout    = 15 * time.Second
	defaultLifetime = time.Minute // where a token server names none, by the token specification
	longestLifetime = time.Hour
	deniedFor       = 10 * time.Second // no second question about a repository that is not public
	maxTokens       = 4096             // of 1 to 4 KiB each, seldom more
	maxTokenAnswer  = 64 << 10         // bytes
	maxTokenHops    = 3
)

// tokenKey is what a token is good for.
type tokenKey struct {
	endpoint // to pull from
	realm    string
	service  string
}

// token is an anonymous token, or the memory that there is none.
type token struct {
	value  string
	until  time.Time // not used from then on
	denied bool
}

func (t token) read() (string, error) {
	if t.denied {
		return "", errNotPublic
	}
	return t.value, nil
}

// tokens holds anonymous tokens until shortly before they expire. Nothing that was
// got with anyone's credentials may enter it.
type tokens struct {
	transport http.RoundTripper
	metrics   *metrics
	cache     *lru.Cache[tokenKey, token]
	flight    singleflight.Group
}

func newTokens(transport http.RoundTripper, m *metrics) *tokens {
	cache, err := lru.New[tokenKey, token](maxTokens)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &tokens{transport: transport, metrics: m, cache: cache}
}

// keyOf is the key of a token that pulls from a repository.
func keyOf(ep endpoint, d demand) tokenKey {
	return tokenKey{ep, d.realm, d.service}
}

// get returns a token for the key, from the cache or from the token server; one
// request at a time asks the server. It returns errNotPublic where the server
// wants credentials.
func (t *tokens) get(ctx context.Context, key tokenKey) (string, error) {
	if known, ok := t.cache.Get(key); ok && time.Now().Before(known.until) {
		return known.read()
	}
	// The flight outlives the request that began it: others wait for it too.
	ch := t.flight.DoChan(key.url("")+" "+key.realm+" "+key.service, func() (any, error) {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), tokenTimeout, origin.ErrTimeout)
		defer cancel()
		// A flight that ended while we came here may have left one.
		if known, ok := t.cache.Get(key); ok && time.Now().Before(known.until) {
			return known.read()
		}
		fresh, err := t.fetch(ctx, key)
		switch {
		case err == nil:
			t.metrics.tokens.WithLabelValues("ok").Inc()
			t.cache.Add(key, fresh)
		case errors.Is(err, errNotPublic):
			t.metrics.tokens.WithLabelValues("denied").Inc()
			t.deny(key)
		default:
			t.metrics.tokens.WithLabelValues("failed").Inc()
		}
		return fresh.value, err
	})
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case res := <-ch:
		value, _ := res.Val.(string)
		return value, res.Err
	}
}

// expire forgets a token that a registry no longer accepts, unless a fresh one has
// taken its place.
func (t *tokens) expire(key tokenKey, value string) {
	if known, ok := t.cache.Peek(key); ok && known.value == value {
		t.cache.Remove(key)
	}
}

// deny remembers for a while that a repository is not public.
func (t *tokens) deny(key tokenKey) {
	t.cache.Add(key, token{denied: true, until: time.Now().Add(deniedFor)})
}

// fetch asks a token server, as the token specification of the registry project
// says: GET realm?service=…&scope=….
func (t *tokens) fetch(ctx context.Context, key tokenKey) (token, error) {
	realm, err := url.Parse(key.realm)
	if err != nil || realm.Host == "" || realm.User != nil ||
		realm.Scheme != "https" && (realm.Scheme != "http" || key.scheme != "http") {
		return token{}, badAnswer("its token server has a bad address")
	}
	query := realm.Query()
	if key.service != "" {
		query.Set("service", key.service)
	}
	query.Set("scope", "repository:"+key.repository+":pull")
	realm.RawQuery, realm.Fragment = query.Encode(), ""
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, realm.String(), nil)
	if err != nil {
		return token{}, badAnswer("its token server has a bad address")
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "application/json")
	asked := time.Now()
	resp, err := follow(t.transport, req, maxTokenHops, func(*http.Response) bool { return true })
	if err != nil {
		return token{}, fmt.Errorf("token server: %w", err)
	}
	defer discard(resp)
	switch {
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden,
		resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusBadRequest:
		return token{}, fmt.Errorf("%w: token server answered %d", errNotPublic, resp.StatusCode)
	case resp.StatusCode == http.StatusTooManyRequests:
		e := refuse(http.StatusTooManyRequests, codeTooMany, "too many requests to the registry of this image")
		e.retryAfter(resp)
		return token{}, e
	case resp.StatusCode != http.StatusOK:
		return token{}, badAnswer("its token server answered %d", resp.StatusCode)
	}
	return readToken(resp.Body, asked)
}

// readToken reads a token server's answer to a question asked at a time by our
// clock. The server's own issued_at is not used: its clock may be wrong.
func readToken(body io.Reader, asked time.Time) (token, error) {
	var answer tokenAnswer
	if err := json.NewDecoder(io.LimitReader(body, maxTokenAnswer)).Decode(&answer); err != nil {
		if errors.Is(err, origin.ErrTimeout) {
			return token{}, fmt.Errorf("token server: %w", err)
		}
		return token{}, badAnswer("its token server's answer can't be read")
	}
	value := answer.value()
	if !validToken(value) {
		return token{}, badAnswer("its token server gave no token")
	}
	lifetime := answer.lifetime()
	// Given up a tenth of its life early, so that it does not expire on its way;
	// registries allow no leeway.
	return token{value: value, until: asked.Add(lifetime - max(lifetime/10, min(lifetime/2, 5*time.Second)))}, nil
}

// validToken holds a token against the grammar of Bearer credentials (RFC 6750
// section 2.1), loosely.
func validToken(value string) bool {
	if value == "" {
		return false
	}
	for i := range len(value) {
		if value[i] <= ' ' || value[i] >= 0x7f {
			return false
		}
	}
	return true
}
