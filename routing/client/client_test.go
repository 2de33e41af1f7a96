package client

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"tallygate/routing/event"
)

// agents are strings as clients send them: captured where the client ran here,
// else from the client's source or documentation.
var agents = []struct {
	agent string
	want  Client
}{
	// Container engines and registry clients.
	{
		`docker/20.10.24+dfsg1 go/go1.19.8 git-commit/5d6db84 kernel/6.1.0-18-amd64 os/linux arch/amd64 UpstreamClient(Docker-Client/20.10.24 \(linux\))`,
		Client{Name: "docker", Version: "20.10.24+dfsg1", Platform: "linux", Arch: "amd64", Class: Tool, Extra: vars("upstream_client", "Docker-Client/20.10.24")},
	},
	{
		`docker/29.0.1 go/go1.25.4 git-commit/198b5e3 kernel/6.10.14-linuxkit os/linux arch/arm64 containerd-client/2.3.5 storage-driver/overlayfs UpstreamClient(Docker-Client/29.0.1 \(darwin\))`,
		Client{Name: "docker", Version: "29.0.1", Platform: "linux", Arch: "arm64", Class: Tool, Extra: vars("upstream_client", "Docker-Client/29.0.1")},
	},
	{
		`docker/24.0.6 go/go1.20.7 git-commit/1a79695 kernel/10.0 17763 (17763.1.amd64fre.rs5_release.180914-1434) os/windows arch/amd64 UpstreamClient(docker-sdk-python/6.1.3)`,
		Client{Name: "docker", Version: "24.0.6", Platform: "windows", Arch: "amd64", Class: Tool, Extra: vars("upstream_client", "docker-sdk-python/6.1.3")},
	},
	{`containerd/1.6.20~ds1`, Client{Name: "containerd", Version: "1.6.20~ds1", Class: Tool}},
	{`containerd/v2.1.4`, Client{Name: "containerd", Version: "2.1.4", Class: Tool}},
	{`buildkit/v0.17.1`, Client{Name: "buildkit", Version: "0.17.1", Class: Tool}},
	{`containers/5.23.1 (github.com/containers/image)`, Client{Name: "podman", Class: Tool, Extra: vars("containers_image", "5.23.1")}},
	{`libpod/4.3.1`, Client{Name: "podman", Version: "4.3.1", Class: Tool}},
	{`Buildah/1.28.2`, Client{Name: "buildah", Version: "1.28.2", Class: Tool}},
	{`skopeo/1.9.3`, Client{Name: "skopeo", Version: "1.9.3", Class: Tool}},
	{`cri-o/1.27.1 go/go1.20.5 os/linux arch/arm64`, Client{Name: "cri-o", Version: "1.27.1", Platform: "linux", Arch: "arm64", Class: Tool}},
	{`crane/v0.22.1 go-containerregistry/v0.22.1`, Client{Name: "crane", Version: "0.22.1", Class: Tool}},
	{`go-containerregistry/v0.20.2`, Client{Name: "go-containerregistry", Version: "0.20.2", Class: Automation}},
	{`regclient/regctl (v0.11.7)`, Client{Name: "regctl", Version: "0.11.7", Class: Tool}},
	{`regclient/regsync (v0.5.1)`, Client{Name: "regsync", Version: "0.5.1", Class: Mirror}},
	{`oras/1.3.6`, Client{Name: "oras", Version: "1.3.6", Class: Tool}},
	{`Helm/3.22`, Client{Name: "helm", Version: "3.22", Class: Tool}},
	{`cosign/v2.4.1 (linux; amd64)`, Client{Name: "cosign", Version: "2.4.1", Platform: "linux", Arch: "amd64", Class: Tool}},
	{`apptainer/1.1.6 (Linux amd64) Go/1.19.5`, Client{Name: "apptainer", Version: "1.1.6", Platform: "linux", Arch: "amd64", Class: Tool}},

	// Python.
	{
		`pip/23.2.1 {"ci":null,"cpu":"x86_64","distro":{"id":"bookworm","libc":{"lib":"glibc","version":"2.36"},"name":"Debian GNU/Linux","version":"12"},"implementation":{"name":"CPython","version":"3.11.7"},"installer":{"name":"pip","version":"23.2.1"},"openssl_version":"OpenSSL 3.0.15 3 Sep 2024","python":"3.11.7","rustc_version":"1.63.0","setuptools_version":"65.5.0","system":{"name":"Linux","release":"6.1.0"}}`,
		Client{Name: "pip", Version: "23.2.1", Platform: "linux", Arch: "amd64", Class: Tool, Extra: vars(
			"distro", "Debian GNU/Linux", "distro_version", "12", "libc", "glibc", "libc_version", "2.36", "python_implementation", "CPython", "python_version", "3.11.7")},
	},
	{
		`pip/24.0 {"ci":true,"cpu":"AMD64","implementation":{"name":"CPython","version":"3.12.2"},"installer":{"name":"pip","version":"24.0"},"python":"3.12.2","system":{"name":"Windows","release":"10"}}`,
		Client{Name: "pip", Version: "24.0", Platform: "windows", Arch: "amd64", Class: Tool, Extra: vars("ci", "true", "python_implementation", "CPython", "python_version", "3.12.2")},
	},
	{
		`pip/24.0 {"ci":null,"cpu":"arm64","distro":{"name":"macOS","version":"14.4"},"implementation":{"name":"CPython","version":"3.12.2"},"python":"3.12.2","system":{"name":"Darwin","release":"23.4.0"}}`,
		Client{Name: "pip", Version: "24.0", Platform: "macos", Arch: "arm64", Class: Tool, Extra: vars(
			"distro", "macOS", "distro_version", "14.4", "python_implementation", "CPython", "python_version", "3.12.2")},
	},
	{`pip/23.2.1 {"ci":null,"cpu":"x86_`, Client{Name: "pip", Version: "23.2.1", Class: Tool}},
	{`pip/1.5.6 CPython/2.7.9 Linux/3.16.0-4-amd64`, Client{
		Name: "pip", Version: "1.5.6", Platform: "linux", Arch: "amd64", Class: Tool,
		Extra: vars("python_implementation", "CPython", "python_version", "2.7.9"),
	}},
	{
		`uv/0.4.18 {"installer":{"name":"uv","version":"0.4.18"},"python":"3.12.7","implementation":{"name":"CPython","version":"3.12.7"},"distro":{"name":"Ubuntu","version":"24.04","id":"noble","libc":null},"system":{"name":"Linux","release":"6.8.0"},"cpu":"aarch64","openssl_version":null,"setuptools_version":null,"rustc_version":null,"ci":true}`,
		Client{Name: "uv", Version: "0.4.18", Platform: "linux", Arch: "arm64", Class: Tool, Extra: vars(
			"ci", "true", "distro", "Ubuntu", "distro_version", "24.04", "python_implementation", "CPython", "python_version", "3.12.7")},
	},
	{`uv/0.1.5`, Client{Name: "uv", Version: "0.1.5", Class: Tool}},
	{`poetry/1.8.3 CPython/3.11.9 Darwin/23.5.0`, Client{
		Name: "poetry", Version: "1.8.3", Platform: "macos", Class: Tool,
		Extra: vars("python_implementation", "CPython", "python_version", "3.11.9"),
	}},
	{`conda/23.1.0 requests/2.28.1 CPython/3.10.9 Linux/5.15.0-60-generic ubuntu/22.04 glibc/2.35`, Client{
		Name: "conda", Version: "23.1.0", Platform: "linux", Class: Tool,
		Extra: vars("python_implementation", "CPython", "python_version", "3.10.9"),
	}},
	{`setuptools/65.5.0 Python-urllib/3.11`, Client{Name: "setuptools", Version: "65.5.0", Class: Tool, Extra: vars("python_version", "3.11")}},

	// JavaScript.
	{`npm/9.5.1 node/v18.16.0 linux x64 workspaces/false ci/github-actions`, Client{
		Name: "npm", Version: "9.5.1", Platform: "linux", Arch: "amd64", Class: Tool, Extra: vars("ci", "github-actions", "node_version", "18.16.0"),
	}},
	{`npm/10.9.0 node/v22.11.0 win32 x64 workspaces/false`, Client{
		Name: "npm", Version: "10.9.0", Platform: "windows", Arch: "amd64", Class: Tool, Extra: vars("node_version", "22.11.0"),
	}},
	{`yarn/1.22.19 npm/? node/v16.20.0 darwin arm64`, Client{
		Name: "yarn", Version: "1.22.19", Platform: "macos", Arch: "arm64", Class: Tool, Extra: vars("node_version", "16.20.0"),
	}},
	{`pnpm/9.12.1 npm/? node/v20.18.0 linux x64`, Client{
		Name: "pnpm", Version: "9.12.1", Platform: "linux", Arch: "amd64", Class: Tool, Extra: vars("node_version", "20.18.0"),
	}},
	{`bun/1.1.34 npm/? node/v22.6.0 linux arm64`, Client{
		Name: "bun", Version: "1.1.34", Platform: "linux", Arch: "arm64", Class: Tool, Extra: vars("node_version", "22.6.0"),
	}},
	{`Bun/1.1.34`, Client{Name: "bun", Version: "1.1.34", Class: Tool}},
	{`Deno/2.0.6`, Client{Name: "deno", Version: "2.0.6", Class: Tool}},

	// JVM, .NET, Rust, Ruby, PHP, Go.
	{`Apache-Maven/3.9.5 (Java 17.0.8; Linux 5.15.0-86-generic)`, Client{
		Name: "Maven", Version: "3.9.5", Platform: "linux", Class: Tool, Extra: vars("java_version", "17.0.8"),
	}},
	{`Gradle/8.4 (Linux;5.15.0-86-generic;amd64) (Eclipse Adoptium;17.0.8;17.0.8+7)`, Client{
		Name: "Gradle", Version: "8.4", Platform: "linux", Arch: "amd64", Class: Tool, Extra: vars("java_version", "17.0.8"),
	}},
	{`Gradle/8.10 (Mac OS X;14.6;aarch64) (Homebrew;21.0.4;21.0.4)`, Client{
		Name: "Gradle", Version: "8.10", Platform: "macos", Arch: "arm64", Class: Tool, Extra: vars("java_version", "21.0.4"),
	}},
	{`NuGet Command Line/6.7.0 (Microsoft Windows NT 10.0.19045.0)`, Client{Name: "NuGet", Version: "6.7.0", Platform: "windows", Class: Tool}},
	{`NuGet .NET Core MSBuild Task/6.7.0 (Ubuntu 22.04.3 LTS)`, Client{Name: "NuGet", Version: "6.7.0", Platform: "linux", Class: Tool}},
	{`cargo 1.73.0 (9c4383fb5 2023-08-26)`, Client{Name: "cargo", Version: "1.73.0", Class: Tool}},
	{`cargo/1.84.0 (66221abde 2024-11-19)`, Client{Name: "cargo", Version: "1.84.0", Class: Tool}},
	{`bundler/2.4.10 rubygems/3.4.10 ruby/3.2.2 (x86_64-pc-linux-gnu) command/install options/jobs ci/github,ci c0ffee`, Client{
		Name: "Bundler", Version: "2.4.10", Platform: "linux", Arch: "amd64", Class: Tool, Extra: vars("ci", "github", "ruby_version", "3.2.2"),
	}},
	{`Ruby, RubyGems/3.4.10 x86_64-linux Ruby/3.2.2 (2023-03-30 patchlevel 53)`, Client{
		Name: "RubyGems", Version: "3.4.10", Platform: "linux", Arch: "amd64", Class: Tool, Extra: vars("ruby_version", "3.2.2"),
	}},
	{`Composer/2.6.5 (Linux; 5.15.0-86-generic; PHP 8.2.11; cURL 8.1.2; Platform-PHP 8.2.11; CI)`, Client{
		Name: "Composer", Version: "2.6.5", Platform: "linux", Class: Tool, Extra: vars("ci", "true", "php_version", "8.2.11"),
	}},
	{`Go-http-client/2.0`, Client{Name: "go", Class: Automation}},
	{`Go-http-client/1.1`, Client{Name: "go", Class: Automation}},

	// Operating systems.
	{`Debian APT-HTTP/1.3 (2.6.1)`, Client{Name: "apt", Version: "2.6.1", Platform: "linux", Class: Tool, Extra: vars("distro", "debian")}},
	{`Ubuntu APT-HTTP/1.3 (2.4.10) non-interactive`, Client{Name: "apt", Version: "2.4.10", Platform: "linux", Class: Tool, Extra: vars("distro", "ubuntu")}},
	{`libdnf (Fedora Linux 38; server; Linux.x86_64)`, Client{
		Name: "dnf", Platform: "linux", Arch: "amd64", Class: Tool, Extra: vars("distro", "Fedora Linux", "distro_version", "38"),
	}},
	{`urlgrabber/3.10 yum/3.4.3`, Client{Name: "yum", Version: "3.4.3", Platform: "linux", Class: Tool}},
	{`ZYpp 17.31.6 (curl 8.0.1) openSUSE-Leap-15.5-x86_64`, Client{Name: "zypper", Version: "17.31.6", Platform: "linux", Arch: "amd64", Class: Tool}},
	{`apk-tools/2.14.0`, Client{Name: "apk", Version: "2.14.0", Platform: "linux", Class: Tool}},
	{`pacman/6.0.2 (Linux x86_64) libalpm/13.0.2`, Client{Name: "pacman", Version: "6.0.2", Platform: "linux", Arch: "amd64", Class: Tool}},
	{`snapd/2.60.4 (series 16; classic) ubuntu/22.04 (arm64) linux/5.15.0`, Client{Name: "snapd", Version: "2.60.4", Platform: "linux", Arch: "arm64", Class: Tool}},
	{`Homebrew/4.1.20 (Macintosh; arm64 Mac OS X 13.6) curl/8.1.2`, Client{Name: "Homebrew", Version: "4.1.20", Platform: "macos", Arch: "arm64", Class: Tool}},
	{`Homebrew/3.6.0 (Macintosh; Intel Mac OS X 12.6) curl/7.79.1`, Client{Name: "Homebrew", Version: "3.6.0", Platform: "macos", Arch: "amd64", Class: Tool}},
	{`Homebrew/4.2.0 (Linux; x86_64 Ubuntu 22.04.3 LTS) curl/7.81.0`, Client{Name: "Homebrew", Version: "4.2.0", Platform: "linux", Arch: "amd64", Class: Tool}},
	{`curl/8.4.0 Nix/2.18.1`, Client{Name: "nix", Version: "2.18.1", Class: Tool}},
	{`Scoop/1.0 (+http://scoop.sh/) PowerShell/5.1 (Windows NT 10.0; Win64; x64; Desktop)`, Client{
		Name: "Scoop", Version: "1.0", Platform: "windows", Arch: "amd64", Class: Tool,
	}},
	{`HashiCorp Terraform/1.6.0 (+https://www.terraform.io)`, Client{Name: "terraform", Version: "1.6.0", Class: Tool}},
	{`git/2.40.1`, Client{Name: "git", Version: "2.40.1", Class: Tool}},
	{`git-lfs/3.4.0 (GitHub; linux arm64; go 1.20.6)`, Client{Name: "git-lfs", Version: "3.4.0", Platform: "linux", Arch: "arm64", Class: Tool}},

	// Downloaders.
	{`curl/7.88.1`, Client{Name: "curl", Version: "7.88.1", Class: Tool}},
	{`curl/7.19.7 (x86_64-redhat-linux-gnu) libcurl/7.19.7 NSS/3.44`, Client{Name: "curl", Version: "7.19.7", Platform: "linux", Arch: "amd64", Class: Tool}},
	{`Wget/1.21.3`, Client{Name: "wget", Version: "1.21.3", Class: Tool}},
	{`Wget/1.20.1 (linux-gnu)`, Client{Name: "wget", Version: "1.20.1", Platform: "linux", Class: Tool}},
	{`Wget`, Client{Name: "wget", Class: Tool}},
	{`aria2/1.36.0`, Client{Name: "aria2", Version: "1.36.0", Class: Tool}},
	{`Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.1682`, Client{
		Name: "PowerShell", Version: "5.1.19041.1682", Platform: "windows", Class: Tool,
	}},

	// Mirrors.
	{`bandersnatch/6.5.0 (CPython 3.11.6-final0, Linux 5.15.0 x86_64) (aiohttp 3.9.1)`, Client{
		Name: "bandersnatch", Version: "6.5.0", Platform: "linux", Arch: "amd64", Class: Mirror,
	}},
	{`devpi-server/6.9.2 (py3.11.4; linux)`, Client{Name: "devpi", Version: "6.9.2", Platform: "linux", Class: Mirror}},
	{`Nexus/3.61.0-02 (PRO; Linux; 5.15.0-1045-aws; amd64; 1.8.0_382)`, Client{
		Name: "Nexus", Version: "3.61.0-02", Platform: "linux", Arch: "amd64", Class: Mirror, Extra: vars("edition", "PRO"),
	}},
	{`Artifactory/7.68.14 76814900`, Client{Name: "Artifactory", Version: "7.68.14", Class: Mirror}},
	{`harbor-registry-client`, Client{Name: "Harbor", Class: Mirror}},
	{`pulpcore/3.39.0 (CPython 3.9.18-final0, Linux x86_64) (aiohttp 3.8.6)`, Client{
		Name: "pulp", Version: "3.39.0", Platform: "linux", Arch: "amd64", Class: Mirror,
	}},
	{`verdaccio/5.29.0`, Client{Name: "verdaccio", Version: "5.29.0", Class: Mirror}},
	{`Debian Apt-Cacher-NG/3.7.4`, Client{Name: "apt-cacher-ng", Version: "3.7.4", Platform: "linux", Class: Mirror}},
	{`Amazon CloudFront`, Client{Name: "CloudFront", Class: Mirror}},

	// Automation.
	{`python-requests/2.31.0`, Client{Name: "python-requests", Version: "2.31.0", Class: Automation}},
	{`Python-urllib/3.11`, Client{Name: "Python-urllib", Version: "3.11", Class: Automation, Extra: vars("python_version", "3.11")}},
	{`Python/3.11 aiohttp/3.9.1`, Client{Name: "aiohttp", Version: "3.9.1", Class: Automation}},
	{`python-httpx/0.25.1`, Client{Name: "httpx", Version: "0.25.1", Class: Automation}},
	{`axios/1.6.2`, Client{Name: "axios", Version: "1.6.2", Class: Automation}},
	{`node-fetch/1.0 (+https://github.com/bitinn/node-fetch)`, Client{Name: "node-fetch", Version: "1.0", Class: Automation}},
	{`got (https://github.com/sindresorhus/got)`, Client{Name: "got", Class: Automation}},
	{`node`, Client{Name: "node", Class: Automation}},
	{`okhttp/4.12.0`, Client{Name: "okhttp", Version: "4.12.0", Class: Automation}},
	{`Java/17.0.9`, Client{Name: "Java", Version: "17.0.9", Class: Automation}},
	{`Java-http-client/21.0.1`, Client{Name: "Java", Version: "21.0.1", Class: Automation}},
	{`Apache-HttpClient/4.5.14 (Java/17.0.9)`, Client{Name: "Apache-HttpClient", Version: "4.5.14", Class: Automation, Extra: vars("java_version", "17.0.9")}},
	{`GitHubActionsRunner-linux-x64/2.311.0 ClientId/abc (Linux 6.2.0)`, Client{
		Name: "GitHub Actions", Version: "2.311.0", Platform: "linux", Arch: "amd64", Class: Automation,
	}},
	{`actions/tool-cache`, Client{Name: "GitHub Actions", Class: Automation}},
	{`gitlab-runner 16.6.0 (16-6-stable; go1.20.10; linux/amd64)`, Client{
		Name: "GitLab Runner", Version: "16.6.0", Platform: "linux", Arch: "amd64", Class: Automation,
	}},
	{`RenovateBot/37.61.4 (https://github.com/renovatebot/renovate)`, Client{Name: "Renovate", Version: "37.61.4", Class: Automation}},
	{`dependabot-core/0.237.0 excon/0.104.0 ruby/3.1.4 (x86_64-linux) (+https://github.com/dependabot/dependabot-core)`, Client{
		Name: "Dependabot", Version: "0.237.0", Platform: "linux", Arch: "amd64", Class: Automation,
	}},

	// Browsers.
	{`Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36`, Client{
		Name: "Chrome", Version: "119.0.0.0", Platform: "linux", Arch: "amd64", Class: Browser,
	}},
	{`Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0`, Client{
		Name: "Firefox", Version: "120.0", Platform: "windows", Arch: "amd64", Class: Browser,
	}},
	{`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15`, Client{
		Name: "Safari", Version: "17.1", Platform: "macos", Class: Browser,
	}},
	{`Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1`, Client{
		Name: "Safari", Version: "17.1", Platform: "ios", Class: Browser,
	}},
	{`Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Mobile Safari/537.36`, Client{
		Name: "Chrome", Version: "119.0.0.0", Platform: "android", Class: Browser,
	}},
	{`Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36 Edg/119.0.2151.72`, Client{
		Name: "Edge", Version: "119.0.2151.72", Platform: "windows", Arch: "amd64", Class: Browser,
	}},

	// Crawlers, monitors, previews.
	{`Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)`, Client{
		Name: "Googlebot", Version: "2.1", Class: Bot, Bot: true, Extra: vars("crawler_kind", "search-engine"),
	}},
	{`Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)`, Client{
		Name: "bingbot", Version: "2.0", Class: Bot, Bot: true, Extra: vars("crawler_kind", "search-engine"),
	}},
	{`Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)`, Client{
		Name: "SemrushBot", Version: "7~bl", Class: Bot, Bot: true, Extra: vars("crawler_kind", "seo"),
	}},
	{`Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)`, Client{
		Name: "GPTBot", Version: "1.2", Class: Bot, Bot: true, Extra: vars("crawler_kind", "ai-crawler"),
	}},
	{`curl/7.68.0 (compatible; AhrefsBot/7.0)`, Client{
		Name: "AhrefsBot", Version: "7.0", Class: Bot, Bot: true, Extra: vars("crawler_kind", "seo"),
	}},
	{`Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0.0.0 Safari/537.36`, Client{
		Name: "HeadlessChrome", Version: "119.0.0.0", Class: Bot, Bot: true, Extra: vars("crawler_kind", "browser-automation"),
	}},
	{`SomeUnheardOfBot/0.3`, Client{Name: "SomeUnheardOfBot", Version: "0.3", Class: Bot, Bot: true}},
	{`Mozilla/5.0 (compatible; Unheard/1.0; +https://unheard.example/about)`, Client{Name: "Unheard", Version: "1.0", Class: Bot, Bot: true}},

	// Strangers.
	{`rocket-skates-updater/1.4.2 (linux; arm64)`, Client{Name: "rocket-skates-updater", Version: "1.4.2", Platform: "linux", Arch: "arm64"}},
	{`Skates/3 CFNetwork/1408.0.4 Darwin/22.5.0`, Client{Name: "Skates", Version: "3"}},
	{``, Client{}},
	{`-`, Client{}},
	{`Mozilla/5.0`, Client{}},
	{`() { :; }; /bin/bash -c "id"`, Client{}},
	{`dockerish/1.0`, Client{Name: "dockerish", Version: "1.0"}},
	{`curl-impersonate/0.5`, Client{Name: "curl-impersonate", Version: "0.5"}},
}

func vars(pairs ...string) []event.Variable {
	var v []event.Variable
	for i := 0; i < len(pairs); i += 2 {
		v = append(v, event.Variable{Name: pairs[i], Value: pairs[i+1]})
	}
	return v
}

func TestClientsAreRecognisedByWhatTheySend(t *testing.T) {
	r := New()
	for _, tt := range agents {
		for _, when := range []string{"first", "again"} { // computed, then remembered
			if got := r.Recognize(tt.agent); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", tt.want) {
				t.Errorf("%s: %q\n got %+v\nwant %+v", when, tt.agent, got, tt.want)
			}
		}
	}
}

func TestEveryRuleIsReachedByItsToken(t *testing.T) {
	ix := newIndex(rules)
	for i := range rules {
		r := &rules[i]
		s := r.token + "/1"
		if r.inside {
			s = "x/1 " + s
		}
		a := parse(s)
		got, _ := ix.find(&a)
		if r.inside {
			got, _ = ix.findInside(&a)
		}
		if got != r {
			t.Errorf("token %q is shadowed by %+v: a rule is there twice", r.token, got)
		}
		if len(wordOf(r.token)) >= maxWord || r.name == "" || r.class == "" || r.class == Browser || r.class == Bot {
			t.Errorf("rule %q is not whole", r.token)
		}
	}
}

func TestALongAgentIsReadUpToItsBound(t *testing.T) {
	r := New()
	long := "pip/24.0 " + strings.Repeat("x", 1<<20)
	if got := r.Recognize(long); got.Name != "pip" || got.Version != "24.0" {
		t.Errorf("got %+v", got)
	}
	for i := range r.cache.sets {
		for j := range r.cache.sets[i].ways {
			if e := r.cache.sets[i].ways[j].Load(); e != nil && len(e.agent) > maxAgent {
				t.Errorf("the cache keeps %d bytes of one string", len(e.agent))
			}
		}
	}
}

func TestTheCacheIsBoundedAndKeepsWhatComesAlways(t *testing.T) {
	c := newCache()
	c.put("always", Client{Name: "always"})
	for i := range 20 * cacheSets * cacheWays {
		if i%100 == 0 && c.get("always") == nil {
			t.Fatalf("a string asked for all the time was forgotten after %d others", i)
		}
		c.put(fmt.Sprint("once/", i), Client{})
	}
	n := 0
	for i := range c.sets {
		for j := range c.sets[i].ways {
			if c.sets[i].ways[j].Load() != nil {
				n++
			}
		}
	}
	if n > cacheSets*cacheWays {
		t.Errorf("%d entries", n)
	}
}

func TestManyGoroutinesGetTheSameAnswer(t *testing.T) {
	r := New()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				tt := agents[(i*7+g)%len(agents)]
				if got := r.Recognize(tt.agent); got.Name != tt.want.Name || got.Version != tt.want.Version {
					t.Errorf("%q: %+v", tt.agent, got)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestAHitAllocatesNothing(t *testing.T) {
	r := New()
	agent := agents[0].agent
	r.Recognize(agent)
	if n := testing.AllocsPerRun(100, func() { r.Recognize(agent) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCrawlersAreFoundAsByTheirPatterns(t *testing.T) {
	c := newCrawlers()
	if len(c.patterns) < 1000 {
		t.Fatalf("%d patterns", len(c.patterns))
	}
	if len(c.loose) > 5 {
		t.Errorf("%d patterns have no literal to look for and are always tried", len(c.loose))
	}
	for _, s := range []string{"Mozilla/5.0 (compatible; Googlebot/2.1)", "Pingdom.com_bot", "pingdom", "x sentry/1", "sentry/1", "asentry/1", "LCC x", "x LCC", "SISTRIX Crawler"} {
		want := -1
		for i, p := range c.patterns {
			if p.expr != nil && p.expr.MatchString(s) {
				want = i
				break
			}
			if p.expr == nil {
				for _, list := range c.byGram {
					for _, cand := range list {
						if cand.pattern == i && strings.Contains(s, cand.literal) {
							want = i
						}
					}
				}
				if want >= 0 {
					break
				}
			}
		}
		if got, _, _ := c.find(s); got != want {
			t.Errorf("%q: pattern %d, want %d", s, got, want)
		}
	}
}

func TestBrokenCrawlerDataIsAnError(t *testing.T) {
	for _, data := range []string{`{`, `{"patterns":[{"pattern":"("}]}`} {
		if _, err := parseCrawlers([]byte(data)); err == nil {
			t.Errorf("%s: no error", data)
		}
	}
}

func FuzzRecognize(f *testing.F) {
	for _, tt := range agents {
		f.Add(tt.agent)
	}
	r := New()
	f.Fuzz(func(t *testing.T, s string) {
		c := r.Recognize(s)
		if again := r.Recognize(s); fmt.Sprint(again) != fmt.Sprint(c) {
			t.Errorf("remembered %+v, first %+v", again, c)
		}
		if len(c.Name) > maxName || len(c.Version) > maxVersion {
			t.Errorf("%q is too long: %+v", s, c)
		}
		if c.Bot != (c.Class == Bot) {
			t.Errorf("%q: class %q, bot %v", s, c.Class, c.Bot)
		}
		for i, v := range c.Extra {
			if v.Value == "" || len(v.Value) > maxExtra || i > 0 && c.Extra[i-1].Name >= v.Name {
				t.Errorf("%q: extras %+v", s, c.Extra)
			}
		}
	})
}

func BenchmarkRecognize(b *testing.B) {
	r := New()
	for _, tt := range []struct{ name, agent string }{{"docker", agents[0].agent}, {"pip", agents[19].agent}, {"chrome", agents[len(agents)-22].agent}} {
		b.Run("hit/"+tt.name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r.Recognize(tt.agent)
				}
			})
		})
		b.Run("miss/"+tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.recognize(tt.agent)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New()
	}
}
