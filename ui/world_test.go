package ui_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"tallygate/analytics/report"
	"tallygate/cluster/catalog"
	"tallygate/ui"
	"tallygate/ui/internal/fake"
)

// What the node hands in fits as it is.
var (
	_ ui.Reports = (*report.Reader)(nil)
	_ ui.Catalog = (*catalog.View)(nil)
)

// site is a running ui and a browser without script.
type site struct {
	t      *testing.T
	server *httptest.Server
	client *http.Client
	opts   ui.Options
}

// quiet is a logger for tests that provoke errors.
var quiet = slog.New(slog.DiscardHandler)

// open starts the ui over the sample; change alters it first.
func open(t *testing.T, change func(*ui.Options)) *site {
	return openWith(t, change, ui.New)
}

func openWith(t *testing.T, change func(*ui.Options), make func(ui.Options) http.Handler) *site {
	t.Helper()
	opts := fake.Sample()
	opts.Logger = quiet
	if change != nil {
		change(&opts)
	}
	server := httptest.NewServer(make(opts))
	t.Cleanup(func() {
		if live, ok := opts.Live.(*fake.Live); ok {
			live.Close()
		}
		server.Close()
	})
	jar, _ := cookiejar.New(nil) // never fails
	return &site{t: t, server: server, opts: opts, client: &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// as signs in with a token.
func (s *site) as(token string) *site {
	s.t.Helper()
	if r := s.post("/sign-in", url.Values{"token": {token}}); r.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("sign in: %s", r.Status)
	}
	return s
}

func (s *site) do(r *http.Request) *http.Response {
	s.t.Helper()
	answer, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

func (s *site) request(method, path, body string) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.server.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *site) post(path string, form url.Values) *http.Response {
	s.t.Helper()
	r := s.request(http.MethodPost, path, form.Encode())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(r)
}

func (s *site) get(path string) *http.Response {
	s.t.Helper()
	return s.do(s.request(http.MethodGet, path, ""))
}

// page gets a page and expects a status.
func (s *site) page(path string, status int) *doc {
	s.t.Helper()
	answer := s.get(path)
	if answer.StatusCode != status {
		s.t.Fatalf("GET %s: %s, want %d", path, answer.Status, status)
	}
	return parsed(s.t, answer)
}

func parsed(t *testing.T, answer *http.Response) *doc {
	t.Helper()
	root, err := html.Parse(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &doc{t, root}
}

// doc is a parsed page.
type doc struct {
	t    *testing.T
	root *html.Node
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// all returns the elements of a tag, or of a class (".name") or id ("#name").
func (d *doc) all(what string) []*html.Node {
	var found []*html.Node
	for n := range d.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		class := " " + attr(n, "class") + " "
		switch {
		case strings.HasPrefix(what, ".") && strings.Contains(class, " "+what[1:]+" "),
			strings.HasPrefix(what, "#") && attr(n, "id") == what[1:],
			n.Data == what:
			found = append(found, n)
		}
	}
	return found
}

// within looks below the first element of what.
func (d *doc) within(what string) *doc {
	d.t.Helper()
	found := d.all(what)
	if len(found) == 0 {
		d.t.Fatalf("no %s on the page", what)
	}
	return &doc{d.t, found[0]}
}

// text is what a reader finds in the first element of what, spaces collapsed.
func (d *doc) text(what string) string {
	d.t.Helper()
	return textOf(d.within(what).root)
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode && c.Parent.Data != "script" {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// texts are the texts of all elements of what.
func (d *doc) texts(what string) []string {
	var texts []string
	for _, n := range d.all(what) {
		texts = append(texts, textOf(n))
	}
	return texts
}

func (d *doc) says(text string) bool { return strings.Contains(textOf(d.root), text) }

// link returns where the first link with a text leads.
func (d *doc) link(text string) string {
	d.t.Helper()
	for _, a := range d.all("a") {
		if strings.Contains(textOf(a), text) {
			return attr(a, "href")
		}
	}
	d.t.Fatalf("no link %q on the page", text)
	return ""
}

// nasty are names that must come out as text: of values that strangers send, and
// of packages that members name.
var nasty = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`' onmouseover='alert(1)`,
	`</script><script>alert(1)</script>`,
	`javascript:alert(1)`,
	`{{.User}}`,
	"line\nbreak\x00\u202eesrever",
	`日本語 — ünïcode 🚀`,
	strings.Repeat("long-", 200),
	"../../etc/passwd?x=1#y&z",
}

// hostile answers every question with nasty values.
func hostile(o *ui.Options) {
	cat := &fake.Catalog{}
	for i, name := range nasty {
		target := "https://example.com/" + name
		cat.All = append(cat.All,
			&catalog.Package{
				ID: "id" + name, Owner: "acme", Type: catalog.File, Name: name, ShortDescription: name, Website: name,
				Domains: []catalog.PackageDomain{{Name: name}},
				Routes:  []catalog.Route{{IncomingPath: "/" + name + "/{x}", OutgoingURL: &target}},
			},
			&catalog.Package{ID: "im" + name, Owner: name, Type: catalog.Docker, Name: name, Image: &catalog.Image{Registry: name, Repository: name}},
		)
		_ = i
	}
	o.Catalog = func() ui.Catalog { return cat }
	reports := fake.SampleReports()
	reports.OnTop = func(context.Context, report.Query, report.Dimension, int) ([]report.Row, error) {
		var rows []report.Row
		for i, name := range nasty {
			rows = append(rows, report.Row{Key: name, Label: name, Count: int64(100 - i)}, report.Row{Key: "id" + name, Label: name, Count: int64(100 - i)})
		}
		return rows, nil
	}
	reports.OnLatest = func(context.Context, report.Query, int) ([]report.Latest, error) {
		var rows []report.Latest
		for _, name := range nasty {
			rows = append(rows, report.Latest{
				ID: name, Time: fake.Now, Type: name, Owner: name, PackageID: "id" + name, Package: name, Version: name,
				Platform: name, Client: name, Country: name, Domain: name, Path: name, Status: 302,
			})
		}
		return rows, nil
	}
	o.Reports = reports
	o.Status = func() ui.Status {
		return ui.Status{Problems: []ui.Problem{{Title: nasty[0], Detail: nasty[1]}}}
	}
	o.Explain = func(string, string) (ui.Explanation, error) {
		e := ui.Explanation{Host: nasty[0], Owner: nasty[1], Summary: nasty[2], Location: "javascript:alert(1)"}
		for i, name := range nasty {
			e.Candidates = append(e.Candidates, ui.Candidate{
				Kind: name, Pattern: name, Owner: name, PackageID: "id" + name, Package: name, Wins: i == 0, Why: name,
				Variables: []ui.Variable{{Name: name, Value: name}},
			})
		}
		return e, nil
	}
	o.Pixels = func(string) []ui.Pixel {
		var pixels []ui.Pixel
		for _, name := range nasty {
			pixels = append(pixels, ui.Pixel{ID: name, Owner: name, Name: name, PackageID: "id" + name, URL: name, HTML: name, Markdown: name, SPA: name})
		}
		return pixels
	}
	o.Cluster = func() ui.Cluster {
		return ui.Cluster{Leader: nasty[0], Members: []ui.Member{{Name: nasty[0], Region: nasty[1], State: nasty[2], Role: nasty[3], Version: nasty[4]}}}
	}
	o.Credits = []ui.Credit{{Text: nasty[0], URL: "javascript:alert(1)"}}
}

var errDisk = errors.New("disk I/O error")

// failing makes every report fail with err.
func failing(err error) func(*ui.Options) {
	return func(o *ui.Options) {
		o.Reports = &fake.Reports{
			OnTotals: func(context.Context, report.Query) (report.Totals, error) { return report.Totals{}, err },
			OnSeries: func(context.Context, report.Query, report.Bucket) ([]report.Point, error) { return nil, err },
			OnTop: func(context.Context, report.Query, report.Dimension, int) ([]report.Row, error) {
				return nil, err
			},
			OnLatest: func(context.Context, report.Query, int) ([]report.Latest, error) { return nil, err },
		}
	}
}

// slow makes every report wait until its context ends.
func slow(o *ui.Options) {
	o.Budget = 1 // one nanosecond
	hang := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	o.Reports = &fake.Reports{
		OnTotals: func(ctx context.Context, _ report.Query) (report.Totals, error) { return report.Totals{}, hang(ctx) },
		OnSeries: func(ctx context.Context, _ report.Query, _ report.Bucket) ([]report.Point, error) {
			return nil, hang(ctx)
		},
		OnTop: func(ctx context.Context, _ report.Query, _ report.Dimension, _ int) ([]report.Row, error) {
			return nil, hang(ctx)
		},
		OnLatest: func(ctx context.Context, _ report.Query, _ int) ([]report.Latest, error) { return nil, hang(ctx) },
	}
}

// silent is a catalog without a single event.
func silent(o *ui.Options) { o.Reports = &fake.Reports{} }

// bare has neither packages nor events.
func bare(o *ui.Options) {
	silent(o)
	o.Catalog = func() ui.Catalog { return &fake.Catalog{} }
	o.Pixels = func(string) []ui.Pixel { return nil }
}

// single has exactly one of everything.
func single(o *ui.Options) {
	o.Reports = &fake.Reports{
		OnTotals: func(context.Context, report.Query) (report.Totals, error) {
			return report.Totals{Downloads: 1, UniqueOrigins: 1}, nil
		},
		OnSeries: func(_ context.Context, q report.Query, _ report.Bucket) ([]report.Point, error) {
			return []report.Point{{Time: q.From, Count: 1}}, nil
		},
		OnTop: func(context.Context, report.Query, report.Dimension, int) ([]report.Row, error) {
			return []report.Row{{Key: "", Count: 1, Unique: 1}}, nil
		},
		OnLatest: func(context.Context, report.Query, int) ([]report.Latest, error) {
			return []report.Latest{fake.SampleEvent(0)}, nil
		},
	}
	o.Live = nil
	o.Cluster = nil
	o.Explain = nil
	o.Pixels = nil
	o.Credits = nil
}

// many has long lists, a big catalog and big numbers.
func many(o *ui.Options) {
	cat := fake.SampleCatalog()
	for i := range 120 {
		cat.All = append(cat.All, &catalog.Package{ID: "m" + strings.Repeat("x", i), Owner: "acme", Type: catalog.NPM, Name: "many-" + strings.Repeat("x", i)})
	}
	o.Catalog = func() ui.Catalog { return cat }
	reports := fake.SampleReports()
	reports.OnTop = func(_ context.Context, _ report.Query, _ report.Dimension, limit int) ([]report.Row, error) {
		var rows []report.Row
		for i := range min(limit, 1000) {
			key := "value-" + strings.Repeat("i", i)
			rows = append(rows, report.Row{Key: key, Label: key, Count: 9_876_543_210 - int64(i), Unique: 1_234_567})
		}
		return rows, nil
	}
	o.Reports = reports
	o.Status = func() ui.Status {
		return ui.Status{Problems: []ui.Problem{{Title: "recording stopped: disk full", Detail: "Downloads go on."}, {Title: "late", Warning: true}}}
	}
}
