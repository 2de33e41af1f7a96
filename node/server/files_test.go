package server

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
)

func TestCheckFilesTellsWhichFileIsWrongAndWhatToDo(t *testing.T) {
	a := newAuthority(t)
	certPEM, keyPEM := a.issue(t, "get.acme.org", nil)
	otherCert, otherKey := a.issue(t, "get.acme.org", nil)
	authorityPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})
	expiredCert, expiredKey := a.issue(t, "get.acme.org", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	})
	futureCert, futureKey := a.issue(t, "get.acme.org", func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })
	namelessCert, namelessKey := a.issue(t, "", func(c *x509.Certificate) { c.DNSNames = nil })

	tests := map[string]struct {
		cert, key []byte // nil: no file
		inKey     bool   // the key's file is the one to mend
		message   string // "": nothing is wrong
	}{
		"a pair":                               {certPEM, keyPEM, false, ""},
		"a chain":                              {join(certPEM, authorityPEM), keyPEM, false, ""},
		"one file with both":                   {join(keyPEM, certPEM), join(keyPEM, certPEM), false, ""},
		"text around the certificate":          {join([]byte("subject=get.acme.org\n"), certPEM), keyPEM, false, ""},
		"no certificate":                       {nil, keyPEM, false, "there is no such file; check the path"},
		"no key":                               {certPEM, nil, true, "there is no such file; check the path"},
		"a key where the certificate belongs":  {keyPEM, keyPEM, false, "holds no certificate in PEM; give the server's certificate"},
		"a certificate where the key belongs":  {certPEM, certPEM, true, "holds no private key in PEM; give the file that begins with"},
		"a damaged certificate":                {damaged(certPEM), keyPEM, false, "holds a certificate that can't be parsed"},
		"a damaged key":                        {certPEM, damaged(keyPEM), true, "is not the key of the certificate in"},
		"another certificate's key":            {certPEM, otherKey, true, "give the two files that were made together"},
		"a chain that begins at the other end": {join(otherCert, certPEM), keyPEM, false, "put the server's certificate first"},
		"an encrypted key":                     {certPEM, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}}), true, "decrypt it with: openssl pkey"},
		"an encrypted key of the old kind":     {certPEM, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED"}, Bytes: []byte{1}}), true, "decrypt it with: openssl pkey"},
		"an expired certificate":               {expiredCert, expiredKey, false, "expired on"},
		"a certificate of tomorrow":            {futureCert, futureKey, false, "is not valid before"},
		"a certificate without names":          {namelessCert, namelessKey, false, "names no host in its subject alternative names"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := newPairDir(t)
			for path, data := range map[string][]byte{d.cert: tt.cert, d.key: tt.key} {
				if data == nil {
					continue
				}
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := CheckFiles(d.cert, d.key, time.Now())
			if tt.message == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var wrong *FileError
			if !errors.As(err, &wrong) {
				t.Fatalf("got %v", err)
			}
			if wrong.Key != tt.inKey || !strings.Contains(wrong.Message, tt.message) {
				t.Errorf("got key %v, %q; want key %v, %q", wrong.Key, wrong.Message, tt.inKey, tt.message)
			}
			if want := map[bool]string{false: d.cert, true: d.key}[tt.inKey]; wrong.Path != want {
				t.Errorf("path %s, want %s", wrong.Path, want)
			}
		})
	}
}

func join(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// damaged is a PEM file whose content lost its end.
func damaged(data []byte) []byte {
	block, _ := pem.Decode(data)
	block.Bytes = block.Bytes[:len(block.Bytes)/2]
	return pem.EncodeToMemory(block)
}

func TestAnUnreadableFileSaysWhoMayNotReadIt(t *testing.T) {
	tests := map[string]struct {
		err  error
		want string
	}{
		"refused":     {&fs.PathError{Op: "open", Path: "/tls.key", Err: fs.ErrPermission}, "let a group read it with chmod g+r"},
		"a directory": {&fs.PathError{Op: "read", Path: "/etc", Err: errors.New("is a directory")}, "can't be read: is a directory; give a PEM file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := unreadable(tt.err); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAKeyThatEverybodyCanReadIsTold(t *testing.T) {
	a := newAuthority(t)
	for mode, told := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true} {
		d := newPairDir(t)
		certPEM, keyPEM := a.issue(t, "get.acme.org", nil)
		d.write(t, certPEM, keyPEM)
		if err := os.Chmod(d.key, mode); err != nil {
			t.Fatal(err)
		}
		var log lines
		if _, err := OpenFiles(FilesOptions{Certificate: d.cert, Key: d.key, Logger: slog.New(slog.NewTextHandler(&log, nil))}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(log.String(), "can use the private key"); got != told {
			t.Errorf("mode %v: told %v, want %v\n%s", mode, got, told, log.String())
		}
	}
}
