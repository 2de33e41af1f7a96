package pixel

import (
	"bytes"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTheImageIsOneTransparentPixel(t *testing.T) {
	img, err := png.Decode(bytes.NewReader(Image()))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 1 || b.Dy() != 1 {
		t.Errorf("bounds %v", b)
	}
	if _, _, _, a := img.At(0, 0).RGBA(); a != 0 {
		t.Errorf("alpha %d", a)
	}
	if n := len(Image()); n != 67 {
		t.Errorf("%d bytes", n)
	}
	Image()[0] = 0
	if Image()[0] == 0 {
		t.Error("Image gives the image itself away, not a copy")
	}
}

func TestServe(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		w := httptest.NewRecorder()
		Serve(w, httptest.NewRequest(method, "/a.png?x-pxid=1", nil))
		res := w.Result()
		for name, want := range map[string]string{
			"Content-Type":           "image/png",
			"Content-Length":         "67",
			"Cache-Control":          "no-cache, no-store, must-revalidate",
			"X-Content-Type-Options": "nosniff",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s = %q, want %q", method, name, got, want)
			}
		}
		if want := map[string]int{http.MethodGet: 67, http.MethodHead: 0}[method]; res.StatusCode != 200 || w.Body.Len() != want {
			t.Errorf("%s: status %d, %d bytes", method, res.StatusCode, w.Body.Len())
		}
	}
}

func TestSnippetsCanNotBeBrokenOutOf(t *testing.T) {
	const id = `"></script><script>alert(1)//\&`
	for name, snippet := range map[string]string{
		"html": HTML("static.example", id), "markdown": Markdown("static.example", id), "spa": SPA("static.example", id),
	} {
		if strings.Count(snippet, "<script>") > 1 || strings.Contains(snippet, "alert(1)//\\") {
			t.Errorf("%s lets an id out: %s", name, snippet)
		}
	}
	for name, snippet := range map[string]string{
		"html": HTML(`static.example"><b>`, "1"), "spa": SPA(`static.example"</script>`, "1"),
	} {
		if strings.Contains(snippet, "<b>") || strings.Count(snippet, "</script>") > 1 {
			t.Errorf("%s lets a host out: %s", name, snippet)
		}
	}
}

func TestHTML(t *testing.T) {
	want := `<img referrerpolicy="no-referrer-when-downgrade" src="https://static.example/a.png?x-pxid=fc72d03c-c3a2" alt="" width="1" height="1" />`
	if got := HTML("static.example", "fc72d03c-c3a2"); got != want {
		t.Errorf("got %s", got)
	}
}

func TestSPANamesThePage(t *testing.T) {
	got := SPA("static.example", "p1")
	for _, part := range []string{`"https://static.example/a.png?x-pxid=p1"`, "&page=", "pushState", "popstate", "doNotTrack", "globalPrivacyControl"} {
		if !strings.Contains(got, part) {
			t.Errorf("%s is missing in %s", part, got)
		}
	}
}
