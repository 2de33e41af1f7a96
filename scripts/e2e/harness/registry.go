package harness

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// RegistryOptions say how a docker-registry is set up. The zero value is one over
// plain HTTP on a loopback address that asks nobody for anything.
type RegistryOptions struct {
	Address string // default: a free loopback one
	Cert    string // PEM files; empty: plain HTTP
	Key     string
	Name    string // what clients call it, if not Address
	Scheme  string // as clients see it; default: by Cert

	Tokens *TokenServer // nil: no authentication
	Realm  string       // URL of Tokens

	// BlobsURL, if any, is where clients are redirected to for blobs.
	BlobsURL string

	// Transport pushes; default: that of the standard library.
	Transport http.RoundTripper
}

// Registry is a real docker-registry.
type Registry struct {
	Address string // host:port
	Data    string // its files: docker/registry/v2/…
	opts    RegistryOptions
}

// StartRegistry runs a docker-registry and waits until it answers.
func StartRegistry(t *testing.T, opts RegistryOptions) *Registry {
	t.Helper()
	Needs(t, "docker-registry")
	if opts.Address == "" {
		opts.Address = FreeAddress(t)
	}
	if opts.Scheme == "" {
		opts.Scheme = "http"
		if opts.Cert != "" {
			opts.Scheme = "https"
		}
	}
	if opts.Name == "" {
		opts.Name = opts.Address
	}
	dir := t.TempDir()
	r := &Registry{Address: opts.Address, Data: filepath.Join(dir, "data"), opts: opts}
	var text strings.Builder
	fmt.Fprintf(&text, "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage:\n  filesystem: {rootdirectory: %s}\n", r.Data)
	fmt.Fprintf(&text, "http:\n  addr: %s\n  host: %s://%s\n", opts.Address, opts.Scheme, opts.Name)
	if opts.Cert != "" {
		fmt.Fprintf(&text, "  tls: {certificate: %s, key: %s}\n", opts.Cert, opts.Key)
	}
	if opts.Tokens != nil {
		fmt.Fprintf(&text, "auth:\n  token: {realm: '%s', service: e2e, issuer: e2e, rootcertbundle: %s}\n", opts.Realm, opts.Tokens.Bundle)
	}
	if opts.BlobsURL != "" {
		fmt.Fprintf(&text, "middleware:\n  storage:\n    - name: redirect\n      options: {baseurl: '%s'}\n", opts.BlobsURL)
	}
	config := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	process := StartProcess(t, "the registry "+opts.Name, exec.Command("docker-registry", "serve", config))
	WaitFor(t, "the registry", func() error {
		process.Alive()
		conn, err := net.Dial("tcp", opts.Address)
		if err == nil {
			conn.Close()
		}
		return err
	})
	return r
}

// Push uploads an index or an image, as [Pusher], and returns its digest.
func (r *Registry) Push(t *testing.T, repository, tag string, what remote.Taggable) string {
	t.Helper()
	options := []name.Option{name.WithDefaultRegistry("")}
	if r.opts.Scheme == "http" {
		options = append(options, name.Insecure)
	}
	ref, err := name.ParseReference(r.opts.Name+"/"+repository+":"+tag, options...)
	if err != nil {
		t.Fatal(err)
	}
	via := r.opts.Transport
	if via == nil {
		via = http.DefaultTransport
	}
	if tokens := r.opts.Tokens; tokens != nil {
		// The client library asks no token server on a loopback address, so the
		// push brings its token along.
		via = withBearer{via, tokens.Issue(Pusher, repository, "pull", "push")}
	}
	switch what := what.(type) {
	case v1.ImageIndex:
		err = remote.WriteIndex(ref, what, remote.WithTransport(via))
	case v1.Image:
		err = remote.Write(ref, what, remote.WithTransport(via))
	default:
		err = fmt.Errorf("a %T can't be pushed", what)
	}
	if err != nil {
		t.Fatal(err)
	}
	digest, err := what.(interface{ Digest() (v1.Hash, error) }).Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// withBearer sends a token with every request.
type withBearer struct {
	http.RoundTripper
	token string
}

func (b withBearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.RoundTripper.RoundTrip(r)
}

// FreeAddress is a loopback address that was free a moment ago, for programs that
// can't report which port they chose.
func FreeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
