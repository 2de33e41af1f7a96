// Package event is what was served, as a value with an encoding. It never holds
// a client's address: origin and endpoint are keyed hashes made before.
//
// It imports the standard library only, so that routing and analytics can share
// it without knowing each other.
package event

import "time"

// The types of events. Imports may bring others.
const (
	ManifestFetch  = "manifest-fetch"
	BlobFetch      = "blob-fetch"
	BinaryDownload = "binary-download"
	IndexFetch     = "index-fetch"
	PackageInstall = "package-install"
	PixelFetch     = "pixel-fetch"
	Custom         = "event"
)

// Event is one recorded request or one collected object. The zero value of a
// field means unknown (NULL in SQL).
type Event struct {
	ID   [16]byte // UUID version 7
	Time time.Time
	Type string

	Owner       string
	PackageID   string
	Package     string
	PackageType string
	PixelID     string
	Pixel       string

	Domain    string // the host that was asked, lower case, no port
	Path      string // as asked, escaped, without the query
	Reference string // tag or digest asked for
	Version   string
	Digest    string // algorithm:hex of the manifest served

	Platform      string // operating system: linux, macos, windows, ...
	Arch          string
	Client        string
	ClientVersion string
	ClientClass   string // client, browser, mirror, automation, bot
	UserAgent     string
	Referer       string
	Page          string

	Variables []Variable // by name, ascending

	OriginID   [16]byte // keyed hash over address, user agent and identifying headers
	EndpointID [16]byte // keyed hash over the address

	Country       string // ISO 3166-1 alpha-2
	State         string
	City          string
	Latitude      float64 // degrees; both zero: unknown
	Longitude     float64
	NetworkType   string
	ASN           uint32
	Company       string
	CompanyDomain string
	Confidence    string

	Bot bool

	// Countable says that reports may count the event as a download or view,
	// after folding: false for HEAD, index pages and blobs.
	Countable bool

	Status     int    // of our answer
	OriginHost string // the origin that served or was redirected to
	Node       string
	Region     string
	UniqueID   string
}

// Variable is one captured or recorded name and value.
type Variable struct {
	Name, Value string
}
