package catalog

import "time"

// Format is the newest format of commands and snapshots that this build writes
// and reads. A node refuses a command of a newer format.
const Format = 1

// Kind names a table of the catalog.
type Kind string

// The kinds of objects.
const (
	KindOrganization Kind = "organization"
	KindUser         Kind = "user"
	KindPackage      Kind = "package"
	KindDomain       Kind = "domain"
	KindPixel        Kind = "pixel"
	KindCollection   Kind = "collection"
	KindToken        Kind = "token"
	KindSession      Kind = "session"
	KindSignInLink   Kind = "sign-in-link"
)

// Command is one atomic change of the catalog: all of its operations take
// effect, or none does.
type Command struct {
	Format int       `json:"format"`
	ID     string    `json:"id"`    // chosen by the proposer; applying it again answers as the first time
	Time   time.Time `json:"time"`  // the proposer's clock, UTC: becomes CreatedAt and UpdatedAt
	Actor  Actor     `json:"actor"` // who asked, for the audit log
	Ops    []Op      `json:"ops"`
}

// Actor is who a change is made for.
type Actor struct {
	Kind      string `json:"kind"` // "user", "token", "local" (the node's socket), "node"
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	Operator  bool   `json:"operator,omitempty"`
	RequestID string `json:"request_id,omitempty"`
}

// Op puts or deletes one object. Exactly one of the pointers, or Delete, is set.
type Op struct {
	Organization *Organization `json:"organization,omitempty"`
	User         *User         `json:"user,omitempty"`
	Package      *Package      `json:"package,omitempty"`
	Domain       *Domain       `json:"domain,omitempty"`
	Pixel        *Pixel        `json:"pixel,omitempty"`
	Collection   *Collection   `json:"collection,omitempty"`
	Token        *Token        `json:"token,omitempty"`
	Session      *Session      `json:"session,omitempty"`
	SignInLink   *SignInLink   `json:"sign_in_link,omitempty"`

	Delete *Ref `json:"delete,omitempty"`

	// IfVersion is a precondition on the object's Version: nil, none; zero, the
	// object must not exist yet; else it must be at this version.
	IfVersion *uint64 `json:"if_version,omitempty"`
}

// Ref names one object.
type Ref struct {
	Kind Kind   `json:"kind"`
	ID   string `json:"id"`
}

// Result is the answer to a command, the same on every node.
type Result struct {
	Version uint64   `json:"version"` // the catalog's version after the command; unchanged when refused
	Errors  []*Error `json:"errors,omitempty"`
}

// Change is one object before and after a command. Before is nil for a new
// object and After for a deleted one; both are pointers to catalog types.
type Change struct {
	Kind   Kind
	ID     string
	Before any
	After  any
}

// Error says what is wrong with one field of one object, and what to do.
type Error struct {
	Code    Code   `json:"code"`
	Op      int    `json:"op"` // index into Command.Ops
	Kind    Kind   `json:"kind,omitempty"`
	Object  string `json:"object,omitempty"` // the object as a person names it: "acme/rocket"
	Field   string `json:"field,omitempty"`  // "routes[2].outgoing_url"
	Message string `json:"message"`          // what is wrong and how to mend it, lower case
}

func (e *Error) Error() string {
	s := e.Message
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Object != "" {
		s = string(e.Kind) + " " + e.Object + ": " + s
	}
	return s
}

// Code classes errors for callers; the codes of the public API are among them.
type Code string
