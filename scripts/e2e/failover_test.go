package e2e

import (
	"fmt"
	"net"
	"net/http"
	"testing"

	"tallygate/scripts/e2e/harness"
)

// host is an origin that goes down and comes back at one address.
type host struct {
	address string
	server  *http.Server
}

func (h *host) up(t *testing.T) {
	t.Helper()
	var l net.Listener
	harness.WaitFor(t, "the address of an origin", func() (err error) {
		l, err = net.Listen("tcp", h.address)
		return err
	})
	h.address = l.Addr().String()
	h.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s of %s", r.URL.Path, h.address)
	})}
	go func(s *http.Server) { _ = s.Serve(l) }(h.server)
}

func (h *host) down() { _ = h.server.Close() }

func TestTrafficMovesToTheNextOriginAndBackByItself(t *testing.T) {
	first, second := &host{address: "127.0.0.1:0"}, &host{address: "127.0.0.1:0"}
	first.up(t)
	second.up(t)
	t.Cleanup(func() { first.down(); second.down() })
	n := harness.StartNode(t)
	n.Apply(fmt.Sprintf(`
organizations: [{name: acme}]
packages:
  - owner: acme
    name: rocket
    type: file
    domains: [get.acme.test]
    routes:
      - incoming_path: /dl/{version}
        outgoing_url: http://%s/a/{version}
        failover_origins: ["http://%s/b/{version}"]
`, first.address, second.address))

	goesTo := func(version, location string) {
		t.Helper()
		harness.WaitFor(t, "redirects to "+location, func() error {
			resp := n.Get("GET", "get.acme.test", "/dl/"+version)
			if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusFound || got != location {
				return fmt.Errorf("%d to %q", resp.StatusCode, got)
			}
			return nil
		})
	}
	goesTo("1", "http://"+first.address+"/a/1")
	first.down()
	goesTo("2", "http://"+second.address+"/b/2")
	second.down()
	// With every origin down the first is the answer: it is as likely as any to
	// be back when the client gets there.
	goesTo("3", "http://"+first.address+"/a/3")
	second.up(t)
	goesTo("4", "http://"+second.address+"/b/4")
	first.up(t)
	goesTo("5", "http://"+first.address+"/a/5")

	n.Settled()
	for version, want := range map[string]string{"1": first.address, "2": second.address, "4": second.address, "5": first.address} {
		if got := n.Count(`select count(*) from events where version = '%s' and origin_host = '%s'`, version, want); got == 0 {
			t.Errorf("no event of version %s names %s as its origin", version, want)
		}
	}
}
