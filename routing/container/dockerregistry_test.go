package container

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"tallygate/cluster/catalog"
	"tallygate/routing/event"
)

// These tests pull from the registry that most others derive from.

// registryProcess is Debian's docker-registry, with its blobs in a directory.
type registryProcess struct {
	host string // host:port, plain http
	dir  string
	auth *tokenServer // nil: open
}

// startRegistry runs docker-registry with some more configuration.
func startRegistry(t *testing.T, auth *tokenServer, more string) *registryProcess {
	t.Helper()
	binary, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Skip("docker-registry is not installed (apt-get install docker-registry)")
	}
	p := &registryProcess{dir: t.TempDir(), auth: auth}
	config := "version: 0.1\nlog: {level: info}\nhttp: {addr: '127.0.0.1:0'}\nstorage: {filesystem: {rootdirectory: '" + p.dir + "'}}\n" + more
	if auth != nil {
		config += auth.config(t)
	}
	path := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "serve", path)
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addresses := make(chan string, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		listening := regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				addresses <- m[1]
			}
		}
		close(addresses)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = cmd.Wait() // killed, as asked
	})
	var ok bool
	if p.host, ok = <-addresses; !ok {
		t.Fatal("docker-registry did not start")
	}
	return p
}

// push puts something into the registry, with a token of its own if it wants one.
func (p *registryProcess) push(t *testing.T, to string, what remote.Taggable) {
	t.Helper()
	var opts []remote.Option
	if p.auth != nil {
		repository, _, _ := strings.Cut(to, ":")
		token := p.auth.token(tokenAccess{"repository", repository, []string{"push", "pull"}})
		opts = append(opts, remote.WithTransport(bearer(token)))
	}
	push(t, p.host+"/"+to, what, opts...)
}

// bearer sends a token with every request.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return plainClient.Transport.RoundTrip(r)
}

// tokenServer issues tokens as the registry project's token specification says:
// to anyone, good for pulling from the public repositories.
type tokenServer struct {
	*httptest.Server
	key       *ecdsa.PrivateKey
	cert      []byte
	public    []string
	anonymous atomic.Int64 // tokens given to anyone
}

func newTokenServer(t *testing.T, public ...string) *tokenServer {
	t.Helper()
	s := &tokenServer{public: public}
	var err error
	if s.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "token server"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if s.cert, err = x509.CreateCertificate(rand.Reader, template, template, &s.key.PublicKey, s.key); err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *tokenServer) config(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "roots.pem")
	roots := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert})
	if err := os.WriteFile(path, roots, 0o600); err != nil {
		t.Fatal(err)
	}
	return "auth: {token: {realm: '" + s.URL + "/token', service: 'test', issuer: 'tokens', rootcertbundle: '" + path + "'}}\n"
}

// tokenAccess is what a token is good for.
type tokenAccess struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var granted []tokenAccess
	for _, scope := range r.URL.Query()["scope"] {
		if parts := strings.Split(scope, ":"); len(parts) == 3 && parts[2] == "pull" && slices.Contains(s.public, parts[1]) {
			granted = append(granted, tokenAccess{parts[0], parts[1], parts[2:]})
		}
	}
	s.anonymous.Add(1)
	_ = json.NewEncoder(w).Encode(map[string]any{"token": s.token(granted...), "expires_in": 60})
}

func (s *tokenServer) token(granted ...tokenAccess) string {
	now := time.Now()
	return s.sign(map[string]any{
		"iss": "tokens", "sub": "", "aud": "test", "exp": now.Add(time.Minute).Unix(), "nbf": now.Add(-time.Minute).Unix(),
		"iat": now.Unix(), "jti": strconv.FormatInt(now.UnixNano(), 36), "access": append([]tokenAccess{}, granted...),
	})
}

func (s *tokenServer) sign(claims map[string]any) string {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(map[string]any{"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(s.cert)}}) + "." + part(claims)
	hash := sha256.Sum256([]byte(text))
	r, v, _ := ecdsa.Sign(rand.Reader, s.key, hash[:])
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	v.FillBytes(signature[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestDockerRegistryWithTokenAuthentication(t *testing.T) {
	auth := newTokenServer(t, "acme/rocket-skates")
	registry := startRegistry(t, auth, "")
	idx := index(t)
	registry.push(t, "acme/rocket-skates:1.0", idx)
	registry.push(t, "acme/secret:1.0", image(t))
	g := newGateway(t, host(
		catalog.Image{Registry: registry.host, Repository: "acme/rocket-skates", PlainHTTP: true},
		catalog.Image{Name: "rocket", Registry: registry.host, Repository: "acme/rocket-skates", PlainHTTP: true},
		catalog.Image{Registry: registry.host, Repository: "acme/secret", PlainHTTP: true},
	))
	for i, repository := range []string{"acme/rocket-skates", "rocket"} {
		for _, reference := range []string{":1.0", "@" + digest(t, idx)} {
			if got, want := g.pull(t, repository+reference), childOf(t, idx); got != want {
				t.Errorf("%s%s: pulled %s, want %s", repository, reference, got, want)
			}
			counted := countable(g.taken())
			if len(counted) != 2 {
				t.Fatalf("%s%s: countable: %+v", repository, reference, counted)
			}
			for _, e := range counted {
				if e.Type != event.ManifestFetch || e.Version != "1.0" || e.Status != http.StatusOK || e.OriginHost != registry.host {
					t.Errorf("event %+v", e)
				}
			}
			if counted[0].Digest != digest(t, idx) || counted[1].Platform != "linux" || counted[1].Arch != "arm64" {
				t.Errorf("events %+v", counted)
			}
		}
		if n := auth.anonymous.Load(); n != 1 {
			t.Errorf("after the name %d: %d anonymous tokens", i, n)
		}
	}
	resp := g.do(t, http.MethodGet, "/v2/acme/secret/manifests/1.0")
	if body := text(t, resp); resp.StatusCode != http.StatusUnauthorized || !strings.Contains(body, codeUnauthorized) {
		t.Errorf("a private image: %s %s", resp.Status, body)
	}
	if len(g.taken()) != 0 {
		t.Error("a refusal was noted")
	}
}

func TestDockerRegistryWithARedirectToItsStorage(t *testing.T) {
	var storage http.Handler
	cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the storage saw a token")
		}
		storage.ServeHTTP(w, r)
	}))
	defer cdn.Close()
	auth := newTokenServer(t, "acme/app")
	registry := startRegistry(t, auth, "middleware: {storage: [{name: redirect, options: {baseurl: '"+cdn.URL+"'}}]}\n")
	storage = http.FileServer(http.Dir(registry.dir))
	idx := index(t)
	registry.push(t, "acme/app:1.0", idx)
	g := newGateway(t, host(catalog.Image{Registry: registry.host, Repository: "acme/app", PlainHTTP: true}))
	if got, want := g.pull(t, "acme/app:1.0"), childOf(t, idx); got != want {
		t.Errorf("pulled %s, want %s", got, want)
	}
	blobs := 0
	for _, e := range g.taken() {
		if e.Type == event.BlobFetch {
			blobs++
			if e.Status != http.StatusTemporaryRedirect {
				t.Errorf("blob passed through us: %+v", e)
			}
		}
	}
	if blobs != 3 {
		t.Errorf("%d blobs", blobs)
	}
}

func TestDockerRegistryWithoutAuthentication(t *testing.T) {
	registry := startRegistry(t, nil, "")
	idx := index(t)
	registry.push(t, "acme/app:1.0", idx)
	for _, always := range []bool{false, true} {
		g := newGateway(t, host(catalog.Image{Name: "app", Registry: registry.host, Repository: "acme/app", PlainHTTP: true, AlwaysProxy: always}))
		if got, want := g.pull(t, "app:1.0"), childOf(t, idx); got != want {
			t.Errorf("pulled %s, want %s", got, want)
		}
		want := http.StatusFound
		if always {
			want = http.StatusOK
		}
		for _, e := range g.taken() {
			if e.Status != want {
				t.Errorf("always proxied %v: %+v", always, e)
			}
		}
	}
}

// Without an Accept header this registry answers with a manifest of Docker's first
// schema, signed anew each time, whose digest is not that of its bytes.
func TestDockerRegistryServesItsFirstSchema(t *testing.T) {
	registry := startRegistry(t, newTokenServer(t, "acme/app"), "")
	registry.push(t, "acme/app:1.0", image(t))
	g := newGateway(t, host(catalog.Image{Registry: registry.host, Repository: "acme/app", PlainHTTP: true}))
	resp := g.do(t, http.MethodGet, "/v2/acme/app/manifests/1.0")
	body := text(t, resp)
	if resp.StatusCode != http.StatusOK || !isSigned(resp.Header.Get("Content-Type")) || !strings.Contains(body, `"signatures"`) {
		t.Errorf("%s %v %s", resp.Status, resp.Header, body)
	}
	if e := countable(g.taken()); len(e) != 1 || e[0].Digest != resp.Header.Get("Docker-Content-Digest") {
		t.Errorf("events %+v", e)
	}
}

func TestDockerRegistryListsItsTags(t *testing.T) {
	auth := newTokenServer(t, "acme/app")
	registry := startRegistry(t, auth, "")
	img := image(t)
	registry.push(t, "acme/app:v1", img)
	registry.push(t, "acme/app:v2", img)
	g := newGateway(t, host(catalog.Image{Name: "deep/er/app", Registry: registry.host, Repository: "acme/app", PlainHTTP: true}))
	got, err := crane.ListTags(g.host()+"/deep/er/app", crane.Insecure)
	slices.Sort(got) // this registry keeps no order, and pages nothing
	if err != nil || !slices.Equal(got, []string{"v1", "v2"}) {
		t.Errorf("tags are %v, %v", got, err)
	}
}
