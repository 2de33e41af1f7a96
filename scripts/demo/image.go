package main

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// released is when everything of the demo was made, so that it is the same bytes
// at every start.
var released = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// pushImage puts acme/rocket:1.0, also called latest, into the registry.
func pushImage(registry string) error {
	index, err := rocketIndex()
	if err != nil {
		return err
	}
	for _, tag := range []string{"1.0", "latest"} {
		ref, err := name.NewTag(registry+"/acme/rocket:"+tag, name.Insecure)
		if err != nil {
			return err
		}
		if err := remote.WriteIndex(ref, index); err != nil {
			return err
		}
	}
	return nil
}

// rocketIndex is an image index for two platforms.
func rocketIndex() (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{"amd64", "arm64"} {
		image, err := rocketImage(arch)
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	return index, nil
}

// rocketImage is an image with one program of a few hundred bytes.
func rocketImage(arch string) (v1.Image, error) {
	program, err := launcher(arch)
	if err != nil {
		return nil, err
	}
	archive, err := archiveOf("rocket", program)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive)), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.Append(base, mutate.Addendum{
		Layer:   layer,
		History: v1.History{Created: v1.Time{Time: released}, CreatedBy: "scripts/demo"},
	})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", arch, v1.Time{Time: released}
	config.Config.Entrypoint = []string{"/rocket"}
	config.Config.Labels = map[string]string{
		"org.opencontainers.image.title":   "rocket",
		"org.opencontainers.image.version": "1.0",
	}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, fmt.Errorf("image for %s: %w", arch, err)
	}
	return image, nil
}
