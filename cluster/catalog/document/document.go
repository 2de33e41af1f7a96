package document

import (
	"strings"

	"tallygate/cluster/catalog"
	"tallygate/cluster/catalog/document/syntax"
)

// Problem is one mistake of a file: where it is, what is wrong and how to mend
// it. Its Error reads "FILE:LINE:COLUMN: PATH: MESSAGE; FIX".
type Problem = syntax.Problem

// Document is the wanted state that a file describes. Its objects carry no ids
// and times but those that the file names; [Document.Plan] finds or makes them.
type Document struct {
	Name string // of the file, for messages

	Organizations []Organization
	Users         []User
	Domains       []Domain
	Packages      []Package
	Collections   []Collection
	Pixels        []Pixel

	// Problems are the mistakes found while reading. A document with any is
	// never planned, but the rest of it is checked, so that the author learns of
	// everything at once.
	Problems []*Problem
}

// Organization is a wanted organization.
type Organization struct {
	catalog.Organization
	Place

	// IfMissing: make the organization when there is no owner of its name, and
	// leave it alone otherwise.
	IfMissing bool
}

// User is a wanted user.
type User struct {
	catalog.User
	Place
}

// Domain is a wanted claim. State is [catalog.Asserted], which a claim that
// serves already satisfies, or [catalog.Pending], which any claim does. Empty: as
// much as the one who applies the document may.
type Domain struct {
	catalog.Domain
	Place
}

// Package is a wanted package. The domains and routes in it carry no ids.
type Package struct {
	catalog.Package
	Place

	// SoftID: ID is only what a new package is to be called. A package with the
	// same owner, type and name keeps the id it has.
	SoftID bool
}

// Collection is a wanted collection.
type Collection struct {
	catalog.Collection
	Place

	// SoftID: as for packages, with owner, domain and pattern.
	SoftID bool
}

// Pixel is a wanted pixel.
type Pixel struct {
	catalog.Pixel
	Place

	// Package names the package that the pixel belongs to, within its owner:
	// "NAME", or "TYPE/NAME" where one name has several types. Empty: PackageID.
	Package string
}

// Place is where a wanted object and its fields stand in the file.
type Place struct {
	Path         string // "packages[3]"
	Line, Column int

	marks  []mark
	broken bool // a problem was reported: don't judge it further
}

// mark is the place of one field. Thousands of objects have the same fields, so
// the strings are shared where they can be.
type mark struct {
	field        string // as the catalog calls it: "image.registry"
	shown        string // as the file calls it: ".backend_registry", or a whole path; empty: "." + field
	line, column int32
}

// Mark remembers where a field stands. field is its path in the catalog's object
// ("image.registry"), shown what the file calls it: below the object's path when
// it starts with a dot, else as it is; empty: the same as field.
func (p *Place) Mark(field, shown string, line, column int) {
	p.marks = append(p.marks, mark{field, shown, int32(line), int32(column)})
}

// Break keeps the object from being judged: it is known to be wrong already.
func (p *Place) Break() { p.broken = true }

// Find gives the place of a field of the catalog's object, or of the nearest
// enclosing one that is known; at last that of the object itself.
func (p *Place) Find(field string) (path string, line, column int) {
	for field != "" {
		for _, m := range p.marks {
			if m.field != field {
				continue
			}
			path := m.shown
			switch {
			case path == "":
				path = p.Path + "." + field
			case path[0] == '.':
				path = p.Path + path
			}
			return path, int(m.line), int(m.column)
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return p.Path, p.Line, p.Column
}
