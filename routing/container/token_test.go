package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// roundTrip is a transport made of a function.
type roundTrip func(r *http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// reply is an answer with a JSON body.
func reply(r *http.Request, status int, body string, header ...string) *http.Response {
	resp := &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: make(http.Header), Request: r,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
	for i := 0; i < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

var someKey = tokenKey{endpoint{"https", "registry.example", "acme/app"}, "https://auth.example/token?a=b", "registry"}

func TestATokenIsUsedUntilShortlyBeforeItExpires(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		used       time.Duration
	}{
		{"five minutes", `{"token":"t","expires_in":300}`, 270 * time.Second},
		{"a minute", `{"token":"t","expires_in":60}`, 54 * time.Second},
		{"OAuth's name", `{"access_token":"t","expires_in":60}`, 54 * time.Second},
		{"no word of it", `{"token":"t"}`, 54 * time.Second},
		{"nonsense", `{"token":"t","expires_in":-5}`, 54 * time.Second},
		{"ten seconds", `{"token":"t","expires_in":10}`, 5 * time.Second},
		{"a second", `{"token":"t","expires_in":1}`, 500 * time.Millisecond},
		{"a year", `{"token":"t","expires_in":31536000}`, 54 * time.Minute},
		{"more than a number holds", `{"token":"t","expires_in":1e300}`, 54 * time.Minute},
		{"a clock that is wrong", `{"token":"t","expires_in":60,"issued_at":"1999-01-01T00:00:00Z"}`, 54 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				tokens := newTokens(roundTrip(func(r *http.Request) (*http.Response, error) {
					asked++
					if got := r.URL.String(); got != "https://auth.example/token?a=b&scope=repository%3Aacme%2Fapp%3Apull&service=registry" {
						t.Errorf("asked %s", got)
					}
					return reply(r, 200, tt.body), nil
				}), newMetrics(nil))
				get := func() {
					if got, err := tokens.get(t.Context(), someKey); err != nil || got != "t" {
						t.Fatalf("got %q, %v", got, err)
					}
				}
				get()
				time.Sleep(tt.used - time.Millisecond)
				get()
				if asked != 1 {
					t.Errorf("asked %d times within the token's life", asked)
				}
				time.Sleep(time.Millisecond)
				get()
				if asked != 2 {
					t.Errorf("asked %d times after it", asked)
				}
			})
		})
	}
}

func TestTokensOfRepositoriesAreKeptApart(t *testing.T) {
	asked := 0
	tokens := newTokens(roundTrip(func(r *http.Request) (*http.Response, error) {
		asked++
		return reply(r, 200, fmt.Sprintf(`{"token":"t%d"}`, asked)), nil
	}), newMetrics(nil))
	d := demand{access: accessToken, realm: "https://auth.example/", service: "s"}
	seen := make(map[string]bool)
	for range 2 {
		for _, ep := range []endpoint{
			{"https", "a.example", "acme/app"},
			{"https", "a.example", "acme/other"},
			{"https", "b.example", "acme/app"},
			{"http", "a.example", "acme/app"},
		} {
			got, err := tokens.get(t.Context(), keyOf(ep, d))
			if err != nil {
				t.Fatal(err)
			}
			seen[got] = true
		}
	}
	if len(seen) != 4 || asked != 4 {
		t.Errorf("%d tokens, asked %d times", len(seen), asked)
	}
}

func TestOneRequestAtATimeAsksForAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		tokens := newTokens(roundTrip(func(r *http.Request) (*http.Response, error) {
			asked++
			time.Sleep(time.Second)
			return reply(r, 200, `{"token":"t"}`), r.Context().Err()
		}), newMetrics(nil))
		// The one that began the flight gives up; the others get their token.
		first, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := tokens.get(first, someKey); !errors.Is(err, context.Canceled) {
				t.Errorf("the first got %v", err)
			}
		})
		synctest.Wait()
		for range 50 {
			wg.Go(func() {
				if got, err := tokens.get(t.Context(), someKey); err != nil || got != "t" {
					t.Errorf("got %q, %v", got, err)
				}
			})
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

func TestARefusalIsRememberedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		tokens := newTokens(roundTrip(func(r *http.Request) (*http.Response, error) {
			asked++
			return reply(r, 403, `{}`), nil
		}), newMetrics(nil))
		for range 5 {
			if _, err := tokens.get(t.Context(), someKey); !errors.Is(err, errNotPublic) {
				t.Errorf("error is %v", err)
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		time.Sleep(deniedFor)
		_, _ = tokens.get(t.Context(), someKey)
		if asked != 2 {
			t.Errorf("asked %d times later", asked)
		}
	})
}

func TestOnlyTheTokenThatWasRefusedIsForgotten(t *testing.T) {
	asked := 0
	tokens := newTokens(roundTrip(func(r *http.Request) (*http.Response, error) {
		asked++
		return reply(r, 200, fmt.Sprintf(`{"token":"t%d"}`, asked)), nil
	}), newMetrics(nil))
	get := func(want string) {
		t.Helper()
		if got, err := tokens.get(t.Context(), someKey); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	get("t1")
	tokens.expire(someKey, "t1")
	get("t2")
	tokens.expire(someKey, "t1") // by a request that was under way
	get("t2")
}

func TestATokenServersNonsenseIsNoToken(t *testing.T) {
	var e *refusal
	for _, tt := range []struct {
		name    string
		realm   string
		answer  func(r *http.Request) (*http.Response, error)
		status  int
		private bool
	}{
		{name: "no realm", realm: "", status: 502},
		{name: "a realm by http for a registry by https", realm: "http://auth.example/token", status: 502},
		{name: "a realm with a password", realm: "https://u:p@auth.example/token", status: 502},
		{name: "a file", realm: "file:///etc/passwd", status: 502},
		{name: "a broken URL", realm: "https://[::1/token", status: 502},
		{name: "no JSON", answer: func(r *http.Request) (*http.Response, error) { return reply(r, 200, `<html>`), nil }, status: 502},
		{name: "no token", answer: func(r *http.Request) (*http.Response, error) { return reply(r, 200, `{}`), nil }, status: 502},
		{name: "a token with a line break", answer: func(r *http.Request) (*http.Response, error) {
			return reply(r, 200, `{"token":"a\r\nX-Evil: 1"}`), nil
		}, status: 502},
		{name: "an endless token", answer: func(r *http.Request) (*http.Response, error) {
			return reply(r, 200, `{"token":"`+strings.Repeat("a", 2*maxTokenAnswer)+`"}`), nil
		}, status: 502},
		{name: "broken", answer: func(r *http.Request) (*http.Response, error) { return reply(r, 500, ``), nil }, status: 502},
		{name: "busy", answer: func(r *http.Request) (*http.Response, error) {
			return reply(r, 429, ``, "Retry-After", "7"), nil
		}, status: 429},
		{name: "a redirect to http", answer: func(r *http.Request) (*http.Response, error) {
			return reply(r, 302, ``, "Location", "http://auth.example/token"), nil
		}, status: 502},
		{name: "redirects without end", answer: func(r *http.Request) (*http.Response, error) {
			return reply(r, 302, ``, "Location", r.URL.String()+"a"), nil
		}, status: 502},
		{name: "unauthorized", answer: func(r *http.Request) (*http.Response, error) { return reply(r, 401, ``), nil }, private: true},
		{name: "forbidden", answer: func(r *http.Request) (*http.Response, error) { return reply(r, 403, ``), nil }, private: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tokens := newTokens(roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.Header.Get("Authorization") != "" {
					t.Error("it was sent credentials")
				}
				return tt.answer(r)
			}), newMetrics(nil))
			key := someKey
			if tt.answer == nil {
				key.realm = tt.realm
			}
			got, err := tokens.get(t.Context(), key)
			switch {
			case tt.private:
				if !errors.Is(err, errNotPublic) {
					t.Errorf("got %q, %v", got, err)
				}
			case !errors.As(err, &e) || e.status != tt.status:
				t.Errorf("got %q, %v; want status %d", got, err, tt.status)
			case tt.status == 429 && e.header.Get("Retry-After") != "7":
				t.Errorf("header is %v", e.header)
			}
		})
	}
}

func FuzzReadToken(f *testing.F) {
	for _, seed := range []string{`{"token":"a","expires_in":60}`, `{"access_token":"a"}`, `{}`, `[]`, `{"token":1}`, `{"token":"a","expires_in":"x"}`} {
		f.Add(seed)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body string) {
		got, err := readToken(strings.NewReader(body), now)
		if err != nil {
			return
		}
		if !validToken(got.value) || got.until.Before(now) || got.until.After(now.Add(longestLifetime)) {
			t.Errorf("%q gives %+v", body, got)
		}
	})
}
