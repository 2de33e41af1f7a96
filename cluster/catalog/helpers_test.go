package catalog

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

func ptr[T any](v T) *T { return &v }

var testTime = time.Date(2026, 11, 24, 12, 0, 0, 123456789, time.UTC)

func operator() Actor { return Actor{Kind: "local", Operator: true} }

func command(id string, ops ...Op) *Command {
	return &Command{Format: Format, ID: id, Time: testTime, Actor: operator(), Ops: ops}
}

// recoded is the command as it arrives from the log: nothing shared with ours.
func recoded(tb testing.TB, cmd *Command) *Command {
	tb.Helper()
	b, err := EncodeCommand(cmd)
	if err != nil {
		tb.Fatal(err)
	}
	cmd, err = DecodeCommand(b)
	if err != nil {
		tb.Fatal(err)
	}
	return cmd
}

// filled is a store with n file packages of one route each, under many owners.
func filled(tb testing.TB, n int) *Store {
	tb.Helper()
	s := NewStore()
	const owners = 1000
	var ops []Op
	apply := func() {
		cmd := command(fmt.Sprintf("fill-%d", s.View().Version()), ops...)
		if r, _ := s.Apply(recoded(tb, cmd)); len(r.Errors) > 0 {
			tb.Fatal(r.Err())
		}
		ops = ops[:0]
	}
	for i := range owners {
		ops = append(ops, Op{Organization: &Organization{
			ID:   fmt.Sprintf("01939f7e-0000-7000-8000-%012d", i),
			Name: fmt.Sprintf("owner-%d", i),
		}})
	}
	apply()
	for i := range n {
		// Ids are spread like random ones over the low digits.
		ops = append(ops, Op{Package: filePackage(i, (i*7919)%n, fmt.Sprintf("owner-%d", i%owners))})
		if len(ops) == 2000 || i == n-1 {
			apply()
		}
	}
	return s
}

func filePackage(i, id int, owner string) *Package {
	return &Package{
		ID: fmt.Sprintf("01939f7e-1111-7000-8000-%012d", id), Owner: owner, Type: File,
		Name: fmt.Sprintf("rocket-%d", i),
		Routes: []Route{{
			ID:           fmt.Sprintf("01939f7e-2222-7000-8000-%012d", i),
			IncomingPath: fmt.Sprintf("/rocket-%d/{version}/rocket-{platform}.tar.gz", i),
			OutgoingURL:  ptr(fmt.Sprintf("https://downloads.example.com/rocket-%d/{version}/rocket-{platform}.tar.gz", i)),
		}},
	}
}

// heap is the memory in use, in bytes.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
