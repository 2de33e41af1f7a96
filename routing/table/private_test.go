package table

import (
	"slices"
	"testing"

	"tallygate/cluster/catalog"
)

func TestAHostKnowsTheRegistriesOfItsPrivateImages(t *testing.T) {
	image := func(id, registry string, private bool) *catalog.Package {
		return &catalog.Package{ID: id, Owner: "acme", Name: id, Type: catalog.Docker, Image: &catalog.Image{
			Registry: registry, Repository: id, PrivatePulls: catalog.PrivatePulls{AllowPrivatePulls: private},
		}}
	}
	collection := &catalog.Collection{ID: "c", Owner: "acme", Pattern: "acme/*", Registry: "quay.io", PrivatePulls: catalog.PrivatePulls{AllowPrivatePulls: true}}
	m := new(hostMore)
	count := func(by int, rules ...*Rule) {
		for _, r := range rules {
			m.countPrivate(r, by)
		}
	}
	rules := []*Rule{
		{Kind: ImageRule, Package: image("a", "ghcr.io", true)},
		{Kind: ImageRule, Package: image("b", "ghcr.io", true)},
		{Kind: ImageRule, Package: image("open", "docker.io", false)},
		{Kind: CollectionRule, Collection: collection},
	}
	want := func(registries ...string) {
		t.Helper()
		h := &Host{more: m}
		var got []string
		for _, r := range h.PrivateRegistries() {
			got = append(got, r.Registry)
		}
		if !slices.Equal(got, registries) || h.HasPrivateImages() != (len(registries) > 0) {
			t.Errorf("registries are %v, want %v", got, registries)
		}
	}
	want()
	count(1, rules...)
	want("ghcr.io", "quay.io")
	before := m.private
	count(-1, rules[0], rules[3])
	want("ghcr.io")
	count(-1, rules[1], rules[2])
	want()
	if len(before) != 2 || before[0].rules != 2 {
		t.Error("the list of a host before was changed")
	}
}
