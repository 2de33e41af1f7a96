package origin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCheckTakesAnyAnswerBelow500(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		up     bool
	}{
		{"a page", 200, true},
		{"a redirect", 302, true},
		{"a refusal", 401, true},
		{"nothing at the root", 404, true},
		{"no HEAD", 405, true},
		{"not implemented", 501, true},
		{"a broken server", 500, false},
		{"a broken gateway", 502, false},
		{"maintenance", 503, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodHead || r.URL.Path != "/" {
					t.Errorf("asked %s %s", r.Method, r.URL)
				}
				w.WriteHeader(tt.status)
			}))
			defer server.Close()
			pool := New(Options{AllowPrivate: true})
			defer pool.CloseIdle()
			host := strings.TrimPrefix(server.URL, "http://")
			// Without a scheme https is tried first, which this server does not speak.
			for _, schemes := range [][]string{{"http"}, {"https", "http"}} {
				err := pool.check(context.Background(), &watch{host: host, schemes: schemes})
				if (err == nil) != tt.up {
					t.Errorf("by %v: %v", schemes, err)
				}
			}
		})
	}
}

func TestCheckIsRefusedAsRequestsAre(t *testing.T) {
	pool := New(Options{})
	w := &watch{host: "127.0.0.1:1", schemes: []string{"https", "http"}}
	for range failuresToDown {
		pool.Failed(w.host, pool.check(t.Context(), w))
	}
	if !pool.Up(w.host) {
		t.Error("a host that may not be checked counts as down")
	}
}
