package node

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tallygate/node/config"
)

// faults makes one named point of the actors panic or stall, on demand.
type faults struct {
	mu    sync.Mutex
	point string
	act   func()
	met   int // how often the point was passed since the fault was set
}

func (f *faults) hook(point string) {
	f.mu.Lock()
	var act func()
	if point == f.point {
		act, f.met = f.act, f.met+1
	}
	f.mu.Unlock()
	if act != nil {
		act()
	}
}

func (f *faults) set(point string, act func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.point, f.act, f.met = point, act, 0
}

func (f *faults) passed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.met
}

type running struct {
	t *testing.T
	*Node
	local *http.Client
}

func startForTest(t *testing.T, opts ...Option) *running {
	t.Helper()
	c := config.Config{
		DataDir: t.TempDir(), Name: "n1", Region: "test", GatewayListen: "127.0.0.1:0", AdminListen: "127.0.0.1:0",
		BaseDomain: "gateway.test", ManifestOwner: "default", Analytics: true, SpoolSync: "2m",
		SpoolMaxBytes: "256MB", AnalyticsMemory: "256MB", LogLevel: "info", LogFormat: "text",
	}
	settings, err := c.Validate()
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(settings, slog.New(slog.DiscardHandler), opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &running{t: t, Node: n, local: &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", n.Socket())
			},
			DisableKeepAlives: true,
		},
	}}
}

// call asks the local API.
func (r *running) call(method, target, body string) (string, error) {
	req, err := http.NewRequest(method, "http://node"+target, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := r.local.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", resp.Status, data)
	}
	return string(data), nil
}

// ask sends one request to the gateway.
func ask(client *http.Client, gateway, method, path, body string) (int, string, error) {
	req, err := http.NewRequest(method, "http://"+gateway+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Host = "acme.gateway.gateway.test"
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), err
}

func newClient() *http.Client {
	return &http.Client{
		Timeout:       10 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 4},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func eventually(t *testing.T, what string, ok func() error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute for %s: %v", what, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

const actorsCatalog = `
organizations: [{name: acme}]
packages:
  - {owner: acme, name: rocket, type: file, routes: [{incoming_path: "/dl/{version}.tgz", outgoing_url: "https://origin.example/{version}.tgz"}]}
  - {owner: acme, name: telemetry, type: event, incoming_path: /events}
`

// TestActorsPanicAndStallInTurn makes each long-lived part fail while requests
// come in. Redirects on open connections never pause, and every event that was
// acknowledged, before, during and after the fault, becomes one row.
func TestActorsPanicAndStallInTurn(t *testing.T) {
	f := &faults{}
	r := startForTest(t, WithHook(f.hook))
	if _, err := r.call("POST", "/v1/apply?name=c.yaml", actorsCatalog); err != nil {
		t.Fatal(err)
	}
	downloads, collector := newClient(), newClient()
	defer downloads.CloseIdleConnections()
	defer collector.CloseIdleConnections()
	acknowledged := map[string]bool{}
	collect := func() error {
		status, body, err := ask(collector, r.GatewayAddress(), "POST", "/events", `{"action":"launch"}`)
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("status %d: %s", status, body)
		}
		var answer struct{ IDs []string }
		if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.IDs) != 1 {
			return fmt.Errorf("answer %s: %w", body, err)
		}
		acknowledged[answer.IDs[0]] = true
		return nil
	}
	redirect := func() {
		t.Helper()
		status, _, err := ask(downloads, r.GatewayAddress(), "GET", "/dl/1.tgz", "")
		if err != nil || status != http.StatusFound {
			t.Errorf("a redirect paused: status %d, %v", status, err)
		}
	}
	redirect() // opens the connection that redirects use from here on

	points := []struct {
		name string
		// poke makes the actor pass the point.
		poke func()
	}{
		{"publish built", func() {
			r.call("POST", "/v1/apply?name=c.yaml", actorsCatalog+fmt.Sprintf("  - {owner: acme, name: p%d, type: npm}\n", time.Now().UnixNano()))
		}}, //nolint:errcheck // may wait for the stalled part
		{"recorder publish", func() {}},
		{"recorder published", func() {}},
		{"spool check", func() {}},
		{"ingest write", func() {}},
		{"ingest wrote", func() {}},
		{"store written", func() {}},
		{"gateway accept", func() { http.Get("http://" + r.GatewayAddress() + "/") }}, //nolint:errcheck,bodyclose // only the connection counts
		{"admin accept", func() { http.Get("http://" + r.AdminAddress() + "/healthz") }},
	}
	for _, kind := range []string{"panic", "stall"} {
		for _, p := range points {
			t.Run(kind+" at "+p.name, func(t *testing.T) {
				release := make(chan struct{})
				var once sync.Once
				f.set(p.name, func() {
					if kind == "stall" {
						<-release
						return
					}
					first := false
					once.Do(func() { first = true })
					if first {
						panic("a fault of the test's")
					}
				})
				var poking sync.WaitGroup
				poking.Go(p.poke)
				var collecting sync.WaitGroup
				collecting.Go(func() {
					// While the recorder or the spool stalls this waits; under a panic it
					// may be refused. Only what is acknowledged counts.
					for range 5 {
						collect() //nolint:errcheck // see above
					}
				})
				eventually(t, "the fault", func() error {
					redirect()
					if f.passed() == 0 {
						return fmt.Errorf("%s was not passed", p.name)
					}
					return nil
				})
				for range 20 {
					redirect()
				}
				f.set("", nil)
				close(release)
				poking.Wait()
				collecting.Wait()
				eventually(t, "collection to go on", collect)
			})
		}
	}
	eventually(t, "every acknowledged event to be one row", func() error {
		out, err := r.call("POST", "/v1/sql", `{"format":"json","query":"select id, count(*) as n from events where type = 'event' group by id"}`)
		if err != nil {
			return err
		}
		var rows []struct {
			ID string
			N  int
		}
		if err := json.Unmarshal([]byte(out), &rows); err != nil {
			return err
		}
		found := 0
		for _, row := range rows {
			if row.N != 1 {
				t.Fatalf("%s is there %d times", row.ID, row.N)
			}
			if acknowledged[row.ID] {
				found++
			}
		}
		if found != len(acknowledged) {
			return fmt.Errorf("%d of %d acknowledged events are rows", found, len(acknowledged))
		}
		return nil
	})
	t.Logf("%d events acknowledged", len(acknowledged))
}
