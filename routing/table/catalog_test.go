package table

import (
	"fmt"
	"testing"

	"tallygate/cluster/catalog"
)

// TestTheTableFollowsARealCatalog goes the whole way from commands to rules.
func TestTheTableFollowsARealCatalog(t *testing.T) {
	store := catalog.NewStore()
	tab, err := Build(store.View(), Options{BaseDomain: "base.test"})
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{"/f/1.0", "/f/1.0.zip", "/g/1"}
	queries := make([]string, len(paths))
	n := 0
	apply := func(ops ...catalog.Op) {
		t.Helper()
		n++
		res, changes := store.Apply(&catalog.Command{
			Format: catalog.Format, ID: fmt.Sprint("c", n), Time: day(n), Actor: catalog.Actor{Kind: "local", Operator: true}, Ops: ops,
		})
		if len(res.Errors) > 0 {
			t.Fatalf("command %d: %v", n, res.Errors)
		}
		tab = tab.Update(store.View(), changes)
		fresh, err := Build(store.View(), Options{BaseDomain: "base.test"})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := answers(tab, paths, queries), answers(fresh, paths, queries); got != want {
			t.Fatalf("after command %d:\n%s", n, diff(got, want))
		}
	}
	goes := func(host, path, want string) {
		t.Helper()
		if got, _ := get(t, tab, "GET", host, path, ""); got != want {
			t.Errorf("%s%s goes to %q, want %q", host, path, got, want)
		}
	}

	pkg := func(domains []catalog.PackageDomain, routes ...catalog.Route) catalog.Op {
		return catalog.Op{Package: &catalog.Package{
			ID: "0190b7c4-0000-7000-8000-000000000001", Owner: "acme", Name: "app", Type: catalog.File, Domains: domains, Routes: routes,
		}}
	}
	out := "https://o.test/{v}"
	r := catalog.Route{ID: "0190b7c4-0000-7000-8000-000000000002", Kind: catalog.TemplateRoute, IncomingPath: "/f/{v}", OutgoingURL: &out}
	apply(catalog.Op{Organization: &catalog.Organization{ID: "0190b7c4-0000-7000-8000-000000000003", Name: "acme"}}, pkg(nil, r))
	goes(own, "/f/1.0", "https://o.test/1.0")

	claim := func(state catalog.DomainState) catalog.Op {
		return catalog.Op{Domain: &catalog.Domain{
			ID: "0190b7c4-0000-7000-8000-000000000005", Name: "one.test", Owner: "acme", State: state, Code: "0123456789abcdef0123456789abcdef",
		}}
	}
	apply(claim(catalog.Pending), pkg([]catalog.PackageDomain{{ID: "0190b7c4-0000-7000-8000-000000000004", Name: "one.test"}}, r))
	goes(own, "/f/1.0", "")
	goes("one.test", "/f/1.0", "")

	apply(claim(catalog.Asserted))
	goes("one.test", "/f/1.0", "https://o.test/1.0")

	if tab.PackageByID("0190b7c4-0000-7000-8000-000000000001") == nil {
		t.Error("the package is not found by its id")
	}
	if same := tab.Update(store.View(), nil); answers(same, paths, queries) != answers(tab, paths, queries) {
		t.Error("a table built anew answers differently")
	}

	apply(catalog.Op{Delete: &catalog.Ref{Kind: catalog.KindPackage, ID: "0190b7c4-0000-7000-8000-000000000001"}})
	goes("one.test", "/f/1.0", "")
}
