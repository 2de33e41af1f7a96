package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// How often handshakes look whether the files changed, at most.
const lookInterval = time.Second

// FilesOptions say where a certificate is kept.
type FilesOptions struct {
	Certificate string // path of a PEM file: the server's certificate, then intermediate ones
	Key         string // path of a PEM file: the certificate's private key, not encrypted
	Logger      *slog.Logger
	Registerer  prometheus.Registerer // may be nil

	now func() time.Time
}

// Files is a certificate kept in two PEM files by somebody else: an operator, an
// ACME client, a secret mounted by an orchestrator. A handshake looks at most once
// a second whether the files changed and takes a new pair that is sound; one that
// is not is told in the log, and the last sound one goes on.
//
// Every ClientHello gets the certificate, whatever name it asks for and where it
// names none: a client that is told "valid for get.acme.org, not for X" knows more
// than one whose handshake ends (both are allowed by RFC 6066, section 3), and the
// routing table answers for hosts, not the handshake.
type Files struct {
	opts    FilesOptions
	current atomic.Pointer[tls.Certificate]
	metrics filesMetrics

	mu      sync.Mutex // guards what follows
	looked  time.Time
	read    pairInfo // the files as they were last read
	failure string   // what was wrong with them then
}

type filesMetrics struct {
	reloads *prometheus.CounterVec
}

// OpenFiles reads the pair. Its error is a [*FileError].
func OpenFiles(opts FilesOptions) (*Files, error) {
	if opts.now == nil {
		opts.now = time.Now
	}
	f := &Files{opts: opts}
	f.metrics.reloads = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tallygate_server_certificate_reloads_total",
		Help: "Times that changed certificate files were read, by result: used or refused.",
	}, []string{"result"})
	expiry := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tallygate_server_certificate_expiry_timestamp_seconds",
		Help: "When the certificate of the gateway's TLS listener expires, in seconds since 1970.",
	}, func() float64 { return float64(f.current.Load().Leaf.NotAfter.Unix()) })
	f.looked = opts.now()
	f.read = stat(opts.Certificate, opts.Key)
	pair, err := CheckFiles(opts.Certificate, opts.Key, f.looked)
	if err != nil {
		return nil, err
	}
	f.current.Store(pair)
	if opts.Registerer != nil {
		opts.Registerer.MustRegister(f.metrics.reloads, expiry)
	}
	f.tell("read", pair)
	return f, nil
}

// GetCertificate is a [Certificates]. It never fails.
func (f *Files) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	// One handshake looks; those beside it go on with what there is.
	if f.mu.TryLock() {
		f.look()
		f.mu.Unlock()
	}
	return f.current.Load(), nil
}

func (f *Files) look() {
	now := f.opts.now()
	if since := now.Sub(f.looked); since >= 0 && since < lookInterval {
		return
	}
	f.looked = now
	found := stat(f.opts.Certificate, f.opts.Key)
	// What was wrong may pass without a change of the files: a pair not valid
	// yet, a mode set right.
	if found.same(f.read) && f.failure == "" {
		return
	}
	f.read = found
	pair, err := CheckFiles(f.opts.Certificate, f.opts.Key, now)
	if err != nil {
		if f.failure != err.Error() {
			f.failure = err.Error()
			f.metrics.reloads.WithLabelValues("refused").Inc()
			f.opts.Logger.Error("changed certificate files refused, the last certificate stays in use",
				"err", err, "not_after", f.current.Load().Leaf.NotAfter)
		}
		return
	}
	f.failure = ""
	if old := f.current.Load(); bytes.Equal(old.Leaf.Raw, pair.Leaf.Raw) && len(old.Certificate) == len(pair.Certificate) {
		return // touched, or put back
	}
	f.current.Store(pair)
	f.metrics.reloads.WithLabelValues("used").Inc()
	f.tell("changed", pair)
}

func (f *Files) tell(event string, pair *tls.Certificate) {
	f.opts.Logger.Info("certificate of the HTTPS listener", "event", event, "names", pair.Leaf.DNSNames, "not_after", pair.Leaf.NotAfter)
	if info, err := os.Stat(f.opts.Key); err == nil && info.Mode().Perm()&0o007 != 0 {
		f.opts.Logger.Warn("every user of this machine can use the private key; take that from them with chmod o=",
			"file", f.opts.Key, "mode", info.Mode().Perm().String())
	}
}

// pairInfo tells whether two files are still the same. Either may be nil: it
// could not be looked at.
type pairInfo struct{ certificate, key fs.FileInfo }

func stat(certificate, key string) (p pairInfo) {
	// Stat follows links: orchestrators swap a link to a whole directory.
	p.certificate, _ = os.Stat(certificate)
	p.key, _ = os.Stat(key)
	return p
}

func (p pairInfo) same(q pairInfo) bool {
	return sameFile(p.certificate, q.certificate) && sameFile(p.key, q.key)
}

func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// FileError is what is wrong with one file of a pair, and what to do.
type FileError struct {
	Path    string
	Key     bool // the key's file, else the certificate's
	Message string
	Err     error // may be nil
}

func (e *FileError) Error() string { return fmt.Sprintf("%s: %s", e.Path, e.Message) }

func (e *FileError) Unwrap() error { return e.Err }

// CheckFiles reads a certificate and its key, and checks that a client can use
// them at this time: readable, PEM, one pair, valid. Its error is a [*FileError].
// It is for the moment of the start, too.
func CheckFiles(certificate, key string, now time.Time) (*tls.Certificate, error) {
	wrong := func(path string, err error, format string, args ...any) error {
		return &FileError{Path: path, Key: path == key && path != certificate, Message: fmt.Sprintf(format, args...), Err: err}
	}
	certPEM, err := os.ReadFile(certificate)
	if err != nil {
		return nil, wrong(certificate, err, "%s", unreadable(err))
	}
	keyPEM, err := os.ReadFile(key)
	if err != nil {
		return nil, wrong(key, err, "%s", unreadable(err))
	}
	chain, err := parseChain(certPEM)
	if err != nil {
		return nil, wrong(certificate, err, "%v; give the server's certificate in PEM, followed by the intermediate ones", err)
	}
	if kind := keyBlock(keyPEM); kind == "" {
		return nil, wrong(key, nil, "holds no private key in PEM; give the file that begins with -----BEGIN PRIVATE KEY----- or the like")
	} else if kind == "ENCRYPTED PRIVATE KEY" || bytes.Contains(keyPEM, []byte("Proc-Type: 4,ENCRYPTED")) {
		return nil, wrong(key, nil, "is encrypted, and nobody is asked for its passphrase at a start; decrypt it with: openssl pkey -in FILE -out NEWFILE")
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		if belongsToLater(chain, keyPEM) {
			return nil, wrong(certificate, err, "does not begin with the certificate of the key in %s, which comes later in it; put the server's certificate first", key)
		}
		return nil, wrong(key, err, "is not the key of the certificate in %s (%v); give the two files that were made together", certificate, err)
	}
	if pair.Leaf == nil { // GODEBUG=x509keypairleaf=0
		pair.Leaf = chain[0]
	}
	const day = "2006-01-02 15:04 MST"
	switch leaf := pair.Leaf; {
	case now.After(leaf.NotAfter):
		return nil, wrong(certificate, nil, "expired on %s; renew it", leaf.NotAfter.UTC().Format(day))
	case now.Before(leaf.NotBefore):
		return nil, wrong(certificate, nil, "is not valid before %s; check the clock of this machine, or wait", leaf.NotBefore.UTC().Format(day))
	case len(leaf.DNSNames) == 0 && len(leaf.IPAddresses) == 0:
		// Clients have ignored the common name for years (RFC 9525, section 6.1).
		return nil, wrong(certificate, nil, "names no host in its subject alternative names, and no client looks elsewhere; issue it with -addext subjectAltName=DNS:NAME or the like")
	}
	return &pair, nil
}

// unreadable says why a file can't be read, and what to do.
func unreadable(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file; check the path"
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("may not be read by user %d, whom this process runs as; give it the file with chown, or let a group read it with chmod g+r", os.Geteuid())
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Sprintf("can't be read: %v; give a PEM file", err)
}

func parseChain(data []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("holds a certificate that can't be parsed: %w", err)
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, errors.New("holds no certificate in PEM")
	}
	return chain, nil
}

// keyBlock is the type of the first private key in the data, "" with none.
func keyBlock(data []byte) string {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "PRIVATE KEY" || strings.HasSuffix(block.Type, " PRIVATE KEY") {
			return block.Type
		}
	}
	return ""
}

// belongsToLater says whether the key is that of a certificate which is not the
// first one: a chain in the wrong order.
func belongsToLater(chain []*x509.Certificate, keyPEM []byte) bool {
	for _, c := range chain[1:] {
		if _, err := tls.X509KeyPair(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), keyPEM); err == nil {
			return true
		}
	}
	return false
}
