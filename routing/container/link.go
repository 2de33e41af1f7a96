package container

import (
	"net/url"
	"strings"
)

// maxLinks bounds the links of one answer. Pagination has one.
const maxLinks = 8

// rewriteLinks reads Link headers (RFC 8288) of a registry's list and returns them
// for the client: as paths on our host, with the repository's name as the client
// knows it. Links to anything but the repository's own lists are left out, for the
// client could not follow them.
func rewriteLinks(lines []string, base *url.URL, repository, name string) string {
	var out []string
	for _, line := range lines {
		if len(line) > maxForwarded {
			continue
		}
		for line != "" && len(out) < maxLinks {
			target, params, rest, ok := cutLink(line)
			if !ok {
				break
			}
			line = rest
			ref, err := url.Parse(target)
			if err != nil {
				continue
			}
			resolved := base.ResolveReference(ref)
			path, found := strings.CutPrefix(resolved.EscapedPath(), "/v2/"+repository+"/")
			if !found || path != "tags/list" && !strings.HasPrefix(path, "referrers/") || !plain(path) || !plain(resolved.RawQuery) {
				continue
			}
			link := "</v2/" + name + "/" + path
			if resolved.RawQuery != "" {
				link += "?" + resolved.RawQuery
			}
			out = append(out, link+">"+params)
		}
	}
	return strings.Join(out, ", ")
}

// cutLink takes one link off the front: <target>, then its parameters up to a
// comma that is not quoted.
func cutLink(s string) (target, params, rest string, ok bool) {
	s = strings.TrimLeft(s, " \t,")
	if !strings.HasPrefix(s, "<") {
		return "", "", "", false
	}
	target, s, ok = strings.Cut(s[1:], ">")
	if !ok {
		return "", "", "", false
	}
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '\\' && quoted:
			i++
		case s[i] == ',' && !quoted:
			return target, strings.TrimRight(s[:i], " \t"), s[i+1:], true
		}
	}
	return target, strings.TrimRight(s, " \t"), "", true
}

// plain says whether a part of a URL can stand between the brackets of a link.
func plain(part string) bool {
	for i := range len(part) {
		if c := part[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' || c == '"' {
			return false
		}
	}
	return true
}
