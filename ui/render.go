package ui

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"

	"tallygate/cluster/catalog"
)

// The pattern names files: a folder alone would leave out those with an underscore.
//
//go:embed templates/*.gohtml
var builtTemplates embed.FS

// templates are the pages (*.gohtml) and the parts that they share. The name of
// a part starts with an underscore.
type templates struct {
	set *template.Template
	dev fs.FS
}

func newTemplates(dev fs.FS) templates {
	return templates{set: template.Must(parseTemplates(builtTemplates)), dev: dev}
}

func parseTemplates(root fs.FS) (*template.Template, error) {
	return template.New("").Option("missingkey=error").Funcs(funcs).ParseFS(root, "templates/*.gohtml")
}

// execute writes a page or a part into memory: a template that fails half-way
// must not become half a page.
func (t templates) execute(name string, data any) (*bytes.Buffer, error) {
	set := t.set
	if t.dev != nil {
		var err error
		if set, err = parseTemplates(t.dev); err != nil {
			return nil, fmt.Errorf("parse templates: %w", err)
		}
	}
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("execute template %q: %w", name, err)
	}
	return &b, nil
}

// chrome is what surrounds the content of every page.
type chrome struct {
	Title     string
	Here      string        // which entry of the navigation this page is
	Path      string        // of this page, to come back to
	User      *catalog.User // nil: not signed in
	Theme     string        // "dark", "light", or "" for the system's
	Explain   bool          // the explain page is there
	HasPixels bool          // the pixels page is there
	Problems  []Problem
	Unbuilt   bool

	OwnSearch bool // the page has a search field of its own

	Version string
	Credits []Credit

	Style, Script, ChartScript, Icon string // addresses of assets
}

func (s *server) chrome(r *http.Request, user *catalog.User, title, here string) chrome {
	c := chrome{
		Title:       title,
		Here:        here,
		Path:        "/",
		User:        user,
		Explain:     s.opts.Explain != nil,
		HasPixels:   s.opts.Pixels != nil,
		Version:     s.opts.Version,
		Credits:     s.opts.Credits,
		Style:       s.assets.url("app.css"),
		Script:      s.assets.url("app.js"),
		ChartScript: s.assets.url("chart.js"),
		Icon:        s.assets.url("favicon.svg"),
	}
	c.Unbuilt = c.Style == ""
	// A sign-in link's secret must not travel on in a form.
	if r.Method == http.MethodGet && r.URL.Path != "/sign-in/link" {
		c.Path = r.URL.RequestURI()
	}
	if cookie, err := r.Cookie("theme"); err == nil && (cookie.Value == "dark" || cookie.Value == "light") {
		c.Theme = cookie.Value
	}
	if user != nil && s.opts.Status != nil {
		c.Problems = s.opts.Status().Problems
	}
	return c
}

// minZip is the size in bytes from which compressing an answer pays.
const minZip = 1 << 10

// render answers with a template.
func (s *server) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) error {
	body, err := s.templates.execute(name, data)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Add("Vary", "Accept-Encoding, Cookie, HX-Request")
	// Compression gives away secrets that are mixed with a stranger's input (BREACH).
	// The page of a sign-in link is the only one that holds a secret.
	if body.Len() < minZip || !acceptsGzip(r) || name == "sign-in-link.gohtml" {
		w.WriteHeader(status)
		_, _ = body.WriteTo(w) // fails only when the browser has gone
		return nil
	}
	h.Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	zipper := s.zippers.Get().(*gzip.Writer)
	defer s.zippers.Put(zipper)
	zipper.Reset(w)
	_, _ = body.WriteTo(zipper)
	_ = zipper.Close()
	return nil
}
