package client

import "strings"

// platforms maps words found in User-Agents to operating systems. A
// distribution's name tells its kernel.
var platforms = map[string]string{
	"linux": "linux", "debian": "linux", "ubuntu": "linux", "fedora": "linux", "centos": "linux",
	"rhel": "linux", "redhat": "linux", "rocky": "linux", "almalinux": "linux", "alpine": "linux",
	"opensuse": "linux", "suse": "linux", "sles": "linux", "raspbian": "linux", "amzn": "linux",
	"darwin": "macos", "mac": "macos", "macos": "macos", "macosx": "macos", "macintosh": "macos", "osx": "macos",
	"windows": "windows", "win32": "windows", "win64": "windows", "win": "windows", "winnt": "windows",
	"mingw32": "windows", "mingw64": "windows", "cygwin": "windows", "msys": "windows",
	"freebsd": "freebsd", "openbsd": "openbsd", "netbsd": "netbsd", "dragonfly": "dragonfly",
	"android": "android", "ios": "ios", "iphone": "ios", "ipad": "ios", "ipados": "ios",
	"sunos": "solaris", "solaris": "solaris", "illumos": "illumos", "aix": "aix", "cros": "chromeos", "chromeos": "chromeos",
}

// arches maps words found in User-Agents to Go's names of architectures.
var arches = map[string]string{
	"amd64": "amd64", "x86_64": "amd64", "x64": "amd64",
	"arm64": "arm64", "aarch64": "arm64", "armv8": "arm64", "armv8l": "arm64", "arm64v8": "arm64", "arm64e": "arm64",
	"386": "386", "i386": "386", "i486": "386", "i586": "386", "i686": "386", "x86": "386", "ia32": "386",
	"arm": "arm", "armhf": "arm", "armv6": "arm", "armv6l": "arm", "armv7": "arm", "armv7l": "arm", "armhfp": "arm", "armv5tel": "arm",
	"ppc64le": "ppc64le", "ppc64el": "ppc64le", "powerpc64le": "ppc64le", "ppc64": "ppc64", "s390x": "s390x",
	"riscv64": "riscv64", "loong64": "loong64", "loongarch64": "loong64",
	"mips": "mips", "mipsel": "mipsle", "mips64": "mips64", "mips64el": "mips64le", "sparc64": "sparc64",
}

// platformOf returns the operating system that a word names, or "".
func platformOf(word string) string { return lookUp(platforms, word) }

// archOf returns the architecture that a word names, in Go's spelling, or "".
func archOf(word string) string { return lookUp(arches, word) }

// lookUp finds a word in any case.
func lookUp(words map[string]string, word string) string {
	const longest = 16 // bytes; no word of the tables is longer
	if len(word) > longest {
		return ""
	}
	var lower [longest]byte
	for i := range len(word) {
		c := word[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	return words[string(lower[:len(word)])]
}

// scan fills in the platform and the architecture that c lacks from the words
// of s; the first of each wins.
func scan(c *Client, s string) {
	for s != "" && (c.Platform == "" || c.Arch == "") {
		end := strings.IndexFunc(s, func(r rune) bool {
			return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_'
		})
		word := s
		if end >= 0 {
			word, s = s[:end], s[end+1:]
		} else {
			s = ""
		}
		if strings.EqualFold(word, "x86") && strings.HasPrefix(s, "64") {
			word = "x86_64" // written "x86-64"
		}
		// "Linux" names the kernel of Android too: the more special word wins.
		if p := platformOf(word); p != "" && (c.Platform == "" || c.Platform == "linux" && p == "android") {
			c.Platform = p
		}
		if c.Arch == "" {
			c.Arch = archOf(word)
		}
	}
}
