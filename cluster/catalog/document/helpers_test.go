package document

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"tallygate/cluster/catalog"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

var operator = catalog.Actor{Kind: "local", Operator: true}

// counter makes ids that a test can predict.
func counter(prefix string) func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("%s-%d", prefix, n) }
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// world is a catalog to which files are applied.
type world struct {
	t     fataler
	store *catalog.Store
	newID func() string
	opts  PlanOptions
}

func newWorld(t fataler) *world {
	w := &world{t: t, store: catalog.NewStore(), newID: counter("id")}
	w.opts = PlanOptions{NewID: w.newID, Now: now, Actor: operator}
	return w
}

func (w *world) plan(file string) (*Plan, []string) {
	w.t.Helper()
	doc, _ := Parse("catalog.yaml", []byte(file))
	plan, problems := doc.Plan(w.store.View(), w.opts)
	var out []string
	for _, p := range problems {
		out = append(out, p.Error())
	}
	return plan, out
}

// apply applies a file without mistakes and gives its diff.
func (w *world) apply(file string) string {
	w.t.Helper()
	plan, problems := w.plan(file)
	if len(problems) > 0 {
		w.t.Fatalf("problems with\n%s\n%s", file, strings.Join(problems, "\n"))
	}
	for _, cmd := range plan.Commands(0, w.newID) {
		if result, _ := w.store.Apply(cmd); result.Err() != nil {
			w.t.Fatalf("planned, but refused: %v", result.Err())
		}
	}
	var diff bytes.Buffer
	if err := plan.WriteDiff(&diff); err != nil {
		w.t.Fatalf("diff: %v", err)
	}
	return diff.String()
}

func (w *world) export() string {
	w.t.Helper()
	var b bytes.Buffer
	if err := Export(w.store.View(), &b); err != nil {
		w.t.Fatalf("export: %v", err)
	}
	_, rest, _ := strings.Cut(b.String(), "\n") // the first line names the version
	return rest
}

// unchanged applies a file and expects that it changes nothing.
func (w *world) unchanged(file string) {
	w.t.Helper()
	if diff := w.apply(file); !strings.HasPrefix(diff, "no changes") {
		w.t.Fatalf("changes:\n%s\nby\n%s", diff, file)
	}
}

func lines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
