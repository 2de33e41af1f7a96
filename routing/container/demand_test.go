package container

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"tallygate/cluster/catalog"
	"tallygate/routing/event"
	"tallygate/routing/table"
)

func TestARegistrysDemandIsRememberedForAWhile(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		kept   time.Duration
		want   access
	}{
		{"open", 200, demandTTL, accessOpen},
		{"open elsewhere", 307, demandTTL, accessOpen},
		{"a challenge", 401, demandTTL, accessToken},
		{"a refusal", 403, unknownDemandTTL, accessUnknown},
		{"no such path", 404, unknownDemandTTL, accessUnknown},
		{"busy", 429, unknownDemandTTL, accessUnknown},
		{"broken", 500, 0, accessUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				d := newDemands(roundTrip(func(r *http.Request) (*http.Response, error) {
					asked++
					return reply(r, tt.status, "", "Www-Authenticate", `Bearer realm="https://auth.example/"`), nil
				}))
				of := func(times int) {
					t.Helper()
					got, err := d.of(t.Context(), endpoint{"https", "registry.example", "acme/app"})
					if err != nil || got.access != tt.want {
						t.Errorf("got %+v, %v", got, err)
					}
					if asked != times {
						t.Errorf("asked %d times, want %d", asked, times)
					}
				}
				of(1)
				if tt.kept > 0 {
					time.Sleep(tt.kept - time.Millisecond)
					of(1)
					time.Sleep(time.Millisecond)
				}
				of(2)
			})
		})
	}
}

func TestWhatIsNotThereSaysNothingOfARepository(t *testing.T) {
	asked := 0
	d := newDemands(roundTrip(func(r *http.Request) (*http.Response, error) {
		asked++
		return reply(r, 404, ""), nil
	}))
	for range 2 {
		if open, err := d.open(t.Context(), endpoint{"https", "registry.example", "acme/app"}, "manifests/nope"); open || err != nil {
			t.Errorf("open is %v, %v", open, err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func TestARegistryThatCanNotBeAskedIsNotRemembered(t *testing.T) {
	broken := errors.New("connection refused")
	asked := 0
	d := newDemands(roundTrip(func(*http.Request) (*http.Response, error) {
		asked++
		return nil, broken
	}))
	for range 2 {
		if _, err := d.of(t.Context(), endpoint{"https", "registry.example", "acme/app"}); !errors.Is(err, broken) {
			t.Errorf("error is %v", err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func TestAClientByHTTPSIsNotSentToHTTP(t *testing.T) {
	for _, tt := range []struct {
		name      string
		plainHTTP bool
		tls       bool
		want      int
	}{
		{"http to http", true, false, 302}, {"http to https", false, false, 302}, {"https to https", false, true, 302}, {"https to http", true, true, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := New(Options{Origins: scripted(func(r *http.Request) (*http.Response, error) {
				return reply(r, 200, goodManifest, "Content-Type", "application/vnd.oci.image.manifest.v1+json"), nil
			})})
			r := httptest.NewRequest(http.MethodGet, "/v2/acme/app/manifests/1", nil)
			if tt.tls {
				r.TLS = &tls.ConnectionState{}
			}
			w := httptest.NewRecorder()
			rules := host(catalog.Image{Registry: "registry.example", Repository: "acme/app", PlainHTTP: tt.plainHTTP})
			h.serve(w, r, rules, func(*table.Rule, func(*event.Event)) {})
			if w.Code != tt.want {
				t.Errorf("status is %d, want %d", w.Code, tt.want)
			}
		})
	}
}
