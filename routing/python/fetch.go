package python

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"
)

// Bounds of what a fetch takes.
const (
	maxPageBytes = 32 << 20 // of one page, compressed and not
	fetchTimeout = 60 * time.Second
	maxHops      = 5

	// maxFlights bounds the fetches at one time, and maxReading the memory of
	// the pages that they read, in bytes: owners choose origins, and many slow
	// or large ones must not take the node down.
	maxFlights = 64
	maxReading = 128 << 20
	chunk      = 1 << 20 // by which that memory is taken
)

var (
	errPageTooBig  = fmt.Errorf("%w: it is above %d bytes", errBadPage, maxPageBytes)
	errBusy        = errors.New("too many pages are being fetched")
	errAllDown     = errors.New("every index of the project is known to be down")
	errBadRedirect = errors.New("origin redirects badly")
	errClosed      = errors.New("the handler is closed")
)

// statusError is an origin's answer that is neither a page nor the word that
// there is none.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("origin answered %d", int(e)) }

// indexes are where a project's page is to be had, in order of preference.
type indexes struct {
	project   string
	urls      []string
	plainHTTP bool // the URLs may be http
}

// fetcher asks origins for pages.
type fetcher struct {
	client  *http.Client
	flights *semaphore.Weighted
	reading *semaphore.Weighted
	now     func() time.Time
}

func newFetcher(transport http.RoundTripper, now func() time.Time) *fetcher {
	return &fetcher{
		client:  &http.Client{Transport: transport, CheckRedirect: checkRedirect},
		flights: semaphore.NewWeighted(maxFlights),
		reading: semaphore.NewWeighted(maxReading),
		now:     now,
	}
}

// checkRedirect bounds the way to a page: a few hops, http and https, and never
// from the latter to the former.
func checkRedirect(next *http.Request, via []*http.Request) error {
	switch last := via[len(via)-1]; {
	case len(via) > maxHops:
		return fmt.Errorf("%w: more than %d hops", errBadRedirect, maxHops)
	case next.URL.Scheme != "https" && next.URL.Scheme != "http":
		return fmt.Errorf("%w: to a URL that isn't http", errBadRedirect)
	case last.URL.Scheme == "https" && next.URL.Scheme == "http":
		return fmt.Errorf("%w: from https to http", errBadRedirect)
	}
	return nil
}

// accept is what we ask origins for. JSON tells more and is read faster.
const accept = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"

// fetch asks the source-th index for a page. With an answer of the same index in
// prev it asks whether that still holds.
func (f *fetcher) fetch(ctx context.Context, ix indexes, source int, via string, prev *snapshot) (*snapshot, error) {
	index, err := url.Parse(ix.urls[source])
	if err != nil {
		return nil, err
	}
	if index.Scheme != "https" && !(index.Scheme == "http" && ix.plainHTTP) {
		return nil, fmt.Errorf("index %s isn't https", index.Host)
	}
	at := index.JoinPath(ix.project, "/")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", "tallygate")
	req.Header.Set("Via", via)
	if prev != nil && prev.source == source && !prev.missing {
		if prev.etag != "" {
			req.Header.Set("If-None-Match", prev.etag)
		}
		if prev.lastModified != "" {
			req.Header.Set("If-Modified-Since", prev.lastModified)
		}
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()

	snap := &snapshot{source: source, host: index.Host, checked: f.now()}
	switch {
	case resp.StatusCode == http.StatusNotModified && prev != nil && prev.source == source && !prev.missing:
		held := *prev
		held.checked = snap.checked
		return &held, nil
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		snap.page, snap.missing, snap.views = &page{}, true, newViews()
		return snap, nil
	case resp.StatusCode != http.StatusOK:
		return nil, statusError(resp.StatusCode)
	}
	if snap.page, err = f.read(resp, ix.project); err != nil {
		return nil, err
	}
	snap.etag = validator(resp.Header.Get("Etag"))
	snap.lastModified = validator(resp.Header.Get("Last-Modified"))
	snap.views = newViews()
	return snap, nil
}

// validator returns a validator of an origin if it is short enough to be kept.
func validator(s string) string {
	if len(s) > maxText {
		return ""
	}
	return s
}

// read reads a page at the URL at which the redirects ended.
func (f *fetcher) read(resp *http.Response, project string) (*page, error) {
	mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return nil, fmt.Errorf("%w: it has no content type", errBadPage)
	}
	parse := parseHTML
	switch mediaType {
	case "application/vnd.pypi.simple.v1+json", "application/json":
		parse = parseJSON
	case "application/vnd.pypi.simple.v1+html", "text/html", "application/xhtml+xml":
	default:
		return nil, fmt.Errorf("%w: it is %.80q", errBadPage, mediaType)
	}
	data, release, err := f.readBody(resp)
	defer release()
	if err != nil {
		return nil, err
	}
	base := *resp.Request.URL
	base.User = nil // relative links don't inherit credentials
	return parse(data, &base, project)
}

// readBody reads a body of bounded size, within the bound of all that are read
// at one time. release must be called when data is done with, also after an
// error.
func (f *fetcher) readBody(resp *http.Response) (data []byte, release func(), err error) {
	held := int64(0)
	release = func() { f.reading.Release(held) }
	body := io.LimitReader(resp.Body, maxPageBytes+1)
	switch encoding := strings.ToLower(resp.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		zr, err := gzip.NewReader(body)
		if err != nil {
			return nil, release, fmt.Errorf("%w: %w", errBadPage, err)
		}
		body = io.LimitReader(zr, maxPageBytes+1)
	default:
		return nil, release, fmt.Errorf("%w: its content encoding is %.40q", errBadPage, encoding)
	}
	for {
		if len(data) == cap(data) {
			// Each doubling holds the old and the new for a moment; chunks of a
			// rope would spare that, and every reader would have to know.
			grow := max(chunk, int64(cap(data)))
			if !f.reading.TryAcquire(grow) {
				return nil, release, errBusy
			}
			held += grow
			next := make([]byte, len(data), int64(cap(data))+grow)
			copy(next, data)
			data = next
		}
		n, err := body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case len(data) > maxPageBytes:
			return nil, release, errPageTooBig
		case err == io.EOF:
			return data, release, nil
		case err != nil:
			return nil, release, fmt.Errorf("read page: %w", err)
		}
	}
}
