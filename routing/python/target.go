package python

import (
	"strings"

	"tallygate/routing/event"
)

// target is where a request for a file goes.
type target struct {
	url  string
	file *file
	own  bool // the file itself, not what stands beside it
}

// target finds what a name under a project's page asks for: a file, the core
// metadata of one (PEP 658) or its signature (PEP 503). Nil: nothing.
func (v *view) target(name string) *target {
	if f := v.byName[name]; f != nil {
		return &target{f.url, f, true}
	}
	if stem, ok := strings.CutSuffix(name, ".metadata"); ok {
		if f := v.byName[stem]; f != nil && f.metadata {
			return beside(f, ".metadata")
		}
	}
	if stem, ok := strings.CutSuffix(name, ".asc"); ok {
		// Without word of a signature there may be one: PEP 503 lets indexes
		// keep silent.
		if f := v.byName[stem]; f != nil && (f.gpgSig == nil || *f.gpgSig) {
			return beside(f, ".asc")
		}
	}
	return nil
}

// beside returns what has a file's URL with an ending. The ending belongs to the
// path; a query, as of a signed URL, stays behind it.
func beside(f *file, ending string) *target {
	path, query, found := strings.Cut(f.url, "?")
	path += ending
	if found {
		path += "?" + query
	}
	return &target{path, f, false}
}

// describe fills an event with what a file's name tells. The system that a wheel
// is for is told before the client's: it is what was downloaded, by a mirror on
// another system too. A file for any system leaves the client's as it is.
func (t *target) describe(e *event.Event, get bool) {
	d := t.file.dist
	e.Status = 302
	e.OriginHost = t.file.host
	e.Version = d.version
	e.Type = event.IndexFetch
	if t.own {
		e.Type = event.BinaryDownload
		e.Countable = get
	}
	if platform, arch := d.system(); platform != "" {
		e.Platform, e.Arch = platform, arch
	}
	if h := best(t.file.hashes); t.own && h.algorithm != "" {
		e.Digest = h.algorithm + ":" + h.value
	}
	for _, v := range []event.Variable{ // by name, ascending
		{Name: "abi_tag", Value: d.abi},
		{Name: "build_tag", Value: d.build},
		{Name: "distribution", Value: d.kind},
		{Name: "filename", Value: t.file.name},
		{Name: "platform_tag", Value: d.platform},
		{Name: "python_tag", Value: d.python},
	} {
		if v.Value != "" {
			e.Variables = append(e.Variables, v)
		}
	}
}
