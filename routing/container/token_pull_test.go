package container

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tallygate/cluster/catalog"
)

func TestARegistryThatGreetsEveryoneAndAsksLaterIsBrokered(t *testing.T) {
	b := newBackend(t, withTokens, func(_ *backend, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/" {
				return // 200
			}
			next.ServeHTTP(w, r)
		})
	})
	img := image(t)
	b.pushOpen(t, "acme/app:1", img)
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	for range 3 {
		if got, want := g.pull(t, "acme/app:1"), digest(t, img); got != want {
			t.Errorf("pulled %s, want %s", got, want)
		}
	}
	if n := b.tokens.Load(); n != 1 {
		t.Errorf("%d tokens were asked for", n)
	}
}

func TestAnExpiredTokenIsReplacedOnce(t *testing.T) {
	b := newBackend(t, withTokens)
	b.pushOpen(t, "acme/app:1", image(t))
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	get := func() int {
		resp := g.do(t, http.MethodGet, "/v2/acme/app/tags/list")
		_ = text(t, resp)
		return resp.StatusCode
	}
	if status := get(); status != http.StatusOK {
		t.Fatalf("status is %d", status)
	}
	b.valid.Clear() // as if the registry had a new key
	if status := get(); status != http.StatusOK || b.tokens.Load() != 2 {
		t.Errorf("status is %d after %d tokens", status, b.tokens.Load())
	}
	b.valid.Clear()
	b.lifetime = -time.Second // no token is ever good
	if status := get(); status != http.StatusUnauthorized || b.tokens.Load() != 3 {
		t.Errorf("status is %d after %d tokens", status, b.tokens.Load())
	}
}

func TestManyPullsShareOneToken(t *testing.T) {
	b := newBackend(t, withTokens)
	b.pushOpen(t, "acme/app:1", image(t))
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/1")
			if body := text(t, resp); resp.StatusCode != http.StatusOK {
				t.Errorf("%s %s", resp.Status, body)
			}
		})
	}
	wg.Wait()
	if n := b.tokens.Load(); n != 1 {
		t.Errorf("%d tokens were asked for", n)
	}
	if n := len(countable(g.taken())); n != 100 {
		t.Errorf("%d events", n)
	}
}

func TestAPrivateImageIsRefusedInTheRegistrysWords(t *testing.T) {
	private := func(challenge string) *httptest.Server {
		var s *httptest.Server
		s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				http.Error(w, `{"errors":[{"code":"DENIED"}]}`, http.StatusForbidden)
				return
			}
			w.Header().Set("Www-Authenticate", strings.ReplaceAll(challenge, "HERE", s.URL))
			w.WriteHeader(http.StatusUnauthorized)
		}))
		t.Cleanup(s.Close)
		return s
	}
	for _, challenge := range []string{
		`Bearer realm="HERE/token",service="s"`,
		`Basic realm="registry"`,
		`Negotiate`,
		``,
	} {
		t.Run(challenge, func(t *testing.T) {
			s := private(challenge)
			g := newGateway(t, host(catalog.Image{Registry: hostPort(s), Repository: "acme/app", PlainHTTP: true}))
			for range 2 {
				resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/1")
				var body errorBody
				if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusUnauthorized || body.Errors[0].Code != codeUnauthorized {
					t.Errorf("%s %+v", resp.Status, body)
				}
				if got := resp.Header.Get("Www-Authenticate"); got == "" || strings.Contains(got, "realm=\""+s.URL) {
					t.Errorf("challenge is %q", got)
				}
			}
			if notes := g.taken(); len(notes) != 0 {
				t.Errorf("a refusal was noted: %+v", notes)
			}
		})
	}
}
