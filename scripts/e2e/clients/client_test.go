package clients

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tallygate/scripts/e2e/harness"
)

// client is a program that pulls images.
type client struct {
	name     string
	quick    bool     // part of `make test`
	programs []string // the first one's version is the client's
	version  []string // arguments that print it

	// open starts what the client needs on a host.
	open func(*machine) puller
}

// puller pulls an image and returns the digests by which the client now knows it.
type puller func(t *testing.T, image string, login string) (digests []string, err error)

// machine is a host with an empty directory, for one client.
type machine struct {
	*harness.Host
	t   *testing.T
	dir string
	env []string
}

func newMachine(t *testing.T, w *world, name string) *machine {
	t.Helper()
	// Short, since sockets are made in it, whose paths have a limit of 107 bytes.
	dir, err := os.MkdirTemp("/run", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	m := &machine{Host: w.newHost(name), t: t, dir: dir}
	m.env = append(w.authority.Env(),
		"HOME="+dir, "TMPDIR="+dir, "XDG_RUNTIME_DIR="+dir, "XDG_CONFIG_HOME="+dir,
		"DOCKER_CONFIG="+dir, "REGISTRY_AUTH_FILE="+filepath.Join(dir, "config.json"))
	m.login("", "")
	return m
}

func (m *machine) path(elements ...string) string {
	return filepath.Join(append([]string{m.dir}, elements...)...)
}

func (m *machine) run(argv ...string) (string, error) { return m.Try(m.env, argv...) }

// login makes the file that a login leaves behind: for one domain, or none.
func (m *machine) login(domain, userAndPassword string) {
	auths := map[string]any{}
	if domain != "" {
		auths[domain] = map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(userAndPassword))}
	}
	data, err := json.Marshal(map[string]any{"auths": auths})
	if err == nil {
		err = os.WriteFile(m.path("config.json"), data, 0o600)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// program is a client's path. The distribution's packages go before what else is on
// the machine: `make e2e-full` installs those.
func program(name string) string {
	for _, dir := range []string{"/usr/bin", "/usr/sbin"} {
		if path := filepath.Join(dir, name); exists(path) {
			return path
		}
	}
	path, err := harness.LookPath(name)
	if err != nil {
		return name
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

var clients = []client{
	{name: "docker", programs: []string{"dockerd", "docker", "containerd", "runc"}, version: []string{"--version"}, open: openDocker},
	{name: "podman", quick: true, programs: []string{"podman"}, version: []string{"--version"}, open: openPodman},
	{name: "buildah", programs: []string{"buildah"}, version: []string{"--version"}, open: openBuildah},
	{name: "skopeo", quick: true, programs: []string{"skopeo"}, version: []string{"--version"}, open: openSkopeo},
	{name: "containerd", programs: []string{"ctr", "containerd", "runc"}, version: []string{"--version"}, open: openContainerd("ctr", "containerd")},
	{name: "containerd 2", programs: []string{"containerd-2/ctr", "containerd-2/containerd", "runc"}, version: []string{"--version"}, open: openContainerd("containerd-2/ctr", "containerd-2/containerd")},
	{name: "crane", quick: true, programs: []string{"crane"}, version: []string{"version"}, open: openCrane},
	{name: "regctl", programs: []string{"regctl"}, version: []string{"version"}, open: openRegctl},
	{name: "oras", programs: []string{"oras"}, version: []string{"version"}, open: openOras},
}

// openDocker runs the daemon by hand, without a network for containers, which are
// none here.
func openDocker(m *machine) puller {
	docker := []string{program("docker"), "--host", "unix://" + m.path("d.sock")}
	daemon := m.Start(m.t, "dockerd", m.env, program("dockerd"), "--host", "unix://"+m.path("d.sock"),
		"--data-root", m.path("data"), "--exec-root", m.path("exec"), "--pidfile", m.path("d.pid"),
		"--storage-driver=vfs", "--iptables=false", "--ip6tables=false", "--bridge=none", "--ip-forward=false", "--ip-masq=false")
	harness.WaitFor(m.t, "dockerd", func() error {
		daemon.Alive()
		_, err := m.run(append(docker, "version")...)
		return err
	})
	return func(_ *testing.T, image, _ string) ([]string, error) {
		if _, err := m.run(append(docker, "pull", "--quiet", image)...); err != nil {
			return nil, err
		}
		return digestsIn(m.run(append(docker, "image", "inspect", "--format", "{{json .RepoDigests}}", image)...))
	}
}

func openPodman(m *machine) puller {
	podman := []string{
		program("podman"), "--root", m.path("root"), "--runroot", m.path("run"), "--storage-driver", "vfs",
		"--cgroup-manager", "cgroupfs", "--events-backend", "file",
	}
	return func(_ *testing.T, image, _ string) ([]string, error) {
		if _, err := m.run(append(podman, "pull", "--quiet", image)...); err != nil {
			return nil, err
		}
		return digestsIn(m.run(append(podman, "image", "inspect", "--format", "{{json .RepoDigests}}", image)...))
	}
}

func openBuildah(m *machine) puller {
	buildah := []string{program("buildah"), "--root", m.path("root"), "--runroot", m.path("run"), "--storage-driver", "vfs"}
	return func(_ *testing.T, image, _ string) ([]string, error) {
		if _, err := m.run(append(buildah, "pull", "--quiet", "--policy", "always", image)...); err != nil {
			return nil, err
		}
		return digestsIn(m.run(append(buildah, "images", "--digests", "--format", "{{.Name}} {{.Digest}}")...))
	}
}

func openSkopeo(m *machine) puller {
	return func(_ *testing.T, image, _ string) ([]string, error) {
		dir, err := os.MkdirTemp(m.dir, "image")
		if err != nil {
			return nil, err
		}
		if _, err := m.run(program("skopeo"), "copy", "--all", "--preserve-digests", "docker://"+image, "dir:"+dir); err != nil {
			return nil, err
		}
		manifest, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
		return []string{harness.DigestOf(manifest)}, err
	}
}

// openContainerd runs the daemon. Up to 1.x ctr itself talks to registries; since 2
// the daemon does, which then is told how to unpack.
func openContainerd(ctr, containerd string) func(*machine) puller {
	return func(m *machine) puller {
		config := fmt.Sprintf(`version = 2
root = %q
state = %q
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = %q
[[plugins."io.containerd.transfer.v1.local".unpack_config]]
platform = "linux/amd64"
snapshotter = "native"
`, m.path("root"), m.path("state"), m.path("c.sock"))
		if err := os.WriteFile(m.path("config.toml"), []byte(config), 0o600); err != nil {
			m.t.Fatal(err)
		}
		command := []string{program(ctr), "--address", m.path("c.sock")}
		daemon := m.Start(m.t, containerd, m.env, program(containerd), "--config", m.path("config.toml"))
		harness.WaitFor(m.t, containerd, func() error {
			daemon.Alive()
			_, err := m.run(append(command, "version")...)
			return err
		})
		return func(_ *testing.T, image, login string) ([]string, error) {
			pull := append(command, "images", "pull", "--snapshotter", "native")
			if login != "" {
				pull = append(pull, "--user", login)
			}
			if _, err := m.run(append(pull, image)...); err != nil {
				return nil, err
			}
			return digestsIn(m.run(append(command, "images", "list", "name=="+image)...))
		}
	}
}

func openCrane(m *machine) puller {
	return func(_ *testing.T, image, _ string) ([]string, error) {
		dir, err := os.MkdirTemp(m.dir, "image")
		if err != nil {
			return nil, err
		}
		if _, err := m.run(program("crane"), "pull", "--format", "oci", image, dir); err != nil {
			return nil, err
		}
		index, err := os.ReadFile(filepath.Join(dir, "index.json"))
		return digestsIn(string(index), err)
	}
}

// openRegctl copies into a layout directory.
func openRegctl(m *machine) puller {
	return func(_ *testing.T, image, _ string) ([]string, error) {
		dir, err := os.MkdirTemp(m.dir, "image")
		if err != nil {
			return nil, err
		}
		if _, err := m.run(program("regctl"), "image", "copy", image, "ocidir://"+dir+":copy"); err != nil {
			return nil, err
		}
		index, err := os.ReadFile(filepath.Join(dir, "index.json"))
		return digestsIn(string(index), err)
	}
}

func openOras(m *machine) puller {
	return func(_ *testing.T, image, _ string) ([]string, error) {
		dir, err := os.MkdirTemp(m.dir, "image")
		if err != nil {
			return nil, err
		}
		if _, err := m.run(program("oras"), "copy", "--to-oci-layout", image, dir+":copy"); err != nil {
			return nil, err
		}
		index, err := os.ReadFile(filepath.Join(dir, "index.json"))
		return digestsIn(string(index), err)
	}
}

// digestsIn finds every digest in a client's output.
func digestsIn(text string, err error) ([]string, error) {
	var digests []string
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "sha256:")
		if !found || len(after) < 64 {
			return digests, err
		}
		digests = append(digests, "sha256:"+after[:64])
		rest = after[64:]
	}
}
