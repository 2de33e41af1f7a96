package container

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"tallygate/cluster/catalog"
)

// Three registries, each of another sort, behind one domain: whatever a client asks
// is answered by the image's own, in the words that the client knows.
func TestOneDomainHasAnyNumberOfRegistries(t *testing.T) {
	tokened, private, open := newBackend(t, withTokens), newVault(t), newBackend(t)
	h := hostOf{}
	images := map[string]v1.Image{}
	for _, b := range []struct {
		name  string
		at    *backend
		image catalog.Image
	}{
		{"rocket", tokened, catalog.Image{Registry: tokened.host(), PlainHTTP: true}},
		{"deep/er/skates", private.backend, private.image("", "")},
		{"plain", open, catalog.Image{Registry: open.host(), PlainHTTP: true, AlwaysProxy: true}},
	} {
		img := image(t)
		images[b.name] = img
		b.image.Name, b.image.Repository = b.name, "acme/hidden-"+strings.ReplaceAll(b.name, "/", "-")
		for _, tag := range []string{"1", "2", "3"} {
			b.at.pushOpen(t, b.image.Repository+":"+tag, img)
		}
		signature := mutate.Subject(mutate.MediaType(image(t), types.OCIManifestSchema1), descriptor(t, img)).(v1.Image)
		b.at.pushOpen(t, b.image.Repository+":signature", signature)
		h[b.name] = rule(b.image)
	}
	g := newSecureGateway(t, h)
	for name, img := range images {
		t.Run(name, func(t *testing.T) {
			who := g.as("alice", "secret")
			if got, err := crane.Digest(g.host()+"/"+name+":1", who...); err != nil || got != digest(t, img) {
				t.Errorf("digest is %s, %v", got, err)
			}
			pulled, err := crane.Pull(g.host()+"/"+name+"@"+digest(t, img), who...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := pulled.RawConfigFile(); err != nil {
				t.Error(err)
			}
			tags, err := crane.ListTags(g.host()+"/"+name, who...)
			if slices.Sort(tags); err != nil || !slices.Equal(tags, []string{"1", "2", "3", "signature"}) {
				t.Errorf("tags are %v, %v", tags, err)
			}
			login, _ := g.login(t, "scope=repository:"+name+":pull", "Authorization", basicHeader("alice", "secret"))
			for _, path := range []string{"tags/list?n=1", "referrers/" + digest(t, img), "manifests/1", "manifests/none", "blobs/" + someSHA256} {
				resp := g.ask(t, http.MethodGet, "/v2/"+name+"/"+path, "Authorization", "Bearer "+login.Token)
				body := text(t, resp)
				if strings.Contains(body+fmt.Sprint(resp.Header), "hidden") {
					t.Errorf("%s shows the registry's name: %v %s", path, resp.Header, body)
				}
				if strings.HasPrefix(path, "tags") && !strings.Contains(resp.Header.Get("Link"), "/v2/"+name+"/tags/list?") {
					t.Errorf("no link to more tags: %v", resp.Header)
				}
				if strings.HasPrefix(path, "referrers") && !strings.Contains(body, "application/vnd.oci.image.manifest.v1+json") {
					t.Errorf("no referrers: %s %s", resp.Status, body)
				}
			}
		})
	}
	for _, b := range []*backend{tokened, open} {
		for _, r := range b.seen() {
			if strings.HasPrefix(r.Header.Get("Authorization"), "Basic") || strings.Contains(r.Header.Get("Authorization"), passPrefix) {
				t.Errorf("a registry saw %q", r.Header.Get("Authorization"))
			}
		}
	}
}

func descriptor(t testing.TB, img v1.Image) v1.Descriptor {
	t.Helper()
	hash, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	size, err := img.Size()
	if err != nil {
		t.Fatal(err)
	}
	mediaType, err := img.MediaType()
	if err != nil {
		t.Fatal(err)
	}
	return v1.Descriptor{MediaType: mediaType, Size: size, Digest: hash}
}
