package harness

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Users that a [TokenServer] knows, and their passwords. Anybody may pull what is
// not private.
const (
	Pusher         = "pusher"
	PusherPassword = "push-me"
	Puller         = "puller"
	PullerPassword = "pull-me"
)

// TokenServer issues tokens as docker-registry asks for them (token authentication
// of the distribution specification): a JWT signed with ES256 whose certificate
// travels in x5c.
type TokenServer struct {
	Bundle string // its certificate in PEM, for the registry
	// Private says which repositories only users may pull; nil: none.
	Private func(repository string) bool

	asked atomic.Int64
	key   *ecdsa.PrivateKey
	der   []byte
}

// NewTokenServer makes a handler; whoever serves it tells the registry its address.
func NewTokenServer(t *testing.T) *TokenServer {
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
	s := &TokenServer{Bundle: filepath.Join(t.TempDir(), "issuer.pem"), key: key, der: der}
	writePEM(t, s.Bundle, "CERTIFICATE", der)
	return s
}

// Asked is how many tokens were asked for so far.
func (s *TokenServer) Asked() int { return int(s.asked.Load()) }

func (s *TokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	user, password, given := r.BasicAuth()
	if known := map[string]string{Pusher: PusherPassword, Puller: PullerPassword}[user]; given && (known == "" || known != password) {
		http.Error(w, "wrong credentials", http.StatusUnauthorized)
		return
	}
	granted := []access{}
	for _, scope := range r.URL.Query()["scope"] {
		for scope := range strings.FieldsSeq(scope) {
			parts := strings.SplitN(scope, ":", 3)
			if len(parts) != 3 {
				continue
			}
			actions := slices.DeleteFunc(strings.Split(parts[2], ","), func(action string) bool {
				switch {
				case user == Pusher:
					return false
				case action != "pull":
					return true
				}
				return !given && s.Private != nil && s.Private(parts[1])
			})
			granted = append(granted, access{parts[0], parts[1], actions})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	answer := map[string]any{"token": s.token(user, granted), "expires_in": int(tokenLifetime.Seconds())}
	json.NewEncoder(w).Encode(answer) //nolint:errcheck // the client has left
}

const tokenLifetime = 5 * time.Minute

// access is one grant of a token.
type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// Issue makes a token without being asked over HTTP.
func (s *TokenServer) Issue(user, repository string, actions ...string) string {
	return s.token(user, []access{{"repository", repository, actions}})
}

func (s *TokenServer) token(user string, granted []access) string {
	now := time.Now()
	return s.sign(
		map[string]any{"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(s.der)}},
		map[string]any{
			"iss": "e2e", "aud": "e2e", "sub": user, "exp": now.Add(tokenLifetime).Unix(),
			"nbf": now.Add(-time.Minute).Unix(), "iat": now.Unix(), "jti": rand.Text(), "access": granted,
		})
}

func (s *TokenServer) sign(header, claims any) string {
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
