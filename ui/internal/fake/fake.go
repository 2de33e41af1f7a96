// Package fake holds doubles of everything that the ui asks for: for its tests,
// and to look at its pages without a node.
package fake

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"tallygate/analytics/report"
	"tallygate/cluster/catalog"
	"tallygate/ui"
)

// Reports is a struct of functions; a nil one answers with nothing.
type Reports struct {
	OnTotals func(ctx context.Context, q report.Query) (report.Totals, error)
	OnSeries func(ctx context.Context, q report.Query, step report.Bucket) ([]report.Point, error)
	OnTop    func(ctx context.Context, q report.Query, by report.Dimension, limit int) ([]report.Row, error)
	OnLatest func(ctx context.Context, q report.Query, limit int) ([]report.Latest, error)
}

// Totals implements ui.Reports.
func (r *Reports) Totals(ctx context.Context, q report.Query) (report.Totals, error) {
	if r.OnTotals == nil {
		return report.Totals{}, nil
	}
	return r.OnTotals(ctx, q)
}

// Series implements ui.Reports.
func (r *Reports) Series(ctx context.Context, q report.Query, step report.Bucket) ([]report.Point, error) {
	if r.OnSeries == nil {
		return nil, nil
	}
	return r.OnSeries(ctx, q, step)
}

// Top implements ui.Reports.
func (r *Reports) Top(ctx context.Context, q report.Query, by report.Dimension, limit int) ([]report.Row, error) {
	if r.OnTop == nil {
		return nil, nil
	}
	return r.OnTop(ctx, q, by, limit)
}

// Latest implements ui.Reports.
func (r *Reports) Latest(ctx context.Context, q report.Query, limit int) ([]report.Latest, error) {
	if r.OnLatest == nil {
		return nil, nil
	}
	return r.OnLatest(ctx, q, limit)
}

// Catalog is a list of packages, and the domains that serve.
type Catalog struct {
	All     []*catalog.Package
	Serving []*catalog.Domain
}

// Version implements ui.Catalog.
func (c *Catalog) Version() uint64 { return uint64(len(c.All)) }

// Count implements ui.Catalog.
func (c *Catalog) Count(kind catalog.Kind) int {
	if kind != catalog.KindPackage {
		return 0
	}
	return len(c.All)
}

// Package implements ui.Catalog.
func (c *Catalog) Package(id string) *catalog.Package {
	return c.find(func(p *catalog.Package) bool { return p.ID == id })
}

// PackageByName implements ui.Catalog.
func (c *Catalog) PackageByName(owner string, typ catalog.PackageType, name string) *catalog.Package {
	return c.find(func(p *catalog.Package) bool { return p.Owner == owner && p.Type == typ && p.Name == name })
}

// Packages implements ui.Catalog.
func (c *Catalog) Packages() iter.Seq[*catalog.Package] { return slices.Values(c.All) }

// PackagesOf implements ui.Catalog.
func (c *Catalog) PackagesOf(owner string) iter.Seq[*catalog.Package] {
	return func(yield func(*catalog.Package) bool) {
		for _, p := range c.All {
			if p.Owner == owner && !yield(p) {
				return
			}
		}
	}
}

// ServingDomain implements ui.Catalog.
func (c *Catalog) ServingDomain(name string) *catalog.Domain {
	for _, d := range c.Serving {
		if d.Name == name {
			return d
		}
	}
	return nil
}

func (c *Catalog) find(ok func(*catalog.Package) bool) *catalog.Package {
	if i := slices.IndexFunc(c.All, ok); i >= 0 {
		return c.All[i]
	}
	return nil
}

// The secrets that sign somebody in to Access.
const (
	OperatorToken = "operator-token"
	MemberToken   = "member-token"
	Link          = "one-time-link"
)

// Access knows an operator and a member, "acme". Its zero value is ready.
type Access struct {
	Fail error // returned by every change, if set

	mu       sync.Mutex // guards the rest
	sessions map[string]*catalog.User
	used     bool // the link
	made     int
}

// Redeem implements ui.Access.
func (a *Access) Redeem(_ context.Context, link, _ string) (string, time.Time, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.Fail == nil && (link != Link || a.used) {
		return "", time.Time{}, ui.ErrRefused
	}
	a.used = a.used || a.Fail == nil
	return a.start(&catalog.User{ID: "u1", Name: "operator", Operator: true})
}

// RedeemToken implements ui.Access.
func (a *Access) RedeemToken(_ context.Context, token, _ string) (string, time.Time, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch token {
	case OperatorToken:
		return a.start(&catalog.User{ID: "u1", Name: "operator", Operator: true})
	case MemberToken:
		return a.start(&catalog.User{ID: "u2", Name: "acme"})
	}
	return "", time.Time{}, errors.Join(a.Fail, ui.ErrRefused)
}

func (a *Access) start(u *catalog.User) (string, time.Time, error) {
	if a.Fail != nil {
		return "", time.Time{}, a.Fail
	}
	if a.sessions == nil {
		a.sessions = map[string]*catalog.User{}
	}
	a.made++
	secret := "session-" + u.Name + strings.Repeat("i", a.made)
	a.sessions[secret] = u
	return secret, time.Now().Add(24 * time.Hour), nil
}

// Authenticate implements ui.Access.
func (a *Access) Authenticate(secret string) (*catalog.User, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u, ok := a.sessions[secret]
	return u, ok
}

// SignOut implements ui.Access.
func (a *Access) SignOut(_ context.Context, secret string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.Fail != nil {
		return a.Fail
	}
	delete(a.sessions, secret)
	return nil
}

// Live hands out what Send is given. Its zero value is ready.
type Live struct {
	mu   sync.Mutex // guards subs
	subs map[chan report.Latest]bool
}

// Subscribe implements ui.Live.
func (l *Live) Subscribe() (<-chan report.Latest, func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.subs == nil {
		l.subs = map[chan report.Latest]bool{}
	}
	c := make(chan report.Latest, 16)
	l.subs[c] = true
	return c, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.subs, c)
	}
}

// Send gives an event to every subscriber that has room.
func (l *Live) Send(e report.Latest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.subs {
		select {
		case c <- e:
		default:
		}
	}
}

// Subscribers is how many there are.
func (l *Live) Subscribers() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.subs)
}

// Close ends every subscription, as at shutdown.
func (l *Live) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.subs {
		close(c)
	}
	l.subs = nil
}
