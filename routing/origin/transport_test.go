package origin

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"
)

type ctx = context.Context

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func get(t *testing.T, pool *Pool, url string) (*http.Response, error) {
	t.Helper()
	t.Cleanup(pool.CloseIdle)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pool.Transport().RoundTrip(req)
}

// raw is a server that speaks to each connection by hand, after the request's
// header.
func raw(t *testing.T, talk func(conn net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = listener.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				talk(conn)
			}
			_ = conn.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

// untilClosed waits until the other side has closed the connection.
func untilClosed(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) }

func TestTransportBoundsTheWaitForAnAnswer(t *testing.T) {
	pool := New(Options{AllowPrivate: true, HeaderTimeout: 50 * time.Millisecond})
	_, err := get(t, pool, raw(t, untilClosed))
	if !errors.Is(err, ErrTimeout) {
		t.Fatalf("error is %v, want ErrTimeout", err)
	}
	var ne net.Error
	if !errors.As(err, &ne) || !ne.Timeout() {
		t.Error("it is no timeout to net's eyes")
	}
}

func TestTransportBoundsTheWaitForEachByte(t *testing.T) {
	pool := New(Options{AllowPrivate: true, IdleTimeout: 50 * time.Millisecond})
	resp, err := get(t, pool, raw(t, func(conn net.Conn) {
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")
		untilClosed(conn)
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if string(got) != "some" || !errors.Is(err, ErrTimeout) {
		t.Errorf("read %q and %v, want some and ErrTimeout", got, err)
	}
}

func TestTransportDoesNotHurrySlowReaders(t *testing.T) {
	pool := New(Options{AllowPrivate: true, IdleTimeout: time.Nanosecond})
	resp, err := get(t, pool, raw(t, func(conn net.Conn) {
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nallthere")
		untilClosed(conn)
	}))
	if err != nil {
		t.Fatal(err)
	}
	// Nothing was read yet, so no wait has begun, however long this takes.
	select {
	case <-resp.Body.(*body).ctx.Done():
		t.Error("the body was given up before it was read")
	default:
	}
	_ = resp.Body.Close()
}

func TestTransportPassesBodiesAsTheyAre(t *testing.T) {
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	_, _ = zw.Write([]byte("hello"))
	_ = zw.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Error("compression was asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(zipped.Bytes())
	}))
	defer server.Close()
	resp, err := get(t, New(Options{AllowPrivate: true}), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if got, _ := io.ReadAll(resp.Body); !bytes.Equal(got, zipped.Bytes()) {
		t.Errorf("body is %q", got)
	}
}

func TestTransportFollowsNoRedirect(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusFound))
	defer server.Close()
	resp, err := get(t, New(Options{AllowPrivate: true}), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		t.Errorf("status is %d", resp.StatusCode)
	}
}

func TestTransportRefusesWhatIsNoHTTP(t *testing.T) {
	for _, url := range []string{"file:///etc/passwd", "ftp://example.com/", "gopher://example.com/"} {
		if _, err := get(t, New(Options{}), url); !errors.Is(err, ErrScheme) {
			t.Errorf("%s: %v, want ErrScheme", url, err)
		}
	}
}

func TestTransportRefusesGarbage(t *testing.T) {
	for name, answer := range map[string]string{
		"no HTTP at all":            "SSH-2.0-OpenSSH_9.2\r\n",
		"a header without end":      "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 2*maxHeaderBytes),
		"two lengths":               "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"a negative length":         "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n",
		"an unknown coding":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: rot13\r\n\r\n",
		"nothing":                   "",
		"interim answers no ending": strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <"+strings.Repeat("a", 1000)+">\r\n\r\n", 500),
	} {
		t.Run(name, func(t *testing.T) {
			pool := New(Options{AllowPrivate: true, HeaderTimeout: 5 * time.Second})
			resp, err := get(t, pool, raw(t, func(conn net.Conn) { fmt.Fprint(conn, answer) }))
			if err == nil {
				_ = resp.Body.Close()
				t.Fatalf("it was taken for an answer: %v", resp.Status)
			}
			if errors.Is(err, ErrTimeout) {
				t.Errorf("only time ended it: %v", err)
			}
		})
	}
}

func TestTransportSpeaksHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	resp, err := get(t, New(Options{AllowPrivate: true, RootCAs: roots}), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if got, _ := io.ReadAll(resp.Body); string(got) != "HTTP/2.0" {
		t.Errorf("the server saw %s", got)
	}
}

func TestTransportCountsWhatItDoes(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	reg := prometheus.NewRegistry()
	pool := New(Options{AllowPrivate: true, Registerer: reg})
	resp, err := get(t, pool, server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection stays open
	_ = resp.Body.Close()
	if got := valueOf(t, pool.metrics.requests.WithLabelValues("4xx")); got != 1 {
		t.Errorf("%v answers of class 4xx", got)
	}
	if got := valueOf(t, pool.metrics.connections); got != 1 {
		t.Errorf("%v open connections", got)
	}
	server.Close()
	pool.CloseIdle()
	if _, err := get(t, pool, server.URL); err == nil {
		t.Error("a closed server answered")
	}
	if got := valueOf(t, pool.metrics.requests.WithLabelValues("failure")); got != 1 {
		t.Errorf("%v failures", got)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "tallygate_origin_") {
			t.Errorf("metric %s", family.GetName())
		}
	}
}

func valueOf(t *testing.T, metric prometheus.Metric) float64 {
	t.Helper()
	var m dto.Metric
	if err := metric.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue() + m.GetGauge().GetValue()
}

func TestCancelledRequestsSayNothingOfTheOrigin(t *testing.T) {
	pool := New(Options{AllowPrivate: true})
	url := raw(t, untilClosed)
	for range 2 * failuresToDown {
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := pool.Transport().RoundTrip(req); err == nil {
			t.Fatal("it was answered")
		}
	}
	if !pool.Up(strings.TrimPrefix(url, "http://")) {
		t.Error("the origin counts as down")
	}
}

func TestWaitingForAConnectionSaysNothingOfTheOrigin(t *testing.T) {
	pool := New(Options{AllowPrivate: true, HeaderTimeout: 30 * time.Millisecond})
	pool.base.MaxConnsPerHost = 1
	url := raw(t, func(conn net.Conn) {
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")
		untilClosed(conn)
	})
	first, err := get(t, pool, url)
	if err != nil {
		t.Fatal(err)
	}
	for range failuresToDown {
		if _, err := get(t, pool, url); !errors.Is(err, ErrTimeout) {
			t.Fatalf("error is %v, want ErrTimeout", err)
		}
	}
	_ = first.Body.Close()
	if !pool.Up(strings.TrimPrefix(url, "http://")) {
		t.Error("the origin counts as down")
	}
}

func TestFailuresTakeAnOriginDownAndASuccessBringsItUp(t *testing.T) {
	status := http.StatusBadGateway
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer server.Close()
	pool := New(Options{AllowPrivate: true})
	host := strings.TrimPrefix(server.URL, "http://")
	ask := func() {
		resp, err := get(t, pool, server.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	for i := range failuresToDown {
		if !pool.Up(host) {
			t.Fatalf("down after %d failures", i)
		}
		ask()
	}
	if pool.Up(host) || len(pool.Down()) != 1 {
		t.Error("still up after enough failures")
	}
	status = http.StatusNotFound // any answer below 500 is a working host
	ask()
	if !pool.Up(host) || len(pool.Down()) != 0 {
		t.Error("still down after a success")
	}
}
