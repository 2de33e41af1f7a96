// Package access is who may do what on the admin side: it signs people in, and
// turns a request's cookie, token or socket into an identity. All of it is in the
// catalog, so a session or token is good on every node.
package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"tallygate/cluster/catalog"
)

// Catalog is what access asks of the cluster.
type Catalog interface {
	View() *catalog.View
	Propose(ctx context.Context, cmd *catalog.Command) (catalog.Result, error)
}

// Errors that callers decide on.
var (
	// ErrUnknownSecret is returned for a link or token that is unknown, used up
	// or expired; which of them is not told.
	ErrUnknownSecret = errors.New("this link or token is unknown, was used already, or has expired")
)

// How long secrets live.
const (
	SessionLifetime = 30 * 24 * time.Hour
	LinkLifetime    = 24 * time.Hour
)

// OperatorName is the user that the first set-up link signs in.
const OperatorName = "operator"

// Control signs people in and recognises them. It is safe for concurrent use.
type Control struct {
	catalog Catalog
	now     func() time.Time
}

// New makes a Control. A nil now is time.Now.
func New(c Catalog, now func() time.Time) *Control {
	if now == nil {
		now = time.Now
	}
	return &Control{catalog: c, now: now}
}

// Prefixes of secrets, so that a leaked one is recognised for what it is.
const (
	linkPrefix    = "tgl_"
	sessionPrefix = "tgs_"
	tokenPrefix   = "tgt_"
)

// NewSecret makes a secret of 256 random bits and the hash that is kept of it.
func NewSecret(prefix string) (secret, hash string) {
	var b [32]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never fails since Go 1.24
	secret = prefix + base64.RawURLEncoding.EncodeToString(b[:])
	return secret, Hash(secret)
}

// Hash is how a secret is kept: its SHA-256 in hex. Secrets are random, so a
// plain hash can't be tried.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Command wraps operations for an actor, with id and time of the proposer.
func (c *Control) Command(actor catalog.Actor, ops ...catalog.Op) *catalog.Command {
	return catalog.NewCommand(c.now(), actor, ops...)
}

// propose returns a refusal as an error.
func (c *Control) propose(ctx context.Context, cmd *catalog.Command) error {
	result, err := c.catalog.Propose(ctx, cmd)
	if err != nil {
		return err
	}
	return result.Err()
}

// NewSignInLink makes a one-time secret that signs in the named user. A missing
// operator is created; other users must exist.
func (c *Control) NewSignInLink(ctx context.Context, actor catalog.Actor, userName string) (secret string, expires time.Time, err error) {
	user := c.catalog.View().UserByName(userName)
	var ops []catalog.Op
	if user == nil {
		if userName != OperatorName {
			return "", time.Time{}, fmt.Errorf("there is no user %q", userName)
		}
		user = &catalog.User{ID: catalog.NewID(), Name: OperatorName, Operator: true}
		ops = append(ops, catalog.Op{User: user, IfVersion: new(uint64)})
	}
	secret, hash := NewSecret(linkPrefix)
	expires = c.now().Add(LinkLifetime).UTC()
	ops = append(ops, catalog.Op{SignInLink: &catalog.SignInLink{ID: catalog.NewID(), UserID: user.ID, Hash: hash, ExpiresAt: expires}})
	return secret, expires, c.propose(ctx, c.Command(actor, ops...))
}

// NewToken makes an API token of the named user. The secret is shown once and
// only its hash is kept. A zero expiry is never.
func (c *Control) NewToken(ctx context.Context, actor catalog.Actor, userName, name string, scopes []catalog.Scope, expires time.Time) (secret string, err error) {
	secret, _ = NewSecret(tokenPrefix)
	return secret, c.AddToken(ctx, actor, userName, name, secret, scopes, expires)
}

// AddToken keeps a token whose secret the caller chose.
func (c *Control) AddToken(ctx context.Context, actor catalog.Actor, userName, name, secret string, scopes []catalog.Scope, expires time.Time) error {
	user := c.catalog.View().UserByName(userName)
	var ops []catalog.Op
	if user == nil {
		if userName != OperatorName {
			return fmt.Errorf("there is no user %q", userName)
		}
		user = &catalog.User{ID: catalog.NewID(), Name: OperatorName, Operator: true}
		ops = append(ops, catalog.Op{User: user, IfVersion: new(uint64)})
	}
	ops = append(ops, catalog.Op{Token: &catalog.Token{
		ID: catalog.NewID(), UserID: user.ID, Name: name, Hash: Hash(secret), Scopes: scopes, ExpiresAt: expires,
	}})
	return c.propose(ctx, c.Command(actor, ops...))
}

// Redeem uses up a sign-in link and opens a session. Of two that redeem one link
// at the same time, on whatever nodes, one succeeds: the link's deletion carries
// its version as precondition.
func (c *Control) Redeem(ctx context.Context, secret, userAgent string) (sessionSecret string, expires time.Time, err error) {
	if !strings.HasPrefix(secret, linkPrefix) {
		return "", time.Time{}, ErrUnknownSecret
	}
	view := c.catalog.View()
	link := view.SignInLinkByHash(Hash(secret))
	if link == nil || c.expired(link.ExpiresAt) {
		return "", time.Time{}, ErrUnknownSecret
	}
	user := view.User(link.UserID)
	if user == nil {
		return "", time.Time{}, ErrUnknownSecret
	}
	version := link.Version
	sessionSecret, expires, op := c.session(user, userAgent)
	cmd := c.Command(actorOf(user),
		catalog.Op{Delete: &catalog.Ref{Kind: catalog.KindSignInLink, ID: link.ID}, IfVersion: &version},
		op)
	result, err := c.catalog.Propose(ctx, cmd)
	if err != nil {
		return "", time.Time{}, err
	}
	if len(result.Errors) > 0 {
		return "", time.Time{}, ErrUnknownSecret
	}
	return sessionSecret, expires, nil
}

// RedeemToken opens a session for the holder of an API token of an operator.
func (c *Control) RedeemToken(ctx context.Context, secret, userAgent string) (sessionSecret string, expires time.Time, err error) {
	id, ok := c.Token(secret)
	if !ok || !id.User.Operator {
		return "", time.Time{}, ErrUnknownSecret
	}
	sessionSecret, expires, op := c.session(id.User, userAgent)
	return sessionSecret, expires, c.propose(ctx, c.Command(id.Actor(""), op))
}

func (c *Control) session(user *catalog.User, userAgent string) (secret string, expires time.Time, op catalog.Op) {
	secret, hash := NewSecret(sessionPrefix)
	expires = c.now().Add(SessionLifetime).UTC()
	if len(userAgent) > 200 {
		userAgent = userAgent[:200]
	}
	return secret, expires, catalog.Op{Session: &catalog.Session{
		ID: catalog.NewID(), UserID: user.ID, Hash: hash, UserAgent: strings.ToValidUTF8(userAgent, "�"), ExpiresAt: expires,
	}}
}

// Authenticate recognises a session.
func (c *Control) Authenticate(sessionSecret string) (*catalog.User, bool) {
	if !strings.HasPrefix(sessionSecret, sessionPrefix) {
		return nil, false
	}
	view := c.catalog.View()
	s := view.SessionByHash(Hash(sessionSecret))
	if s == nil || c.expired(s.ExpiresAt) {
		return nil, false
	}
	user := view.User(s.UserID)
	return user, user != nil
}

// SignOut ends a session on every node. An unknown session is no error.
func (c *Control) SignOut(ctx context.Context, sessionSecret string) error {
	view := c.catalog.View()
	s := view.SessionByHash(Hash(sessionSecret))
	if s == nil {
		return nil
	}
	actor := catalog.Actor{Kind: "node"}
	if user := view.User(s.UserID); user != nil {
		actor = actorOf(user)
	}
	return c.propose(ctx, c.Command(actor, catalog.Op{Delete: &catalog.Ref{Kind: catalog.KindSession, ID: s.ID}}))
}

// Token recognises an API token.
func (c *Control) Token(secret string) (Identity, bool) {
	view := c.catalog.View()
	t := view.TokenByHash(Hash(secret))
	if t == nil || c.expired(t.ExpiresAt) {
		return Identity{}, false
	}
	user := view.User(t.UserID)
	if user == nil {
		return Identity{}, false
	}
	return Identity{User: user, Token: t}, true
}

func (c *Control) expired(at time.Time) bool {
	return !at.IsZero() && !c.now().Before(at)
}

func actorOf(u *catalog.User) catalog.Actor {
	return catalog.Actor{Kind: "user", ID: u.ID, Name: u.Name, Operator: u.Operator}
}
