package document

import (
	"maps"
	"reflect"
	"slices"

	"tallygate/cluster/catalog"
)

// The comparisons take for equal what serves alike: no list and an empty one, a
// default and the same value written out.

func sameOrganization(a, b *catalog.Organization) bool {
	return a.Description == b.Description && a.Website == b.Website && a.BillingEmail == b.BillingEmail &&
		maps.Equal(a.VariableOverrides, b.VariableOverrides)
}

func samePixel(a, b *catalog.Pixel) bool {
	return a.Owner == b.Owner && a.Name == b.Name && a.PackageID == b.PackageID && slices.Equal(a.Domains, b.Domains)
}

func samePackage(a, b *catalog.Package) bool {
	return a.Owner == b.Owner && a.Name == b.Name && a.Type == b.Type &&
		a.ShortDescription == b.ShortDescription && a.LongDescription == b.LongDescription && a.Website == b.Website &&
		slices.EqualFunc(a.Domains, b.Domains, func(a, b catalog.PackageDomain) bool { return a.ID == b.ID && a.Name == b.Name }) &&
		slices.EqualFunc(a.Routes, b.Routes, sameRoute) &&
		sameImage(a.Image, b.Image) && sameIndex(a.Index, b.Index) && sameEvents(a.Events, b.Events)
}

func sameRoute(a, b catalog.Route) bool {
	return a.ID == b.ID && routeKind(a.Kind) == routeKind(b.Kind) && a.IncomingPath == b.IncomingPath &&
		(a.OutgoingURL == nil) == (b.OutgoingURL == nil) && (a.OutgoingURL == nil || *a.OutgoingURL == *b.OutgoingURL) &&
		slices.Equal(a.FailoverOrigins, b.FailoverOrigins) && a.RedirectStatus == b.RedirectStatus && a.Domain == b.Domain
}

func routeKind(k catalog.RouteKind) catalog.RouteKind {
	if k == "" {
		return catalog.TemplateRoute
	}
	return k
}

func sameImage(a, b *catalog.Image) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.PublicName() == b.PublicName() && a.Registry == b.Registry && a.Repository == b.Repository &&
		slices.Equal(a.FailoverRegistries, b.FailoverRegistries) && a.AlwaysProxy == b.AlwaysProxy && a.PlainHTTP == b.PlainHTTP &&
		a.PrivatePulls == b.PrivatePulls
}

func sameIndex(a, b *catalog.PythonProject) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Project == b.Project && a.RepositoryURL == b.RepositoryURL && a.PlainHTTP == b.PlainHTTP &&
		slices.Equal(a.FailoverIndexes, b.FailoverIndexes) &&
		slices.EqualFunc(a.Files, b.Files, func(a, b catalog.PythonFile) bool { return reflect.DeepEqual(a, b) })
}

func sameEvents(a, b *catalog.EventAccess) bool {
	open := catalog.EventAccess{}
	if a == nil {
		a = &open
	}
	if b == nil {
		b = &open
	}
	return a.Restricted == b.Restricted && slices.Equal(a.TokenHashes, b.TokenHashes)
}

// How people call objects. They are unique within a kind.

func packageName(k *catalog.Package) string {
	return k.Owner + "/" + string(k.Type) + "/" + k.Name
}

func collectionName(c *catalog.Collection) string {
	if c.Domain == "" {
		return c.Owner + "/" + c.Pattern
	}
	return c.Owner + "/" + c.Pattern + " on " + c.Domain
}

func domainName(d *catalog.Domain) string { return d.Owner + "/" + d.Name }
