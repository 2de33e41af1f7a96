package routing_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tallygate/cluster/catalog"
	"tallygate/routing"
	"tallygate/routing/event"
	"tallygate/routing/table"
)

const ownHost = "Host: acme.gateway." + base

// Whoever asks not to be tracked is served just like anyone else, and leaves no
// trace: no event, no look-up.
func TestWhoAsksNotToBeTrackedIsServedTheSameAndNotRecorded(t *testing.T) {
	tests := map[string]struct {
		method, target, host, body string
		samebody                   bool // the answer doesn't name events
	}{
		"a redirect":                      {method: "GET", target: "/files/1/skates-linux.tar.gz?a=1", host: ownHost, samebody: true},
		"a catch-all":                     {method: "GET", target: "/x?y", host: "Host: go.acme.com", samebody: true},
		"a route without an outgoing URL": {method: "GET", target: "/ping/1", host: ownHost},
		"collected events":                {method: "POST", target: "/collect/app", host: ownHost, body: `{"a":1}{"a":2}`},
		"a pixel":                         {method: "GET", target: "/a.png?x-pxid=px-1", host: "Host: static." + base, samebody: true},
		"an npm install":                  {method: "POST", target: "/package-event/install/npm-1", host: "Host: localhost", body: `{"$version":"1"}`},
		"an image":                        {method: "GET", target: "/v2/acme/app/manifests/latest", host: "Host: acme.docker." + base, samebody: true},
		"a package index":                 {method: "GET", target: "/simple/onlypy/", host: ownHost, samebody: true},
		"a closed event":                  {method: "POST", target: "/closed", host: ownHost, body: "{}", samebody: true},
		"an unknown address":              {method: "GET", target: "/nope", host: ownHost, samebody: true},
	}
	for name, tt := range tests {
		for _, header := range []string{"DNT: 1", "Sec-GPC: 1", "dnt:  1 "} {
			t.Run(name+" with "+header, func(t *testing.T) {
				g := newWorld(t)
				tracked := send(t, g, tt.method, tt.target, tt.body, tt.host)
				g.recorder.take()
				seen := len(g.enricher.seen)
				res := send(t, g, tt.method, tt.target, tt.body, tt.host, header)
				if res.StatusCode != tracked.StatusCode {
					t.Errorf("status %d, others get %d", res.StatusCode, tracked.StatusCode)
				}
				got, want := res.Header.Clone(), tracked.Header.Clone()
				if !tt.samebody {
					got.Del("Content-Length")
					want.Del("Content-Length")
					if body := read(t, res); tt.method != "HEAD" && body != `{"stored":0,"ids":[]}`+"\n" {
						t.Errorf("body %s", body)
					}
				} else if a, b := read(t, res), read(t, tracked); a != b {
					t.Errorf("body %q, others get %q", a, b)
				}
				if a, b := headerText(got), headerText(want); a != b {
					t.Errorf("headers\n%s\nothers get\n%s", a, b)
				}
				if events := g.recorder.take(); len(events) != 0 {
					t.Errorf("recorded %s", describeAll(events))
				}
				if len(g.enricher.seen) != seen {
					t.Error("the address was looked up")
				}
			})
		}
	}

	t.Run("DNT: 0 is no such wish", func(t *testing.T) {
		g := newWorld(t)
		send(t, g, "GET", "/plain", "", ownHost, "DNT: 0", "Sec-GPC: 0")
		if n := len(g.recorder.take()); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

func headerText(h http.Header) string {
	var b bytes.Buffer
	_ = h.Write(&b)
	return b.String()
}

func read(t *testing.T, res *http.Response) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A full spool costs redirects a statistic, and makes collection say so.
func TestAFullSpool(t *testing.T) {
	tests := map[string]struct {
		method, target, host, body string
		status                     int
	}{
		"redirects go on":                           {"GET", "/plain", ownHost, "", 302},
		"pixels go on":                              {"GET", "/a.png?x-pxid=px-1", "Host: static." + base, "", 200},
		"collection asks to come again":             {"POST", "/collect/app", ownHost, "{}", 503},
		"a route without an outgoing URL does too":  {"GET", "/ping/1", ownHost, "", 503},
		"an npm install does too":                   {"POST", "/package-event/install/npm-1", ownHost, "{}", 503},
		"a broken body is still the client's fault": {"POST", "/collect/app", ownHost, "x", 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := newWorld(t)
			g.recorder.full = true
			res := send(t, g, tt.method, tt.target, tt.body, tt.host)
			if res.StatusCode != tt.status {
				t.Errorf("status %d, want %d", res.StatusCode, tt.status)
			}
			if got := res.Header.Get("Retry-After"); (got != "") != (tt.status == 503) {
				t.Errorf("Retry-After %q", got)
			}
		})
	}
}

func TestAStoreThatDoesNotAnswerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newWorld(t, func(o *routing.Options) { o.StoreTimeout = 3 * time.Second })
		g.recorder.stuck = true
		start := time.Now()
		res := send(t, g, "POST", "/collect/app", "{}", ownHost)
		if res.StatusCode != http.StatusServiceUnavailable || time.Since(start) != 3*time.Second {
			t.Errorf("status %d after %s", res.StatusCode, time.Since(start))
		}
	})
}

// What a client is told and what is stored are the same ids, and nothing is
// acknowledged before it is durable.
func TestAcknowledgedIDsAreTheStoredOnes(t *testing.T) {
	g := newWorld(t)
	res := send(t, g, "POST", "/collect/app", `{"n":0}{"n":1}{"n":2}{`, ownHost)
	var answer struct {
		Stored int      `json:"stored"`
		IDs    []string `json:"ids"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	events := g.recorder.take()
	if answer.Stored != 3 || len(answer.IDs) != 3 || g.recorder.stored != 3 || len(events) != 3 {
		t.Fatalf("answer %+v, %d stored", answer, g.recorder.stored)
	}
	for i, e := range events {
		if event.FormatID(e.ID) != answer.IDs[i] || e.Variables[1].Value != string(rune('0'+i)) {
			t.Errorf("event %d: %s, acknowledged %s", i, event.FormatID(e.ID), answer.IDs[i])
		}
	}
}

func TestAZippedBodyIsTaken(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(`{"a":1}{"a":2}`))
	_ = z.Close()
	g := newWorld(t)
	res := send(t, g, "POST", "/collect/app", b.String(), ownHost, "Content-Encoding: gzip")
	if res.StatusCode != 200 || len(g.recorder.take()) != 2 {
		t.Errorf("status %d", res.StatusCode)
	}
}

func TestFailover(t *testing.T) {
	tests := map[string]struct {
		down   []string
		origin string
	}{
		"the primary while it is up":         {nil, "one.example"},
		"the next while the primary is down": {[]string{"one.example"}, "two.example"},
		"the last while all before it are":   {[]string{"one.example", "two.example"}, "three.example:8443"},
		"the primary when all are":           {[]string{"one.example", "two.example", "three.example:8443"}, "one.example"},
		"another one's trouble is no matter": {[]string{"two.example"}, "one.example"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := newWorld(t)
			for _, o := range tt.down {
				g.origins[o] = true
			}
			res := send(t, g, "GET", "/safe/x.zip?q=1", "", ownHost)
			if want := "https://" + tt.origin + "/x.zip?q=1"; res.Header.Get("Location") != want {
				t.Errorf("location %s, want %s", res.Header.Get("Location"), want)
			}
			if events := g.recorder.take(); len(events) != 1 || events[0].OriginHost != tt.origin {
				t.Errorf("events %s", describeAll(events))
			}
		})
	}
}

// The source of an event is the client's word only where the client may speak
// for others.
func TestWhoseAddressCounts(t *testing.T) {
	const body = `{"$remote_address":"198.51.100.7","$headers":{"User-Agent":"curl/1","X-A":"b"}}`
	tests := map[string]struct {
		target  string
		peer    string
		headers []string
		addr    string
		header  bool // $headers stand for the request's
	}{
		"a stranger speaks for itself":                {"/collect/app", "203.0.113.9:1", nil, "203.0.113.9", false},
		"a token lets a server speak for its clients": {"/closed", "203.0.113.9:1", []string{"Authorization: Bearer " + tokenOK}, "198.51.100.7", true},
		"a machine among the trusted does too":        {"/collect/app", "10.0.0.9:1", nil, "198.51.100.7", true},
		"a stranger behind a trusted proxy does not":  {"/collect/app", "10.0.0.9:1", []string{"X-Forwarded-For: 203.0.113.9"}, "203.0.113.9", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := newWorld(t)
			r := httptest.NewRequest("POST", tt.target, strings.NewReader(body))
			r.Host, r.RemoteAddr = "acme.gateway."+base, tt.peer
			for _, h := range tt.headers {
				name, value, _ := strings.Cut(h, ": ")
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			if w.Code != 200 || len(g.enricher.seen) != 1 {
				t.Fatalf("status %d, %d enriched", w.Code, len(g.enricher.seen))
			}
			src := g.enricher.seen[0]
			if src.Addr != netip.MustParseAddr(tt.addr) || (src.Header.Get("X-A") == "b") != tt.header {
				t.Errorf("source %v", src)
			}
			e := g.recorder.take()[0]
			if text, err := json.Marshal(e); err != nil || bytes.Contains(text, []byte("198.51.100.7")) || bytes.Contains(text, []byte("203.0.113.9")) {
				t.Errorf("an address is in the event: %s %v", text, err)
			}
		})
	}
}

func TestATrustedProxyChoosesHostAndClient(t *testing.T) {
	g := newWorld(t)
	r := httptest.NewRequest("GET", "http://inner.local/plain", nil)
	r.RemoteAddr = "10.1.2.3:80"
	r.Header.Set("X-Forwarded-Host", "acme.gateway."+base)
	r.Header.Set("X-Forwarded-For", "6.6.6.6, 198.51.100.1")
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if w.Code != 302 || g.enricher.seen[0].Addr != netip.MustParseAddr("198.51.100.1") || g.recorder.take()[0].Domain != "acme.gateway."+base {
		t.Errorf("status %d, seen %v", w.Code, g.enricher.seen)
	}
}

func TestLongAndInvalidTextIsCutBeforeItIsRecorded(t *testing.T) {
	g := newWorld(t)
	send(t, g, "GET", "/moved/"+strings.Repeat("a", 9000)+"?x="+strings.Repeat("b", 9000)+strings.Repeat("&y=1", 500), "", ownHost,
		"User-Agent: \xff"+strings.Repeat("u", 9000), "Referer: "+strings.Repeat("r", 9000))
	e := g.recorder.take()[0]
	if len(e.Path) > 2048 || len(e.UserAgent) > 1024 || len(e.Referer) > 2048 || len(e.Variables) > 128 {
		t.Errorf("path %d, user agent %d, referer %d, %d variables", len(e.Path), len(e.UserAgent), len(e.Referer), len(e.Variables))
	}
	if !strings.HasPrefix(e.UserAgent, "\uFFFDu") {
		t.Errorf("user agent %.8q", e.UserAgent)
	}
}

// The debug log names what was asked for, but no address, query or credential.
func TestTheLogKeepsAddressesAndSecretsOut(t *testing.T) {
	var out bytes.Buffer
	g := newWorld(t, func(o *routing.Options) {
		o.Logger = slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	send(t, g, "GET", "/plain?key=hidden", "", ownHost, "Authorization: Bearer hidden", "X-Forwarded-For: 198.51.100.1")
	send(t, g, "POST", "/collect/app", `{"$remote_address":"198.51.100.1"}`, ownHost)
	text := out.String()
	for _, secret := range []string{"hidden", "198.51.100.1", "203.0.113.9"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in the log:\n%s", secret, text)
		}
	}
	for _, part := range []string{`"component":"routing"`, `"kind":"file"`, `"path":"/plain"`, `"status":302`, `"elapsed"`} {
		if !strings.Contains(text, part) {
			t.Errorf("%s is not in the log:\n%s", part, text)
		}
	}
}

func TestMetrics(t *testing.T) {
	g := newWorld(t)
	send(t, g, "GET", "/plain", "", ownHost)
	send(t, g, "GET", "/plain", "", ownHost, "DNT: 1")
	send(t, g, "GET", "/nope", "", ownHost)
	send(t, g, "GET", "/", "", "Host: nobody.example")
	send(t, g, "GET", "/a.png?x-pxid=nope", "", "Host: static."+base)
	send(t, g, "POST", "/package-event/install/nope", "{}", ownHost)
	send(t, g, "GET", "/v2/a/manifests/b", "", "Host: acme.docker."+base)
	want := map[string]float64{
		"requests_total file 3xx":         2,
		"requests_total none 4xx":         1,
		"requests_total unknown-host 4xx": 1,
		"requests_total pixel 2xx":        1,
		"requests_total npm-install 4xx":  1,
		"requests_total image 4xx":        1,
		"unmatched_total none":            1,
		"unmatched_total unknown-host":    1,
		"unmatched_total pixel":           1,
		"unmatched_total npm-install":     1,
		"untracked_requests_total":        1,
		"in_flight_requests":              0,
		"dropped_variables_total":         0,
	}
	got := gather(t, g.registry)
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s = %v, want %v", name, got[name], v)
		}
	}
}

func gather(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			name := strings.TrimPrefix(f.GetName(), "tallygate_routing_")
			labels := map[string]string{}
			for _, l := range m.Label {
				labels[l.GetName()] = l.GetValue()
			}
			for _, l := range []string{"kind", "code"} {
				if v, ok := labels[l]; ok {
					name += " " + v
				}
			}
			values[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return values
}

// abort gives up in the middle of an answer, as httputil.ReverseProxy does.
type abort struct{}

func (abort) ServeHTTP(w http.ResponseWriter, _ *http.Request, _ *table.Host, _ routing.Note) {
	w.WriteHeader(http.StatusOK)
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

func TestAnAbortedAnswerIsCountedAndPassedOn(t *testing.T) {
	g := newWorld(t, func(o *routing.Options) { o.Containers = abort{} })
	defer func() {
		if r := recover(); r != http.ErrAbortHandler { //nolint:errorlint // a panic's value is compared as net/http does
			t.Errorf("recovered %v", r)
		}
		got := gather(t, g.registry)
		if got["requests_total image 2xx"] != 1 || got["in_flight_requests"] != 0 {
			t.Errorf("metrics %v", got)
		}
	}()
	send(t, g, "GET", "/v2/", "", "Host: acme.docker."+base)
}

func TestBeforeTheCatalogIsLoadedClientsAreAskedToComeAgain(t *testing.T) {
	g := newWorld(t, func(o *routing.Options) { o.Table = func() *table.Table { return nil } })
	res := send(t, g, "GET", "/plain", "", ownHost)
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("status %d", res.StatusCode)
	}
}

func TestTheBaseDomainsPages(t *testing.T) {
	g := newWorld(t, func(o *routing.Options) {
		o.Base = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("page " + r.URL.Path)) })
	})
	if got := read(t, send(t, g, "GET", "/badge", "", "Host: "+base)); got != "page /badge" {
		t.Errorf("got %q", got)
	}
	res := send(t, g, "POST", "/package-event/install/npm-1", "{}", "Host: "+base)
	if res.StatusCode != 200 || len(g.recorder.take()) != 1 {
		t.Errorf("an install event went to the pages: %d", res.StatusCode)
	}
}

func TestAGatewayWithOnlyWhatIsRequired(t *testing.T) {
	table1 := tableOf(t, demo())
	r := &recorder{}
	g, err := routing.New(routing.Options{Table: func() *table.Table { return table1 }, Recorder: r, BaseDomain: base})
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]int{"/plain": 302, "/safe/a": 302, "/ping/1": 200, "/simple/onlypy/": 404} {
		if res := send(t, g, "GET", target, "", ownHost); res.StatusCode != want {
			t.Errorf("%s: status %d, want %d", target, res.StatusCode, want)
		}
	}
	if res := send(t, g, "GET", "/v2/acme/app/manifests/1", "", "Host: acme.docker."+base); res.StatusCode != 404 {
		t.Errorf("images without their part: %d", res.StatusCode)
	}
	for name, opts := range map[string]routing.Options{
		"no table": {Recorder: r}, "no recorder": {Table: func() *table.Table { return nil }},
	} {
		if _, err := routing.New(opts); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	reg := prometheus.NewRegistry()
	opts := routing.Options{Table: func() *table.Table { return nil }, Recorder: r, Registerer: reg}
	if _, err := routing.New(opts); err != nil {
		t.Error(err)
	}
	var already prometheus.AlreadyRegisteredError
	if _, err := routing.New(opts); !errors.As(err, &already) {
		t.Errorf("metrics registered twice: %v", err)
	}
}

// Redirects must not wait for a recorder that is busy with a batch.
func TestRecordIsUsedForWhatMustNotWait(t *testing.T) {
	g := newWorld(t)
	g.recorder.stuck = true // Store never returns
	done := make(chan struct{})
	go func() {
		defer close(done)
		send(t, g, "GET", "/plain", "", ownHost)
		send(t, g, "GET", "/a.png?x-pxid=px-1", "", "Host: static."+base)
		send(t, g, "GET", "/v2/", "", "Host: acme.docker."+base)
	}()
	<-done
	if g.recorder.recordN != 3 {
		t.Errorf("%d recorded", g.recorder.recordN)
	}
}

// Requests use each other's memory one after the other; nothing of one may show
// in another.
func TestRequestsDoNotMix(t *testing.T) {
	g := newWorld(t)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 100 {
				version := fmt.Sprintf("%d.%d", worker, i)
				res := send(t, g, "GET", "/files/"+version+"/skates-linux.tar.gz?v="+version, "", ownHost)
				if want := "https://origin.example/linux/skates-" + version + ".tar.gz?v=" + version; res.Header.Get("Location") != want {
					t.Errorf("location %s, want %s", res.Header.Get("Location"), want)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, e := range g.recorder.take() {
		want := []event.Variable{{Name: "platform", Value: "linux"}, {Name: "v", Value: e.Version}, {Name: "version", Value: e.Version}}
		if !slices.Equal(e.Variables, want) || e.Path != "/files/"+e.Version+"/skates-linux.tar.gz" {
			t.Errorf("event %s of %s", describe(e), e.Path)
		}
		seen[e.Version] = true
	}
	if len(seen) != 800 {
		t.Errorf("%d events differ", len(seen))
	}
}

// late keeps its note and uses it when its request is over.
type late struct{ note *routing.Note }

func (p late) ServeHTTP(_ http.ResponseWriter, _ *http.Request, _ *table.Host, note routing.Note) {
	*p.note = note
}

func TestANoteKeptForLaterIsStillOfItsOwnRequest(t *testing.T) {
	var note routing.Note
	g := newWorld(t, func(o *routing.Options) { o.Containers = late{&note} })
	send(t, g, "GET", "/v2/first", "", "Host: acme.docker."+base)
	send(t, g, "GET", "/plain", "", ownHost)
	g.recorder.take()
	note(&table.Rule{Package: &catalog.Package{Name: "p"}}, func(*event.Event) {})
	if events := g.recorder.take(); len(events) != 1 || events[0].Path != "/v2/first" {
		t.Errorf("events %s", describeAll(events))
	}
}
