package ui

import (
	"fmt"
	"iter"
	"slices"
	"testing"

	"tallygate/cluster/catalog"
)

// crowd is a catalog of packages without anything else.
type crowd []*catalog.Package

func (c crowd) Version() uint64                              { return 0 }
func (c crowd) Count(catalog.Kind) int                       { return len(c) }
func (c crowd) Package(string) *catalog.Package              { return nil }
func (c crowd) ServingDomain(string) *catalog.Domain         { return nil }
func (c crowd) PackagesOf(string) iter.Seq[*catalog.Package] { return c.Packages() }
func (c crowd) PackageByName(string, catalog.PackageType, string) *catalog.Package {
	return nil
}

func (c crowd) Packages() iter.Seq[*catalog.Package] { return slices.Values(c) }

// BenchmarkFindNothing is the worst search: one that looks at every package.
func BenchmarkFindNothing(b *testing.B) {
	const n = 100_000
	packages := make(crowd, n)
	for i := range packages {
		packages[i] = &catalog.Package{Owner: fmt.Sprintf("owner-%d", i%1000), Name: fmt.Sprintf("package-%d", i)}
	}
	s := newServer(Options{Catalog: func() Catalog { return packages }})
	b.ResetTimer()
	for b.Loop() {
		if found := s.find(operator, "", "", "rocket skates", 0, perPage); found != nil {
			b.Fatal(found)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/package")
}
