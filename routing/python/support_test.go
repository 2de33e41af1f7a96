package python

import (
	"errors"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"tallygate/cluster/catalog"
	"tallygate/routing/event"
	"tallygate/routing/table"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeHost is a host with some Python projects.
type fakeHost struct {
	name  string
	rules map[string]*table.Rule
}

func (h *fakeHost) Name() string                      { return h.name }
func (h *fakeHost) Python(project string) *table.Rule { return h.rules[project] }
func (h *fakeHost) PythonProjects() iter.Seq[*table.Rule] {
	return func(yield func(*table.Rule) bool) {
		for _, name := range slices.Sorted(maps.Keys(h.rules)) {
			if !yield(h.rules[name]) {
				return
			}
		}
	}
}

var _ projects = (*table.Host)(nil)

// hostWith makes a host of the given projects.
func hostWith(projects ...*catalog.PythonProject) *fakeHost {
	h := &fakeHost{name: "py.acme.example", rules: map[string]*table.Rule{}}
	for _, p := range projects {
		h.rules[p.Project] = &table.Rule{Kind: table.PythonRule, Package: &catalog.Package{
			ID: "id-" + p.Project, Owner: "acme", Name: p.Project, Type: catalog.Python, Index: p,
		}}
	}
	return h
}

// origins is a transport that answers by handlers of hosts, in memory.
type origins map[string]http.HandlerFunc

func (o origins) RoundTrip(r *http.Request) (*http.Response, error) {
	handler := o[r.URL.Host]
	if handler == nil {
		return nil, errors.New("no such host")
	}
	w := httptest.NewRecorder()
	handler(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// serveText answers every request with one text.
func serveText(contentType, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(text))
	}
}

// notes collects what a handler notes.
type notes struct {
	mu     sync.Mutex
	events []*event.Event
}

func (n *notes) note(rule *table.Rule, fill func(e *event.Event)) {
	e := &event.Event{Package: rule.Package.Name}
	fill(e)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, e)
}

func (n *notes) all() []*event.Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.events)
}

// ask sends one request to a handler. Headers come as "Name: value".
func ask(h *Handler, host projects, n *notes, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.serve(w, r, host, n.note)
	return w.Result()
}

// newHandler makes a handler that the test closes.
func newHandler(t testing.TB, opts Options) *Handler {
	h := New(opts)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

const (
	jsonType = "application/vnd.pypi.simple.v1+json"
	sum      = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	sum2     = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// skates is a page with something of everything.
const skates = `{
 "meta": {"api-version": "1.4"},
 "name": "rocket-skates",
 "project-status": {"status": "archived", "reason": "too fast"},
 "versions": ["1.0", "1.1"],
 "files": [
  {"filename": "rocket_skates-1.0.tar.gz", "url": "../../files/rocket_skates-1.0.tar.gz", "hashes": {"sha256": "` + sum + `"},
   "requires-python": ">=3.8", "yanked": "brakes <fail>", "gpg-sig": true, "size": 1024, "upload-time": "2026-01-02T03:04:05.000006Z"},
  {"filename": "rocket_skates-1.1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
   "url": "https://files.example/a/rocket_skates-1.1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl?sig=a%2Fb",
   "hashes": {"md5": "0123456789abcdef0123456789abcdef", "sha256": "` + sum2 + `"}, "core-metadata": {"sha256": "` + sum + `"},
   "size": 2048, "provenance": "https://index.example/integrity/1"}
 ]
}`

func skatesProject() *catalog.PythonProject {
	return &catalog.PythonProject{Project: "rocket-skates", RepositoryURL: "https://index.example/simple/"}
}

const wheelName = "rocket_skates-1.1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
