package container

import (
	"bytes"
	"encoding/json"
	"net/http"

	"tallygate/routing/origin"
)

// maxList is the longest answer of tags/list or referrers, in bytes.
const maxList = 16 << 20

// serveList passes on tags/list and referrers, with the repository's name as the
// client knows it. They are no downloads and are not noted.
func (p *pull) serveList() error {
	x := p.begin()
	defer x.end()
	resp, ep, err := p.fetch(x.ctx)
	if err != nil {
		return err
	}
	defer discard(resp)
	switch {
	case origin.IsRedirect(resp.StatusCode):
		return p.handOn(resp, ep)
	case resp.StatusCode == http.StatusNotModified:
		p.pass(resp)
		p.done()
		p.w.WriteHeader(http.StatusNotModified)
		return nil
	case resp.StatusCode != http.StatusOK:
		return refusalOf(resp, p.target, ep)
	}
	if link := rewriteLinks(resp.Header["Link"], resp.Request.URL, ep.repository, p.name); link != "" {
		p.w.Header().Set("Link", link)
	}
	if p.r.Method == http.MethodHead {
		p.pass(resp)
		length := resp.ContentLength
		if ep.repository != p.name {
			length = -1 // another name, another length
		}
		p.describe(resp, length)
		p.done()
		p.w.WriteHeader(http.StatusOK)
		return nil
	}
	buf, release, err := p.buffers.read(x.ctx, resp.Body, resp.ContentLength, maxList)
	if err != nil {
		return unreadable(err)
	}
	defer release()
	body := buf.Bytes()
	if p.kind == tags && ep.repository != p.name {
		if body, err = rename(body, p.name); err != nil {
			return err
		}
	}
	p.pass(resp)
	p.describe(resp, int64(len(body)))
	p.done()
	p.writeWhole(body)
	return nil
}

// rename puts the client's name of the repository into the body of tags/list. The
// tags, and what else a registry adds, stay as they are.
func rename(body []byte, name string) ([]byte, error) {
	var list map[string]json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, badAnswer("its list of tags can't be read")
	}
	if list == nil {
		return bytes.Clone(body), nil
	}
	quoted, err := json.Marshal(name)
	if err != nil {
		return nil, err
	}
	list["name"] = quoted
	return json.Marshal(list)
}
