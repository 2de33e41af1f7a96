// Package variables gathers the named values of a request, from the path, the
// query and JSON bodies, and finds among them the default variables that reports
// have columns for: page, platform and version.
package variables

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"tallygate/routing/event"
)

// The bounds of what one event carries. Whatever a stranger sends, an event
// stays small enough to batch.
const (
	MaxCount = 128      // variables of one event
	MaxName  = 128      // bytes of a name; a variable with a longer one is dropped
	MaxValue = 2048     // bytes of a value; a longer one is cut
	MaxBytes = 16 << 10 // bytes of all names and values of one event
)

// The default variables.
const (
	Page     = "page"
	Platform = "platform"
	Version  = "version"
)

// Set gathers variables within the bounds. The zero Set is empty and ready. A
// Set is not safe for concurrent use.
type Set struct {
	list    []event.Variable
	bytes   int
	dropped int
}

// Grow makes room for n more variables.
func (s *Set) Grow(n int) {
	s.list = slices.Grow(s.list, min(n, MaxCount))
}

// Add takes one variable. Of variables with one name the first stays, so what
// was captured from the path is to be added before what the query says. Empty
// names are left out; an empty value is kept, since the client did send the
// name.
func (s *Set) Add(name, value string) {
	if name == "" {
		return
	}
	if len(name) > MaxName || len(s.list) >= MaxCount {
		s.dropped++
		return
	}
	name, value = valid(name), Cut(value, MaxValue)
	if s.bytes+len(name)+len(value) > MaxBytes {
		s.dropped++
		return
	}
	for i := range s.list {
		if s.list[i].Name == name {
			return
		}
	}
	s.bytes += len(name) + len(value)
	s.list = append(s.list, event.Variable{Name: name, Value: value})
}

// Dropped is how many variables the bounds kept out.
func (s *Set) Dropped() int { return s.dropped }

// List returns the variables by name, ascending, each name once. The Set gives
// the slice away and is empty afterwards.
func (s *Set) List() []event.Variable {
	list := s.list
	*s = Set{}
	if len(list) < 2 {
		return list
	}
	slices.SortFunc(list, func(a, b event.Variable) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Fill sets the columns of e that its variables speak for: Page, Version,
// Platform and Arch. overrides, the organization's, maps a variable's own name to
// the default variable it stands for and outranks the default names; where
// several variables claim one column, the first by name wins. A variable without
// a value claims nothing, so what is known otherwise (the client's platform, the
// Referer as page) stays.
//
// The variables themselves are left as they came.
func Fill(e *event.Event, overrides map[string]string) {
	var page, platform, version, arch string
	var own [3]string
	for i := range e.Variables {
		v := &e.Variables[i]
		if v.Value == "" {
			continue
		}
		switch v.Name {
		case Page, "Page": // pixels are documented with both spellings
			page = cmp.Or(page, v.Value)
		case Platform:
			platform = v.Value
		case Version:
			version = v.Value
		case "arch":
			arch = v.Value
		}
		if overrides == nil {
			continue
		}
		switch overrides[v.Name] {
		case Page:
			own[0] = cmp.Or(own[0], v.Value)
		case Platform:
			own[1] = cmp.Or(own[1], v.Value)
		case Version:
			own[2] = cmp.Or(own[2], v.Value)
		}
	}
	if page = cmp.Or(own[0], page); page != "" {
		e.Page = page
	}
	if version = cmp.Or(own[2], version); version != "" {
		e.Version = version
	}
	if platform = cmp.Or(own[1], platform); platform != "" {
		SetPlatform(e, platform)
	}
	if arch != "" {
		if a := NormalizeArch(arch); a != "" {
			e.Arch = a
		}
	}
}

// SetPlatform sets the platform and architecture of e from a platform's name,
// unless the name says that they are unknown.
func SetPlatform(e *event.Event, name string) {
	platform, arch := NormalizePlatform(name)
	if platform == "" && arch == "" {
		return
	}
	if platform != "" && platform != e.Platform {
		// Another system than the client's own: its architecture says nothing
		// about the artifact's.
		e.Platform, e.Arch = platform, ""
	}
	if arch != "" {
		e.Arch = arch
	}
}

// Cut shortens s to at most n bytes, at a character's boundary, and makes it
// valid UTF-8, since a column takes nothing else. Text that is fine already
// costs no allocation.
func Cut(s string, n int) string {
	if len(s) <= n && utf8.ValidString(s) {
		return s
	}
	// Cut twice: what stands for an invalid byte is longer than the byte.
	return cut(valid(cut(s, n)), n)
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n]) // not to keep the long text alive
}

func valid(s string) string {
	return strings.ToValidUTF8(s, "\uFFFD")
}
