package node

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tallygate/cluster/catalog"
)

// alone is a catalog without a cluster.
type alone struct{ *catalog.Store }

func (a alone) Propose(_ context.Context, cmd *catalog.Command) (catalog.Result, error) {
	result, _ := a.Apply(cmd)
	return result, nil
}

func TestAnImageOfACollectionGetsOnePackage(t *testing.T) {
	store := alone{catalog.NewStore()}
	col := &catalog.Collection{
		ID: "c", Owner: "acme", Pattern: "acme/*", Domain: "cr.acme.dev", Registry: "quay.io", AlwaysProxy: true, PlainHTTP: true,
		PrivatePulls: catalog.PrivatePulls{AllowPrivatePulls: true},
	}
	setUp := catalog.NewCommand(time.Now(), catalog.Actor{Kind: "local", Operator: true},
		catalog.Op{Organization: &catalog.Organization{ID: "o", Name: "acme"}},
		catalog.Op{Domain: &catalog.Domain{ID: "d", Name: "cr.acme.dev", Owner: "acme", State: catalog.Asserted}},
		catalog.Op{Collection: col})
	if result, _ := store.Propose(t.Context(), setUp); len(result.Errors) > 0 {
		t.Fatal(result.Errors[0])
	}
	// Two nodes see the first pull; one of them with a view that is behind.
	for _, view := range []func() *catalog.View{store.View, store.View, func() func() *catalog.View {
		old := store.View()
		return func() *catalog.View { return old }
	}()} {
		c := collected{catalog: behind{store, view}, node: "n"}
		if err := c.Create(t.Context(), col, "acme/rocket"); err != nil {
			t.Fatal(err)
		}
	}
	made := store.View().PackageByName("acme", catalog.Docker, "acme/rocket")
	if made == nil || made.Image.Registry != "quay.io" || made.Image.Repository != "acme/rocket" || !made.Image.AlwaysProxy ||
		!made.Image.PlainHTTP || !made.Image.AllowPrivatePulls || len(made.Domains) != 1 || made.Domains[0].Name != "cr.acme.dev" {
		t.Fatalf("package is %+v", made)
	}
	c := collected{catalog: store, node: "n"}
	if err := c.Create(t.Context(), &catalog.Collection{ID: "gone", Owner: "acme"}, "acme/x"); err != nil || store.View().PackageByName("acme", catalog.Docker, "acme/x") != nil {
		t.Errorf("a collection that is gone: %v", err)
	}
	if err := c.Create(t.Context(), col, "Not/A/Name"); err == nil {
		t.Error("a bad name was taken")
	}
}

// behind is a catalog with a view of its own.
type behind struct {
	alone
	view func() *catalog.View
}

func (b behind) View() *catalog.View { return b.view() }

func TestAnOrganizationsCollectionsMakeSoManyPackages(t *testing.T) {
	store := alone{catalog.NewStore()}
	col := &catalog.Collection{ID: "c", Owner: "acme", Pattern: "acme/*", Registry: "quay.io"}
	ops := []catalog.Op{{Organization: &catalog.Organization{ID: "o", Name: "acme"}}, {Collection: col}}
	for i := range maxCollected {
		name := fmt.Sprintf("acme/app-%d", i)
		ops = append(ops, catalog.Op{Package: &catalog.Package{
			ID: name, Owner: "acme", Name: name, Type: catalog.Docker,
			Image: &catalog.Image{Registry: "quay.io", Repository: name},
		}})
	}
	for len(ops) > 0 {
		n := min(len(ops), 500)
		if result, _ := store.Propose(t.Context(), catalog.NewCommand(time.Now(), catalog.Actor{Kind: "local", Operator: true}, ops[:n]...)); len(result.Errors) > 0 {
			t.Fatal(result.Errors[0])
		}
		ops = ops[n:]
	}
	err := collected{catalog: store, node: "n"}.Create(t.Context(), col, "acme/one-more")
	if !errors.Is(err, errTooManyImages) {
		t.Errorf("error is %v", err)
	}
}
