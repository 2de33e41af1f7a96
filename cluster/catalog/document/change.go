package document

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"tallygate/cluster/catalog"
)

// Action says what a change does.
type Action string

// The actions of a plan.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// Change is one object before and after a plan.
type Change struct {
	Action Action       `json:"action"`
	Kind   catalog.Kind `json:"kind"`
	ID     string       `json:"id"`
	Name   string       `json:"name"` // as a person calls it: "acme/docker/rocket"

	Before any `json:"-"` // pointer to a catalog type; nil when created
	After  any `json:"-"` // nil when deleted
}

// FieldChange is one field that differs, called as in the file. Elements of
// lists are told apart by what they are, not by their number:
// "routes[/dl/{version}].redirect_status".
type FieldChange struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"` // empty: it wasn't set
	After  string `json:"after,omitempty"`  // empty: it is no longer set
}

// Fields lists what differs between before and after, in the order of the file's
// fields.
func (c *Change) Fields() []FieldChange {
	before, after := describe(c.Before), describe(c.After)
	old := make(map[string]string, len(before))
	for _, f := range before {
		old[f.key()] = f.value
	}
	var out []FieldChange
	for _, f := range after {
		was := old[f.key()]
		delete(old, f.key())
		if was != f.value {
			out = append(out, FieldChange{Field: f.name, Before: was, After: f.value})
		}
	}
	for _, f := range before {
		if _, gone := old[f.key()]; gone {
			out = append(out, FieldChange{Field: f.name, Before: f.value})
			delete(old, f.key())
		}
	}
	if len(out) == 0 && c.Action == Update {
		// Only what has no line of its own differs: the order of a list.
		out = append(out, FieldChange{Field: "order of routes, domains or files", Before: "as it was", After: "as in the file"})
	}
	return out
}

// field is one value of an object as text. Elements of a list of words share a
// name and differ by item.
type field struct{ name, item, value string }

func (f field) key() string { return f.name + "\x00" + f.item }

type fields []field

func (fs *fields) text(name, value string) {
	if value != "" {
		*fs = append(*fs, field{name: name, value: value})
	}
}

func (fs *fields) flag(name string, value bool) {
	if value {
		*fs = append(*fs, field{name: name, value: "true"})
	}
}

func (fs *fields) words(name string, values []string) {
	for _, v := range values {
		*fs = append(*fs, field{name: name, item: v, value: v})
	}
}

// describe lists the fields of an object that are set.
func describe(object any) fields {
	var fs fields
	switch o := object.(type) {
	case *catalog.Organization:
		fs.text("description", o.Description)
		fs.text("website", o.Website)
		fs.text("billing_email", o.BillingEmail)
		for _, name := range slices.Sorted(maps.Keys(o.VariableOverrides)) {
			fs.text("variable_overrides."+name, o.VariableOverrides[name])
		}
	case *catalog.User:
		fs.flag("operator", o.Operator)
	case *catalog.Domain:
		fs.text("state", string(o.State))
	case *catalog.Package:
		fs.pkg(o)
	case *catalog.Pixel:
		fs.text("owner", o.Owner)
		fs.text("name", o.Name)
		fs.text("package_id", o.PackageID)
		fs.words("domains", o.Domains)
	case *catalog.Collection:
		fs.text("pattern", o.Pattern)
		fs.text("public_domain", o.Domain)
		fs.text("backend_domain", o.Registry)
		fs.flag("always_proxy", o.AlwaysProxy)
		fs.flag("plain_http", o.PlainHTTP)
		fs.flag("allow_private_pulls", o.AllowPrivatePulls)
		fs.text("token_host", o.TokenHost)
	}
	return fs
}

func (fs *fields) pkg(k *catalog.Package) {
	fs.text("owner", k.Owner)
	fs.text("name", k.Name)
	fs.text("type", string(k.Type))
	fs.text("short_description", k.ShortDescription)
	fs.text("long_description", k.LongDescription)
	fs.text("website", k.Website)
	for _, d := range k.Domains {
		*fs = append(*fs, field{name: "domains", item: d.Name, value: d.Name})
	}
	if img := k.Image; img != nil {
		fs.text("backend_registry", img.Registry)
		fs.text("repository_name", img.Repository)
		if img.Name != img.Repository {
			fs.text("public_name", img.Name)
		}
		fs.text("failover_registries", strings.Join(img.FailoverRegistries, ", "))
		fs.flag("always_proxy", img.AlwaysProxy)
		fs.flag("plain_http", img.PlainHTTP)
		fs.flag("allow_private_pulls", img.AllowPrivatePulls)
		fs.text("token_host", img.TokenHost)
	}
	if p := k.Index; p != nil {
		fs.text("project", p.Project)
		fs.text("repository_url", p.RepositoryURL)
		fs.text("failover_indexes", strings.Join(p.FailoverIndexes, ", "))
		fs.flag("plain_http", p.PlainHTTP)
		for i := range p.Files {
			fs.file(&p.Files[i])
		}
	}
	seen := make(map[string]int, len(k.Routes))
	for i := range k.Routes {
		fs.route(&k.Routes[i], seen)
	}
	if k.Events != nil && k.Events.Restricted {
		access := "a token of " + strconv.Itoa(len(k.Events.TokenHashes))
		if len(k.Events.TokenHashes) == 0 {
			access = "nobody"
		}
		fs.text("access", access)
		fs.words("token_hashes", k.Events.TokenHashes)
	}
}

func (fs *fields) route(r *catalog.Route, seen map[string]int) {
	path := r.Domain + r.IncomingPath
	if n := seen[path]; n > 0 {
		seen[path]++
		path += " #" + strconv.Itoa(n+1)
	} else {
		seen[path] = 1
	}
	name := "routes[" + path + "]"
	target := "answers 200 and counts"
	if r.OutgoingURL != nil {
		target = *r.OutgoingURL
	}
	fs.text(name, target)
	if kind := routeKind(r.Kind); kind != catalog.TemplateRoute {
		fs.text(name+".kind", string(kind))
	}
	fs.text(name+".failover_origins", strings.Join(r.FailoverOrigins, ", "))
	if r.RedirectStatus != 0 {
		fs.text(name+".redirect_status", strconv.Itoa(r.RedirectStatus))
	}
}

func (fs *fields) file(f *catalog.PythonFile) {
	name := "files[" + f.FileName + "]"
	if f.Domain != "" {
		name = "files[" + f.Domain + "/" + f.FileName + "]"
	}
	fs.text(name, f.URL)
	fs.text(name+".version", f.Version)
	if f.Hash != "" {
		fs.text(name+".hash", f.HashType+"="+f.Hash)
	}
	fs.text(name+".requires_python", f.RequiresPython)
	if f.GPGSig != nil {
		fs.text(name+".gpg_sig", strconv.FormatBool(*f.GPGSig))
	}
}
