package container

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tallygate/cluster/catalog"
	"tallygate/routing/origin"
)

// hurried makes a gateway's bounds short enough for tests of them.
func hurried(o *origin.Options) {
	o.HeaderTimeout, o.IdleTimeout = 100*time.Millisecond, 100*time.Millisecond
}

// hurriedBodies leaves a slow machine its time up to the body.
func hurriedBodies(o *origin.Options) {
	o.HeaderTimeout, o.IdleTimeout = time.Minute, 100*time.Millisecond
}

// patient leaves a slow machine its time: another bound than time is tested.
func patient(o *origin.Options) {
	o.HeaderTimeout, o.IdleTimeout = time.Minute, time.Minute
}

// script is a registry that is neither open nor asks for a token, and answers a
// request for a manifest or a blob by hand.
func script(t *testing.T, talk func(conn net.Conn, r *http.Request)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			go func() {
				defer stop()
				defer func() { _ = conn.Close() }()
				r, err := http.ReadRequest(bufio.NewReader(conn))
				switch {
				case err != nil:
				case r.URL.Path == "/v2/":
					_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				default:
					talk(conn, r)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// says answers with a text, then closes the connection.
func says(text string) func(net.Conn, *http.Request) {
	return func(conn net.Conn, _ *http.Request) { _, _ = io.WriteString(conn, text) }
}

// hangs answers with a text, then says no more.
func hangs(text string) func(net.Conn, *http.Request) {
	return func(conn net.Conn, r *http.Request) {
		says(text)(conn, r)
		_, _ = conn.Read(make([]byte, 1)) // until the gateway gives up
	}
}

// endless answers with a text, then repeats another as long as anyone listens.
func endless(text, more string) func(net.Conn, *http.Request) {
	return func(conn net.Conn, r *http.Request) {
		says(text)(conn, r)
		for {
			if _, err := io.WriteString(conn, more); err != nil {
				return
			}
		}
	}
}

const (
	goodManifest = `{"schemaVersion":2}`
	okHeader     = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\n"
)

// whole is an answer with its length, after which the connection closes.
func wholeAnswer(header, body string) string {
	return header + fmt.Sprintf("Content-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
}

func TestHostileRegistries(t *testing.T) {
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 4096, strings.Repeat("x", 4096))
	goodDigest, _ := compute("sha256:", []byte(goodManifest))
	for _, tt := range []struct {
		name   string
		talk   func(net.Conn, *http.Request)
		path   string // after the repository; empty: a manifest by tag
		method string // empty: GET
		status int
		code   string
		header map[string]string
		body   string                // where status is 200
		bounds func(*origin.Options) // nil: patient
	}{
		{name: "one that never answers", bounds: hurried, talk: hangs(""), status: 504, code: codeUnavailable},
		{name: "one that hangs in its header", bounds: hurried, talk: hangs("HTTP/1.1 200 OK\r\nContent-"), status: 504, code: codeUnavailable},
		{name: "one that hangs in a manifest", bounds: hurriedBodies, talk: hangs(okHeader + "Content-Length: 100\r\n\r\n{"), status: 504, code: codeUnavailable},
		{name: "one that hangs in a refusal", bounds: hurriedBodies, talk: hangs("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n{"), status: 404, code: codeManifestUnknown},
		{name: "one that closes without a word", talk: says(""), status: 502, code: codeUnavailable},
		{name: "one that speaks no HTTP", talk: says("220 mail.example ESMTP\r\n"), status: 502, code: codeUnavailable},
		{name: "one with a header without end", talk: endless("HTTP/1.1 200 OK\r\nX: ", "aaaaaaaaaaaaaaaa"), status: 502, code: codeUnavailable},
		{name: "one with interim answers without end", talk: endless("", "HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("a", 512)+"\r\n\r\n"), status: 502, code: codeUnavailable},
		{name: "one that switches protocols", talk: says("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"), status: 502, code: codeUnavailable},
		{name: "one with a status of its own", talk: says(wholeAnswer("HTTP/1.1 999 Odd\r\n", "")), status: 502, code: codeUnavailable},
		{name: "one that succeeds oddly", talk: says(wholeAnswer("HTTP/1.1 204 No Content\r\n", "")), status: 502, code: codeUnavailable},
		{name: "one that sends less than it says", talk: says(okHeader + "Content-Length: 100\r\n\r\n{}"), status: 502, code: codeUnavailable},
		{name: "one that sends more than it says", talk: says(okHeader + "Content-Length: 19\r\n\r\n" + goodManifest + "and more"), status: 200, body: goodManifest},
		{name: "one with two lengths", talk: says(okHeader + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), status: 502, code: codeUnavailable},
		{name: "one with a broken chunk", talk: says(okHeader + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"), status: 502, code: codeUnavailable},
		{name: "one with a manifest without end", talk: endless(okHeader+"Transfer-Encoding: chunked\r\n\r\n", chunk), status: 502, code: codeUnavailable},
		{name: "one that announces a manifest of a terabyte", talk: hangs(okHeader + "Content-Length: 1099511627776\r\n\r\n{"), status: 502, code: codeUnavailable},
		{name: "one that announces it to HEAD", method: "HEAD", talk: says(okHeader + "Content-Length: 1099511627776\r\nConnection: close\r\n\r\n"), status: 502},
		{name: "one that sends another manifest than asked for", path: "/manifests/" + someSHA256, talk: says(wholeAnswer(okHeader, goodManifest)), status: 502, code: codeUnavailable},
		{name: "one that names another digest than asked for", path: "/manifests/" + goodDigest, talk: says(wholeAnswer(okHeader+"Docker-Content-Digest: "+someSHA256+"\r\n", goodManifest)), status: 502, code: codeUnavailable},
		{name: "one that names it to HEAD", method: "HEAD", path: "/manifests/" + goodDigest, talk: says(wholeAnswer(okHeader+"Docker-Content-Digest: "+someSHA256+"\r\n", "")), status: 502},
		{name: "one that names a wrong digest for a tag", talk: says(wholeAnswer(okHeader+"Docker-Content-Digest: "+someSHA256+"\r\n", goodManifest)), status: 502, code: codeUnavailable},
		{name: "one that names no digest", talk: says(wholeAnswer(okHeader, goodManifest)), status: 200, body: goodManifest, header: map[string]string{"Docker-Content-Digest": goodDigest}},
		{name: "one that names nonsense for a digest", talk: says(wholeAnswer(okHeader+"Docker-Content-Digest: <script>\r\n", goodManifest)), status: 200, body: goodManifest, header: map[string]string{"Docker-Content-Digest": goodDigest}},
		{name: "one that compresses unasked", talk: says(wholeAnswer(okHeader+"Content-Encoding: gzip\r\n", "\x1f\x8b")), status: 502, code: codeUnavailable},
		{name: "one that sends a part of a manifest", talk: says(wholeAnswer("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/9\r\n", "{}")), status: 502, code: codeUnavailable},
		{
			name: "one that sends a page", talk: says(wholeAnswer("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: a=b\r\nRefresh: 0;url=//evil.example\r\n", "<script>")), status: 200, body: "<script>",
			header: map[string]string{"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Set-Cookie": "", "Refresh": ""},
		},
		{
			name: "one that sends a page without a word of it", talk: says(wholeAnswer("HTTP/1.1 200 OK\r\n", "<html><script>")), status: 200, body: "<html><script>",
			header: map[string]string{"Content-Type": "application/octet-stream"},
		},
		{
			name: "one that names no digest for a digest", path: "/manifests/" + goodDigest, talk: says(wholeAnswer(okHeader, goodManifest)), status: 200, body: goodManifest,
			header: map[string]string{"Docker-Content-Digest": goodDigest},
		},
		{name: "one that redirects to itself", talk: says(wholeAnswer("HTTP/1.1 307 Temporary Redirect\r\nLocation: /v2/acme/app/manifests/1\r\n", "")), status: 502, code: codeUnavailable},
		{name: "one that redirects to nowhere", talk: says(wholeAnswer("HTTP/1.1 307 Temporary Redirect\r\n", "")), status: 502, code: codeUnavailable},
		{name: "one that redirects to a script", talk: says(wholeAnswer("HTTP/1.1 307 Temporary Redirect\r\nLocation: javascript:alert(1)\r\n", "")), status: 502, code: codeUnavailable},
		{name: "one that redirects with a password", talk: says(wholeAnswer("HTTP/1.1 307 Temporary Redirect\r\nLocation: https://a:b@c.example/\r\n", "")), status: 502, code: codeUnavailable},
		{name: "one with too many choices", talk: says(wholeAnswer("HTTP/1.1 300 Multiple Choices\r\nLocation: /x\r\n", "")), status: 502, code: codeUnavailable},
		{name: "one that is busy", talk: says(wholeAnswer("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17\r\n", "")), status: 429, code: codeTooMany, header: map[string]string{"Retry-After": "17"}},
		{name: "one that is busy and says why", talk: says(wholeAnswer("HTTP/1.1 429 Too Many Requests\r\n", `{"errors":[{"code":"TOOMANYREQUESTS","message":"come back later"}]}`)), status: 429, code: codeTooMany},
		{name: "one in maintenance", talk: says(wholeAnswer("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\n", "<html>")), status: 503, code: codeUnavailable, header: map[string]string{"Retry-After": "60"}},
		{name: "one that breaks", talk: says(wholeAnswer("HTTP/1.1 500 Internal Server Error\r\n", "panic: runtime error")), status: 502, code: codeUnavailable},
		{name: "one whose refusal has no end", talk: endless("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n", chunk), status: 404, code: codeManifestUnknown},
		{name: "one whose refusal is nonsense", talk: says(wholeAnswer("HTTP/1.1 404 Not Found\r\n", `{"errors":[{"code":"<b>","message":"`+strings.Repeat("a", 4096)+`"}]}`)), status: 404, code: codeManifestUnknown},
		{name: "one with a code of its own", talk: says(wholeAnswer("HTTP/1.1 404 Not Found\r\n", `{"errors":[{"code":"NAME_UNKNOWN","message":"no such thing"}]}`)), status: 404, code: codeNameUnknown},
		{name: "one that forbids", talk: says(wholeAnswer("HTTP/1.1 403 Forbidden\r\n", "")), status: 403, code: codeDenied},
		{name: "one that knows no HEAD", method: "HEAD", talk: says(wholeAnswer("HTTP/1.1 405 Method Not Allowed\r\n", "")), status: 405},
		{name: "one with a challenge of garbage", talk: says(wholeAnswer("HTTP/1.1 401 Unauthorized\r\nWww-Authenticate: Bearer realm=\"\r\n", "")), status: 401, code: codeUnauthorized},
		{name: "one whose token server is a file", talk: says(wholeAnswer("HTTP/1.1 401 Unauthorized\r\nWww-Authenticate: Bearer realm=\"file:///etc/passwd\"\r\n", "")), status: 502, code: codeUnavailable},
		{name: "one whose token server is nowhere", talk: says(wholeAnswer("HTTP/1.1 401 Unauthorized\r\nWww-Authenticate: Bearer realm=\"http://127.0.0.1:1/\"\r\n", "")), status: 502, code: codeUnavailable},
		{name: "one that lists tags without end", path: "/tags/list", talk: endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk), status: 502, code: codeUnavailable},
		{name: "one whose tags are nonsense", path: "/tags/list", talk: says(wholeAnswer("HTTP/1.1 200 OK\r\n", "[]")), status: 502, code: codeUnavailable},
		{name: "one whose tags are nothing", path: "/tags/list", talk: says(wholeAnswer("HTTP/1.1 200 OK\r\n", "null")), status: 200, body: "null"},
		{name: "one that names another digest for a blob", path: "/blobs/" + someSHA256, talk: says(wholeAnswer("HTTP/1.1 200 OK\r\nDocker-Content-Digest: "+goodDigest+"\r\n", "x")), status: 502, code: codeUnavailable},
		{name: "one that sends a part of a blob unasked", path: "/blobs/" + someSHA256, talk: says(wholeAnswer("HTTP/1.1 206 Partial Content\r\n", "x")), status: 502, code: codeUnavailable},
		{name: "one that succeeds oddly with a blob", path: "/blobs/" + someSHA256, talk: says(wholeAnswer("HTTP/1.1 202 Accepted\r\n", "")), status: 502, code: codeUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.bounds == nil {
				tt.bounds = patient
			}
			g := newGateway(t, host(catalog.Image{Name: "app", Registry: script(t, tt.talk), Repository: "acme/app", PlainHTTP: true}), tt.bounds)
			path, method := tt.path, tt.method
			if path == "" {
				path = "/manifests/1"
			}
			if method == "" {
				method = http.MethodGet
			}
			resp := g.do(t, method, "/v2/app"+path)
			body := text(t, resp)
			if resp.StatusCode != tt.status {
				t.Fatalf("status is %s, want %d: %s", resp.Status, tt.status, body)
			}
			for name, want := range tt.header {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			noted := len(g.taken())
			if tt.status == http.StatusOK {
				if body != tt.body {
					t.Errorf("body is %q", body)
				}
				return
			}
			if noted != 0 {
				t.Error("a refusal was noted")
			}
			if method == http.MethodHead {
				return
			}
			var parsed errorBody
			if err := json.Unmarshal([]byte(body), &parsed); err != nil || len(parsed.Errors) != 1 || parsed.Errors[0].Code != tt.code {
				t.Errorf("body is %s, want the code %s", body, tt.code)
			}
		})
	}
}

func TestBlobsThatEndTooEarlyBreakTheConnection(t *testing.T) {
	for name, talk := range map[string]func(net.Conn, *http.Request){
		"by a length not reached": says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome"),
		"in the middle of chunks": says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n"),
		"by a broken chunk":       says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\nzz\r\n"),
		"by silence":              hangs("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome"),
		"by silence in chunks":    hangs("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, host(catalog.Image{Registry: script(t, talk), Repository: "acme/app", PlainHTTP: true}), hurried)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.URL+"/v2/acme/app/blobs/"+someSHA256, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := plainClient.Do(req)
			if err != nil {
				return // it broke before its header had gone out
			}
			defer func() { _ = resp.Body.Close() }()
			if body, err := io.ReadAll(resp.Body); err == nil {
				t.Errorf("the client takes %q for the whole", body)
			}
		})
	}
}

func TestARegistryThatHangsFromTheStartIsWaitedForOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	var connections atomic.Int64
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			defer func() { _ = conn.Close() }()
		}
	}()
	g := newGateway(t, host(catalog.Image{Registry: listener.Addr().String(), Repository: "acme/app", PlainHTTP: true}), hurried)
	resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/1")
	if body := text(t, resp); resp.StatusCode != http.StatusGatewayTimeout || !strings.Contains(body, codeUnavailable) {
		t.Errorf("%s %s", resp.Status, body)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestAPrivateAddressIsNeverAsked(t *testing.T) {
	b := newBackend(t)
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}),
		func(o *origin.Options) { o.AllowPrivate = false })
	resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/1")
	if body := text(t, resp); resp.StatusCode != http.StatusBadGateway || !strings.Contains(body, "private address") {
		t.Errorf("%s %s", resp.Status, body)
	}
	if n := len(b.seen()); n != 0 {
		t.Errorf("it was asked %d times", n)
	}
}

func TestATokenServerThatHangsIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			<-release
			return
		}
		w.Header().Set("Www-Authenticate", `Bearer realm="http://`+r.Host+`/token"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	defer close(release)
	g := newGateway(t, host(catalog.Image{Registry: hostPort(server), Repository: "acme/app", PlainHTTP: true}), hurried)
	resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/1")
	if body := text(t, resp); resp.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("%s %s", resp.Status, body)
	}
}

func TestARegistryThatIsTheGatewayItselfIsNoTrap(t *testing.T) {
	rules := host()
	g := newGateway(t, rules)
	rules["acme/app"] = rule(catalog.Image{Registry: g.host(), Repository: "acme/app", PlainHTTP: true, AlwaysProxy: true})
	resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/1")
	if body := text(t, resp); resp.StatusCode != http.StatusBadGateway {
		t.Errorf("%s %s", resp.Status, body)
	}
	if n := len(g.taken()); n != 0 {
		t.Errorf("%d notes", n)
	}
}

func TestHostileClients(t *testing.T) {
	b := newBackend(t, withTokens)
	img := image(t)
	b.pushOpen(t, "acme/app:1", img)
	g := newGateway(t, host(catalog.Image{Registry: b.host(), Repository: "acme/app", PlainHTTP: true}))
	long := strings.Repeat("a", 60<<10)
	for _, tt := range []struct {
		name, method, path string
		header             []string
		status             int
		code               string
	}{
		{"an upload is begun", "POST", "/v2/acme/app/blobs/uploads/", nil, 405, codeUnsupported},
		{"an upload goes on", "PATCH", "/v2/acme/app/blobs/uploads/1", nil, 405, codeUnsupported},
		{"an upload ends", "PUT", "/v2/acme/app/blobs/uploads/1?digest=" + someSHA256, nil, 405, codeUnsupported},
		{"a manifest is pushed", "PUT", "/v2/acme/app/manifests/1", nil, 405, codeUnsupported},
		{"a manifest is deleted", "DELETE", "/v2/acme/app/manifests/1", nil, 405, codeUnsupported},
		{"a blob is deleted", "DELETE", "/v2/acme/app/blobs/" + someSHA256, nil, 405, codeUnsupported},
		{"the root is posted to", "POST", "/v2/", nil, 405, codeUnsupported},
		{"an unknown method", "BREW", "/v2/acme/app/manifests/1", nil, 405, codeUnsupported},
		{"an upload's state", "GET", "/v2/acme/app/blobs/uploads/1", nil, 404, codeUnsupported},
		{"an unknown image", "GET", "/v2/acme/other/manifests/1", nil, 404, codeNameUnknown},
		{"an unknown tag", "GET", "/v2/acme/app/manifests/2", nil, 404, codeManifestUnknown},
		{"an unknown blob", "GET", "/v2/acme/app/blobs/" + someSHA256, nil, 404, codeBlobUnknown},
		{"the catalog", "GET", "/v2/_catalog", nil, 404, codeUnsupported},
		{"a way up", "GET", "/v2/acme/%2e%2e/manifests/1", nil, 400, codeNameInvalid},
		{"an escaped slash", "GET", "/v2/acme%2fapp/manifests/1", nil, 400, codeNameInvalid},
		{"a reference of 10 KB", "GET", "/v2/acme/app/manifests/" + long[:10<<10], nil, 400, codeNameInvalid},
		{"an endless Accept", "GET", "/v2/acme/app/manifests/1", []string{"Accept", long}, 200, ""},
		{"an endless condition", "GET", "/v2/acme/app/manifests/1", []string{"If-None-Match", long}, 200, ""},
		{"an endless User-Agent", "GET", "/v2/acme/app/manifests/1", []string{"User-Agent", long}, 200, ""},
		{"a range of a manifest", "GET", "/v2/acme/app/manifests/1", []string{"Range", "bytes=0-1"}, 200, ""},
		{"credentials of its own", "GET", "/v2/acme/app/manifests/1", []string{"Authorization", "Basic YTpi"}, 200, ""},
		{"a query on a manifest", "GET", "/v2/acme/app/manifests/1?x=" + long[:1000], nil, 200, ""},
		{"a query of garbage on tags", "GET", "/v2/acme/app/tags/list?n=%zz&=&;", nil, 200, ""},
		{"a chain of gateways", "GET", "/v2/acme/app/manifests/1", []string{"Via", "1.1 tallygate, 1.1 tallygate", "Via", "2 cdn"}, 200, ""},
		{"a loop of gateways", "GET", "/v2/acme/app/manifests/1", []string{"Via", strings.Repeat("1.1 tallygate, ", 4)}, 502, codeUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := g.do(t, tt.method, tt.path, tt.header...)
			body := text(t, resp)
			if resp.StatusCode != tt.status {
				t.Fatalf("status is %s, want %d: %s", resp.Status, tt.status, body)
			}
			if tt.status == http.StatusMethodNotAllowed && resp.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow is %q", resp.Header.Get("Allow"))
			}
			var parsed errorBody
			if tt.code != "" && (json.Unmarshal([]byte(body), &parsed) != nil || len(parsed.Errors) != 1 || parsed.Errors[0].Code != tt.code) {
				t.Errorf("body is %s, want the code %s", body, tt.code)
			}
		})
	}
	for _, r := range b.seen() {
		if n := len(fmt.Sprint(r.Header)); n > 2*maxForwarded {
			t.Errorf("the registry got a header of %d bytes", n)
		}
		if !strings.HasPrefix(r.URL.Path, "/v2/acme/app/") && r.URL.Path != "/v2/" && r.URL.Path != "/token" {
			t.Errorf("the registry was asked for %s", r.URL)
		}
	}
}

func TestAClientThatTakesNothingIsLetGo(t *testing.T) {
	g := newGateway(t, host())
	w := &stuckWriter{ResponseRecorder: httptest.NewRecorder()}
	p := &pull{ask: ask{Handler: g.Handler}, w: w}
	err := p.stream(&http.Response{Body: io.NopCloser(strings.NewReader("some")), ContentLength: 4})
	if err == nil {
		t.Error("it is said to have taken all")
	}
	if len(w.deadlines) != 2 || time.Until(w.deadlines[0]) > writeTimeout || !w.deadlines[1].IsZero() {
		t.Errorf("deadlines are %v", w.deadlines)
	}
}

// stuckWriter is a client that takes nothing until its deadline.
type stuckWriter struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (w *stuckWriter) SetWriteDeadline(t time.Time) error {
	w.deadlines = append(w.deadlines, t)
	return nil
}

func (w *stuckWriter) Write([]byte) (int, error) { return 0, context.DeadlineExceeded }
