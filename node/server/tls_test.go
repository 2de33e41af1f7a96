package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// authority issues the certificates of a test.
type authority struct {
	root   *x509.Certificate
	signer *ecdsa.PrivateKey
	pool   *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.signer = newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.signer.Public(), a.signer)
	if err != nil {
		t.Fatal(err)
	}
	if a.root, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.root)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate and its key, as PEM. change may be nil.
func (a *authority) issue(t *testing.T, name string, change func(*x509.Certificate)) (certPEM, keyPEM []byte) {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.root, key.Public(), a.signer)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

// pairDir is where a test keeps the two files.
type pairDir struct{ cert, key string }

func newPairDir(t *testing.T) pairDir {
	dir := t.TempDir()
	return pairDir{cert: filepath.Join(dir, "tls.crt"), key: filepath.Join(dir, "tls.key")}
}

func (d pairDir) write(t *testing.T, certPEM, keyPEM []byte) {
	t.Helper()
	for path, data := range map[string][]byte{d.cert: certPEM, d.key: keyPEM} {
		// Renamed into place, as those who renew certificates do.
		if err := os.WriteFile(path+".new", data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
}

// clock is a time that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// secured is a running HTTPS server whose files a test changes.
type secured struct {
	*authority
	pairDir
	files   *Files
	server  *Server
	clock   *clock
	log     *lines
	metrics *prometheus.Registry
}

func startSecured(t *testing.T, name string, handler http.Handler) *secured {
	t.Helper()
	s := &secured{
		authority: newAuthority(t), pairDir: newPairDir(t), clock: &clock{now: time.Now()},
		log: &lines{}, metrics: prometheus.NewRegistry(),
	}
	certPEM, keyPEM := s.issue(t, name, nil)
	s.write(t, certPEM, keyPEM)
	files, err := OpenFiles(FilesOptions{
		Certificate: s.cert, Key: s.key, Registerer: s.metrics,
		Logger: slog.New(slog.NewTextHandler(s.log, nil)), now: s.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.files = files
	s.server = start(t, Options{Name: "gateway-tls", Handler: handler, Certificates: files})
	return s
}

// shake does one handshake and returns what was agreed on.
func (s *secured) shake(t *testing.T, change func(*tls.Config)) (tls.ConnectionState, error) {
	t.Helper()
	config := &tls.Config{RootCAs: s.pool, ServerName: "get.acme.org", NextProtos: []string{"h2", "http/1.1"}}
	if change != nil {
		change(config)
	}
	dialer := &tls.Dialer{Config: config}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := dialer.DialContext(ctx, "tcp", s.server.Address())
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState(), nil
}

func (s *secured) serial(t *testing.T) *big.Int {
	t.Helper()
	state, err := s.shake(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	return state.PeerCertificates[0].SerialNumber
}

func serialOf(t *testing.T, certPEM []byte) *big.Int {
	t.Helper()
	block, _ := pem.Decode(certPEM)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c.SerialNumber
}

func TestARequestOverHTTPSKnowsThatItIsOne(t *testing.T) {
	s := startSecured(t, "get.acme.org", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Proto, " ", r.TLS != nil && r.TLS.HandshakeComplete, " ", r.TLS.ServerName)
	}))
	for proto, protocols := range map[string][]string{"HTTP/2.0": {"h2", "http/1.1"}, "HTTP/1.1": {"http/1.1"}} {
		t.Run(proto, func(t *testing.T) {
			transport := &http.Transport{
				TLSClientConfig:   &tls.Config{RootCAs: s.pool, ServerName: "get.acme.org", NextProtos: protocols},
				ForceAttemptHTTP2: proto == "HTTP/2.0",
			}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
			resp, err := client.Get("https://" + s.server.Address() + "/")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := string(body), proto+" true get.acme.org"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestHandshakes(t *testing.T) {
	s := startSecured(t, "get.acme.org", hello())
	tests := map[string]struct {
		change  func(*tls.Config)
		version uint16
		alpn    string
		err     string
	}{
		"a modern client gets TLS 1.3 and HTTP/2":        {nil, tls.VersionTLS13, "h2", ""},
		"TLS 1.2 is enough":                              {func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, tls.VersionTLS12, "h2", ""},
		"TLS 1.1 is not":                                 {func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, 0, "", "protocol version not supported"},
		"a client without ALPN is taken for HTTP/1.1":    {func(c *tls.Config) { c.NextProtos = nil }, tls.VersionTLS13, "", ""},
		"a client with HTTP/1.1 alone gets it":           {func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }, tls.VersionTLS13, "http/1.1", ""},
		"a client with a foreign protocol is refused":    {func(c *tls.Config) { c.NextProtos = []string{"imap"} }, 0, "", "no application protocol"},
		"a foreign name gets the certificate to look at": {func(c *tls.Config) { c.ServerName = "evil.example" }, 0, "", "valid for get.acme.org, not evil.example"},
		"no name gets the certificate": {func(c *tls.Config) {
			c.ServerName, c.InsecureSkipVerify = "", true
		}, tls.VersionTLS13, "h2", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			state, err := s.shake(t, tt.change)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if state.Version != tt.version || state.NegotiatedProtocol != tt.alpn {
				t.Errorf("got %s, %q", tls.VersionName(state.Version), state.NegotiatedProtocol)
			}
		})
	}
	if log := s.log.String(); strings.Contains(log, "127.0.0.1") || strings.Contains(log, "evil") {
		t.Errorf("the log names a client:\n%s", log)
	}
}

func TestAClientThatSpeaksPlainHTTPToTheTLSPortIsTold(t *testing.T) {
	s := startSecured(t, "get.acme.org", hello())
	status, err := get(s.server.Address())
	if err != nil || status != http.StatusBadRequest {
		t.Errorf("status %d, %v", status, err)
	}
}

func TestAChangedPairIsUsedByTheNextHandshakes(t *testing.T) {
	s := startSecured(t, "get.acme.org", hello())
	first := s.serial(t)
	certPEM, keyPEM := s.issue(t, "get.acme.org", nil)
	s.write(t, certPEM, keyPEM)
	if got := s.serial(t); got.Cmp(first) != 0 {
		t.Error("the files were looked at twice within a second")
	}
	s.clock.pass(lookInterval)
	if got := s.serial(t); got.Cmp(serialOf(t, certPEM)) != 0 {
		t.Error("the new certificate is not used")
	}
	if n := metric(t, s.metrics, "tallygate_server_certificate_reloads_total"); n != 1 {
		t.Errorf("%v reloads", n)
	}
	want := float64(s.files.current.Load().Leaf.NotAfter.Unix())
	if got := metric(t, s.metrics, "tallygate_server_certificate_expiry_timestamp_seconds"); got != want {
		t.Errorf("expiry %v, want %v", got, want)
	}
}

// metric is the value of a metric that has one.
func metric(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestAnOpenConnectionOutlivesTheCertificateItBeganWith(t *testing.T) {
	s := startSecured(t, "get.acme.org", hello())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.pool, ServerName: "get.acme.org"}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	for range 2 {
		resp, err := client.Get("https://" + s.server.Address() + "/")
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		certPEM, keyPEM := s.issue(t, "get.acme.org", nil)
		s.write(t, certPEM, keyPEM)
		s.clock.pass(lookInterval)
		s.serial(t)
	}
}

func TestABrokenNewPairLeavesTheOldOneInUse(t *testing.T) {
	tests := map[string]struct {
		breaks func(t *testing.T, s *secured)
		told   string
	}{
		"half written": {func(t *testing.T, s *secured) {
			certPEM, _ := s.issue(t, "get.acme.org", nil)
			s.write(t, certPEM[:len(certPEM)/2], nil)
		}, "holds no certificate"},
		"another pair's key": {func(t *testing.T, s *secured) {
			certPEM, _ := s.issue(t, "get.acme.org", nil)
			_, keyPEM := s.issue(t, "get.acme.org", nil)
			s.write(t, certPEM, keyPEM)
		}, "is not the key of the certificate"},
		"expired": {func(t *testing.T, s *secured) {
			certPEM, keyPEM := s.issue(t, "get.acme.org", func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
			})
			s.write(t, certPEM, keyPEM)
		}, "expired on"},
		"gone": {func(t *testing.T, s *secured) {
			if err := errors.Join(os.Remove(s.cert), os.Remove(s.key)); err != nil {
				t.Fatal(err)
			}
		}, "no such file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := startSecured(t, "get.acme.org", hello())
			first := s.serial(t)
			tt.breaks(t, s)
			for range 3 {
				s.clock.pass(lookInterval)
				if got := s.serial(t); got.Cmp(first) != 0 {
					t.Fatal("the certificate changed")
				}
			}
			if got := strings.Count(s.log.String(), tt.told); got != 1 {
				t.Errorf("told %d times, want once:\n%s", got, s.log)
			}
			certPEM, keyPEM := s.issue(t, "get.acme.org", nil)
			s.write(t, certPEM, keyPEM)
			s.clock.pass(lookInterval)
			if got := s.serial(t); got.Cmp(serialOf(t, certPEM)) != 0 {
				t.Error("the pair that was set right is not used")
			}
		})
	}
}

func TestAPairThatIsNotValidYetIsUsedOnceItIs(t *testing.T) {
	s := startSecured(t, "get.acme.org", hello())
	first := s.serial(t)
	certPEM, keyPEM := s.issue(t, "get.acme.org", func(c *x509.Certificate) {
		c.NotBefore = s.clock.Now().Add(5 * time.Second)
	})
	s.write(t, certPEM, keyPEM)
	s.clock.pass(2 * time.Second)
	if s.serial(t).Cmp(first) != 0 {
		t.Fatal("used before its time")
	}
	s.clock.pass(10 * time.Second)
	if got, _ := s.files.GetCertificate(nil); got.Leaf.SerialNumber.Cmp(serialOf(t, certPEM)) != 0 {
		t.Error("not used after its time")
	}
}

func TestHandshakesDuringARenewalNeverFail(t *testing.T) {
	s := startSecured(t, "get.acme.org", hello())
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				s.clock.pass(lookInterval)
				if _, err := s.shake(t, nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 20 {
		certPEM, keyPEM := s.issue(t, "get.acme.org", nil)
		s.write(t, certPEM, keyPEM) // two files, one after the other
	}
	close(stop)
	wg.Wait()
}

func TestDrainOverHTTP2FinishesRequestsUnderWay(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s := startSecured(t, "get.acme.org", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		io.WriteString(w, "done")
	}))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.pool, ServerName: "get.acme.org"}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	answered := make(chan error, 1)
	go func() {
		resp, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("https://" + s.server.Address() + "/")
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		answered <- err
	}()
	<-entered
	drained := make(chan error, 1)
	go func() { drained <- s.server.Drain(context.Background()) }()
	for s.server.Listening() {
		time.Sleep(time.Millisecond)
	}
	close(release)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}
