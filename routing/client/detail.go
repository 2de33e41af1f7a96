package client

import (
	"encoding/json"
	"slices"
	"strings"

	"tallygate/routing/event"
)

// plain takes the version that follows the token, after "/" or a space, and
// the first words anywhere that name a platform and an architecture.
func plain(a *agent, rest string, c *Client) {
	if rest != "" {
		c.Version = versionOf(strings.TrimLeft(rest, "/ "))
	}
	scan(c, a.raw)
}

// on makes plain with a platform that is certain.
func on(platform string) func(*agent, string, *Client) {
	return func(a *agent, rest string, c *Client) {
		c.Platform = platform
		plain(a, rest, c)
	}
}

var (
	onLinux   = on("linux")
	onFreeBSD = on("freebsd")
	onMac     = on("macos")
	onWindows = on("windows")
)

// docker reads "docker/V go/V git-commit/C kernel/K os/linux arch/amd64
// UpstreamClient(Docker-Client/V \(linux\))". The platform is the daemon's: it
// is what images run on, whatever the command line's machine is.
func docker(a *agent, rest string, c *Client) {
	c.Version = versionOf(strings.TrimLeft(rest, "/ "))
	if os := a.product("os"); os != "" {
		c.Platform = platformOf(os)
	}
	if arch := a.product("arch"); arch != "" {
		c.Arch = archOf(arch)
	}
	if i := strings.Index(a.raw, "UpstreamClient("); i >= 0 {
		name := a.raw[i+len("UpstreamClient("):]
		if end := strings.IndexAny(name, " )\\("); end > 0 {
			extra(c, "upstream_client", name[:end])
		}
	}
}

// containersImage reads "containers/V (github.com/containers/image)", the
// default of podman's library: the version is the library's.
func containersImage(a *agent, rest string, c *Client) {
	extra(c, "containers_image", versionOf(strings.TrimLeft(rest, "/")))
}

// commentVersion reads "regclient/regctl (v0.11.7)".
func commentVersion(a *agent, _ string, c *Client) {
	c.Version = versionOf(a.comment(0))
	scan(c, a.comment(0))
}

// pipData is the JSON that pip sends after its name, and uv, pdm and others in
// the same shape; see pip/_internal/network/session.py, user_agent.
type pipData struct {
	Python         string       `json:"python"`
	CPU            string       `json:"cpu"`
	CI             *bool        `json:"ci"`
	Implementation nameVersion  `json:"implementation"`
	System         nameVersion  `json:"system"`
	Distro         distribution `json:"distro"`
}

type nameVersion struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type distribution struct {
	nameVersion
	Libc struct {
		Lib     string `json:"lib"`
		Version string `json:"version"`
	} `json:"libc"`
}

// pip reads "pip/V {json}". A broken JSON leaves what stands before it.
func pip(a *agent, rest string, c *Client) {
	c.Version = versionOf(strings.TrimLeft(rest, "/ "))
	if a.json == "" {
		pythonProducts(a, c)
		return
	}
	var d pipData
	if json.NewDecoder(strings.NewReader(a.json)).Decode(&d) != nil {
		return
	}
	c.Platform = platformOf(d.System.Name)
	c.Arch = archOf(d.CPU)
	if d.CI != nil && *d.CI {
		extra(c, "ci", "true")
	}
	extra(c, "distro", d.Distro.Name)
	extra(c, "distro_version", d.Distro.Version)
	extra(c, "libc", d.Distro.Libc.Lib)
	extra(c, "libc_version", d.Distro.Libc.Version)
	extra(c, "python_implementation", d.Implementation.Name)
	extra(c, "python_version", d.Python)
}

// python reads "poetry/V CPython/V Linux/V" and the likes of it.
func python(a *agent, rest string, c *Client) {
	c.Version = versionOf(strings.TrimLeft(rest, "/ "))
	pythonProducts(a, c)
}

// pythonProducts reads the interpreter and the system from products.
func pythonProducts(a *agent, c *Client) {
	for _, p := range a.products {
		switch strings.ToLower(p.name) {
		case "cpython", "pypy", "python", "python-urllib":
			if len(c.Extra) == 0 && p.version != "" {
				if !strings.HasPrefix(strings.ToLower(p.name), "python") {
					extra(c, "python_implementation", p.name)
				}
				extra(c, "python_version", versionOf(p.version))
			}
		}
	}
	scan(c, a.raw)
}

// urllib reads "Python-urllib/3.11": the version is Python's own.
func urllib(a *agent, rest string, c *Client) {
	c.Version = versionOf(strings.TrimLeft(rest, "/ "))
	extra(c, "python_version", c.Version)
	scan(c, a.raw)
}

// npm reads "npm/V node/vV linux x64 workspaces/false ci/github-actions", in
// which the other package managers put "npm/?".
func npm(a *agent, rest string, c *Client) {
	c.Version = versionOf(strings.TrimLeft(rest, "/ "))
	if ci := a.product("ci"); ci != "" && ci != "false" {
		extra(c, "ci", ci)
	}
	extra(c, "node_version", versionOf(a.product("node")))
	// Words after the products only: "win32 x64".
	for _, p := range a.products {
		if p.version == "" {
			scan(c, p.name)
		}
	}
	scan(c, strings.Join(a.comments, " "))
}

// jvm reads "Apache-Maven/V (Java V; Linux V)".
func jvm(a *agent, rest string, c *Client) {
	c.Version = versionOf(strings.TrimLeft(rest, "/ "))
	for _, s := range a.comments {
		if i := strings.Index(s, "Java"); i >= 0 {
			extra(c, "java_version", versionOf(strings.TrimLeft(s[i+len("Java"):], "/ ")))
			break
		}
	}
	scan(c, a.raw)
}

// gradle reads "Gradle/V (Linux;V;amd64) (Vendor;V;V)".
func gradle(a *agent, rest string, c *Client) {
	c.Version = versionOf(strings.TrimLeft(rest, "/ "))
	scan(c, a.comment(0))
	if parts := strings.Split(a.comment(1), ";"); len(parts) > 1 {
		extra(c, "java_version", versionOf(parts[1]))
	}
}

// javaVersion reads "Java/V", where V is the runtime's.
func javaVersion(a *agent, rest string, c *Client) {
	c.Version = versionOf(strings.TrimLeft(rest, "/ "))
	scan(c, a.raw)
}

// nexus reads "Nexus/V (PRO; Linux; V; amd64; V)".
func nexus(a *agent, rest string, c *Client) {
	plain(a, rest, c)
	if edition, _, ok := strings.Cut(a.comment(0), ";"); ok {
		extra(c, "edition", edition)
	}
}

// ruby reads "bundler/V rubygems/V ruby/V (x86_64-pc-linux-gnu) ... ci/NAME"
// and "Ruby, RubyGems/V x86_64-linux Ruby/V".
func ruby(a *agent, rest string, c *Client) {
	plain(a, rest, c)
	if ci := a.product("ci"); ci != "" {
		extra(c, "ci", ci)
	}
	extra(c, "ruby_version", versionOf(a.product("ruby")))
}

// composer reads "Composer/V (Linux; V; PHP V; cURL V; Platform-PHP V; CI)".
func composer(a *agent, rest string, c *Client) {
	plain(a, rest, c)
	for part := range strings.SplitSeq(a.comment(0), ";") {
		part = strings.TrimSpace(part)
		if part == "CI" {
			extra(c, "ci", "true")
		} else if v, ok := strings.CutPrefix(part, "PHP "); ok {
			extra(c, "php_version", versionOf(v))
		}
	}
}

// goHTTP reads "Go-http-client/2.0", in which the number is HTTP's.
func goHTTP(*agent, string, *Client) {}

// apt reads "Debian APT-HTTP/1.3 (2.6.1)": 1.3 is the protocol of its HTTP
// method, apt's own version is the comment.
func apt(a *agent, rest string, c *Client) {
	c.Version = versionOf(a.comment(0))
	c.Platform = "linux"
	switch distro := strings.ToLower(firstWord(a.raw)); distro {
	case "debian", "ubuntu", "raspbian":
		extra(c, "distro", distro)
	case "telesphoreo":
		c.Platform = "ios"
	}
	if c.Version == "" {
		c.Version = versionOf(strings.TrimLeft(rest, "/ "))
	}
}

// libdnf reads "libdnf (Fedora Linux 38; server; Linux.x86_64)": the variant of
// the system and, last, its base architecture.
func libdnf(a *agent, rest string, c *Client) {
	c.Version = versionOf(strings.TrimLeft(rest, "/ "))
	parts := strings.Split(a.comment(0), ";")
	if len(parts) < 3 {
		c.Platform = "linux"
		return
	}
	scan(c, parts[len(parts)-1])
	distro := strings.TrimSpace(parts[0])
	if i := strings.LastIndexByte(distro, ' '); i > 0 && versionOf(distro[i+1:]) != "" {
		extra(c, "distro", distro[:i])
		extra(c, "distro_version", distro[i+1:])
	} else {
		extra(c, "distro", distro)
	}
}

// yum reads "urlgrabber/3.10 yum/3.4.3".
func yum(a *agent, _ string, c *Client) {
	c.Platform = "linux"
	c.Version = versionOf(a.product("yum"))
}

// homebrew reads "Homebrew/V (Macintosh; arm64 Mac OS X 13.6) curl/V" and
// "Homebrew/V (Linux; x86_64 Ubuntu 22.04) curl/V".
func homebrew(a *agent, rest string, c *Client) {
	c.Version = versionOf(strings.TrimLeft(rest, "/ "))
	scan(c, a.comment(0))
	// "Intel Mac OS X" is Homebrew's own word for the processor: unlike a
	// browser's it is true.
	if c.Arch == "" && strings.Contains(a.comment(0), "Intel") {
		c.Arch = "amd64"
	}
}

// runner reads "GitHubActionsRunner-linux-x64/V".
func runner(a *agent, rest string, c *Client) {
	target, version, _ := strings.Cut(firstWord(rest), "/")
	c.Version = versionOf(version)
	scan(c, target)
}

// firstWord returns s up to its first space.
func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

// maxExtra bounds one extra value, in bytes: it is a stranger's text.
const maxExtra = 128

// extra adds a variable in its place by name. An empty value adds none.
func extra(c *Client, name, value string) {
	if value == "" || len(value) > maxExtra {
		return
	}
	i, _ := slices.BinarySearchFunc(c.Extra, name, func(v event.Variable, name string) int {
		return strings.Compare(v.Name, name)
	})
	c.Extra = slices.Insert(c.Extra, i, event.Variable{Name: name, Value: value})
}
