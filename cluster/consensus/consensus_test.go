package consensus

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tallygate/cluster/catalog"
)

func open(tb testing.TB, dir string, change ...func(*Options)) (*Consensus, *catalog.Store) {
	tb.Helper()
	opts := Options{Dir: dir, NodeID: "node-1", Store: catalog.NewStore()}
	for _, f := range change {
		f(&opts)
	}
	c, err := Open(opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
	return c, opts.Store
}

func organization(n int) *catalog.Command {
	return &catalog.Command{
		Format: catalog.Format,
		ID:     fmt.Sprintf("command-%d", n),
		Time:   time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC),
		Actor:  catalog.Actor{Kind: "local", Operator: true},
		Ops: []catalog.Op{{Organization: &catalog.Organization{
			ID: fmt.Sprintf("org-%d", n), Name: fmt.Sprintf("owner-%d", n),
		}}},
	}
}

func propose(tb testing.TB, c *Consensus, cmd *catalog.Command) catalog.Result {
	tb.Helper()
	r, err := c.Propose(context.Background(), cmd)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestAClusterOfOneContinuesWhereItWas(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	start := time.Now()
	c, store := open(t, dir)
	t.Log("first start to writable:", time.Since(start))
	for i := range 100 {
		if r := propose(t, c, organization(i)); r.Err() != nil || r.Version != uint64(i+1) {
			t.Fatalf("command %d: version %d, %v", i, r.Version, r.Err())
		}
	}
	before := c.Status()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	c, store2 := open(t, dir)
	t.Log("second start to writable:", time.Since(start))
	after := c.Status()
	if after.CatalogVersion != 100 || after.Digest != before.Digest || store.View().Digest() != store2.View().Digest() {
		t.Errorf("after a restart: %+v, before: %+v", after, before)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}
