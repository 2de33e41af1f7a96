package catalog

import "time"

// Token is a bearer credential, kept as a hash.
type Token struct {
	ID     string  `json:"id"`
	UserID string  `json:"user_id"`
	Name   string  `json:"name"`
	Hash   string  `json:"hash"` // SHA-256 of the secret, hex
	Scopes []Scope `json:"scopes"`

	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: never
	Meta
}

// Scope is one right of a token.
type Scope string

// The scopes of tokens.
const (
	ScopeRead    Scope = "read"
	ScopeWrite   Scope = "write"
	ScopeExport  Scope = "export"
	ScopeSQL     Scope = "sql"
	ScopeCluster Scope = "cluster"
)

// Session is a signed-in browser, valid on every node.
type Session struct {
	ID        string    `json:"id"`
	UserID    string    `json:"user_id"`
	Hash      string    `json:"hash"` // SHA-256 of the cookie's secret, hex
	UserAgent string    `json:"user_agent,omitempty"`
	ExpiresAt time.Time `json:"expires_at"`

	Meta
}

// SignInLink lets its holder sign in once. The first one, made by the first
// node, is the set-up link of the cluster's operator.
type SignInLink struct {
	ID        string    `json:"id"`
	UserID    string    `json:"user_id"`
	Hash      string    `json:"hash"` // SHA-256 of the link's secret, hex
	ExpiresAt time.Time `json:"expires_at,omitzero"`

	Meta
}

func (t *Token) kind() Kind                  { return KindToken }
func (t *Token) id() string                  { return t.ID }
func (t *Token) label() string               { return t.Name }
func (t *Token) meta() *Meta                 { return &t.Meta }
func (t *Token) clone() object               { c := *t; return &c }
func (t *Token) attached() []string          { return nil }
func (t *Token) follow(*transaction, object) {}

func (t *Token) check(c *checker, _ object) {
	c.user(t.UserID)
	c.required("name", t.Name, MaxNameBytes)
	if other := c.tx.TokenByHash(t.Hash); c.sha256Hex("hash", t.Hash) && other != nil {
		c.unusedHash(other.ID == t.ID)
	}
	c.count("scopes", len(t.Scopes), 5)
	for i, s := range t.Scopes {
		switch s {
		case ScopeRead, ScopeWrite, ScopeExport, ScopeSQL, ScopeCluster:
		default:
			c.fail(at("scopes", i, ""), CodeScopeInvalid, "%s is not a scope; use read, write, export, sql or cluster", quoted(string(s)))
		}
	}
	c.time("expires_at", t.ExpiresAt)
	t.ExpiresAt = t.ExpiresAt.UTC()
}

func (s *Session) kind() Kind                  { return KindSession }
func (s *Session) id() string                  { return s.ID }
func (s *Session) label() string               { return s.ID }
func (s *Session) meta() *Meta                 { return &s.Meta }
func (s *Session) clone() object               { c := *s; return &c }
func (s *Session) attached() []string          { return nil }
func (s *Session) follow(*transaction, object) {}

func (s *Session) check(c *checker, _ object) {
	c.user(s.UserID)
	if other := c.tx.SessionByHash(s.Hash); c.sha256Hex("hash", s.Hash) && other != nil {
		c.unusedHash(other.ID == s.ID)
	}
	c.text("user_agent", s.UserAgent, MaxDescriptionBytes)
	if s.ExpiresAt.IsZero() {
		c.fail("expires_at", CodeFieldIsEmpty, "must be set: sessions end")
	} else {
		c.time("expires_at", s.ExpiresAt)
	}
	s.ExpiresAt = s.ExpiresAt.UTC()
}

func (l *SignInLink) kind() Kind                  { return KindSignInLink }
func (l *SignInLink) id() string                  { return l.ID }
func (l *SignInLink) label() string               { return l.ID }
func (l *SignInLink) meta() *Meta                 { return &l.Meta }
func (l *SignInLink) clone() object               { c := *l; return &c }
func (l *SignInLink) attached() []string          { return nil }
func (l *SignInLink) follow(*transaction, object) {}

func (l *SignInLink) check(c *checker, _ object) {
	c.user(l.UserID)
	if other := c.tx.SignInLinkByHash(l.Hash); c.sha256Hex("hash", l.Hash) && other != nil {
		c.unusedHash(other.ID == l.ID)
	}
	c.time("expires_at", l.ExpiresAt)
	l.ExpiresAt = l.ExpiresAt.UTC()
}

// user checks that a credential belongs to someone.
func (c *checker) user(id string) {
	if c.tx.User(id) == nil {
		c.fail("user_id", CodeUserNotFound, "there is no user with the id %s", quoted(id))
	}
}

func (c *checker) unusedHash(own bool) {
	if !own {
		c.fail("hash", CodeHashInUse, "is that of another credential; make a new secret")
	}
}
