package main

import (
	"fmt"
	"os/exec"
	"strings"
)

// demoHost is the domain that the demo is served on. Every client resolves it,
// whatever its resolver makes of names below ".localhost", and every container
// client speaks plain HTTP to it.
const demoHost = "localhost"

// demoCatalog is the catalog file of the demo, for origins at the address.
func demoCatalog(origin string) []byte {
	return []byte(strings.NewReplacer("HOST", demoHost, "ORIGIN", origin).Replace(`# The demonstration catalog of "make run": written at every start, applied with
#   tallygate apply -f demo-catalog.yaml
# The origin it points to is part of the demo. docs/catalog.md describes the format.
owner: acme

organizations:
  - name: acme
    description: Makers of rockets, for demonstration only.
    variable_overrides:
      build: version

packages:
  - name: rocket
    type: docker
    short_description: A container image for two platforms.
    domains: [HOST]
    backend_registry: ORIGIN
    plain_http: true

  - name: rocket-cli
    type: file
    short_description: A tarball for each version and platform.
    domains: [HOST]
    routes:
      - incoming_path: /dl/{version}/{platform}.tgz
        outgoing_url: http://ORIGIN/releases/{version}/rocket-{platform}.tgz

  - name: acme-rocket
    type: python
    short_description: A Python project with one wheel.
    domains: [HOST]
    repository_url: http://ORIGIN/simple/
    plain_http: true

  - name: telemetry
    type: event
    short_description: Events that rockets send home.
    domains: [HOST]
    incoming_path: /events

pixels:
  - name: readme
    id: demo-pixel
    package: rocket-cli
`))
}

// welcome is what the terminal shows once everything works.
func welcome(n *node, link string) string {
	host := demoHost + ":" + n.gatewayPort
	if n.gatewayPort == "80" {
		host = demoHost
	}
	return fmt.Sprintf(`
  Tallygate is running.

    Admin     http://%s/
    Sign in   %s
              (works once; "tallygate user sign-in-link" prints another)

  Try these, and watch the admin page:

    curl -L http://%s/dl/1.0/linux.tgz -o rocket.tgz
    %s
    curl -d '{"action":"launch"}' http://%s/events

  Ctrl-C stops it. The catalog is in %s.

`, n.adminAddr, link, host, pullCommand(host, exec.LookPath), host, n.dataDir+"/demo-catalog.yaml")
}

// pullCommand pulls the demo's image with a client that is installed.
func pullCommand(host string, lookPath func(string) (string, error)) string {
	image := host + "/acme/rocket:1.0"
	for _, client := range []struct{ name, command string }{
		{"skopeo", "skopeo copy --src-tls-verify=false docker://" + image + " dir:rocket-image"},
		{"crane", "crane pull --insecure " + image + " rocket-image.tar"},
		{"podman", "podman pull --tls-verify=false " + image},
	} {
		if _, err := lookPath(client.name); err == nil {
			return client.command
		}
	}
	return "docker pull " + image
}
