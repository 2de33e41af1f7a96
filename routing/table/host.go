package table

import (
	"iter"
)

// HostKind says what a host name stands for.
type HostKind uint8

// The kinds of hosts.
const (
	CustomHost  HostKind = iota // an owner's domain
	DockerHost                  // OWNER.docker.BASE
	GatewayHost                 // OWNER.gateway.BASE
	StaticHost                  // static.BASE: pixels
	BaseHost                    // BASE: badges, npm install events, the status page
)

// String is the kind's name.
func (k HostKind) String() string {
	switch k {
	case DockerHost:
		return "docker-host"
	case GatewayHost:
		return "gateway-host"
	case StaticHost:
		return "static-host"
	case BaseHost:
		return "base-host"
	}
	return "custom"
}

// Host is one owner's rules at one host name. It is immutable and safe for
// concurrent use.
type Host struct {
	step   uint64
	serves bool // the name is the owner's: requests are answered
	kind   HostKind
	length uint8    // of the name, if it fits into short
	pixels int32    // that name the host as their domain
	short  [40]byte // the name again, where comparing it is no miss of the cache

	templates finder
	events    finder
	more      *hostMore
	name      string
	owner     string

	// other is the next owner's host of the same name, by owner: whoever claims a
	// domain has the rules ready, and who serves it is one flag.
	other *Host
}

// hostSlot is where a host is found. It repeats the host's templates, so that both
// are fetched at once.
type hostSlot struct {
	host      *Host
	templates finder
}

// is says whether this is the host's name.
func (h *Host) is(name string) bool {
	if h.length > 0 {
		return string(h.short[:h.length]) == name
	}
	return h.name == name
}

// hostMore is what few of a million hosts have.
type hostMore struct {
	images      pages[*ruleList] // by the hash of the public name
	collections *radix[ruleList] // by the pattern's literal beginning
	python      *radix[ruleList] // by project
	regexps     regexpSet
	catchAlls   *radix[ruleList]  // by prefix
	private     []privateRegistry // of images that allow private pulls
}

// ruleList is rules in the order in which they are tried.
type ruleList struct{ rules []*Rule }

// Name is the host's name.
func (h *Host) Name() string { return h.name }

// Owner is whose rules the host serves; "" for static.BASE and BASE.
func (h *Host) Owner() string { return h.owner }

// Kind is what the host's name stands for.
func (h *Host) Kind() HostKind { return h.kind }

// HasPixels says whether the host serves tracking pixels.
func (h *Host) HasPixels() bool { return h.kind == StaticHost || h.pixels > 0 }

// Python finds a project by its normalized name (PEP 503).
func (h *Host) Python(normalizedProject string) *Rule {
	if h.more == nil {
		return nil
	}
	if l := h.more.python.get(normalizedProject, forwards); l != nil {
		return l.rules[0]
	}
	return nil
}

// HasPython says whether the host is a package index at all.
func (h *Host) HasPython() bool { return h.more != nil && h.more.python != nil }

// PythonProjects yields the host's Python projects, by name.
func (h *Host) PythonProjects() iter.Seq[*Rule] {
	return func(yield func(*Rule) bool) {
		if h.more != nil {
			h.more.python.all(forwards, func(_ string, l *ruleList) bool { return yield(l.rules[0]) })
		}
	}
}

// finder is where templates of a kind are.
func (h *Host) finder(k RuleKind) *finder {
	if k == EventRule {
		return &h.events
	}
	return &h.templates
}

// Rules counts the rules that Match tries, for explanations and figures.
func (h *Host) Rules() int {
	n := h.templates.count() + h.events.count()
	if h.more != nil {
		n += h.more.regexps.n
		h.more.catchAlls.all(forwards, func(_ string, l *ruleList) bool {
			n += len(l.rules)
			return true
		})
	}
	return n
}

// empty says that nothing is left to keep the host for.
func (h *Host) empty() bool {
	m := h.more
	return h.templates == (finder{}) && h.events == (finder{}) && h.pixels == 0 &&
		(m == nil || m.images.n == 0 && m.collections == nil && m.python == nil && m.regexps.n == 0 && m.catchAlls == nil) &&
		(h.kind != CustomHost || !h.serves) && h.kind != StaticHost && h.kind != BaseHost
}
