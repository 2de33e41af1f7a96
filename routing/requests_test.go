package routing_test

import (
	"bufio"
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tallygate/routing/event"
)

// describe writes what an event says, leaving out what is unknown.
func describe(e *event.Event) string {
	var b strings.Builder
	put := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, " %s=%s", name, value)
		}
	}
	b.WriteString(e.Type)
	put("package", e.Package)
	put("pixel", e.Pixel)
	put("reference", e.Reference)
	put("version", e.Version)
	put("platform", e.Platform)
	put("arch", e.Arch)
	put("page", e.Page)
	put("referer", e.Referer)
	put("client", e.Client)
	put("origin", e.OriginHost)
	put("unique", e.UniqueID)
	if !e.Time.Equal(now) {
		put("time", e.Time.Format("2006-01-02T15:04:05Z07:00"))
	}
	if e.Bot {
		b.WriteString(" bot")
	}
	if e.Countable {
		b.WriteString(" counted")
	}
	fmt.Fprintf(&b, " %d", e.Status)
	for _, v := range e.Variables {
		fmt.Fprintf(&b, " {%s:%s}", v.Name, v.Value)
	}
	return b.String()
}

func describeAll(events []*event.Event) string {
	lines := make([]string, len(events))
	for i, e := range events {
		lines[i] = describe(e)
	}
	return strings.Join(lines, "\n")
}

// send writes a request as a client would, so that it goes through net/http's
// own parser: method, target, then header lines. A Host line must be among them.
func send(tb testing.TB, h http.Handler, method, target, body string, headers ...string) *http.Response {
	tb.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, target)
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(b.String())))
	if err != nil {
		tb.Fatal(err)
	}
	r.RemoteAddr = "203.0.113.9:4711"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestRequests(t *testing.T) {
	const (
		own    = "Host: acme.gateway." + base
		images = "Host: acme.docker." + base
		static = "Host: static." + base
		curl   = "User-Agent: curl/8.5"
	)
	type want struct {
		status   int
		location string
		headers  string // "Name: value" lines that must be there; "Name:" must not
		body     string // that the body contains
		events   string // as describe writes them
	}
	tests := map[string]struct {
		method, target string
		headers        []string
		body           string
		want           want
	}{
		// Redirects.
		"a template route redirects and records": {
			target: "/files/1.10/skates-linux-amd64.tar.gz", headers: []string{own, curl, "Referer: https://acme.com/get"},
			want: want{
				status: 302, location: "https://origin.example/linux-amd64/skates-1.10.tar.gz",
				headers: "Cache-Control: no-store\nContent-Type:\nX-Content-Type-Options:",
				events:  "binary-download package=skates version=1.10 platform=linux arch=amd64 referer=https://acme.com/get client=curl origin=origin.example counted 302 {platform:linux-amd64} {version:1.10}",
			},
		},
		"HEAD is redirected and not counted": {
			method: "HEAD", target: "/plain", headers: []string{own},
			want: want{status: 302, location: "https://origin.example/plain.txt", events: "binary-download package=skates origin=origin.example 302"},
		},
		"POST keeps its method and is not counted": {
			method: "POST", target: "/plain", headers: []string{own}, body: "{}",
			want: want{status: 307, location: "https://origin.example/plain.txt", events: "binary-download package=skates origin=origin.example 307"},
		},
		"any other method is redirected likewise": {
			method: "PROPFIND", target: "/plain", headers: []string{own},
			want: want{status: 307, location: "https://origin.example/plain.txt", events: "binary-download package=skates origin=origin.example 307"},
		},
		"a route's own status is used, and is not cached either": {
			target: "/moved/a/b.txt", headers: []string{own},
			want: want{
				status: 301, location: "https://origin.example/new/a/b.txt", headers: "Cache-Control: no-store",
				events: "binary-download package=skates origin=origin.example counted 301 {path:a/b.txt}",
			},
		},
		"query parameters are passed on and recorded": {
			target: "/plain?ref=news&b=%41&ref=2", headers: []string{own},
			want: want{
				status: 302, location: "https://origin.example/plain.txt?ref=news&b=%41&ref=2",
				events: "binary-download package=skates origin=origin.example counted 302 {b:A} {ref:news}",
			},
		},
		"the outgoing URL's own parameters win": {
			target: "/q?x=1&fixed=2&file=a", headers: []string{own},
			want: want{
				status: 302, location: "https://origin.example/by/a?fixed=1&x=1",
				events: "binary-download package=skates origin=origin.example counted 302 {file:a} {fixed:2} {x:1}",
			},
		},
		"custom names fill the default columns": {
			target: "/rx/2.1/windows", headers: []string{own},
			want: want{
				status: 302, location: "https://origin.example/windows/2.1",
				events: "binary-download package=skates version=2.1 platform=windows origin=origin.example counted 302 {os:windows} {release:2.1}",
			},
		},
		"a query parameter is a default variable too": {
			target: "/plain?version=9&platform=osx&page=%2Fget", headers: []string{own},
			want: want{
				status: 302, location: "https://origin.example/plain.txt?version=9&platform=osx&page=%2Fget",
				events: "binary-download package=skates version=9 platform=macos page=/get origin=origin.example counted 302 {page:/get} {platform:osx} {version:9}",
			},
		},
		"a bot is recorded as one": {
			target: "/plain", headers: []string{own, "User-Agent: examplebot"},
			want: want{status: 302, location: "https://origin.example/plain.txt", events: "binary-download package=skates client=Examplebot origin=origin.example bot counted 302"},
		},
		"facts of the client are variables": {
			target: "/plain?ci=false", headers: []string{own, "User-Agent: pip/24"},
			want: want{
				status: 302, location: "https://origin.example/plain.txt?ci=false",
				events: "binary-download package=skates client=pip origin=origin.example counted 302 {ci:false} {python:3.12}",
			},
		},
		"the host's case, port and trailing dot don't matter": {
			target: "/plain", headers: []string{"Host: ACME.Gateway." + base + ".:8080"},
			want: want{status: 302, location: "https://origin.example/plain.txt", events: "binary-download package=skates origin=origin.example counted 302"},
		},
		"an absolute target names the host": {
			target: "http://acme.gateway." + base + "/plain?a=1", headers: []string{"Host: elsewhere.example"},
			want: want{status: 302, location: "https://origin.example/plain.txt?a=1", events: "binary-download package=skates origin=origin.example counted 302 {a:1}"},
		},
		"an untrusted client can't choose the host": {
			target: "/plain", headers: []string{"Host: elsewhere.example", "X-Forwarded-Host: acme.gateway." + base},
			want: want{status: 404, body: "Nothing is served on this host"},
		},

		// Catch-alls.
		"a catch-all keeps path and query byte for byte": {
			target: "/a%2Fb/%7Ec//d;e=f/é?x=%zz&y=+&z", headers: []string{"Host: go.acme.com"},
			want: want{
				status: 302, location: "https://other.example/a%2Fb/%7Ec//d;e=f/%C3%A9?x=%zz&y=+&z",
				events: "binary-download package=site origin=other.example counted 302 {x:%zz} {y: } {z:}",
			},
		},
		"a catch-all takes the root": {
			target: "/", headers: []string{"Host: go.acme.com"},
			want: want{status: 302, location: "https://other.example/", events: "binary-download package=site origin=other.example counted 302"},
		},
		"a catch-all takes paths of other kinds that the host doesn't have": {
			target: "/v2/app/manifests/latest", headers: []string{"Host: go.acme.com"},
			want: want{status: 302, location: "https://other.example/v2/app/manifests/latest", events: "binary-download package=site origin=other.example counted 302"},
		},

		// Routes without an outgoing URL.
		"a route without an outgoing URL answers once stored": {
			target: "/ping/3?plan=pro", headers: []string{own, curl, "Referer: https://acme.com/"},
			want: want{
				status: 200, body: `{"stored":1,"ids":["`, headers: "Content-Type: application/json\nX-Content-Type-Options: nosniff\nCache-Control: no-store",
				events: "event package=skates version=3 platform=linux arch=amd64 page=https://acme.com/ referer=https://acme.com/ client=curl counted 200 {plan:pro} {version:3}",
			},
		},
		"its body's objects are events": {
			method: "POST", target: "/ping/3?plan=pro", headers: []string{own}, body: `{"a":{"b":1.50}}` + "\n" + `{"$version":"4","plan":"free"}`,
			want: want{
				status: 200, body: `{"stored":2,"ids":["`,
				events: "event package=skates version=3 counted 200 {a.b:1.50} {plan:pro} {version:3}\nevent package=skates version=4 counted 200 {plan:free} {version:3}",
			},
		},
		"HEAD of it is stored and not counted": {
			method: "HEAD", target: "/ping/3", headers: []string{own},
			want: want{status: 200, events: "event package=skates version=3 200 {version:3}"},
		},
		"a method that makes no sense is named": {
			method: "DELETE", target: "/ping/3", headers: []string{own},
			want: want{status: 405, headers: "Allow: GET, HEAD, POST, OPTIONS", body: "takes GET, HEAD, POST, OPTIONS only"},
		},

		// Event packages.
		"a GET on an event route records its parameters": {
			target: "/collect/app?version=2&platform=Darwin&arch=arm64", headers: []string{own},
			want: want{status: 200, events: "event package=telemetry version=2 platform=macos arch=arm64 counted 200 {app:app} {arch:arm64} {platform:Darwin} {version:2}"},
		},
		"all special properties": {
			method: "POST", target: "/collect/cli", headers: []string{own},
			body: `{"$version":"7","$type":"login","$user_agent":"curl/9","$referrer":"https://r/","$domain":"Shop.Example:80","$unique_id":"u1","$time":"2026-11-24T11:00:00Z","os":"win32"}`,
			want: want{
				status: 200,
				events: "login package=telemetry version=7 platform=windows page=https://r/ referer=https://r/ client=curl unique=u1 time=2026-11-24T11:00:00Z counted 200 {app:cli} {os:win32}",
			},
		},
		"a body by curl -d is JSON all the same": {
			method: "POST", target: "/collect/cli", headers: []string{own, "Content-Type: application/x-www-form-urlencoded"}, body: `[{"a":1},{"a":2}]`,
			want: want{status: 200, body: `"stored":2`, events: "event package=telemetry counted 200 {a:1} {app:cli}\nevent package=telemetry counted 200 {a:2} {app:cli}"},
		},
		"an empty POST is one event": {
			method: "POST", target: "/collect/cli?a=1", headers: []string{own},
			want: want{status: 200, body: `"stored":1`, events: "event package=telemetry counted 200 {a:1} {app:cli}"},
		},
		"an empty array is none": {
			method: "POST", target: "/collect/cli?a=1", headers: []string{own}, body: " [] ",
			want: want{status: 200, body: `{"stored":0,"ids":[]}`},
		},
		"a broken body stores the good objects and says where it broke": {
			method: "POST", target: "/collect/cli", headers: []string{own}, body: `{"a":1}{"a":2}{"a":`,
			want: want{
				status: 400, body: `"error":"expected a value","at":19,"object":2}`,
				events: "event package=telemetry counted 200 {a:1} {app:cli}\nevent package=telemetry counted 200 {a:2} {app:cli}",
			},
		},
		"an oversized body stores the good objects and says so": {
			method: "POST", target: "/collect/cli", headers: []string{own}, body: `{"a":1}{"a":"` + strings.Repeat("x", 1<<20) + `"}`,
			want: want{
				status: 413, body: `"error":"the body is larger than 1048576 bytes","at":1048576,"object":1}`,
				events: "event package=telemetry counted 200 {a:1} {app:cli}",
			},
		},
		"a body that is nothing stores nothing": {
			method: "POST", target: "/collect/cli", headers: []string{own}, body: `hello`,
			want: want{status: 400, body: `{"stored":0,"ids":[],"error":"expected a JSON object, or an array of objects","at":0,"object":0}`},
		},
		"an encoding not understood is named": {
			method: "POST", target: "/collect/cli", headers: []string{own, "Content-Encoding: br"}, body: `hello`,
			want: want{status: 415, body: `"error":"the only Content-Encoding taken is gzip"`},
		},
		"an object whose client asked not to be tracked is left out": {
			method: "POST", target: "/collect/cli", headers: []string{own}, body: `{"a":1,"$headers":{"sec-gpc":"1"}}{"a":2}`,
			want: want{status: 200, body: `"stored":1`, events: "event package=telemetry counted 200 {a:2} {app:cli}"},
		},
		"a preflight request is answered": {
			method: "OPTIONS", target: "/collect/cli", headers: []string{own, "Origin: https://acme.com", "Access-Control-Request-Method: POST"},
			want: want{status: 204, headers: "Access-Control-Allow-Origin: *\nAccess-Control-Allow-Methods: GET, HEAD, POST, OPTIONS"},
		},
		"restricted events need a token": {
			method: "POST", target: "/closed", headers: []string{own}, body: `{"a":1}`,
			want: want{status: 401, headers: `Www-Authenticate: Bearer realm="events"`, body: "need a token"},
		},
		"restricted events refuse a wrong token": {
			method: "POST", target: "/closed", headers: []string{own, "Authorization: Bearer nope"}, body: `{"a":1}`,
			want: want{status: 401, headers: `Www-Authenticate: Bearer realm="events"`},
		},
		"restricted events take a right token": {
			method: "POST", target: "/closed", headers: []string{own, "Authorization: Bearer " + tokenOK}, body: `{"a":1}`,
			want: want{status: 200, events: "event package=closed counted 200 {a:1}"},
		},

		// Pixels.
		"a pixel's page is its parameter": {
			target: "/a.png?x-pxid=px-1&page=/docs&utm=x", headers: []string{static, "Referer: https://acme.com/other"},
			want: want{
				status: 200, headers: "Content-Type: image/png\nCache-Control: no-cache, no-store, must-revalidate\nX-Content-Type-Options: nosniff\nContent-Length: 67",
				events: "pixel-fetch package=skates pixel=docs page=/docs referer=https://acme.com/other counted 200 {page:/docs} {utm:x}",
			},
		},
		"a pixel's page is Page": {
			target: "/a.png?Page=%2Fdocs&x-pxid=px-1", headers: []string{static},
			want: want{status: 200, events: "pixel-fetch package=skates pixel=docs page=/docs counted 200 {Page:/docs}"},
		},
		"a pixel's page is the override's": {
			target: "/a.png?x-pxid=px-1&screen=home", headers: []string{static},
			want: want{status: 200, events: "pixel-fetch package=skates pixel=docs page=home counted 200 {screen:home}"},
		},
		"a pixel's page is else the Referer": {
			target: "/a.png?x-pxid=px-1", headers: []string{static, "Referer: https://acme.com/docs"},
			want: want{status: 200, events: "pixel-fetch package=skates pixel=docs page=https://acme.com/docs referer=https://acme.com/docs counted 200"},
		},
		"a pixel on its own domain": {
			target: "/a.png?x-pxid=px-1", headers: []string{"Host: px.acme.com"},
			want: want{status: 200, events: "pixel-fetch package=skates pixel=docs counted 200"},
		},
		"HEAD of a pixel is recorded and not counted": {
			method: "HEAD", target: "/a.png?x-pxid=px-1", headers: []string{static},
			want: want{status: 200, headers: "Content-Length: 67", events: "pixel-fetch package=skates pixel=docs 200"},
		},
		"an unknown pixel still gets the image": {
			target: "/a.png?x-pxid=nope", headers: []string{static}, want: want{status: 200, headers: "Content-Type: image/png", body: "PNG"},
		},
		"a pixel without an id still gets the image": {
			target: "/a.png", headers: []string{static}, want: want{status: 200, headers: "Content-Type: image/png"},
		},
		"a pixel can't be posted to": {
			method: "POST", target: "/a.png?x-pxid=px-1", headers: []string{static}, want: want{status: 405, headers: "Allow: GET, HEAD"},
		},
		"there is nothing else on the pixel host": {
			target: "/b.png", headers: []string{static}, want: want{status: 404, body: "Nothing is published"},
		},

		// npm installs.
		"an install event by name": {
			method: "POST", target: "/package-event/install", headers: []string{"Host: " + base},
			body: `{"libraryType":"npm","rawPlatform":"darwin","rawArch":"x64","nodeVersion":"22.1.0","dependencyInfo":{"parent":{"name":"rocket-skates","version":"2.0.1"}}}`,
			want: want{
				status: 200, body: `"stored":1`,
				events: "package-install package=rocket-skates version=2.0.1 platform=macos arch=amd64 client=node counted 200 {dependencyInfo.parent.name:rocket-skates} {dependencyInfo.parent.version:2.0.1} {libraryType:npm} {nodeVersion:22.1.0} {rawArch:x64} {rawPlatform:darwin}",
			},
		},
		"an install event on localhost, as by the SDK's port setting": {
			method: "POST", target: "/package-event/install", headers: []string{"Host: localhost:8080"},
			body: `{"dependencyInfo":{"parent":{"name":"rocket-skates","version":"1"}}}`,
			want: want{status: 200, events: "package-install package=rocket-skates version=1 counted 200 {dependencyInfo.parent.name:rocket-skates} {dependencyInfo.parent.version:1}"},
		},
		"an install event by id": {
			method: "POST", target: "/package-event/install/npm-1", headers: []string{own}, body: `{"$version":"3"}`,
			want: want{status: 200, events: "package-install package=rocket-skates version=3 counted 200"},
		},
		"an install event by the id of another kind": {
			method: "POST", target: "/package-event/install/file-1", headers: []string{own}, body: `{}`,
			want: want{status: 404, body: "No npm package"},
		},
		"an install event of an unknown package": {
			method: "POST", target: "/package-event/install", headers: []string{"Host: localhost"}, body: `{"dependencyInfo":{"parent":{"name":"left-pad"}}}`,
			want: want{status: 404, body: "No npm package"},
		},
		"an install event that is no JSON": {
			method: "POST", target: "/package-event/install", headers: []string{"Host: localhost"}, body: `name=x`,
			want: want{status: 400, body: `"error":"expected a JSON object`},
		},
		"an install event can't be fetched": {
			target: "/package-event/install", headers: []string{"Host: localhost"}, want: want{status: 405, headers: "Allow: POST"},
		},
		"another method leaves the path to its owner": {
			target: "/package-event/install", headers: []string{"Host: go.acme.com"},
			want: want{status: 302, location: "https://other.example/package-event/install", events: "binary-download package=site origin=other.example counted 302"},
		},
		"image hosts take no install events": {
			method: "POST", target: "/package-event/install", headers: []string{images}, body: `{}`, want: want{status: 404, body: "Nothing is published"},
		},

		// Images and the package index.
		"images go to their part, and are noted": {
			target: "/v2/acme/app/manifests/latest", headers: []string{images, curl},
			want: want{
				status: 418, headers: "X-Part: containers", body: "acme.docker." + base,
				events: "manifest-fetch package=containers reference=latest platform=macos client=curl 418 {os:darwin}",
			},
		},
		"image hosts serve images only": {
			target: "/plain", headers: []string{images}, want: want{status: 404, body: "Nothing is published"},
		},
		"the catalog of repositories is nobody's business": {
			target: "/v2/_catalog", headers: []string{images}, want: want{status: 404, headers: "Content-Type: application/json", body: `"code":"NAME_UNKNOWN"`},
		},
		"gateway hosts serve no images": {
			target: "/v2/acme/app/manifests/latest", headers: []string{own}, want: want{status: 404, headers: "Content-Type: application/json", body: `"code":"NAME_UNKNOWN"`},
		},
		"an unknown host under /v2/ gets a registry's error": {
			target: "/v2/", headers: []string{"Host: nobody.example"}, want: want{status: 404, headers: "Content-Type: application/json\nX-Content-Type-Options: nosniff", body: `"code":"NAME_UNKNOWN"`},
		},
		"a package index goes to its part": {
			target: "/simple/onlypy/", headers: []string{own},
			want: want{status: 418, headers: "X-Part: python", events: "manifest-fetch package=python reference=latest platform=macos 418 {os:darwin}"},
		},
		"an unknown project is the index's to refuse": {
			target: "/simple/nope/", headers: []string{own},
			want: want{status: 418, headers: "X-Part: python", events: "manifest-fetch package=python reference=latest platform=macos 418 {os:darwin}"},
		},
		"a template goes before the package index": {
			target: "/simple/pyskates/extra.txt", headers: []string{"Host: dl.acme.com"},
			want: want{status: 302, location: "https://origin.example/extra.txt", events: "binary-download package=downloads origin=origin.example counted 302"},
		},
		"the package index goes before a catch-all": {
			target: "/simple/PySkates/x.whl", headers: []string{"Host: dl.acme.com"},
			want: want{status: 418, headers: "X-Part: python", events: "manifest-fetch package=python reference=latest platform=macos 418 {os:darwin}"},
		},
		"a catch-all takes what the package index doesn't have": {
			target: "/simple/nope/", headers: []string{"Host: dl.acme.com"},
			want: want{status: 302, location: "https://origin.example/all/simple/nope/", events: "binary-download package=downloads origin=origin.example counted 302"},
		},

		// Nothing.
		"an unknown path": {
			target: "/nope/<script>", headers: []string{own},
			want: want{status: 404, headers: "Content-Type: text/plain; charset=utf-8\nX-Content-Type-Options: nosniff", body: "Nothing is published at this address"},
		},
		"an unknown host": {
			target: "/", headers: []string{"Host: nobody.example"},
			want: want{status: 404, headers: "Content-Type: text/plain; charset=utf-8", body: "add it as a domain"},
		},
		"a host that is none": {target: "/", headers: []string{"Host: a_b..c"}, want: want{status: 404, body: "Nothing is served on this host"}},
		"no host":             {target: "/", headers: []string{"Host:"}, want: want{status: 404, body: "Nothing is served on this host"}},
		"the base domain without pages": {
			target: "/", headers: []string{"Host: " + base}, want: want{status: 404, body: "Nothing is published"},
		},
		"a tunnel":        {method: "CONNECT", target: "acme.gateway." + base + ":443", headers: []string{own}, want: want{status: 405, headers: "Allow: GET, HEAD, POST"}},
		"a trace":         {method: "TRACE", target: "/plain", headers: []string{own, "Cookie: secret"}, want: want{status: 405, body: "takes GET, HEAD, POST only"}},
		"the server's *":  {method: "OPTIONS", target: "*", headers: []string{own}, want: want{status: 404}},
		"a path of slash": {target: "//plain", headers: []string{own}, want: want{status: 404}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := newWorld(t)
			res := send(t, g, cmp.Or(tt.method, "GET"), tt.target, tt.body, tt.headers...)
			check(t, res, tt.want.status, tt.want.location, tt.want.headers, tt.want.body)
			events := g.recorder.take()
			if got := describeAll(events); got != tt.want.events {
				t.Errorf("events\n%s\nwant\n%s", got, tt.want.events)
			}
			for _, e := range events {
				if e.Owner != "acme" || e.Node != "node-1" || e.Region != "eu" || e.Country != "NL" || e.ID == [16]byte{} {
					t.Errorf("event %+v", e)
				}
			}
			if len(g.enricher.seen) != len(events) {
				t.Errorf("%d events, %d enriched", len(events), len(g.enricher.seen))
			}
		})
	}
}

func check(t *testing.T, res *http.Response, status int, location, headers, body string) {
	t.Helper()
	if res.StatusCode != status {
		t.Errorf("status %d, want %d", res.StatusCode, status)
	}
	if got := res.Header.Get("Location"); got != location {
		t.Errorf("location %s, want %s", got, location)
	}
	for line := range strings.Lines(headers) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if got := res.Header.Get(name); got != strings.TrimSpace(value) {
			t.Errorf("%s: %q, want %q", name, got, strings.TrimSpace(value))
		}
	}
	var b strings.Builder
	if _, err := bufio.NewReader(res.Body).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), body) {
		t.Errorf("body %s, want %s", b.String(), body)
	}
	if strings.Contains(b.String(), "<") {
		t.Errorf("HTML in %s", b.String())
	}
}
