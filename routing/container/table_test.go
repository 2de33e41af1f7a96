package container

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tallygate/cluster/catalog"
	"tallygate/routing/event"
	"tallygate/routing/origin"
	"tallygate/routing/table"
)

// These tests go through a table that was compiled from a catalog.

// compiled is the host acme.docker.gw.example with some packages and a collection.
func compiled(t *testing.T, objects ...catalog.Op) *table.Host {
	t.Helper()
	store := catalog.NewStore()
	ops := append([]catalog.Op{{Organization: &catalog.Organization{ID: "o1", Name: "acme"}}}, objects...)
	result, _ := store.Apply(&catalog.Command{
		Format: catalog.Format, ID: "c1", Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		Actor: catalog.Actor{Kind: "local", Operator: true}, Ops: ops,
	})
	for _, err := range result.Errors {
		t.Fatal(err)
	}
	compiled, err := table.Build(store.View(), table.Options{BaseDomain: "gw.example"})
	if err != nil {
		t.Fatal(err)
	}
	host := compiled.Host("acme.docker.gw.example")
	if host == nil {
		t.Fatal("the owner has no host")
	}
	return host
}

func packageOf(id string, image catalog.Image) catalog.Op {
	return catalog.Op{Package: &catalog.Package{ID: id, Owner: "acme", Name: id, Type: catalog.Docker, Image: &image}}
}

func TestServeHTTPServesTheImagesOfATable(t *testing.T) {
	b := newBackend(t, withTokens)
	img := image(t)
	b.pushOpen(t, "acme/rocket-skates:1", img)
	b.pushOpen(t, "acme/tools/saw:1", img)
	host := compiled(t,
		packageOf("skates", catalog.Image{Name: "rocket", Registry: b.host(), Repository: "acme/rocket-skates", PlainHTTP: true}),
		catalog.Op{Collection: &catalog.Collection{ID: "tools", Owner: "acme", Pattern: "acme/tools/*", Registry: b.host(), PlainHTTP: true}},
	)
	pool := origin.New(origin.Options{AllowPrivate: true})
	defer pool.CloseIdle()
	handler := New(Options{Origins: pool})
	var noted []event.Event
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r, host, func(_ *table.Rule, fill func(*event.Event)) {
			var e event.Event
			fill(&e)
			noted = append(noted, e)
		})
	}))
	defer server.Close()
	g := &gateway{Server: server}
	for _, tt := range []struct {
		repository string
		status     int
	}{
		{"rocket", 200}, {"acme/tools/saw", 200}, {"acme/rocket-skates", 404}, {"acme/tools", 404}, {"acme/tools/hammer", 404},
	} {
		resp := g.do(t, http.MethodGet, "/v2/"+tt.repository+"/manifests/1")
		if body := text(t, resp); resp.StatusCode != tt.status {
			t.Errorf("%s: %s %s", tt.repository, resp.Status, body)
		}
	}
	if len(noted) != 2 || noted[0].Digest != digest(t, img) || noted[1].Package != "acme/tools/saw" {
		t.Errorf("notes are %+v", noted)
	}
}

func TestSkopeoCopiesThroughTheGateway(t *testing.T) {
	skopeo, err := exec.LookPath("skopeo")
	if err != nil {
		t.Skip("skopeo is not installed (apt-get install skopeo)")
	}
	auth := newTokenServer(t, "acme/app")
	closed := startRegistry(t, auth, "")
	open := startRegistry(t, nil, "")
	idx := index(t)
	closed.push(t, "acme/app:1.0", idx)
	open.push(t, "acme/app:1.0", idx)
	g := newGateway(t, host(
		catalog.Image{Registry: closed.host, Repository: "acme/app", PlainHTTP: true},
		catalog.Image{Name: "renamed", Registry: closed.host, Repository: "acme/app", PlainHTTP: true},
		catalog.Image{Name: "open", Registry: open.host, Repository: "acme/app", PlainHTTP: true},
	))
	for _, reference := range []string{"acme/app:1.0", "renamed:1.0", "renamed@" + digest(t, idx), "open:1.0"} {
		for _, which := range [][]string{{"--override-os=linux", "--override-arch=arm64", "copy"}, {"copy", "--all"}} {
			args := append(which, "--src-tls-verify=false", "docker://"+g.host()+"/"+reference, "dir:"+t.TempDir())
			if out, err := exec.CommandContext(t.Context(), skopeo, args...).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", reference, err, out)
			}
			counted := countable(g.taken())
			if len(counted) == 0 || !strings.HasSuffix(reference, counted[0].Reference) || counted[0].Version != "1.0" && reference != "open:1.0" {
				t.Errorf("%s: countable are %+v", reference, counted)
			}
			for _, e := range counted[1:] {
				if e.Digest == "" || filepath.Base(e.Reference) != e.Digest {
					t.Errorf("%s: a child is %+v", reference, e)
				}
			}
		}
	}
	if n := auth.anonymous.Load(); n != 1 {
		t.Errorf("%d anonymous tokens", n)
	}
}
