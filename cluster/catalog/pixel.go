package catalog

// Pixel is a tracking pixel: an image whose fetches are page views.
type Pixel struct {
	ID        string   `json:"id"`
	Owner     string   `json:"owner"`
	Name      string   `json:"name,omitempty"`
	PackageID string   `json:"package_id,omitempty"` // the package it belongs to, if any
	Domains   []string `json:"domains,omitempty"`    // custom pixel domains beside static.BASE

	Meta
}

// Collection gives every image that matches its pattern a package of its own at
// the first pull.
type Collection struct {
	ID       string `json:"id"`
	Owner    string `json:"owner"`
	Pattern  string `json:"pattern"` // "acme/*", "acme/{a, b}", "**"
	Domain   string `json:"domain"`  // empty: OWNER.docker.BASE
	Registry string `json:"registry"`

	AlwaysProxy bool `json:"always_proxy,omitempty"`
	PlainHTTP   bool `json:"plain_http,omitempty"` // only operators may set it

	Meta
}
