// Package pixel serves tracking pixels: a transparent image whose fetches are
// page views, and the snippets that put it into pages. Counting the views is the
// gateway's business.
package pixel

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Path is where pixel hosts serve the image.
const Path = "/a.png"

// Param is the query parameter with the pixel's id.
const Param = "x-pxid"

// image is the smallest valid PNG of one transparent pixel, 67 bytes: RGBA needs
// no palette or tRNS chunk, and one deflate block with fixed codes writes the
// row's five zero bytes. Found by trying every colour type, deflate strategy and
// window.
const image = "\x89PNG\r\n\x1a\n" +
	"\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89" +
	"\x00\x00\x00\nIDATx\x01c\x00\x01\x00\x00\x05\x00\x016\xd0\x88\xdd" +
	"\x00\x00\x00\x00IEND\xaeB`\x82"

// Image returns a copy of the PNG.
func Image() []byte { return []byte(image) }

var (
	imageBytes    = []byte(image)
	contentType   = []string{"image/png"}
	contentLength = []string{strconv.Itoa(len(image))}
	cacheControl  = []string{"no-cache, no-store, must-revalidate"}
	noSniff       = []string{"nosniff"}
	crossOrigin   = []string{"cross-origin"}
)

// Serve writes the image, or for HEAD its headers. It is never cached, since
// each view is to be counted, and pages of any origin may embed it.
func Serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Content-Type"] = contentType
	h["Content-Length"] = contentLength
	h["Cache-Control"] = cacheControl
	h["X-Content-Type-Options"] = noSniff
	// Pages under Cross-Origin-Embedder-Policy: require-corp load it too.
	h["Cross-Origin-Resource-Policy"] = crossOrigin
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(imageBytes) // the client is gone if this fails
	}
}

// URL is the address of a pixel's image on a host, over https.
func URL(host, id string) string {
	return "https://" + host + Path + "?" + Param + "=" + url.QueryEscape(id)
}

// HTML is the snippet for pages and READMEs. The referrer policy makes browsers
// send the page's whole address to the pixel's host, which by default they keep
// to themselves; the page is then known without a script.
func HTML(host, id string) string {
	return `<img referrerpolicy="no-referrer-when-downgrade" src="` + attribute.Replace(URL(host, id)) + `" alt="" width="1" height="1" />`
}

// Markdown is the image in Markdown, for where HTML isn't let through. Renderers
// that fetch images through a proxy of their own hide the page: name it by a
// parameter page.
func Markdown(host, id string) string {
	return "![](" + URL(host, id) + ")"
}

// SPA is the snippet for single-page applications, where one document shows
// many pages: it fetches the pixel at the first view and whenever the
// application changes the address. It sets nothing in the browser, sends the
// page's address without its fragment, and leaves out reloads of the same
// address. Visitors who ask not to be tracked aren't.
func SPA(host, id string) string {
	return `<script>
(function () {
  if (navigator.doNotTrack === "1" || navigator.globalPrivacyControl) return;
  var pixel = ` + scriptString(URL(host, id)) + `, last;
  function view() {
    var page = location.href.split("#")[0];
    if (page === last) return;
    last = page;
    new Image().src = pixel + "&page=" + encodeURIComponent(page);
  }
  ["pushState", "replaceState"].forEach(function (name) {
    var original = history[name];
    history[name] = function () {
      var result = original.apply(this, arguments);
      view();
      return result;
    };
  });
  addEventListener("popstate", view);
  view();
})();
</script>`
}

// attribute escapes text for a quoted attribute.
var attribute = strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;")

// scriptString quotes text as a JavaScript string inside a script element, where
// neither the string nor the element may be ended by it.
func scriptString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\' || r == '<' || r == '>', r < 0x20, r == 0x2028, r == 0x2029:
			b.WriteString(`\u`)
			const hex = "0123456789abcdef"
			b.WriteByte(hex[r>>12&15])
			b.WriteByte(hex[r>>8&15])
			b.WriteByte(hex[r>>4&15])
			b.WriteByte(hex[r&15])
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
