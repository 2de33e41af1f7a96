package clients

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tallygate/scripts/e2e/harness"
)

// Names in the world, and where they are. Clients are in 10.77.2.0/24.
const (
	tokenRegistry = "registry.example"      // asks for tokens, keeps blobs elsewhere
	tokenRealm    = "auth.registry.example" // gives them
	tokenBlobs    = "blobs.registry.example"
	openRegistry  = "open.example" // asks nobody for anything

	tokenDomain = "token.acme.example" // serves images of the first
	openDomain  = "open.acme.example"  // of the second
	bothDomain  = "both.acme.example"  // of both

	gatewayAddress = "10.77.0.2"
)

func addresses() map[string]string {
	return map[string]string{
		tokenRegistry: "10.77.1.1", tokenRealm: "10.77.1.2", tokenBlobs: "10.77.1.3", openRegistry: "10.77.1.4",
		tokenDomain: gatewayAddress, openDomain: gatewayAddress, bothDomain: gatewayAddress,
	}
}

// world is two registries, the gateway before them, and a private CA for all.
type world struct {
	network    *harness.Network
	authority  *harness.Authority
	registries map[string]*harness.Registry
	tokens     *harness.TokenServer
	blobs      *storage
	gateway    *harness.Node

	hosts int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		network: harness.NewNetwork(t, addresses()), authority: harness.NewAuthority(t),
		registries: map[string]*harness.Registry{},
	}
	w.startRegistries(t)

	cert, key := w.authority.Issue(tokenDomain, openDomain, bothDomain)
	w.gateway = harness.StartNodeWith(t, harness.NodeOptions{
		Host: w.network.Host("gateway", gatewayAddress),
		Env:  w.authority.Env(),
		Args: []string{"--gateway-tls-listen", gatewayAddress + ":443", "--gateway-tls-cert", cert, "--gateway-tls-key", key},
	})
	return w
}

func (w *world) startRegistries(t *testing.T) {
	t.Helper()
	transport := w.network.Transport(w.authority)
	t.Cleanup(transport.CloseIdleConnections)

	w.tokens = harness.NewTokenServer(t)
	w.tokens.Private = func(repository string) bool { return strings.Contains(repository, "private") }
	w.network.Serve(w.authority, tokenRealm, http.StripPrefix("/token", w.tokens))
	w.blobs = newStorage(tokenBlobs)
	w.network.Serve(w.authority, tokenBlobs, w.blobs)
	behind := harness.FreeAddress(t)
	w.network.Serve(w.authority, tokenRegistry, inFront(behind, w.blobs))
	w.registries[tokenRegistry] = harness.StartRegistry(t, harness.RegistryOptions{
		Address: behind, Name: tokenRegistry, Scheme: "https", Transport: transport,
		Tokens: w.tokens, Realm: "https://" + tokenRealm + "/token", BlobsURL: "https://" + tokenBlobs,
	})
	w.blobs.root = w.registries[tokenRegistry].Data

	cert, key := w.authority.Issue(openRegistry)
	w.registries[openRegistry] = harness.StartRegistry(t, harness.RegistryOptions{
		Address: w.network.Listen(openRegistry) + ":443", Cert: cert, Key: key, Name: openRegistry, Transport: transport,
	})
}

// publish pushes the images of the cases to their registries and tells the gateway
// of them.
func (w *world) publish(t *testing.T, cases []*pullCase) {
	t.Helper()
	formats := map[string]harness.Format{tokenRegistry: harness.DockerFormat, openRegistry: harness.OCIFormat}
	var catalog strings.Builder
	catalog.WriteString("organizations: [{name: acme}]\npackages:\n")
	for _, c := range cases {
		for _, i := range c.images {
			format, registry := formats[i.registry], w.registries[i.registry]
			if i.multiArch {
				i.digest = registry.Push(t, i.repository, tag, harness.NewIndex(t, format))
			} else {
				i.digest = registry.Push(t, i.repository, tag, harness.NewImage(t, format, "amd64"))
			}
			fmt.Fprintf(&catalog, "  - {owner: acme, name: %s, type: docker, backend_registry: %s, repository_name: %s, public_name: %s, domains: [%s]",
				i.pkg(), i.registry, i.repository, i.public(), i.domain)
			if i.private {
				fmt.Fprintf(&catalog, ", allow_private_pulls: true, token_host: %s", tokenRealm)
			}
			catalog.WriteString("}\n")
		}
	}
	w.gateway.Apply(catalog.String())
}

// newHost is one more machine with an address of its own: pulls of one image by one
// address and client within a minute are one pull.
func (w *world) newHost(name string) *harness.Host {
	w.hosts++
	return w.network.Host(fmt.Sprintf("%s%d", strings.ReplaceAll(name, " ", "-"), w.hosts), fmt.Sprintf("10.77.2.%d", w.hosts))
}
