package config

import (
	"errors"
	"time"

	"tallygate/node/server"
)

// gatewayTLS checks the three flags of the HTTPS listener together. The files are
// read, since a node that finds a wrong key only at its first handshake has
// already taken traffic.
func (v *validator) gatewayTLS(c *Config) *GatewayTLS {
	const listen, cert, key = "gateway-tls-listen", "gateway-tls-cert", "gateway-tls-key"
	if c.GatewayTLSListen == "" || c.GatewayTLSListen == "off" {
		const unused = "is used by nothing, since the HTTPS listener is off; set --" + listen + ", as in :8443"
		if c.GatewayTLSCert != "" {
			v.wrong(cert, c.GatewayTLSCert, unused)
		}
		if c.GatewayTLSKey != "" {
			v.wrong(key, c.GatewayTLSKey, unused)
		}
		return nil
	}
	s := &GatewayTLS{
		Listen:      v.address(listen, c.GatewayTLSListen),
		Certificate: c.GatewayTLSCert,
		Key:         c.GatewayTLSKey,
	}
	if s.Certificate == "" {
		v.wrong(cert, "", "is needed by --"+listen+"; give the file of the certificate in PEM")
	}
	if s.Key == "" {
		v.wrong(key, "", "is needed by --"+listen+"; give the file of the certificate's private key in PEM")
	}
	if s.Certificate == "" || s.Key == "" {
		return s
	}
	if _, err := server.CheckFiles(s.Certificate, s.Key, time.Now()); err != nil {
		field, value, message := cert, s.Certificate, err.Error()
		var wrong *server.FileError
		if errors.As(err, &wrong) {
			message = wrong.Message
			if wrong.Key {
				field, value = key, s.Key
			}
		}
		v.wrong(field, value, message)
	}
	return s
}
