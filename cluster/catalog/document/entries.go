package document

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"tallygate/cluster/catalog"
	"tallygate/cluster/catalog/document/syntax"
	"tallygate/cluster/catalog/imageref"
)

func (p *parser) organization(m *syntax.Mapping) {
	o := Organization{Place: begin(m)}
	o.Name = required(m, &o.Place, "name", "name", "a short name such as acme: it appears in host names")
	o.Description = text(m, &o.Place, "description", "description")
	o.Website = text(m, &o.Place, "website", "website")
	o.BillingEmail = text(m, &o.Place, "billing_email", "billing_email")
	note(m, &o.Place, "variable_overrides", "variable_overrides")
	overrides, places := m.Map("variable_overrides")
	o.VariableOverrides = overrides
	for _, n := range places {
		o.Mark("variable_overrides."+n.Value, "", n.Line, n.Column)
	}
	end(m, &o.Place)
	p.doc.Organizations = append(p.doc.Organizations, o)
}

func (p *parser) user(m *syntax.Mapping) {
	u := User{Place: begin(m)}
	u.Name = required(m, &u.Place, "name", "name", "the name that the user signs in with")
	note(m, &u.Place, "operator", "operator")
	u.Operator = isTrue(m.Bool("operator"))
	end(m, &u.Place)
	p.doc.Users = append(p.doc.Users, u)
}

func (p *parser) domain(m *syntax.Mapping) {
	d := Domain{Place: begin(m)}
	d.Owner = text(m, &d.Place, "owner", "owner")
	d.Name = canonical(required(m, &d.Place, "name", "name", "the domain's name, such as get.acme.org"))
	d.State = catalog.DomainState(text(m, &d.Place, "state", "state"))
	if d.State != "" && d.State != catalog.Asserted && d.State != catalog.Pending && !m.Broken() {
		m.Report("state", fmt.Sprintf("%q is not a state to ask for", d.State),
			"write asserted to serve at once, pending to prove the claim first, or leave it out")
	}
	end(m, &d.Place)
	p.doc.Domains = append(p.doc.Domains, d)
}

func (p *parser) pixel(m *syntax.Mapping) {
	x := Pixel{Place: begin(m)}
	x.Owner = text(m, &x.Place, "owner", "owner")
	x.Name = required(m, &x.Place, "name", "name", "a name that is unique within the owner")
	x.ID = text(m, &x.Place, "id", "id")
	x.PackageID = text(m, &x.Place, "package_id", "package_id")
	if m.Has("package") {
		x.Package = text(m, &x.Place, "package", "package_id")
		if x.PackageID != "" {
			m.Report("package_id", "package and package_id say the same thing", "keep one of them")
		}
	} else {
		m.Get("package") // known, for the fix of a misspelt key
	}
	x.Domains = domainNames(m, &x.Place)
	end(m, &x.Place)
	p.doc.Pixels = append(p.doc.Pixels, x)
}

func (p *parser) collection(m *syntax.Mapping) {
	c := Collection{Place: begin(m)}
	c.Owner = text(m, &c.Place, "owner", "owner")
	c.ID = text(m, &c.Place, "id", "id")
	c.Pattern = required(m, &c.Place, "pattern", "pattern", "the images it takes, such as acme/*")
	if name := text(m, &c.Place, "public_domain", "domain"); name != "" {
		c.Domain = canonical(name)
	}
	c.Registry = required(m, &c.Place, "backend_domain", "registry", "the registry that hosts the images, such as ghcr.io")
	note(m, &c.Place, "plain_http", "plain_http")
	c.AlwaysProxy, c.PlainHTTP = isTrue(m.Bool("always_proxy")), isTrue(m.Bool("plain_http"))
	c.PrivatePulls = privatePulls(m, &c.Place, "")
	if t := m.Text("type"); t != "" && t != "docker" {
		m.Report("type", fmt.Sprintf("%q is not a type of collection", t), "write docker, or leave it out")
	}
	m.Close(map[string]string{
		"domain": "public_domain", "domains": "public_domain", "registry": "backend_domain",
		"backend_registry": "backend_domain", "name": "pattern", "rule_id": "id",
	})
	if m.Broken() {
		c.Break()
	}
	p.doc.Collections = append(p.doc.Collections, c)
}

func (p *parser) pkg(m *syntax.Mapping) {
	k := Package{Place: begin(m)}
	k.Owner = text(m, &k.Place, "owner", "owner")
	k.Name = required(m, &k.Place, "name", "name", "the package's name, unique for its owner and type")
	kind := required(m, &k.Place, "type", "type", "one of docker, file, python, event, npm, hackage")
	k.ID = text(m, &k.Place, "id", "id")
	k.ShortDescription = text(m, &k.Place, "short_description", "short_description")
	k.LongDescription = text(m, &k.Place, "long_description", "long_description")
	k.Website = text(m, &k.Place, "website", "website")
	for _, name := range domainNames(m, &k.Place) {
		k.Domains = append(k.Domains, catalog.PackageDomain{Name: name})
	}
	if i := slices.Index(packageTypes, kind); i >= 0 {
		k.Type = catalog.PackageType(packageTypes[i])
	}
	switch k.Type {
	case catalog.Docker:
		k.Image = image(m, &k)
	case catalog.File:
		routes(m, &k, true)
	case catalog.Python:
		k.Index = python(m, &k)
	case catalog.Event:
		routes(m, &k, false)
		k.Events = eventAccess(m, &k)
	case catalog.NPM, catalog.Hackage:
	default:
		if kind != "" {
			m.Report("type", fmt.Sprintf("%q is not a type of package", kind), syntax.DidYouMean(kind, packageTypes))
		}
		// Which other keys are right depends on the type.
		k.Break()
		p.doc.Packages = append(p.doc.Packages, k)
		return
	}
	closePackage(m, &k)
	p.doc.Packages = append(p.doc.Packages, k)
}

var packageTypes = []string{"docker", "file", "python", "event", "npm", "hackage"}

// typeKeys says which types of packages know a key, for those that only some do.
var typeKeys = map[string]string{
	"image": "docker", "backend_registry": "docker", "repository_name": "docker", "public_name": "docker",
	"failover_registries": "docker", "always_proxy": "docker", "plain_http": "docker and python",
	"allow_private_pulls": "docker", "token_host": "docker",
	"routes": "file and event", "incoming_path": "file and event", "outgoing_url": "file and event",
	"failover_origins": "file and event", "redirect_status": "file and event", "kind": "file and event",
	"project": "python", "repository_url": "python", "failover_indexes": "python", "files": "python",
	"access_tokens": "event", "token_hashes": "event",
}

// closePackage reports the keys that nothing asked for: first those that belong
// to other types.
func closePackage(m *syntax.Mapping, k *Package) {
	for _, key := range m.Unasked() {
		if types, ok := typeKeys[key]; ok {
			m.Get(key)
			m.Report(key, fmt.Sprintf("a package of type %s has no %s; only %s packages have", k.Type, key, types),
				"remove it or change the type")
		}
	}
	end(m, &k.Place)
}

func image(m *syntax.Mapping, k *Package) *catalog.Image {
	place := &k.Place
	registry, repository := backend(m, place)
	img := &catalog.Image{
		Registry:           registry,
		Repository:         repository,
		Name:               text(m, place, "public_name", "image.name"),
		FailoverRegistries: m.Texts("failover_registries"),
		AlwaysProxy:        isTrue(m.Bool("always_proxy")),
		PlainHTTP:          isTrue(m.Bool("plain_http")),
		PrivatePulls:       privatePulls(m, place, "image."),
	}
	note(m, place, "plain_http", "image.plain_http")
	for i, n := range m.List("failover_registries") {
		place.Mark(fmt.Sprintf("image.failover_registries[%d]", i), fmt.Sprintf(".failover_registries[%d]", i), n.Line, n.Column)
	}
	if img.Repository == "" {
		note(m, place, "name", "image.repository")
	}
	for _, key := range []string{"public_name", "repository_name", "name"} {
		if m.Has(key) {
			note(m, place, key, "image")
			break
		}
	}
	return img
}

// backend reads where an image is hosted: from image, which takes what people
// paste, or from backend_registry and repository_name.
func backend(m *syntax.Mapping, place *Place) (registry, repository string) {
	if !m.Has("image") {
		registry = required(m, place, "backend_registry", "image.registry", "the registry that hosts the image, such as ghcr.io")
		return registry, text(m, place, "repository_name", "image.repository")
	}
	pasted := text(m, place, "image", "image.repository")
	note(m, place, "image", "image.registry")
	for _, key := range []string{"backend_registry", "repository_name"} {
		if m.Has(key) {
			m.Get(key)
			m.Report(key, "image says where the image is hosted already", "keep image, or backend_registry and repository_name")
		}
	}
	if m.Broken() {
		return "", ""
	}
	image, err := imageref.Parse(pasted)
	if err != nil {
		m.Report("image", err.Error(), "write it as for docker pull, such as ghcr.io/acme/rocket")
	}
	return image.Registry, image.Repository
}

func privatePulls(m *syntax.Mapping, place *Place, prefix string) catalog.PrivatePulls {
	return catalog.PrivatePulls{
		AllowPrivatePulls: isTrue(m.Bool("allow_private_pulls")),
		TokenHost:         text(m, place, "token_host", prefix+"token_host"),
	}
}

func python(m *syntax.Mapping, k *Package) *catalog.PythonProject {
	place := &k.Place
	index := &catalog.PythonProject{
		Project:         text(m, place, "project", "index.project"),
		RepositoryURL:   text(m, place, "repository_url", "index.repository_url"),
		FailoverIndexes: m.Texts("failover_indexes"),
		PlainHTTP:       isTrue(m.Bool("plain_http")),
	}
	note(m, place, "plain_http", "index.plain_http")
	for i, n := range m.List("failover_indexes") {
		place.Mark(fmt.Sprintf("index.failover_indexes[%d]", i), fmt.Sprintf(".failover_indexes[%d]", i), n.Line, n.Column)
	}
	if index.Project == "" {
		index.Project = k.Name
		note(m, place, "name", "index.project")
	}
	index.Project = catalog.NormalizePythonProject(index.Project)
	for i := range m.List("files") {
		index.Files = append(index.Files, pythonFile(m, place, i))
	}
	if index.RepositoryURL == "" && len(index.Files) == 0 {
		index.RepositoryURL = defaultIndex
	}
	return index
}

func pythonFile(m *syntax.Mapping, place *Place, i int) (f catalog.PythonFile) {
	inner := m.Element("files", i)
	if inner == nil {
		return f
	}
	at := fmt.Sprintf("files[%d]", i)
	get := func(key string) string {
		if n := inner.Get(key); n != nil {
			place.Mark("index."+at+"."+key, "."+at+"."+key, n.Line, n.Column)
		}
		return inner.Text(key)
	}
	place.Mark("index."+at, "."+at, inner.Node.Line, inner.Node.Column)
	f.FileName = inner.Required("file_name", "the distribution's file, such as rocket-1.0-py3-none-any.whl")
	f.Version = inner.Required("version", "the release, such as 1.0")
	f.URL = inner.Required("url", "where the file is hosted")
	for _, key := range []string{"file_name", "version", "url"} {
		get(key)
	}
	f.HashType, f.Hash, f.RequiresPython = get("hash_type"), get("hash"), get("requires_python")
	if domain := get("domain"); domain != "" {
		f.Domain = canonical(domain)
	}
	f.GPGSig = inner.Bool("gpg_sig")
	if f.Hash != "" && f.HashType == "" {
		inner.Report("hash", "the hash has no hash_type", "add hash_type: sha256")
	}
	inner.Close(instead)
	m.Adopt(inner)
	return f
}

// eventAccess reads who may post events: neither key, everybody; an empty list,
// nobody.
func eventAccess(m *syntax.Mapping, k *Package) *catalog.EventAccess {
	tokens, hashes := m.Get("access_tokens"), m.Get("token_hashes")
	if (tokens == nil || syntax.IsNull(tokens)) && (hashes == nil || syntax.IsNull(hashes)) {
		return nil
	}
	access := &catalog.EventAccess{Restricted: true}
	add := func(key, hash string, i int, n *syntax.Node) {
		if slices.Contains(access.TokenHashes, hash) {
			return
		}
		k.Mark(fmt.Sprintf("events.token_hashes[%d]", len(access.TokenHashes)), fmt.Sprintf(".%s[%d]", key, i), n.Line, n.Column)
		access.TokenHashes = append(access.TokenHashes, hash)
	}
	nodes := m.List("token_hashes")
	for i, hash := range m.Texts("token_hashes") {
		add("token_hashes", hash, i, nodes[i])
	}
	nodes = m.List("access_tokens")
	for i, token := range m.Texts("access_tokens") {
		add("access_tokens", HashToken(token), i, nodes[i])
	}
	return access
}

// HashToken is how the catalog keeps an access token: its SHA-256 in hex.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func isTrue(b *bool) bool { return b != nil && *b }
