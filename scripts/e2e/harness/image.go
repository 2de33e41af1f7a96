package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Format is which of the two kinds of media types an image is in.
type Format struct{ index, manifest, config, layer types.MediaType }

// The formats that registries hold.
var (
	DockerFormat = Format{types.DockerManifestList, types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer}
	OCIFormat    = Format{types.OCIImageIndex, types.OCIManifestSchema1, types.OCIConfigJSON, types.OCILayer}
)

// NewImage makes an image of two small random layers for Linux on an architecture.
func NewImage(t *testing.T, format Format, arch string) v1.Image {
	t.Helper()
	image := mutate.MediaType(empty.Image, format.manifest)
	image = mutate.ConfigMediaType(image, format.config)
	for range 2 {
		layer, err := random.Layer(4096, format.layer)
		if err != nil {
			t.Fatal(err)
		}
		if image, err = mutate.AppendLayers(image, layer); err != nil {
			t.Fatal(err)
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	return image
}

// NewIndex makes an image for two platforms: amd64 and arm64.
func NewIndex(t *testing.T, format Format) v1.ImageIndex {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, format.index)
	for _, arch := range []string{"amd64", "arm64"} {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        plain{NewImage(t, format, arch)},
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	return index
}

// plain keeps the library from adding an artifact type to an image's descriptor,
// which some clients drop: their copy has another digest then.
type plain struct{ v1.Image }

func (plain) ArtifactType() (string, error) { return "", nil }

// DigestOf is a manifest's digest, as registries name it.
func DigestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
