package python

import (
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

func manyLinks(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<a href="rocket_skates-1.%d.tar.gz">x</a>`, i)
	}
	return b.String()
}

func TestNamesAreNormalizedAsPEP503Says(t *testing.T) {
	for in, want := range map[string]string{
		"skates": "skates", "Skates": "skates", "rocket_skates": "rocket-skates", "rocket.-_skates": "rocket-skates",
		"rocket-skates": "rocket-skates", "rocket--skates": "rocket-skates", "A": "a", "3to2": "3to2",
		"": "", "-a": "", "a-": "", "a b": "", "a/b": "", "é": "", "a\x00b": "", strings.Repeat("a", 256): "",
	} {
		got, ok := normalized(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", in, got, ok, want)
		}
	}
}

func TestFileNamesTellVersionAndTags(t *testing.T) {
	for _, tt := range []struct {
		name, project  string
		want           distribution
		platform, arch string
	}{
		{"six-1.16.0-py2.py3-none-any.whl", "six", distribution{kind: wheel, version: "1.16.0", python: "py2.py3", abi: "none", platform: "any"}, "", ""},
		{"numpy-1.26.4-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "numpy", distribution{kind: wheel, version: "1.26.4", python: "cp312", abi: "cp312", platform: "manylinux_2_17_x86_64.manylinux2014_x86_64"}, "linux", "amd64"},
		{"numpy-1.26.4-cp312-cp312-musllinux_1_1_aarch64.whl", "numpy", distribution{kind: wheel, version: "1.26.4", python: "cp312", abi: "cp312", platform: "musllinux_1_1_aarch64"}, "linux", "arm64"},
		{"numpy-1.26.4-cp312-cp312-macosx_11_0_arm64.whl", "numpy", distribution{kind: wheel, version: "1.26.4", python: "cp312", abi: "cp312", platform: "macosx_11_0_arm64"}, "macos", "arm64"},
		{"x-1-cp39-abi3-macosx_10_9_universal2.whl", "x", distribution{kind: wheel, version: "1", python: "cp39", abi: "abi3", platform: "macosx_10_9_universal2"}, "macos", ""},
		{"x-1-cp39-abi3-macosx_10_9_x86_64.macosx_11_0_arm64.whl", "x", distribution{kind: wheel, version: "1", python: "cp39", abi: "abi3", platform: "macosx_10_9_x86_64.macosx_11_0_arm64"}, "macos", ""},
		{"x-1-cp39-cp39-win_amd64.whl", "x", distribution{kind: wheel, version: "1", python: "cp39", abi: "cp39", platform: "win_amd64"}, "windows", "amd64"},
		{"x-1-cp39-cp39-win32.whl", "x", distribution{kind: wheel, version: "1", python: "cp39", abi: "cp39", platform: "win32"}, "windows", "386"},
		{"x-1-cp313-cp313-ios_13_0_arm64_iphoneos.whl", "x", distribution{kind: wheel, version: "1", python: "cp313", abi: "cp313", platform: "ios_13_0_arm64_iphoneos"}, "ios", "arm64"},
		{"x-1-cp313-cp313-android_21_arm64_v8a.whl", "x", distribution{kind: wheel, version: "1", python: "cp313", abi: "cp313", platform: "android_21_arm64_v8a"}, "android", "arm64"},
		{"torch-2.0.0+cu118-cp311-cp311-linux_x86_64.whl", "torch", distribution{kind: wheel, version: "2.0.0+cu118", python: "cp311", abi: "cp311", platform: "linux_x86_64"}, "linux", "amd64"},
		{"x-1.0-2local-py3-none-any.whl", "x", distribution{kind: wheel, version: "1.0", build: "2local", python: "py3", abi: "none", platform: "any"}, "", ""},
		{"x-1.0-local-py3-none-any.whl", "x", distribution{kind: wheel}, "", ""},
		{"broken.whl", "broken", distribution{kind: wheel}, "", ""},
		{"rocket_skates-1.0.tar.gz", "rocket-skates", distribution{kind: sdist, version: "1.0"}, "", ""},
		{"Rocket-Skates-1.0rc1.post2.zip", "rocket-skates", distribution{kind: sdist, version: "1.0rc1.post2"}, "", ""},
		{"foo-2-1.0.tar.gz", "foo-2", distribution{kind: sdist, version: "1.0"}, "", ""},
		{"foo-2-1.0.tar.gz", "foo", distribution{kind: sdist, version: "2-1.0"}, "", ""},
		{"other-1.0.tar.bz2", "foo", distribution{kind: sdist, version: "1.0"}, "", ""},
		{"foo-v1.0.tgz", "foo", distribution{kind: sdist, version: "v1.0"}, "", ""},
		{"foo-1!2.0.tar.xz", "foo", distribution{kind: sdist, version: "1!2.0"}, "", ""},
		{"foo.tar.gz", "foo", distribution{kind: sdist}, "", ""},
		{"foo-latest.tar.gz", "foo", distribution{kind: sdist}, "", ""},
		{"foo-1.0.linux-x86_64.tar.gz", "foo", distribution{kind: sdist, version: "1.0"}, "", ""},
		{"foo-1.0-py2.7-win32.egg", "foo", distribution{kind: egg, version: "1.0"}, "", ""},
		{"foo-1.0.win32-py2.7.exe", "foo", distribution{kind: installer, version: "1.0"}, "", ""},
		{"foo-1.0.win-amd64-py2.7.msi", "foo", distribution{kind: installer, version: "1.0"}, "", ""},
		{"foo-1.0-1.noarch.rpm", "foo", distribution{kind: installer, version: "1.0-1"}, "", ""},
		{"foo-1.0.txt", "foo", distribution{}, "", ""},
		{".whl", "foo", distribution{}, "", ""},
	} {
		got := parseFileName(tt.name, tt.project)
		if got != tt.want {
			t.Errorf("%s of %s:\n got %+v\nwant %+v", tt.name, tt.project, got, tt.want)
		}
		if p, a := got.system(); p != tt.platform || a != tt.arch {
			t.Errorf("%s is for %q, %q; want %q, %q", tt.name, p, a, tt.platform, tt.arch)
		}
	}
}

func TestAcceptChoosesAFormat(t *testing.T) {
	const (
		j = "application/vnd.pypi.simple.v1+json"
		h = "application/vnd.pypi.simple.v1+html"
	)
	for _, tt := range []struct {
		name   string
		accept []string
		want   format
	}{
		{"nothing said", nil, legacyHTML},
		{"an empty line", []string{""}, legacyHTML},
		{"anything", []string{"*/*"}, legacyHTML},
		{"Java's anything", []string{"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}, legacyHTML},
		{"pip", []string{j + ", " + h + "; q=0.1, text/html; q=0.01"}, jsonV1},
		{"uv", []string{j + ", " + h + ";q=0.2, text/html;q=0.01"}, jsonV1},
		{"pip of old", []string{"text/html"}, legacyHTML},
		{"a browser", []string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, legacyHTML},
		{"JSON alone", []string{j}, jsonV1},
		{"the newest JSON", []string{"application/vnd.pypi.simple.latest+json"}, jsonV1},
		{"the newest HTML", []string{"application/vnd.pypi.simple.latest+html"}, htmlV1},
		{"an unknown version before one we have", []string{"application/vnd.pypi.simple.v2+json, " + h + ";q=0.5"}, htmlV1},
		{"letters of any case", []string{strings.ToUpper(j)}, jsonV1},
		{"several lines", []string{"text/html;q=0.1", j + ";q=0.9"}, jsonV1},
		{"all alike", []string{"text/html, " + h + ", " + j}, jsonV1},
		{"any of a type", []string{"application/*"}, jsonV1},
		{"any text", []string{"text/*"}, legacyHTML},
		{"anything but JSON", []string{"*/*, " + j + ";q=0"}, legacyHTML},
		{"anything but HTML", []string{"*/*, text/html;q=0, " + h + ";q=0"}, jsonV1},
		{"a name before anything, alike", []string{"*/*, " + j}, jsonV1},
		{"nothing that we have", []string{"application/json"}, noFormat},
		{"JSON refused", []string{j + ";q=0"}, noFormat},
		{"a broken weight", []string{j + ";q=x"}, noFormat},
		{"a weight out of bounds", []string{j + ";q=2"}, noFormat},
		{"other parameters", []string{"text/html;level=1;q=0.5"}, legacyHTML},
		{"blanks and empty items", []string{" , ," + j + " ; q=1.0 ,"}, jsonV1},
	} {
		if got := negotiate(tt.accept); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestAnHTMLPageIsReadAsInstallersReadIt(t *testing.T) {
	const page = `<!DOCTYPE html><html><head>
<meta name="pypi:repository-version" content="1.1">
<meta name="pypi:project-status" content="deprecated">
<base href="/pool/"><base href="/ignored/">
</head><body>
<a href="x-1.0.tar.gz#sha256=` + sum + `&amp;egg=x" data-requires-python="&gt;=3.8">x-1.0.tar.gz</a>
<A HREF='https://files.example/x-1.1-py3-none-any.whl' data-yanked data-core-metadata="sha256=` + sum2 + `" data-gpg-sig=true>x-1.1-py3-none-any.whl</A>
<a href="x-1.2.zip" data-yanked="broken" data-dist-info-metadata="true" data-core-metadata="false">
<a href="/download?id=7">x-1.3.tar.gz</a>
<a href="x-1.0.tar.gz">twice</a>
</body>`
	got, err := parseHTML([]byte(page), mustURL("https://index.example/simple/x/"), "x")
	if err != nil {
		t.Fatal(err)
	}
	want := []file{
		{name: "x-1.0.tar.gz", url: "https://index.example/pool/x-1.0.tar.gz", host: "index.example", hashes: []hash{{"sha256", sum}}, requiresPython: ">=3.8", size: -1, dist: distribution{kind: sdist, version: "1.0"}},
		{name: "x-1.1-py3-none-any.whl", url: "https://files.example/x-1.1-py3-none-any.whl", host: "files.example", yanked: true, gpgSig: new(true), metadata: true, metadataHashes: []hash{{"sha256", sum2}}, size: -1, dist: distribution{kind: wheel, version: "1.1", python: "py3", abi: "none", platform: "any"}},
		{name: "x-1.2.zip", url: "https://index.example/pool/x-1.2.zip", host: "index.example", yanked: true, yankedReason: "broken", size: -1, dist: distribution{kind: sdist, version: "1.2"}},
		{name: "x-1.3.tar.gz", url: "https://index.example/download?id=7", host: "index.example", size: -1, dist: distribution{kind: sdist, version: "1.3"}},
	}
	if !reflect.DeepEqual(got.files, want) {
		t.Errorf("got %+v\nwant %+v", got.files, want)
	}
	if got.minor != 1 || got.status.Status != "deprecated" {
		t.Errorf("version 1.%d, status %+v", got.minor, got.status)
	}
}

// hostile links, and names that a page might give them.
var hostile = []struct{ name, href, text string }{
	{"a script", "javascript:alert(1)//x-1.0.tar.gz", "x-1.0.tar.gz"},
	{"a script with a blank in front", " \tjavascript:alert(1)", "x-1.0.tar.gz"},
	{"data", "data:text/plain,x-1.0.tar.gz", "x-1.0.tar.gz"},
	{"a file of ours", "file:///etc/x-1.0.tar.gz", "x-1.0.tar.gz"},
	{"another scheme", "ftp://files.example/x-1.0.tar.gz", "x-1.0.tar.gz"},
	{"a version control system", "git+https://files.example/x-1.0.tar.gz", "x-1.0.tar.gz"},
	{"credentials", "https://user:word@files.example/x-1.0.tar.gz", "x-1.0.tar.gz"},
	{"no host", "https:///x-1.0.tar.gz", "x-1.0.tar.gz"},
	{"a parent as its name", "/a/b", "../../x-1.0.tar.gz"},
	{"an escaped slash in its name", "/a/..%2f..%2fx.tar.gz", "x.tar.gz/../y.tar.gz"},
	{"dots in its name", "/a/..x..tar.gz", "..tar.gz"},
	{"markup in its name", "/a/b", "<b>x-1.0.tar.gz"},
	{"a line feed in its name", "/a/x-1.0%0a.tar.gz", "x-1.0\n.tar.gz"},
	{"an option as its name", "/a/-r.tar.gz", "-r.tar.gz"},
	{"a name that is too long", "/a/" + strings.Repeat("x", 300) + ".tar.gz", ""},
	{"a URL that is too long", "/a/" + strings.Repeat("x", 5000) + "/x-1.0.tar.gz", ""},
	{"a control character", "https://files.example/\x00x-1.0.tar.gz", "x-1.0.tar.gz"},
	{"nothing", "", "x-1.0.tar.gz"},
	{"a page", "../", "Parent Directory"},
	{"a sort order", "?C=M;O=A", "Last modified"},
	{"a signature", "x-1.0.tar.gz.asc", "x-1.0.tar.gz.asc"},
}

func TestHostileLinksAreLeftOut(t *testing.T) {
	base := mustURL("https://index.example/simple/x/")
	for _, tt := range hostile {
		if f, ok := newFile(base, tt.href, tt.text, "x"); ok {
			t.Errorf("%s is listed: %+v", tt.name, f)
		}
	}
}

func TestOddJSONPagesAreReadOrRefused(t *testing.T) {
	base := mustURL("https://index.example/simple/x/")
	for _, tt := range []struct {
		name, json string
		files      int // negative: refused
	}{
		{"no JSON", `<html>`, -1},
		{"no files", `{"meta":{"api-version":"1.0"}}`, -1},
		{"no version", `{"files":[]}`, -1},
		{"another major version", `{"meta":{"api-version":"2.0"},"files":[]}`, -1},
		{"an empty page", `{"meta":{"api-version":"1.0"},"files":[]}`, 0},
		{"nulls", `{"meta":{"api-version":"1.0"},"versions":null,"files":[{"filename":"x-1.zip","url":"x-1.zip","hashes":null,"requires-python":null,"yanked":null,"core-metadata":null,"dist-info-metadata":null,"gpg-sig":null,"size":null,"upload-time":null,"provenance":null}]}`, 1},
		{"a file without a URL", `{"meta":{"api-version":"1.0"},"files":[{"filename":"x-1.zip"}]}`, 0},
		{"a wrong type", `{"meta":{"api-version":"1.0"},"files":[{"filename":7}]}`, -1},
		{"a yanked list", `{"meta":{"api-version":"1.0"},"files":[{"filename":"x-1.zip","url":"x-1.zip","yanked":[]}]}`, -1},
	} {
		p, err := parseJSON([]byte(tt.json), base, "x")
		switch {
		case tt.files < 0 && err == nil:
			t.Errorf("%s is read", tt.name)
		case tt.files >= 0 && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case err == nil && len(p.files) != tt.files:
			t.Errorf("%s: %d files", tt.name, len(p.files))
		}
	}
}

func TestMetadataGoesByItsNewNameFirst(t *testing.T) {
	for in, want := range map[string]bool{
		`"core-metadata":true`:                              true,
		`"core-metadata":false,"dist-info-metadata":true`:   false,
		`"dist-info-metadata":true`:                         true,
		`"core-metadata":{}`:                                true,
		`"core-metadata":null,"dist-info-metadata":{}`:      true,
		`"core-metadata":{"sha256":"x"},"gpg-sig":false`:    true,
		`"requires-python":">=3","dist-info-metadata":null`: false,
	} {
		p, err := parseJSON([]byte(`{"meta":{"api-version":"1.0"},"files":[{"filename":"x-1.zip","url":"x-1.zip",`+in+`}]}`), mustURL("https://i.example/"), "x")
		if err != nil || len(p.files) != 1 || p.files[0].metadata != want {
			t.Errorf("%s: %+v, %v", in, p, err)
		}
	}
}

func FuzzNormalized(f *testing.F) {
	for _, s := range []string{"a", "A_b", "a--b", "-", "a.", "é"} {
		f.Add(s)
	}
	valid := regexp.MustCompile(`\A(?i)([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\z`) // PEP 508
	runs := regexp.MustCompile(`[-_.]+`)                                           // PEP 503
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := normalized(s)
		if ok != (len(s) <= maxName && valid.MatchString(s) && isASCII(s)) {
			t.Fatalf("%q: %v", s, ok)
		}
		if !ok {
			return
		}
		if want := strings.ToLower(runs.ReplaceAllString(s, "-")); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
		if again, _ := normalized(got); again != got {
			t.Errorf("%q is not its own normal form: %q", got, again)
		}
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

func FuzzParseFileName(f *testing.F) {
	f.Add("x-1.0-1-py3-none-any.whl", "x")
	f.Add("rocket_skates-1.0.tar.gz", "rocket-skates")
	f.Add("x-1.win32.exe", "x")
	f.Fuzz(func(t *testing.T, name, project string) {
		d := parseFileName(name, project)
		d.system()
		for _, part := range []string{d.version, d.build, d.python, d.abi, d.platform} {
			if !strings.Contains(name, part) {
				t.Errorf("%q is not in %q", part, name)
			}
		}
		if d.kind == "" && d.version != "" {
			t.Errorf("%q is no distribution, but has version %q", name, d.version)
		}
	})
}

func FuzzParseHTML(f *testing.F) {
	f.Add(`<base href="//h/"><a href="x-1.0.tar.gz#sha256=`+sum+`" data-yanked data-core-metadata>x</a>`, "https://i.example/simple/x/")
	for _, tt := range hostile {
		f.Add(`<a href="`+tt.href+`">`+tt.text+`</a>`, "https://i.example/simple/x/")
	}
	f.Fuzz(func(t *testing.T, data, base string) {
		u, err := url.Parse(base)
		if err != nil {
			return
		}
		p, err := parseHTML([]byte(data), u, "x")
		if err == nil {
			checkPage(t, p)
		}
	})
}

func FuzzParseJSON(f *testing.F) {
	f.Add(skates)
	f.Add(`{"meta":{"api-version":"1.0"},"files":[{"filename":"x-1.zip","url":"x-1.zip","yanked":"no","core-metadata":{}}]}`)
	f.Fuzz(func(t *testing.T, data string) {
		p, err := parseJSON([]byte(data), mustURL("https://i.example/simple/x/"), "x")
		if err == nil {
			checkPage(t, p)
		}
	})
}

// checkPage checks what must hold of any page, and that our own page reads as it.
func checkPage(t *testing.T, p *page) {
	seen := map[string]bool{}
	for _, f := range p.files {
		if !validFileName(f.name) || seen[f.name] {
			t.Errorf("name %q", f.name)
		}
		seen[f.name] = true
		u, err := url.Parse(f.url)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(f.url, " \r\n\x00#") {
			t.Errorf("URL %q", f.url)
		}
	}
	v := newView(p, skatesProject(), "h.example")
	base := mustURL("https://gateway.example/simple/rocket-skates/")
	fromHTML, err := parseHTML(renderHTML(v), base, "rocket-skates")
	if err != nil {
		t.Fatal(err)
	}
	fromJSON, err := parseJSON(renderJSON(v), base, "rocket-skates")
	if err != nil {
		t.Fatal(err)
	}
	if len(fromHTML.files) != len(p.files) || len(fromJSON.files) != len(p.files) {
		t.Fatalf("%d files, %d as HTML, %d as JSON", len(p.files), len(fromHTML.files), len(fromJSON.files))
	}
	for i, want := range p.files {
		for _, got := range []file{fromHTML.files[i], fromJSON.files[i]} {
			if got.name != want.name || got.url != "https://gateway.example"+link("rocket-skates", want.name) ||
				got.requiresPython != want.requiresPython || got.yanked != want.yanked || got.yankedReason != want.yankedReason ||
				got.metadata != want.metadata || best(got.hashes) != best(want.hashes) || !reflect.DeepEqual(got.gpgSig, want.gpgSig) {
				t.Errorf("served %+v\nof %+v", got, want)
			}
		}
	}
}

func FuzzNegotiate(f *testing.F) {
	f.Add("application/vnd.pypi.simple.v1+json, text/html;q=0.1")
	f.Add("*/*;q=0.1, *;q=2")
	f.Fuzz(func(t *testing.T, accept string) {
		got := negotiate([]string{accept})
		lower := strings.ToLower(accept)
		if got == jsonV1 && !strings.Contains(lower, "+json") && !strings.Contains(lower, "*") {
			t.Errorf("%q gets JSON unasked", accept)
		}
		if got > legacyHTML {
			t.Errorf("format %d", got)
		}
	})
}
