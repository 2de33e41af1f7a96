package table

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"tallygate/routing/template"
)

// catchAllRule redirects everything under a path, byte for byte.
type catchAllRule struct {
	prefix  string // as templates see paths; ends in "/"
	slashes int    // in prefix
	outs    []catchAllOut
}

// catchAllOut is where a catch-all leads to.
type catchAllOut struct {
	host  string
	base  string // ends in "/"
	query string // the URL's own
}

// parseCatchAll reads "/docs/*" and its outgoing URLs, "https://example.com/x/*";
// there, "/*" may be left out.
func parseCatchAll(incoming string, outgoing []string) (*catchAllRule, error) {
	prefix, ok := strings.CutSuffix(incoming, "*")
	if !ok || !strings.HasSuffix(prefix, "/") || !strings.HasPrefix(prefix, "/") {
		return nil, errors.New(`a catch-all path begins with "/" and ends in "/*"`)
	}
	if strings.ContainsAny(prefix, "*?#{}") {
		return nil, errors.New(`a catch-all path holds no other "*", no query and no variable`)
	}
	var s template.Subject
	if !s.Reset(prefix, "") {
		return nil, errors.New(`a "%" in the path must be followed by two hex digits`)
	}
	c := &catchAllRule{prefix: s.Path(), slashes: strings.Count(prefix, "/")}
	for _, o := range outgoing {
		out, err := parseCatchAllOut(o)
		if err != nil {
			return nil, fmt.Errorf("outgoing URL %q: %w", o, err)
		}
		c.outs = append(c.outs, out)
	}
	return c, nil
}

func parseCatchAllOut(s string) (out catchAllOut, err error) {
	if strings.ContainsAny(s, "{}") {
		return out, errors.New("a catch-all has no variables: what follows its path is appended as it is")
	}
	// Held to the same rules as a template's: scheme, host, no dot segments.
	t, err := template.ParseOutgoing(s, nil)
	if err != nil {
		return out, err
	}
	u, err := url.Parse(s)
	if err != nil {
		return out, err
	}
	if u.Fragment != "" || strings.Contains(s, "#") {
		return out, errors.New("a catch-all's URL can't have a fragment")
	}
	base, query, _ := strings.Cut(s, "?")
	base = strings.TrimSuffix(strings.TrimSuffix(base, "*"), "/")
	if strings.Contains(base, "*") {
		return out, errors.New(`only the end of a catch-all's URL may be "*"`)
	}
	return catchAllOut{
		host:  t.Host(),
		base:  string(template.AppendRaw(nil, base)) + "/",
		query: string(template.AppendRaw(nil, query)),
	}, nil
}

// append appends the URL. The rest of the path is as it came; so is the query,
// unless the URL has one of its own.
func (o *catchAllOut) append(dst []byte, c *catchAllRule, m *Match) []byte {
	dst = append(dst, o.base...)
	path := len(dst)
	dst = template.AppendRaw(dst, afterSlashes(m.rawPath, c.slashes))
	if o.query != "" {
		dst = append(append(dst, '?'), o.query...)
		return m.subject.AppendExtra(dst, path, true, m.bound())
	}
	if q := m.subject.RawQuery(); q != "" {
		dst = append(dst, '?')
		dst = template.AppendRaw(dst, q)
	}
	return dst
}

// catchAll finds the catch-all with the longest prefix.
func (m *Match) catchAll(more *hostMore) *Rule {
	if l := more.catchAlls.longest(m.subject.Path(), forwards); l != nil {
		return l.rules[0]
	}
	return nil
}
