package ui_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"

	"tallygate/analytics/report"
	"tallygate/ui"
	"tallygate/ui/internal/fake"
)

func TestTheOverviewShowsWhoDownloadsWhat(t *testing.T) {
	d := open(t, nil).as(fake.OperatorToken).page("/", http.StatusOK)

	if got, want := d.texts(".card-label"), []string{"Downloads", "Unique sources", "Views", "Events"}; !slices.Equal(got, want) {
		t.Errorf("cards %q, want %q", got, want)
	}
	if got := d.text(".card-figure"); got != "2.03M" {
		t.Errorf("downloads %q", got)
	}
	if got := d.text(".card-change"); got != "▲up 16% from 1.75M" {
		t.Errorf("change %q", got)
	}
	if got := len(d.all(".spark")); got != 4 {
		t.Errorf("%d sparklines", got)
	}
	if got, want := d.texts("h2")[:8], []string{"Downloads per day", "Packages", "Versions", "Platforms", "Clients", "Countries", "Domains", "Latest events"}; !slices.Equal(got, want) {
		t.Errorf("panels %q, want %q", got, want)
	}
	if got := len(d.within("#latest").within("tbody").all("tr")); got != 25 {
		t.Errorf("%d latest events", got)
	}
	for text, want := range map[string]string{
		"Germany":        "/?country=DE",
		"linux":          "/?platform=linux",
		"acme/server":    "/packages/acme/docker/server",
		"Unique sources": "/?show=unique_origins",
		"Last 7 days":    "/?period=7d",
	} {
		if got := d.link(text); got != want {
			t.Errorf("%s leads to %q, want %q", text, got, want)
		}
	}
	// Chart: a picture with words, data, and a table.
	chart := d.within("#series")
	if label := attr(chart.all(".chart-svg")[0], "aria-label"); !strings.HasPrefix(label, "Downloads per day, 28 Oct – 24 Nov 2026.") {
		t.Errorf("the picture says %q", label)
	}
	if got := len(chart.within("tbody").all("tr")); got != 28 {
		t.Errorf("%d rows in the table", got)
	}
	var data struct {
		Now, Before, Levels []int64
		Labels              []string
		Zoom                string
		Partial             bool
	}
	if err := json.Unmarshal([]byte(attr(chart.all(".chart")[0], "data-chart")), &data); err != nil {
		t.Fatal(err)
	}
	if len(data.Now) != 28 || len(data.Before) != 28 || data.Zoom != "/" || !data.Partial {
		t.Errorf("data %+v", data)
	}
}

func TestEverythingOnAPageKeepsItsFilters(t *testing.T) {
	d := open(t, nil).as(fake.OperatorToken).page("/?period=7d&country=DE&client=docker&client=podman&owner=acme&version!=latest", http.StatusOK)
	if got, want := d.texts(".chip"), []string{"Owner acme", "Version is not latest", "Client docker", "Client podman", "Country Germany"}; !slices.Equal(got, want) {
		t.Errorf("chips %q, want %q", got, want)
	}
	chips := d.within(".chips").all(".chip-remove")
	if got, want := attr(chips[2], "href"), "/?owner=acme&period=7d&version!=latest&client=podman&country=DE"; got != want {
		t.Errorf("the cross of docker leads to %q, want %q", got, want)
	}
	if got, want := d.link("Clear"), "/?period=7d"; got != want {
		t.Errorf("Clear leads to %q, want %q", got, want)
	}
	if got, want := d.link("acme/server"), "/packages/acme/docker/server?period=7d&version!=latest&client=docker&client=podman&country=DE"; got != want {
		t.Errorf("a package leads to %q, want %q", got, want)
	}
	for n := range d.root.Descendants() {
		for _, name := range []string{"hx-get", "data-live"} {
			if v := attr(n, name); v != "" && !strings.Contains(v, "owner=acme&period=7d&version!=latest&client=docker&client=podman&country=DE") {
				t.Errorf("%s=%q lost its filters", name, v)
			}
		}
	}
	keep := map[string]bool{}
	for _, input := range d.within(".custom-form").all("input") {
		keep[attr(input, "name")+"="+attr(input, "value")] = true
	}
	for _, want := range []string{"owner=acme", "country=DE", "client=docker", "client=podman", "version!=latest", "from=2026-11-18", "to=2026-11-24", "tz=UTC"} {
		if !keep[want] {
			t.Errorf("the form of a custom period has no %s", want)
		}
	}
}

func TestReportsAreAskedForWhatTheAddressSays(t *testing.T) {
	var mu sync.Mutex
	asked := map[report.Measure]report.Query{}
	s := open(t, func(o *ui.Options) {
		reports := fake.SampleReports()
		series := reports.OnSeries
		reports.OnSeries = func(ctx context.Context, q report.Query, step report.Bucket) ([]report.Point, error) {
			mu.Lock()
			defer mu.Unlock()
			if q.To.After(fake.Now) {
				asked[q.Measure] = q
			}
			return series(ctx, q, step)
		}
		o.Reports = reports
	}).as(fake.OperatorToken)
	s.page("/packages/acme/docker/server?period=7d&tz=Asia/Tokyo&bots=1&country!=", http.StatusOK)
	q := asked[report.Views]
	if q.Owner != "acme" || q.PackageID != "p-server" || !q.Bots || q.Zone.String() != "Asia/Tokyo" || q.From.Format("2006-01-02T15:04Z07:00") != "2026-11-19T00:00+09:00" {
		t.Errorf("asked %+v", q)
	}
	if len(q.Filters) != 1 || !q.Filters[0].Exclude || q.Filters[0].Dimension != report.ByCountry || !slices.Equal(q.Filters[0].Values, []string{""}) {
		t.Errorf("filters %+v", q.Filters)
	}
	if len(asked) != 4 {
		t.Errorf("measures %v", asked)
	}
}

func TestAnEmptyOverviewTeaches(t *testing.T) {
	d := open(t, silent).as(fake.OperatorToken).page("/", http.StatusOK)
	for _, want := range []string{"docker pull registry.acme.example/server", "curl -fLO", "pip install"} {
		if !d.says(want) {
			t.Errorf("doesn't say %q", want)
		}
	}
	if d := open(t, bare).as(fake.OperatorToken).page("/", http.StatusOK); !d.says("tallygate apply -f catalog.yaml") {
		t.Error("an empty catalog doesn't say how to fill it")
	}
	// With a filter, nothing found is an answer, not a beginning.
	if d := open(t, silent).as(fake.OperatorToken).page("/?country=DE", http.StatusOK); d.says("docker pull") || !d.says("Nothing in this period") {
		t.Error("a filter that finds nothing teaches")
	}
}

func TestAPanelThatFailsLeavesTheOthersAlone(t *testing.T) {
	s := open(t, func(o *ui.Options) {
		reports := fake.SampleReports()
		top := reports.OnTop
		reports.OnTop = func(ctx context.Context, q report.Query, by report.Dimension, limit int) ([]report.Row, error) {
			if by == report.ByCountry {
				return nil, errDisk
			}
			return top(ctx, q, by, limit)
		}
		o.Reports = reports
	}).as(fake.OperatorToken)
	d := s.page("/", http.StatusOK)
	if got := d.text("#top-country"); !strings.Contains(got, "can’t be counted right now") || strings.Contains(got, errDisk.Error()) {
		t.Errorf("countries: %q", got)
	}
	if got := d.text("#top-client"); !strings.Contains(got, "docker") {
		t.Errorf("clients: %q", got)
	}
}

func TestANodeWithoutAnalyticsSaysSoOnce(t *testing.T) {
	s := open(t, failing(report.ErrDisabled)).as(fake.OperatorToken)
	for path, also := range map[string]string{"/": "", "/packages/acme/docker/server": "docker pull"} {
		d := s.page(path, http.StatusOK)
		if n := strings.Count(textOf(d.root), "keeps no analytics"); n != 1 || !d.says(also) {
			t.Errorf("%s says it %d times", path, n)
		}
	}
}

func TestTemplatesAreReadFromACheckout(t *testing.T) {
	title := "{{template \"_head.gohtml\" .}}<h1>Changed</h1>{{template \"_foot.gohtml\" .}}"
	checkout := fstest.MapFS{"assets/dist/manifest.json": {Data: []byte(`{"app.css": "app-1.css"}`)}, "assets/dist/app-1.css": {Data: []byte("b{}")}}
	folder := os.DirFS(".")
	names, err := fs.Glob(folder, "templates/*.gohtml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		checkout[name] = &fstest.MapFile{Data: text}
	}
	s := open(t, func(o *ui.Options) { o.Dev = checkout })
	if got := s.page("/sign-in", http.StatusOK).text("h1"); got != "Sign in to Tallygate" {
		t.Errorf("heading %q", got)
	}
	checkout["templates/sign-in.gohtml"] = &fstest.MapFile{Data: []byte(title)}
	d := s.page("/sign-in", http.StatusOK)
	if got := d.text("h1"); got != "Changed" {
		t.Errorf("heading %q after a change", got)
	}
	if got := attr(d.within("head").all("link")[0], "href"); got != "/assets/app-1.css" {
		t.Errorf("styles at %q", got)
	}
	checkout["templates/sign-in.gohtml"] = &fstest.MapFile{Data: []byte("{{nonsense}}")}
	if answer := s.get("/sign-in"); answer.StatusCode != http.StatusInternalServerError {
		t.Errorf("a broken template: %s", answer.Status)
	}
	delete(checkout, "assets/dist/manifest.json")
	checkout["templates/sign-in.gohtml"] = &fstest.MapFile{Data: []byte(title)}
	if d := s.page("/sign-in", http.StatusOK); !d.says("make build") {
		t.Error("a page without assets doesn't say how to build them")
	}
}

func TestAPageDoesNotWaitForSlowPanels(t *testing.T) {
	d := open(t, slow).as(fake.OperatorToken).page("/?country=DE", http.StatusOK)
	for _, id := range []string{"#cards", "#series", "#top-country"} {
		section := d.within(id).root
		if got := attr(section, "hx-trigger"); got != "load, refresh" {
			t.Errorf("%s loads on %q", id, got)
		}
		if got := attr(section, "hx-get"); !strings.HasSuffix(got, "?country=DE") {
			t.Errorf("%s loads from %q", id, got)
		}
	}
	if got := attr(d.within("#latest").root, "hx-trigger"); got != "load" {
		t.Errorf("the latest events load on %q", got)
	}
}

func TestOnlyCurrentPeriodsRefresh(t *testing.T) {
	s := open(t, nil).as(fake.OperatorToken)
	if d := s.page("/", http.StatusOK); !has(d.within("#cards").root, "data-refresh") || attr(d.within("#latest").within("tbody").root, "data-live") != "/live" {
		t.Error("the present stands still")
	}
	if d := s.page("/?from=2026-10-01&to=2026-10-31", http.StatusOK); has(d.within("#cards").root, "data-refresh") || has(d.within("#latest").within("tbody").root, "data-live") {
		t.Error("the past refreshes")
	}
	if d := s.page("/?region=eu", http.StatusOK); !d.says("New events can’t be filtered so") {
		t.Error("a stream that can't be filtered is offered")
	}
}

func TestPanelsCanBeFetchedAlone(t *testing.T) {
	s := open(t, nil).as(fake.OperatorToken)
	for path, id := range map[string]string{
		"/panel/cards?country=DE":         "cards",
		"/panel/series?in=p-server":       "series",
		"/panel/top/client?limit=3":       "top-client",
		"/panel/latest?period=24h&in=p-x": "",
	} {
		if id == "" {
			s.page(path, http.StatusNotFound)
			continue
		}
		d := s.page(path, http.StatusOK)
		if got := attr(d.all("section")[0], "id"); got != id {
			t.Errorf("%s is the section %q, want %q", path, got, id)
		}
		if len(d.all("main")) > 0 {
			t.Errorf("%s is a whole page", path)
		}
	}
	d := s.page("/panel/top/client?limit=3", http.StatusOK)
	if got := len(d.all("li")); got != 3 {
		t.Errorf("%d rows, want 3", got)
	}
	more := d.within(".more").all("a")[0]
	if attr(more, "href") != "/top/client" || attr(more, "hx-get") != "/panel/top/client?limit=40" {
		t.Errorf("more leads to %v", more.Attr)
	}
}

func TestTheListPageKeepsFiltersAndItsPlace(t *testing.T) {
	d := open(t, nil).as(fake.OperatorToken).page("/top/country?in=p-server&client=docker", http.StatusOK)
	for text, want := range map[string]string{
		"Germany":      "/packages/acme/docker/server?client=docker&country=DE",
		"Last 90 days": "/top/country?in=p-server&period=90d&client=docker",
		"acme/server":  "/packages/acme/docker/server?client=docker",
		"Clear":        "/top/country?in=p-server",
	} {
		if got := d.link(text); got != want {
			t.Errorf("%s leads to %q, want %q", text, got, want)
		}
	}
}

func TestThePackagePageSaysHowToGetIt(t *testing.T) {
	s := open(t, nil).as(fake.OperatorToken)
	for path, wants := range map[string][]string{
		"/packages/acme/docker/server":       {"docker pull registry.acme.example/server", "ghcr.io/acme/server", "registry-1.docker.io", "registry.acme.example verified", "images.acme.example not verified"},
		"/packages/acme/file/agent":          {"/agent/{version}/agent-{platform}.tar.gz", "https://mirror.acme.example/agent/{version}", "301 https://acme.example/install.sh", "200, an event is recorded", "regexp", "acme.gateway.tallygate.example"},
		"/packages/acme/python/acme-cli":     {"pip install --extra-index-url https://acme.gateway.tallygate.example/simple/ acme-cli", "https://pypi.org/simple/"},
		"/packages/acme/python/acme-plugins": {"1 files named by hand"},
		"/packages/acme/event/telemetry":     {"curl -d", "Authorization: Bearer TOKEN"},
		"/packages/acme/npm/@acme/sdk":       {"through its install script"},
		"/packages/orbit/file/site":          {"get.orbit.example asserted", "catch-all"},
		"/packages/orbit/docker/worker":      {"proxied", "plain HTTP"},
	} {
		d := s.page(path, http.StatusOK)
		for _, want := range wants {
			if !d.says(want) {
				t.Errorf("%s doesn't say %q", path, want)
			}
		}
		if got := d.texts("h2"); slices.Contains(got, "Packages") {
			t.Errorf("%s lists packages", path)
		}
	}
	s.page("/packages/acme/docker/none", http.StatusNotFound)
}

func TestSearchingPackages(t *testing.T) {
	s := open(t, nil).as(fake.OperatorToken)
	for q, want := range map[string][]string{
		"":              {"server", "agent", "acme-cli", "acme-plugins", "telemetry", "@acme/sdk", "site", "worker"},
		"SERVER":        {"server"},
		"acme/a":        {"agent", "acme-cli", "acme-plugins"},
		"orbit":         {"site", "worker"},
		"acme plug":     {"acme-plugins"},
		"nothing at":    nil,
		"@acme/sdk":     {"@acme/sdk"},
		"\xff\xfe junk": {"server", "agent", "acme-cli", "acme-plugins", "telemetry", "@acme/sdk", "site", "worker"},
	} {
		d := s.page("/packages?q="+url.QueryEscape(q), http.StatusOK)
		var got []string
		for _, th := range d.all("th") {
			if attr(th, "scope") == "row" {
				links := (&doc{t, th}).all("a")
				got = append(got, textOf(links[len(links)-1]))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q finds %q, want %q", q, got, want)
		}
	}
	d := s.page("/packages?type=docker&q=acme", http.StatusOK)
	if got, want := d.link("Python"), "/packages?q=acme&type=python"; got != want {
		t.Errorf("another type leads to %q, want %q", got, want)
	}
}

func TestPagesOfPackages(t *testing.T) {
	s := open(t, many).as(fake.OperatorToken)
	seen := map[string]bool{}
	pages := 0
	for path := "/packages?type=npm"; path != ""; pages++ {
		d := s.page(path, http.StatusOK)
		for _, th := range d.all("th") {
			if attr(th, "scope") == "row" {
				seen[textOf(th)] = true
			}
		}
		path = ""
		for _, a := range d.within(".pages").all("a") {
			if textOf(a) == "Next" {
				path = attr(a, "href")
			}
		}
	}
	if len(seen) != 121 || pages != 3 {
		t.Errorf("%d packages on %d pages, want 121 on 3", len(seen), pages)
	}
}

func TestProblemsAreOnEveryPage(t *testing.T) {
	s := open(t, many).as(fake.OperatorToken)
	for _, path := range []string{"/", "/packages", "/cluster", "/explain", "/nothing"} {
		answer := s.get(path)
		if d := parsed(t, answer); len(d.all(".banner-alarm")) != 1 || len(d.all(".banner-warning")) != 1 || !d.says("recording stopped: disk full Downloads go on.") {
			t.Errorf("%s: %q", path, d.texts(".banner"))
		}
	}
	if d := open(t, many).page("/sign-in", http.StatusOK); len(d.all(".banner-alarm")) > 0 {
		t.Error("a stranger reads what goes wrong here")
	}
}

func TestTheClusterPage(t *testing.T) {
	s := open(t, nil).as(fake.OperatorToken)
	d := s.page("/cluster", http.StatusOK)
	for _, want := range []string{"can change", "led by gw-fra-1", "2 of 3", "versions differ", "gw-sin-1", "182437 (−4)", "suspect", "4,253", "gw-fra-1 this node"} {
		if !d.says(want) {
			t.Errorf("doesn't say %q", want)
		}
	}
	alone := open(t, func(o *ui.Options) {
		o.Cluster = func() ui.Cluster {
			return ui.Cluster{Members: []ui.Member{{Name: "here", State: "alive", Self: true, Started: fake.Now}}}
		}
	}).as(fake.OperatorToken).page("/cluster", http.StatusOK)
	for _, want := range []string{"frozen", "no leader; downloads go on", "1 of 1", "nothing waits"} {
		if !alone.says(want) {
			t.Errorf("a node without a leader doesn't say %q", want)
		}
	}
}

func TestExplaining(t *testing.T) {
	s := open(t, nil).as(fake.OperatorToken)
	d := s.page("/explain?url="+url.QueryEscape("acme.gateway.tallygate.example/agent/1/agent-linux.tar.gz"), http.StatusOK)
	for _, want := range []string{"Sent on", "/agent/{version}/agent-{platform}.tar.gz", "acme/agent", "1.18.0", "Rules that lost", "Regular expressions are tried after templates."} {
		if !d.says(want) {
			t.Errorf("doesn't say %q", want)
		}
	}
	if got := d.link("acme/agent"); got != "/packages/acme/file/agent" {
		t.Errorf("the package is at %q", got)
	}
	if d := s.page("/explain?url=nowhere.example", http.StatusOK); !d.says("Nothing serves this") {
		t.Error("an unknown host is explained otherwise")
	}
	if d := s.page("/explain?url=%25zz", http.StatusOK); !d.says("isn't an address") {
		t.Error("what isn't an address is explained")
	}
}

// TestPagesWorkWithoutScript follows links and forms only.
func TestPagesWorkWithoutScript(t *testing.T) {
	s := open(t, nil).as(fake.OperatorToken)
	d := s.page("/", http.StatusOK)
	for n := range d.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		// What needs script says so by its class, and is hidden without.
		if n.Data == "button" && attr(n, "type") == "button" && !under(n, "with-script") {
			t.Errorf("the button %q does nothing without script", textOf(n))
		}
		if n.Data == "a" && attr(n, "href") == "" {
			t.Errorf("the link %q leads nowhere", textOf(n))
		}
	}
	form := d.within(".custom-form")
	v := url.Values{}
	for _, input := range form.all("input") {
		if attr(input, "type") != "checkbox" {
			v.Add(attr(input, "name"), attr(input, "value"))
		}
	}
	v.Set("from", "2026-11-01")
	if got := s.page(attr(form.root, "action")+"?"+v.Encode(), http.StatusOK).text(".toolbar-range"); got != "1 – 24 Nov 2026 UTC" && got != "1 Nov – 24 Nov 2026 UTC" {
		t.Errorf("the form shows %q", got)
	}
}

func under(n *html.Node, class string) bool {
	for ; n != nil; n = n.Parent {
		if strings.Contains(" "+attr(n, "class")+" ", " "+class+" ") {
			return true
		}
	}
	return false
}

// TestTheOverviewWeighs adds up what a browser with a cold cache loads.
func TestTheOverviewWeighs(t *testing.T) {
	if !ui.Built() {
		t.Skip("assets not built: run make build")
	}
	const limit = 120 << 10
	s := open(t, nil).as(fake.OperatorToken)
	zipped := func(path string) (size int, plain []byte) {
		r := s.request(http.MethodGet, path, "")
		r.Header.Set("Accept-Encoding", "gzip")
		answer := s.do(r)
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s: %s, encoded %q", path, answer.Status, answer.Header.Get("Content-Encoding"))
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		reader, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if plain, err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
		return len(body), plain
	}
	total, page := zipped("/")
	t.Logf("%7d B page", total)
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	d := &doc{t, root}
	for _, n := range append(d.all("script"), d.all("link")...) {
		if path := attr(n, "src") + attr(n, "href"); path != "" {
			size, _ := zipped(path)
			t.Logf("%7d B %s", size, path)
			total += size
		}
	}
	t.Logf("%7d B in all", total)
	if total > limit {
		t.Errorf("%d bytes, want at most %d", total, limit)
	}
}

func TestAssets(t *testing.T) {
	if !ui.Built() {
		t.Skip("assets not built: run make build")
	}
	s := open(t, nil)
	path := attr(s.page("/sign-in", http.StatusOK).within("head").all("script")[0], "src")
	for encoding, want := range map[string]string{"gzip, br": "gzip", "identity": "", "gzip;q=0": "", "br;q=1.0, gzip;q=0.8": "gzip"} {
		r := s.request(http.MethodGet, path, "")
		r.Header.Set("Accept-Encoding", encoding)
		answer := s.do(r)
		if got := answer.Header.Get("Content-Encoding"); got != want {
			t.Errorf("%q gets %q, want %q", encoding, got, want)
		}
		if got := answer.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("Cache-Control %q", got)
		}
		if got := answer.Header.Get("Content-Type"); got != "text/javascript; charset=utf-8" {
			t.Errorf("Content-Type %q", got)
		}
	}
	for _, path := range []string{"/assets/nothing.js", "/assets/manifest.json", "/assets/.gitkeep", path + ".gz", "/assets/..%2fhandler.go"} {
		if answer := s.get(path); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
}
