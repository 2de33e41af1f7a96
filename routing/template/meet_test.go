package template

import (
	"testing"

	"pgregory.net/rapid"
)

func TestMeet(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"/f/{v}", "/f/{w}", "/f/x"},
		{"/f/{v}", "/f/app.zip", "/f/app.zip"},
		{"/f/{v}", "/g/{v}", ""},
		{"/f/{v}", "/f/{v}/x", ""},
		{"/f/{v}.zip", "/f/app-{v}", "/f/app-.zip"},
		{"/f/{v}.zip", "/f/{v}.gz", ""},
		{"/dl/app-1-{v}.zip", "/dl/{v}-app-2.zip", "/dl/app-1-app-2.zip"},
		{"/{+p}", "/a/b/{v}", "/a/b/x"},
		{"/{+p}/b", "/a/{+q}", "/a/b"},
		{"/f/{v}/app-{v}.zip", "/f/1.0/{w}", "/f/1.0/app-1.0.zip"},
		{"/f/{v}/app-{v}.zip", "/f/{w}/app-2.zip", "/f/2/app-2.zip"},
		{"/{v}/{v}", "/{a}/b{c}{a}", ""},
		{"/f{?v}", "/f{?w}", "/f?v=x&w=x"},
		{"/f?k=1", "/f?k={v}", "/f?k=1"},
		{"/f?k=1", "/f?k=2", ""},
		{"/f?k=a{v}", "/f?k={w}b", "/f?k=ab"},
		{"/{v}?v={v}", "/1{?v}", "/1?v=1"},
		{"/a%2Fb/{v}", "/{w}/c", "/a%2Fb/c"},
		{"/caf%C3%A9 {v}", "/{w}", "/caf%C3%A9%20x"},
	} {
		got, ok := Meet(mustIncoming(t, tt.a), mustIncoming(t, tt.b))
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Meet(%s, %s) = %q, %v, want %q", tt.a, tt.b, got, ok, tt.want)
		}
	}
}

// TestMeetFindsWhatBothMatch: what Meet finds is matched by both templates, and if
// some URL is matched by both it finds one, unless variables are repeated.
func TestMeetFindsWhatBothMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawIncoming(t), drawIncoming(t)
		sample, ok := Meet(a, b)
		if ok {
			for _, in := range []*Incoming{a, b} {
				if _, matches := matchURL(in, sample); !matches {
					t.Fatalf("%s does not match %s", in, sample)
				}
			}
			if !MayMeet(a, b) {
				t.Fatalf("MayMeet(%s, %s) is false, but both match %s", a, b, sample)
			}
			return
		}
		if repeats(a) || repeats(b) {
			return
		}
		for range 50 {
			url := drawURL(t, a)
			if _, both := matchURL(b, url); both {
				if _, first := matchURL(a, url); first {
					t.Fatalf("Meet(%s, %s) finds nothing, but both match %s", a, b, url)
				}
			}
		}
	})
}

func repeats(t *Incoming) bool {
	n := 0
	for _, p := range t.path() {
		if p.kind != literal {
			n++
		}
	}
	for _, q := range t.query() {
		for _, p := range q.parts {
			if p.kind != literal {
				n++
			}
		}
	}
	return n > t.Variables()
}
