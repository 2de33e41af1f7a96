package ui

import (
	"net/http"
	"slices"
	"strings"

	"tallygate/cluster/catalog"
)

type explainPage struct {
	chrome
	URL     string
	Method  string
	Methods []string
	Error   string
	Result  *explanation
}

// explanation is an Explanation as the page shows it.
type explanation struct {
	Explanation
	Winner *candidate
	Others []candidate
}

type candidate struct {
	Candidate
	Href string // of the package's page; empty: none, or not theirs to see
}

// explainMethods are the methods that routes tell apart.
var explainMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost}

func (s *server) explain(w http.ResponseWriter, r *http.Request, user *catalog.User) error {
	v := r.URL.Query()
	page := explainPage{
		chrome:  s.chrome(r, user, "Explain", "explain"),
		URL:     strings.TrimSpace(v.Get("url")),
		Method:  v.Get("method"),
		Methods: explainMethods,
	}
	if !slices.Contains(explainMethods, page.Method) {
		page.Method = http.MethodGet
	}
	if page.URL != "" {
		target := page.URL
		if !strings.Contains(target, "://") {
			target = s.opts.Gateway.scheme() + "://" + target
		}
		found, err := s.opts.Explain(page.Method, target)
		switch {
		case err != nil:
			page.Error = err.Error()
		case !mayExplain(user, &found):
			page.Error = "That host isn't yours, so its rules aren't shown."
		default:
			page.Result = s.explanation(user, found)
		}
	}
	return s.render(w, r, http.StatusOK, "explain.gohtml", page)
}

// mayExplain says whether a user may see how a host decides: operators may, and
// who owns the host or the rule that wins. That nothing serves an address, anybody
// can find out by asking for it.
func mayExplain(user *catalog.User, e *Explanation) bool {
	if user.Operator || e.Owner == user.Name || len(e.Candidates) == 0 {
		return true
	}
	return slices.ContainsFunc(e.Candidates, func(c Candidate) bool { return c.Wins && c.Owner == user.Name })
}

func (s *server) explanation(user *catalog.User, e Explanation) *explanation {
	cat := s.opts.Catalog()
	out := &explanation{Explanation: e}
	for _, c := range e.Candidates {
		// On a shared host, the rules of other owners are theirs alone.
		if !user.Operator && c.Owner != user.Name {
			continue
		}
		shown := candidate{Candidate: c}
		if p := cat.Package(c.PackageID); p != nil && maySee(user, p) {
			shown.Href = packagePath(p)
		}
		if c.Wins {
			out.Winner = &shown
		} else {
			out.Others = append(out.Others, shown)
		}
	}
	return out
}
