// Package client tells from a User-Agent which program asked: a package
// manager, a container engine, a browser, a mirror, an automation or a crawler,
// with its version, operating system and architecture where the string names
// them.
//
// A User-Agent is a claim. Nothing here decides what is served; it only
// describes who came.
package client

import (
	"strings"

	"tallygate/routing/event"
)

// Class is the broad kind of a client.
type Class string

// The classes. The zero Class is a string that nothing here recognises.
const (
	// Tool is a program that a person or a build runs to fetch artifacts:
	// docker, pip, npm, curl. Its name in events is "client".
	Tool Class = "client"

	// Browser is a web browser.
	Browser Class = "browser"

	// Mirror copies or caches registries for others: bandersnatch, Artifactory.
	Mirror Class = "mirror"

	// Automation is an HTTP library or a service that acts for a program:
	// python-requests, okhttp, Renovate.
	Automation Class = "automation"

	// Bot is a crawler, scanner, monitor or link preview.
	Bot Class = "bot"
)

// Client is what a User-Agent says. Empty fields are unknown.
type Client struct {
	Name     string // as its project spells it: "docker", "pip", "Chrome"
	Version  string
	Platform string // operating system: linux, macos, windows, freebsd, android, ios, ...
	Arch     string // in Go's spelling: amd64, arm64, 386, arm, ...
	Class    Class

	// Bot says that reports leave the client out unless asked.
	Bot bool

	// Extra are facts of single clients, by name, ascending. Shared between
	// callers: not to be modified.
	Extra []event.Variable
}

// maxAgent bounds what of a User-Agent is read, in bytes: the rest of a longer
// one is ignored. pip's JSON, the longest honest one, has some 500.
const maxAgent = 2048

// maxName bounds a client's name that is taken from the string, in bytes.
const maxName = 64

// Recognizer recognises clients and remembers what it saw. It is safe for
// concurrent use.
type Recognizer struct {
	index    *index
	crawlers *crawlers
	cache    *cache
}

// New returns a Recognizer with an empty memory. It compiles the patterns of
// crawlers, some milliseconds: make one and keep it.
func New() *Recognizer {
	return &Recognizer{index: newIndex(rules), crawlers: newCrawlers(), cache: newCache()}
}

// Recognize says what client sends userAgent; the zero Client is unknown. A
// string that was seen lately costs a look-up and no allocation.
func (r *Recognizer) Recognize(userAgent string) Client {
	if len(userAgent) > maxAgent {
		userAgent = userAgent[:maxAgent]
	}
	if c := r.cache.get(userAgent); c != nil {
		return *c
	}
	// The copy lets go of the request's header; the client's strings are parts
	// of it.
	userAgent = strings.Clone(userAgent)
	c := r.recognize(strings.ToValidUTF8(userAgent, "\uFFFD"))
	r.cache.put(userAgent, c)
	return c
}

// recognize asks, in this order: the rules of clients that nobody else's name
// starts with, crawlers, the rules of names that crawlers borrow, browsers; and
// takes an unknown product at its word.
func (r *Recognizer) recognize(s string) Client {
	a := parse(s)
	lead, rest := r.index.find(&a)
	inside, version := r.index.findInside(&a)
	if inside != nil && (lead == nil || lead.shared) {
		lead, rest = inside, version
	}
	if lead != nil && !lead.shared {
		return lead.client(&a, rest)
	}
	if c, ok := r.crawlers.recognize(s); ok {
		return c
	}
	if lead != nil {
		return lead.client(&a, rest)
	}
	if c, ok := browser(s); ok {
		return c
	}
	return unknown(&a)
}

// client describes the client that the rule recognised in a, with rest behind
// the rule's token.
func (r *rule) client(a *agent, rest string) Client {
	c := Client{Name: r.name, Class: r.class}
	if r.detail != nil {
		r.detail(a, rest, &c)
	} else {
		plain(a, rest, &c)
	}
	return c
}

// unknown takes the first product of a string that nothing recognised at its
// word: a maintainer's own updater is a client worth seeing. It has no class,
// unless its name says that it is a robot.
func unknown(a *agent) Client {
	if len(a.products) == 0 || !strings.HasPrefix(a.raw, a.products[0].name) || a.products[0].version == "" {
		return Client{}
	}
	var c Client
	c.Name = cleanName(a.products[0].name)
	if c.Name == "" || c.Name == "Mozilla" || c.Name == "Opera" {
		return Client{}
	}
	c.Version = versionOf(a.products[0].version)
	lower := strings.ToLower(c.Name)
	for _, word := range []string{"bot", "crawler", "spider"} {
		if strings.HasSuffix(lower, word) {
			c.Class, c.Bot = Bot, true
			return c
		}
	}
	// Apple's libraries say Darwin on a phone as on a Mac.
	if a.product("CFNetwork") == "" {
		scan(&c, a.raw)
	}
	return c
}

// cleanName returns a name that is a plain word of bounded length, else "".
func cleanName(s string) string {
	if len(s) > maxName {
		return ""
	}
	for i := range len(s) {
		if !isToken(s[i]) && s[i] != ' ' {
			return ""
		}
	}
	return s
}
