package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

// project is a Python project with one wheel, in a simple index (PEP 503).
type project struct {
	file  string
	wheel []byte
}

// newProject builds the wheel (PEP 427).
func newProject() (*project, error) {
	const info = "acme_rocket-1.0.dist-info/"
	files := []struct{ name, content string }{
		{"acme_rocket/__init__.py", "\"\"\"A rocket, for demonstration.\"\"\"\n\n__version__ = \"1.0\"\n\n\ndef launch():\n    return \"lift-off\"\n"},
		{info + "METADATA", "Metadata-Version: 2.1\nName: acme-rocket\nVersion: 1.0\nSummary: A rocket, for demonstration\nRequires-Python: >=3.7\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: tallygate-demo\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
	}
	var record strings.Builder
	for _, f := range files {
		sum := sha256.Sum256([]byte(f.content))
		fmt.Fprintf(&record, "%s,sha256=%s,%d\n", f.name, base64.RawURLEncoding.EncodeToString(sum[:]), len(f.content))
	}
	record.WriteString(info + "RECORD,,\n")
	files = append(files, struct{ name, content string }{info + "RECORD", record.String()})

	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: released})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(f.content)); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return &project{file: "acme_rocket-1.0-py3-none-any.whl", wheel: b.Bytes()}, err
}

func (p *project) register(mux *http.ServeMux) {
	page := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><title>Simple index</title></head><body>\n%s\n</body></html>\n", body)
		}
	}
	mux.HandleFunc("GET /simple/{$}", page(`<a href="acme-rocket/">acme-rocket</a>`))
	mux.HandleFunc("GET /simple/acme-rocket/{$}", page(fmt.Sprintf(
		`<a href="../../packages/%s#sha256=%x" data-requires-python="&gt;=3.7">%s</a>`, p.file, sha256.Sum256(p.wheel), p.file)))
	mux.HandleFunc("GET /packages/"+p.file, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, p.file, released, bytes.NewReader(p.wheel))
	})
}
