// Package npm reads install events of npm packages: what the postinstall script
// of the npm package @scarf/scarf posts to /package-event/install. Which package
// it counts for, recording and answering are the gateway's business.
//
// The facts are those of @scarf/scarf 1.4.0, report.js. It posts one JSON object
// with Content-Type application/json, no User-Agent, a timeout of three seconds
// and, where SCARF_API_TOKEN is set, Basic credentials that say nothing about the
// package:
//
//	{
//	  "libraryType": "npm",
//	  "rawPlatform": "linux",      // os.platform()
//	  "rawArch": "x64",            // os.arch()
//	  "nodeVersion": "22.1.0",
//	  "dependencyInfo": {
//	    "scarf": {"name": "@scarf/scarf", "version": "1.4.0"},
//	    "parent": {"name": "rocket-skates", "version": "2.0.1", "scarfSettings": {"defaultOptIn": true}, "gitSha": "…"},
//	    "grandparent": {"nameHash": "…", "versionHash": "…"},
//	    "rootPackage": {"nameHash": "…", "versionHash": "…"},
//	    "anyInChainDisabled": false
//	  }
//	}
//
// The parent is the published package that depends on @scarf/scarf, and so the
// one whose installs are counted; the others are hashed by the script. With
// SCARF_LOCAL_PORT=PORT it speaks plain HTTP to localhost:PORT instead of HTTPS
// to its own host, which is how it is tried out here.
package npm

import (
	"net/http"
	"strings"
	"time"

	"tallygate/routing/collect"
	"tallygate/routing/event"
	"tallygate/routing/variables"
)

// Path is where install events are posted; a package's id may follow after a
// slash.
const Path = "/package-event/install"

// MaxBody bounds the body in bytes. A real one has about 700.
const MaxBody = 64 << 10

// Match says whether a path is that of install events, and the package's id in
// it, percent-encoding resolved by the caller; empty if it names none.
func Match(path string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(path, Path)
	switch {
	case !ok:
		return "", false
	case rest == "", rest == "/":
		return "", true
	case rest[0] != '/':
		return "", false
	}
	return rest[1:], true
}

// Install is one install of a package.
type Install struct {
	Package string // its name on the registry, with its scope
	Version string

	platform, arch, node string
	variables            []event.Variable
}

// The names in the flattened body.
const (
	parentName    = "dependencyInfo.parent.name"
	parentVersion = "dependencyInfo.parent.version"
	rawPlatform   = "rawPlatform"
	rawArch       = "rawArch"
	nodeVersion   = "nodeVersion"
)

// Read reads the body of an install event. The fault says what is wrong with it.
// With an id in the path the body need not name the package.
func Read(r *http.Request, byID bool, now time.Time) (*Install, *collect.Fault) {
	limits := collect.DefaultLimits()
	limits.Bytes, limits.Objects = MaxBody, 1
	body := collect.ReadBody(r, limits.Bytes)
	defer body.Release()
	objects, fault := collect.Parse(body.Bytes, body.Partial, limits, now)
	if fault != nil {
		return nil, fault
	}
	if len(objects) == 0 {
		return nil, &collect.Fault{Status: http.StatusBadRequest, Reason: "the body is empty; an install event is one JSON object"}
	}
	in := &Install{variables: objects[0].Variables}
	for _, v := range in.variables {
		switch v.Name {
		case parentName:
			in.Package = v.Value
		case parentVersion:
			in.Version = v.Value
		case rawPlatform:
			in.platform = v.Value
		case rawArch:
			in.arch = v.Value
		case nodeVersion:
			in.node = v.Value
		}
	}
	if in.Version == "" {
		in.Version = objects[0].Version
	}
	if in.Package == "" && !byID {
		return nil, &collect.Fault{Status: http.StatusBadRequest, Reason: parentName + " names no package"}
	}
	return in, nil
}

// Fill sets what the install says on e.
func (in *Install) Fill(e *event.Event) {
	e.Type = event.PackageInstall
	e.Countable = true
	e.Version = variables.Cut(in.Version, variables.MaxValue)
	if in.platform != "" {
		variables.SetPlatform(e, in.platform)
	}
	if in.arch != "" {
		e.Arch = variables.NormalizeArch(in.arch)
	}
	if in.node != "" {
		// The script runs under node and names no User-Agent.
		e.Client, e.ClientVersion, e.ClientClass = "node", variables.Cut(in.node, variables.MaxName), "client"
	}
	var set variables.Set
	set.Grow(len(in.variables))
	for _, v := range in.variables {
		set.Add(v.Name, v.Value)
	}
	e.Variables = set.List()
}
