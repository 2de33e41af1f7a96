package catalog

import (
	"slices"
	"strings"
	"unique"
)

// PythonProject is one project of a package index (PEP 503).
type PythonProject struct {
	Project string `json:"project"` // normalized by PEP 503

	// RepositoryURL is the simple index of the origin, with a trailing slash.
	// The project's page is at RepositoryURL + Project + "/". Empty: only Files.
	RepositoryURL   string       `json:"repository_url,omitempty"`
	FailoverIndexes []string     `json:"failover_indexes,omitempty"`
	Files           []PythonFile `json:"files,omitempty"`
	PlainHTTP       bool         `json:"plain_http,omitempty"` // RepositoryURL may be http; only operators may set it
}

// PythonFile is one distribution file named by hand rather than found on the
// origin's index page.
type PythonFile struct {
	FileName       string `json:"file_name"`
	Version        string `json:"version"`
	URL            string `json:"url"`
	HashType       string `json:"hash_type,omitempty"` // as in the fragment of a simple index: "sha256"
	Hash           string `json:"hash,omitempty"`      // hex
	GPGSig         *bool  `json:"gpg_sig,omitempty"`
	RequiresPython string `json:"requires_python,omitempty"`
	Domain         string `json:"domain,omitempty"` // one of the package's domains; empty: all
}

// NormalizePythonProject gives the name by which a project is found in an index
// (PEP 503): lower case, each run of "-", "_" and "." a single "-".
func NormalizePythonProject(name string) string {
	var b strings.Builder
	separated := false
	for _, r := range strings.ToLower(name) {
		if r == '-' || r == '_' || r == '.' {
			separated = true
			continue
		}
		if separated {
			b.WriteByte('-')
			separated = false
		}
		b.WriteRune(r)
	}
	if separated {
		b.WriteByte('-')
	}
	return b.String()
}

// isPythonProject checks a name by PEP 508: ASCII letters and digits, with ".",
// "_" and "-" inside.
func isPythonProject(s string) bool {
	return s != "" && isAlphanumeric(s[0]) && isAlphanumeric(s[len(s)-1]) &&
		!strings.ContainsFunc(s, func(r rune) bool {
			return r >= 0x80 || !isAlphanumeric(byte(r)) && !strings.ContainsRune("._-", r)
		})
}

// checked checks the project and gives a copy to keep.
func (p *PythonProject) checked(c *checker, pkg, before *Package) *PythonProject {
	project := *p
	switch normal := NormalizePythonProject(p.Project); {
	case len(p.Project) > MaxNameBytes || !isPythonProject(p.Project):
		c.fail("index.project", CodeInvalidPythonProject,
			"%s is not a project's name; use letters and digits, with \".\", \"_\" and \"-\" inside (PEP 508)", quoted(p.Project))
	case normal != p.Project:
		c.fail("index.project", CodeInvalidPythonProject, "must be normalized (PEP 503): write %s", quoted(normal))
	case p.Project == pkg.Name:
		project.Project = pkg.Name // one string in memory
	}

	wasPlain := before != nil && before.Index != nil && before.Index.PlainHTTP
	c.operatorOnly("index.plain_http", p.PlainHTTP && !wasPlain)
	if p.RepositoryURL != "" {
		project.RepositoryURL = c.indexURL("index.repository_url", p.RepositoryURL, p.PlainHTTP)
	} else if len(p.Files) == 0 {
		c.fail("index.repository_url", CodeRepositoryURLInvalid, "must be the simple index of the origin, such as https://pypi.org/simple/, unless files are listed")
	}
	if c.count("index.failover_indexes", len(p.FailoverIndexes), MaxFailovers) {
		project.FailoverIndexes = slices.Clone(p.FailoverIndexes)
		for i, u := range p.FailoverIndexes {
			project.FailoverIndexes[i] = c.indexURL(at("index.failover_indexes", i, ""), u, p.PlainHTTP)
		}
	}
	if p.RepositoryURL == "" && len(p.FailoverIndexes) > 0 {
		c.fail("index.failover_indexes", CodeRepositoryURLInvalid, "there is no repository_url to fail over from")
	}

	if c.count("index.files", len(p.Files), MaxPythonFiles) {
		project.Files = slices.Clone(p.Files)
		type place struct{ domain, name string }
		seen := make(map[place]bool)
		for i := range project.Files {
			f := &project.Files[i]
			f.Domain = pkg.onDomain(c, at("index.files", i, "domain"), f.Domain)
			f.check(c, i)
			if seen[place{f.Domain, f.FileName}] {
				c.fail(at("index.files", i, "file_name"), CodeDuplicate, "%s is listed twice", quoted(f.FileName))
			}
			seen[place{f.Domain, f.FileName}] = true
		}
	}
	return &project
}

// indexURL checks the URL of a simple index.
func (c *checker) indexURL(field, s string, plainHTTP bool) string {
	if !c.text(field, s, MaxURLBytes) {
		return s
	}
	if err := checkURL(s, "https", "http"); err != nil {
		c.fail(field, CodeRepositoryURLInvalid, "%s; write it like https://pypi.org/simple/", err)
		return s
	}
	if !plainHTTP && !strings.HasPrefix(strings.ToLower(s), "https:") {
		c.fail(field, CodeRepositoryURLNotHTTPS, "must begin with https://, unless an operator allows plain http")
	}
	if strings.ContainsAny(s, "?#{}") {
		c.fail(field, CodeRepositoryURLInvalid, "must not have a query, a fragment or variables")
	} else if !strings.HasSuffix(s, "/") {
		c.fail(field, CodeRepositoryURLNoTrailing, "must end with \"/\": write %s/", printable(s))
	}
	return unique.Make(s).Value() // most projects are on a few indexes
}

// hashBytes are the lengths of the hashes of hashlib that an index may name.
var hashBytes = map[string]int{
	"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64,
	"sha3_224": 28, "sha3_256": 32, "sha3_384": 48, "sha3_512": 64, "blake2b": 64, "blake2s": 32,
}

func (f *PythonFile) check(c *checker, i int) {
	field := func(name string) string { return at("index.files", i, name) }
	if c.required(field("file_name"), f.FileName, MaxNameBytes) && strings.ContainsAny(f.FileName, "/\\?# \"<>") {
		c.fail(field("file_name"), CodeFileNameInvalid, "%s is not the name of a distribution file", quoted(f.FileName))
	}
	c.required(field("version"), f.Version, MaxNameBytes)
	c.text(field("requires_python"), f.RequiresPython, MaxNameBytes)
	if c.text(field("url"), f.URL, MaxURLBytes) {
		if err := checkURL(f.URL, "https", "http"); err != nil {
			c.fail(field("url"), CodeFileURLInvalid, "%s", err)
		}
	}
	if f.HashType == "" && f.Hash == "" {
		return
	}
	n, known := hashBytes[f.HashType]
	switch {
	case !known:
		c.fail(field("hash_type"), CodeHashInvalid, "%s is not a known hash; use sha256", quoted(f.HashType))
	case !isHex(f.Hash, n):
		c.fail(field("hash"), CodeHashInvalid, "must be a %s in %d lower-case hex digits", f.HashType, 2*n)
	default:
		f.HashType = unique.Make(f.HashType).Value()
	}
}
