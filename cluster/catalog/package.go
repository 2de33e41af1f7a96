package catalog

import "time"

// PackageType says which protocol serves a package.
type PackageType string

// The package types. Event packages are ours; the others are those of the
// public API.
const (
	Docker  PackageType = "docker"
	File    PackageType = "file"
	Python  PackageType = "python"
	NPM     PackageType = "npm"
	Hackage PackageType = "hackage"
	Event   PackageType = "event"
)

// Package is one published artifact and the rules that serve it. (Owner, Type,
// Name) is unique.
type Package struct {
	ID    string      `json:"id"` // any string: imported manifests bring their own
	Owner string      `json:"owner"`
	Name  string      `json:"name"`
	Type  PackageType `json:"type"`

	ShortDescription string `json:"short_description,omitempty"`
	LongDescription  string `json:"long_description,omitempty"`
	Website          string `json:"website,omitempty"`

	// Domains that serve the package. None: the owner's own hosts,
	// OWNER.docker.BASE for images and OWNER.gateway.BASE for the rest.
	Domains []PackageDomain `json:"domains,omitempty"`

	Routes []Route        `json:"routes,omitempty"` // file and event packages
	Image  *Image         `json:"image,omitempty"`  // docker packages
	Index  *PythonProject `json:"index,omitempty"`  // python packages
	Events *EventAccess   `json:"events,omitempty"` // event packages

	Meta
}

// PackageDomain attaches a package to a domain name.
type PackageDomain struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"` // lower case, no port, no trailing dot
	CreatedAt time.Time `json:"created_at"`
}

// RouteKind is the language of a route's incoming path.
type RouteKind string

// The kinds of routes, in the order in which they are tried on a host.
const (
	TemplateRoute RouteKind = "template"  // RFC 6570 template
	RegexpRoute   RouteKind = "regexp"    // RE2 expression with named groups
	CatchAllRoute RouteKind = "catch-all" // a path prefix ending in "/*"; the rest and the query are kept byte for byte
)

// Route maps requests on the package's domains to an origin's URL.
type Route struct {
	ID           string    `json:"id"`
	Kind         RouteKind `json:"kind,omitempty"` // empty: template
	IncomingPath string    `json:"incoming_path"`  // starts with "/"; a template may carry a query

	// OutgoingURL is the template of the redirect. Nil: the route answers 200
	// and records an event.
	OutgoingURL *string `json:"outgoing_url"`

	// FailoverOrigins are further outgoing templates, tried in order while the
	// ones before them are known to be down.
	FailoverOrigins []string `json:"failover_origins,omitempty"`

	// RedirectStatus is 301, 302, 307 or 308. Zero: 302 for GET and HEAD, 307
	// for other methods.
	RedirectStatus int `json:"redirect_status,omitempty"`

	// Domain limits the route to one of the package's domains. Empty: all.
	Domain string `json:"domain,omitempty"`

	CreatedAt time.Time `json:"created_at"`
}

// Image is where a docker package's repository is really hosted.
type Image struct {
	// Name is the repository clients ask for, as in DOMAIN/Name. Empty: the
	// same as Repository.
	Name       string `json:"name,omitempty"`
	Registry   string `json:"registry"`   // host[:port] of the backend registry
	Repository string `json:"repository"` // repository at the backend

	// FailoverRegistries are further registries holding the same repository.
	FailoverRegistries []string `json:"failover_registries,omitempty"`

	// AlwaysProxy keeps manifests from being redirected even where the backend
	// would allow it.
	AlwaysProxy bool `json:"always_proxy,omitempty"`

	// PlainHTTP speaks http to the backend. Only operators may set it.
	PlainHTTP bool `json:"plain_http,omitempty"`
}

// PublicName is the repository that clients ask for.
func (i *Image) PublicName() string {
	if i.Name != "" {
		return i.Name
	}
	return i.Repository
}

// PythonProject is one project of a package index (PEP 503).
type PythonProject struct {
	Project string `json:"project"` // normalized by PEP 503

	// RepositoryURL is the simple index of the origin, with a trailing slash.
	// The project's page is at RepositoryURL + Project + "/". Empty: only Files.
	RepositoryURL   string       `json:"repository_url,omitempty"`
	FailoverIndexes []string     `json:"failover_indexes,omitempty"`
	Files           []PythonFile `json:"files,omitempty"`
	PlainHTTP       bool         `json:"plain_http,omitempty"` // RepositoryURL may be http; only operators may set it
}

// PythonFile is one distribution file named by hand rather than found on the
// origin's index page.
type PythonFile struct {
	FileName       string `json:"file_name"`
	Version        string `json:"version"`
	URL            string `json:"url"`
	HashType       string `json:"hash_type,omitempty"` // as in the fragment of a simple index: "sha256"
	Hash           string `json:"hash,omitempty"`      // hex
	GPGSig         *bool  `json:"gpg_sig,omitempty"`
	RequiresPython string `json:"requires_python,omitempty"`
	Domain         string `json:"domain,omitempty"` // one of the package's domains; empty: all
}

// EventAccess says who may post events.
type EventAccess struct {
	// Restricted asks for a Bearer token whose SHA-256 (hex) is in TokenHashes;
	// with none there, nobody may post.
	Restricted  bool     `json:"restricted,omitempty"`
	TokenHashes []string `json:"token_hashes,omitempty"`
}
