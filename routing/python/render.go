package python

import (
	"encoding/json"
	"html"
	"iter"
	"net/url"
	"strconv"
	"strings"

	"tallygate/routing/table"
)

// projectPath is the path of a project's page. The name is normalized and needs
// no escape.
func projectPath(project string) string { return "/simple/" + project + "/" }

// link is the path of a file on the gateway.
func link(project, name string) string { return projectPath(project) + url.PathEscape(name) }

// renderHTML writes a project's page by PEP 503, with the attributes of PEP 592,
// 658, 714 and 740. Metadata goes under both its names, as PEP 714 asks.
func renderHTML(v *view) []byte {
	var b strings.Builder
	b.Grow(512 + 400*len(v.files))
	b.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n" +
		"<meta name=\"pypi:repository-version\" content=\"1." + strconv.Itoa(apiMinor(v)) + "\">\n")
	meta := func(name, content string) {
		if content != "" {
			b.WriteString("<meta name=\"" + name + "\" content=\"" + html.EscapeString(content) + "\">\n")
		}
	}
	meta("pypi:project-status", v.status.Status)
	meta("pypi:project-status-reason", v.status.Reason)
	title := "Links for " + html.EscapeString(v.project)
	b.WriteString("<title>" + title + "</title>\n</head>\n<body>\n<h1>" + title + "</h1>\n")
	for _, f := range v.files {
		b.WriteString("<a href=\"" + html.EscapeString(link(v.project, f.name)))
		if h := best(f.hashes); h.algorithm != "" {
			b.WriteString("#" + h.algorithm + "=" + h.value)
		}
		b.WriteByte('"')
		attribute := func(name, value string) {
			b.WriteString(" " + name + "=\"" + html.EscapeString(value) + "\"")
		}
		if f.requiresPython != "" {
			attribute("data-requires-python", f.requiresPython)
		}
		if f.metadata {
			value := "true"
			if h := best(f.metadataHashes); h.algorithm != "" {
				value = h.algorithm + "=" + h.value
			}
			attribute("data-core-metadata", value)
			attribute("data-dist-info-metadata", value)
		}
		if f.yanked {
			attribute("data-yanked", f.yankedReason)
		}
		if f.gpgSig != nil {
			attribute("data-gpg-sig", strconv.FormatBool(*f.gpgSig))
		}
		if f.provenance != "" {
			attribute("data-provenance", f.provenance)
		}
		b.WriteString(">" + html.EscapeString(f.name) + "</a><br>\n")
	}
	b.WriteString("</body>\n</html>\n")
	return []byte(b.String())
}

// outMeta is the "meta" of a JSON answer.
type outMeta struct {
	APIVersion string `json:"api-version"`
}

// outPage is a project's page as we send it.
type outPage struct {
	Meta     outMeta   `json:"meta"`
	Name     string    `json:"name"`
	Status   *status   `json:"project-status,omitempty"`
	Versions []string  `json:"versions,omitempty"`
	Files    []outFile `json:"files"`
}

type outFile struct {
	FileName         string            `json:"filename"`
	URL              string            `json:"url"`
	Hashes           map[string]string `json:"hashes"`
	RequiresPython   string            `json:"requires-python,omitempty"`
	CoreMetadata     any               `json:"core-metadata,omitempty"`
	DistInfoMetadata any               `json:"dist-info-metadata,omitempty"`
	GPGSig           *bool             `json:"gpg-sig,omitempty"`
	Yanked           any               `json:"yanked,omitempty"`
	Size             *int64            `json:"size,omitempty"`
	UploadTime       string            `json:"upload-time,omitempty"`
	Provenance       string            `json:"provenance,omitempty"`
}

// renderJSON writes a project's page by PEP 691.
func renderJSON(v *view) []byte {
	out := outPage{
		Meta:     outMeta{"1." + strconv.Itoa(apiMinor(v))},
		Name:     v.project,
		Versions: v.versions,
		Files:    make([]outFile, len(v.files)),
	}
	if v.status.Status != "" {
		out.Status = &v.status
	}
	for i, f := range v.files {
		o := &out.Files[i]
		*o = outFile{
			FileName:       f.name,
			URL:            link(v.project, f.name),
			Hashes:         hashMap(f.hashes),
			RequiresPython: f.requiresPython,
			GPGSig:         f.gpgSig,
			UploadTime:     f.uploadTime,
			Provenance:     f.provenance,
		}
		if f.size >= 0 {
			o.Size = &f.size
		}
		if f.metadata {
			o.CoreMetadata = true
			if len(f.metadataHashes) > 0 {
				o.CoreMetadata = hashMap(f.metadataHashes)
			}
			o.DistInfoMetadata = o.CoreMetadata
		}
		if f.yanked {
			o.Yanked = true
			if f.yankedReason != "" {
				o.Yanked = f.yankedReason
			}
		}
	}
	return marshal(out)
}

// marshal writes what can't fail to be written.
func marshal(v any) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // ">=3.9" stays readable
	if err := enc.Encode(v); err != nil {
		panic("python: " + err.Error()) // the types above hold nothing unwritable
	}
	return []byte(b.String())
}

// hashMap is never nil: PEP 691 asks for a dictionary, empty or not.
func hashMap(hashes []hash) map[string]string {
	m := make(map[string]string, len(hashes))
	for _, h := range hashes {
		m[h.algorithm] = h.value
	}
	return m
}

// maxMinor is the newest minor version of the API that we write (PEP 792).
const maxMinor = 4

// apiMinor is the minor version that a view may claim: from 1.1 on the versions
// and every file's size must be there (PEP 700), which an origin of old, an HTML
// page or a file that the catalog names doesn't tell. What is known is shown all
// the same: clients ignore keys that they don't expect.
func apiMinor(v *view) int {
	if v.versions == nil {
		return 0
	}
	for _, f := range v.files {
		if f.size < 0 {
			return 0
		}
	}
	return min(v.minor, maxMinor)
}

// listHTML writes the list of projects by PEP 503.
func listHTML(rules iter.Seq[*table.Rule]) []byte {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n" +
		"<meta name=\"pypi:repository-version\" content=\"1.0\">\n<title>Simple index</title>\n</head>\n<body>\n")
	for rule := range rules {
		name := rule.Package.Index.Project
		b.WriteString("<a href=\"" + projectPath(name) + "\">" + name + "</a><br>\n")
	}
	b.WriteString("</body>\n</html>\n")
	return []byte(b.String())
}

// listJSON writes the list of projects by PEP 691.
func listJSON(rules iter.Seq[*table.Rule]) []byte {
	type project struct {
		Name string `json:"name"`
	}
	out := struct {
		Meta     outMeta   `json:"meta"`
		Projects []project `json:"projects"`
	}{outMeta{"1.0"}, []project{}}
	for rule := range rules {
		out.Projects = append(out.Projects, project{rule.Package.Index.Project})
	}
	return marshal(out)
}
