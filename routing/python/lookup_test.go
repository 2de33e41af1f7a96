package python

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tallygate/cluster/catalog"
	"tallygate/routing/event"
)

// index is an origin's index that can be changed, broken and made slow.
type index struct {
	mu       sync.Mutex
	page     string        // HTML; "": 404
	status   int           // not zero: this status, no page
	delay    time.Duration // before the answer
	requests int
	tagged   int // requests with If-None-Match
}

func (x *index) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.requests++
	select {
	case <-time.After(x.delay):
	case <-r.Context().Done():
		return
	}
	tag := fmt.Sprintf("%q", x.page)
	if r.Header.Get("If-None-Match") != "" {
		x.tagged++
	}
	switch {
	case x.status != 0:
		w.WriteHeader(x.status)
	case x.page == "":
		http.NotFound(w, r)
	case r.Header.Get("If-None-Match") == tag:
		w.WriteHeader(http.StatusNotModified)
	default:
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Etag", tag)
		_, _ = w.Write([]byte(x.page))
	}
}

func (x *index) set(f func(*index)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f(x)
}

func (x *index) seen() (requests, tagged int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.requests, x.tagged
}

// downs are origins of which some are held to be down.
type downs map[string]*atomic.Bool

func (d downs) Up(host string) bool { return d[host] == nil || !d[host].Load() }

const (
	pageA = `<a href="x-1.0.tar.gz">x</a>`
	pageB = `<a href="x-1.0.tar.gz">x</a><a href="x-2.0.tar.gz">x</a>`
)

func xProject(more ...string) *catalog.PythonProject {
	p := &catalog.PythonProject{Project: "x", RepositoryURL: "https://one.example/simple/"}
	p.FailoverIndexes = more
	return p
}

// get asks for the page of x and returns its status, whether it is called stale,
// and whether release 2.0 is on it.
func get(h *Handler, host projects) (status int, stale, second bool) {
	resp := ask(h, host, new(notes), "GET", "/simple/x/")
	var b bytes.Buffer
	_, _ = b.ReadFrom(resp.Body)
	return resp.StatusCode, strings.HasPrefix(resp.Header.Get("Warning"), "110 "), strings.Contains(b.String(), "x-2.0.tar.gz")
}

func TestAPageIsAskedForAgainWhenItsTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &index{page: pageA}
		h := New(Options{Transport: origins{"one.example": x.ServeHTTP}, TTL: time.Minute})
		defer h.Close()
		host := hostWith(xProject())
		for range 3 {
			get(h, host)
		}
		if n, _ := x.seen(); n != 1 {
			t.Fatalf("%d requests for a fresh page", n)
		}
		time.Sleep(59 * time.Second)
		get(h, host)
		if n, _ := x.seen(); n != 1 {
			t.Fatalf("%d requests within the page's time", n)
		}
		time.Sleep(time.Second)
		if status, stale, second := get(h, host); status != 200 || stale || second {
			t.Errorf("%d, stale %v, second %v", status, stale, second)
		}
		if n, tagged := x.seen(); n != 2 || tagged != 1 {
			t.Fatalf("%d requests, %d with a tag", n, tagged)
		}
		get(h, host) // a 304 makes the page young again
		if n, _ := x.seen(); n != 2 {
			t.Fatalf("%d requests after a 304", n)
		}
		x.set(func(x *index) { x.page = pageB })
		time.Sleep(time.Minute)
		if _, stale, second := get(h, host); stale || !second {
			t.Errorf("a changed page: stale %v, second %v", stale, second)
		}
	})
}

func TestAPageIsServedStaleWhileItsOriginIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &index{page: pageA}
		down := downs{"one.example": new(atomic.Bool)}
		h := New(Options{Transport: origins{"one.example": x.ServeHTTP}, TTL: time.Minute, Origins: down})
		defer h.Close()
		host := hostWith(xProject())
		get(h, host)
		time.Sleep(2 * time.Minute)
		x.set(func(x *index) { x.status, x.page = 500, pageB })
		resp := ask(h, host, new(notes), "GET", "/simple/x/")
		if resp.StatusCode != 200 || resp.Header.Get("Warning") != `110 tallygate "Response is Stale"` || resp.Header.Get("Age") != "120" || resp.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
		var n notes
		if resp := ask(h, host, &n, "GET", "/simple/x/x-1.0.tar.gz"); resp.StatusCode != 302 || resp.Header.Get("Warning") == "" {
			t.Errorf("a file: %d", resp.StatusCode)
		}
		if e := n.all(); len(e) != 1 || e[0].Type != event.BinaryDownload {
			t.Errorf("noted %v", e)
		}
		if requests, _ := x.seen(); requests != 2 {
			t.Errorf("%d requests: a failing origin is not to be asked each time", requests)
		}
		time.Sleep(retryAfter)
		get(h, host)
		if requests, _ := x.seen(); requests != 3 {
			t.Errorf("%d requests after the pause", requests)
		}
		down["one.example"].Store(true)
		time.Sleep(time.Minute)
		if status, stale, _ := get(h, host); status != 200 || !stale {
			t.Errorf("known to be down: %d, stale %v", status, stale)
		}
		if requests, _ := x.seen(); requests != 3 {
			t.Errorf("%d requests: an origin known to be down was asked", requests)
		}
		down["one.example"].Store(false)
		x.set(func(x *index) { x.status = 0 })
		time.Sleep(retryAfter)
		if status, stale, second := get(h, host); status != 200 || stale || !second {
			t.Errorf("up again: %d, stale %v, second %v", status, stale, second)
		}
	})
}

func TestWithoutAnythingKeptADownOriginIs503(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &index{status: 502}
		down := downs{"one.example": new(atomic.Bool)}
		down["one.example"].Store(true)
		h := New(Options{Transport: origins{"one.example": x.ServeHTTP}, Origins: down})
		defer h.Close()
		host := hostWith(xProject())
		for _, path := range []string{"/simple/x/", "/simple/x/x-1.0.tar.gz"} {
			var n notes
			resp := ask(h, host, &n, "GET", path)
			if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "5" || len(n.all()) != 0 {
				t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
			}
		}
		if requests, _ := x.seen(); requests != 1 {
			t.Errorf("%d requests; the last hope is tried, and only once", requests)
		}
		x.set(func(x *index) { x.status, x.page = 0, pageA })
		time.Sleep(retryAfter)
		if status, _, _ := get(h, host); status != 200 {
			t.Errorf("%d once it answers", status)
		}
	})
}

func TestASlowOriginIsNotWaitedForWhileAPageIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &index{page: pageA}
		h := New(Options{Transport: origins{"one.example": x.ServeHTTP}, TTL: time.Minute})
		defer h.Close()
		host := hostWith(xProject())
		get(h, host)
		time.Sleep(time.Minute)
		x.set(func(x *index) { x.delay, x.page = 10*time.Second, pageB })
		start := time.Now()
		if status, stale, second := get(h, host); status != 200 || !stale || second || time.Since(start) != patience {
			t.Errorf("%d, stale %v, second %v after %v", status, stale, second, time.Since(start))
		}
		time.Sleep(10 * time.Second)
		if _, stale, second := get(h, host); stale || !second {
			t.Errorf("the fetch came to nothing: stale %v, second %v", stale, second)
		}
	})
}

func TestOneFetchServesAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &index{page: pageA, delay: 3 * time.Second}
		h := New(Options{Transport: origins{"one.example": x.ServeHTTP}})
		defer h.Close()
		host := hostWith(xProject())

		// The first client begins the fetch and hangs up.
		ctx, hangUp := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			w := httptest.NewRecorder()
			h.serve(w, httptest.NewRequest("GET", "/simple/x/", nil).WithContext(ctx), host, new(notes).note)
		})
		synctest.Wait()
		hangUp()
		for range 20 {
			wg.Go(func() {
				if status, _, _ := get(h, host); status != 200 {
					t.Errorf("%d", status)
				}
			})
		}
		wg.Wait()
		if requests, _ := x.seen(); requests != 1 {
			t.Errorf("%d requests", requests)
		}
	})
}

func TestCloseEndsFetchesAndAnswersThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &index{page: pageA, delay: time.Hour}
		h := New(Options{Transport: origins{"one.example": x.ServeHTTP}})
		host := hostWith(xProject())
		var wg sync.WaitGroup
		wg.Go(func() {
			if status, _, _ := get(h, host); status != 503 {
				t.Errorf("while closing: %d", status)
			}
		})
		synctest.Wait()
		start := time.Now()
		_ = h.Close()
		wg.Wait()
		if status, _, _ := get(h, host); status != 503 || time.Since(start) != 0 {
			t.Errorf("closed: %d after %v", status, time.Since(start))
		}
	})
}

func TestAnotherIndexStandsInWhileTheFirstIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := &index{page: pageA}, &index{page: pageB}
		down := downs{"one.example": new(atomic.Bool)}
		h := New(Options{Transport: origins{"one.example": one.ServeHTTP, "two.example": two.ServeHTTP}, TTL: time.Minute, Origins: down})
		defer h.Close()
		host := hostWith(xProject("https://two.example/mirror/"))
		served := func() (string, string) {
			var n notes
			ask(h, host, &n, "GET", "/simple/x/")
			resp := ask(h, host, &n, "GET", "/simple/x/x-1.0.tar.gz")
			if len(n.all()) != 2 || n.all()[0].OriginHost != n.all()[1].OriginHost {
				t.Fatalf("noted %+v", n.all())
			}
			return n.all()[0].OriginHost, resp.Header.Get("Location")
		}
		if host, location := served(); host != "one.example" || location != "https://one.example/simple/x/x-1.0.tar.gz" {
			t.Errorf("at first %s, %s", host, location)
		}
		down["one.example"].Store(true)
		time.Sleep(probeEvery)
		if host, location := served(); host != "two.example" || location != "https://two.example/mirror/x/x-1.0.tar.gz" {
			t.Errorf("known to be down, long before the page's time is up: %s, %s", host, location)
		}
		down["one.example"].Store(false)
		time.Sleep(time.Minute)
		if host, _ := served(); host != "one.example" {
			t.Errorf("up again: %s", host)
		}
		one.set(func(x *index) { x.status = 500 }) // not known to be down yet
		time.Sleep(time.Minute)
		if host, _ := served(); host != "two.example" {
			t.Errorf("failing: %s", host)
		}
		one.set(func(x *index) { x.status, x.page = 0, "" })
		time.Sleep(time.Minute)
		if status, _, _ := get(h, host); status != 404 {
			t.Errorf("the first index has the last word, but: %d", status)
		}
	})
}

func TestAMirrorThatLacksAProjectDoesntSpeakForTheOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := &index{page: pageA}, &index{}
		h := New(Options{Transport: origins{"one.example": one.ServeHTTP, "two.example": two.ServeHTTP}, TTL: time.Minute})
		defer h.Close()
		host := hostWith(xProject("https://two.example/simple/"))
		get(h, host)
		one.set(func(x *index) { x.status = 500 })
		time.Sleep(time.Minute)
		if status, stale, _ := get(h, host); status != 200 || !stale {
			t.Errorf("%d, stale %v", status, stale)
		}
		fresh := New(Options{Transport: origins{"one.example": one.ServeHTTP, "two.example": two.ServeHTTP}})
		defer fresh.Close()
		if status, _, _ := get(fresh, host); status != 404 {
			t.Errorf("with nothing kept: %d", status)
		}
	})
}

func TestAFirstReleaseIsSoonSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &index{}
		h := New(Options{Transport: origins{"one.example": x.ServeHTTP}, TTL: time.Hour})
		defer h.Close()
		host := hostWith(xProject())
		if status, _, _ := get(h, host); status != 404 {
			t.Errorf("%d", status)
		}
		x.set(func(x *index) { x.page = pageA })
		time.Sleep(missingTTL)
		if status, _, _ := get(h, host); status != 200 {
			t.Errorf("%d", status)
		}
	})
}

func TestAFileThatAnotherNodeHasShownIsLookedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &index{page: pageA}
		h := New(Options{Transport: origins{"one.example": x.ServeHTTP}, TTL: time.Hour})
		defer h.Close()
		host := hostWith(xProject())
		get(h, host)
		x.set(func(x *index) { x.page = pageB })
		time.Sleep(doubtAfter)
		if resp := ask(h, host, new(notes), "GET", "/simple/x/x-2.0.tar.gz"); resp.StatusCode != 302 {
			t.Errorf("%d", resp.StatusCode)
		}
		for range 10 { // names made up don't make us ask each time
			ask(h, host, new(notes), "GET", "/simple/x/x-3.0.tar.gz")
		}
		if requests, _ := x.seen(); requests != 2 {
			t.Errorf("%d requests", requests)
		}
	})
}

func TestPagesOfOrigins(t *testing.T) {
	zipped := func(text string) string {
		var b bytes.Buffer
		zw := gzip.NewWriter(&b)
		_, _ = zw.Write([]byte(text))
		_ = zw.Close()
		return b.String()
	}
	answer := func(headers map[string]string, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for name, value := range headers {
				w.Header().Set(name, value)
			}
			_, _ = w.Write([]byte(body))
		}
	}
	html := map[string]string{"Content-Type": "text/html; charset=UTF-8"}
	for _, tt := range []struct {
		name     string
		handler  http.HandlerFunc
		location string // of x-1.0.tar.gz; "": the page can't be had
	}{
		{"HTML", answer(html, pageA), "https://one.example/simple/x/x-1.0.tar.gz"},
		{"the API's HTML", answer(map[string]string{"Content-Type": "application/vnd.pypi.simple.v1+html"}, pageA), "https://one.example/simple/x/x-1.0.tar.gz"},
		{"plain JSON", answer(map[string]string{"Content-Type": "application/json"}, `{"meta":{"api-version":"1.0"},"files":[{"filename":"x-1.0.tar.gz","url":"/f/x-1.0.tar.gz"}]}`), "https://one.example/f/x-1.0.tar.gz"},
		{"compressed", answer(map[string]string{"Content-Type": "text/html", "Content-Encoding": "gzip"}, zipped(pageA)), "https://one.example/simple/x/x-1.0.tar.gz"},
		{"wrongly compressed", answer(map[string]string{"Content-Type": "text/html", "Content-Encoding": "gzip"}, pageA), ""},
		{"an unknown encoding", answer(map[string]string{"Content-Type": "text/html", "Content-Encoding": "br"}, pageA), ""},
		{"another type", answer(map[string]string{"Content-Type": "text/plain"}, pageA), ""},
		{"no type", answer(map[string]string{"Content-Type": ""}, pageA), ""},
		{"a newer major version", answer(html, `<meta name="pypi:repository-version" content="2.0">`+pageA), ""},
		{"too large", answer(html, pageA+strings.Repeat(" ", maxPageBytes)), ""},
		{"too large when unpacked", answer(map[string]string{"Content-Type": "text/html", "Content-Encoding": "gzip"}, zipped(pageA+strings.Repeat(" ", maxPageBytes))), ""},
		{"a tag without an end", answer(html, `<a href="`+strings.Repeat("x", 2*maxToken)), ""},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://two.example/moved/"+strings.TrimPrefix(r.URL.Path, "/simple/"), http.StatusMovedPermanently)
		}, "https://two.example/moved/x/x-1.0.tar.gz"},
		{"a redirect to plain http", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://two.example/x/", http.StatusFound)
		}, ""},
		{"a redirect to itself", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}, ""},
		{"a redirect to a file of ours", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, ""},
		{"forbidden", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(403) }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHandler(t, Options{Transport: origins{"one.example": tt.handler, "two.example": answer(html, pageA)}})
			resp := ask(h, hostWith(xProject()), new(notes), "GET", "/simple/x/x-1.0.tar.gz")
			if got := resp.Header.Get("Location"); got != tt.location {
				t.Errorf("%d to %q, want %q", resp.StatusCode, got, tt.location)
			}
			if tt.location == "" && resp.StatusCode != 503 {
				t.Errorf("%d", resp.StatusCode)
			}
		})
	}
}

func TestAnIndexOverPlainHTTPMustBeAllowed(t *testing.T) {
	for allowed, want := range map[bool]int{true: 200, false: 503} {
		h := newHandler(t, Options{Transport: origins{"one.example": (&index{page: pageA}).ServeHTTP}})
		p := &catalog.PythonProject{Project: "x", RepositoryURL: "http://one.example/simple/", PlainHTTP: allowed}
		if status, _, _ := get(h, hostWith(p)); status != want {
			t.Errorf("allowed %v: %d", allowed, status)
		}
	}
}

func TestTheMemoryOfPagesIsBounded(t *testing.T) {
	page := serveText("text/html", manyLinks(200))
	const limit = 1 << 20
	h := newHandler(t, Options{Transport: origins{"one.example": page}, CacheBytes: limit})
	var all []*catalog.PythonProject
	for i := range 100 {
		all = append(all, &catalog.PythonProject{Project: fmt.Sprint("p", i), RepositoryURL: "https://one.example/"})
	}
	host := hostWith(all...)
	for _, p := range all {
		for _, accept := range []string{"text/html", jsonType} {
			if resp := ask(h, host, new(notes), "GET", "/simple/"+p.Project+"/", "Accept: "+accept); resp.StatusCode != 200 {
				t.Fatalf("%d", resp.StatusCode)
			}
		}
		if n, _ := h.cache.size(); n > limit {
			t.Fatalf("%d bytes", n)
		}
	}
	bytes, pages := h.cache.size()
	if pages < 2 || pages == len(all) {
		t.Errorf("%d pages of %d bytes in all", pages, bytes)
	}
	checkSize(t, h)

	small := newHandler(t, Options{Transport: origins{"one.example": page}, CacheBytes: 1})
	if resp := ask(small, host, new(notes), "GET", "/simple/p1/"); resp.StatusCode != 200 {
		t.Errorf("a page above the bound: %d", resp.StatusCode)
	}
}

func TestMemoryIsCountedThroughChangesOfAPackage(t *testing.T) {
	h := newHandler(t, Options{})
	for i := range 5 * maxViews {
		p := &catalog.PythonProject{Project: "x", Files: []catalog.PythonFile{
			{FileName: fmt.Sprintf("x-%d.tar.gz", i), Version: fmt.Sprint(i), URL: "https://files.example/x"},
		}}
		ask(h, hostWith(p), new(notes), "GET", "/simple/x/")
		checkSize(t, h)
	}
	if n, pages := h.cache.size(); pages != 1 || n > 32<<10 {
		t.Errorf("%d pages, %d bytes", pages, n)
	}
}

// checkSize checks that the cache's count is the sum of what it holds.
func checkSize(t *testing.T, h *Handler) {
	t.Helper()
	bytes, pages := h.cache.size()
	var sum int64
	for _, e := range h.cache.entries {
		want := int64(len(e.key)) + 512 + e.snap.views.bytes
		if !strings.HasPrefix(e.key, "named\n") {
			want += e.snap.page.bytes()
		}
		if e.bytes != want {
			t.Errorf("an entry counts %d bytes, and holds %d", e.bytes, want)
		}
		sum += e.bytes
	}
	if sum != bytes || pages != h.cache.used.Len() {
		t.Errorf("counted %d bytes of %d, %d pages of %d", bytes, sum, pages, h.cache.used.Len())
	}
}

func TestManyAskAtOnce(t *testing.T) {
	h := newHandler(t, Options{Transport: origins{"one.example": serveText("text/html", manyLinks(20))}, TTL: time.Nanosecond, CacheBytes: 64 << 10})
	var all []*catalog.PythonProject
	for i := range 20 {
		all = append(all, &catalog.PythonProject{Project: fmt.Sprint("p", i), RepositoryURL: "https://one.example/"})
	}
	host := hostWith(all...)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				path := fmt.Sprintf("/simple/p%d/", (i*7+g)%len(all))
				if resp := ask(h, host, new(notes), "GET", path); resp.StatusCode != 200 {
					t.Errorf("%s: %d", path, resp.StatusCode)
				}
			}
		})
	}
	wg.Wait()
}

func TestReadingManyPagesAtOnceIsBounded(t *testing.T) {
	f := newFetcher(http.DefaultTransport, time.Now)
	if !f.reading.TryAcquire(maxReading) {
		t.Fatal("nothing left at the start")
	}
	resp := &http.Response{Header: http.Header{}, Body: http.NoBody}
	_, release, err := f.readBody(resp)
	release()
	if !errors.Is(err, errBusy) {
		t.Errorf("%v", err)
	}
	f.reading.Release(maxReading)
	resp.Body = http.NoBody
	if _, release, err = f.readBody(resp); err != nil {
		t.Errorf("%v once there is room", err)
	}
	release()
	if !f.reading.TryAcquire(maxReading) {
		t.Error("memory was not given back")
	}
}

func TestWhatHappensIsCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	var log bytes.Buffer
	x := &index{page: pageA}
	h := newHandler(t, Options{Transport: origins{"one.example": x.ServeHTTP}, Registerer: reg, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	host := hostWith(xProject())
	get(h, host)
	get(h, host)
	ask(h, hostWith(&catalog.PythonProject{Project: "y", RepositoryURL: "https://none.example/"}), new(notes), "GET", "/simple/y/")
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	bytesKept, _ := h.cache.size()
	for series, want := range map[string]float64{
		"tallygate_python_page_lookups_total fetched":   1,
		"tallygate_python_page_lookups_total fresh":     1,
		"tallygate_python_page_lookups_total failed":    1,
		"tallygate_python_page_lookups_total stale":     0,
		"tallygate_python_page_fetches_total changed":   1,
		"tallygate_python_page_fetches_total failed":    1,
		"tallygate_python_page_fetches_total missing":   0,
		"tallygate_python_page_fetches_total unchanged": 0,
		"tallygate_python_page_fetch_duration_seconds":  2,
		"tallygate_python_cache_pages":                  2,
		"tallygate_python_cache_bytes":                  float64(bytesKept),
	} {
		if value, there := got[series]; !there || value != want {
			t.Errorf("%s: %v", series, value)
		}
	}
	if !strings.Contains(log.String(), "origin=none.example") {
		t.Errorf("log %q", log.String())
	}
}

func TestAFileThatTheCatalogNamesNeedsNoIndex(t *testing.T) {
	h, n := newHandler(t, Options{Transport: origins{}}), &notes{}
	host := hostWith(&catalog.PythonProject{
		Project: "skates", RepositoryURL: "https://index.example/simple/",
		Files: []catalog.PythonFile{{FileName: "skates-1.0.tar.gz", Version: "1.0", URL: "https://files.example/skates-1.0.tar.gz"}},
	})
	resp := ask(h, host, n, "GET", "/simple/skates/skates-1.0.tar.gz")
	if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusFound || got != "https://files.example/skates-1.0.tar.gz" {
		t.Errorf("%d to %q while the index is down", resp.StatusCode, got)
	}
	if events := n.all(); len(events) != 1 || events[0].Version != "1.0" || !events[0].Countable {
		t.Errorf("events %+v, want one of version 1.0", events)
	}
	if resp := ask(h, host, n, "GET", "/simple/skates/skates-2.0.tar.gz"); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%d for a file that only the index can know, want 503", resp.StatusCode)
	}
}
