package collect

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"tallygate/cluster/catalog"
	"tallygate/routing/event"
)

func TestReadBody(t *testing.T) {
	tests := map[string]struct {
		body     io.Reader
		encoding string
		want     string
		status   int // of why it is partial; 0: whole
	}{
		"no body":                     {body: http.NoBody},
		"a small body":                {body: strings.NewReader("abc"), want: "abc"},
		"a body of just the limit":    {body: strings.NewReader("0123456789"), want: "0123456789"},
		"one byte more":               {body: strings.NewReader("0123456789a"), want: "0123456789", status: 413},
		"byte by byte":                {body: iotest.OneByteReader(strings.NewReader("0123456789abc")), want: "0123456789", status: 413},
		"gzip":                        {body: zipped("abc"), encoding: "gzip", want: "abc"},
		"gzip, loudly":                {body: zipped("abc"), encoding: " GZIP ", want: "abc"},
		"gzip that unpacks to more":   {body: zipped(strings.Repeat("a", 1<<20)), encoding: "gzip", want: "aaaaaaaaaa", status: 413},
		"gzip that is none":           {body: strings.NewReader("abcdefghijklm"), encoding: "gzip", status: 400},
		"gzip cut short":              {body: io.LimitReader(zipped("abc"), 20), encoding: "gzip", status: 400, want: "abc"},
		"an empty body said gzip":     {body: strings.NewReader(""), encoding: "gzip"},
		"an encoding not taken":       {body: strings.NewReader("abc"), encoding: "br", status: 415},
		"a connection that breaks":    {body: io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(errors.New("reset"))), want: "abc", status: 400},
		"a break just past the limit": {body: io.MultiReader(strings.NewReader("0123456789a"), iotest.ErrReader(errors.New("reset"))), want: "0123456789", status: 413},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", tt.body)
			if tt.encoding != "" {
				r.Header.Set("Content-Encoding", tt.encoding)
			}
			body := ReadBody(r, 10)
			defer body.Release()
			status := 0
			if body.Partial != nil {
				status = body.Partial.Status
			}
			if got := string(body.Bytes); status != tt.status || got != tt.want {
				t.Errorf("got %q, status %d; want %q, status %d", got, status, tt.want, tt.status)
			}
		})
	}
}

func zipped(s string) io.Reader {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return &b
}

func TestAllowed(t *testing.T) {
	hash := func(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) }
	two := []string{hash("one"), strings.ToUpper(hash("two"))}
	tests := map[string]struct {
		access  *catalog.EventAccess
		header  string
		allowed bool
		byToken bool
	}{
		"no access rules: open":                {nil, "", true, false},
		"open access needs no token":           {&catalog.EventAccess{}, "", true, false},
		"open access with a token it knows":    {&catalog.EventAccess{TokenHashes: two}, "Bearer one", true, true},
		"open access with a token unknown":     {&catalog.EventAccess{TokenHashes: two}, "Bearer no", true, false},
		"restricted without tokens: nobody":    {&catalog.EventAccess{Restricted: true}, "Bearer one", false, false},
		"restricted without a header":          {&catalog.EventAccess{Restricted: true, TokenHashes: two}, "", false, false},
		"restricted with a wrong token":        {&catalog.EventAccess{Restricted: true, TokenHashes: two}, "Bearer three", false, false},
		"restricted with the first token":      {&catalog.EventAccess{Restricted: true, TokenHashes: two}, "Bearer one", true, true},
		"restricted with another":              {&catalog.EventAccess{Restricted: true, TokenHashes: two}, "bearer   two ", true, true},
		"restricted with the hash for a token": {&catalog.EventAccess{Restricted: true, TokenHashes: two}, "Bearer " + hash("one"), false, false},
		"restricted with another scheme":       {&catalog.EventAccess{Restricted: true, TokenHashes: two}, "Basic one", false, false},
		"restricted with an empty token":       {&catalog.EventAccess{Restricted: true, TokenHashes: []string{""}}, "Bearer ", false, false},
		"restricted with a broken hash":        {&catalog.EventAccess{Restricted: true, TokenHashes: []string{"zz", hash("one")}}, "Bearer one", true, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			if tt.header != "" {
				h.Set("Authorization", tt.header)
			}
			if allowed, byToken := Allowed(tt.access, h); allowed != tt.allowed || byToken != tt.byToken {
				t.Errorf("got %v, %v", allowed, byToken)
			}
		})
	}
}

func TestAnswer(t *testing.T) {
	w := httptest.NewRecorder()
	NewAnswer([]*event.Event{{ID: [16]byte{1, 2, 3, 15: 255}}}, &Fault{Status: 400, Reason: "expected a value", At: 0, Object: 1}).Write(w, 400)
	want := `{"stored":1,"ids":["01020300-0000-0000-0000-0000000000ff"],"error":"expected a value","at":0,"object":1}` + "\n"
	if w.Body.String() != want || w.Code != 400 || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	NewAnswer(nil, nil).Write(w, 200)
	if got := w.Body.String(); got != `{"stored":0,"ids":[]}`+"\n" {
		t.Errorf("got %s", got)
	}
}
