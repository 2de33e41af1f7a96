package python

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tallygate/cluster/catalog"
	"tallygate/routing/table"
)

func TestProjectsOfACompiledTableAreServed(t *testing.T) {
	store := catalog.NewStore()
	result, _ := store.Apply(&catalog.Command{
		Format: catalog.Format, ID: "c1", Time: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		Actor: catalog.Actor{Kind: "local", Operator: true},
		Ops: []catalog.Op{
			{Organization: &catalog.Organization{ID: "o1", Name: "acme"}},
			{Package: &catalog.Package{ID: "p1", Owner: "acme", Name: "rocket-skates", Type: catalog.Python, Index: skatesProject()}},
		},
	})
	if len(result.Errors) > 0 {
		t.Fatal(result.Errors[0])
	}
	rules, err := table.Build(store.View(), table.Options{BaseDomain: "gateway.example"})
	if err != nil {
		t.Fatal(err)
	}
	host := rules.Host("acme.gateway.gateway.example")
	if host == nil {
		t.Fatal("no host")
	}
	h := newHandler(t, Options{Transport: origins{"index.example": serveText(jsonType, skates)}})
	for path, want := range map[string]int{
		"/simple/":                           http.StatusOK,
		"/simple/rocket-skates/":             http.StatusOK,
		"/simple/Rocket_Skates/":             http.StatusMovedPermanently,
		"/simple/rocket-skates/" + wheelName: http.StatusFound,
		"/simple/other/":                     http.StatusNotFound,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil), host, new(notes).note)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}
