package python

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// jsonPage is a project's page by PEP 691, with PEP 700, 714, 740 and 792.
type jsonPage struct {
	Meta struct {
		APIVersion string `json:"api-version"`
	} `json:"meta"`
	Name          string     `json:"name"`
	Files         []jsonFile `json:"files"`
	Versions      []string   `json:"versions"`
	ProjectStatus status     `json:"project-status"`
}

type jsonFile struct {
	FileName         string            `json:"filename"`
	URL              string            `json:"url"`
	Hashes           map[string]string `json:"hashes"`
	RequiresPython   string            `json:"requires-python"`
	CoreMetadata     flagOrHashes      `json:"core-metadata"`
	DistInfoMetadata flagOrHashes      `json:"dist-info-metadata"`
	GPGSig           *bool             `json:"gpg-sig"`
	Yanked           flagOrReason      `json:"yanked"`
	Size             *int64            `json:"size"`
	UploadTime       string            `json:"upload-time"`
	Provenance       string            `json:"provenance"`
}

// flagOrHashes is a boolean or a dictionary of digests, which means true.
type flagOrHashes struct {
	told   bool
	set    bool
	hashes map[string]string
}

func (v *flagOrHashes) UnmarshalJSON(data []byte) error {
	switch {
	case bytes.Equal(data, []byte("null")):
		return nil
	case bytes.Equal(data, []byte("true")), bytes.Equal(data, []byte("false")):
		v.told, v.set = true, data[0] == 't'
		return nil
	}
	v.told, v.set = true, true
	return json.Unmarshal(data, &v.hashes)
}

// flagOrReason is a boolean or a reason, which means true.
type flagOrReason struct {
	set    bool
	reason string
}

func (v *flagOrReason) UnmarshalJSON(data []byte) error {
	switch {
	case bytes.Equal(data, []byte("null")), bytes.Equal(data, []byte("false")):
		return nil
	case bytes.Equal(data, []byte("true")):
		v.set = true
		return nil
	}
	v.set = true
	return json.Unmarshal(data, &v.reason)
}

// parseJSON reads a project's page as JSON; relative links stand at base.
func parseJSON(data []byte, base *url.URL, project string) (*page, error) {
	var in jsonPage
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", errBadPage, err)
	}
	if in.Files == nil {
		return nil, fmt.Errorf("%w: the JSON has no files", errBadPage)
	}
	minor, err := checkAPIVersion(in.Meta.APIVersion)
	if err != nil {
		return nil, err
	}
	p := &page{minor: minor, status: cleanStatus(in.ProjectStatus.Status, in.ProjectStatus.Reason)}
	for _, v := range in.Versions {
		if v = cleanText(v); v != "" && len(p.versions) < maxVersions {
			p.versions = append(p.versions, v)
		}
	}
	p.files = make([]file, 0, min(len(in.Files), maxFiles))
	for i := range in.Files {
		if f, ok := in.Files[i].file(base, project); ok {
			p.files = append(p.files, f)
		}
	}
	p.files = uniqueFiles(p.files)
	return p, nil
}

// file makes a file of an entry, or says that it is none that we would list.
func (j *jsonFile) file(base *url.URL, project string) (file, bool) {
	f, ok := newFile(base, j.URL, j.FileName, project)
	if !ok {
		return file{}, false
	}
	// Here the name is told apart from the URL, and is what counts.
	if j.FileName != f.name && validFileName(j.FileName) {
		f.name, f.dist = j.FileName, parseFileName(j.FileName, project)
	}
	f.hashes = addHashes(f.hashes, j.Hashes)
	f.requiresPython = cleanText(j.RequiresPython)
	f.yanked, f.yankedReason = j.Yanked.set, cleanText(j.Yanked.reason)
	f.gpgSig = j.GPGSig
	metadata := j.CoreMetadata
	if !metadata.told {
		metadata = j.DistInfoMetadata
	}
	f.metadata, f.metadataHashes = metadata.set, addHashes(nil, metadata.hashes)
	if j.Size != nil && *j.Size >= 0 {
		f.size = *j.Size
	}
	f.uploadTime = cleanText(j.UploadTime)
	f.provenance = httpURL(base, j.Provenance)
	return f, true
}

// addHashes adds digests in their order, so that which of too many stay doesn't
// hang on the map's order.
func addHashes(list []hash, hashes map[string]string) []hash {
	if len(hashes) == 1 {
		for algorithm, value := range hashes {
			return addHash(list, algorithm, value)
		}
	}
	sorted := make([]string, 0, len(hashes))
	for algorithm := range hashes {
		sorted = append(sorted, algorithm)
	}
	slices.SortFunc(sorted, strings.Compare)
	for _, algorithm := range sorted {
		list = addHash(list, algorithm, hashes[algorithm])
	}
	return list
}
