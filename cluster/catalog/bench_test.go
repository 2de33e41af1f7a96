package catalog

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"
)

// sizes are numbers of packages. Filling the largest takes about 20 s and 1.5 GB;
// go test -short leaves it out.
func sizes() []int {
	if testing.Short() {
		return []int{1_000, 100_000}
	}
	return []int{1_000, 100_000, 1_000_000}
}

// BenchmarkApply is one package's creation, change and deletion each, in
// catalogs of growing size.
func BenchmarkApply(b *testing.B) {
	for _, n := range sizes() {
		s := filled(b, n)
		i := 0
		apply := func(b *testing.B, op Op) {
			i++
			if r, _ := s.Apply(command(fmt.Sprintf("%d-%d", n, i), op)); len(r.Errors) > 0 {
				b.Fatal(r.Err())
			}
		}
		b.Run(fmt.Sprintf("packages=%d/create", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				apply(b, put(filePackage(n+i, n+i, "owner-1")))
			}
		})
		b.Run(fmt.Sprintf("packages=%d/change", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				at := (i * 7919) % n
				apply(b, put(filePackage(at, (at*7919)%n, fmt.Sprintf("owner-%d", at%1000))))
			}
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	s := filled(b, 100_000)
	v := s.View()
	b.Run("Package", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if v.Package("01939f7e-1111-7000-8000-000000000042") == nil {
				b.Fatal("not found")
			}
		}
	})
	b.Run("PackageByName", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if v.PackageByName("owner-42", File, "rocket-42") == nil {
				b.Fatal("not found")
			}
		}
	})
}

// BenchmarkSnapshot writes and restores catalogs, and tells the memory that a
// package takes: B/package.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range sizes()[1:] {
		s := filled(b, n)
		var snapshot bytes.Buffer
		b.Run(fmt.Sprintf("packages=%d/write", n), func(b *testing.B) {
			for b.Loop() {
				snapshot.Reset()
				if err := s.WriteSnapshot(&snapshot); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(snapshot.Len())/float64(n), "written-B/package")
		})
		s = nil
		b.Run(fmt.Sprintf("packages=%d/restore", n), func(b *testing.B) {
			var memory uint64
			for b.Loop() {
				b.StopTimer()
				before := heap()
				b.StartTimer()
				restored := NewStore()
				if err := restored.Restore(bytes.NewReader(snapshot.Bytes())); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				memory = heap() - before
				runtime.KeepAlive(restored)
				b.StartTimer()
			}
			b.ReportMetric(float64(memory)/float64(n), "B/package")
		})
		runtime.KeepAlive(&snapshot)
	}
}

func TestANewCommandCanBeApplied(t *testing.T) {
	s := NewStore()
	cmd := NewCommand(time.Now(), operator(), org("acme"))
	if r, _ := s.Apply(recoded(t, cmd)); r.Err() != nil {
		t.Error(r.Err())
	}
	if a, b := NewID(), NewID(); a >= b {
		t.Errorf("%s doesn't sort before %s", a, b)
	}
}
