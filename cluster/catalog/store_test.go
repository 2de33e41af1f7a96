package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
)

func org(name string) Op {
	return Op{Organization: &Organization{ID: "org-" + name, Name: name}}
}

func user(name string) Op { return Op{User: &User{ID: "user-" + name, Name: name}} }

func claim(owner, name string, state DomainState) Op {
	return Op{Domain: &Domain{ID: "domain-" + owner + "-" + name, Owner: owner, Name: name, State: state}}
}

func pkg(owner, name string, domains ...string) *Package {
	p := &Package{ID: "package-" + owner + "-" + name, Owner: owner, Name: name, Type: File}
	for _, d := range domains {
		p.Domains = append(p.Domains, PackageDomain{ID: "at-" + d, Name: d})
	}
	return p
}

func image(owner, name string, domains ...string) *Package {
	p := pkg(owner, name, domains...)
	p.Type, p.Image = Docker, &Image{Registry: "ghcr.io", Repository: name}
	return p
}

func put(p *Package) Op { return Op{Package: p} }

func remove(k Kind, id string) Op { return Op{Delete: &Ref{Kind: k, ID: id}} }

// applied applies operations that must be accepted.
func mustApply(t *testing.T, s *Store, ops ...Op) []Change {
	t.Helper()
	r, changes := s.Apply(command(fmt.Sprintf("command-%d", s.View().Version()+1), ops...))
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return changes
}

// refuse applies operations that must be refused, with these codes.
func refuse(t *testing.T, s *Store, want []Code, ops ...Op) []*Error {
	t.Helper()
	before := s.View()
	r, changes := s.Apply(command("refused", ops...))
	if got := codes(r.Errors); !slices.Equal(got, want) {
		t.Fatalf("codes %v, want %v:\n%v", got, want, r.Err())
	}
	if changes != nil || s.View() != before || r.Version != before.Version() {
		t.Fatal("a refused command changed something")
	}
	return r.Errors
}

func codes(errs []*Error) []Code {
	var list []Code
	for _, e := range errs {
		list = append(list, e.Code)
	}
	return list
}

func TestApplyCountsVersionsAndStampsObjects(t *testing.T) {
	s := NewStore()
	mustApply(t, s, org("acme"))
	later := command("later", put(pkg("acme", "rocket")))
	later.Time = testTime.Add(time.Hour)
	s.Apply(later)
	changed := command("changed", put(&Package{
		ID: "package-acme-rocket", Owner: "acme", Name: "rocket", Type: File,
		Meta: Meta{CreatedAt: time.Unix(1, 0), Version: 99},
	}))
	changed.Time = testTime.Add(2 * time.Hour)
	r, _ := s.Apply(changed)
	if r.Err() != nil || r.Version != 3 || s.View().Version() != 3 {
		t.Fatalf("%+v", r)
	}
	got := s.View().PackageByName("acme", File, "rocket").Meta
	want := Meta{CreatedAt: testTime.Add(time.Hour), UpdatedAt: testTime.Add(2 * time.Hour), Version: 3}
	if got != want {
		t.Errorf("meta %+v, want %+v", got, want)
	}
}

func TestPartsOfAPackageKeepTheTimeTheyWereMade(t *testing.T) {
	s := NewStore()
	mustApply(t, s, org("acme"), claim("acme", "get.acme.dev", Asserted))
	p := pkg("acme", "rocket", "get.acme.dev")
	p.Routes = []Route{{ID: "r1", IncomingPath: "/a"}}
	mustApply(t, s, put(p))
	again := pkg("acme", "rocket", "get.acme.dev")
	imported := time.Date(2020, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600))
	again.Routes = []Route{{ID: "r2", IncomingPath: "/b"}, {ID: "r1", IncomingPath: "/a"}, {ID: "r3", IncomingPath: "/c", CreatedAt: imported}}
	cmd := command("later", put(again))
	cmd.Time = testTime.Add(time.Hour)
	if r, _ := s.Apply(cmd); r.Err() != nil {
		t.Fatal(r.Err())
	}
	got := s.View().Package(p.ID)
	if at := got.Domains[0].CreatedAt; at != testTime {
		t.Errorf("domain made at %s", at)
	}
	for i, want := range []time.Time{testTime.Add(time.Hour), testTime, imported.UTC()} {
		if at := got.Routes[i].CreatedAt; at != want {
			t.Errorf("route %s made at %s, want %s", got.Routes[i].ID, at, want)
		}
	}
	if !again.Routes[0].CreatedAt.IsZero() {
		t.Error("Apply changed the command's own object")
	}
}

func TestACommandAppliedTwiceCountsOnce(t *testing.T) {
	s := NewStore()
	cmd := command("once", org("acme"))
	first, changes := s.Apply(cmd)
	if len(changes) != 1 {
		t.Fatal(changes)
	}
	mustApply(t, s, org("other"))
	before := s.View()
	second, changes := s.Apply(cmd)
	if !reflect.DeepEqual(first, second) || changes != nil || s.View() != before {
		t.Errorf("first %+v, second %+v with changes %v", first, second, changes)
	}
	if errs := Validate(s.View(), cmd); errs != nil {
		t.Errorf("Validate calls an applied command wrong: %v", errs)
	}
}

func TestARefusedCommandIsJudgedAnew(t *testing.T) {
	s := NewStore()
	cmd := command("early", put(pkg("acme", "rocket")))
	if r, _ := s.Apply(cmd); r.Err() == nil {
		t.Fatal("a package without its owner was accepted")
	}
	mustApply(t, s, org("acme"))
	if r, _ := s.Apply(cmd); r.Err() != nil || r.Version != 2 {
		t.Errorf("%+v", r)
	}
}

func TestOnlyTheLatestCommandIDsAreRemembered(t *testing.T) {
	s := NewStore()
	mustApply(t, s, org("acme"))
	for range RememberedCommands {
		mustApply(t, s, Op{Organization: &Organization{ID: "org-acme", Name: "acme"}})
	}
	if _, ok := s.View().Applied("command-1"); ok {
		t.Error("the oldest id is still there")
	}
	if v, ok := s.View().Applied("command-2"); !ok || v != 2 {
		t.Error("an id was forgotten too early")
	}
	n := 0
	for range s.View().appliedCommands() {
		n++
	}
	if n != RememberedCommands {
		t.Errorf("%d ids are remembered", n)
	}
}

func TestReplayingTheLogGivesTheSameStateAndDigest(t *testing.T) {
	s, second, log := NewStore(), NewStore(), storedLog(t)
	for _, b := range log {
		for _, replica := range []*Store{s, second} {
			cmd, err := DecodeCommand(b)
			if err != nil {
				t.Fatal(err)
			}
			replica.Apply(cmd)
		}
	}
	if s.View().Digest() != second.View().Digest() || s.View().Version() != second.View().Version() {
		t.Error("replicas differ")
	}
	if !bytes.Equal(snapshotOf(t, s), snapshotOf(t, second)) {
		t.Error("snapshots differ")
	}
	shorter := NewStore()
	for _, b := range log[:len(log)-1] {
		cmd, _ := DecodeCommand(b)
		shorter.Apply(cmd)
	}
	if shorter.View().Digest() == s.View().Digest() {
		t.Error("the digest doesn't tell a replica that is behind")
	}
}

// storedLog is a log with everything in it, refused commands among them.
func storedLog(t *testing.T) [][]byte {
	t.Helper()
	var log [][]byte
	add := func(ops ...Op) {
		b, err := EncodeCommand(command(fmt.Sprintf("log-%d", len(log)), ops...))
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, b)
	}
	add(everything()...)
	add(org("acme"), put(pkg("nobody", "rocket"))) // refused
	add(put(image("acme", "acme/other")))
	add(Op{Organization: &Organization{ID: "org-acme", Name: "renamed"}})
	add(remove(KindUser, "user-robot"))
	return log
}

// everything is one object of each kind, every field set.
func everything() []Op {
	expires := testTime.Add(time.Hour)
	hash := func(c string) string { return string(bytes.Repeat([]byte(c), 64)) }
	full := &Package{
		ID: "package-acme-rocket", Owner: "acme", Name: "rocket", Type: File,
		ShortDescription: "short", LongDescription: "long\nlonger", Website: "acme.dev",
		Domains: []PackageDomain{{ID: "d1", Name: "get.acme.dev"}},
		Routes: []Route{
			{
				ID: "r1", Kind: TemplateRoute, IncomingPath: "/{v}/{+rest}?x={x}", OutgoingURL: ptr("https://dl.acme.dev/{v}/{x}{/rest}"),
				FailoverOrigins: []string{"http://two.acme.dev:8080/{v}"}, RedirectStatus: 308, Domain: "get.acme.dev",
			},
			{ID: "r2", Kind: RegexpRoute, IncomingPath: `^/re/(?<name>[a-z]+)$`, OutgoingURL: ptr("https://dl.acme.dev/{name}")},
			{ID: "r3", Kind: CatchAllRoute, IncomingPath: "/*", OutgoingURL: ptr("https://dl.acme.dev/*")},
		},
	}
	python := &Package{
		ID: "package-python", Owner: "acme", Name: "Rocket_Skates", Type: Python,
		Index: &PythonProject{
			Project: "rocket-skates", RepositoryURL: "https://pypi.org/simple/",
			FailoverIndexes: []string{"http://two.pypi.org/simple/"}, PlainHTTP: true,
			Files: []PythonFile{{
				FileName: "rocket_skates-1.0.tar.gz", Version: "1.0", URL: "https://files.acme.dev/x.tar.gz",
				HashType: "sha256", Hash: hash("a"), GPGSig: ptr(true), RequiresPython: ">=3.8",
			}},
		},
	}
	docker := image("acme", "acme/app")
	docker.Image = &Image{
		Name: "app", Registry: "registry.acme.dev:5000", Repository: "acme/app",
		FailoverRegistries: []string{"ghcr.io"}, AlwaysProxy: true, PlainHTTP: true,
	}
	events := &Package{
		ID: "package-events", Owner: "robot2", Name: "calls", Type: Event,
		Routes: []Route{{ID: "r1", IncomingPath: "/call"}},
		Events: &EventAccess{Restricted: true, TokenHashes: []string{hash("b")}},
	}
	return []Op{
		{Organization: &Organization{
			ID: "org-acme", Name: "acme", Description: "Rockets", Website: "https://acme.dev",
			BillingEmail: "billing@acme.dev", VariableOverrides: map[string]string{"v": "version", "os": "platform"},
		}},
		{User: &User{ID: "user-robot", Name: "robot", Operator: true}},
		user("robot2"),
		{Domain: &Domain{ID: "domain-1", Name: "get.acme.dev", Owner: "acme", State: Verified, Code: "code"}},
		put(full), put(python), put(docker), put(events),
		{Pixel: &Pixel{ID: "pixel-1", Owner: "acme", Name: "docs", PackageID: "package-acme-rocket", Domains: []string{"get.acme.dev"}}},
		{Collection: &Collection{ID: "col-1", Owner: "acme", Pattern: "acme/{a, b}", Domain: "get.acme.dev", Registry: "ghcr.io", AlwaysProxy: true, PlainHTTP: true}},
		{Token: &Token{ID: "token-1", UserID: "user-robot", Name: "ci", Hash: hash("c"), Scopes: []Scope{ScopeRead, ScopeSQL}, ExpiresAt: expires}},
		{Session: &Session{ID: "session-1", UserID: "user-robot", Hash: hash("d"), UserAgent: "curl/8", ExpiresAt: expires}},
		{SignInLink: &SignInLink{ID: "link-1", UserID: "user-robot2", Hash: hash("e"), ExpiresAt: expires}},
	}
}

func snapshotOf(t *testing.T, s *Store) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.WriteSnapshot(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEveryObjectIsFoundByEachOfItsKeys(t *testing.T) {
	s := NewStore()
	mustApply(t, s, everything()...)
	for name, v := range map[string]*View{"applied": s.View(), "restored": restored(t, s).View()} {
		t.Run(name, func(t *testing.T) {
			for what, found := range map[string]bool{
				"organization by name":   v.Organization("acme").BillingEmail == "billing@acme.dev",
				"organization by id":     v.OrganizationByID("org-acme") != nil,
				"user by id":             v.User("user-robot").Operator,
				"user by name":           v.UserByName("robot2") != nil,
				"owner":                  v.HasOwner("acme") && v.HasOwner("robot") && !v.HasOwner("nobody"),
				"package by id":          v.Package("package-acme-rocket").Routes[0].RedirectStatus == 308,
				"package by name":        v.PackageByName("acme", Docker, "acme/app") != nil,
				"domain by id":           v.Domain("domain-1") != nil,
				"claim":                  v.Claim("acme", "get.acme.dev") != nil,
				"serving domain":         v.ServingDomain("get.acme.dev") != nil && v.ServingDomain("acme.dev") == nil,
				"pixel":                  v.Pixel("pixel-1") != nil && v.PixelByName("acme", "docs") != nil,
				"collection":             v.Collection("col-1") != nil,
				"token":                  v.TokenByHash(v.Token("token-1").Hash).Name == "ci",
				"session":                v.SessionByHash(v.Session("session-1").Hash).UserAgent == "curl/8",
				"link":                   v.SignInLinkByHash(v.SignInLink("link-1").Hash) != nil,
				"any kind":               v.Object(KindPixel, "pixel-1").(*Pixel).Name == "docs" && v.Object(KindPixel, "x") == nil && v.Object("x", "y") == nil,
				"all organizations":      length(v.Organizations()) == 1,
				"all users":              length(v.Users()) == 2,
				"all packages":           length(v.Packages()) == 4 && v.Count(KindPackage) == 4 && v.Count("x") == 0,
				"an owner's packages":    length(v.PackagesOf("acme")) == 3 && length(v.PackagesOf("acm")) == 0,
				"all domains":            length(v.Domains()) == 1 && length(v.DomainsOf("acme")) == 1,
				"all pixels":             length(v.Pixels()) == 1 && length(v.PixelsOf("acme")) == 1,
				"a package's pixels":     length(v.PixelsOfPackage("package-acme-rocket")) == 1,
				"all collections":        length(v.Collections()) == 1 && length(v.CollectionsOf("acme")) == 1,
				"a user's tokens":        length(v.Tokens()) == 1 && length(v.TokensOf("user-robot")) == 1,
				"a user's sessions":      length(v.Sessions()) == 1 && length(v.SessionsOf("user-robot")) == 1,
				"a user's sign-in links": length(v.SignInLinks()) == 1 && length(v.SignInLinksOf("user-robot2")) == 1,
			} {
				if !found {
					t.Errorf("%s was not found", what)
				}
			}
		})
	}
}

// An empty hash, for one, must not find whoever's token comes first.
func TestNothingIsFoundByAnEmptyKey(t *testing.T) {
	s := NewStore()
	mustApply(t, s, everything()...)
	v := s.View()
	_, applied := v.Applied("")
	for what, found := range map[string]bool{
		"organization": v.Organization("") != nil || v.OrganizationByID("") != nil,
		"user":         v.User("") != nil || v.UserByName("") != nil,
		"owner":        v.HasOwner(""),
		"package":      v.Package("") != nil || v.PackageByName("", "", "") != nil || length(v.PackagesOf("")) > 0,
		"domain":       v.Domain("") != nil || v.Claim("", "") != nil || v.ServingDomain("") != nil,
		"pixel":        v.Pixel("") != nil || v.PixelByName("", "") != nil || length(v.PixelsOfPackage("")) > 0,
		"collection":   v.Collection("") != nil,
		"token":        v.Token("") != nil || v.TokenByHash("") != nil || length(v.TokensOf("")) > 0,
		"session":      v.Session("") != nil || v.SessionByHash("") != nil || length(v.SessionsOf("")) > 0,
		"link":         v.SignInLink("") != nil || v.SignInLinkByHash("") != nil || length(v.SignInLinksOf("")) > 0,
		"command":      applied,
	} {
		if found {
			t.Errorf("an empty key found a %s", what)
		}
	}
}

func length[T any](seq func(func(T) bool)) int {
	n := 0
	for range seq {
		n++
	}
	return n
}

func TestAViewStaysAsItWas(t *testing.T) {
	s := NewStore()
	mustApply(t, s, org("acme"), put(pkg("acme", "rocket")))
	old := s.View()
	mustApply(t, s, remove(KindPackage, "package-acme-rocket"), put(pkg("acme", "other")))
	if old.PackageByName("acme", File, "rocket") == nil || old.PackageByName("acme", File, "other") != nil || old.Count(KindPackage) != 1 {
		t.Error("a view changed")
	}
}

func TestPreconditionsAreDecidedByApply(t *testing.T) {
	s := NewStore()
	mustApply(t, s, org("acme"))
	at := func(v uint64) Op { op := org("acme"); op.IfVersion = &v; return op }
	refuse(t, s, []Code{CodeVersionMismatch}, at(0))
	refuse(t, s, []Code{CodeVersionMismatch}, at(7))
	fresh := org("fresh")
	fresh.IfVersion = ptr(uint64(1))
	refuse(t, s, []Code{CodeVersionMismatch}, fresh)
	gone := remove(KindOrganization, "org-acme")
	gone.IfVersion = ptr(uint64(2))
	refuse(t, s, []Code{CodeVersionMismatch}, gone)
	fresh.IfVersion = ptr(uint64(0))
	mustApply(t, s, at(1), fresh)
	refuse(t, s, []Code{CodeVersionMismatch}, at(1))
}

func TestChangesNameEachObjectOnce(t *testing.T) {
	s := NewStore()
	mustApply(t, s, org("acme"), put(pkg("acme", "old")))
	old := s.View().Package("package-acme-old")
	changes := mustApply(t, s,
		put(pkg("acme", "brief")), remove(KindPackage, "package-acme-brief"), // came and went
		put(&Package{ID: "package-acme-old", Owner: "acme", Name: "older", Type: File}),
		put(&Package{ID: "package-acme-old", Owner: "acme", Name: "oldest", Type: File}),
		put(pkg("acme", "new")),
	)
	if len(changes) != 2 {
		t.Fatalf("%+v", changes)
	}
	if ch := changes[0]; ch.Before != any(old) || ch.After.(*Package).Name != "oldest" {
		t.Errorf("%+v", ch)
	}
	if ch := changes[1]; ch.Before != nil || ch.After.(*Package).Name != "new" || ch.Kind != KindPackage || ch.ID != "package-acme-new" {
		t.Errorf("%+v", ch)
	}
	changes = mustApply(t, s, remove(KindPackage, "package-acme-new"))
	if len(changes) != 1 || changes[0].After != nil || changes[0].Before == nil {
		t.Errorf("%+v", changes)
	}
	if n := s.View().Count(KindPackage); n != 1 {
		t.Errorf("%d packages are counted", n)
	}
}

func TestWhatAnOwnerOwnsFollowsItsName(t *testing.T) {
	s := NewStore()
	mustApply(t, s, everything()...)
	changes := mustApply(t, s, Op{Organization: &Organization{ID: "org-acme", Name: "apex"}})
	v := s.View()
	if len(changes) != 1+1+3+1+1 {
		t.Errorf("%d changes", len(changes))
	}
	if length(v.PackagesOf("acme"))+length(v.DomainsOf("acme"))+length(v.PixelsOf("acme"))+length(v.CollectionsOf("acme")) != 0 {
		t.Error("something kept the old name")
	}
	p := v.PackageByName("apex", File, "rocket")
	if p == nil || p.Version != 2 || v.Claim("apex", "get.acme.dev") == nil || v.PixelByName("apex", "docs").PackageID != p.ID {
		t.Error("something lacks the new name")
	}
	errs := refuse(t, s, []Code{CodeDomainStillInUse}, remove(KindDomain, "domain-1"))
	if want := `domain get.acme.dev: is attached to 3 objects of apex (package "rocket" among them); detach it there first`; errs[0].Error() != want {
		t.Errorf("%s", errs[0])
	}
	refuse(t, s, []Code{CodePackageIsConflicting}, put(&Package{
		ID: "x", Owner: "apex", Name: "x", Type: Docker,
		Image: &Image{Name: "app", Registry: "ghcr.io", Repository: "x"},
	}))
}

func TestADeletedUserTakesItsCredentialsAlong(t *testing.T) {
	s := NewStore()
	mustApply(t, s, everything()...)
	changes := mustApply(t, s, remove(KindUser, "user-robot"))
	v := s.View()
	if len(changes) != 3 || v.Count(KindToken) != 0 || v.Count(KindSession) != 0 || v.Count(KindSignInLink) != 1 {
		t.Errorf("%+v", changes)
	}
}

func TestAPixelStaysWhenItsPackageGoes(t *testing.T) {
	s := NewStore()
	mustApply(t, s, everything()...)
	mustApply(t, s, remove(KindPackage, "package-acme-rocket"))
	if px := s.View().Pixel("pixel-1"); px == nil || px.PackageID != "" || px.Version != 2 {
		t.Errorf("%+v", px)
	}
}

func TestAPixelDoesNotFollowItsPackageToAnotherOwner(t *testing.T) {
	s := NewStore()
	mustApply(t, s, org("acme"), org("other"), put(pkg("acme", "rocket")),
		Op{Pixel: &Pixel{ID: "px", Owner: "acme", Name: "docs", PackageID: "package-acme-rocket"}})
	moved := pkg("other", "rocket")
	moved.ID = "package-acme-rocket"
	mustApply(t, s, put(moved))
	if px := s.View().Pixel("px"); px.PackageID != "" {
		t.Errorf("%+v", px)
	}
}

func TestADomainIsFreeOnceNothingAttachesIt(t *testing.T) {
	s := NewStore()
	mustApply(t, s, org("acme"), claim("acme", "get.acme.dev", Asserted),
		put(pkg("acme", "one", "get.acme.dev")), put(pkg("acme", "two", "get.acme.dev")))
	id := "domain-acme-get.acme.dev"
	refuse(t, s, []Code{CodeDomainStillInUse}, remove(KindDomain, id))
	mustApply(t, s, put(pkg("acme", "one")))
	s = restored(t, s) // the uses are derived anew
	refuse(t, s, []Code{CodeDomainStillInUse}, remove(KindDomain, id))
	mustApply(t, s, remove(KindPackage, "package-acme-two"), remove(KindDomain, id))
}

func TestSeveralMayClaimADomainAndOneServes(t *testing.T) {
	s := NewStore()
	mustApply(t, s, org("acme"), org("other"), claim("acme", "get.dev", Pending), claim("other", "get.dev", Pending))
	if s.View().ServingDomain("get.dev") != nil {
		t.Error("a pending claim serves")
	}
	mustApply(t, s, claim("other", "get.dev", Verified))
	refuse(t, s, []Code{CodeDomainInUse}, claim("acme", "get.dev", Verified))
	mustApply(t, s, claim("other", "get.dev", Lost), claim("acme", "get.dev", Verified))
	if d := s.View().ServingDomain("get.dev"); d == nil || d.Owner != "acme" {
		t.Errorf("%+v serves", d)
	}
}

func TestOperationsSeeThoseBeforeThem(t *testing.T) {
	s := NewStore()
	mustApply(t, s, org("acme"), put(pkg("acme", "rocket")),
		remove(KindPackage, "package-acme-rocket"), remove(KindOrganization, "org-acme"),
		user("acme"), put(pkg("acme", "rocket")))
	refuse(t, s, []Code{CodeOwnerNotFound}, put(pkg("late", "x")), org("late"))
}

func TestAMistakeInOneObjectDoesNotBlameTheOthers(t *testing.T) {
	s := NewStore()
	bad := Op{Organization: &Organization{ID: "o", Name: "acme", BillingEmail: "nonsense"}}
	refuse(t, s, []Code{CodeInvalidBillingEmail}, bad, put(pkg("acme", "rocket")))
}

func TestTheCommandItselfIsChecked(t *testing.T) {
	change := func(f func(*Command)) *Command { c := command("x", org("acme")); f(c); return c }
	for name, tc := range map[string]struct {
		cmd  *Command
		want []Code
	}{
		"a newer format":                {change(func(c *Command) { c.Format = Format + 1 }), []Code{CodeCommandFormat}},
		"no format":                     {change(func(c *Command) { c.Format = 0 }), []Code{CodeCommandFormat}},
		"no id":                         {change(func(c *Command) { c.ID = "" }), []Code{CodeFieldIsEmpty}},
		"no time":                       {change(func(c *Command) { c.Time = time.Time{} }), []Code{CodeTimeInvalid}},
		"a time that can't be written":  {change(func(c *Command) { c.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }), []Code{CodeTimeInvalid}},
		"no operations":                 {change(func(c *Command) { c.Ops = nil }), []Code{CodeCommandInvalid}},
		"too many operations":           {change(func(c *Command) { c.Ops = make([]Op, MaxOps+1) }), []Code{CodeCommandTooLarge}},
		"an empty operation":            {change(func(c *Command) { c.Ops = []Op{{}} }), []Code{CodeOperationInvalid}},
		"an operation with two objects": {change(func(c *Command) { c.Ops[0].User = &User{ID: "u", Name: "u"} }), []Code{CodeOperationInvalid}},
		"an unknown kind":               {change(func(c *Command) { c.Ops = []Op{remove("planet", "x")} }), []Code{CodeOperationInvalid}},
		"a table that is no kind":       {change(func(c *Command) { c.Ops = []Op{remove(appliedTable, "x")} }), []Code{CodeOperationInvalid}},
		"something that isn't there":    {change(func(c *Command) { c.Ops = []Op{remove(KindUser, "x")} }), []Code{CodeNotFound}},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewStore()
			r, changes := s.Apply(tc.cmd)
			if got := codes(r.Errors); !slices.Equal(got, tc.want) || changes != nil || s.View().Version() != 0 {
				t.Errorf("%v, want %v", got, tc.want)
			}
			if got := codes(Validate(s.View(), tc.cmd)); !slices.Equal(got, tc.want) {
				t.Errorf("Validate says %v", got)
			}
		})
	}
}

func TestACommandThatIsTooLargeIsRefused(t *testing.T) {
	s := NewStore()
	ops := []Op{org("acme")}
	for i := range MaxCommandBytes/MaxLongTextBytes + 1 {
		p := pkg("acme", fmt.Sprint("p", i))
		p.LongDescription = string(bytes.Repeat([]byte("x"), MaxLongTextBytes))
		ops = append(ops, put(p))
	}
	refuse(t, s, []Code{CodeCommandTooLarge}, ops...)
}

func TestARefusalIsAnError(t *testing.T) {
	err := Result{Errors: []*Error{
		{Code: CodeNotFound, Kind: KindPackage, Object: "acme/rocket", Field: "routes[0].id", Message: "one"},
		{Code: CodeNameIsEmpty, Message: "two"},
	}}.Err()
	if err.Error() != "package acme/rocket: routes[0].id: one\ntwo" {
		t.Errorf("%q", err)
	}
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeNotFound {
		t.Error("errors.As finds no *Error")
	}
	if (Result{Version: 1}).Err() != nil {
		t.Error("an applied command has an error")
	}
}
