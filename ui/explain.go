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
		case !s.mayExplain(user, &found):
			page.Error = "That host isn't yours, so its rules aren't shown."
		default:
			page.Result = s.explanation(user, found)
		}
	}
	return s.render(w, r, http.StatusOK, "explain.gohtml", page)
}

// mayExplain says whether a user may see how a host decides: operators may, and
// who owns the host or what is served there.
func (s *server) mayExplain(user *catalog.User, e *Explanation) bool {
	if user.Operator || e.HostKind == "" || e.Owner == user.Name {
		return true
	}
	return e.Winner != nil && s.candidateHref(user, e.Winner) != ""
}

func (s *server) explanation(user *catalog.User, e Explanation) *explanation {
	out := &explanation{Explanation: e}
	if e.Winner != nil {
		out.Winner = &candidate{*e.Winner, s.candidateHref(user, e.Winner)}
	}
	for _, c := range e.Others {
		href := s.candidateHref(user, &c)
		// On a shared host, rules of other owners are theirs alone.
		if user.Operator || href != "" || c.PackageID == "" {
			out.Others = append(out.Others, candidate{c, href})
		}
	}
	return out
}

func (s *server) candidateHref(user *catalog.User, c *Candidate) string {
	if p := s.opts.Catalog().Package(c.PackageID); p != nil && maySee(user, p) {
		return packagePath(p)
	}
	return ""
}
