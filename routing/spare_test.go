package routing_test

import (
	"net/http"
	"testing"

	"tallygate/routing"
	"tallygate/routing/event"
	"tallygate/routing/table"
)

// broken panics wherever an event passes.
type broken struct{ recorder }

func (*broken) Record(*event.Event) { panic("no recorder today") }

type brokenEnricher struct{}

func (brokenEnricher) Enrich(*event.Event, routing.Source) { panic("no database today") }

func TestAFaultInRecordingCostsNoDownload(t *testing.T) {
	for name, change := range map[string]func(*routing.Options){
		"the recorder": func(o *routing.Options) { o.Recorder = &broken{} },
		"the enricher": func(o *routing.Options) { o.Enricher = brokenEnricher{} },
	} {
		for what, tt := range map[string]struct {
			target, host string
			status       int
		}{
			"a redirect": {"/files/1/skates-linux.tar.gz", ownHost, http.StatusFound},
			"an image":   {"/v2/acme/app/manifests/latest", "Host: acme.docker." + base, http.StatusTeapot},
			"an index":   {"/simple/onlypy/", ownHost, http.StatusTeapot},
			"a pixel":    {"/a.png?x-pxid=px-1", "Host: static." + base, http.StatusOK},
		} {
			t.Run(name+" fails, "+what, func(t *testing.T) {
				g := newWorld(t, change)
				if res := send(t, g, http.MethodGet, tt.target, "", tt.host); res.StatusCode != tt.status {
					t.Errorf("status is %d", res.StatusCode)
				}
			})
		}
	}
}

// A login is a path of the images' part on hosts with images that allow private
// pulls, and nobody's on others.
func TestLoginsGoToTheImages(t *testing.T) {
	ops := demo()
	for i := range ops {
		if p := ops[i].Package; p != nil && p.Image != nil {
			p.Image.AllowPrivatePulls = true
		}
	}
	private := tableOf(t, ops)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		g := newWorld(t, func(o *routing.Options) { o.Table = func() *table.Table { return private } })
		if res := send(t, g, method, "/token", "", "Host: acme.docker."+base); res.Header.Get("X-Part") == "" {
			t.Errorf("%s: %s %v", method, res.Status, res.Header)
		}
	}
	g := newWorld(t)
	if res := send(t, g, http.MethodGet, "/token", "", "Host: acme.docker."+base); res.StatusCode != http.StatusNotFound {
		t.Errorf("without private images: %s", res.Status)
	}
}
