package catalog

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// furnished is what the tables below refer to.
func furnished(t *testing.T) *Store {
	s := NewStore()
	mustApply(t, s, org("acme"), org("other"), user("robot"),
		claim("acme", "get.acme.dev", Asserted), claim("acme", "two.acme.dev", Pending), claim("other", "other.dev", Verified),
		put(image("acme", "acme/app")), put(image("acme", "acme/lib", "get.acme.dev")),
		put(&Package{ID: "python", Owner: "acme", Name: "skates", Type: Python, Index: &PythonProject{Project: "skates", RepositoryURL: "https://pypi.org/simple/"}}),
		Op{Pixel: &Pixel{ID: "pixel", Owner: "acme", Name: "docs"}},
		Op{Collection: &Collection{ID: "collection", Owner: "acme", Pattern: "acme/*", Registry: "ghcr.io"}},
		Op{Token: &Token{ID: "token", UserID: "user-robot", Name: "t", Hash: strings.Repeat("a", 64)}},
	)
	return s
}

// wrong is one mistake: the object that has it, the code, and the field.
type wrong struct {
	name  string
	op    Op
	code  Code
	field string
}

func checkRefusals(t *testing.T, actor Actor, table []wrong) {
	t.Helper()
	s := furnished(t)
	for _, tc := range table {
		t.Run(tc.name, func(t *testing.T) {
			cmd := command("x", tc.op)
			cmd.Actor = actor
			r, _ := s.Apply(cmd)
			if len(r.Errors) != 1 || r.Errors[0].Code != tc.code || r.Errors[0].Field != tc.field {
				t.Fatalf("got %v\nwant %s in %q", describe(r.Errors), tc.code, tc.field)
			}
		})
	}
}

func describe(errs []*Error) string {
	var lines []string
	for _, e := range errs {
		lines = append(lines, fmt.Sprintf("%s in %q: %s", e.Code, e.Field, e))
	}
	return strings.Join(lines, "\n")
}

// changed gives a package with one thing different.
func changed(p *Package, change func(*Package)) Op { change(p); return put(p) }

func TestMistakesInOwners(t *testing.T) {
	o := func(change func(*Organization)) Op {
		op := org("new")
		change(op.Organization)
		return op
	}
	checkRefusals(t, operator(), []wrong{
		{"an id is missing", o(func(o *Organization) { o.ID = "" }), CodeFieldIsEmpty, "id"},
		{"an id is too long", o(func(o *Organization) { o.ID = strings.Repeat("x", 256) }), CodeFieldTooLong, "id"},
		{"an id has a zero byte", o(func(o *Organization) { o.ID = "a\x00b" }), CodeTextInvalid, "id"},
		{"no name", o(func(o *Organization) { o.Name = "" }), CodeInvalidOrganizationName, "name"},
		{"a name in capitals", o(func(o *Organization) { o.Name = "Acme" }), CodeInvalidOrganizationName, "name"},
		{"a name with a dot", o(func(o *Organization) { o.Name = "a.b" }), CodeInvalidOrganizationName, "name"},
		{"a name that ends in a hyphen", o(func(o *Organization) { o.Name = "a-" }), CodeInvalidOrganizationName, "name"},
		{"a name too long for a label", o(func(o *Organization) { o.Name = strings.Repeat("a", 64) }), CodeInvalidOrganizationName, "name"},
		{"another organization's name", o(func(o *Organization) { o.Name = "acme" }), CodeEntityAlreadyExists, "name"},
		{"a user's name", o(func(o *Organization) { o.Name = "robot" }), CodeEntityAlreadyExists, "name"},
		{"a website with another scheme", o(func(o *Organization) { o.Website = "ftp://acme.dev" }), CodeInvalidWebsiteURL, "website"},
		{"a website with a script", o(func(o *Organization) { o.Website = "javascript://acme.dev/%0aalert(1)" }), CodeInvalidWebsiteURL, "website"},
		{"an address that is none", o(func(o *Organization) { o.BillingEmail = "acme" }), CodeInvalidBillingEmail, "billing_email"},
		{"an address with a name", o(func(o *Organization) { o.BillingEmail = "A <a@acme.dev>" }), CodeInvalidBillingEmail, "billing_email"},
		{"a description that is a book", o(func(o *Organization) { o.Description = strings.Repeat("x", MaxLongTextBytes+1) }), CodeFieldTooLong, "description"},
		{"an override of an unknown variable", o(func(o *Organization) { o.VariableOverrides = map[string]string{"v": "colour"} }), CodeOverrideInvalid, "variable_overrides.v"},
		{"too many overrides", o(func(o *Organization) {
			o.VariableOverrides = make(map[string]string)
			for i := range MaxOverrides + 1 {
				o.VariableOverrides[fmt.Sprint(i)] = "page"
			}
		}), CodeTooMany, "variable_overrides"},
		{"a user with a space", Op{User: &User{ID: "u", Name: "a b"}}, CodeInvalidUserName, "name"},
		{"another user's name", Op{User: &User{ID: "u", Name: "robot"}}, CodeEntityAlreadyExists, "name"},
		{"an organization's name for a user", Op{User: &User{ID: "u", Name: "acme"}}, CodeEntityAlreadyExists, "name"},
	})
	s := furnished(t)
	refuse(t, s, []Code{CodeOwnerInUse, CodeOwnerInUse, CodeOwnerInUse, CodeOwnerInUse}, remove(KindOrganization, "org-acme"))
	refuse(t, s, []Code{CodeOwnerInUse}, remove(KindOrganization, "org-other"))
}

func TestOnlyOperatorsSetWhatReachesBeyondAnOwner(t *testing.T) {
	checkRefusals(t, Actor{Kind: "user", ID: "user-robot"}, []wrong{
		{"an operator", Op{User: &User{ID: "u", Name: "u", Operator: true}}, CodeOperatorOnly, "operator"},
		{"an asserted domain", claim("acme", "new.dev", Asserted), CodeOperatorOnly, "state"},
		{"a verified domain", claim("acme", "two.acme.dev", Verified), CodeOperatorOnly, "state"},
		{"plain http to a registry", changed(image("acme", "x"), func(p *Package) { p.Image.PlainHTTP = true }), CodeOperatorOnly, "image.plain_http"},
		{"plain http to an index", put(&Package{
			ID: "p", Owner: "acme", Name: "p", Type: Python,
			Index: &PythonProject{Project: "p", RepositoryURL: "http://pypi.org/simple/", PlainHTTP: true},
		}), CodeOperatorOnly, "index.plain_http"},
		{"every image of a registry", Op{Collection: &Collection{ID: "c", Owner: "acme", Pattern: "**", Registry: "ghcr.io"}}, CodeOperatorOnly, "pattern"},
		{"every image of two segments", Op{Collection: &Collection{ID: "c", Owner: "acme", Pattern: "*/*", Registry: "ghcr.io"}}, CodeOperatorOnly, "pattern"},
		{"a token server of nobody's", changed(image("acme", "x"), func(p *Package) { p.Image.TokenHost = "auth.example" }), CodeFieldNotForType, "image.token_host"},
		{"a token server that is a URL", changed(image("acme", "x"), func(p *Package) {
			p.Image.PrivatePulls = PrivatePulls{AllowPrivatePulls: true, TokenHost: "https://auth.example"}
		}), CodeRegistryInvalidCharacters, "image.token_host"},
		{"plain http for a collection", Op{Collection: &Collection{ID: "c", Owner: "acme", Pattern: "x/*", Registry: "ghcr.io", PlainHTTP: true}}, CodeOperatorOnly, "plain_http"},
	})
	// What an operator set stays when others change the rest.
	s := furnished(t)
	set := changed(image("acme", "x"), func(p *Package) { p.Image.PlainHTTP = true })
	mustApply(t, s, set)
	cmd := command("by a user", set, claim("acme", "get.acme.dev", Asserted))
	cmd.Actor = Actor{Kind: "user"}
	if r, _ := s.Apply(cmd); r.Err() != nil {
		t.Error(r.Err())
	}
}

func TestMistakesInDomains(t *testing.T) {
	named := func(name string) Op { return claim("acme", name, Pending) }
	checkRefusals(t, operator(), []wrong{
		{"no name", named(""), CodeDomainIsEmpty, "name"},
		{"capitals", named("Get.dev"), CodeDomainInvalidCharacters, "name"},
		{"a trailing dot", named("get.dev."), CodeDomainInvalidCharacters, "name"},
		{"not in ASCII", named("bücher.example"), CodeDomainInvalidCharacters, "name"},
		{"a port", named("get.dev:8080"), CodeDomainInvalidCharacters, "name"},
		{"a URL", named("https://get.dev"), CodeDomainInvalidCharacters, "name"},
		{"an empty label", named("get..dev"), CodeDomainInvalidCharacters, "name"},
		{"a wildcard", named("*.get.dev"), CodeDomainInvalidCharacters, "name"},
		{"a label of 64", named(strings.Repeat("a", 64) + ".dev"), CodeDomainInvalidCharacters, "name"},
		{"a megabyte", Op{Domain: &Domain{ID: "d", Owner: "acme", Name: strings.Repeat("a.", 1<<19) + "dev", State: Pending}}, CodeDomainInvalidCharacters, "name"},
		{"an unknown state", claim("acme", "new.dev", "fine"), CodeDomainState, "state"},
		{"a second claim of one owner", Op{Domain: &Domain{ID: "d", Owner: "acme", Name: "get.acme.dev", State: Pending}}, CodeDomainInUse, "name"},
		{"a name that another owner serves", claim("acme", "other.dev", Asserted), CodeDomainInUse, "name"},
		{"no owner", claim("nobody", "new.dev", Pending), CodeOwnerNotFound, "owner"},
		{"a claim renamed while attached", Op{Domain: &Domain{ID: "domain-acme-get.acme.dev", Owner: "acme", Name: "new.dev", State: Asserted}}, CodeDomainStillInUse, ""},
	})
}

func TestMistakesInPackages(t *testing.T) {
	p := func(change func(*Package)) Op { return changed(pkg("acme", "new"), change) }
	checkRefusals(t, operator(), []wrong{
		{"no owner", p(func(p *Package) { p.Owner = "nobody" }), CodeOwnerNotFound, "owner"},
		{"no name", p(func(p *Package) { p.Name = "" }), CodePackageNameIsEmpty, "name"},
		{"a name that ends in a space", p(func(p *Package) { p.Name = "a " }), CodeTextInvalid, "name"},
		{"a name too long", p(func(p *Package) { p.Name = strings.Repeat("a", 256) }), CodeFieldTooLong, "name"},
		{"an unknown type", p(func(p *Package) { p.Type = "gem" }), CodeTypeIsInvalid, "type"},
		{"the name of another package", put(&Package{ID: "p", Owner: "acme", Name: "skates", Type: Python, Index: &PythonProject{Project: "x", RepositoryURL: "https://pypi.org/simple/"}}), CodePackageAlreadyExists, "name"},
		{"routes on an image", changed(image("acme", "x"), func(p *Package) { p.Routes = []Route{{ID: "r", IncomingPath: "/"}} }), CodeNotAFilePackage, "routes"},
		{"an image that isn't docker's", p(func(p *Package) { p.Image = &Image{Registry: "ghcr.io", Repository: "x"} }), CodeFieldNotForType, "image"},
		{"a docker package without an image", p(func(p *Package) { p.Type = Docker }), CodeRegistryIsEmpty, "image"},
		{"a python package without an index", p(func(p *Package) { p.Type = Python }), CodeFieldIsMissing, "index"},
		{"a domain without a claim", p(func(p *Package) { p.Domains = []PackageDomain{{ID: "d", Name: "nobody.dev"}} }), CodeDomainNotClaimed, "domains[0].name"},
		{"another owner's domain", p(func(p *Package) { p.Domains = []PackageDomain{{ID: "d", Name: "other.dev"}} }), CodePublicDomainInUse, "domains[0].name"},
		{"an empty domain", p(func(p *Package) { p.Domains = []PackageDomain{{ID: "d"}} }), CodePublicDomainIsEmpty, "domains[0].name"},
		{"a domain in capitals", p(func(p *Package) { p.Domains = []PackageDomain{{ID: "d", Name: "GET.acme.dev"}} }), CodePublicDomainInvalidCharacters, "domains[0].name"},
		{"a domain without an id", p(func(p *Package) { p.Domains = []PackageDomain{{Name: "get.acme.dev"}} }), CodeFieldIsEmpty, "domains[0].id"},
		{"a domain twice", p(func(p *Package) {
			p.Domains = []PackageDomain{{ID: "d", Name: "get.acme.dev"}, {ID: "e", Name: "get.acme.dev"}}
		}), CodeDuplicate, "domains[1].name"},
		{"an image that another package serves", put(&Package{
			ID: "p", Owner: "acme", Name: "p", Type: Docker,
			Image: &Image{Name: "acme/app", Registry: "ghcr.io", Repository: "x"},
		}), CodePackageIsConflicting, "image"},
		{"an image that another package serves on a domain", put(&Package{
			ID: "p", Owner: "acme", Name: "p", Type: Docker,
			Domains: []PackageDomain{{ID: "d", Name: "get.acme.dev"}},
			Image:   &Image{Registry: "quay.io", Repository: "acme/lib"},
		}), CodePackageIsConflicting, "image"},
		{"a project that another package serves", put(&Package{
			ID: "p", Owner: "acme", Name: "p", Type: Python,
			Index: &PythonProject{Project: "skates", RepositoryURL: "https://pypi.org/simple/"},
		}), CodePackageIsConflicting, "index.project"},
		{"events on a file package", p(func(p *Package) { p.Events = &EventAccess{} }), CodeFieldNotForType, "events"},
		{"an event token that isn't a hash", p(func(p *Package) {
			p.Type, p.Events = Event, &EventAccess{Restricted: true, TokenHashes: []string{"secret"}}
		}), CodeHashInvalid, "events.token_hashes[0]"},
		{"event tokens that nobody asks for", p(func(p *Package) {
			p.Type, p.Events = Event, &EventAccess{TokenHashes: []string{strings.Repeat("a", 64)}}
		}), CodeFieldNotForType, "events.token_hashes"},
	})
	// The same image on another host, or of another owner, is no conflict.
	s := furnished(t)
	mustApply(t, s,
		put(&Package{
			ID: "p", Owner: "acme", Name: "p", Type: Docker, Domains: []PackageDomain{{ID: "d", Name: "two.acme.dev"}},
			Image: &Image{Registry: "quay.io", Repository: "acme/lib"},
		}),
		put(image("other", "acme/app")))
}

func TestMistakesInRoutes(t *testing.T) {
	r := func(in string, out ...string) Op {
		route := Route{ID: "r", IncomingPath: in}
		if len(out) > 0 {
			route.OutgoingURL = &out[0]
			route.FailoverOrigins = out[1:]
		}
		return changed(pkg("acme", "new"), func(p *Package) { p.Routes = []Route{route} })
	}
	kind := func(op Op, k RouteKind) Op { op.Package.Routes[0].Kind = k; return op }
	const in, out, failover = "routes[0].incoming_path", "routes[0].outgoing_url", "routes[0].failover_origins"
	checkRefusals(t, operator(), []wrong{
		{"no path", r(""), CodeIncomingPathIsEmpty, in},
		{"a path without a slash", r("a"), CodeIncomingPathWithoutSlash, in},
		{"a URL for a path", r("https://acme.dev/a"), CodeIncomingPathNotRelative, in},
		{"a brace that isn't closed", r("/{v"), CodeIncomingPathInvalidTemplate, in},
		{"a brace that isn't opened", r("/v}"), CodeIncomingPathInvalidTemplate, in},
		{"a variable without a name", r("/{}"), CodeIncomingPathInvalidTemplate, in},
		{"a variable with a hyphen", r("/{a-b}"), CodeIncomingPathInvalidTemplate, in},
		{"a reserved operator", r("/{=v}"), CodeIncomingPathInvalidTemplate, in},
		{"a fragment", r("/{#v}"), CodeIncomingPathInvalidTemplate, in},
		{"a literal fragment", r("/a#b"), CodeIncomingPathInvalidTemplate, in},
		{"a prefix", r("/{v:3}"), CodeIncomingPathInvalidTemplate, in},
		{"an explode", r("/{v*}"), CodeIncomingPathInvalidTemplate, in},
		{"a bad percent", r("/100%"), CodeIncomingPathInvalidTemplate, in},
		{"a path too long", r("/" + strings.Repeat("a", MaxURLBytes)), CodeFieldTooLong, in},
		{"too many variables", r("/" + strings.Repeat("{v}/", MaxVariables+1)), CodeIncomingPathInvalidTemplate, in},
		{"an empty URL", r("/", ""), CodeOutgoingURLIsEmpty, out},
		{"a URL without a scheme", r("/", "acme.dev/a"), CodeOutgoingURLNotAbsolute, out},
		{"a URL without a host", r("/", "https:///a"), CodeOutgoingURLNotAbsolute, out},
		{"a URL of a file", r("/", "file:///etc/passwd"), CodeOutgoingURLNotAbsolute, out},
		{"a URL with a password", r("/", "https://me:secret@acme.dev/"), CodeOutgoingURLNotAbsolute, out},
		{"a variable for a scheme", r("/{s}", "{s}://acme.dev/"), CodeOutgoingURLNotAbsolute, out},
		{"a variable in the host", r("/{h}", "https://{h}.acme.dev/"), CodeOutgoingAuthority, out},
		{"a variable for a port", r("/{p}", "https://acme.dev:{p}/"), CodeOutgoingAuthority, out},
		{"a variable right after the host", r("/{p}", "https://acme.dev{p}"), CodeOutgoingAuthority, out},
		{"a reserved variable right after the host", r("/{+p}", "https://acme.dev{+p}"), CodeOutgoingAuthority, out},
		{"a broken template", r("/", "https://acme.dev/{"), CodeOutgoingURLInvalidTemplate, out},
		{"a variable that the path lacks", r("/{v}", "https://acme.dev/{v}/{os}"), CodeIncomingPathMissingVariables, out},
		{"a failover without an origin", changed(pkg("acme", "new"), func(p *Package) {
			p.Routes = []Route{{ID: "r", IncomingPath: "/", FailoverOrigins: []string{"https://acme.dev/"}}}
		}), CodeOutgoingURLIsEmpty, failover},
		{"a failover with a variable that the path lacks", r("/", "https://acme.dev/", "https://acme.dev/{v}"), CodeIncomingPathMissingVariables, failover + "[0]"},
		{"too many failovers", r("/", slices.Repeat([]string{"https://acme.dev/"}, MaxFailovers+2)...), CodeTooMany, failover},
		{"an unknown kind", kind(r("/"), "glob"), CodeRouteKind, "routes[0].kind"},
		{"an expression that isn't one", kind(r("("), RegexpRoute), CodeRegexpInvalid, in},
		{"a lookahead", kind(r("(?=a)"), RegexpRoute), CodeRegexpInvalid, in},
		{"an expression that explodes", kind(r(`((\pL{30}){30})`), RegexpRoute), CodeRegexpInvalid, in},
		{"an expression too long", kind(r(strings.Repeat("a", MaxRegexpBytes+1)), RegexpRoute), CodeFieldTooLong, in},
		{"a variable that the expression lacks", kind(r("^/(?<v>.*)$", "https://acme.dev/{w}"), RegexpRoute), CodeIncomingPathMissingVariables, out},
		{"a catch-all without a star", kind(r("/a"), CatchAllRoute), CodeCatchAllInvalid, in},
		{"a catch-all with a variable", kind(r("/{a}/*"), CatchAllRoute), CodeCatchAllInvalid, in},
		{"a catch-all to a query", kind(r("/*", "https://acme.dev/?a=*"), CatchAllRoute), CodeCatchAllInvalid, out},
		{"a route without an id", changed(pkg("acme", "new"), func(p *Package) { p.Routes = []Route{{IncomingPath: "/"}} }), CodeFieldIsEmpty, "routes[0].id"},
		{"an id twice", changed(pkg("acme", "new"), func(p *Package) { p.Routes = []Route{{ID: "r", IncomingPath: "/"}, {ID: "r", IncomingPath: "/a"}} }), CodeDuplicate, "routes[1].id"},
		{"a domain that isn't the package's", changed(pkg("acme", "new"), func(p *Package) { p.Routes = []Route{{ID: "r", IncomingPath: "/", Domain: "get.acme.dev"}} }), CodeDomainNotAttached, "routes[0].domain"},
		{"a status that isn't a redirect's", changed(pkg("acme", "new"), func(p *Package) { p.Routes = []Route{{ID: "r", IncomingPath: "/", RedirectStatus: 200}} }), CodeRedirectStatus, "routes[0].redirect_status"},
		{"too many routes", changed(pkg("acme", "new"), func(p *Package) { p.Routes = make([]Route, MaxRoutes+1) }), CodeTooMany, "routes"},
	})

	s := furnished(t)
	for i, op := range []Op{
		r("/"), r("/{v}", "HTTPS://acme.dev:8443/{v:3}{?v*}"), r("/{v}", "https://acme.dev{/v}"), r("/{v}", "https://acme.dev{?v}"),
		r("/{v}", "https://[2001:db8::1]:80/{v}"), r("/a b/é+?q={q}", "https://acme.dev"), r("/{a.b}/{%41}", "https://acme.dev/{a.b}{%41}"),
		kind(r("/docs/*", "https://acme.dev/*"), CatchAllRoute), kind(r("/*"), CatchAllRoute), kind(r("/*", "https://acme.dev"), CatchAllRoute),
		kind(r(`^/(?P<a>x)/(?<b>\d{1,20})$`, "https://acme.dev/{a}/{b}"), RegexpRoute),
	} {
		op.Package.ID, op.Package.Name = fmt.Sprint("fine-", i), fmt.Sprint("fine-", i)
		mustApply(t, s, op)
	}
}

func TestMissingVariablesAreNamed(t *testing.T) {
	s := furnished(t)
	errs := refuse(t, s, []Code{CodeIncomingPathMissingVariables}, changed(pkg("acme", "rocket"), func(p *Package) {
		p.Routes = []Route{{ID: "a", IncomingPath: "/"}, {ID: "b", IncomingPath: "/{v}", OutgoingURL: ptr("https://acme.dev/{v}/{os}-{arch}")}}
	}))
	want := `package acme/rocket: routes[1].outgoing_url: uses {os}, {arch}, which the incoming path doesn't have; add them there`
	if got := errs[0].Error(); got != want {
		t.Errorf("%s", got)
	}
}

func TestMistakesInImages(t *testing.T) {
	named := func(name string) Op {
		return changed(image("acme", "x"), func(p *Package) { p.Image.Repository = name })
	}
	on := func(registry string) Op {
		return changed(image("acme", "x"), func(p *Package) { p.Image.Registry = registry })
	}
	const repository, registry = "image.repository", "image.registry"
	checkRefusals(t, operator(), []wrong{
		{"no name", named(""), CodeImageNameEmptySegments, repository},
		{"an empty segment", named("a//b"), CodeImageNameEmptySegments, repository},
		{"a slash at the end", named("a/"), CodeImageNameEmptySegments, repository},
		{"capitals", named("Acme/app"), CodeImageNameInvalidCharacters, repository},
		{"a tag", named("acme/app:1"), CodeImageNameInvalidCharacters, repository},
		{"a digest", named("acme/app@sha256:" + strings.Repeat("a", 64)), CodeImageNameInvalidCharacters, repository},
		{"a hyphen at the end", named("acme/app-"), CodeImageNameInvalidCharacters, repository},
		{"256 bytes", named(strings.Repeat("a", 256)), CodeImageNameTooLong, repository},
		{"a public name in capitals", changed(image("acme", "x"), func(p *Package) { p.Image.Name = "X" }), CodeImageNameInvalidCharacters, "image.name"},
		{"no registry", on(""), CodeRegistryIsEmpty, registry},
		{"a registry with a scheme", on("https://ghcr.io"), CodeRegistryInvalidCharacters, registry},
		{"a registry with a path", on("ghcr.io/v2"), CodeRegistryInvalidCharacters, registry},
		{"a registry with a bad port", on("ghcr.io:0"), CodeRegistryInvalidCharacters, registry},
		{"a registry in capitals", on("GHCR.io"), CodeRegistryInvalidCharacters, registry},
		{"a failover that isn't a registry", changed(image("acme", "x"), func(p *Package) { p.Image.FailoverRegistries = []string{"a b"} }), CodeRegistryInvalidCharacters, "image.failover_registries[0]"},
	})
	s := furnished(t)
	for i, name := range []string{"a", "a.b/c_d/e__f/g--h", "docker.io/library/x", strings.Repeat("a", 255)} {
		p := image("acme", fmt.Sprint("i", i))
		p.Image.Repository = name
		p.Image.Registry = []string{"docker.io", "localhost:5000", "127.0.0.1:5000", "[::1]:5000"}[i]
		mustApply(t, s, put(p))
	}
}

func TestMistakesInPythonProjects(t *testing.T) {
	p := func(change func(*PythonProject)) Op {
		project := &PythonProject{Project: "rocket", RepositoryURL: "https://pypi.org/simple/"}
		change(project)
		return put(&Package{ID: "p", Owner: "acme", Name: "rocket", Type: Python, Index: project})
	}
	file := func(change func(*PythonFile)) Op {
		f := PythonFile{FileName: "rocket-1.tar.gz", Version: "1", URL: "https://files.dev/x"}
		change(&f)
		return p(func(p *PythonProject) { p.Files = []PythonFile{f} })
	}
	const url = "index.repository_url"
	checkRefusals(t, operator(), []wrong{
		{"no project", p(func(p *PythonProject) { p.Project = "" }), CodeInvalidPythonProject, "index.project"},
		{"a project that isn't normalized", p(func(p *PythonProject) { p.Project = "Rocket_Skates" }), CodeInvalidPythonProject, "index.project"},
		{"a project with a slash", p(func(p *PythonProject) { p.Project = "a/b" }), CodeInvalidPythonProject, "index.project"},
		{"a project that ends in a hyphen", p(func(p *PythonProject) { p.Project = "a-" }), CodeInvalidPythonProject, "index.project"},
		{"an index that isn't a URL", p(func(p *PythonProject) { p.RepositoryURL = "pypi.org" }), CodeRepositoryURLInvalid, url},
		{"an index over http", p(func(p *PythonProject) { p.RepositoryURL = "http://pypi.org/simple/" }), CodeRepositoryURLNotHTTPS, url},
		{"an index without its slash", p(func(p *PythonProject) { p.RepositoryURL = "https://pypi.org/simple" }), CodeRepositoryURLNoTrailing, url},
		{"an index with a query", p(func(p *PythonProject) { p.RepositoryURL = "https://pypi.org/?a=/" }), CodeRepositoryURLInvalid, url},
		{"neither index nor files", p(func(p *PythonProject) { p.RepositoryURL = "" }), CodeRepositoryURLInvalid, url},
		{"a failover without its slash", p(func(p *PythonProject) { p.FailoverIndexes = []string{"https://two.dev"} }), CodeRepositoryURLNoTrailing, "index.failover_indexes[0]"},
		{"a file with a path", file(func(f *PythonFile) { f.FileName = "a/b" }), CodeFileNameInvalid, "index.files[0].file_name"},
		{"a file without a version", file(func(f *PythonFile) { f.Version = "" }), CodeFieldIsEmpty, "index.files[0].version"},
		{"a file's URL of another scheme", file(func(f *PythonFile) { f.URL = "ftp://files.dev/x" }), CodeFileURLInvalid, "index.files[0].url"},
		{"an unknown hash", file(func(f *PythonFile) { f.HashType, f.Hash = "crc", "00" }), CodeHashInvalid, "index.files[0].hash_type"},
		{"a short hash", file(func(f *PythonFile) { f.HashType, f.Hash = "sha256", "00" }), CodeHashInvalid, "index.files[0].hash"},
		{"a file's domain", file(func(f *PythonFile) { f.Domain = "get.acme.dev" }), CodeDomainNotAttached, "index.files[0].domain"},
		{"a file twice", p(func(p *PythonProject) {
			f := PythonFile{FileName: "x", Version: "1", URL: "https://files.dev/x"}
			p.Files = []PythonFile{f, f}
		}), CodeDuplicate, "index.files[1].file_name"},
	})
}

func TestMistakesInPixelsCollectionsAndCredentials(t *testing.T) {
	pixel := func(change func(*Pixel)) Op {
		p := &Pixel{ID: "p", Owner: "acme", Name: "new"}
		change(p)
		return Op{Pixel: p}
	}
	pattern := func(s string) Op {
		return Op{Collection: &Collection{ID: "c", Owner: "acme", Pattern: s, Registry: "ghcr.io"}}
	}
	token := func(change func(*Token)) Op {
		k := &Token{ID: "t", UserID: "user-robot", Name: "t", Hash: strings.Repeat("b", 64)}
		change(k)
		return Op{Token: k}
	}
	checkRefusals(t, operator(), []wrong{
		{"a pixel without a name", pixel(func(p *Pixel) { p.Name = "" }), CodeNameIsEmpty, "name"},
		{"a pixel's name twice", pixel(func(p *Pixel) { p.Name = "docs" }), CodeNameAlreadyExists, "name"},
		{"a pixel of no package", pixel(func(p *Pixel) { p.PackageID = "x" }), CodePackageNotFound, "package_id"},
		{"a pixel of another owner's package", pixel(func(p *Pixel) { p.Owner, p.PackageID = "other", "python" }), CodeInvalidPackageOwner, "package_id"},
		{"a pixel on another owner's domain", pixel(func(p *Pixel) { p.Domains = []string{"other.dev"} }), CodePublicDomainInUse, "domains[0]"},
		{"an empty pattern", pattern(""), CodePatternIsEmpty, "pattern"},
		{"a pattern twice", pattern("acme/*"), CodePatternIsDuplicated, "pattern"},
		{"a pattern in capitals", pattern("Acme/*"), CodePatternInvalidCharacters, "pattern"},
		{"a pattern with an empty segment", pattern("acme//a"), CodePatternIsInvalid, "pattern"},
		{"two stars within a segment", pattern("acme/a**"), CodePatternIsInvalid, "pattern"},
		{"a brace that isn't closed", pattern("acme/{a"), CodePatternIsInvalid, "pattern"},
		{"braces inside braces", pattern("acme/{a,{b}}"), CodePatternIsInvalid, "pattern"},
		{"an empty alternative", pattern("acme/{a,}"), CodePatternIsInvalid, "pattern"},
		{"a space outside braces", pattern("acme/a b"), CodePatternIsInvalid, "pattern"},
		{"a collection without a registry", Op{Collection: &Collection{ID: "c", Owner: "acme", Pattern: "**"}}, CodeRegistryIsEmpty, "registry"},
		{"a token of nobody", token(func(k *Token) { k.UserID = "x" }), CodeUserNotFound, "user_id"},
		{"a token with its secret", token(func(k *Token) { k.Hash = "secret" }), CodeHashInvalid, "hash"},
		{"a hash in capitals", token(func(k *Token) { k.Hash = strings.Repeat("A", 64) }), CodeHashInvalid, "hash"},
		{"a hash twice", token(func(k *Token) { k.Hash = strings.Repeat("a", 64) }), CodeHashInUse, "hash"},
		{"an unknown scope", token(func(k *Token) { k.Scopes = []Scope{"root"} }), CodeScopeInvalid, "scopes[0]"},
		{"a session without an end", Op{Session: &Session{ID: "s", UserID: "user-robot", Hash: strings.Repeat("b", 64)}}, CodeFieldIsEmpty, "expires_at"},
		{"a link that ends in 10000", Op{SignInLink: &SignInLink{ID: "s", UserID: "user-robot", Hash: strings.Repeat("b", 64), ExpiresAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}}, CodeTimeInvalid, "expires_at"},
	})
	s := furnished(t)
	for i, p := range []string{"**", "acme/{a, b}", "a/{x,y}-*/**", "*"} {
		op := pattern(p)
		op.Collection.ID = fmt.Sprint("fine-", i)
		mustApply(t, s, op)
	}
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	s := furnished(t)
	bad := changed(pkg("acme", ""), func(p *Package) {
		p.Website = "ftp://x"
		p.Domains = []PackageDomain{{ID: "d", Name: "nobody.dev"}}
		p.Routes = []Route{{ID: "r", IncomingPath: "a", OutgoingURL: ptr("b"), RedirectStatus: 200}}
	})
	errs := refuse(t, s, []Code{
		CodeInvalidOrganizationName,
		CodePackageNameIsEmpty, CodeInvalidWebsiteURL, CodeDomainNotClaimed,
		CodeIncomingPathWithoutSlash, CodeOutgoingURLNotAbsolute, CodeRedirectStatus,
		CodeNotFound,
	}, Op{Organization: &Organization{ID: "o", Name: "A B"}}, bad, remove(KindPixel, "nothing"))
	for i, want := range []int{0, 1, 1, 1, 1, 1, 1, 2} {
		if errs[i].Op != want {
			t.Errorf("error %d is about operation %d", i, errs[i].Op)
		}
	}
}

// What can't be encoded must be refused, or replicas could not read it back.
func TestTextThatIsNotUTF8IsRefusedWhereverItStands(t *testing.T) {
	paths := stringPaths(everything())
	if len(paths) < 60 {
		t.Fatalf("only %d texts were found", len(paths))
	}
	for _, path := range paths {
		ops := everything()
		target := textAt(ops, path)
		target.SetString(target.String() + "\xff")
		r, _ := NewStore().Apply(command("x", ops...))
		if len(r.Errors) == 0 {
			t.Errorf("%v was accepted", path)
		}
		for _, e := range r.Errors {
			if strings.ToValidUTF8(e.Error(), "") != e.Error() {
				t.Errorf("the message itself isn't UTF-8: %q", e)
			}
		}
	}
}

// stringPaths are the ways, by field and index, to every string in ops.
func stringPaths(ops []Op) [][]int {
	var paths [][]int
	var walk func(v reflect.Value, path []int)
	walk = func(v reflect.Value, path []int) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem(), path)
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[time.Time]() {
				return
			}
			for i := range v.NumField() {
				walk(v.Field(i), append(slices.Clone(path), i))
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i), append(slices.Clone(path), i))
			}
		case reflect.String:
			paths = append(paths, path)
		}
	}
	walk(reflect.ValueOf(ops), nil)
	return paths
}

func textAt(ops []Op, path []int) reflect.Value {
	v := reflect.ValueOf(ops)
	for _, i := range path {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if v.Kind() == reflect.Slice {
			v = v.Index(i)
		} else {
			v = v.Field(i)
		}
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v
}

func TestNamesUnderTheBaseDomainAreReserved(t *testing.T) {
	cmd := command("x",
		claim("acme", "gateway.localhost", Pending), claim("acme", "a.gateway.localhost", Pending), claim("acme", "agateway.localhost", Pending),
		put(pkg("acme", "x", "get.acme.dev", "x.gateway.localhost")),
		Op{Pixel: &Pixel{ID: "p", Domains: []string{"static.gateway.localhost"}}},
		Op{Collection: &Collection{ID: "c", Domain: "a.docker.gateway.localhost"}},
		remove(KindDomain, "x"))
	got := CheckReserved(cmd, "gateway.localhost")
	want := []Code{CodeDomainIsReserved, CodeDomainIsReserved, CodePublicDomainIsReserved, CodePublicDomainIsReserved, CodePublicDomainIsReserved}
	if !slices.Equal(codes(got), want) || got[2].Field != "domains[1].name" || got[2].Op != 3 {
		t.Errorf("%s", describe(got))
	}
}
