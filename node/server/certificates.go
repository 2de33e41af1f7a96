package server

import (
	"crypto/tls"
)

// Certificates is where a TLS listener gets its certificate from. It is asked at
// each handshake, by many goroutines at once, so that a certificate can change
// while connections go on.
type Certificates interface {
	// GetCertificate answers one ClientHello. An error ends the handshake; it is
	// told to nobody, since the text around it would name the client's address.
	GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error)
}

// tlsConfig is what a listener offers: TLS 1.2 with forward secrecy or 1.3
// (RFC 9325, sections 3.1.1 and 4.1; Go's cipher suites leave the others out),
// HTTP/2 and HTTP/1.1.
func tlsConfig(certificates Certificates) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: certificates.GetCertificate,
	}
}
