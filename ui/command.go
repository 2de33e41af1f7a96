package ui

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/yosida95/uritemplate/v3"

	"tallygate/cluster/catalog"
)

// command is something to copy into a terminal.
type command struct {
	ID    string // of the element that holds the text
	Label string
	Text  string
	Note  string // what to fill in; may be empty
}

// host returns the name that clients use for a package: its first domain, else
// the owner's own host, with the port if it isn't the scheme's own.
func (g Gateway) host(p *catalog.Package) string {
	name := p.Owner + ".gateway." + g.BaseDomain
	if p.Type == catalog.Docker {
		name = p.Owner + ".docker." + g.BaseDomain
	}
	if len(p.Domains) > 0 {
		name = p.Domains[0].Name
	}
	return g.withPort(name)
}

func (g Gateway) withPort(name string) string {
	if g.Port == "" {
		return name
	}
	return net.JoinHostPort(name, g.Port)
}

func (g Gateway) scheme() string {
	if g.Scheme == "" {
		return "http"
	}
	return g.Scheme
}

// maxCommands bounds the commands of one package: a page of routes is no help.
const maxCommands = 3

// commands returns how to get a package through the gateway, the best first.
func (g Gateway) commands(p *catalog.Package) []command {
	host := g.host(p)
	base := g.scheme() + "://" + host
	var cs []command
	switch p.Type {
	case catalog.Docker:
		if p.Image != nil {
			cs = append(cs, command{Label: "Pull the image", Text: "docker pull " + quote(host+"/"+p.Image.PublicName())})
		}
	case catalog.Python:
		if p.Index != nil {
			text := "pip install --extra-index-url " + quote(base+"/simple/") + " "
			if g.scheme() == "http" {
				text = "pip install --trusted-host " + quote(host) + " --extra-index-url " + quote(base+"/simple/") + " "
			}
			cs = append(cs, command{Label: "Install the project", Text: text + quote(p.Index.Project)})
		}
	case catalog.Event:
		for _, route := range p.Routes {
			path, note := example(route)
			text := "curl -d " + quote(`{"version": "1.0.0", "platform": "linux"}`) + " -H " + quote("Content-Type: application/json")
			if p.Events != nil && p.Events.Restricted {
				text += " -H " + quote("Authorization: Bearer TOKEN")
			}
			cs = append(cs, command{Label: "Post an event", Text: text + " " + quote(g.routeBase(p, route)+path), Note: note})
		}
	default:
		for _, route := range byHelp(p.Routes) {
			path, note := example(route)
			c := command{Label: "Download the file", Text: "curl -fLO " + quote(g.routeBase(p, route)+path), Note: note}
			if route.OutgoingURL == nil {
				c.Label, c.Text = "Send a request", "curl -i "+quote(g.routeBase(p, route)+path)
			} else if strings.HasSuffix(path, "/") || route.Kind == catalog.CatchAllRoute {
				c.Text = "curl -fL " + quote(g.routeBase(p, route)+path)
			}
			cs = append(cs, c)
		}
	}
	if len(cs) > maxCommands {
		cs = cs[:maxCommands]
	}
	for i := range cs {
		cs[i].ID = commandID(i)
	}
	return cs
}

// commandID is the id of the i-th command on a page.
func commandID(i int) string { return "command-" + strconv.Itoa(i+1) }

// byHelp puts routes that say what to ask for before regular expressions, which
// don't.
func byHelp(routes []catalog.Route) []catalog.Route {
	sorted := slices.Clone(routes)
	slices.SortStableFunc(sorted, func(a, b catalog.Route) int {
		last := func(r catalog.Route) int {
			if r.Kind == catalog.RegexpRoute {
				return 1
			}
			return 0
		}
		return last(a) - last(b)
	})
	return sorted
}

// routeBase is where a route is asked for: at its own domain if it has one.
func (g Gateway) routeBase(p *catalog.Package, route catalog.Route) string {
	if route.Domain != "" {
		return g.scheme() + "://" + g.withPort(route.Domain)
	}
	return g.scheme() + "://" + g.host(p)
}

// example writes a path that a route answers, with the names of its variables in
// capitals for values.
func example(route catalog.Route) (path, note string) {
	switch route.Kind {
	case catalog.RegexpRoute:
		return "/PATH", "PATH must match " + route.IncomingPath
	case catalog.CatchAllRoute:
		return strings.TrimSuffix(route.IncomingPath, "*"), ""
	}
	template, err := uritemplate.New(route.IncomingPath)
	if err != nil {
		return route.IncomingPath, ""
	}
	values := uritemplate.Values{}
	var names []string
	for _, name := range template.Varnames() {
		upper := strings.ToUpper(name)
		values.Set(name, uritemplate.String(upper))
		names = append(names, upper)
	}
	if path, err = template.Expand(values); err != nil {
		return route.IncomingPath, ""
	}
	if len(names) > 0 {
		note = "Put values for " + strings.Join(names, ", ")
	}
	return path, note
}

// quote writes a word for a POSIX shell, as it is where that is safe.
func quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+=,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
