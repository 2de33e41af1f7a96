package manifest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"tallygate/cluster/catalog"
	"tallygate/cluster/catalog/document"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// apply imports a manifest into the store and gives what changed.
func apply(t *testing.T, store *catalog.Store, manifest string, opts Options) (diff string, problems []string) {
	t.Helper()
	n := store.View().Version() * 1000
	newID := func() string { n++; return fmt.Sprintf("id-%d", n) }
	doc, _ := Parse("gateway.json", []byte(manifest), opts)
	plan, wrong := doc.Plan(store.View(), document.PlanOptions{NewID: newID, Now: now, Actor: catalog.Actor{Kind: "local"}})
	for _, p := range wrong {
		problems = append(problems, p.Error())
	}
	if plan == nil {
		return "", problems
	}
	for _, cmd := range plan.Commands(0, newID) {
		if result, _ := store.Apply(cmd); result.Err() != nil {
			t.Fatalf("planned, but refused: %v", result.Err())
		}
	}
	var b bytes.Buffer
	if err := plan.WriteDiff(&b); err != nil {
		t.Fatal(err)
	}
	return b.String(), nil
}

// imported is apply of a manifest without mistakes, twice: the second time
// nothing changes.
func imported(t *testing.T, manifest string) *catalog.View {
	t.Helper()
	store := catalog.NewStore()
	if _, problems := apply(t, store, manifest, Options{}); len(problems) > 0 {
		t.Fatalf("problems:\n%s", strings.Join(problems, "\n"))
	}
	if diff, _ := apply(t, store, manifest, Options{}); !strings.HasPrefix(diff, "no changes") {
		t.Fatalf("the second import changes\n%s", diff)
	}
	return store.View()
}

// every has every type of rule with every key.
const every = `{"rules": [
  {"type": "docker-v1", "package-id": "p-docker", "package-name": "skates", "owner": "acme", "domain": "Get.Acme.org",
   "repository-name": "acme/rocket-skates", "registry": "registry.hub.docker.com", "always-proxy": true},
  {"type": "docker-v1", "package-id": "p-docker", "owner": "acme", "domain": "cr.acme.org",
   "repository-name": "acme/rocket-skates", "registry": "registry.hub.docker.com", "always-proxy": true},
  {"type": "docker-v2", "domain": "cr.acme.org", "pattern": "tools/*", "rule-id": "c-1", "registry": "ghcr.io", "owner": "acme", "always-proxy": true},
  {"type": "file-v1", "domain": "dl.acme.org", "incoming-path": "/files/{version}/rocket-{platform}.tgz?build={build}",
   "outgoing-url": "https://origin.example/{version}/{platform}?b={build}", "package-id": "p-file", "owner": "acme"},
  {"type": "file-v1", "domain": "dl.acme.org", "incoming-path": "/seen", "outgoing-url": null, "package-id": "p-file", "owner": "acme"},
  {"type": "file-v1", "domain": "get.acme.org", "incoming-path": "/seen", "outgoing-url": null, "package-id": "p-file", "owner": "acme"},
  {"type": "file-v2", "domain": "dl.acme.org", "incoming-path": "^/r/(?<version>[^/]+)/(?<platform>linux|mac)$",
   "outgoing-url": "https://origin.example/{version}/{platform}", "package-id": "p-regexp", "owner": "acme"},
  {"type": "python-v1", "domain": "py.acme.org", "package-name": "Acme_Rocket", "file-name": "acme_rocket-1.0-py3-none-any.whl",
   "version": "1.0", "backend-url": "https://files.example/acme_rocket-1.0-py3-none-any.whl", "package-id": "p-py", "owner": "acme",
   "hash-value": {"type": "sha256", "hash": "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"},
   "gpg-sig": false, "requires-python": ">=3.9", "backend-simple-index-url": "https://pypi.org/simple"},
  {"type": "python-v1", "domain": "py.acme.org", "package-name": "acme.rocket", "file-name": "acme_rocket-1.0.tar.gz",
   "version": "1.0", "backend-url": "https://files.example/acme_rocket-1.0.tar.gz", "package-id": "p-py", "owner": "acme"},
  {"type": "catch-all-v1", "domain": "old.acme.org", "package-id": "p-all", "redirect-target-domain": "new.acme.org", "owner": "acme"},
  {"type": "catch-all-v1", "domain": "seen.acme.org", "package-id": "p-seen"},
  {"type": "telemetry-v1", "domain": "t.acme.org", "incoming-path": "/events/{channel}", "package-id": "p-open", "owner": "acme"},
  {"type": "telemetry-v1", "domain": "t.acme.org", "incoming-path": "/closed", "package-id": "p-closed", "access-tokens": [], "owner": "acme"},
  {"type": "telemetry-v1", "domain": "t.acme.org", "incoming-path": "/some", "package-id": "p-some", "access-tokens": ["secret"], "owner": "acme"}
]}`

func TestEveryTypeOfRuleBecomesWhatItMeans(t *testing.T) {
	v := imported(t, every)
	var exported bytes.Buffer
	if err := document.Export(v, &exported); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(exported.String(), "\n\n")
	if got != everyExported {
		t.Errorf("got\n%s", got)
	}
}

const everyExported = `organizations:
  - name: acme
  - name: default

packages:
  - owner: acme
    name: skates
    type: docker
    id: p-docker
    domains:
      - get.acme.org
      - cr.acme.org
    backend_registry: registry.hub.docker.com
    repository_name: acme/rocket-skates
    always_proxy: true
  - owner: acme
    name: t.acme.org/closed
    type: event
    id: p-closed
    domains:
      - t.acme.org
    routes:
      - incoming_path: /closed
        outgoing_url: null
    token_hashes: []
  - owner: acme
    name: t.acme.org/events
    type: event
    id: p-open
    domains:
      - t.acme.org
    routes:
      - incoming_path: /events/{channel}
        outgoing_url: null
  - owner: acme
    name: t.acme.org/some
    type: event
    id: p-some
    domains:
      - t.acme.org
    routes:
      - incoming_path: /some
        outgoing_url: null
    token_hashes:
      - 2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b
  - owner: acme
    name: dl.acme.org
    type: file
    id: p-regexp
    domains:
      - dl.acme.org
    routes:
      - incoming_path: "^/r/(?<version>[^/]+)/(?<platform>linux|mac)$"
        outgoing_url: https://origin.example/{version}/{platform}
        kind: regexp
  - owner: acme
    name: dl.acme.org/files
    type: file
    id: p-file
    domains:
      - dl.acme.org
      - get.acme.org
    routes:
      - incoming_path: /files/{version}/rocket-{platform}.tgz?build={build}
        outgoing_url: https://origin.example/{version}/{platform}?b={build}
        domain: dl.acme.org
      - incoming_path: /seen
        outgoing_url: null
  - owner: acme
    name: old.acme.org
    type: file
    id: p-all
    domains:
      - old.acme.org
    routes:
      - incoming_path: /*
        outgoing_url: https://new.acme.org/*
        kind: catch-all
  - owner: acme
    name: Acme_Rocket
    type: python
    id: p-py
    domains:
      - py.acme.org
    repository_url: https://pypi.org/simple/
    files:
      - file_name: acme_rocket-1.0-py3-none-any.whl
        version: "1.0"
        url: https://files.example/acme_rocket-1.0-py3-none-any.whl
        hash_type: sha256
        hash: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        gpg_sig: false
        requires_python: ">=3.9"
      - file_name: acme_rocket-1.0.tar.gz
        version: "1.0"
        url: https://files.example/acme_rocket-1.0.tar.gz
  - owner: default
    name: seen.acme.org
    type: file
    id: p-seen
    domains:
      - seen.acme.org
    routes:
      - incoming_path: /*
        outgoing_url: null
        kind: catch-all

collections:
  - owner: acme
    pattern: tools/*
    id: c-1
    public_domain: cr.acme.org
    backend_domain: ghcr.io
    always_proxy: true
`

func TestRulesOfOnePackageStayTogether(t *testing.T) {
	v := imported(t, `{"rules": [
		{"type": "file-v1", "domain": "a.example", "incoming-path": "/x", "outgoing-url": "https://o.example/x", "package-id": "p"},
		{"type": "file-v1", "domain": "b.example", "incoming-path": "/x", "outgoing-url": "https://o.example/x", "package-id": "p"},
		{"type": "file-v1", "domain": "b.example", "incoming-path": "/y", "outgoing-url": "https://o.example/y", "package-id": "p"},
		{"type": "catch-all-v1", "domain": "b.example", "package-id": "p"}
	]}`)
	p := v.Package("p")
	if len(p.Domains) != 2 || len(p.Routes) != 3 || p.Routes[0].Domain != "" || p.Routes[1].Domain != "b.example" || p.Routes[2].Domain != "b.example" {
		t.Errorf("the package is %+v", p)
	}
	if p.Owner != DefaultOwner || v.Organization(DefaultOwner) == nil {
		t.Errorf("the owner is %q", p.Owner)
	}
}

func TestWhatOnePackageCantHoldIsSplit(t *testing.T) {
	v := imported(t, `{"rules": [
		{"type": "docker-v1", "domain": "a.example", "repository-name": "a/one", "registry": "ghcr.io", "package-id": "p"},
		{"type": "docker-v1", "domain": "a.example", "repository-name": "a/two", "registry": "ghcr.io", "package-id": "p"},
		{"type": "file-v1", "domain": "a.example", "incoming-path": "/x", "outgoing-url": null, "package-id": "p"},
		{"type": "telemetry-v1", "domain": "a.example", "incoming-path": "/open", "package-id": "p"},
		{"type": "telemetry-v1", "domain": "a.example", "incoming-path": "/shut", "package-id": "p", "access-tokens": ["a"]}
	]}`)
	for id, name := range map[string]string{
		"p": "a/one", "p:docker": "a/two", "p:file": "a.example/x", "p:event": "a.example/open", "p:event 2": "a.example/shut",
	} {
		if k := v.Package(id); k == nil || k.Name != name {
			t.Errorf("package %q is %+v", id, k)
		}
	}
	if k := v.Package("p:event"); k.Events != nil {
		t.Errorf("the open package is %+v", k.Events)
	}
	if k := v.Package("p:event 2"); !k.Events.Restricted {
		t.Error("the closed package is open")
	}
}

func TestNamesAreMadeUnique(t *testing.T) {
	v := imported(t, `{"rules": [
		{"type": "file-v1", "domain": "a.example", "incoming-path": "/x/{v}", "outgoing-url": null, "package-id": "1"},
		{"type": "file-v1", "domain": "a.example", "incoming-path": "/x/{v}/b", "outgoing-url": null, "package-id": "2"},
		{"type": "file-v2", "domain": "a.example", "incoming-path": "^/(?<v>.*)b$", "outgoing-url": null, "package-id": "3", "package-name": "a.example/x"},
		{"type": "catch-all-v1", "domain": "a.example", "package-id": "4", "package-name": "a.example/x"}
	]}`)
	for id, name := range map[string]string{"1": "a.example/x (1)", "2": "a.example/x (2)", "3": "a.example/x", "4": "a.example/x (4)"} {
		if k := v.Package(id); k == nil || k.Name != name {
			t.Errorf("package %q is %+v", id, k)
		}
	}
}

func TestAnotherOrderOfRulesChangesNoIDs(t *testing.T) {
	rules := []string{
		`{"type": "docker-v1", "domain": "a.example", "repository-name": "a/one", "registry": "ghcr.io", "package-id": "p"}`,
		`{"type": "docker-v1", "domain": "a.example", "repository-name": "a/two", "registry": "ghcr.io", "package-id": "p"}`,
		`{"type": "docker-v2", "domain": "a.example", "pattern": "x/*", "registry": "ghcr.io", "rule-id": "r"}`,
		`{"type": "docker-v2", "domain": "b.example", "pattern": "x/*", "registry": "ghcr.io", "rule-id": "r"}`,
	}
	store := catalog.NewStore()
	apply(t, store, `{"rules": [`+strings.Join(rules, ",")+`]}`, Options{})
	diff, problems := apply(t, store, `{"rules": [`+rules[3]+","+rules[1]+","+rules[2]+","+rules[0]+`]}`, Options{})
	if !strings.HasPrefix(diff, "no changes") {
		t.Errorf("changes\n%s%s", diff, problems)
	}
	// A new name under the same id is a new name of the same package.
	diff, problems = apply(t, store, `{"rules": [{"type": "docker-v1", "domain": "a.example", "repository-name": "a/one", "package-name": "first", "registry": "ghcr.io", "package-id": "p"}, `+rules[1]+`]}`, Options{})
	if k := store.View().Package("p"); k.Name != "first" {
		t.Errorf("the package is %+v\n%s%s", k, diff, problems)
	}
}

func TestMistakesNameTheRuleAndTheField(t *testing.T) {
	_, problems := apply(t, catalog.NewStore(), `rules:
- type: docker-v3
- {type: file-v1, domain: a.example, incoming-path: /x/{version}, package-id: p}
- type: file-v1
  domain: a.example
  incoming-path: x
  outgoing-url: https://o.example/{platform}
  package-id: p
- {type: file-v2, domain: a.example, incoming-path: "(", outgoing-url: null, package-id: q}
- type: python-v1
  domain: py.example
  package-name: "-"
  file-name: a.whl
  version: 1
  hash-value: {type: sha256}
- {type: telemetry-v1, domain: a.example, incoming-path: /t, package-id: t, acess-tokens: []}
- just text
- type: docker-v1
  domain: "not a domain"
  repository-name: Acme/X
  registry: ""
  package-id: d
- {type: docker-v2, domain: a.example, pattern: "", registry: ghcr.io, rule-id: r, comment: fine}
- {type: catch-all-v1, domain: c.example, package-id: c, redirect-target-domain: "new.example/{x}", owner: No Body}
`, Options{Owner: "acme"})
	got := strings.Join(problems, "\n")
	want := strings.Join([]string{
		`gateway.json:2:9: rules[0].type: "docker-v3" is not a type of rule; did you mean "docker-v1"?`,
		`gateway.json:3:1: this is not YAML: did not find expected ',' or '}'; between { } or [ ], put values that contain braces, brackets, commas or colons into quotes`,
		`gateway.json:6:18: rules[2].incoming-path: must start with "/": write /x`,
		`gateway.json:9:53: rules[3].incoming-path: is not an RE2 regular expression: error parsing regexp: missing closing ): ` + "`(`" + ``,
		`gateway.json:10:3: rules[4].package-id: package-id is missing; a python-v1 rule needs it`,
		`gateway.json:10:3: rules[4].backend-url: backend-url is missing; a python-v1 rule needs it`,
		`gateway.json:15:15: rules[4].hash-value.hash: hash is missing; the hash in hex`,
		`gateway.json:16:77: rules[5].acess-tokens: unknown key "acess-tokens"; did you mean "access-tokens"?`,
		`gateway.json:17:3: rules[6]: expected keys and values, found text`,
		`gateway.json:21:13: rules[7].registry: registry is empty; a docker-v1 rule needs it`,
		`gateway.json:23:49: rules[8].pattern: pattern is empty; a docker-v2 rule needs it`,
		`gateway.json:24:82: rules[9].redirect-target-domain: must be a URL without variables, query or fragment, such as https://example.com/docs/*`,
		`gateway.json:24:108: rules[9].owner: "No Body" can't be a host name's label; use 1 to 63 of a-z, 0-9 and "-", beginning and ending with a letter or digit`,
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFilesThatAreNoManifests(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"a catalog file", "packages: []\n", `gateway.json: there are no rules; a manifest is a mapping with the key "rules"; is this a catalog file?`},
		{"a misspelt key", `{"rule": []}`, `gateway.json:1:2: rule: unknown key "rule"; did you mean "rules"?`},
		{"rules that are no list", `{"rules": {}}`, `gateway.json:1:11: rules: expected a list of rules`},
		{"broken JSON", `{"rules": [{]}`, `gateway.json:1:13: this is not JSON: invalid character ']'`},
		{"no rules at all", `{"rules": []}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := apply(t, catalog.NewStore(), c.file, Options{})
			if got := strings.Join(problems, "\n"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(every))
	f.Add([]byte("rules:\n- {type: catch-all-v1, domain: a.example, package-id: p}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, problems := Parse("f", data, Options{})
		store := catalog.NewStore()
		n := 0
		newID := func() string { n++; return fmt.Sprintf("id-%d", n) }
		opts := document.PlanOptions{NewID: newID, Now: now, Actor: catalog.Actor{Kind: "local"}}
		plan, more := doc.Plan(store.View(), opts)
		if len(more) < len(problems) || (plan == nil) == (len(more) == 0) {
			t.Fatalf("%d problems of reading, %d of planning", len(problems), len(more))
		}
		if plan == nil {
			return
		}
		for _, cmd := range plan.Commands(0, newID) {
			if result, _ := store.Apply(cmd); result.Err() != nil {
				t.Fatalf("planned, but refused: %v", result.Err())
			}
		}
		doc, _ = Parse("f", data, Options{})
		if again, more := doc.Plan(store.View(), opts); len(more) > 0 || !again.Empty() {
			t.Fatalf("the second import has %v and changes %+v", more, again)
		}
	})
}

// BenchmarkLargeManifest reads 100,000 rules, a tenth of them files of one
// project.
func BenchmarkLargeManifest(b *testing.B) {
	var m strings.Builder
	m.WriteString(`{"rules": [`)
	for i := range 100_000 {
		if i > 0 {
			m.WriteByte(',')
		}
		if i%10 == 0 {
			fmt.Fprintf(&m, `{"type":"python-v1","domain":"py.example","package-name":"p","file-name":"p-%d.whl","version":"%d","backend-url":"https://o.example/%d","package-id":"py"}`, i, i, i)
			continue
		}
		fmt.Fprintf(&m, `{"type":"file-v1","domain":"d%d.example","incoming-path":"/%d/{version}","outgoing-url":"https://o.example/%d/{version}","package-id":"p-%d"}`, i%100, i, i, i/2)
	}
	m.WriteString("]}")
	data := []byte(m.String())
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if doc, problems := Parse("f", data, Options{}); len(problems) > 0 || len(doc.Packages) < 50_000 {
			b.Fatal(problems, len(doc.Packages))
		}
	}
}
