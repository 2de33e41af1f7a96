package catalog

import (
	"encoding/binary"
	"errors"
	"unsafe"

	"github.com/hashicorp/go-memdb"
)

// The tables beside one per kind.
const (
	appliedTable = "applied" // ids of the latest commands
	usesTable    = "uses"    // how many objects attach a domain name
)

// The names of indexes. Every index is unique: where the key alone is not, the
// id is part of it, and one owner's or one user's entries share a prefix.
const (
	byID      = "id"
	byName    = "name"    // the name, or owner, type and name
	byOwner   = "owner"   // owner, then what is unique within an owner
	byUser    = "user"    // user, then id
	byHash    = "hash"    // hash of a secret
	byPackage = "package" // package, then pixel
	byServed  = "served"  // host and image or python project
	byVersion = "version"
)

// kinds in the order of their dependence: an object refers only to kinds before
// its own. Snapshots are written in this order. A kind's place in the list is
// its number in snapshots: append only.
var kinds = [...]Kind{
	KindUser, KindOrganization, KindDomain, KindPackage, KindPixel,
	KindCollection, KindToken, KindSession, KindSignInLink,
}

// kindIndex is a kind's place in kinds, or -1.
func kindIndex(k Kind) int {
	for i, known := range kinds {
		if k == known {
			return i
		}
	}
	return -1
}

// applied remembers one applied command.
type applied struct {
	id      string
	version uint64
}

// use counts the objects of an owner that attach a domain name.
type use struct {
	key   string // owner, 0, domain name
	count int
}

// newDatabase makes the tables. Each index costs a package about 300 to 450
// bytes, so packages have only the two that every look-up needs; images and
// Python projects have a third, which keeps two of them from serving the same
// name on one host.
func newDatabase() *memdb.MemDB {
	table := func(name string, indexes ...*memdb.IndexSchema) *memdb.TableSchema {
		t := &memdb.TableSchema{Name: name, Indexes: make(map[string]*memdb.IndexSchema)}
		for _, index := range indexes {
			t.Indexes[index.Name] = index
		}
		return t
	}
	ofUser := index(byUser, func(o any) string {
		switch o := o.(type) {
		case *Token:
			return join(o.UserID, o.ID)
		case *Session:
			return join(o.UserID, o.ID)
		case *SignInLink:
			return join(o.UserID, o.ID)
		}
		return ""
	})
	ofHash := index(byHash, func(o any) string {
		switch o := o.(type) {
		case *Token:
			return o.Hash
		case *Session:
			return o.Hash
		case *SignInLink:
			return o.Hash
		}
		return ""
	})
	tables := []*memdb.TableSchema{
		table(string(KindUser), idIndex(),
			index(byName, func(o any) string { return o.(*User).Name })),
		table(string(KindOrganization), idIndex(),
			index(byName, func(o any) string { return o.(*Organization).Name })),
		table(string(KindDomain), idIndex(),
			index(byName, func(o any) string { d := o.(*Domain); return join(d.Name, d.Owner) }),
			index(byOwner, func(o any) string { d := o.(*Domain); return join(d.Owner, d.Name) })),
		table(string(KindPackage), idIndex(),
			index(byName, func(o any) string {
				p := o.(*Package)
				return join(p.Owner, string(p.Type), p.Name)
			}),
			&memdb.IndexSchema{Name: byServed, Unique: true, AllowMissing: true, Indexer: servedIndexer{}}),
		table(string(KindPixel), idIndex(),
			index(byOwner, func(o any) string { p := o.(*Pixel); return join(p.Owner, p.Name) }),
			index(byPackage, func(o any) string {
				p := o.(*Pixel)
				if p.PackageID == "" {
					return ""
				}
				return join(p.PackageID, p.ID)
			})),
		table(string(KindCollection), idIndex(),
			index(byOwner, func(o any) string {
				c := o.(*Collection)
				return join(c.Owner, c.Domain, c.Pattern)
			})),
		table(string(KindToken), idIndex(), ofUser, ofHash),
		table(string(KindSession), idIndex(), ofUser, ofHash),
		table(string(KindSignInLink), idIndex(), ofUser, ofHash),
		table(appliedTable,
			index(byID, func(o any) string { return o.(*applied).id }),
			index(byVersion, func(o any) string { return versionKey(o.(*applied).version) })),
		table(usesTable,
			index(byID, func(o any) string { return o.(*use).key })),
	}
	schema := &memdb.DBSchema{Tables: make(map[string]*memdb.TableSchema)}
	for _, t := range tables {
		schema.Tables[t.Name] = t
	}
	db, err := memdb.NewMemDB(schema)
	if err != nil {
		panic("catalog schema: " + err.Error()) // the schema is a constant: a mistake here fails every test
	}
	return db
}

func idIndex() *memdb.IndexSchema {
	return index(byID, func(o any) string { return o.(object).id() })
}

func index(name string, key func(any) string) *memdb.IndexSchema {
	return &memdb.IndexSchema{Name: name, Unique: true, AllowMissing: name != byID, Indexer: stringIndexer(key)}
}

// join makes a key of parts. No part may hold a zero byte, which the checks of
// text see to; so no key can be taken for another.
func join(parts ...string) string {
	n := len(parts) - 1
	for _, p := range parts {
		n += len(p)
	}
	b := make([]byte, 0, n)
	for i, p := range parts {
		if i > 0 {
			b = append(b, 0)
		}
		b = append(b, p...)
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func versionKey(v uint64) string {
	return string(binary.BigEndian.AppendUint64(nil, v))
}

// stringIndexer indexes an object by a string; "" leaves it out of the index.
//
// The index keeps the bytes of that very string, so an object's id is in memory
// once. memdb and its radix tree never write to a key of a unique index (they
// slice it; only keys of indexes that are not unique are appended to, which
// would copy, the capacity being the length).
type stringIndexer func(any) string

func (f stringIndexer) FromObject(o any) (bool, []byte, error) {
	key := f(o)
	return key != "", bytesOf(key), nil
}

func (f stringIndexer) FromArgs(args ...any) ([]byte, error) { return keyArg(args) }

func (f stringIndexer) PrefixFromArgs(args ...any) ([]byte, error) { return keyArg(args) }

// servedIndexer indexes a package by each name under which it is served.
type servedIndexer struct{}

func (servedIndexer) FromObject(o any) (bool, [][]byte, error) {
	keys := o.(*Package).servedKeys()
	out := make([][]byte, len(keys))
	for i, k := range keys {
		out[i] = bytesOf(k)
	}
	return len(keys) > 0, out, nil
}

func (servedIndexer) FromArgs(args ...any) ([]byte, error) { return keyArg(args) }

var errKeyArg = errors.New("a key is one string")

func keyArg(args []any) ([]byte, error) {
	if len(args) == 1 {
		if s, ok := args[0].(string); ok {
			return bytesOf(s), nil
		}
	}
	return nil, errKeyArg
}

// bytesOf is the string's own memory: read only.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
