// Package client tells from a User-Agent which program asked: a package
// manager, a container engine, a browser, a mirror, an automation or a crawler,
// with its version, operating system and architecture where the string names
// them.
//
// A User-Agent is a claim. Nothing here decides what is served; it only
// describes who came.
package client

import "tallygate/routing/event"

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

// Recognizer recognises clients and remembers what it saw. It is safe for
// concurrent use.
type Recognizer struct{}

// New returns a Recognizer with an empty memory.
func New() *Recognizer { return &Recognizer{} }

// Recognize says what client sends userAgent. The zero Client is unknown. A
// string that was seen lately costs a look-up and no allocation.
func (r *Recognizer) Recognize(userAgent string) Client { return Client{} }
