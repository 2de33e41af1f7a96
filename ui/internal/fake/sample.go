package fake

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"time"

	"tallygate/analytics/report"
	"tallygate/cluster/catalog"
	"tallygate/ui"
)

// Now is the time at which the sample is looked at.
var Now = time.Date(2026, 11, 24, 15, 4, 5, 0, time.UTC)

func ref(s string) *string { return &s }

// SampleCatalog is a small catalog with a package of each type.
func SampleCatalog() *Catalog {
	made := catalog.Meta{CreatedAt: Now.AddDate(0, -7, 0)}
	return &Catalog{
		All: []*catalog.Package{
			{
				ID: "p-server", Owner: "acme", Type: catalog.Docker, Name: "server", Meta: made,
				ShortDescription: "The Acme server with everything it needs",
				Website:          "https://acme.example/server",
				Domains:          []catalog.PackageDomain{{Name: "registry.acme.example"}, {Name: "images.acme.example"}},
				Image:            &catalog.Image{Name: "server", Registry: "ghcr.io", Repository: "acme/server", FailoverRegistries: []string{"registry-1.docker.io"}},
			},
			{
				ID: "p-agent", Owner: "acme", Type: catalog.File, Name: "agent", Meta: made,
				ShortDescription: "Release archives of the agent",
				Routes: []catalog.Route{
					{IncomingPath: "/agent/{version}/agent-{platform}.tar.gz", OutgoingURL: ref("https://github.com/acme/agent/releases/download/v{version}/agent-{platform}.tar.gz"), FailoverOrigins: []string{"https://mirror.acme.example/agent/{version}/agent-{platform}.tar.gz"}},
					{IncomingPath: "/install.sh", OutgoingURL: ref("https://acme.example/install.sh"), RedirectStatus: 301},
					{Kind: catalog.RegexpRoute, IncomingPath: `/old/(?<version>\d+)/agent\.zip`, OutgoingURL: ref("https://acme.example/old/{version}.zip")},
					{IncomingPath: "/ping"},
				},
			},
			{
				ID: "p-cli", Owner: "acme", Type: catalog.Python, Name: "acme-cli", Meta: made,
				ShortDescription: "Command line of Acme",
				Index:            &catalog.PythonProject{Project: "acme-cli", RepositoryURL: "https://pypi.org/simple/", FailoverIndexes: []string{"https://mirror.acme.example/simple/"}},
			},
			{
				ID: "p-files", Owner: "acme", Type: catalog.Python, Name: "acme-plugins", Meta: made,
				Index: &catalog.PythonProject{Project: "acme-plugins", Files: []catalog.PythonFile{{FileName: "acme_plugins-1.0-py3-none-any.whl"}}},
			},
			{
				ID: "p-telemetry", Owner: "acme", Type: catalog.Event, Name: "telemetry", Meta: made,
				Routes: []catalog.Route{{IncomingPath: "/telemetry"}},
				Events: &catalog.EventAccess{Restricted: true},
			},
			{ID: "p-sdk", Owner: "acme", Type: catalog.NPM, Name: "@acme/sdk", Meta: made, ShortDescription: "SDK for Node and browsers"},
			{
				ID: "p-site", Owner: "orbit", Type: catalog.File, Name: "site", Meta: made,
				Domains: []catalog.PackageDomain{{Name: "get.orbit.example"}},
				Routes:  []catalog.Route{{Kind: catalog.CatchAllRoute, IncomingPath: "/*", OutgoingURL: ref("https://orbit.example/*"), Domain: "get.orbit.example"}},
			},
			{
				ID: "p-worker", Owner: "orbit", Type: catalog.Docker, Name: "worker", Meta: made,
				Image: &catalog.Image{Registry: "registry-1.docker.io", Repository: "orbit/worker", AlwaysProxy: true, PlainHTTP: true},
			},
		},
		Serving: []*catalog.Domain{
			{Name: "registry.acme.example", Owner: "acme", State: catalog.Verified},
			{Name: "get.orbit.example", Owner: "orbit", State: catalog.Asserted},
		},
	}
}

// dimensionSample is a dimension's values with their share of the downloads.
var dimensionSample = map[report.Dimension][]struct {
	key   string
	share float64
}{
	report.ByPackage:  {{"p-server", .46}, {"p-cli", .24}, {"p-agent", .16}, {"p-sdk", .09}, {"p-worker", .03}, {"p-site", .015}, {"p-telemetry", .005}},
	report.ByVersion:  {{"4.2.1", .31}, {"4.2.0", .22}, {"latest", .14}, {"4.1.9", .11}, {"4.1.8", .07}, {"3.9.22", .05}, {"3.9.21", .03}, {"4.3.0-rc.1", .02}, {"3.8.0", .01}, {"2.0.0", .01}, {"", .03}},
	report.ByPlatform: {{"linux", .81}, {"darwin", .09}, {"windows", .06}, {"", .03}, {"freebsd", .01}},
	report.ByArch:     {{"amd64", .74}, {"arm64", .21}, {"", .04}, {"riscv64", .01}},
	report.ByClient:   {{"docker", .33}, {"containerd", .21}, {"pip", .17}, {"curl", .09}, {"podman", .06}, {"browser", .05}, {"uv", .03}, {"skopeo", .02}, {"crane", .02}, {"wget", .01}, {"", .01}},
	report.ByCountry:  {{"US", .37}, {"DE", .14}, {"CN", .1}, {"IN", .08}, {"FR", .055}, {"GB", .053}, {"NL", .044}, {"SG", .034}, {"JP", .03}, {"BR", .024}, {"CA", .02}, {"AU", .018}, {"", .02}},
	report.ByDomain:   {{"registry.acme.example", .46}, {"acme.gateway.tallygate.example", .41}, {"images.acme.example", .08}, {"get.orbit.example", .03}, {"orbit.docker.tallygate.example", .02}},
	report.ByCompany:  {{"Deutsche Bahn AG", .02}, {"CERN", .018}, {"Volvo Group", .016}, {"", .7}},
	report.ByType:     {{"manifest-fetch", .5}, {"binary-download", .3}, {"package-install", .2}},
}

// SampleReports answers as if the sample catalog were busy.
func SampleReports() *Reports {
	return &Reports{OnTotals: sampleTotals, OnSeries: sampleSeries, OnTop: sampleTop, OnLatest: sampleLatest}
}

// share is the part of everything that the filters of a query keep.
func share(q report.Query) float64 {
	if q.PackageID != "" {
		q.Filters = append(slices.Clone(q.Filters), report.Filter{Dimension: report.ByPackage, Values: []string{q.PackageID}})
	}
	all := 1.0
	for _, f := range q.Filters {
		part := 0.0
		for _, v := range dimensionSample[f.Dimension] {
			if slices.Contains(f.Values, v.key) {
				part += v.share
			}
		}
		if f.Exclude {
			part = 1 - part
		}
		all *= part
	}
	if q.Owner == "orbit" {
		all *= 0.05
	}
	return all
}

// measureShare scales the measures against downloads.
func measureShare(m report.Measure) float64 {
	switch m {
	case report.Views:
		return .043
	case report.Events:
		return .31
	case report.UniqueOrigins:
		return .083
	default:
		return 1
	}
}

// perHour is the traffic of an hour: days and nights, working weeks, growth.
func perHour(t time.Time, m report.Measure) float64 {
	h := fnv.New32a()
	_, _ = fmt.Fprint(h, t.Unix(), m)
	noise := 0.92 + 0.16*float64(h.Sum32()%1000)/1000
	day := 1 + 0.35*math.Sin(float64(t.UTC().Hour()-8)/24*2*math.Pi)
	week := 1.0
	if d := t.UTC().Weekday(); d == time.Saturday || d == time.Sunday {
		week = 0.46
	}
	growth := math.Exp(t.Sub(Now).Hours() / 24 / 190)
	return 3900 * noise * day * week * growth * measureShare(m)
}

func sum(from, to time.Time, m report.Measure) float64 {
	if to.After(Now) {
		to = Now
	}
	total := 0.0
	for t := from; t.Before(to); t = t.Add(time.Hour) {
		total += perHour(t, m)
	}
	return total
}

func sampleTotals(_ context.Context, q report.Query) (report.Totals, error) {
	n := func(m report.Measure) int64 { return int64(sum(q.From, q.To, m) * share(q)) }
	return report.Totals{
		Downloads:     n(report.Downloads),
		Views:         n(report.Views),
		Events:        n(report.Events),
		UniqueOrigins: n(report.UniqueOrigins),
	}, nil
}

func sampleSeries(_ context.Context, q report.Query, step report.Bucket) ([]report.Point, error) {
	var points []report.Point
	s := share(q)
	for t := q.From; t.Before(q.To) && t.Before(Now); {
		next := t.AddDate(0, 0, 1)
		switch step {
		case report.Hour:
			next = t.Add(time.Hour)
		case report.Week:
			next = t.AddDate(0, 0, 7)
		case report.Month:
			next = t.AddDate(0, 1, 0)
		}
		points = append(points, report.Point{Time: t, Count: int64(sum(t, next, q.Measure) * s)})
		t = next
	}
	return points, nil
}

func sampleTop(_ context.Context, q report.Query, by report.Dimension, limit int) ([]report.Row, error) {
	total := sum(q.From, q.To, q.Measure) * share(q)
	kept := 0.0
	for _, v := range dimensionSample[by] {
		if keeps(q, by, v.key) {
			kept += v.share
		}
	}
	var rows []report.Row
	for _, v := range dimensionSample[by] {
		if !keeps(q, by, v.key) {
			continue
		}
		n := int64(total * v.share / kept)
		rows = append(rows, report.Row{Key: v.key, Label: v.key, Count: n, Unique: int64(float64(n) * .19)})
		if len(rows) == limit {
			break
		}
	}
	return rows, nil
}

func keeps(q report.Query, by report.Dimension, key string) bool {
	for _, f := range q.Filters {
		if f.Dimension == by && slices.Contains(f.Values, key) == f.Exclude {
			return false
		}
	}
	orbit := key == "p-site" || key == "p-worker" || strings.Contains(key, "orbit")
	return q.Owner == "" || by != report.ByPackage && by != report.ByDomain || orbit == (q.Owner == "orbit")
}

// SampleEvent is the i-th newest event of the sample.
func SampleEvent(i int) report.Latest {
	kinds := []report.Latest{
		{Type: "manifest-fetch", Owner: "acme", PackageID: "p-server", Package: "server", Version: "4.2.1", Platform: "linux", Client: "docker", Country: "DE", Domain: "registry.acme.example", Path: "/v2/server/manifests/4.2.1", Status: 200, Counted: true},
		{Type: "manifest-fetch", Owner: "acme", PackageID: "p-server", Package: "server", Version: "4.2.1", Platform: "linux", Client: "docker", Country: "DE", Domain: "registry.acme.example", Path: "/v2/server/manifests/sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Status: 200},
		{Type: "binary-download", Owner: "acme", PackageID: "p-agent", Package: "agent", Version: "1.18.0", Platform: "linux-amd64", Client: "curl", Country: "US", Domain: "acme.gateway.tallygate.example", Path: "/agent/1.18.0/agent-linux-amd64.tar.gz", Status: 302, Counted: true},
		{Type: "index-fetch", Owner: "acme", PackageID: "p-cli", Package: "acme-cli", Client: "pip", Platform: "linux", Country: "SG", Domain: "acme.gateway.tallygate.example", Path: "/simple/acme-cli/", Status: 200},
		{Type: "binary-download", Owner: "acme", PackageID: "p-cli", Package: "acme-cli", Version: "2.7.3", Platform: "linux", Client: "pip", Country: "SG", Domain: "acme.gateway.tallygate.example", Path: "/simple/acme-cli/acme_cli-2.7.3-py3-none-any.whl", Status: 302, Counted: true},
		{Type: "package-install", Owner: "acme", PackageID: "p-sdk", Package: "@acme/sdk", Version: "9.0.2", Platform: "darwin", Client: "npm", Country: "GB", Domain: "tallygate.example", Path: "/package-event/install", Status: 200, Counted: true},
		{Type: "event", Owner: "acme", PackageID: "p-telemetry", Package: "telemetry", Version: "4.2.1", Platform: "linux", Country: "FR", Domain: "acme.gateway.tallygate.example", Path: "/telemetry", Status: 200, Counted: true},
		{Type: "pixel-fetch", Owner: "acme", Client: "browser", Country: "JP", Domain: "static.tallygate.example", Path: "/a.png", Status: 200, Counted: true},
		{Type: "manifest-fetch", Owner: "orbit", PackageID: "p-worker", Package: "worker", Version: "latest", Platform: "linux", Client: "containerd", Country: "", Domain: "orbit.docker.tallygate.example", Path: "/v2/orbit/worker/manifests/latest", Status: 404},
	}
	e := kinds[i%len(kinds)]
	e.ID = fmt.Sprintf("0199-%04d", i)
	e.Time = Now.Add(-time.Duration(i) * 1370 * time.Millisecond)
	return e
}

func sampleLatest(_ context.Context, q report.Query, limit int) ([]report.Latest, error) {
	var rows []report.Latest
	for i := range 200 {
		e := SampleEvent(i)
		if q.Owner != "" && e.Owner != q.Owner || q.PackageID != "" && e.PackageID != q.PackageID {
			continue
		}
		if rows = append(rows, e); len(rows) == limit {
			break
		}
	}
	return rows, nil
}

// SampleCluster is a cluster of three with a node that lags.
func SampleCluster() ui.Cluster {
	return ui.Cluster{
		Leader:         "gw-fra-1",
		Quorum:         true,
		CatalogVersion: 182_441,
		Members: []ui.Member{
			{ID: "n1", Name: "gw-fra-1", Region: "eu-central", Role: "leader", State: "alive", Version: "0.1.0", CatalogVersion: 182_441, Self: true, Started: Now.AddDate(0, 0, -12), Pending: 12, IngestLag: 400 * time.Millisecond},
			{ID: "n2", Name: "gw-iad-1", Region: "us-east", Role: "voter", State: "alive", Version: "0.1.0", CatalogVersion: 182_441, Started: Now.Add(-30 * time.Hour), Pending: 31, IngestLag: 600 * time.Millisecond},
			{ID: "n3", Name: "gw-sin-1", Region: "ap-southeast", Role: "replica", State: "suspect", Version: "0.0.9", CatalogVersion: 182_437, Pending: 4_210, IngestLag: 12 * time.Second},
		},
	}
}

// SampleExplain explains two addresses of the sample: a file of the agent, and
// anything else, which nothing serves.
func SampleExplain(_, url string) (ui.Explanation, error) {
	switch {
	case strings.Contains(url, "%zz"):
		return ui.Explanation{}, fmt.Errorf("%q isn't an address: invalid escape %q", url, "%zz")
	case !strings.Contains(url, "acme.gateway"):
		return ui.Explanation{Host: "unknown.example", Summary: "No package, collection or pixel is served at this host."}, nil
	}
	return ui.Explanation{
		Host: "acme.gateway.tallygate.example", Owner: "acme",
		Summary: "Two templates match. The one with the longer literal beginning wins.",
		Candidates: []ui.Candidate{
			{
				Kind: "template", Pattern: "/agent/{version}/agent-{platform}.tar.gz", Owner: "acme", PackageID: "p-agent", Package: "agent",
				Matches: true, Wins: true, Why: "It has 7 literal characters before its first variable, more than any other that matches.",
				Variables: []ui.Variable{{Name: "version", Value: "1.18.0"}, {Name: "platform", Value: "linux-amd64"}},
			},
			{Kind: "template", Pattern: "/{project}/{version}/{file}", Owner: "acme", PackageID: "p-gone", Package: "everything", Matches: true, Why: "It matches, with only 1 literal character before its first variable."},
			{Kind: "regexp", Pattern: `/old/(?<version>\d+)/agent\.zip`, Owner: "orbit", PackageID: "p-site", Package: "site", Why: "Regular expressions are tried after templates."},
		},
		Location: "https://github.com/acme/agent/releases/download/v1.18.0/agent-linux-amd64.tar.gz?channel=stable",
	}, nil
}

// SamplePixels are 25 pixels of acme, of which the first belongs to a package.
func SamplePixels(owner string) []ui.Pixel {
	if owner != "" && owner != "acme" {
		return nil
	}
	var pixels []ui.Pixel
	for i := range 25 {
		id := fmt.Sprintf("dbba955a-7567-4300-8630-0880540000%02d", i)
		src := "https://static.tallygate.example/a.png?x-pxid=" + id
		p := ui.Pixel{
			ID: id, Owner: "acme", Name: fmt.Sprintf("docs-%d", i), URL: src,
			HTML:     `<img referrerpolicy="no-referrer-when-downgrade" src="` + src + `" alt="" width="1" height="1" />`,
			Markdown: "![](" + src + ")",
			SPA:      "<script>\n  new Image().src = " + fmt.Sprintf("%q", src) + ";\n</script>",
		}
		if i == 0 {
			p.PackageID = "p-server"
		}
		pixels = append(pixels, p)
	}
	return pixels
}

// Sample is everything at once, with nothing wrong.
func Sample() ui.Options {
	cat := SampleCatalog()
	return ui.Options{
		Reports: SampleReports(),
		Catalog: func() ui.Catalog { return cat },
		Access:  &Access{},
		Live:    &Live{},
		Cluster: SampleCluster,
		Explain: SampleExplain,
		Pixels:  SamplePixels,
		Gateway: ui.Gateway{BaseDomain: "tallygate.example", Scheme: "https"},
		Version: "0.1.0",
		Credits: []ui.Credit{{Text: "IP geolocation by DB-IP", URL: "https://db-ip.com"}},
		Now:     func() time.Time { return Now },
	}
}
