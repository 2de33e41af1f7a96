package variables

import "strings"

// maxPlatform bounds a platform's name that nothing here knows, in bytes.
const maxPlatform = 64

// systems maps what file names, runtimes and tools call an operating system to
// the one name that reports use. Sources: the documented platform names of
// gateways of this kind (macos, darwin, linux, windows, ios, android, aix,
// freebsd, openbsd, sunos, unknownplatform, allplatforms), Go's GOOS, Node's
// os.platform(), Python's platform.system() and sys.platform, Rust's target
// triples, and release files' habits.
var systems = map[string]string{
	"linux": "linux", "linux2": "linux", "gnu": "linux", "musl": "linux", "linuxmusl": "linux",
	"manylinux": "linux", "musllinux": "linux", "alpine": "linux", "debian": "linux", "ubuntu": "linux",
	"fedora": "linux", "rhel": "linux", "centos": "linux", "deb": "linux", "rpm": "linux", "appimage": "linux",

	"macos": "macos", "darwin": "macos", "mac": "macos", "osx": "macos", "macosx": "macos", "macintosh": "macos",
	"apple": "macos", "mac os": "macos", "mac os x": "macos", "os x": "macos",

	"windows": "windows", "win": "windows", "win32": "windows", "win64": "windows", "winnt": "windows",
	"windows_nt": "windows", "mingw": "windows", "mingw32": "windows", "mingw64": "windows", "msys": "windows",
	"cygwin": "windows", "msvc": "windows", "pc-windows": "windows",

	"ios": "ios", "iphoneos": "ios", "iphone": "ios", "ipados": "ios",
	"android": "android",
	"freebsd": "freebsd", "openbsd": "openbsd", "netbsd": "netbsd", "dragonfly": "dragonfly",
	"sunos": "sunos", "solaris": "sunos", "illumos": "sunos",
	"aix": "aix", "plan9": "plan9", "haiku": "haiku", "fuchsia": "fuchsia",
	"js": "js", "wasi": "wasi", "wasip1": "wasi", "wasm": "wasm",

	"allplatforms": "all", "all": "all", "any": "all", "noarch": "all", "universal": "all",

	"unknownplatform": "", "unknown": "", "none": "", "null": "", "undefined": "", "n/a": "", "-": "",
}

// arches maps names of architectures to Go's spelling of them.
var arches = map[string]string{
	"amd64": "amd64", "x86_64": "amd64", "x64": "amd64", "x86-64": "amd64", "64bit": "amd64", "intel64": "amd64",
	"arm64": "arm64", "aarch64": "arm64", "arm64v8": "arm64", "armv8": "arm64",
	"386": "386", "i386": "386", "i486": "386", "i586": "386", "i686": "386", "x86": "386", "ia32": "386", "32bit": "386",
	"arm": "arm", "armv5": "arm", "armv6": "arm", "armv6l": "arm", "armv7": "arm", "armv7l": "arm", "armhf": "arm",
	"arm32v6": "arm", "arm32v7": "arm", "armv6hf": "arm", "armv7hf": "arm", "armel": "arm",
	"ppc64": "ppc64", "ppc64le": "ppc64le", "powerpc64": "ppc64", "powerpc64le": "ppc64le", "ppc64el": "ppc64le",
	"s390x": "s390x", "riscv64": "riscv64", "riscv64gc": "riscv64", "loong64": "loong64", "loongarch64": "loong64",
	"mips": "mips", "mipsle": "mipsle", "mipsel": "mipsle", "mips64": "mips64", "mips64le": "mips64le", "mips64el": "mips64le",
	"wasm32":     "wasm",
	"universal2": "all", "universal": "all", "noarch": "all",
}

// abis are parts of a platform's name that say neither system nor architecture.
var abis = map[string]bool{
	"pc": true, "unknown": true, "gnu": true, "musl": true, "gnueabihf": true, "musleabihf": true, "gnueabi": true,
	"eabihf": true, "msvc": true, "static": true, "apple": true, "v1": true, "v2": true, "v3": true, "v4": true,
	"v6": true, "v7": true, "v8": true, "glibc": true, "bit": true,
}

// NormalizePlatform splits a platform's name, as clients and file names spell
// it, into the operating system and the architecture that reports use:
// "Darwin" is macos; "linux-amd64", "win32-x64", "darwin_arm64", "linux/arm/v7"
// and "x86_64-unknown-linux-musl" name both. A name that is documented to mean
// unknown, or is empty, gives two empty strings. A name that nothing here knows
// is kept, in lower case and cut to 64 bytes, so that rare systems are counted
// rather than lost.
func NormalizePlatform(name string) (platform, arch string) {
	name = lower(strings.TrimSpace(name))
	if name == "" {
		return "", ""
	}
	if s, ok := systems[name]; ok {
		return s, ""
	}
	if a, ok := arches[name]; ok {
		return "", a
	}
	if s, a, ok := parts(name); ok {
		return s, a
	}
	return Cut(name, maxPlatform), ""
}

// NormalizeArch gives Go's spelling of an architecture's name; a name that
// nothing here knows is kept, in lower case and cut to 64 bytes.
func NormalizeArch(name string) string {
	name = lower(strings.TrimSpace(name))
	if a, ok := arches[name]; ok {
		return a
	}
	if s, ok := systems[name]; ok && s == "" {
		return ""
	}
	return Cut(name, maxPlatform)
}

// parts reads a name that is put together of a system, an architecture and
// perhaps an ABI. It fails when a part is none of these, for then the name is
// something else ("linux-for-workgroups").
func parts(name string) (platform, arch string, ok bool) {
	rest := name
	for rest != "" {
		// Architectures with a separator of their own come first.
		if a, after, found := compoundArch(rest); found {
			if arch == "" {
				arch = a
			}
			rest = after
			continue
		}
		part := rest
		if i := strings.IndexAny(rest, "-_/., "); i >= 0 {
			part, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		switch {
		case part == "":
		case abis[part]:
			// "linux-musl" names the system as well; "x86_64-gnu" hints at it.
			if platform == "" && (part == "musl" || part == "gnu") {
				platform = "linux"
			} else if platform == "" && part == "apple" {
				platform = "macos"
			}
		case isNumber(part):
			// Releases: manylinux_2_28, macosx_11_0. They name no system.
		default:
			if a, known := arches[part]; known {
				if arch == "" {
					arch = a
				}
				continue
			}
			s, known := systems[part]
			if !known {
				if s, known = systems[strings.TrimRight(part, "0123456789")]; !known {
					return "", "", false
				}
			}
			switch {
			case s == "":
			// A triple's vendor or libc is less than its system: apple-ios,
			// linux-android.
			case platform == "", s == "ios", s == "android":
				platform = s
			}
			if part == "win64" && arch == "" {
				arch = "amd64"
			}
		}
	}
	return platform, arch, platform != "" || arch != ""
}

// compoundArch takes an architecture that contains a separator off the front.
func compoundArch(s string) (arch, after string, ok bool) {
	for _, name := range [...]string{"x86_64", "x86-64"} {
		if rest, found := strings.CutPrefix(s, name); found {
			if rest == "" {
				return "amd64", "", true
			}
			if strings.IndexByte("-_/., ", rest[0]) >= 0 {
				return "amd64", rest[1:], true
			}
		}
	}
	return "", "", false
}

func isNumber(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	// 386 is an architecture.
	return s != "386"
}

// lower is strings.ToLower that leaves overlong text alone before it is cut.
func lower(s string) string {
	if len(s) > 4*maxPlatform {
		s = s[:4*maxPlatform]
	}
	return strings.ToLower(s)
}
