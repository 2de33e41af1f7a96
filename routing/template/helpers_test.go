package template

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }

func mustIncoming(t testing.TB, s string) *Incoming {
	t.Helper()
	in, err := ParseIncoming(s)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// matchURL matches a URL and returns the values by name.
func matchURL(in *Incoming, url string) (map[string]string, bool) {
	var s Subject
	var c Captures
	path, query, _ := strings.Cut(url, "?")
	if !s.Reset(path, query) || !in.Match(&s, &c) {
		return nil, false
	}
	return valuesOf(in, &c), true
}

func valuesOf(in *Incoming, c *Captures) map[string]string {
	values := map[string]string{}
	for i, n := range in.Names() {
		values[n] = c.Value(i)
	}
	return values
}
