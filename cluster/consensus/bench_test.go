package consensus

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"tallygate/cluster/catalog"
)

// benchDir is where the log is written: the measure is of its disk. TMPDIR
// chooses another one.
func benchDir(b *testing.B) string {
	dir, err := os.MkdirTemp("", "consensus")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// BenchmarkPropose is one package's change, from proposal to application, by one
// proposer after the other and by 64 at once.
func BenchmarkPropose(b *testing.B) {
	for _, proposers := range []int{1, 64} {
		b.Run(fmt.Sprintf("proposers=%d", proposers), func(b *testing.B) {
			c := open(b, benchDir(b))
			propose(b, c, organization(0))
			var n atomic.Int64
			one := func() error {
				i := n.Add(1)
				url := "https://downloads.example.com/{version}/rocket.tar.gz"
				cmd := command(fmt.Sprint("bench-", i), catalog.Op{Package: &catalog.Package{
					ID: fmt.Sprint("package-", i%1000), Owner: "owner-0", Name: fmt.Sprint("rocket-", i%1000), Type: catalog.File,
					Routes: []catalog.Route{{ID: "r", IncomingPath: "/{version}/rocket.tar.gz", OutgoingURL: &url}},
				}})
				r, err := c.Propose(context.Background(), cmd)
				if err == nil {
					err = r.Err()
				}
				return err
			}
			b.SetParallelism(proposers) // times GOMAXPROCS; see below
			start := time.Now()
			b.ResetTimer()
			if proposers == 1 {
				for range b.N {
					if err := one(); err != nil {
						b.Fatal(err)
					}
				}
			} else {
				limit := make(chan struct{}, proposers)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						limit <- struct{}{}
						if err := one(); err != nil {
							b.Error(err)
						}
						<-limit
					}
				})
			}
			b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "commits/s")
		})
	}
}

// BenchmarkOpen is a restart until writable, after a number of commands.
func BenchmarkOpen(b *testing.B) {
	for _, commands := range []int{0, 8000} {
		b.Run(fmt.Sprintf("commands=%d", commands), func(b *testing.B) {
			dir := benchDir(b)
			c, err := Open(options(dir))
			if err != nil {
				b.Fatal(err)
			}
			for i := range commands {
				propose(b, c, organization(i))
			}
			closed(b, c)
			for b.Loop() {
				c, err := Open(options(dir))
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				closed(b, c)
				b.StartTimer()
			}
		})
	}
}
