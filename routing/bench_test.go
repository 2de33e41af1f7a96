package routing_test

import (
	"net/http"
	"net/netip"
	"testing"

	"tallygate/routing"
	"tallygate/routing/client"
	"tallygate/routing/event"
	"tallygate/routing/table"
)

// sink is a recorder that costs nothing, so that the gateway's own cost shows.
type sink struct{ recorder }

func (*sink) Record(*event.Event) {}

// blank is a ResponseWriter that costs next to nothing. Like net/http's it
// starts each answer with an empty header of its own.
type blank struct {
	header http.Header
	status int
}

func (w *blank) Header() http.Header         { return w.header }
func (w *blank) Write(b []byte) (int, error) { return len(b), nil }
func (w *blank) WriteHeader(status int)      { w.status = status }

func benchRequest() *http.Request {
	r, err := http.NewRequest(http.MethodGet, "http://acme.gateway."+base+"/files/1.10/skates-linux-amd64.tar.gz", nil)
	if err != nil {
		panic(err)
	}
	r.RequestURI = "/files/1.10/skates-linux-amd64.tar.gz"
	r.RemoteAddr = "203.0.113.9:4711"
	r.Header = http.Header{"User-Agent": {"curl/8.5.0"}, "Accept": {"*/*"}}
	return r
}

func bench(b *testing.B, h http.Handler) {
	r := benchRequest()
	w := &blank{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		h.ServeHTTP(w, r)
	}
	if w.status != http.StatusFound {
		b.Fatalf("status %d", w.status)
	}
}

// benchGateway is a gateway with the real table and client recognition.
func benchGateway(tb testing.TB) *routing.Gateway {
	t := tableOf(tb, demo())
	g, err := routing.New(routing.Options{
		Table:          func() *table.Table { return t },
		Recorder:       &sink{},
		Clients:        client.New(),
		Origins:        origins{},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		BaseDomain:     base,
		Node:           "node-1",
		Region:         "eu",
	})
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// BenchmarkRedirect is a file route's redirect, without the network: the
// difference to BenchmarkBare is what the gateway adds to net/http.
func BenchmarkRedirect(b *testing.B) { bench(b, benchGateway(b)) }

// BenchmarkBare is a handler that writes the same answer and does nothing else.
func BenchmarkBare(b *testing.B) {
	cacheControl := []string{"no-store"}
	bench(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h["Location"] = []string{"https://origin.example/linux-amd64/skates-1.10.tar.gz"}
		h["Cache-Control"] = cacheControl
		w.WriteHeader(http.StatusFound)
	}))
}

// A redirect's allocations are its event, the event's variables, the Location
// and its header line. What more there is, is too much.
func TestARedirectAllocatesNoMoreThanItMust(t *testing.T) {
	if underRace {
		t.Skip("under the race detector sync.Pool forgets at random")
	}
	g := benchGateway(t)
	r := benchRequest()
	w := &blank{header: http.Header{}}
	serve := func() {
		clear(w.header)
		g.ServeHTTP(w, r)
	}
	serve()
	if n := testing.AllocsPerRun(200, serve); n > 4 {
		t.Errorf("%v allocations", n)
	}
}
