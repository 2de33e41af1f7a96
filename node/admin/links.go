package admin

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"tallygate/cluster/catalog"
	"tallygate/node/access"
)

// SignInLink is a link that signs a person in once.
type SignInLink struct {
	URL       string    `json:"url"`
	User      string    `json:"user"`
	ExpiresAt time.Time `json:"expires_at"`
}

// LinkURL is the page that redeems a sign-in link's secret. The page asks
// for a click, so that a chat program's preview doesn't use the link up.
func LinkURL(base, secret string) string {
	return base + "/sign-in/link?" + url.Values{"secret": {secret}}.Encode()
}

func (a *API) newSignInLink(w http.ResponseWriter, r *request) error {
	var in struct {
		User string `json:"user"`
	}
	if err := readJSON(r, &in); err != nil {
		return err
	}
	if in.User == "" {
		in.User = access.OperatorName
	}
	if in.User != access.OperatorName && a.opts.Catalog.View().UserByName(in.User) == nil {
		return &Problem{Status: http.StatusUnprocessableEntity, Title: "unknown user", Errors: []FieldProblem{{Field: "user", Message: "there is no user " + in.User}}}
	}
	secret, expires, err := a.opts.Access.NewSignInLink(r.Context(), r.id.Actor(r.requestID), in.User)
	if err != nil {
		return err
	}
	return writeJSON(w, SignInLink{URL: LinkURL(a.opts.BaseURL(), secret), User: in.User, ExpiresAt: expires})
}

// Token is an API token as its maker sees it, once.
type Token struct {
	Name      string          `json:"name"`
	User      string          `json:"user"`
	Secret    string          `json:"secret"`
	Scopes    []catalog.Scope `json:"scopes"`
	ExpiresAt time.Time       `json:"expires_at,omitzero"`
}

// AllScopes are all rights a token can have.
var AllScopes = []catalog.Scope{catalog.ScopeRead, catalog.ScopeWrite, catalog.ScopeExport, catalog.ScopeSQL, catalog.ScopeCluster}

func (a *API) newToken(w http.ResponseWriter, r *request) error {
	in := Token{User: access.OperatorName}
	if err := readJSON(r, &in); err != nil {
		return err
	}
	p := &Problem{Status: http.StatusUnprocessableEntity, Title: "the token can't be made"}
	if in.Name == "" {
		p.Errors = append(p.Errors, FieldProblem{Field: "name", Message: "is empty: say what the token is for"})
	}
	if in.User != access.OperatorName && a.opts.Catalog.View().UserByName(in.User) == nil {
		p.Errors = append(p.Errors, FieldProblem{Field: "user", Message: "there is no user " + in.User})
	}
	if len(in.Scopes) == 0 {
		in.Scopes = AllScopes
	}
	for _, s := range in.Scopes {
		if !slices.Contains(AllScopes, s) {
			p.Errors = append(p.Errors, FieldProblem{Field: "scopes", Message: "unknown scope " + string(s) + ": use read, write, export, sql or cluster"})
		}
	}
	if !in.ExpiresAt.IsZero() && in.ExpiresAt.Before(a.opts.Now()) {
		p.Errors = append(p.Errors, FieldProblem{Field: "expires_at", Message: "lies in the past"})
	}
	if p.Errors != nil {
		return p
	}
	var err error
	in.Secret, err = a.opts.Access.NewToken(r.Context(), r.id.Actor(r.requestID), in.User, in.Name, in.Scopes, in.ExpiresAt)
	if err != nil {
		return err
	}
	return writeJSON(w, in)
}
