package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"tallygate/cluster/catalog"
)

// pythonV1 reads one file of a project. The rules of one package id and project
// make a package, which serves on the domains of all of them.
func (b *builder) pythonV1(u *rule) {
	id, domain := u.required("package-id"), canonical(u.required("domain"))
	name := u.required("package-name")
	f := catalog.PythonFile{
		FileName: u.required("file-name"), Version: u.required("version"), URL: u.required("backend-url"),
		RequiresPython: u.text("requires-python"),
	}
	u.known("hash-value", "gpg-sig")
	f.GPGSig = u.m.Bool("gpg-sig")
	if hash := u.m.Inner("hash-value"); hash != nil {
		f.HashType = hash.Required("type", "the name of the hash, such as sha256")
		f.Hash = strings.ToLower(hash.Required("hash", "the hash in hex"))
		u.m.Adopt(hash)
	}
	index, plainHTTP := simpleIndex(u.text("backend-simple-index-url"))
	if u.m.Broken() {
		return
	}
	project := catalog.NormalizePythonProject(name)
	g := b.group(u, id, catalog.Python, project)
	if g.pkg.Index == nil {
		g.pkg.Index = &catalog.PythonProject{Project: project}
		u.mark(&g.pkg.Place, "index", "package-name")
		u.mark(&g.pkg.Place, "index.project", "package-name")
	}
	switch p := g.pkg.Index; {
	case index == "" || index == p.RepositoryURL:
	case p.RepositoryURL != "":
		u.m.Report("backend-simple-index-url", fmt.Sprintf("another rule of the project has %q", p.RepositoryURL),
			"use one index for all files of a project")
	default:
		p.RepositoryURL, p.PlainHTTP = index, plainHTTP
		u.mark(&g.pkg.Place, "index.repository_url", "backend-simple-index-url")
	}
	g.named(u, name, name)
	g.on(u, domain)
	g.file(u, domain, f)
}

// simpleIndex gives the URL of an index the slash that it ends with.
func simpleIndex(url string) (index string, plainHTTP bool) {
	if url != "" && !strings.HasSuffix(url, "/") {
		url += "/"
	}
	return url, strings.HasPrefix(strings.ToLower(url), "http://")
}

// file adds a file of a project. The same file on several domains is one.
func (g *group) file(u *rule, domain string, f catalog.PythonFile) {
	signed := ""
	if f.GPGSig != nil {
		signed = strconv.FormatBool(*f.GPGSig)
	}
	key := strings.Join([]string{f.FileName, f.Version, f.URL, f.HashType, f.Hash, signed, f.RequiresPython}, "\x00")
	if i, ok := g.index[key]; ok {
		g.files[i].add(domain)
		return
	}
	g.index[key] = len(g.files)
	g.files = append(g.files, served[catalog.PythonFile]{value: f, domains: []string{domain}, origins: []origin{
		u.origin("", "file-name"), u.origin(".file_name", "file-name"), u.origin(".version", "version"),
		u.origin(".url", "backend-url"), u.origin(".hash", "hash-value"), u.origin(".hash_type", "hash-value"),
		u.origin(".requires_python", "requires-python"),
	}})
}

// finishFiles gives the package its files, each on the domains that name it.
func (g *group) finishFiles() {
	for _, s := range g.files {
		for _, domain := range g.limits(s.domains) {
			markAll(&g.pkg.Place, fmt.Sprintf("index.files[%d]", len(g.pkg.Index.Files)), s.origins)
			f := s.value
			f.Domain = domain
			g.pkg.Index.Files = append(g.pkg.Index.Files, f)
		}
	}
}
