//go:build unix

package table

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"tallygate/cluster/catalog"
)

// BenchmarkMatchForms matches on hosts with 10,000 rules of one form, which differ in
// one place only.
func BenchmarkMatchForms(b *testing.B) {
	for _, form := range []struct {
		name          string
		kind          catalog.RouteKind
		in, url, args string
	}{
		{name: "prefix", in: "/dl/app-%d-{version}.zip", url: "/dl/app-%d-1.0.zip"},
		{name: "suffix", in: "/dl/{version}-app-%d.zip", url: "/dl/1.0-app-%d.zip"},
		{name: "between", in: "/dl/{platform}-app-%d-{version}.zip", url: "/dl/linux-app-%d-1.0.zip"},
		{name: "segment", in: "/dl/{version}/app-%d/{platform}.zip", url: "/dl/1.0/app-%d/linux.zip"},
		{name: "tail", in: "/dl/{+path}/app-%d.zip", url: "/dl/a/b/app-%d.zip"},
		{name: "between-tails", in: "/dl/{+path}/app-%d/{+rest}", url: "/dl/a/b/app-%d/c/d"},
		{name: "parameter", in: "/dl?app=app-%d{&version}", url: "/dl", args: "version=1.0&app=app-%d"},
		{name: "regexp-prefix", kind: catalog.RegexpRoute, in: "^/dl/app-%d-(?<version>[0-9.]+)$", url: "/dl/app-%d-1.0"},
		{name: "regexp", kind: catalog.RegexpRoute, in: "/app-%d-(?<version>[0-9.]+)$", url: "/dl/app-%d-1.0"},
	} {
		b.Run(form.name, func(b *testing.B) {
			const n = 10_000
			p := &catalog.Package{ID: "p", Owner: "acme", Type: catalog.File}
			for i := range n {
				r := kind(form.kind, route(fmt.Sprintf(form.in, i), "https://o.test/{version}"))
				if form.name == "tail" || form.name == "between-tails" {
					r.OutgoingURL = ptr("https://o.test/{+path}")
				}
				r.ID = fmt.Sprint(i)
				p.Routes = append(p.Routes, r)
			}
			h := mustBuild(b, newFakeSource().add(p)).Host(own)
			type request struct{ path, query string }
			requests := make([]request, 1<<12)
			r := rand.New(rand.NewPCG(1, 2))
			for k := range requests {
				i := r.IntN(n)
				if requests[k].path = form.url; form.args != "" {
					requests[k].query = fmt.Sprintf(form.args, i)
				} else {
					requests[k].path = fmt.Sprintf(form.url, i)
				}
			}
			m := new(Match)
			k := 0
			b.ReportAllocs()
			start := cpuTime()
			for b.Loop() {
				q := &requests[k&(len(requests)-1)]
				k++
				if !h.Match("GET", q.path, q.query, m) {
					b.Fatalf("%s: no match", q.path)
				}
				if _, _, err := m.Location(0); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-start)/float64(b.N), "cpu-ns/op")
		})
	}
}
