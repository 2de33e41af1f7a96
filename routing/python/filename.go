package python

import (
	"strings"

	"tallygate/cluster/catalog"
)

// distribution is what the name of a distribution file tells. Empty fields are
// unknown, or not told by files of its kind.
type distribution struct {
	kind    string // wheel, sdist, egg, installer; "" for a name of no known kind
	version string // as written, unnormalized (PEP 440 has many spellings)

	// Wheels only (PEP 427), each possibly a set joined by "." (PEP 425).
	build, python, abi, platform string
}

// The kinds of distribution files.
const (
	wheel     = "wheel"
	sdist     = "sdist"
	egg       = "egg"
	installer = "installer" // of old times: bdist_wininst, bdist_msi, bdist_rpm
)

// suffixes are the endings of distribution files, in lower case. PEP 625 leaves
// sdists .tar.gz alone; the others are still on indexes.
var suffixes = []struct{ suffix, kind string }{
	{".whl", wheel},
	{".tar.gz", sdist},
	{".zip", sdist},
	{".tar.bz2", sdist},
	{".tar.xz", sdist},
	{".tgz", sdist},
	{".tbz", sdist},
	{".tar.z", sdist},
	{".tar", sdist},
	{".egg", egg},
	{".exe", installer},
	{".msi", installer},
	{".rpm", installer},
	{".deb", installer},
	{".dmg", installer},
}

// parseFileName reads the name of a file of a project, which is given by its
// normalized name: where the version of an sdist begins can't be told without.
func parseFileName(name, project string) distribution {
	stem, kind := splitSuffix(name)
	switch kind {
	case wheel:
		return parseWheel(stem)
	case egg:
		// name-version[-pyX.Y[-platform]], names with "_" for "-".
		if parts := strings.SplitN(stem, "-", 3); len(parts) > 1 && plausibleVersion(parts[1]) {
			return distribution{kind: kind, version: parts[1]}
		}
		return distribution{kind: kind}
	case sdist, installer:
		return distribution{kind: kind, version: cutPlatform(versionAfter(stem, project))}
	}
	return distribution{}
}

// splitSuffix parts a file name into stem and kind; kind is "" if it isn't a
// distribution's.
func splitSuffix(name string) (stem, kind string) {
	for _, s := range suffixes {
		if n := len(name) - len(s.suffix); n > 0 && strings.EqualFold(name[n:], s.suffix) {
			return name[:n], s.kind
		}
	}
	return name, ""
}

// parseWheel reads name-version[-build]-python-abi-platform (PEP 427).
func parseWheel(stem string) distribution {
	parts := strings.Split(stem, "-")
	d := distribution{kind: wheel}
	switch {
	case len(parts) < 5 || len(parts) > 6 || !plausibleVersion(parts[1]):
		return d // not a wheel that an installer takes, but a file all the same
	case len(parts) == 6:
		if parts[2] == "" || parts[2][0] < '0' || parts[2][0] > '9' {
			return d
		}
		d.build = parts[2]
	}
	n := len(parts)
	d.version, d.python, d.abi, d.platform = parts[1], parts[n-3], parts[n-2], parts[n-1]
	return d
}

// versionAfter returns what follows the first "-" before which stands a
// spelling of project, as pip reads it. For a file that is named by another
// project: what follows the last "-" if it starts as a version does.
func versionAfter(stem, project string) string {
	last := -1
	for i := range len(stem) {
		if stem[i] != '-' {
			continue
		}
		if v := stem[i+1:]; plausibleVersion(v) && catalog.NormalizePythonProject(stem[:i]) == project {
			return v
		}
		last = i
	}
	if v := stem[last+1:]; last > 0 && plausibleVersion(v) {
		return v
	}
	return ""
}

// plausibleVersion says whether s may be a version by PEP 440: it starts with a
// digit, or with "v" and a digit.
func plausibleVersion(s string) bool {
	if len(s) > 1 && (s[0] == 'v' || s[0] == 'V') {
		s = s[1:]
	}
	return s != "" && s[0] >= '0' && s[0] <= '9'
}

// cutPlatform cuts what bdist_dumb and bdist_wininst write behind the version:
// "1.0.linux-x86_64", "1.0.win32-py2.7".
func cutPlatform(version string) string {
	for _, os := range []string{".linux-", ".macosx-", ".win32", ".win-", ".noarch", ".src", ".x86_64"} {
		if i := strings.Index(version, os); i > 0 {
			return version[:i]
		}
	}
	return version
}

// system returns the operating system and the architecture that a wheel is for,
// in the words of events; "" where it is for several or any.
func (d distribution) system() (platform, arch string) {
	for i, tag := range strings.Split(d.platform, ".") {
		p, a := systemOf(tag)
		if i == 0 {
			platform, arch = p, a
			continue
		}
		if p != platform {
			platform = ""
		}
		if a != arch {
			arch = ""
		}
	}
	return platform, arch
}

// systems are the starts of platform tags (PEP 425, 600, 656, 730, 738).
var systems = []struct{ prefix, platform string }{
	{"manylinux", "linux"},
	{"musllinux", "linux"},
	{"linux", "linux"},
	{"macosx", "macos"},
	{"win", "windows"},
	{"android", "android"},
	{"ios", "ios"},
	{"freebsd", "freebsd"},
	{"openbsd", "openbsd"},
	{"netbsd", "netbsd"},
}

// machines are the ends of platform tags, in Go's words. The fat binaries of
// macOS are missing, being for several.
var machines = []struct{ suffix, arch string }{
	{"_x86_64", "amd64"},
	{"_amd64", "amd64"},
	{"_x86_64_iphonesimulator", "amd64"},
	{"_aarch64", "arm64"},
	{"_arm64", "arm64"},
	{"_arm64_v8a", "arm64"},
	{"_arm64_iphoneos", "arm64"},
	{"_arm64_iphonesimulator", "arm64"},
	{"_i686", "386"},
	{"_i386", "386"},
	{"_x86", "386"},
	{"win32", "386"},
	{"_armv7l", "arm"},
	{"_armv6l", "arm"},
	{"_armeabi_v7a", "arm"},
	{"_arm32", "arm"},
	{"_ppc64le", "ppc64le"},
	{"_ppc64", "ppc64"},
	{"_s390x", "s390x"},
	{"_riscv64", "riscv64"},
	{"_loongarch64", "loong64"},
}

func systemOf(tag string) (platform, arch string) {
	for _, s := range systems {
		if strings.HasPrefix(tag, s.prefix) {
			platform = s.platform
			break
		}
	}
	if platform == "" {
		return "", ""
	}
	for _, m := range machines {
		if strings.HasSuffix(tag, m.suffix) {
			return platform, m.arch
		}
	}
	return platform, ""
}

// maxFileName bounds a file's name, in bytes: what file systems take.
const maxFileName = 255

// validFileName says whether an origin's file may be listed: a plain name of a
// distribution, that can't be taken for a path, markup or an option anywhere.
func validFileName(name string) bool {
	if len(name) > maxFileName || name == "" || !isAlnum(name[0]) && name[0] != '_' {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !isAlnum(c) && strings.IndexByte("-_.+!~@=", c) < 0 {
			return false
		}
	}
	_, kind := splitSuffix(name)
	return kind != "" && !strings.Contains(name, "..")
}
