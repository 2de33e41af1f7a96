package document

import (
	"strings"
	"testing"

	"tallygate/cluster/catalog"
)

func TestEveryMistakeIsReportedAtItsPlace(t *testing.T) {
	w := newWorld(t)
	plan, problems := w.plan(`organizations:
  - name: acme
    websit: https://acme.org
  - name: Bad_Name
owner: acme
packages:
  - name: one
    type: dokcer
    anything: goes
  - name: two
    type: file
    backend_registry: ghcr.io
    routes:
      - incoming_path: /dl/{version}
        outgoing_url: https://o.example/{platform}
      - incomming_path: /x
        outgoing_url: ""
      - {incoming_path: dl, outgoing_url: ftp://o.example}
      - just text
  - type: docker
    registry: ghcr.io
  - name: four
    type: docker
    backend_registry: https://ghcr.io
    domains: get.acme.org
    always_proxy: sure
  - name: five
    type: file
    incoming_path: {version}
  - name: six
    type: event
    incoming_path: /six
    redirect_status: 200
    access_tokens: secret
  - name: seven
    name: eight
    type: npm
  - {name: nine, type: file, outgoing_url: https://o.example/}
  - {name: ten, type: docker, backend_registry: r.example, domains: [not a domain, ok.example]}
  - {name: ten, type: docker, backend_registry: r.example}
  - {name: Eleven, type: docker, backend_registry: r.example}
  - {owner: nobody, name: twelve, type: npm}
  - {name: thirteen, type: python, repository_url: http://index.example/simple, files: [{file_name: a.whl, version: 1, hash: ab}]}
pixels:
  - {name: a, package: nothing}
  - {name: b, package: npm/two, package_id: x}
collections:
  - {pattern: "a/**b", registry: ghcr.io}
  - {pattern: "a/*", backend_domain: ghcr.io, type: npm}
domain: []
users: me
domains:
  - {name: x.example, state: verified}
`)
	if plan != nil {
		t.Error("a file with mistakes has a plan")
	}
	lines(t, problems,
		`catalog.yaml:3:5: organizations[0].websit: unknown key "websit"; did you mean "website"?`,
		`catalog.yaml:4:11: organizations[1].name: "Bad_Name" can't be a host name's label; use 1 to 63 of a-z, 0-9 and "-", beginning and ending with a letter or digit`,
		`catalog.yaml:8:11: packages[0].type: "dokcer" is not a type of package; did you mean "docker"?`,
		`catalog.yaml:12:23: packages[1].backend_registry: a package of type file has no backend_registry; only docker packages have; remove it or change the type`,
		`catalog.yaml:15:23: packages[1].routes[0].outgoing_url: uses {platform}, which the incoming path doesn't have; add it there`,
		`catalog.yaml:16:9: packages[1].routes[1].incoming_path: incoming_path is missing; the path that clients ask for, such as /dl/{version}/rocket.tgz`,
		`catalog.yaml:16:9: packages[1].routes[1].incomming_path: unknown key "incomming_path"; did you mean "incoming_path"?`,
		`catalog.yaml:17:23: packages[1].routes[1].outgoing_url: outgoing_url is empty; write the origin's URL, or null for a route that answers 200 and counts`,
		`catalog.yaml:18:25: packages[1].routes[2].incoming_path: must start with "/": write /dl`,
		`catalog.yaml:18:43: packages[1].routes[2].outgoing_url: must begin with https:// or http://`,
		`catalog.yaml:19:9: packages[1].routes[3]: expected keys and values, found text`,
		`catalog.yaml:20:5: packages[2].name: name is missing; the package's name, unique for its owner and type`,
		`catalog.yaml:20:5: packages[2].backend_registry: backend_registry is missing; the registry that hosts the image, such as ghcr.io`,
		`catalog.yaml:21:5: packages[2].registry: unknown key "registry"; did you mean "backend_registry"?`,
		`catalog.yaml:24:23: packages[3].backend_registry: must be a host, or host:port, without a scheme or path`,
		`catalog.yaml:25:14: packages[3].domains: expected a list, found text; write it as [get.acme.org]`,
		`catalog.yaml:26:19: packages[3].always_proxy: expected true or false, found "sure"`,
		`catalog.yaml:29:20: packages[4].incoming_path: expected text, found a mapping; put a value that starts with a brace or a bracket into quotes`,
		`catalog.yaml:33:22: packages[5].redirect_status: 200 is not a redirect's; use 301, 302, 307 or 308, or leave it out`,
		`catalog.yaml:34:20: packages[5].access_tokens: expected a list, found text; write it as [secret]`,
		`catalog.yaml:36:5: packages[6].name: the key was given before, in line 35; keep one of them`,
		`catalog.yaml:38:44: packages[7].outgoing_url: outgoing_url belongs to a route; add incoming_path beside it, or move it into one of the routes`,
		`catalog.yaml:39:70: packages[8].domains[0]: "not a domain" is not a domain name: use letters, digits, hyphens and dots, no scheme, port or path`,
		`catalog.yaml:40:12: packages[9].name: this package was described before, in line 39; make one entry of them`,
		`catalog.yaml:41:12: packages[10].name: "acme/Eleven" is not an image name; use a-z, 0-9, ".", "_", "-" and "/", without a tag or digest`,
		`catalog.yaml:42:13: packages[11].owner: there is no organization or user "nobody"; add it first`,
		`catalog.yaml:43:52: packages[12].repository_url: must begin with https://, unless an operator allows plain http`,
		`catalog.yaml:43:52: packages[12].repository_url: must end with "/": write http://index.example/simple/`,
		`catalog.yaml:43:89: packages[12].files[0].url: url is missing; where the file is hosted`,
		`catalog.yaml:43:126: packages[12].files[0].hash: the hash has no hash_type; add hash_type: sha256`,
		`catalog.yaml:45:24: pixels[0].package: acme has no package called "nothing"; add it to packages, or leave package out`,
		`catalog.yaml:46:45: pixels[1].package_id: package and package_id say the same thing; keep one of them`,
		`catalog.yaml:46:45: pixels[1].package_id: acme has no package called "npm/two"; add it to packages, or leave package out`,
		`catalog.yaml:48:5: collections[0].backend_domain: backend_domain is missing; the registry that hosts the images, such as ghcr.io`,
		`catalog.yaml:48:15: collections[0].pattern: "**b": "**" must stand alone between slashes`,
		`catalog.yaml:48:24: collections[0].registry: unknown key "registry"; did you mean "backend_domain"?`,
		`catalog.yaml:49:53: collections[1].type: "npm" is not a type of collection; write docker, or leave it out`,
		`catalog.yaml:50:1: domain: unknown key "domain"; did you mean "domains"?`,
		`catalog.yaml:51:8: users: expected a list of users; start each with "- " on a line of its own`,
		`catalog.yaml:53:30: domains[0].state: "verified" is not a state to ask for; write asserted to serve at once, pending to prove the claim first, or leave it out`,
	)
}

func TestFilesOfOtherShapes(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"nothing at all", "", ""},
		{"only a comment", "# soon\n", ""},
		{"empty sections", "packages:\nusers: []\ndomains: ~\n", ""},
		{"JSON", `{"organizations": [{"name": "acme"}], "packages": [{"owner": "acme", "name": "p", "type": "npm", "website": "https:\/\/a.example"}]}`, ""},
		{"several documents with owners of their own", "owner: a\norganizations: [{name: a}, {name: b}]\npackages: [{name: p, type: npm}]\n---\npackages: [{name: p, type: npm}]\nowner: b\n", ""},
		{
			"a section twice", "users: [{name: a}]\nusers: [{name: b}]\n",
			"catalog.yaml:2:1: users: the key was given before, in line 1; put the entries below one of them",
		},
		{"a section that is none", "pakages:\n  - {name: x}\n", `catalog.yaml:1:1: pakages: unknown key "pakages"; did you mean "packages"?`},
		{
			"a section of the wrong kind", "packages: {name: x}\n",
			`catalog.yaml:1:11: packages: expected a list of packages; start each with "- " on a line of its own`,
		},
		{
			"an entry without an owner", "packages: [{name: x, type: npm}]\n",
			"catalog.yaml:1:12: packages[0]: owner is missing; add owner here, or once at the top of the file for all",
		},
		{
			"too many aliases", "x-a: &a [" + strings.Repeat("x,", 4000) + "]\norganizations: [{name: a}]\npackages:\n" +
				strings.Repeat("  - {owner: a, name: b, type: npm, domains: *a}\n", 2000),
			"aliases expand this file to too many elements",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := newWorld(t).plan(c.file)
			got := strings.Join(problems, "\n")
			if got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
				t.Errorf("got  %s\nwant %s", got[:min(len(got), 2000)], c.want)
			}
		})
	}
}

func TestMistakesOfSyntaxDontBlameOtherEntries(t *testing.T) {
	_, problems := newWorld(t).plan(`owner: acme
organizations:
  - {name: acme, website: {x}y}
packages:
  - {name: p, type: npm, domains: [a.example]}
  - {name: q, type: nmp}
pixels:
  - {name: x, package: gone}
`)
	if len(problems) != 2 || !strings.HasPrefix(problems[0], "catalog.yaml:3:") || !strings.HasPrefix(problems[1], "catalog.yaml:6:21: packages[1].type: ") {
		t.Errorf("problems\n%s", strings.Join(problems, "\n"))
	}
}

func TestFurtherChecksAreAboutPlacesToo(t *testing.T) {
	w := newWorld(t)
	w.opts.Check = func(cmd *catalog.Command) []*catalog.Error { return catalog.CheckReserved(cmd, "gateway.example") }
	_, problems := w.plan(`owner: acme
organizations: [{name: acme}]
packages:
  - {name: p, type: npm, domains: [fine.example, x.gateway.example]}
collections:
  - {pattern: "*", backend_domain: ghcr.io, public_domain: gateway.example}
`)
	if len(problems) != 2 || !strings.HasPrefix(problems[0], "catalog.yaml:4:50: packages[0].domains[1]: ") ||
		!strings.HasPrefix(problems[1], "catalog.yaml:6:60: collections[0].public_domain: ") {
		t.Errorf("problems\n%s", strings.Join(problems, "\n"))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(`{"packages": [{"owner": "a", "name": "p", "type": "file", "incoming_path": "/"}]}`))
	f.Add([]byte("organizations: [{name: a}]\npackages:\n  - {owner: a, name: p, type: event, routes: [{incoming_path: /x}]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := newWorld(t)
		doc, problems := Parse("f", data)
		plan, more := doc.Plan(w.store.View(), w.opts)
		if len(more) < len(problems) || (plan == nil) == (len(more) == 0) {
			t.Fatalf("%d problems of reading, %d of planning, plan %v", len(problems), len(more), plan)
		}
		if plan == nil {
			return
		}
		// What is planned without problems is applied, and then nothing is left to do.
		for _, cmd := range plan.Commands(0, w.newID) {
			if result, _ := w.store.Apply(cmd); result.Err() != nil {
				t.Fatalf("planned, but refused: %v", result.Err())
			}
		}
		again, more := doc.Plan(w.store.View(), w.opts)
		if len(more) > 0 || !again.Empty() {
			t.Fatalf("the second plan has %v and %d changes", more, len(again.Changes))
		}
		w.unchanged(w.export())
	})
}
