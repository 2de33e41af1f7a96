package document

import (
	"fmt"
	"strings"

	"tallygate/cluster/catalog"
	"tallygate/cluster/catalog/document/syntax"
)

// defaultIndex is where a python package without a repository_url and files is
// hosted.
const defaultIndex = "https://pypi.org/simple/"

// sections are the keys at the top of a file.
var sections = []string{"owner", "organizations", "users", "packages", "domains", "pixels", "collections"}

// Parse reads a catalog file. The document is never nil and holds whatever
// could be understood; problems are its Problems, in the order of the file.
// name is used in messages only.
func Parse(name string, data []byte) (*Document, []*Problem) {
	p := &parser{doc: &Document{Name: name}, r: &syntax.Reader{File: name}, lines: map[string]int{}}
	p.r.Read(data, p.entry)
	p.endDocument()
	p.doc.Problems = p.r.Finish()
	return p.doc, p.doc.Problems
}

type parser struct {
	doc   *Document
	r     *syntax.Reader
	lines map[string]int // of the top-level keys of the current document

	number int    // of the current document
	owner  string // of its entries without one
	start  [4]int // where its packages, domains, pixels and collections begin
}

// entry reads one value below a top-level key.
func (p *parser) entry(e syntax.Entry) {
	if e.Document != p.number {
		p.endDocument()
		p.number = e.Document
	}
	key := e.Key.Value
	if strings.HasPrefix(key, "x-") {
		return // a place for anchors and notes
	}
	if line, seen := p.lines[key]; !seen {
		p.lines[key] = e.Key.Line
	} else if line != e.Key.Line {
		if e.Index <= 0 {
			p.r.At(e.Key, key, fmt.Sprintf("the key was given before, in line %d", line), "put the entries below one of them")
		}
		return
	}
	value := syntax.Follow(e.Value)
	if key == "owner" {
		p.owner = p.r.Text(value, key)
		return
	}
	read := p.reader(key)
	if read == nil {
		if e.Index <= 0 {
			p.r.At(e.Key, key, fmt.Sprintf("unknown key %q", key), syntax.DidYouMean(key, sections))
		}
		return
	}
	if e.Index < 0 {
		if !syntax.IsNull(value) && !syntax.IsList(value) {
			p.r.At(value, key, "expected a list of "+key, "start each with \"- \" on a line of its own")
		}
		return
	}
	if m := p.r.Mapping(value, e.Path); m != nil {
		read(m)
	}
}

func (p *parser) reader(key string) func(*syntax.Mapping) {
	switch key {
	case "organizations":
		return p.organization
	case "users":
		return p.user
	case "packages":
		return p.pkg
	case "domains":
		return p.domain
	case "pixels":
		return p.pixel
	case "collections":
		return p.collection
	}
	return nil
}

// endDocument gives the document's entries without an owner the document's. It
// waits for the end, since "owner" may stand below them.
func (p *parser) endDocument() {
	d := p.doc
	if p.owner != "" {
		for i := p.start[0]; i < len(d.Packages); i++ {
			p.own(&d.Packages[i].Owner)
		}
		for i := p.start[1]; i < len(d.Domains); i++ {
			p.own(&d.Domains[i].Owner)
		}
		for i := p.start[2]; i < len(d.Pixels); i++ {
			p.own(&d.Pixels[i].Owner)
		}
		for i := p.start[3]; i < len(d.Collections); i++ {
			p.own(&d.Collections[i].Owner)
		}
	}
	p.owner = ""
	clear(p.lines)
	p.start = [4]int{len(d.Packages), len(d.Domains), len(d.Pixels), len(d.Collections)}
}

func (p *parser) own(owner *string) {
	if *owner == "" {
		*owner = p.owner
	}
}

// begin starts the place of an entry.
func begin(m *syntax.Mapping) Place {
	return Place{Path: m.Path, Line: m.Node.Line, Column: m.Node.Column}
}

// end reports unknown keys and notes whether the entry is broken.
func end(m *syntax.Mapping, place *Place) {
	m.Close(instead)
	if m.Broken() {
		place.Break()
	}
}

// instead maps words that people try to the keys they mean.
var instead = map[string]string{
	"registry": "backend_registry", "backend_domain": "backend_registry", "repository": "repository_name",
	"domain": "domains", "public_domain": "domains", "index_url": "repository_url",
	"path": "incoming_path", "from": "incoming_path", "to": "outgoing_url", "url": "outgoing_url",
	"target": "outgoing_url", "status": "redirect_status", "failover": "failover_origins",
	"tokens": "access_tokens", "summary": "short_description", "description": "short_description",
	"homepage": "website", "email": "billing_email", "overrides": "variable_overrides", "admin": "operator",
	"rule_id": "id", "filename": "file_name", "sha256": "hash",
}

// note remembers the place of a key's value as that of a field.
func note(m *syntax.Mapping, place *Place, key, field string) {
	if n := m.Get(key); n != nil {
		shown := ""
		if field != key {
			shown = "." + key
		}
		place.Mark(field, shown, n.Line, n.Column)
	}
}

// text reads a key whose value is text and notes its place as that of a field.
func text(m *syntax.Mapping, place *Place, key, field string) string {
	note(m, place, key, field)
	return m.Text(key)
}

// required is text for a key that must be there.
func required(m *syntax.Mapping, place *Place, key, field, fix string) string {
	note(m, place, key, field)
	return m.Required(key, fix)
}

// domainNames reads a list of domain names; field is what the catalog calls the
// list's elements, such as "domains[%d].name".
func domainNames(m *syntax.Mapping, place *Place) []string {
	names := m.Texts("domains")
	for i, n := range m.List("domains") {
		place.Mark(fmt.Sprintf("domains[%d]", i), "", n.Line, n.Column)
		names[i] = canonical(names[i])
	}
	return names
}

// canonical is the one spelling of a domain name. What isn't one stays as it is,
// for the catalog to say why.
func canonical(name string) string {
	if c, err := catalog.CanonicalDomain(strings.ToLower(name)); err == nil {
		return c
	}
	return name
}
