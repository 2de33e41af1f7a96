package clients

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// storage is a host of blobs that wants signed URLs, as object storage behind a
// registry does: it refuses a query that is not the one it signed, byte for byte,
// and one that comes with credentials for another host.
type storage struct {
	host string
	root string // the registry's files
	key  []byte

	mu      sync.Mutex
	served  int
	refused []string
}

func newStorage(host string) *storage {
	key := make([]byte, 16)
	rand.Read(key) //nolint:errcheck // never fails
	return &storage{host: host, key: key}
}

// sign is the query of a signed URL. It holds what careless rewriting damages:
// escapes in both cases, an escaped plus and percent, an empty and a repeated
// parameter, an order that is not the alphabet's.
func (s *storage) sign(path string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(path))
	return "se=2099-01-01T00%3A00%3a00Z&X-Amz-Credential=AKIA%2Feu%2fs3&a+b=%2B%25&empty=&a=2&a=1&~=%7e&Signature=" + hex.EncodeToString(mac.Sum(nil))
}

func (s *storage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	wrong := ""
	switch {
	case r.Header.Get("Authorization") != "":
		wrong = "came with credentials"
	case r.URL.RawQuery != s.sign(r.URL.EscapedPath()):
		wrong = "is not the signed one"
	}
	s.mu.Lock()
	if wrong == "" {
		s.served++
	} else {
		s.refused = append(s.refused, fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, wrong))
	}
	s.mu.Unlock()
	if wrong != "" {
		http.Error(w, wrong, http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeFile(w, r, filepath.Join(s.root, filepath.FromSlash(r.URL.Path)))
}

// check fails the test if a client came with another URL than the registry gave,
// or if none came.
func (s *storage) check(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.refused {
		t.Errorf("the blobs' host refused %s", r)
	}
	if s.served == 0 {
		t.Error("the blobs' host served nothing")
	}
	t.Logf("the blobs' host served %d requests", s.served)
}

// inFront is a registry's public host: it hands requests to the docker-registry
// behind, and signs the URLs of blobs that this redirects to.
func inFront(registry string, blobs *storage) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: registry})
			r.Out.Host = r.In.Host
		},
		ModifyResponse: func(resp *http.Response) error {
			location := resp.Header.Get("Location")
			if path, ok := strings.CutPrefix(location, "https://"+blobs.host); ok {
				resp.Header.Set("Location", location+"?"+blobs.sign(path))
			}
			return nil
		},
	}
}
