package variables

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"tallygate/routing/event"
)

func TestNormalizePlatform(t *testing.T) {
	tests := map[string][2]string{
		// The documented names.
		"macos": {"macos", ""}, "darwin": {"macos", ""}, "linux": {"linux", ""}, "windows": {"windows", ""},
		"ios": {"ios", ""}, "android": {"android", ""}, "aix": {"aix", ""}, "freebsd": {"freebsd", ""},
		"openbsd": {"openbsd", ""}, "sunos": {"sunos", ""}, "unknownplatform": {"", ""}, "allplatforms": {"all", ""},
		// Python's platform.system(), Node's os.platform(), sys.platform.
		"Linux": {"linux", ""}, "Darwin": {"macos", ""}, "Windows": {"windows", ""}, "win32": {"windows", ""},
		"linux2": {"linux", ""}, "cygwin": {"windows", ""}, "freebsd14": {"freebsd", ""},
		// What release files are called.
		"osx": {"macos", ""}, "mac": {"macos", ""}, "Mac OS X": {"macos", ""}, "win64": {"windows", ""},
		"linux-amd64": {"linux", "amd64"}, "linux-x86_64": {"linux", "amd64"}, "Linux_x86_64": {"linux", "amd64"},
		"linux-x64": {"linux", "amd64"}, "linux_arm64": {"linux", "arm64"}, "darwin_arm64": {"macos", "arm64"},
		"darwin-universal": {"macos", "all"}, "macos-aarch64": {"macos", "arm64"}, "win32-x64": {"windows", "amd64"},
		"windows-386": {"windows", "386"}, "linux/arm/v7": {"linux", "arm"}, "linux/arm64/v8": {"linux", "arm64"},
		"linux-armv7l": {"linux", "arm"}, "win32-ia32": {"windows", "386"}, "linux-musl-arm64": {"linux", "arm64"},
		"linux-arm64-musl": {"linux", "arm64"},
		// Rust's target triples.
		"x86_64-unknown-linux-musl": {"linux", "amd64"}, "aarch64-apple-darwin": {"macos", "arm64"},
		"x86_64-pc-windows-msvc": {"windows", "amd64"}, "aarch64-apple-ios": {"ios", "arm64"},
		"armv7-linux-androideabi": {"armv7-linux-androideabi", ""}, "aarch64-linux-android": {"android", "arm64"},
		"i686-pc-windows-gnu": {"windows", "386"}, "arm-unknown-linux-gnueabihf": {"linux", "arm"},
		"riscv64gc-unknown-linux-gnu": {"linux", "riscv64"},
		// Wheel tags.
		"manylinux_2_28_x86_64": {"linux", "amd64"}, "manylinux2014_aarch64": {"linux", "arm64"},
		"macosx_11_0_arm64": {"macos", "arm64"}, "macosx_10_9_universal2": {"macos", "all"}, "win_amd64": {"windows", "amd64"},
		"musllinux_1_2_x86_64": {"linux", "amd64"}, "any": {"all", ""},
		// An architecture alone, unknown names, nothing.
		"amd64": {"", "amd64"}, "x86_64": {"", "amd64"}, "esp32": {"esp32", ""}, "linux-for-workgroups": {"linux-for-workgroups", ""},
		" LINUX ": {"linux", ""}, "": {"", ""}, "unknown": {"", ""}, "null": {"", ""},
		strings.Repeat("Ä", 1000): {strings.Repeat("ä", 32), ""},
	}
	for name, want := range tests {
		if p, a := NormalizePlatform(name); p != want[0] || a != want[1] {
			t.Errorf("NormalizePlatform(%.60q) = %q, %q; want %q, %q", name, p, a, want[0], want[1])
		}
	}
}

func TestNormalizingIsIdempotent(t *testing.T) {
	for name := range systems {
		p, _ := NormalizePlatform(name)
		if again, _ := NormalizePlatform(p); again != p {
			t.Errorf("%q gives %q, which gives %q", name, p, again)
		}
	}
	for name, arch := range arches {
		if got := NormalizeArch(arch); got != arch {
			t.Errorf("%q gives %q, which gives %q", name, arch, got)
		}
	}
}

func TestFill(t *testing.T) {
	type columns struct{ page, version, platform, arch string }
	known := columns{platform: "linux", arch: "amd64"} // by the client
	tests := map[string]struct {
		vars      []event.Variable
		overrides map[string]string
		want      columns
	}{
		"no variables leave what is known": {want: known},
		"the default names": {
			vars: []event.Variable{{Name: "page", Value: "/docs"}, {Name: "platform", Value: "darwin_arm64"}, {Name: "version", Value: "1.10"}},
			want: columns{"/docs", "1.10", "macos", "arm64"},
		},
		"another platform than the client's drops the client's architecture": {
			vars: []event.Variable{{Name: "platform", Value: "windows"}},
			want: columns{platform: "windows"},
		},
		"the client's own platform keeps its architecture": {
			vars: []event.Variable{{Name: "platform", Value: "Linux"}},
			want: known,
		},
		"an unknown platform claims nothing": {
			vars: []event.Variable{{Name: "platform", Value: "unknownplatform"}},
			want: known,
		},
		"an empty value claims nothing": {
			vars: []event.Variable{{Name: "platform", Value: ""}, {Name: "version", Value: ""}},
			want: known,
		},
		"a custom name stands for a default variable": {
			vars:      []event.Variable{{Name: "os", Value: "osx"}, {Name: "release", Value: "7"}, {Name: "url", Value: "/a"}},
			overrides: map[string]string{"os": "platform", "release": "version", "url": "page"},
			want:      columns{"/a", "7", "macos", ""},
		},
		"an override outranks the default name": {
			vars:      []event.Variable{{Name: "release", Value: "7"}, {Name: "version", Value: "6"}},
			overrides: map[string]string{"release": "version"},
			want:      columns{version: "7", platform: "linux", arch: "amd64"},
		},
		"an override with an empty value does not": {
			vars:      []event.Variable{{Name: "release", Value: ""}, {Name: "version", Value: "6"}},
			overrides: map[string]string{"release": "version"},
			want:      columns{version: "6", platform: "linux", arch: "amd64"},
		},
		"of two overrides the first by name wins": {
			vars:      []event.Variable{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}},
			overrides: map[string]string{"a": "version", "b": "version"},
			want:      columns{version: "1", platform: "linux", arch: "amd64"},
		},
		"Page is page, as pixels write it": {
			vars: []event.Variable{{Name: "Page", Value: "/docs"}},
			want: columns{page: "/docs", platform: "linux", arch: "amd64"},
		},
		"arch is an architecture": {
			vars: []event.Variable{{Name: "arch", Value: "aarch64"}},
			want: columns{platform: "linux", arch: "arm64"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := &event.Event{Platform: "linux", Arch: "amd64", Variables: tt.vars}
			Fill(e, tt.overrides)
			if got := (columns{e.Page, e.Version, e.Platform, e.Arch}); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestSet(t *testing.T) {
	var s Set
	s.Add("b", "1")
	s.Add("a", "2")
	s.Add("b", "3")
	s.Add("", "4")
	s.Add("c", "")
	got := s.List()
	want := []event.Variable{{Name: "a", Value: "2"}, {Name: "b", Value: "1"}, {Name: "c", Value: ""}}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if len(s.List()) != 0 {
		t.Error("the set gave its list away and kept it")
	}
}

func TestASetStaysWithinItsBounds(t *testing.T) {
	var s Set
	for i := range 10 * MaxCount {
		s.Add("n"+strconv.Itoa(i), strings.Repeat("v", 10))
	}
	if s.Dropped() != 9*MaxCount {
		t.Errorf("dropped %d", s.Dropped())
	}
	if n := len(s.List()); n != MaxCount {
		t.Errorf("%d variables", n)
	}
	for i := range 100 {
		s.Add("n"+strconv.Itoa(i), strings.Repeat("v", 2*MaxValue))
	}
	s.Add(strings.Repeat("n", MaxName+1), "")
	total := 0
	for _, v := range s.List() {
		total += len(v.Name) + len(v.Value)
	}
	if total > MaxBytes {
		t.Errorf("%d bytes", total)
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "abc"},
		{"aé", 2, "a"},
		{"é", 1, ""},
		{"a\xffb", 9, "a\uFFFDb"},
		{"\x80\x80\x80", 2, "\uFFFD"},
	} {
		got := Cut(tt.in, tt.n)
		if !utf8.ValidString(got) {
			t.Errorf("Cut(%q, %d) = %q: not UTF-8", tt.in, tt.n, got)
		}
		if got != tt.want && tt.in[0] < 0x80 {
			t.Errorf("Cut(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
	s := strings.Repeat("a", 100)
	if n := testing.AllocsPerRun(100, func() { Cut(s, 100) }); n != 0 {
		t.Errorf("text that is fine costs %v allocations", n)
	}
}

func FuzzNormalizePlatform(f *testing.F) {
	for name := range systems {
		f.Add(name + "-x86_64")
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, a := NormalizePlatform(s)
		if len(p) > maxPlatform+3 || len(a) > maxPlatform || !utf8.ValidString(p) || !utf8.ValidString(a) {
			t.Errorf("NormalizePlatform(%q) = %q, %q", s, p, a)
		}
	})
}
