package document

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"tallygate/cluster/catalog"
)

// Export writes the view as a catalog file in YAML: everything that a file can
// say, in a fixed order. Parsed and planned against the same view it changes
// nothing; applied to an empty catalog it makes the same one again, ids of
// packages, collections and pixels included. Tokens, sessions and sign-in links
// are not part of the file; the tokens of event packages are written as hashes.
func Export(view *catalog.View, w io.Writer) error {
	e := &exporter{view: view, w: bufio.NewWriterSize(w, 64<<10)}
	fmt.Fprintf(e.w, "# The catalog at version %d, for \"tallygate apply -f\".\n", view.Version())
	e.organizations()
	e.users()
	e.domains()
	e.packages()
	e.collections()
	e.pixels()
	return e.w.Flush()
}

// exporter writes entries. Errors of the writer are kept by the buffer until it
// is flushed.
type exporter struct {
	view   *catalog.View
	w      *bufio.Writer
	indent string // of the next key
	dash   bool   // the next key starts an entry
}

func (e *exporter) section(name string, open bool) bool {
	if !open {
		fmt.Fprintf(e.w, "\n%s:\n", name)
	}
	return true
}

// entry starts an entry of a list; its keys follow.
func (e *exporter) entry(indent string) {
	e.indent, e.dash = indent+"  ", true
}

// key writes the start of a line. The value, with a space before it, is up to the
// caller.
func (e *exporter) key(name string) {
	if e.dash {
		e.print(e.indent[2:], "- ", name, ":")
		e.dash = false
		return
	}
	e.print(e.indent, name, ":")
}

func (e *exporter) print(parts ...string) {
	for _, s := range parts {
		e.w.WriteString(s) //nolint:errcheck // kept until the flush
	}
}

func (e *exporter) text(name, value string) {
	if value != "" {
		e.key(name)
		e.print(" ", scalar(value, e.indent), "\n")
	}
}

func (e *exporter) flag(name string, value bool) {
	if value {
		e.key(name)
		e.print(" true\n")
	}
}

func (e *exporter) words(name string, values []string) {
	if len(values) == 0 {
		return
	}
	e.key(name)
	e.print("\n")
	for _, v := range values {
		e.print(e.indent, "  - ", scalar(v, e.indent+"  "), "\n")
	}
}

func (e *exporter) organizations() {
	open := false
	for o := range e.view.Organizations() {
		open = e.section("organizations", open)
		e.entry("  ")
		e.text("name", o.Name)
		e.text("description", o.Description)
		e.text("website", o.Website)
		e.text("billing_email", o.BillingEmail)
		if len(o.VariableOverrides) > 0 {
			e.key("variable_overrides")
			e.print("\n")
			for _, name := range slices.Sorted(maps.Keys(o.VariableOverrides)) {
				e.print(e.indent, "  ", scalarKey(name), ": ", scalar(o.VariableOverrides[name], e.indent+"  "), "\n")
			}
		}
	}
}

func (e *exporter) users() {
	open := false
	for u := range e.view.Users() {
		open = e.section("users", open)
		e.entry("  ")
		e.text("name", u.Name)
		e.flag("operator", u.Operator)
	}
}

// domains lists the claims that don't follow from what is served on them.
func (e *exporter) domains() {
	implied := e.attached()
	open := false
	for d := range e.view.Domains() {
		if d.State.Serves() && implied[claim{d.Owner, d.Name}] {
			continue
		}
		open = e.section("domains", open)
		e.entry("  ")
		e.text("owner", d.Owner)
		e.text("name", d.Name)
		if !d.State.Serves() {
			e.text("state", string(catalog.Pending))
		}
	}
}

func (e *exporter) attached() map[claim]bool {
	out := make(map[claim]bool)
	for k := range e.view.Packages() {
		for i := range k.Domains {
			out[claim{k.Owner, k.Domains[i].Name}] = true
		}
	}
	for x := range e.view.Pixels() {
		for _, name := range x.Domains {
			out[claim{x.Owner, name}] = true
		}
	}
	for c := range e.view.Collections() {
		if c.Domain != "" {
			out[claim{c.Owner, c.Domain}] = true
		}
	}
	return out
}

func (e *exporter) collections() {
	open := false
	for c := range e.view.Collections() {
		open = e.section("collections", open)
		e.entry("  ")
		e.text("owner", c.Owner)
		e.text("pattern", c.Pattern)
		e.text("id", c.ID)
		e.text("public_domain", c.Domain)
		e.text("backend_domain", c.Registry)
		e.flag("always_proxy", c.AlwaysProxy)
		e.flag("plain_http", c.PlainHTTP)
		e.flag("allow_private_pulls", c.AllowPrivatePulls)
		e.text("token_host", c.TokenHost)
	}
}

func (e *exporter) pixels() {
	open := false
	for x := range e.view.Pixels() {
		open = e.section("pixels", open)
		e.entry("  ")
		e.text("owner", x.Owner)
		e.text("name", x.Name)
		e.text("id", x.ID)
		if k := e.view.Package(x.PackageID); k != nil && k.Owner == x.Owner {
			e.text("package", string(k.Type)+"/"+k.Name)
		} else {
			e.text("package_id", x.PackageID)
		}
		e.words("domains", x.Domains)
	}
}

func (e *exporter) packages() {
	open := false
	for k := range e.view.Packages() {
		open = e.section("packages", open)
		e.entry("  ")
		e.text("owner", k.Owner)
		e.text("name", k.Name)
		e.text("type", string(k.Type))
		e.text("id", k.ID)
		e.text("short_description", k.ShortDescription)
		e.text("long_description", k.LongDescription)
		e.text("website", k.Website)
		names := make([]string, len(k.Domains))
		for i := range k.Domains {
			names[i] = k.Domains[i].Name
		}
		e.words("domains", names)
		if k.Image != nil {
			e.image(k)
		}
		if k.Index != nil {
			e.index(k)
		}
		e.routes(k.Routes, k.Type == catalog.File)
		if k.Events != nil && k.Events.Restricted {
			if len(k.Events.TokenHashes) == 0 {
				e.key("token_hashes")
				e.print(" []\n")
			}
			e.words("token_hashes", k.Events.TokenHashes)
		}
	}
}

func (e *exporter) image(k *catalog.Package) {
	img := k.Image
	e.text("backend_registry", img.Registry)
	e.text("repository_name", img.Repository)
	if img.Name != img.Repository {
		e.text("public_name", img.Name)
	}
	e.words("failover_registries", img.FailoverRegistries)
	e.flag("always_proxy", img.AlwaysProxy)
	e.flag("plain_http", img.PlainHTTP)
	e.flag("allow_private_pulls", img.AllowPrivatePulls)
	e.text("token_host", img.TokenHost)
}

func (e *exporter) index(k *catalog.Package) {
	index := k.Index
	if index.Project != catalog.NormalizePythonProject(k.Name) {
		e.text("project", index.Project)
	}
	e.text("repository_url", index.RepositoryURL)
	e.words("failover_indexes", index.FailoverIndexes)
	e.flag("plain_http", index.PlainHTTP)
	if len(index.Files) == 0 {
		return
	}
	e.key("files")
	e.print("\n")
	for i := range index.Files {
		f := &index.Files[i]
		e.entry("      ")
		e.text("file_name", f.FileName)
		e.text("version", f.Version)
		e.text("url", f.URL)
		e.text("hash_type", f.HashType)
		e.text("hash", f.Hash)
		if f.GPGSig != nil {
			e.key("gpg_sig")
			e.print(" ", strconv.FormatBool(*f.GPGSig), "\n")
		}
		e.text("requires_python", f.RequiresPython)
		e.text("domain", f.Domain)
	}
	e.indent = "    "
}

func (e *exporter) routes(routes []catalog.Route, needed bool) {
	if len(routes) == 0 {
		if needed {
			e.key("routes")
			e.print(" []\n")
		}
		return
	}
	e.key("routes")
	e.print("\n")
	for i := range routes {
		r := &routes[i]
		e.entry("      ")
		e.text("incoming_path", r.IncomingPath)
		if r.OutgoingURL != nil {
			e.text("outgoing_url", *r.OutgoingURL)
		} else {
			e.key("outgoing_url")
			e.print(" null\n")
		}
		if routeKind(r.Kind) != catalog.TemplateRoute {
			e.text("kind", string(r.Kind))
		}
		e.words("failover_origins", r.FailoverOrigins)
		if r.RedirectStatus != 0 {
			e.key("redirect_status")
			e.print(" ", strconv.Itoa(r.RedirectStatus), "\n")
		}
		e.text("domain", r.Domain)
	}
	e.indent = "    "
}
