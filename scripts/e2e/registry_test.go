package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// registry is a real docker-registry behind token authentication: anybody may
// pull, "pusher" may push.
type registry struct {
	Address string
	tokens  *tokenServer
}

const pusher, pusherPassword = "pusher", "push-me"

// startRegistry runs docker-registry with a token server of the distribution
// specification beside it.
func startRegistry(t *testing.T) *registry {
	t.Helper()
	needs(t, "docker-registry")
	dir := t.TempDir()
	tokens := newTokenServer(t)
	bundle := filepath.Join(dir, "issuer.pem")
	if err := os.WriteFile(bundle, tokens.certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	config := filepath.Join(dir, "config.yml")
	text := fmt.Sprintf(`version: 0.1
log: {level: error}
storage:
  filesystem: {rootdirectory: %s}
http: {addr: %s}
auth:
  token:
    realm: %s/token
    service: e2e
    issuer: e2e
    rootcertbundle: %s
`, filepath.Join(dir, "data"), address, tokens.server.URL, bundle)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &logBuffer{}
	cmd := exec.Command("docker-registry", "serve", config)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it may have ended already
		cmd.Wait()         //nolint:errcheck // killed
		if t.Failed() {
			t.Logf("log of the registry:\n%s", log)
		}
	})
	waitFor(t, "the registry", func() error {
		resp, err := http.Get("http://" + address + "/v2/")
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			return fmt.Errorf("status %d, want a challenge", resp.StatusCode)
		}
		return nil
	})
	return &registry{Address: address, tokens: tokens}
}

// push uploads an image with two platforms and returns the digest of its index.
func (r *registry) push(t *testing.T, repository, tag string) string {
	t.Helper()
	// Of one family of media types, so that no client has a reason to convert it.
	index := mutate.IndexMediaType(empty.Index, types.DockerManifestList)
	for _, arch := range []string{"amd64", "arm64"} {
		image, err := random.Image(4096, 2)
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	ref, err := name.ParseReference(r.Address+"/"+repository+":"+tag, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	// The client library asks no token server on a loopback address, so the push
	// brings its token along.
	token := r.tokens.issue(pusher, repository, "pull", "push")
	if err := remote.WriteIndex(ref, index, remote.WithTransport(withBearer(token))); err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// tokenServer issues tokens as docker-registry asks for them: a JWT signed with
// ES256 whose certificate travels in x5c.
type tokenServer struct {
	server      *httptest.Server
	certificate []byte // PEM
	key         *ecdsa.PrivateKey
	der         []byte
}

func newTokenServer(t *testing.T) *tokenServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "e2e"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s := &tokenServer{key: key, der: der, certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	s.server = httptest.NewServer(http.HandlerFunc(s.token))
	t.Cleanup(s.server.Close)
	return s
}

func (s *tokenServer) token(w http.ResponseWriter, r *http.Request) {
	user, password, given := r.BasicAuth()
	if given && (user != pusher || password != pusherPassword) {
		http.Error(w, "wrong credentials", http.StatusUnauthorized)
		return
	}
	granted := []access{}
	for _, scope := range r.URL.Query()["scope"] {
		parts := strings.SplitN(scope, ":", 3)
		if len(parts) != 3 {
			continue
		}
		actions := []string{"pull"}
		if given {
			actions = strings.Split(parts[2], ",")
		}
		granted = append(granted, access{parts[0], parts[1], actions})
	}
	json.NewEncoder(w).Encode(map[string]any{"token": s.jwt(user, granted), "expires_in": 300}) //nolint:errcheck // the client has left
}

// access is one resource of a token, as the distribution token specification
// names it.
type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// issue makes a token for one repository.
func (s *tokenServer) issue(user, repository string, actions ...string) string {
	return s.jwt(user, []access{{"repository", repository, actions}})
}

func (s *tokenServer) jwt(user string, granted []access) string {
	now := time.Now()
	header := map[string]any{"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(s.der)}}
	claims := map[string]any{
		"iss": "e2e", "aud": "e2e", "sub": user, "exp": now.Add(5 * time.Minute).Unix(),
		"nbf": now.Add(-time.Minute).Unix(), "iat": now.Unix(), "jti": rand.Text(), "access": granted,
	}
	return s.sign(header, claims)
}

// withBearer sends a token with every request.
type withBearer string

func (token withBearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(token))
	return http.DefaultTransport.RoundTrip(r)
}

func (s *tokenServer) sign(header, claims any) string {
	encode := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	signed := encode(header) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	a, b, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		panic(err)
	}
	signature := make([]byte, 64)
	a.FillBytes(signature[:32])
	b.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// freeAddress is a loopback address that was free a moment ago, for programs that
// can't report which port they chose.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
