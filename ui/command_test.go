package ui

import (
	"os/exec"
	"strings"
	"testing"

	"tallygate/cluster/catalog"
)

func TestCommands(t *testing.T) {
	to := "https://origin.example/x"
	secure := Gateway{BaseDomain: "gw.example", Scheme: "https"}
	local := Gateway{BaseDomain: "gateway.localhost", Port: "8080"}
	for _, c := range []struct {
		name string
		g    Gateway
		p    catalog.Package
		want []string
		note string
	}{
		{
			"an image is pulled from its domain", secure,
			catalog.Package{Owner: "acme", Type: catalog.Docker, Domains: []catalog.PackageDomain{{Name: "images.acme.example"}}, Image: &catalog.Image{Name: "server", Repository: "acme/server"}},
			[]string{"docker pull images.acme.example/server"},
			"",
		},
		{
			"an image without one from its owner's host and port", local,
			catalog.Package{Owner: "acme", Type: catalog.Docker, Image: &catalog.Image{Repository: "acme/server"}},
			[]string{"docker pull acme.docker.gateway.localhost:8080/acme/server"},
			"",
		},
		{
			"variables of a file are written in capitals", secure,
			catalog.Package{Owner: "acme", Type: catalog.File, Routes: []catalog.Route{{IncomingPath: "/dl/{version}/x-{+platform}.tgz{?channel}", OutgoingURL: &to}}},
			[]string{"curl -fLO 'https://acme.gateway.gw.example/dl/VERSION/x-PLATFORM.tgz?channel=CHANNEL'"},
			"Put values for VERSION, PLATFORM, CHANNEL",
		},
		{
			"a route without an outgoing URL is only asked", local,
			catalog.Package{Owner: "acme", Type: catalog.File, Routes: []catalog.Route{{IncomingPath: "/ping"}}},
			[]string{"curl -i http://acme.gateway.gateway.localhost:8080/ping"},
			"",
		},
		{
			"a route may have a domain of its own, and a folder no name to save as", secure,
			catalog.Package{Owner: "acme", Type: catalog.File, Routes: []catalog.Route{{Kind: catalog.CatchAllRoute, IncomingPath: "/*", OutgoingURL: &to, Domain: "get.acme.example"}}},
			[]string{"curl -fL https://get.acme.example/"},
			"",
		},
		{
			"regular expressions come last", secure,
			catalog.Package{Owner: "acme", Type: catalog.File, Routes: []catalog.Route{{Kind: catalog.RegexpRoute, IncomingPath: "/x(?<v>.)", OutgoingURL: &to}, {IncomingPath: "/y", OutgoingURL: &to}}},
			[]string{"curl -fLO https://acme.gateway.gw.example/y", "curl -fLO https://acme.gateway.gw.example/PATH"},
			"PATH must match /x(?<v>.)",
		},
		{
			"a project is installed by pip", secure,
			catalog.Package{Owner: "acme", Type: catalog.Python, Index: &catalog.PythonProject{Project: "acme-cli"}},
			[]string{"pip install --extra-index-url https://acme.gateway.gw.example/simple/ acme-cli"},
			"",
		},
		{
			"which must be told to trust plain HTTP", local,
			catalog.Package{Owner: "acme", Type: catalog.Python, Index: &catalog.PythonProject{Project: "acme-cli"}},
			[]string{"pip install --trusted-host acme.gateway.gateway.localhost:8080 --extra-index-url http://acme.gateway.gateway.localhost:8080/simple/ acme-cli"},
			"",
		},
		{
			"an event is posted, with a token where one is needed", secure,
			catalog.Package{Owner: "acme", Type: catalog.Event, Routes: []catalog.Route{{IncomingPath: "/t"}}, Events: &catalog.EventAccess{Restricted: true}},
			[]string{`curl -d '{"version": "1.0.0", "platform": "linux"}' -H 'Content-Type: application/json' -H 'Authorization: Bearer TOKEN' https://acme.gateway.gw.example/t`},
			"",
		},
		{"an npm package reports by itself", secure, catalog.Package{Owner: "acme", Type: catalog.NPM}, nil, ""},
		{
			"more than three are no help", secure,
			catalog.Package{Owner: "a", Type: catalog.File, Routes: []catalog.Route{{IncomingPath: "/1"}, {IncomingPath: "/2"}, {IncomingPath: "/3"}, {IncomingPath: "/4"}}},
			[]string{"curl -i https://a.gateway.gw.example/1", "curl -i https://a.gateway.gw.example/2", "curl -i https://a.gateway.gw.example/3"},
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			note := ""
			for _, command := range c.g.commands(&c.p) {
				got = append(got, command.Text)
				note = command.Note
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if note != c.note {
				t.Errorf("note %q, want %q", note, c.note)
			}
		})
	}
}

func FuzzQuote(f *testing.F) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("no POSIX shell to ask")
	}
	for _, s := range []string{"", "plain", "it's", "$(touch x)", "`x`", "a\nb", `\`, "~", "*", "é", "-n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, 0) {
			t.Skip("no argument can hold it")
		}
		out, err := exec.CommandContext(t.Context(), shell, "-c", "printf %s "+quote(s)).Output()
		if err != nil || string(out) != s {
			t.Fatalf("the shell reads %q as %q: %v", quote(s), out, err)
		}
	})
}

func TestPackagesAreFoundAtTheirAddress(t *testing.T) {
	for _, name := range []string{"plain", "@acme/sdk", "a b", "50%", "a//b", "../x", "ü", "a?b#c"} {
		path := packagePath(&catalog.Package{Owner: "acme", Type: catalog.NPM, Name: name})
		if !strings.HasPrefix(path, "/packages/acme/npm/") || strings.ContainsAny(path, "?# ") {
			t.Errorf("%q is at %s", name, path)
		}
	}
}
