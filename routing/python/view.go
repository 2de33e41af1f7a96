package python

import (
	"net/url"
	"slices"
	"sync"

	"tallygate/cluster/catalog"
)

// view is what one package serves on one host: the files of its origin's page
// and those that the catalog names, which win where both name one. Its bodies
// are rendered when first asked for. It is safe for concurrent use.
type view struct {
	project  string
	files    []*file
	byName   map[string]*file
	versions []string
	minor    int
	status   status

	json, html lazyBody
}

// lazyBody is a body that is made when first asked for.
type lazyBody struct {
	once sync.Once
	body *body
}

// newView merges a page with the files that the catalog names for a host.
func newView(p *page, index *catalog.PythonProject, host string) *view {
	v := &view{
		project:  index.Project,
		files:    make([]*file, 0, len(p.files)+len(index.Files)),
		byName:   make(map[string]*file, len(p.files)+len(index.Files)),
		versions: p.versions,
		minor:    p.minor,
		status:   p.status,
	}
	for i := range p.files {
		v.files = append(v.files, &p.files[i])
		v.byName[p.files[i].name] = &p.files[i]
	}
	if len(index.Files) == 0 {
		return v
	}
	place := make(map[string]int, cap(v.files)) // where a name stands in v.files
	for i, f := range v.files {
		place[f.name] = i
	}
	known := make(map[string]bool, len(v.versions))
	for _, version := range v.versions {
		known[version] = true
	}
	ownHost := make(map[string]bool) // files that are named for this very host
	for i := range index.Files {
		named := &index.Files[i]
		if named.Domain != "" && named.Domain != host || named.Domain == "" && ownHost[named.FileName] {
			continue
		}
		f, ok := namedFile(named, index.Project)
		if !ok {
			continue
		}
		ownHost[f.name] = named.Domain != ""
		if at, there := place[f.name]; there {
			v.files[at] = f
		} else {
			place[f.name] = len(v.files)
			v.files = append(v.files, f)
		}
		v.byName[f.name] = f
		if version := f.dist.version; v.versions != nil && !known[version] {
			known[version] = true
			v.versions = append(slices.Clip(v.versions), version)
		}
	}
	return v
}

// namedFile makes a file of one that the catalog names. Its name needn't be
// that of a distribution: the owner knows.
func namedFile(named *catalog.PythonFile, project string) (*file, bool) {
	u, err := url.Parse(named.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, false
	}
	f := &file{
		name:           named.FileName,
		url:            named.URL,
		host:           u.Host,
		hashes:         addHash(nil, named.HashType, named.Hash),
		requiresPython: named.RequiresPython,
		gpgSig:         named.GPGSig,
		size:           -1,
		dist:           parseFileName(named.FileName, project),
	}
	f.dist.version = named.Version // told, not read off the name
	return f, true
}

// body returns the page in a format. grown is the memory that the call added to
// the view, in bytes: zero but for the first.
func (v *view) body(f format) (b *body, grown int64) {
	lazy, render := &v.html, renderHTML
	if f == jsonV1 {
		lazy, render = &v.json, renderJSON
	}
	lazy.once.Do(func() {
		lazy.body = newBody(render(v))
		grown = lazy.body.bytes()
	})
	return lazy.body, grown
}

// bytes is about how much memory a view takes without its bodies.
func (v *view) bytes() int64 { return 256 + 64*int64(len(v.files)) }
