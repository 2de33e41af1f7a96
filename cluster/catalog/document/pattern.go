package document

import (
	"path"
	"strings"

	"tallygate/cluster/catalog"
)

// takes says whether a package may have been made by a collection at a first
// pull: an image on the collection's registry and host that its pattern matches.
// Pruning leaves such packages alone, since the file has no entry for them.
func takes(c *catalog.Collection, k *catalog.Package) bool {
	if k.Type != catalog.Docker || k.Image == nil || k.Owner != c.Owner && c.Owner != "" || k.Image.Registry != c.Registry {
		return false
	}
	if c.Domain == "" && len(k.Domains) > 0 {
		return false
	}
	for i := range k.Domains {
		if k.Domains[i].Name != c.Domain {
			return false
		}
	}
	if c.Domain != "" && len(k.Domains) == 0 {
		return false
	}
	return matchImage(strings.Split(c.Pattern, "/"), strings.Split(k.Image.PublicName(), "/"))
}

// matchImage matches an image name against a collection's pattern, segment by
// segment: "**" is any number of segments, "*" anything within one, "{a, b}" one
// of these.
func matchImage(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := 0; i <= len(name); i++ {
				if matchImage(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 || !matchSegment(pattern[0], name[0]) {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}

func matchSegment(pattern, segment string) bool {
	before, rest, found := strings.Cut(pattern, "{")
	if !found {
		ok, err := path.Match(pattern, segment) // the catalog lets no other wildcards in
		return ok && err == nil
	}
	inside, after, _ := strings.Cut(rest, "}")
	for alternative := range strings.SplitSeq(inside, ",") {
		if matchSegment(before+strings.TrimSpace(alternative)+after, segment) {
			return true
		}
	}
	return false
}
