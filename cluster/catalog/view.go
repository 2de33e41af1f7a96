package catalog

import (
	"iter"

	"github.com/hashicorp/go-memdb"
)

// View is the catalog at one version. It is immutable, cheap to take and safe
// for concurrent use. Look-ups return nil for what isn't there; the objects are
// shared and must not be modified. A view keeps its version's objects in
// memory: don't hold one longer than needed.
type View struct {
	db      *memdb.MemDB // never written to once the view is handed out
	txn     *memdb.Txn   // a read transaction on db
	version uint64
	digest  [32]byte
	counts  [len(kinds)]int
}

// newView makes a view of a database that nobody writes to any more.
func newView(db *memdb.MemDB) *View {
	return &View{db: db, txn: db.Txn(false)}
}

// Version counts the commands applied so far, without gaps.
func (v *View) Version() uint64 { return v.version }

// Digest is the SHA-256 chain over the commands applied so far: two replicas
// with one digest hold the same state.
func (v *View) Digest() [32]byte { return v.digest }

// Count is the number of objects of a kind.
func (v *View) Count(k Kind) int {
	if i := kindIndex(k); i >= 0 {
		return v.counts[i]
	}
	return 0
}

// Object finds an object of any kind by its id, as a pointer to its type.
func (v *View) Object(k Kind, id string) any {
	if o := v.find(k, id); o != nil {
		return o
	}
	return nil
}

// Applied says whether a command with this id was applied, among the latest
// [RememberedCommands], and the version it made.
func (v *View) Applied(commandID string) (version uint64, ok bool) {
	if raw := v.first(appliedTable, byID, commandID); raw != nil {
		return raw.(*applied).version, true
	}
	return 0, false
}

// HasOwner says whether an organization or a user has this name.
func (v *View) HasOwner(name string) bool {
	_, ok := v.ownerName(name)
	return ok
}

// ownerName finds an owner and gives the name as the owner's object holds it,
// for others to share its memory.
func (v *View) ownerName(name string) (string, bool) {
	if o := v.Organization(name); o != nil {
		return o.Name, true
	}
	if u := v.UserByName(name); u != nil {
		return u.Name, true
	}
	return "", false
}

// Organization finds an organization by its name.
func (v *View) Organization(name string) *Organization {
	return get[Organization](v, KindOrganization, byName, name)
}

// OrganizationByID finds an organization by its id.
func (v *View) OrganizationByID(id string) *Organization {
	return get[Organization](v, KindOrganization, byID, id)
}

// Organizations yields every organization, by name.
func (v *View) Organizations() iter.Seq[*Organization] {
	return list[Organization](v, KindOrganization, byName, "")
}

// User finds a user by id.
func (v *View) User(id string) *User { return get[User](v, KindUser, byID, id) }

// UserByName finds a user by name.
func (v *View) UserByName(name string) *User { return get[User](v, KindUser, byName, name) }

// Users yields every user, by name.
func (v *View) Users() iter.Seq[*User] { return list[User](v, KindUser, byName, "") }

// Package finds a package by its id.
func (v *View) Package(id string) *Package { return get[Package](v, KindPackage, byID, id) }

// PackageByName finds a package by what makes it unique beside its id.
func (v *View) PackageByName(owner string, t PackageType, name string) *Package {
	return get[Package](v, KindPackage, byName, join(owner, string(t), name))
}

// Packages yields every package, by owner, type and name.
func (v *View) Packages() iter.Seq[*Package] { return list[Package](v, KindPackage, byName, "") }

// PackagesOf yields the packages of an owner, by type and name.
func (v *View) PackagesOf(owner string) iter.Seq[*Package] {
	return list[Package](v, KindPackage, byName, join(owner, ""))
}

// Domain finds a claim by its id.
func (v *View) Domain(id string) *Domain { return get[Domain](v, KindDomain, byID, id) }

// Claim finds an owner's claim on a domain name.
func (v *View) Claim(owner, name string) *Domain {
	return get[Domain](v, KindDomain, byOwner, join(owner, name))
}

// Claims yields all claims on a domain name, by owner.
func (v *View) Claims(name string) iter.Seq[*Domain] {
	return list[Domain](v, KindDomain, byName, join(name, ""))
}

// ServingDomain finds the one claim on a name that serves; nil if none does.
func (v *View) ServingDomain(name string) *Domain {
	for d := range v.Claims(name) {
		if d.State.Serves() {
			return d
		}
	}
	return nil
}

// Domains yields every claim, by domain name and owner.
func (v *View) Domains() iter.Seq[*Domain] { return list[Domain](v, KindDomain, byName, "") }

// DomainsOf yields the claims of an owner, by domain name.
func (v *View) DomainsOf(owner string) iter.Seq[*Domain] {
	return list[Domain](v, KindDomain, byOwner, join(owner, ""))
}

// Pixel finds a pixel by its id.
func (v *View) Pixel(id string) *Pixel { return get[Pixel](v, KindPixel, byID, id) }

// PixelByName finds a pixel by its owner and name.
func (v *View) PixelByName(owner, name string) *Pixel {
	return get[Pixel](v, KindPixel, byOwner, join(owner, name))
}

// Pixels yields every pixel, by owner and name.
func (v *View) Pixels() iter.Seq[*Pixel] { return list[Pixel](v, KindPixel, byOwner, "") }

// PixelsOf yields the pixels of an owner, by name.
func (v *View) PixelsOf(owner string) iter.Seq[*Pixel] {
	return list[Pixel](v, KindPixel, byOwner, join(owner, ""))
}

// PixelsOfPackage yields the pixels that belong to a package.
func (v *View) PixelsOfPackage(packageID string) iter.Seq[*Pixel] {
	return list[Pixel](v, KindPixel, byPackage, join(packageID, ""))
}

// Collection finds a collection by its id.
func (v *View) Collection(id string) *Collection {
	return get[Collection](v, KindCollection, byID, id)
}

// Collections yields every collection, by owner, domain and pattern.
func (v *View) Collections() iter.Seq[*Collection] {
	return list[Collection](v, KindCollection, byOwner, "")
}

// CollectionsOf yields the collections of an owner, by domain and pattern.
func (v *View) CollectionsOf(owner string) iter.Seq[*Collection] {
	return list[Collection](v, KindCollection, byOwner, join(owner, ""))
}

// Token finds a token by its id.
func (v *View) Token(id string) *Token { return get[Token](v, KindToken, byID, id) }

// TokenByHash finds a token by the SHA-256 of its secret, in hex.
func (v *View) TokenByHash(hex string) *Token { return get[Token](v, KindToken, byHash, hex) }

// Tokens yields every token, by user.
func (v *View) Tokens() iter.Seq[*Token] { return list[Token](v, KindToken, byUser, "") }

// TokensOf yields the tokens of a user.
func (v *View) TokensOf(userID string) iter.Seq[*Token] {
	return list[Token](v, KindToken, byUser, join(userID, ""))
}

// Session finds a session by its id.
func (v *View) Session(id string) *Session { return get[Session](v, KindSession, byID, id) }

// SessionByHash finds a session by the SHA-256 of its cookie's secret, in hex.
func (v *View) SessionByHash(hex string) *Session {
	return get[Session](v, KindSession, byHash, hex)
}

// Sessions yields every session, by user.
func (v *View) Sessions() iter.Seq[*Session] { return list[Session](v, KindSession, byUser, "") }

// SessionsOf yields the sessions of a user.
func (v *View) SessionsOf(userID string) iter.Seq[*Session] {
	return list[Session](v, KindSession, byUser, join(userID, ""))
}

// SignInLink finds a sign-in link by its id.
func (v *View) SignInLink(id string) *SignInLink {
	return get[SignInLink](v, KindSignInLink, byID, id)
}

// SignInLinkByHash finds a sign-in link by the SHA-256 of its secret, in hex.
func (v *View) SignInLinkByHash(hex string) *SignInLink {
	return get[SignInLink](v, KindSignInLink, byHash, hex)
}

// SignInLinks yields every sign-in link, by user.
func (v *View) SignInLinks() iter.Seq[*SignInLink] {
	return list[SignInLink](v, KindSignInLink, byUser, "")
}

// SignInLinksOf yields the sign-in links of a user.
func (v *View) SignInLinksOf(userID string) iter.Seq[*SignInLink] {
	return list[SignInLink](v, KindSignInLink, byUser, join(userID, ""))
}

// find is the object of a kind with an id, or a nil interface.
func (v *View) find(k Kind, id string) object {
	if kindIndex(k) < 0 {
		return nil
	}
	if raw := v.first(string(k), byID, id); raw != nil {
		return raw.(object)
	}
	return nil
}

// first looks a unique key up. Nothing has the empty key, which memdb would take
// for "the first of all". It fails only on tables and indexes that the schema
// doesn't have.
func (v *View) first(table, index, key string) any {
	if key == "" {
		return nil
	}
	raw, err := v.txn.First(table, index, key)
	if err != nil {
		panic("catalog: " + err.Error())
	}
	return raw
}

func get[T any](v *View, k Kind, index, key string) *T {
	obj, _ := v.first(string(k), index, key).(*T)
	return obj
}

// list yields the objects whose key begins with a prefix, in the order of keys.
func list[T any](v *View, k Kind, index, prefix string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		it, err := v.txn.Get(string(k), index, prefix)
		if err != nil {
			panic("catalog: " + err.Error())
		}
		for raw := it.Next(); raw != nil; raw = it.Next() {
			if !yield(raw.(*T)) {
				return
			}
		}
	}
}
