package python

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"tallygate/cluster/catalog"
	"tallygate/routing/event"
)

func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestRequestsAreAnsweredByTheSimpleAPI(t *testing.T) {
	h := newHandler(t, Options{Transport: origins{"index.example": func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/simple/rocket-skates/" {
			http.NotFound(w, r)
			return
		}
		serveText(jsonType, skates)(w, r)
	}}})
	host := hostWith(skatesProject(), &catalog.PythonProject{Project: "gone", RepositoryURL: "https://index.example/simple/"})
	for _, tt := range []struct {
		name, method, path string
		headers            []string
		status             int
		location           string
		events             string // types, joined
	}{
		{name: "the list of projects", path: "/simple/", status: 200},
		{name: "the list without its slash", path: "/simple", status: 301, location: "/simple/"},
		{name: "a project", path: "/simple/rocket-skates/", status: 200, events: "index-fetch"},
		{name: "a project by HEAD", method: "HEAD", path: "/simple/rocket-skates/", status: 200, events: "index-fetch"},
		{name: "a project without its slash", path: "/simple/rocket-skates", status: 301, location: "/simple/rocket-skates/"},
		{name: "a project by another spelling", path: "/simple/Rocket__Skates/", status: 301, location: "/simple/rocket-skates/"},
		{name: "another spelling without its slash, escaped", path: "/simple/Rocket%5FSkates?x=1", status: 301, location: "/simple/rocket-skates/?x=1"},
		{name: "an unknown project", path: "/simple/unknown/", status: 404},
		{name: "an unknown project without its slash", path: "/simple/unknown", status: 404},
		{name: "a project that the origin lacks", path: "/simple/gone/", status: 404},
		{name: "a file of a project that the origin lacks", path: "/simple/gone/gone-1.0.tar.gz", status: 404},
		{name: "a name that is none", path: "/simple/..%2f/", status: 404},
		{name: "a broken escape in a name", path: "/simple/-x-/", status: 404},
		{name: "an sdist", path: "/simple/rocket-skates/rocket_skates-1.0.tar.gz", status: 302, location: "https://index.example/files/rocket_skates-1.0.tar.gz", events: "binary-download"},
		{name: "an sdist by HEAD", method: "HEAD", path: "/simple/rocket-skates/rocket_skates-1.0.tar.gz", status: 302, location: "https://index.example/files/rocket_skates-1.0.tar.gz", events: "binary-download"},
		{name: "a file below another spelling", path: "/simple/Rocket.Skates/rocket_skates-1.0.tar.gz", status: 302, location: "https://index.example/files/rocket_skates-1.0.tar.gz", events: "binary-download"},
		{name: "a wheel", path: "/simple/rocket-skates/" + wheelName, status: 302, location: "https://files.example/a/" + wheelName + "?sig=a%2Fb", events: "binary-download"},
		{name: "a wheel's metadata", path: "/simple/rocket-skates/" + wheelName + ".metadata", status: 302, location: "https://files.example/a/" + wheelName + ".metadata?sig=a%2Fb", events: "index-fetch"},
		{name: "metadata that the origin doesn't have", path: "/simple/rocket-skates/rocket_skates-1.0.tar.gz.metadata", status: 404},
		{name: "a signature", path: "/simple/rocket-skates/rocket_skates-1.0.tar.gz.asc", status: 302, location: "https://index.example/files/rocket_skates-1.0.tar.gz.asc", events: "index-fetch"},
		{name: "an unknown file", path: "/simple/rocket-skates/rocket_skates-9.tar.gz", status: 404},
		{name: "a path below a file", path: "/simple/rocket-skates/a/b", status: 404},
		{name: "a file with an escaped slash", path: "/simple/rocket-skates/a%2Fb", status: 404},
		{name: "another method", method: "POST", path: "/simple/rocket-skates/", status: 405},
		{name: "a media type that nobody has", path: "/simple/rocket-skates/", headers: []string{"Accept: application/json"}, status: 406},
		{name: "the format as a parameter", path: "/simple/rocket-skates/?format=application/vnd.pypi.simple.latest%2Bjson", status: 200, events: "index-fetch"},
		{name: "an unknown format as a parameter", path: "/simple/rocket-skates/?format=xml", status: 406},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var n notes
			if tt.method == "" {
				tt.method = "GET"
			}
			resp := ask(h, host, &n, tt.method, tt.path, tt.headers...)
			if resp.StatusCode != tt.status || resp.Header.Get("Location") != tt.location {
				t.Errorf("got %d to %q, want %d to %q", resp.StatusCode, resp.Header.Get("Location"), tt.status, tt.location)
			}
			if tt.status >= 400 && !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
				t.Errorf("an error as %q", resp.Header.Get("Content-Type"))
			}
			var types []string
			for _, e := range n.all() {
				types = append(types, e.Type)
				if e.Status != tt.status {
					t.Errorf("the event says %d", e.Status)
				}
				if want := e.Type == event.BinaryDownload && tt.method == "GET"; e.Countable != want {
					t.Errorf("countable: %v", e.Countable)
				}
			}
			if got := strings.Join(types, ","); got != tt.events {
				t.Errorf("noted %q, want %q", got, tt.events)
			}
			if body := read(t, resp); tt.method == "HEAD" && body != "" {
				t.Errorf("HEAD got a body: %q", body)
			}
		})
	}
}

func TestAWheelsEventTellsWhatItsNameTells(t *testing.T) {
	h := newHandler(t, Options{Transport: origins{"index.example": serveText(jsonType, skates)}})
	var n notes
	ask(h, hostWith(skatesProject()), &n, "GET", "/simple/rocket-skates/"+wheelName)
	want := &event.Event{
		Type: event.BinaryDownload, Package: "rocket-skates", Version: "1.1", Digest: "sha256:" + sum2,
		Platform: "linux", Arch: "amd64", OriginHost: "files.example", Status: 302, Countable: true,
		Variables: []event.Variable{
			{Name: "abi_tag", Value: "cp312"},
			{Name: "distribution", Value: "wheel"},
			{Name: "filename", Value: wheelName},
			{Name: "platform_tag", Value: "manylinux_2_17_x86_64.manylinux2014_x86_64"},
			{Name: "python_tag", Value: "cp312"},
		},
	}
	if got := n.all(); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %+v\nwant %+v", got[0], want)
	}
}

func TestAPageIsServedAsHTML(t *testing.T) {
	h := newHandler(t, Options{Transport: origins{"index.example": serveText(jsonType, skates)}})
	resp := ask(h, hostWith(skatesProject()), new(notes), "GET", "/simple/rocket-skates/")
	want := `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="pypi:repository-version" content="1.4">
<meta name="pypi:project-status" content="archived">
<meta name="pypi:project-status-reason" content="too fast">
<title>Links for rocket-skates</title>
</head>
<body>
<h1>Links for rocket-skates</h1>
<a href="/simple/rocket-skates/rocket_skates-1.0.tar.gz#sha256=` + sum + `" data-requires-python="&gt;=3.8" data-yanked="brakes &lt;fail&gt;" data-gpg-sig="true">rocket_skates-1.0.tar.gz</a><br>
<a href="/simple/rocket-skates/` + wheelName + `#sha256=` + sum2 + `" data-core-metadata="sha256=` + sum + `" data-dist-info-metadata="sha256=` + sum + `" data-provenance="https://index.example/integrity/1">` + wheelName + `</a><br>
</body>
</html>
`
	if got := read(t, resp); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := resp.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("as %q", got)
	}
}

func TestAPageIsServedAsJSON(t *testing.T) {
	h := newHandler(t, Options{Transport: origins{"index.example": serveText(jsonType, skates)}})
	resp := ask(h, hostWith(skatesProject()), new(notes), "GET", "/simple/rocket-skates/", "Accept: "+jsonType)
	if got := resp.Header.Get("Content-Type"); got != jsonType {
		t.Errorf("as %q", got)
	}
	want := `{
 "meta": {"api-version": "1.4"},
 "name": "rocket-skates",
 "project-status": {"status": "archived", "reason": "too fast"},
 "versions": ["1.0", "1.1"],
 "files": [
  {"filename": "rocket_skates-1.0.tar.gz", "url": "/simple/rocket-skates/rocket_skates-1.0.tar.gz", "hashes": {"sha256": "` + sum + `"},
   "requires-python": ">=3.8", "yanked": "brakes <fail>", "gpg-sig": true, "size": 1024, "upload-time": "2026-01-02T03:04:05.000006Z"},
  {"filename": "` + wheelName + `", "url": "/simple/rocket-skates/` + wheelName + `",
   "hashes": {"md5": "0123456789abcdef0123456789abcdef", "sha256": "` + sum2 + `"},
   "core-metadata": {"sha256": "` + sum + `"}, "dist-info-metadata": {"sha256": "` + sum + `"},
   "size": 2048, "provenance": "https://index.example/integrity/1"}
 ]
}`
	if got := read(t, resp); !sameJSON(t, got, want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	for s, v := range map[string]*any{a: &x, b: &y} {
		if err := json.Unmarshal([]byte(s), v); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return reflect.DeepEqual(x, y)
}

func TestTheListOfProjectsIsServedInBothFormats(t *testing.T) {
	h := newHandler(t, Options{})
	host := hostWith(&catalog.PythonProject{Project: "b"}, &catalog.PythonProject{Project: "a"})
	if got := read(t, ask(h, host, new(notes), "GET", "/simple/")); !strings.Contains(got, "<a href=\"/simple/a/\">a</a><br>\n<a href=\"/simple/b/\">b</a><br>\n") {
		t.Error(got)
	}
	got := read(t, ask(h, host, new(notes), "GET", "/simple/", "Accept: "+jsonType))
	if !sameJSON(t, got, `{"meta":{"api-version":"1.0"},"projects":[{"name":"a"},{"name":"b"}]}`) {
		t.Error(got)
	}
	got = read(t, ask(h, hostWith(), new(notes), "GET", "/simple/", "Accept: "+jsonType))
	if !sameJSON(t, got, `{"meta":{"api-version":"1.0"},"projects":[]}`) {
		t.Error(got)
	}
}

func TestAPageThatTheClientHasIs304(t *testing.T) {
	h := newHandler(t, Options{Transport: origins{"index.example": serveText(jsonType, skates)}})
	host := hostWith(skatesProject())
	const path = "/simple/rocket-skates/"
	html := ask(h, host, new(notes), "GET", path)
	tag := html.Header.Get("Etag")
	if tag == "" || strings.HasPrefix(tag, "W/") {
		t.Fatalf("tag %q", tag)
	}
	for name, headers := range map[string][]string{
		"by its tag":         {"If-None-Match: " + tag},
		"by a weak form":     {"If-None-Match: W/" + tag},
		"by one of several":  {`If-None-Match: "x", ` + tag},
		"in another line":    {`If-None-Match: "x"`, "If-None-Match: " + tag},
		"by any":             {"If-None-Match: *"},
		"with other headers": {"If-None-Match: " + tag, "If-Modified-Since: Mon, 02 Jan 2006 15:04:05 GMT"},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			var n notes
			resp := ask(h, host, &n, method, path, headers...)
			if resp.StatusCode != 304 || resp.Header.Get("Etag") != tag || read(t, resp) != "" || resp.Header.Get("Vary") == "" || resp.Header.Get("Cache-Control") == "" {
				t.Errorf("%s, %s: %d %v", name, method, resp.StatusCode, resp.Header)
			}
			if e := n.all(); len(e) != 1 || e[0].Status != 304 || e[0].Countable {
				t.Errorf("%s: noted %+v", name, e)
			}
		}
	}
	asJSON := ask(h, host, new(notes), "GET", path, "Accept: "+jsonType, "If-None-Match: "+tag)
	if asJSON.StatusCode != 200 || asJSON.Header.Get("Etag") == tag {
		t.Errorf("the JSON goes by the tag of the HTML: %d", asJSON.StatusCode)
	}
	if resp := ask(h, host, new(notes), "GET", path, `If-None-Match: "other"`); resp.StatusCode != 200 {
		t.Errorf("another tag: %d", resp.StatusCode)
	}
}

func TestHeadHasTheHeadersOfGet(t *testing.T) {
	h := newHandler(t, Options{Transport: origins{"index.example": serveText(jsonType, skates)}})
	host := hostWith(skatesProject())
	for _, path := range []string{"/simple/", "/simple/rocket-skates/", "/simple/rocket-skates/" + wheelName, "/simple/none/", "/simple/rocket-skates"} {
		for _, accept := range []string{"text/html", jsonType} {
			get := ask(h, host, new(notes), "GET", path, "Accept: "+accept)
			head := ask(h, host, new(notes), "HEAD", path, "Accept: "+accept)
			if get.StatusCode != head.StatusCode || !reflect.DeepEqual(get.Header, head.Header) || head.Header.Get("Content-Length") == "" {
				t.Errorf("%s: GET %v\nHEAD %v", path, get.Header, head.Header)
			}
		}
	}
}

func TestALargePageIsCompressedForThoseWhoTakeIt(t *testing.T) {
	h := newHandler(t, Options{Transport: origins{"index.example": serveText("text/html", manyLinks(100))}})
	host := hostWith(skatesProject())
	plain := ask(h, host, new(notes), "GET", "/simple/rocket-skates/", "Accept-Encoding: gzip;q=0, br")
	zipped := ask(h, host, new(notes), "GET", "/simple/rocket-skates/", "Accept-Encoding: br, gzip")
	if plain.Header.Get("Content-Encoding") != "" || zipped.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("encodings %q and %q", plain.Header.Get("Content-Encoding"), zipped.Header.Get("Content-Encoding"))
	}
	zr, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := io.ReadAll(zr)
	if err != nil || string(unzipped) != read(t, plain) {
		t.Errorf("the compressed page differs: %v", err)
	}
	if plain.Header.Get("Etag") == zipped.Header.Get("Etag") {
		t.Error("two encodings share a strong tag")
	}
	if again := ask(h, host, new(notes), "GET", "/simple/rocket-skates/", "Accept-Encoding: gzip", "If-None-Match: "+zipped.Header.Get("Etag")); again.StatusCode != 304 {
		t.Errorf("the compressed page again: %d", again.StatusCode)
	}
}

func TestFilesOfTheCatalogAreServed(t *testing.T) {
	named := func(name, version, url, domain string) catalog.PythonFile {
		return catalog.PythonFile{FileName: name, Version: version, URL: url, Domain: domain, HashType: "sha256", Hash: sum2, RequiresPython: ">=3.9", GPGSig: new(false)}
	}
	t.Run("alone, when there is no index", func(t *testing.T) {
		h := newHandler(t, Options{Transport: origins{}})
		host := hostWith(&catalog.PythonProject{Project: "skates", Files: []catalog.PythonFile{
			named("skates-2.0-py3-none-any.whl", "2.0", "https://files.acme.example/w/skates-2.0-py3-none-any.whl", ""),
			named("skates-other.whl", "3.0", "https://files.acme.example/other", "other.example"),
		}})
		got := read(t, ask(h, host, new(notes), "GET", "/simple/skates/", "Accept: "+jsonType))
		if !sameJSON(t, got, `{"meta":{"api-version":"1.0"},"name":"skates","files":[{"filename":"skates-2.0-py3-none-any.whl","url":"/simple/skates/skates-2.0-py3-none-any.whl","hashes":{"sha256":"`+sum2+`"},"requires-python":">=3.9","gpg-sig":false}]}`) {
			t.Error(got)
		}
		var n notes
		if resp := ask(h, host, &n, "GET", "/simple/skates/skates-2.0-py3-none-any.whl"); resp.Header.Get("Location") != "https://files.acme.example/w/skates-2.0-py3-none-any.whl" {
			t.Errorf("to %q", resp.Header.Get("Location"))
		}
		if e := n.all(); len(e) != 1 || e[0].Version != "2.0" || e[0].OriginHost != "files.acme.example" || e[0].Platform != "" {
			t.Errorf("noted %+v", e)
		}
		for _, path := range []string{"skates-other.whl", "skates-2.0-py3-none-any.whl.asc"} {
			if resp := ask(h, host, new(notes), "GET", "/simple/skates/"+path); resp.StatusCode != 404 {
				t.Errorf("%s: %d", path, resp.StatusCode)
			}
		}
	})
	t.Run("beside and instead of the origin's", func(t *testing.T) {
		h := newHandler(t, Options{Transport: origins{"index.example": serveText(jsonType, skates)}})
		p := skatesProject()
		p.Files = []catalog.PythonFile{
			named("rocket_skates-1.0.tar.gz", "1.0", "https://own.example/1.0", "py.acme.example"),
			named("rocket_skates-1.0.tar.gz", "1.0", "https://general.example/1.0", ""),
			named("rocket_skates-2.0.tar.gz", "2.0", "https://own.example/2.0", ""),
		}
		host := hostWith(p)
		var page outPage
		if err := json.Unmarshal([]byte(read(t, ask(h, host, new(notes), "GET", "/simple/rocket-skates/", "Accept: "+jsonType))), &page); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range page.Files {
			names = append(names, f.FileName)
		}
		if want := []string{"rocket_skates-1.0.tar.gz", wheelName, "rocket_skates-2.0.tar.gz"}; !reflect.DeepEqual(names, want) {
			t.Errorf("files %q", names)
		}
		if !reflect.DeepEqual(page.Versions, []string{"1.0", "1.1", "2.0"}) || page.Meta.APIVersion != "1.0" {
			t.Errorf("versions %q of API %s", page.Versions, page.Meta.APIVersion)
		}
		for file, want := range map[string]string{"rocket_skates-1.0.tar.gz": "https://own.example/1.0", "rocket_skates-2.0.tar.gz": "https://own.example/2.0"} {
			if got := ask(h, host, new(notes), "GET", "/simple/rocket-skates/"+file).Header.Get("Location"); got != want {
				t.Errorf("%s is at %q", file, got)
			}
		}
		host.name = "elsewhere.example"
		if got := ask(h, host, new(notes), "GET", "/simple/rocket-skates/rocket_skates-1.0.tar.gz").Header.Get("Location"); got != "https://general.example/1.0" {
			t.Errorf("on another host it is at %q", got)
		}
	})
	t.Run("though the origin lacks the project", func(t *testing.T) {
		h := newHandler(t, Options{Transport: origins{"index.example": http.NotFound}})
		p := skatesProject()
		p.Files = []catalog.PythonFile{named("rocket_skates-2.0.tar.gz", "2.0", "https://own.example/2.0", "")}
		if resp := ask(h, hostWith(p), new(notes), "GET", "/simple/rocket-skates/"); resp.StatusCode != 200 {
			t.Errorf("%d", resp.StatusCode)
		}
	})
	t.Run("as they are after a change of the package", func(t *testing.T) {
		h := newHandler(t, Options{Transport: origins{"index.example": serveText(jsonType, skates)}})
		for _, url := range []string{"https://own.example/a", "https://own.example/b"} {
			p := skatesProject()
			p.Files = []catalog.PythonFile{named("rocket_skates-2.0.tar.gz", "2.0", url, "")}
			if got := ask(h, hostWith(p), new(notes), "GET", "/simple/rocket-skates/rocket_skates-2.0.tar.gz").Header.Get("Location"); got != url {
				t.Errorf("at %q, want %q", got, url)
			}
		}
	})
}

func TestAnIndexThatIsItsOwnOriginIsNotWaitedFor(t *testing.T) {
	var h *Handler
	host := hostWith(skatesProject())
	h = newHandler(t, Options{Transport: origins{"index.example": func(w http.ResponseWriter, r *http.Request) {
		h.serve(w, r, host, new(notes).note)
	}}})
	if resp := ask(h, host, new(notes), "GET", "/simple/rocket-skates/"); resp.StatusCode != 503 {
		t.Errorf("%d", resp.StatusCode)
	}
	if resp := ask(h, host, new(notes), "GET", "/simple/rocket-skates/", "Via: 1.1 other", "Via: 1.1 "+h.id+", 1.1 third"); resp.StatusCode != 508 {
		t.Errorf("a request that was here: %d", resp.StatusCode)
	}
}
