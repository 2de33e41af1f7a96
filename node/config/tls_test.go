package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writePair makes a certificate that signs itself, and its key.
func writePair(t *testing.T, expires time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"get.acme.org"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: expires,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestTheHTTPSListenerNeedsAPairThatWorks(t *testing.T) {
	cert, key := writePair(t, time.Now().Add(time.Hour))
	expired, expiredKey := writePair(t, time.Now().Add(-time.Hour))
	tests := map[string]struct {
		listen, cert, key string
		want              []string // the wrong flags, in order
	}{
		"off":                      {"off", "", "", nil},
		"empty":                    {"", "", "", nil},
		"a pair":                   {":8443", cert, key, nil},
		"no pair":                  {":8443", "", "", []string{"gateway-tls-cert", "gateway-tls-key"}},
		"no key":                   {":8443", cert, "", []string{"gateway-tls-key"}},
		"no certificate":           {":8443", "", key, []string{"gateway-tls-cert"}},
		"no listener for a pair":   {"off", cert, key, []string{"gateway-tls-cert", "gateway-tls-key"}},
		"no port":                  {"8443", cert, key, []string{"gateway-tls-listen"}},
		"another pair's key":       {":8443", cert, expiredKey, []string{"gateway-tls-key"}},
		"an expired certificate":   {":8443", expired, expiredKey, []string{"gateway-tls-cert"}},
		"a file that is not there": {":8443", cert, "/nonexistent/tls.key", []string{"gateway-tls-key"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := valid()
			c.GatewayTLSListen, c.GatewayTLSCert, c.GatewayTLSKey = tt.listen, tt.cert, tt.key
			s, err := c.Validate()
			var got []string
			if joined, ok := err.(interface{ Unwrap() []error }); ok {
				for _, e := range joined.Unwrap() {
					var f *FieldError
					if !errors.As(e, &f) {
						t.Fatalf("got %v", e)
					}
					got = append(got, f.Field)
				}
			}
			if strings.Join(got, " ") != strings.Join(tt.want, " ") {
				t.Errorf("wrong fields %v, want %v: %v", got, tt.want, err)
			}
			if on := tt.listen == ":8443" && tt.want == nil; err == nil && (s.GatewayTLS != nil) != on {
				t.Errorf("settings %+v", s.GatewayTLS)
			}
		})
	}
}
