package enrich

import (
	"bytes"
	"context"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"tallygate/analytics/geo"
	"tallygate/routing/event"
)

// known is a database of one address.
type known struct {
	addr   netip.Addr
	result geo.Result
}

func (k known) Lookup(addr netip.Addr) geo.Result {
	if addr == k.addr {
		return k.result
	}
	return geo.Result{}
}

func TestWhatTheDatabasesKnowIsWrittenIntoTheEvent(t *testing.T) {
	n := enricher(t)
	n.networks = known{netip.MustParseAddr("198.51.100.7"), geo.Result{Country: "DE", City: "Bremen", Latitude: 53, Longitude: 8.8, ASN: 680, Organization: "DFN"}}
	var e event.Event
	n.Enrich(&e, source("::ffff:198.51.100.7"))
	if e.Country != "DE" || e.City != "Bremen" || e.Latitude != 53 || e.ASN != 680 || e.NetworkType != geo.Education || e.Company != "" {
		t.Errorf("got %+v", e)
	}
	e = event.Event{Country: "FR", NetworkType: geo.ISP}
	n.Enrich(&e, source("203.0.113.9"))
	if e.Country != "FR" || e.NetworkType != geo.ISP || e.ASN != 0 {
		t.Errorf("an unknown address: %+v", e)
	}
}

func enricher(t testing.TB) *Enricher {
	t.Helper()
	salts, err := OpenSalts(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return New(salts, nil)
}

func source(addr string, headers ...string) event.Source {
	src := event.Source{Header: http.Header{}}
	if addr != "" {
		src.Addr = netip.MustParseAddr(addr)
	}
	for i := 0; i < len(headers); i += 2 {
		src.Header.Add(headers[i], headers[i+1])
	}
	return src
}

// sum hashes the same under a key each time.
func sum(k *key) [16]byte { return k.hashes.New().(*hasher).sum([]byte("x")) }

func TestWhoIsTheSameOriginAndEndpoint(t *testing.T) {
	n := enricher(t)
	ids := func(src event.Source) (origin, endpoint [16]byte) {
		e := &event.Event{}
		n.Enrich(e, src)
		return e.OriginID, e.EndpointID
	}
	tests := map[string]struct {
		a, b                     event.Source
		sameOrigin, sameEndpoint bool
	}{
		"the same request twice":        {source("192.0.2.1", "User-Agent", "curl/8"), source("192.0.2.1", "User-Agent", "curl/8"), true, true},
		"another address":               {source("192.0.2.1"), source("192.0.2.2"), false, false},
		"another user agent":            {source("192.0.2.1", "User-Agent", "curl/8"), source("192.0.2.1", "User-Agent", "pip/24"), false, true},
		"another language":              {source("192.0.2.1", "Accept-Language", "de"), source("192.0.2.1", "Accept-Language", "fr"), false, true},
		"another browser hint":          {source("192.0.2.1", "Sec-CH-UA-Platform", "Linux"), source("192.0.2.1", "Sec-CH-UA-Platform", "macOS"), false, true},
		"another Accept, as in a pull":  {source("192.0.2.1", "Accept", "a"), source("192.0.2.1", "Accept", "b"), true, true},
		"values moved between headers":  {source("192.0.2.1", "User-Agent", "ab", "Accept-Language", "c"), source("192.0.2.1", "User-Agent", "a", "Accept-Language", "bc"), false, true},
		"IPv4 written as IPv6":          {source("192.0.2.1"), source("::ffff:192.0.2.1"), true, true},
		"IPv6 within one network of 64": {source("2001:db8::1"), source("2001:db8::2"), false, true},
		"IPv6 of another network of 64": {source("2001:db8:0:1::1"), source("2001:db8:0:2::1"), false, false},
		"IPv6 with another zone":        {source("fe80::1%eth0"), source("fe80::1%eth1"), true, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			originA, endpointA := ids(test.a)
			originB, endpointB := ids(test.b)
			if (originA == originB) != test.sameOrigin || (endpointA == endpointB) != test.sameEndpoint {
				t.Errorf("origin %x and %x, endpoint %x and %x", originA, originB, endpointA, endpointB)
			}
			if originA == endpointA || originA == [16]byte{} {
				t.Errorf("origin %x, endpoint %x", originA, endpointA)
			}
		})
	}
	if origin, endpoint := ids(source("")); origin != [16]byte{} || endpoint != [16]byte{} {
		t.Error("no address, but identifiers")
	}
	imported := &event.Event{UserAgent: "curl/8"}
	n.Enrich(imported, event.Source{Addr: netip.MustParseAddr("192.0.2.1")})
	if origin, _ := ids(source("192.0.2.1", "User-Agent", "curl/8")); imported.OriginID != origin {
		t.Error("an import of the same client is another origin")
	}
}

func TestASaltLivesForOneMonthAndNoLonger(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC)
	now := func() time.Time { return at }
	s, err := openSalts(dir, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "salt-2026-11")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	november, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// Held open, the file's blocks can be seen after it is gone.
	held, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	before := sum(s.current(at))

	again, err := openSalts(dir, nil, now)
	if err != nil || sum(again.current(at)) != before {
		t.Errorf("another salt after a restart, %v", err)
	}
	at = at.Add(time.Second)
	if sum(s.current(at)) == before {
		t.Error("the salt outlived its month")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "salt-2026-12" {
		t.Errorf("files %v, %v", entries, err)
	}
	left := make([]byte, len(november))
	if _, err := held.ReadAt(left, 0); err != nil || bytes.Equal(left, november) {
		t.Errorf("the old salt was not overwritten: %v", err)
	}
}

func TestADamagedSaltIsReplaced(t *testing.T) {
	dir := t.TempDir()
	name, _ := month(time.Now())
	if err := os.WriteFile(filepath.Join(dir, saltPrefix+name), []byte("not hex"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := OpenSalts(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenSalts(dir, nil)
	if err != nil || sum(again.current(time.Now())) != sum(s.current(time.Now())) {
		t.Errorf("not kept: %v", err)
	}
}

func TestADiskThatFailsAtTheMonthsEndDoesNotKeepTheOldSalt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "salts")
	at := time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)
	s, err := openSalts(dir, nil, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	before := sum(s.current(at))
	moved := dir + ".moved"
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	at = at.Add(2 * time.Hour)
	december := sum(s.current(at))
	if december == before {
		t.Error("the old salt is in use")
	}
	if err := os.Rename(moved, dir); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	err = s.tidy(at)
	s.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	again, err := openSalts(dir, nil, func() time.Time { return at })
	if err != nil || sum(again.current(at)) != december {
		t.Errorf("the salt in use was not written: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "salt-2026-11")); !os.IsNotExist(err) {
		t.Errorf("the old salt is there: %v", err)
	}
}

func TestTheSaltChangesAtTheMonthsEndWithoutARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s, err := OpenSalts(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = s.Serve(ctx) }()
		time.Sleep(32 * 24 * time.Hour) // of the bubble's clock
		synctest.Wait()
		name, _ := month(time.Now())
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 || entries[0].Name() != saltPrefix+name {
			t.Errorf("files %v, %v", entries, err)
		}
		cancel()
		<-done
	})
}

func BenchmarkEnrich(b *testing.B) {
	n := enricher(b)
	src := source("192.0.2.1", "User-Agent", "docker/20.10.24+dfsg1 go/go1.19.8 git-commit/x kernel/y os/linux arch/amd64 UpstreamClient(Docker-Client/20.10.24 \\(linux\\))")
	e := &event.Event{}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		e := *e
		for pb.Next() {
			n.Enrich(&e, src)
		}
	})
}
