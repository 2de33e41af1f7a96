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
