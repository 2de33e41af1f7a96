package catalog

import (
	"io"
	"iter"

	"github.com/hashicorp/go-memdb"
)

// View is the catalog at one version. It is immutable, cheap to take and safe
// for concurrent use. Look-ups return nil for what isn't there; the objects are
// shared and must not be modified. A view keeps its version's objects in
// memory: don't hold one longer than needed.
type View struct {
	txn     *memdb.Txn
	version uint64
	digest  [32]byte
}

func emptyView() *View { return &View{} }

// Version counts the commands applied so far, without gaps.
func (v *View) Version() uint64 { return v.version }

// Digest is the SHA-256 chain over the commands applied so far: two replicas
// with one digest hold the same state.
func (v *View) Digest() [32]byte { return v.digest }

// Count is the number of objects of a kind.
func (v *View) Count(k Kind) int { return 0 }

// Object is the object of a kind with an id, as a pointer to its type; nil if
// there is none.
func (v *View) Object(k Kind, id string) any { return nil }

// HasOwner says whether an organization or a user has this name.
func (v *View) HasOwner(name string) bool {
	return v.Organization(name) != nil || v.UserByName(name) != nil
}

// Organization finds an organization by its name.
func (v *View) Organization(name string) *Organization { return nil }

// OrganizationByID finds an organization by its id.
func (v *View) OrganizationByID(id string) *Organization { return nil }

// Organizations yields every organization, by name.
func (v *View) Organizations() iter.Seq[*Organization] { return nil }

// User finds a user by id.
func (v *View) User(id string) *User { return nil }

// UserByName finds a user by name.
func (v *View) UserByName(name string) *User { return nil }

// Users yields every user, by name.
func (v *View) Users() iter.Seq[*User] { return nil }

// Package finds a package by its id.
func (v *View) Package(id string) *Package { return nil }

// PackageByName finds a package by what makes it unique beside its id.
func (v *View) PackageByName(owner string, t PackageType, name string) *Package { return nil }

// Packages yields every package, by owner, type and name.
func (v *View) Packages() iter.Seq[*Package] { return nil }

// PackagesOf yields the packages of an owner, by type and name.
func (v *View) PackagesOf(owner string) iter.Seq[*Package] { return nil }

// Domain finds a claim by its id.
func (v *View) Domain(id string) *Domain { return nil }

// Claim finds an owner's claim on a domain name.
func (v *View) Claim(owner, name string) *Domain { return nil }

// Claims yields all claims on a domain name, by owner.
func (v *View) Claims(name string) iter.Seq[*Domain] { return nil }

// ServingDomain finds the one claim on a name that serves; nil if none does.
func (v *View) ServingDomain(name string) *Domain { return nil }

// Domains yields every claim, by domain name and owner.
func (v *View) Domains() iter.Seq[*Domain] { return nil }

// DomainsOf yields the claims of an owner, by domain name.
func (v *View) DomainsOf(owner string) iter.Seq[*Domain] { return nil }

// Pixel finds a pixel by its id.
func (v *View) Pixel(id string) *Pixel { return nil }

// Pixels yields every pixel, by owner and name.
func (v *View) Pixels() iter.Seq[*Pixel] { return nil }

// PixelsOf yields the pixels of an owner, by name.
func (v *View) PixelsOf(owner string) iter.Seq[*Pixel] { return nil }

// PixelsOfPackage yields the pixels that belong to a package.
func (v *View) PixelsOfPackage(packageID string) iter.Seq[*Pixel] { return nil }

// Collection finds a collection by its id.
func (v *View) Collection(id string) *Collection { return nil }

// Collections yields every collection, by owner, domain and pattern.
func (v *View) Collections() iter.Seq[*Collection] { return nil }

// CollectionsOf yields the collections of an owner, by domain and pattern.
func (v *View) CollectionsOf(owner string) iter.Seq[*Collection] { return nil }

// Token finds a token by its id.
func (v *View) Token(id string) *Token { return nil }

// TokenByHash finds a token by the SHA-256 of its secret, in hex.
func (v *View) TokenByHash(hex string) *Token { return nil }

// Tokens yields every token, by user.
func (v *View) Tokens() iter.Seq[*Token] { return nil }

// TokensOf yields the tokens of a user.
func (v *View) TokensOf(userID string) iter.Seq[*Token] { return nil }

// Session finds a session by its id.
func (v *View) Session(id string) *Session { return nil }

// SessionByHash finds a session by the SHA-256 of its cookie's secret, in hex.
func (v *View) SessionByHash(hex string) *Session { return nil }

// Sessions yields every session, by user.
func (v *View) Sessions() iter.Seq[*Session] { return nil }

// SessionsOf yields the sessions of a user.
func (v *View) SessionsOf(userID string) iter.Seq[*Session] { return nil }

// SignInLink finds a sign-in link by its id.
func (v *View) SignInLink(id string) *SignInLink { return nil }

// SignInLinkByHash finds a sign-in link by the SHA-256 of its secret, in hex.
func (v *View) SignInLinkByHash(hex string) *SignInLink { return nil }

// SignInLinks yields every sign-in link, by user.
func (v *View) SignInLinks() iter.Seq[*SignInLink] { return nil }

// SignInLinksOf yields the sign-in links of a user.
func (v *View) SignInLinksOf(userID string) iter.Seq[*SignInLink] { return nil }

// Applied says whether a command with this id was applied, among the latest
// [RememberedCommands], and the version it made.
func (v *View) Applied(commandID string) (version uint64, ok bool) { return 0, false }

// WriteSnapshot writes the view for [Store.Restore] to read. It streams: memory
// does not grow with the catalog.
func (v *View) WriteSnapshot(w io.Writer) error { return nil }
