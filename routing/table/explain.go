package table

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tallygate/cluster/catalog"
	"tallygate/routing/template"
)

// Explanation is the answer to "which rule serves this URL, and why?"
type Explanation struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Host   string `json:"host"`
	Owner  string `json:"owner,omitempty"`
	// Summary is the answer in a sentence or two.
	Summary    string      `json:"summary"`
	Candidates []Candidate `json:"candidates"` // in the order in which they are tried; the first that matches wins
	// Location is where the request is sent; empty when nothing matches or the
	// rule answers by itself.
	Location string `json:"location,omitempty"`
}

// Candidate is one rule that came close to a request.
type Candidate struct {
	RuleRef
	Matches   bool   `json:"matches"`
	Wins      bool   `json:"wins"`
	Why       string `json:"why"` // a sentence
	Variables []Var  `json:"variables,omitempty"`
}

// maxCandidates is how many rules an explanation names. A host may have thousands
// that come close, and nobody reads on.
const maxCandidates = 50

// explainer collects the candidates of one request.
type explainer struct {
	Explanation
	host  *Host
	path  string
	query string
	rules []*Rule // of Candidates
}

// Explain says which rules a request meets, which of them wins, and why. It goes
// the way that the gateway goes. rawURL may lack a scheme.
func (t *Table) Explain(method, rawURL string) Explanation {
	e := &explainer{Explanation: Explanation{Method: method, URL: rawURL, Candidates: []Candidate{}}}
	e.explain(t)
	return e.Explanation
}

func (e *explainer) explain(t *Table) {
	full := e.URL
	if !strings.Contains(full, "://") {
		full = "http://" + strings.TrimPrefix(full, "//")
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" {
		e.Summary = "That is not a URL: give a host and a path, as in https://dl.example.com/app/1.0."
		return
	}
	e.path, e.query = u.EscapedPath(), u.RawQuery
	if e.path == "" {
		e.path = "/"
	}
	e.Host = strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	e.host = t.Host(e.Host)
	if e.host == nil {
		e.Summary = t.unserved(e.Host)
		return
	}
	e.Owner = e.host.owner
	if e.installs() {
		e.Summary = "It is an npm install event, which is taken before any rule is looked at."
		return
	}
	switch e.host.kind {
	case BaseHost:
		e.Summary = "The base domain serves badges, npm install events and the status page; no rules apply to it."
	case StaticHost:
		e.Summary = "The pixel host serves tracking pixels at /a.png?x-pxid=ID and nothing else."
	case DockerHost:
		e.images(true)
	default:
		e.ownHost()
	}
}

// installs says whether the request is an npm install event.
func (e *explainer) installs() bool {
	const path = "/package-event/install"
	return e.Method == http.MethodPost && (e.path == path || strings.HasPrefix(e.path, path+"/")) &&
		e.host.kind != DockerHost && e.host.kind != StaticHost
}

// unserved says why nobody serves a host.
func (t *Table) unserved(name string) string {
	var owners []string
	for h := t.hosts.get(fit(hashOf(name))).host; h != nil; h = h.other {
		if h.name == name {
			owners = append(owners, h.owner)
		}
	}
	if owners != nil {
		return fmt.Sprintf("Nobody serves %s: %s has packages there, but no claim on the domain is verified or set by an operator.", name, strings.Join(owners, " and "))
	}
	if owner, kind, ok := t.ownHost(name); ok && owner != "" {
		return fmt.Sprintf("Nobody serves %s: %s has nothing that is served at a %s of its own.", name, owner, kind)
	}
	return fmt.Sprintf("Nobody serves %s: it is neither one of the cluster's own hosts nor a domain that an owner has claimed.", name)
}

// ownHost explains an owner's gateway host or custom domain.
func (e *explainer) ownHost() {
	if (e.path == "/v2" || strings.HasPrefix(e.path, "/v2/")) && e.host.HasImages() {
		e.images(false)
		return
	}
	if e.path == "/a.png" && e.host.HasPixels() && hasParam(e.query, "x-pxid") {
		e.Summary = "It is a tracking pixel, which is served before templates are looked at."
		return
	}
	m := new(Match)
	won := e.host.Match(e.Method, e.path, e.query, m)
	var wins *Rule
	if won {
		wins = m.Rule
	}
	if index, ends := e.python(won, m.Rule); ends {
		wins = index
		if index == nil && e.Summary == "" {
			e.Summary = "The path belongs to the package index, which has no such project: the answer is 404."
		}
	}
	e.templates(e.host.templates, m)
	e.regexps()
	e.templates(e.host.events, m)
	e.catchAlls()
	e.finish(wins, m)
}

// python adds the package index's project, if the path names one. It says whether
// the index answers, and for which project; nil for its root or an unknown one.
func (e *explainer) python(matched bool, by *Rule) (project *Rule, answers bool) {
	if e.path != "/simple" && !strings.HasPrefix(e.path, "/simple/") || !e.host.HasPython() {
		return nil, false
	}
	if matched && by.Kind < PythonRule {
		return nil, false
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(e.path, "/simple"), "/"), "/")
	if name == "" {
		e.Summary = "The package index answers with the list of its projects."
		return nil, true
	}
	if decoded, err := url.PathUnescape(name); err == nil {
		name = decoded
	}
	if r := e.host.Python(catalog.NormalizePythonProject(name)); r != nil {
		e.add(r, true, nil)
		return r, true
	}
	// A catch-all behind the index serves what the index doesn't know.
	return nil, !matched
}

// images explains a host's registry.
func (e *explainer) images(only bool) {
	name, ok := repository(e.path)
	switch {
	case !ok && only:
		e.Summary = "The image host serves the registry under /v2/ and nothing else."
		return
	case !ok:
		e.Summary = "The path belongs to the registry and names no repository: the registry answers by itself."
		return
	}
	wins := e.host.Image(name)
	if e.host.more != nil {
		if l := e.host.more.images.get(fit(hashOf(name))); l != nil {
			for _, r := range l.rules {
				if r.Package.Image.PublicName() == name {
					e.add(r, true, nil)
				}
			}
		}
		for n, rest := e.host.more.collections, name; n != nil; n, rest = n.down(rest, forwards) {
			if n.val == nil {
				continue
			}
			for _, r := range n.val.rules {
				e.add(r, r.rest.image.match(name), nil)
			}
		}
	}
	e.finish(wins, nil)
	if wins == nil {
		e.Summary = fmt.Sprintf("No image and no collection of %s is named %s: the registry answers NAME_UNKNOWN.", e.Host, name)
	}
}

// repository is the repository that a registry path asks for (OCI distribution
// spec, "end points").
func repository(path string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/v2/")
	if !ok {
		return "", false
	}
	for _, mark := range []string{"/manifests/", "/blobs/", "/tags/", "/referrers/"} {
		if i := strings.LastIndex(rest, mark); i > 0 {
			return rest[:i], true
		}
	}
	return "", false
}

// templates adds the templates that match the path.
func (e *explainer) templates(f finder, m *Match) {
	q := new(search)
	q.reset(&m.subject)
	c := &q.captures[0]
	q.every = func(r *templateRule) {
		switch {
		case r.incoming.Match(&m.subject, c):
			vars := make([]Var, c.Len())
			for i := range vars {
				vars[i] = Var{r.incoming.Name(i), c.Value(i)}
			}
			e.add(&r.Rule, true, vars)
		case r.incoming.MatchPath(&m.subject, c):
			e.add(&r.Rule, false, nil)
			e.Candidates[len(e.Candidates)-1].Why = "It does not match: " + r.incoming.Missing(&m.subject) + "."
		}
	}
	q.visit(f)
}

// regexps adds the regular expressions that match.
func (e *explainer) regexps() {
	if e.host.more == nil {
		return
	}
	var s template.Subject
	if !s.Reset(e.path, e.query) {
		return
	}
	for _, r := range e.host.more.regexps.candidates(nil, s.Path()) {
		re := r.rest.re
		at := re.find(s.Path())
		if at == nil || at[0] == at[1] {
			continue
		}
		var c template.Captures
		re.capture(at, &s, &c)
		var vars []Var
		for i, name := range re.names {
			if c.IsSet(i) {
				vars = append(vars, Var{name, c.Decoded(i)})
			}
		}
		e.add(r, true, vars)
	}
}

// catchAlls adds the catch-alls whose prefix the path has.
func (e *explainer) catchAlls() {
	if e.host.more == nil {
		return
	}
	var s template.Subject
	s.Reset(e.path, e.query)
	for n, rest := e.host.more.catchAlls, s.Path(); n != nil; n, rest = n.down(rest, forwards) {
		if n.val != nil {
			for _, r := range n.val.rules {
				e.add(r, true, nil)
			}
		}
	}
}

func (e *explainer) add(r *Rule, matches bool, vars []Var) {
	e.rules = append(e.rules, r)
	e.Candidates = append(e.Candidates, Candidate{RuleRef: r.ref(), Matches: matches, Variables: vars})
}

// finish sorts the candidates as they are tried, says why the first that matches
// wins over each of the others, and expands its location.
func (e *explainer) finish(wins *Rule, m *Match) {
	order := make([]int, len(e.rules))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return e.rules[i].tried(e.rules[j]) })
	candidates := make([]Candidate, 0, min(len(order), maxCandidates))
	matching := 0
	for _, i := range order {
		c := e.Candidates[i]
		if c.Matches {
			matching++
		}
		switch c.Wins = e.rules[i] == wins; {
		case c.Wins && wins.Kind == EventRule && m.Origins() == 0:
			c.Why = "It wins, and takes events by POST."
		case c.Wins && m != nil && wins.Kind != PythonRule && m.Origins() == 0:
			c.Why = "It wins, and answers 200 by itself: it has no outgoing URL."
		case c.Wins:
			c.Why = "It wins."
		case c.Matches && wins != nil:
			c.Why = "It matches too, but " + wins.beats(e.rules[i]) + "."
		case c.Matches:
			c.Why = "It matches too, but the package index is asked before it."
		case c.Why == "":
			c.Why = "It does not match."
		}
		if len(candidates) < maxCandidates {
			candidates = append(candidates, c)
		}
	}
	e.Candidates = candidates
	if wins == nil {
		if e.Summary == "" {
			e.Summary = fmt.Sprintf("No rule of %s matches: the answer is 404.", e.Host)
		}
		return
	}
	e.Summary = e.wins(wins, matching)
	if m != nil && wins == m.Rule && m.Origins() > 0 {
		location, _, err := m.Location(0)
		if err != nil {
			e.Summary += " But it can't be sent on (" + err.Error() + "): the answer is 404."
			return
		}
		e.Location = location
	}
}

// wins is the summary for a winner among some that match.
func (e *explainer) wins(r *Rule, matching int) string {
	what := fmt.Sprintf("The %s %s", r.Kind, r.ref().Pattern)
	if r.Package != nil {
		what += fmt.Sprintf(" of %s/%s", r.Package.Owner, r.Package.Name)
	} else {
		what += " of " + r.Owner()
	}
	if matching <= 1 {
		return what + " serves it: no other rule matches."
	}
	for _, c := range e.Candidates {
		if c.Matches && !c.Wins {
			_, why, _ := strings.Cut(c.Why, "but ")
			return fmt.Sprintf("%s serves it, out of %d rules that match: against the next, %s, %s", what, matching, c.Pattern, why)
		}
	}
	return what + " serves it."
}

// hasParam says whether a query has a parameter of that name.
func hasParam(query, name string) bool {
	values, _ := url.ParseQuery(query) // what can be read of a malformed one
	return values.Has(name)
}
