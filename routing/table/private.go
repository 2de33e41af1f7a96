package table

import (
	"slices"

	"tallygate/cluster/catalog"
)

// PrivateRegistry is a registry that images of a host are pulled from with their
// clients' own credentials.
type PrivateRegistry struct {
	Registry  string // host[:port], by the name that the catalog gives it
	TokenHost string // of the token server; empty: as the registry is known to have it
	PlainHTTP bool
}

// privateRegistry counts the rules of a host that name a registry.
type privateRegistry struct {
	PrivateRegistry
	rules int
}

// PrivateRegistries are the registries of the host's images that allow private
// pulls, each once. It allocates only where there are any.
func (h *Host) PrivateRegistries() []PrivateRegistry {
	if !h.HasPrivateImages() {
		return nil
	}
	list := make([]PrivateRegistry, len(h.more.private))
	for i := range list {
		list[i] = h.more.private[i].PrivateRegistry
	}
	return list
}

// HasPrivateImages says whether any image of the host allows private pulls.
func (h *Host) HasPrivateImages() bool { return h.more != nil && len(h.more.private) > 0 }

// countPrivate counts a rule in or out. Hosts of the step before keep their list.
func (m *hostMore) countPrivate(r *Rule, by int) {
	var of PrivateRegistry
	switch {
	case r.Kind == ImageRule && r.Package.Image.AllowPrivatePulls:
		of = privateOf(r.Package.Image.Registry, r.Package.Image.PlainHTTP, r.Package.Image.PrivatePulls)
	case r.Kind == CollectionRule && r.Collection.AllowPrivatePulls:
		of = privateOf(r.Collection.Registry, r.Collection.PlainHTTP, r.Collection.PrivatePulls)
	default:
		return
	}
	m.private = slices.Clone(m.private)
	i := slices.IndexFunc(m.private, func(p privateRegistry) bool { return p.PrivateRegistry == of })
	if i < 0 {
		i = len(m.private)
		m.private = append(m.private, privateRegistry{PrivateRegistry: of})
	}
	if m.private[i].rules += by; m.private[i].rules <= 0 {
		m.private = slices.Delete(m.private, i, i+1)
	}
}

func privateOf(registry string, plainHTTP bool, p catalog.PrivatePulls) PrivateRegistry {
	return PrivateRegistry{Registry: registry, TokenHost: p.TokenHost, PlainHTTP: plainHTTP}
}
