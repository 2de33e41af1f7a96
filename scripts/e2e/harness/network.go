package harness

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Network is a bridge in the sandbox, with hosts on it. Its addresses are not
// loopback ones, of which clients ask less: docker takes 127.0.0.0/8 for insecure.
// The test process itself is on the bridge and can listen on addresses that
// [Network.Listen] gave it.
type Network struct {
	t      *testing.T
	bridge string
	names  map[string]string
	hosts  string // path of a hosts file of the names
	links  int
}

// NewNetwork lays a bridge that knows these names by their addresses, all of them
// in 10.77.0.0/16.
func NewNetwork(t *testing.T, names map[string]string) *Network {
	t.Helper()
	NeedsSandbox(t)
	Needs(t, "ip", "nsenter", "unshare")
	n := &Network{t: t, bridge: "tallygate", names: names, hosts: filepath.Join(t.TempDir(), "hosts")}
	var hosts strings.Builder
	hosts.WriteString("127.0.0.1 localhost\n")
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(&hosts, "%s %s\n", names[name], name)
	}
	if err := os.WriteFile(n.hosts, []byte(hosts.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	// With an address of its own: else the bridge takes the lowest one of its links,
	// and everybody's neighbour tables are wrong for seconds when a host joins.
	n.ip("link", "add", n.bridge, "address", "02:00:0a:4d:00:01", "type", "bridge")
	t.Cleanup(func() { n.ip("link", "del", n.bridge) })
	n.ip("addr", "add", "10.77.0.1/16", "dev", n.bridge)
	n.ip("link", "set", n.bridge, "up")
	return n
}

// Listen adds the address of a name to those of the sandbox, and returns it: for
// servers of the test process, and for programs that it starts on no host.
func (n *Network) Listen(name string) (address string) {
	n.t.Helper()
	address = n.names[name]
	n.ip("addr", "add", address+"/16", "dev", n.bridge)
	return address
}

// Serve answers for a name over HTTPS, in the test process.
func (n *Network) Serve(authority *Authority, name string, handler http.Handler) {
	n.t.Helper()
	l, err := tls.Listen("tcp", n.Listen(name)+":443", authority.ServerConfig(name))
	if err != nil {
		n.t.Fatal(err)
	}
	// Handshakes that a client breaks off are no news.
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(l) //nolint:errcheck // until it is closed
	n.t.Cleanup(func() { server.Close() })
}

// Transport is for clients in the test process, which knows the names by no hosts
// file.
func (n *Network) Transport(authority *Authority) *http.Transport {
	var dialer net.Dialer
	return &http.Transport{
		TLSClientConfig:   authority.ClientConfig(),
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, port, err := net.SplitHostPort(address); err == nil && n.names[host] != "" {
				address = net.JoinHostPort(n.names[host], port)
			}
			return dialer.DialContext(ctx, network, address)
		},
	}
}

func (n *Network) ip(args ...string) {
	n.t.Helper()
	if _, err := output(exec.Command("ip", args...)); err != nil {
		n.t.Error(err)
	}
}

// Host is a machine on a network: a network namespace with one address.
type Host struct {
	Name    string
	Address string

	network *Network
}

// Host adds a machine.
func (n *Network) Host(name, address string) *Host {
	n.t.Helper()
	n.links++
	link := fmt.Sprintf("tg%d", n.links) // names of links have 15 bytes at most
	n.ip("netns", "add", name)
	n.t.Cleanup(func() { n.ip("netns", "del", name) })
	n.ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
	n.ip("link", "set", link, "master", n.bridge, "up")
	n.ip("-n", name, "addr", "add", address+"/16", "dev", "eth0")
	n.ip("-n", name, "link", "set", "eth0", "up")
	n.ip("-n", name, "link", "set", "lo", "up")
	return &Host{Name: name, Address: address, network: n}
}

// command is a program that runs on the host; on a nil one it runs here. It is
// entered by nsenter, since `ip netns exec` hides the control groups that docker
// needs. The hosts file is bound into a mount namespace of the program's own: one
// edited in place would not be seen by daemons that hold the old one.
func (h *Host) command(ctx context.Context, argv ...string) *exec.Cmd {
	if h == nil {
		return exec.CommandContext(ctx, argv[0], argv[1:]...)
	}
	enter := []string{
		"--net=/run/netns/" + h.Name, "unshare", "--mount", "sh", "-c", `mount --bind "$0" /etc/hosts && exec "$@"`, h.network.hosts,
	}
	return exec.CommandContext(ctx, "nsenter", append(enter, argv...)...)
}

// Try runs a program on the host and returns its standard output. env is added to
// the test's own environment.
func (h *Host) Try(env []string, argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	cmd := h.command(ctx, argv...)
	cmd.Env = append(os.Environ(), env...)
	return output(cmd)
}

// Start runs a program on the host until the test ends.
func (h *Host) Start(t *testing.T, name string, env []string, argv ...string) *Process {
	t.Helper()
	cmd := h.command(context.Background(), argv...)
	cmd.Env = append(os.Environ(), env...)
	return StartProcess(t, name, cmd)
}
