package ui

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"log/slog"
	"time"

	"tallygate/analytics/report"
	"tallygate/cluster/catalog"
)

// Options is what the pages are made from. Reports, Catalog and Access are
// needed; the other fields have a meaning when nil or zero.
type Options struct {
	Reports Reports
	Catalog func() Catalog // the newest view; called once per request
	Access  Access

	// Live gives arriving events. Nil: pages show the latest events as of when
	// they were loaded.
	Live Live

	// Status gives what goes wrong on this node, for the banner on every page.
	// It is called for every page and must not block. Nil: nothing does.
	Status func() Status

	// Cluster gives the members for the cluster page. Nil: the page says that
	// the node doesn't know.
	Cluster func() Cluster

	// Explain says which rule would serve a request. Nil: the page is not there.
	Explain func(method, url string) (Explanation, error)

	// Pixels gives the pixels of an owner, or of all for "", by owner and name, with
	// what is copied into pages. Nil: the page is not there.
	Pixels func(owner string) []Pixel

	// Gateway is where clients reach the gateway, for commands to copy.
	Gateway Gateway

	// Version of this build, shown in the footer.
	Version string

	// Credits are shown in the footer: who must be named for the network data,
	// and with which link.
	Credits []Credit

	Logger *slog.Logger     // nil: slog.Default
	Now    func() time.Time // nil: time.Now

	// Budget is how long a page waits for its panels before it is sent without
	// the slow ones, which then load by themselves. Zero: 1 s.
	Budget time.Duration

	// Dev, if set, is the ui folder of a checkout: templates are then read from it
	// at every request, instead of those built into the binary.
	Dev fs.FS
}

// Reports answers what was counted. The methods are safe for concurrent use and
// return early when ctx ends.
type Reports interface {
	Totals(ctx context.Context, q report.Query) (report.Totals, error)

	// Series returns the buckets of [q.From, q.To) by time; ones with nothing in
	// them may be missing.
	Series(ctx context.Context, q report.Query, step report.Bucket) ([]report.Point, error)

	// Top returns the values of a dimension with the highest counts, highest
	// first, at most limit.
	Top(ctx context.Context, q report.Query, by report.Dimension, limit int) ([]report.Row, error)

	// Latest returns the newest events, newest first, at most limit; counted or
	// not.
	Latest(ctx context.Context, q report.Query, limit int) ([]report.Latest, error)
}

// Catalog is the part of a catalog view that pages read.
type Catalog interface {
	Version() uint64
	Count(kind catalog.Kind) int
	Package(id string) *catalog.Package // nil: none
	PackageByName(owner string, typ catalog.PackageType, name string) *catalog.Package
	Packages() iter.Seq[*catalog.Package]
	PackagesOf(owner string) iter.Seq[*catalog.Package]
	ServingDomain(name string) *catalog.Domain // nil: nobody's
}

// ErrRefused is returned (wrapped or as it is) by Access for a link or token
// that doesn't sign anybody in: unknown, used or expired. The page doesn't say
// which.
var ErrRefused = errors.New("link or token is not valid")

// Access knows who is who. Secrets are never logged.
type Access interface {
	// Redeem uses up a one-time sign-in link and makes a session. The session's
	// secret goes into the browser's cookie.
	Redeem(ctx context.Context, linkSecret, userAgent string) (sessionSecret string, expires time.Time, err error)

	// RedeemToken makes a session for the user of a bearer token. The token
	// stays valid.
	RedeemToken(ctx context.Context, token, userAgent string) (sessionSecret string, expires time.Time, err error)

	// Authenticate returns the user of a session that is valid now. It is called
	// for every request and must not block.
	Authenticate(sessionSecret string) (*catalog.User, bool)

	SignOut(ctx context.Context, sessionSecret string) error
}

// Live hands out arriving events.
type Live interface {
	// Subscribe returns a channel of events from now on and a function that ends
	// the subscription. A subscriber that doesn't keep up loses events rather
	// than holding up others. The channel is closed when the node shuts down.
	Subscribe() (<-chan report.Latest, func())
}

// Status is what an operator must know whatever page they look at.
type Status struct {
	Problems []Problem
}

// Problem is one thing that goes wrong now.
type Problem struct {
	Title   string // "recording stopped: disk full"
	Detail  string // what still works and what to do; may be empty
	Warning bool   // it may go wrong, but doesn't yet
}

// Cluster is the state of the cluster as this node sees it.
type Cluster struct {
	Members        []Member
	Leader         string // name of the leader; empty: none is known
	Quorum         bool   // configuration can be changed
	CatalogVersion uint64
}

// Member is one node.
type Member struct {
	ID             string
	Name           string
	Region         string
	Role           string // "leader", "voter", "replica"
	State          string // "alive", "suspect", "draining", "left", "dead"
	Version        string
	CatalogVersion uint64
	Self           bool      // the node that answers
	Started        time.Time // zero: unknown

	Pending   int64         // events in the node's stream that aren't stored for reports yet
	IngestLag time.Duration // age of the oldest of them
}

// Explanation says which rule serves a request, and why.
type Explanation struct {
	Host       string      // as the gateway reads it
	Owner      string      // the owner whose host it is; empty: a custom domain, or nobody's
	Summary    string      // the answer in a sentence or two
	Candidates []Candidate // in the order in which they are tried; the first that matches wins
	Location   string      // where the request is sent; empty: nowhere
}

// Candidate is one rule of an explanation.
type Candidate struct {
	Kind      string // "template", "regexp", "image", …
	Pattern   string // as its owner wrote it
	Owner     string
	PackageID string // may be empty
	Package   string // the package's name, without the owner's
	Matches   bool
	Wins      bool
	Why       string // a sentence
	Variables []Variable
}

// Variable is a name and its value.
type Variable struct {
	Name  string
	Value string
}

// Pixel is a tracking pixel with its snippets.
type Pixel struct {
	ID        string
	Owner     string
	Name      string // may be empty
	PackageID string // may be empty
	URL       string // of its image
	HTML      string // for pages and READMEs
	Markdown  string
	SPA       string // a script for single-page applications
}

// Gateway is where clients reach the gateway.
type Gateway struct {
	BaseDomain string // owner hosts are below it
	Scheme     string // "http" or "https"; empty: http
	Port       string // empty: the scheme's own
}

// Credit names a source of data.
type Credit struct {
	Text string
	URL  string // may be empty
}
