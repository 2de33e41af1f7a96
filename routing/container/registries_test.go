package container

import (
	"slices"
	"testing"

	"tallygate/cluster/catalog"
	"tallygate/routing/table"
)

func TestRegistriesAreFoundByTheNamesPeopleGiveThem(t *testing.T) {
	for _, tt := range []struct {
		name, registry, repository string
		plain                      bool
		want                       string
	}{
		{"Docker Hub", "docker.io", "acme/app", false, "https://registry-1.docker.io/v2/acme/app/x"},
		{"its index", "index.docker.io", "acme/app", false, "https://registry-1.docker.io/v2/acme/app/x"},
		{"its page", "registry.hub.docker.com", "acme/app", false, "https://registry-1.docker.io/v2/acme/app/x"},
		{"itself", "registry-1.docker.io", "acme/app", false, "https://registry-1.docker.io/v2/acme/app/x"},
		{"an official image", "docker.io", "alpine", false, "https://registry-1.docker.io/v2/library/alpine/x"},
		{"an official image, spelled out", "docker.io", "library/alpine", false, "https://registry-1.docker.io/v2/library/alpine/x"},
		{"upper case", "Docker.IO", "alpine", false, "https://registry-1.docker.io/v2/library/alpine/x"},
		{"Docker Hub is never asked by http", "docker.io", "alpine", true, "https://registry-1.docker.io/v2/library/alpine/x"},
		{"another registry", "ghcr.io", "acme/app", false, "https://ghcr.io/v2/acme/app/x"},
		{"another registry's image of one word", "ghcr.io", "app", false, "https://ghcr.io/v2/app/x"},
		{"a port", "registry.example:5000", "app", false, "https://registry.example:5000/v2/app/x"},
		{"http", "localhost:5000", "app", true, "http://localhost:5000/v2/app/x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := resolve(tt.registry, tt.repository, tt.plain).url("x"); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if got := RegistryHost("docker.io"); got != "registry-1.docker.io" {
		t.Errorf("RegistryHost is %s", got)
	}
}

func TestSourcesAreReadFromRules(t *testing.T) {
	mirrored := rule(catalog.Image{Name: "alpine", Registry: "docker.io", Repository: "alpine", FailoverRegistries: []string{"mirror.example"}})
	got, ok := homeOf(mirrored, "alpine")
	want := []endpoint{{"https", "registry-1.docker.io", "library/alpine"}, {"https", "mirror.example", "alpine"}}
	if !ok || !slices.Equal(got.endpoints, want) {
		t.Errorf("got %+v", got)
	}
	collected := &table.Rule{Collection: &catalog.Collection{Registry: "ghcr.io", AlwaysProxy: true}}
	got, ok = homeOf(collected, "acme/app")
	if !ok || !got.alwaysProxy || !slices.Equal(got.endpoints, []endpoint{{"https", "ghcr.io", "acme/app"}}) {
		t.Errorf("got %+v", got)
	}
	for name, r := range map[string]*table.Rule{
		"nothing": {}, "a package of another kind": {Package: &catalog.Package{Type: catalog.File}},
	} {
		if _, ok := homeOf(r, "acme/app"); ok {
			t.Errorf("%s has a source", name)
		}
	}
}
