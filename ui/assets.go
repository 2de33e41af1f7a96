package ui

import (
	"embed"
	"encoding/json"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// The built assets. An unbuilt checkout has only .gitkeep there, and compiles.
//
//go:embed all:assets/dist
var builtAssets embed.FS

// assets are the files that build.mjs made, each with a .gz beside it.
type assets struct {
	dist fs.FS
	dev  bool
	// names maps the name of a source ("app.css") to that of the built file, which
	// carries a hash of the content.
	names map[string]string
}

// newAssets reads the manifest, from the ui folder of a checkout if there is one.
func newAssets(dev fs.FS) assets {
	a := assets{dev: dev != nil}
	root := fs.FS(builtAssets)
	if dev != nil {
		root = dev
	}
	if dist, err := fs.Sub(root, "assets/dist"); err == nil {
		a.dist = dist
		a.names = a.manifest()
	}
	return a
}

// manifest returns nil when the assets aren't built.
func (a assets) manifest() map[string]string {
	text, err := fs.ReadFile(a.dist, "manifest.json")
	if err != nil {
		return nil
	}
	var names map[string]string
	if json.Unmarshal(text, &names) != nil {
		return nil
	}
	return names
}

func (a assets) built() bool { return a.names != nil }

// url returns the address of an asset, or "" when it isn't built.
func (a assets) url(source string) string {
	names := a.names
	if a.dev {
		names = a.manifest()
	}
	if built := names[source]; built != "" {
		return "/assets/" + built
	}
	return ""
}

// asset serves one built file. Its name changes with its content, so browsers may
// keep it for ever.
func (s *server) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if name == "manifest.json" || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".gz") {
		s.writeError(w, r, errNotFound)
		return
	}
	file := name
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if acceptsGzip(r) {
		file += ".gz"
	}
	body, err := fs.ReadFile(s.assets.dist, file)
	if err != nil {
		s.writeError(w, r, errNotFound)
		return
	}
	if file != name {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(body) // fails only when the browser has gone
}

// acceptsGzip reads Accept-Encoding as far as browsers use it (RFC 9110, section
// 12.5.3): a list of codings, "gzip;q=0" being a refusal.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(name, "gzip") {
			return strings.TrimRight(strings.ReplaceAll(weight, " ", ""), "0.") != "q="
		}
	}
	return false
}
