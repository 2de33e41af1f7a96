package routing_test

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzGateway sends arbitrary bytes through net/http's parser into the whole
// gateway: nothing panics, no malformed request gets a 5xx, no header can be
// smuggled into an answer, and no stranger's text comes back as a page.
func FuzzGateway(f *testing.F) {
	for _, s := range []string{
		"GET /files/1.0/skates-linux.tar.gz?a=b HTTP/1.1\r\nHost: acme.gateway." + base + "\r\n\r\n",
		"GET /moved/%0d%0aSet-Cookie:x/%2e%2e HTTP/1.1\r\nHost: acme.gateway." + base + "\r\n\r\n",
		"POST /collect/x HTTP/1.1\r\nHost: acme.gateway." + base + "\r\nContent-Length: 9\r\n\r\n{\"a\":[1]}",
		"POST /closed HTTP/1.0\r\nHost: acme.gateway." + base + "\r\nAuthorization: Bearer x\r\n\r\n",
		"GET //evil.example/%5c HTTP/1.1\r\nHost: go.acme.com\r\n\r\n",
		"GET http://go.acme.com/\xff?\xff HTTP/1.1\r\nHost: x\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: go.acme.com\r\n\r\n",
		"GET /a.png?x-pxid=px-1&%zz HTTP/1.1\r\nHost: static." + base + "\r\nReferer: \xff\r\n\r\n",
		"POST /package-event/install/%zz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
		"GET /rx/1.0/linux HTTP/1.1\r\nHost: acme.gateway." + base + ":80\r\nForwarded: for=\"\r\n\r\n",
		"GET /simple/pyskates/%2f HTTP/1.1\r\nHost: dl.acme.com\r\n\r\n",
		"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
	} {
		f.Add([]byte(s), true)
	}
	g := newWorld(f)
	f.Fuzz(func(t *testing.T, raw []byte, trusted bool) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return // net/http answers 400 by itself
		}
		r.RemoteAddr = "203.0.113.9:4711"
		if trusted {
			r.RemoteAddr = "10.0.0.1:4711"
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		g.recorder.take()
		g.enricher.mu.Lock()
		g.enricher.seen = nil
		g.enricher.mu.Unlock()
		if w.Code >= 500 {
			t.Errorf("status %d", w.Code)
		}
		for name, values := range w.Header() {
			for _, v := range values {
				if strings.ContainsAny(v, "\r\n\x00") {
					t.Errorf("%s: %q", name, v)
				}
			}
		}
		if loc := w.Header().Get("Location"); loc != "" {
			for i := range len(loc) {
				if c := loc[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '\\' {
					t.Errorf("location %q", loc)
					break
				}
			}
			host, _, _ := strings.Cut(strings.TrimPrefix(loc, "https://"), "/")
			host, _, _ = strings.Cut(host, "?")
			if !strings.HasPrefix(loc, "https://") || !strings.HasSuffix(strings.TrimSuffix(host, ":8443"), ".example") || strings.Contains(host, "@") {
				t.Errorf("a client chose the host of %q", loc)
			}
		}
		if ct := w.Header().Get("Content-Type"); strings.Contains(ct, "html") {
			t.Errorf("content type %s", ct)
		}
	})
}
