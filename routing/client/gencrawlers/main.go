// Command gencrawlers makes crawlers.json and crawlers.LICENSE of package client
// from the npm package crawler-user-agents, at the version pinned below. Run it
// by `go generate ./routing/client`; it needs npm. To move to a newer version,
// change the constant, generate, and read the difference.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
)

const (
	npmPackage = "crawler-user-agents"
	npmVersion = "1.60.0"

	// leftOut is the class of patterns that match plain HTTP libraries and
	// downloaders: curl, wget, Go-http-client. Their downloads are real.
	leftOut = "http-library"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gencrawlers:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "gencrawlers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pack := exec.Command("npm", "pack", "--silent", npmPackage+"@"+npmVersion)
	pack.Dir, pack.Stderr = dir, os.Stderr
	if err := pack.Run(); err != nil {
		return fmt.Errorf("npm pack: %w", err)
	}
	files, err := unpack(filepath.Join(dir, npmPackage+"-"+npmVersion+".tgz"),
		"package/crawler-user-agents.json", "package/LICENSE")
	if err != nil {
		return err
	}
	out, err := derive(files[0])
	if err != nil {
		return err
	}
	if err := os.WriteFile("crawlers.json", out, 0o644); err != nil {
		return err
	}
	return os.WriteFile("crawlers.LICENSE", files[1], 0o644)
}

// unpack returns the contents of the named files of a gzipped tar archive.
func unpack(archive string, names ...string) ([][]byte, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	found := make([][]byte, len(names))
	for tr := tar.NewReader(zr); ; {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if i := slices.Index(names, header.Name); i >= 0 {
			if found[i], err = io.ReadAll(tr); err != nil {
				return nil, err
			}
		}
	}
	for i, name := range names {
		if found[i] == nil {
			return nil, fmt.Errorf("%s has no %s", archive, name)
		}
	}
	return found, nil
}

// derive keeps the pattern and the first tag of each entry, one entry a line so
// that a new version reads as a difference. The file's order is kept: where two
// patterns match, the first names the crawler.
func derive(source []byte) ([]byte, error) {
	var entries []struct {
		Pattern string   `json:"pattern"`
		Tags    []string `json:"tags"`
	}
	if err := json.Unmarshal(source, &entries); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\n\"package\": %q,\n\"version\": %q,\n\"license\": \"MIT, see crawlers.LICENSE\",\n\"patterns\": [\n", npmPackage, npmVersion)
	first := true
	for _, e := range entries {
		if slices.Contains(e.Tags, leftOut) {
			continue
		}
		if _, err := regexp.Compile(e.Pattern); err != nil {
			return nil, err
		}
		kind := ""
		if len(e.Tags) > 0 {
			kind = e.Tags[0]
		}
		line, err := json.Marshal(struct {
			Pattern string `json:"pattern"`
			Kind    string `json:"kind"`
		}{e.Pattern, kind})
		if err != nil {
			return nil, err
		}
		if !first {
			out.WriteString(",\n")
		}
		first = false
		out.Write(line)
	}
	out.WriteString("\n]\n}\n")
	return out.Bytes(), nil
}
