//go:build unix

package table

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"tallygate/cluster/catalog"
)

// bigSource is a catalog of n file packages with one route each, perHost of them at
// each domain. It makes its objects when they are asked for first, as a node has
// them in memory anyway.
func bigSource(n, perHost int) *fakeSlice {
	f := new(fakeSlice)
	f.packages = make([]*catalog.Package, n)
	for i := range n {
		host := bigHost(i / perHost)
		owner := fmt.Sprintf("owner%d", i/perHost)
		if i%perHost == 0 {
			f.domains = append(f.domains, &catalog.Domain{ID: fmt.Sprint("d", i), Name: host, Owner: owner, State: catalog.Verified})
		}
		f.packages[i] = bigPackage(i, owner, host)
	}
	return f
}

func bigHost(i int) string { return fmt.Sprintf("dl.vendor-%d.example", i) }

// bigPackage has one of five usual shapes of a route.
func bigPackage(i int, owner, host string) *catalog.Package {
	in, out := bigRoute(i)
	p := &catalog.Package{
		ID: fmt.Sprintf("0190b7c4-0000-7000-8000-%012d", i), Owner: owner, Name: fmt.Sprint("app-", i), Type: catalog.File,
		Domains: []catalog.PackageDomain{{ID: fmt.Sprint("pd", i), Name: host, CreatedAt: day(1)}},
		Routes:  []catalog.Route{{ID: fmt.Sprint("r", i), IncomingPath: in, OutgoingURL: &out, CreatedAt: day(1)}},
	}
	p.CreatedAt, p.UpdatedAt = day(1), day(1)
	return p
}

func bigRoute(i int) (in, out string) {
	switch i % 5 {
	case 0:
		return fmt.Sprintf("/files/{version}/app-%d.tar.gz", i), fmt.Sprintf("https://origin.example/app-%d/{version}.tar.gz", i)
	case 1:
		return fmt.Sprintf("/dl/app-%d-{version}.zip", i), fmt.Sprintf("https://origin.example/app-%d/{version}.zip", i)
	case 2:
		return fmt.Sprintf("/dl/{version}-app-%d.zip", i), fmt.Sprintf("https://origin.example/app-%d/{version}.zip", i)
	case 3:
		return fmt.Sprintf("/app-%d/{version}/{platform}/app-{platform}-{version}.tar.gz", i), fmt.Sprintf("https://origin.example/app-%d/{platform}/{version}", i)
	}
	return fmt.Sprintf("/mirror/{+path}/app-%d.deb", i), fmt.Sprintf("https://origin.example/app-%d/{+path}.deb", i)
}

func bigPath(i int, r *rand.Rand) string {
	v := fmt.Sprintf("%d.%d.%d", r.IntN(20), r.IntN(20), r.IntN(20))
	switch i % 5 {
	case 0:
		return fmt.Sprintf("/files/%s/app-%d.tar.gz", v, i)
	case 1:
		return fmt.Sprintf("/dl/app-%d-%s.zip", i, v)
	case 2:
		return fmt.Sprintf("/dl/%s-app-%d.zip", v, i)
	case 3:
		return fmt.Sprintf("/app-%d/%s/linux/app-linux-%s.tar.gz", i, v, v)
	}
	return fmt.Sprintf("/mirror/pool/%s/main/app-%d.deb", v, i)
}

// sizes of catalogs to measure; a million takes about 2 GB and is left out unless
// asked for.
func sizes(b *testing.B) []int {
	switch {
	case testing.Short():
		return []int{1_000}
	case os.Getenv("TALLYGATE_BENCH_LARGE") == "":
		b.Log("set TALLYGATE_BENCH_LARGE=1 for a million packages")
		return []int{1_000, 100_000}
	}
	return []int{1_000, 100_000, 1_000_000}
}

// BenchmarkMatch matches requests for packages at random and expands the location.
func BenchmarkMatch(b *testing.B) {
	for _, perHost := range []int{1, 100, 10_000} {
		for _, n := range sizes(b) {
			if n = max(n, perHost); n == 10_000 {
				continue
			}
			b.Run(fmt.Sprintf("rules=%d/packages=%d", perHost, n), func(b *testing.B) {
				tab, err := build(bigSource(n, perHost), Options{BaseDomain: "base.test"})
				if err != nil {
					b.Fatal(err)
				}
				runtime.GC()
				type request struct{ host, path string }
				requests := make([]request, 1<<18)
				r := rand.New(rand.NewPCG(1, 2))
				for k := range requests {
					i := r.IntN(n)
					requests[k] = request{bigHost(i / perHost), bigPath(i, r)}
				}
				m := new(Match)
				k := 0
				b.ReportAllocs()
				start := cpuTime()
				for b.Loop() {
					q := &requests[k&(len(requests)-1)]
					k++
					h := tab.Host(q.host)
					if h == nil || !h.Match("GET", q.path, "", m) {
						b.Fatalf("%s%s: no match", q.host, q.path)
					}
					if _, _, err := m.Location(0); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(cpuTime()-start)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// BenchmarkUpdate changes one package's route.
func BenchmarkUpdate(b *testing.B) {
	for _, perHost := range []int{1, 100, 10_000} {
		for _, n := range sizes(b) {
			if n = max(n, perHost); n == 10_000 {
				continue
			}
			b.Run(fmt.Sprintf("rules=%d/packages=%d", perHost, n), func(b *testing.B) {
				src := bigSource(n, perHost)
				tab, err := build(src, Options{BaseDomain: "base.test"})
				if err != nil {
					b.Fatal(err)
				}
				runtime.GC()
				r := rand.New(rand.NewPCG(1, 2))
				b.ReportAllocs()
				for b.Loop() {
					i := r.IntN(n)
					old := src.packages[i]
					p := *old
					p.Routes = []catalog.Route{old.Routes[0]}
					p.Routes[0].CreatedAt = day(3)
					src.packages[i] = &p
					tab = tab.update(src, []catalog.Change{{Kind: catalog.KindPackage, ID: p.ID, Before: old, After: &p}})
				}
			})
		}
	}
}

// BenchmarkBuild builds a table and tells what it takes, the catalog left out.
func BenchmarkBuild(b *testing.B) {
	for _, perHost := range []int{1, 100, 10_000} {
		for _, n := range sizes(b) {
			if n = max(n, perHost); n == 10_000 {
				continue
			}
			b.Run(fmt.Sprintf("rules=%d/packages=%d", perHost, n), func(b *testing.B) {
				src := bigSource(n, perHost)
				before := heap()
				var tab *Table
				for b.Loop() {
					tab, _ = build(src, Options{BaseDomain: "base.test"})
				}
				b.ReportMetric(float64(heap()-before)/float64(n), "B/package")
				runtime.KeepAlive(tab)
				runtime.KeepAlive(src)
			})
		}
	}
}

// cpuTime is what the process has used of its processors: on a shared machine, wall
// time measures the neighbours too.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() uint64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
