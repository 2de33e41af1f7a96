package python

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxToken bounds one tag or one run of text of an HTML page, in bytes.
const maxToken = 1 << 20

// parseHTML reads a project's page as HTML (PEP 503): its anchors, <base> and
// the <meta> elements of PEP 629 and 792. Relative links stand at base.
//
// It reads tokens rather than building a tree: installers look at anchors
// wherever they stand, and a hostile page gains nothing by its nesting.
func parseHTML(data []byte, base *url.URL, project string) (*page, error) {
	p := &page{}
	z := html.NewTokenizer(bytes.NewReader(data))
	z.SetMaxBuf(maxToken)
	var open *anchor // the anchor whose text is being read
	based := false   // the first <base> counts
	var state, reason string
	end := func() {
		if open == nil {
			return
		}
		if f, ok := open.file(base, project); ok && len(p.files) < 2*maxFiles {
			p.files = append(p.files, f)
		}
		open = nil
	}
	for {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("%w: %w", errBadPage, err)
			}
			end()
			p.files = uniqueFiles(p.files)
			p.status = cleanStatus(state, reason)
			return p, nil
		case html.TextToken:
			if open != nil && len(open.text) <= maxFileName {
				open.text += string(z.Text())
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); atom.Lookup(name) == atom.A {
				end()
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			switch atom.Lookup(name) {
			case atom.A:
				end()
				open = readAnchor(z, more)
			case atom.Base:
				href := attributes(z, more)["href"]
				if u, err := url.Parse(strings.TrimSpace(href)); err == nil && href != "" && !based {
					base, based = base.ResolveReference(u), true
				}
			case atom.Meta:
				attrs := attributes(z, more)
				switch content := attrs["content"]; attrs["name"] {
				case "pypi:repository-version":
					minor, err := checkAPIVersion(content)
					if err != nil {
						return nil, err
					}
					p.minor = minor
				case "pypi:project-status":
					state = content
				case "pypi:project-status-reason":
					reason = content
				}
			}
		}
	}
}

// attributes reads the attributes of the tag that the tokenizer stands at. Of
// two with one name the first counts, as in browsers.
func attributes(z *html.Tokenizer, more bool) map[string]string {
	attrs := map[string]string{}
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		if _, twice := attrs[string(key)]; !twice {
			attrs[string(key)] = string(value)
		}
	}
	return attrs
}

// anchor is a link on a page.
type anchor struct {
	attrs map[string]string
	text  string
}

func readAnchor(z *html.Tokenizer, more bool) *anchor {
	return &anchor{attrs: attributes(z, more)}
}

// file makes a file of a link, or says that it is none that we would list.
func (a *anchor) file(base *url.URL, project string) (file, bool) {
	f, ok := newFile(base, a.attrs["href"], a.text, project)
	if !ok {
		return file{}, false
	}
	f.requiresPython = cleanText(a.attrs["data-requires-python"])
	if reason, yanked := a.attrs["data-yanked"]; yanked {
		f.yanked, f.yankedReason = true, cleanText(reason)
	}
	switch a.attrs["data-gpg-sig"] {
	case "true":
		f.gpgSig = new(true)
	case "false":
		f.gpgSig = new(false)
	}
	metadata, told := a.attrs["data-core-metadata"]
	if !told {
		metadata, told = a.attrs["data-dist-info-metadata"]
	}
	if told && metadata != "false" {
		f.metadata = true
		if algorithm, value, ok := strings.Cut(metadata, "="); ok {
			f.metadataHashes = addHash(nil, algorithm, value)
		}
	}
	f.provenance = httpURL(base, a.attrs["data-provenance"])
	return f, true
}
