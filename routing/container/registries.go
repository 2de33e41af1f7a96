package container

import (
	"strings"

	"tallygate/routing/table"
)

// registry is what one has to know of a public registry beforehand. All else is
// learned from its answers.
type registry struct {
	host      string // that speaks the registry API
	namespace string // that a repository of one segment is in
}

var dockerHub = registry{host: "registry-1.docker.io", namespace: "library"}

// registries maps the names that people give to registries to what is known of
// them. Names not listed are their own host.
var registries = map[string]registry{
	"docker.io":               dockerHub,
	"index.docker.io":         dockerHub,
	"registry.docker.io":      dockerHub,
	"registry.hub.docker.com": dockerHub,
	"registry-1.docker.io":    dockerHub,
}

// RegistryHost is the host that answers for a registry by the name that people give
// it: what [Origins] knows it by.
func RegistryHost(name string) string { return resolve(name, "", false).host }

// tokenHosts are the hosts of token servers of public registries that have them
// elsewhere than at the registry itself. Credentials may be sent there.
var tokenHosts = map[string]string{
	dockerHub.host:              "auth.docker.io",
	"registry.gitlab.com":       "gitlab.com",
	"registry.digitalocean.com": "api.digitalocean.com",
}

// endpoint is one repository at one registry.
type endpoint struct {
	scheme     string // https, or http where an operator allowed it
	host       string // host[:port]
	repository string
}

// registry is the end point's registry as a whole.
func (e endpoint) registry() endpoint { return endpoint{scheme: e.scheme, host: e.host} }

// root is the registry's address.
func (e endpoint) root() string { return e.scheme + "://" + e.host }

// url is the address of something in the repository, or of the registry's root;
// rest is escaped.
func (e endpoint) url(rest string) string {
	if e.repository == "" {
		return e.scheme + "://" + e.host + "/v2/" + rest
	}
	return e.scheme + "://" + e.host + "/v2/" + e.repository + "/" + rest
}

// resolve finds the repository called name at the registry called host.
func resolve(host, name string, plainHTTP bool) endpoint {
	host = strings.ToLower(strings.TrimSuffix(host, "/"))
	e := endpoint{scheme: "https", host: host, repository: name}
	if known, ok := registries[host]; ok {
		e.host = known.host
		if known.namespace != "" && strings.IndexByte(name, '/') < 0 {
			e.repository = known.namespace + "/" + name
		}
	} else if plainHTTP {
		e.scheme = "http"
	}
	return e
}

// home is where the images of a rule are.
type home struct {
	endpoints   []endpoint // in the order of preference, never empty
	alwaysProxy bool
	private     private // of the first endpoint; the others are for strangers only
}

// homeOf reads a rule. A collection keeps the client's name of the image.
func homeOf(rule *table.Rule, name string) (home, bool) {
	if c := rule.Collection; c != nil && rule.Package == nil {
		return home{
			endpoints:   []endpoint{resolve(c.Registry, name, c.PlainHTTP)},
			alwaysProxy: c.AlwaysProxy,
			private:     private{c.AllowPrivatePulls, c.TokenHost},
		}, true
	}
	if rule.Package == nil || rule.Package.Image == nil {
		return home{}, false
	}
	image := rule.Package.Image
	s := home{
		endpoints:   make([]endpoint, 0, 1+len(image.FailoverRegistries)),
		alwaysProxy: image.AlwaysProxy,
		private:     private{image.AllowPrivatePulls, image.TokenHost},
	}
	s.endpoints = append(s.endpoints, resolve(image.Registry, image.Repository, image.PlainHTTP))
	for _, host := range image.FailoverRegistries {
		s.endpoints = append(s.endpoints, resolve(host, image.Repository, image.PlainHTTP))
	}
	return s, true
}
