package npm

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"tallygate/routing/event"
)

func TestMatch(t *testing.T) {
	tests := map[string]struct {
		id string
		ok bool
	}{
		"/package-event/install":        {"", true},
		"/package-event/install/":       {"", true},
		"/package-event/install/a-1":    {"a-1", true},
		"/package-event/install/@a/b":   {"@a/b", true},
		"/package-event/installs":       {"", false},
		"/package-event":                {"", false},
		"/x/package-event/install":      {"", false},
		"/package-event/install%2Fa":    {"", false},
		"/package-event/install/a%2Fb":  {"a%2Fb", true},
		"/package-event/install//twice": {"/twice", true},
	}
	for path, want := range tests {
		if id, ok := Match(path); id != want.id || ok != want.ok {
			t.Errorf("Match(%q) = %q, %v; want %q, %v", path, id, ok, want.id, want.ok)
		}
	}
}

// The body in testdata was captured from npm 11 installing a package that
// depends on @scarf/scarf 1.4.0, with SCARF_LOCAL_PORT set.
func TestTheRealScriptsBodyIsUnderstood(t *testing.T) {
	body, err := os.ReadFile("testdata/scarf-1.4.0.json")
	if err != nil {
		t.Fatal(err)
	}
	in, fault := Read(post(string(body)), false, time.Now())
	if fault != nil {
		t.Fatal(fault)
	}
	if in.Package != "rocket-skates" || in.Version != "2.0.1" {
		t.Errorf("got package %q, version %q", in.Package, in.Version)
	}
	e := &event.Event{}
	in.Fill(e)
	if e.Type != event.PackageInstall || !e.Countable || e.Version != "2.0.1" ||
		e.Platform != "linux" || e.Arch != "amd64" ||
		e.Client != "node" || e.ClientVersion != "20.20.2" || e.ClientClass != "client" {
		t.Errorf("got %+v", e)
	}
	found := map[string]string{}
	for _, v := range e.Variables {
		found[v.Name] = v.Value
	}
	for name, want := range map[string]string{
		"dependencyInfo.scarf.version":                     "1.4.0",
		"dependencyInfo.parent.scarfSettings.defaultOptIn": "true",
		"dependencyInfo.rootPackage.nameHash":              "7ebd5fef52a51aab3511b774453449562f7363a903195ee9a2933330f2bf8fa6",
		"rawArch":                                          "x64",
	} {
		if found[name] != want {
			t.Errorf("variable %s = %q, want %q", name, found[name], want)
		}
	}
}

func TestRead(t *testing.T) {
	tests := map[string]struct {
		body   string
		byID   bool
		status int // 0: fine
	}{
		"a package named in the body":       {body: `{"dependencyInfo":{"parent":{"name":"@acme/skates","version":"1"}}}`},
		"a package named by the path":       {body: `{"$version":"3"}`, byID: true},
		"a body that names no package":      {body: `{"rawPlatform":"linux"}`, status: 400},
		"an empty body":                     {body: ``, status: 400},
		"an empty body, named by the path":  {body: ``, byID: true, status: 400},
		"a broken body":                     {body: `{"dependencyInfo":{"parent":`, status: 400},
		"two objects":                       {body: `{"dependencyInfo":{"parent":{"name":"a"}}}{}`, status: 413},
		"a body larger than any real one":   {body: `{"x":"` + strings.Repeat("a", MaxBody) + `"}`, status: 413},
		"a name that is a number":           {body: `{"dependencyInfo":{"parent":{"name":7}}}`},
		"a parent that is no object":        {body: `{"dependencyInfo":{"parent":"a"}}`, status: 400},
		"a settings object with deep nests": {body: strings.Repeat(`{"a":`, 20) + `1` + strings.Repeat(`}`, 20), status: 413},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, fault := Read(post(tt.body), tt.byID, time.Now())
			switch {
			case fault == nil && tt.status != 0:
				t.Errorf("no fault, want %d", tt.status)
			case fault != nil && fault.Status != tt.status:
				t.Errorf("fault %d %s, want %d", fault.Status, fault, tt.status)
			}
		})
	}
}

func post(body string) *http.Request {
	return httptest.NewRequest(http.MethodPost, Path, strings.NewReader(body))
}
