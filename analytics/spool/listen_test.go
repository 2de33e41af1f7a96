package spool

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// issue makes a certificate; without a parent, an authority.
func issue(t *testing.T, parent *tls.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "test"}, DNSNames: []string{"spool"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		KeyUsage:    x509.KeyUsageDigitalSignature,
	}
	signer, by := any(key), template
	if parent == nil {
		template.IsCA, template.BasicConstraintsValid = true, true
		template.KeyUsage |= x509.KeyUsageCertSign
	} else {
		signer, by = parent.PrivateKey, parent.Leaf
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func TestOtherNodesReadOnlyWithACertificate(t *testing.T) {
	ca, strangers := issue(t, nil), issue(t, nil)
	pool := x509.NewCertPool()
	pool.AddCert(ca.Leaf)
	config := &tls.Config{Certificates: []tls.Certificate{issue(t, &ca)}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13}
	s := open(t, Options{Listen: "127.0.0.1:0", TLS: config})
	mustPublish(t, s, "a")

	dial := func(certificates ...tls.Certificate) (*nats.Conn, error) {
		return nats.Connect("tls://"+s.Addr(), nats.TLSHandshakeFirst(), nats.NoReconnect(), nats.Timeout(5*time.Second),
			nats.Secure(&tls.Config{RootCAs: pool, ServerName: "spool", Certificates: certificates, MinVersion: tls.VersionTLS13}))
	}
	conn, err := dial(issue(t, &ca))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), s.stream)
	if err != nil {
		t.Fatal(err)
	}
	if msg, err := stream.GetMsg(t.Context(), 1); err != nil || len(msg.Data) != 100 {
		t.Errorf("message %v, %v", msg, err)
	}
	for name, certificates := range map[string][]tls.Certificate{"none": nil, "a stranger's": {issue(t, &strangers)}} {
		if conn, err := dial(certificates...); err == nil {
			conn.Close()
			t.Errorf("connected with %s certificate", name)
		}
	}
	if _, err := Open(Options{Dir: t.TempDir(), Node: "n", Listen: "127.0.0.1:0"}); err == nil {
		t.Error("listens without TLS")
	}
	if got := open(t, Options{}).Addr(); got != "" {
		t.Errorf("listens at %s unasked", got)
	}
}
