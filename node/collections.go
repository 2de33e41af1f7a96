package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tallygate/cluster/catalog"
)

// maxCollected is how many packages of images an organization may have for its
// collections to make more: past it, somebody is making names up.
const maxCollected = 10_000

var errTooManyImages = errors.New("organization has too many images for its collections to add more")

// collected makes packages of the images of collections, in the node's own name:
// the collection was allowed, and so is what it describes.
type collected struct {
	catalog interface {
		View() *catalog.View
		Propose(ctx context.Context, cmd *catalog.Command) (catalog.Result, error)
	}
	node string
}

// Create implements [container.Packages]. Whichever of several nodes comes first
// makes the package; the others find it there.
func (c collected) Create(ctx context.Context, from *catalog.Collection, repository string) error {
	view := c.catalog.View()
	col := view.Collection(from.ID)
	if col == nil || view.PackageByName(col.Owner, catalog.Docker, repository) != nil {
		return nil // gone, or done
	}
	images := 0
	for p := range view.PackagesOf(col.Owner) {
		if p.Type == catalog.Docker {
			images++
		}
	}
	if images >= maxCollected {
		return errTooManyImages
	}
	p := &catalog.Package{
		ID: catalog.NewID(), Owner: col.Owner, Name: repository, Type: catalog.Docker,
		Image: &catalog.Image{
			Registry: col.Registry, Repository: repository,
			AlwaysProxy: col.AlwaysProxy, PlainHTTP: col.PlainHTTP, PrivatePulls: col.PrivatePulls,
		},
	}
	if col.Domain != "" {
		p.Domains = []catalog.PackageDomain{{ID: catalog.NewID(), Name: col.Domain}}
	}
	fresh := uint64(0)
	result, err := c.catalog.Propose(ctx, catalog.NewCommand(time.Now(),
		catalog.Actor{Kind: "node", Name: c.node, Operator: true},
		catalog.Op{Package: p, IfVersion: &fresh}))
	if err != nil {
		return err
	}
	if len(result.Errors) == 0 || slices.ContainsFunc(result.Errors, alreadyThere) {
		return nil
	}
	return fmt.Errorf("make package %q: %w", repository, result.Errors[0])
}

// alreadyThere says whether a package was refused because the image has one.
func alreadyThere(refused *catalog.Error) bool {
	return refused.Code == catalog.CodePackageAlreadyExists || refused.Code == catalog.CodePackageIsConflicting
}
