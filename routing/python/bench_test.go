package python

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"tallygate/routing/event"
	"tallygate/routing/table"
)

// discard is a response writer that keeps nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

func BenchmarkServe(b *testing.B) {
	h := newHandler(b, Options{Transport: origins{"index.example": serveText("text/html", manyLinks(1000))}})
	host := hostWith(skatesProject())
	var e event.Event
	note := func(_ *table.Rule, fill func(*event.Event)) {
		e = event.Event{}
		fill(&e)
	}
	for _, tt := range []struct{ name, path, accept string }{
		{"page/json", "/simple/rocket-skates/", jsonType},
		{"page/html", "/simple/rocket-skates/", "text/html"},
		{"file", "/simple/rocket-skates/rocket_skates-1.500.tar.gz", "*/*"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			r := httptest.NewRequest("GET", tt.path, nil)
			r.Header.Set("Accept", tt.accept)
			r.Header.Set("Accept-Encoding", "gzip")
			w := &discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				h.serve(w, r, host, note)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	base := mustURL("https://index.example/simple/rocket-skates/")
	page := []byte(manyLinks(1000))
	p, err := parseHTML(page, base, "rocket-skates")
	if err != nil || len(p.files) != 1000 {
		b.Fatal(err)
	}
	asJSON := renderJSON(newView(p, skatesProject(), ""))
	b.Run("html/1000-files", func(b *testing.B) {
		for b.Loop() {
			_, _ = parseHTML(page, base, "rocket-skates")
		}
	})
	b.Run("json/1000-files", func(b *testing.B) {
		for b.Loop() {
			_, _ = parseJSON(asJSON, base, "rocket-skates")
		}
	})
	b.Run("render/1000-files", func(b *testing.B) {
		for b.Loop() {
			renderJSON(newView(p, skatesProject(), ""))
		}
	})
}
