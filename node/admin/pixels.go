package admin

import (
	"cmp"
	"net/http"
	"slices"

	"tallygate/cluster/catalog"
	"tallygate/routing/pixel"
)

// Pixel is a tracking pixel with what is copied into pages.
type Pixel struct {
	ID        string `json:"id"`
	Owner     string `json:"owner"`
	Name      string `json:"name,omitempty"`
	PackageID string `json:"package_id,omitempty"`
	URL       string `json:"url"`
	HTML      string `json:"html"`     // for pages and READMEs
	Markdown  string `json:"markdown"` // where HTML isn't let through
	SPA       string `json:"spa"`      // a script for single-page applications
}

// Pixels gives the pixels of one owner, or of all for "", each with its snippets,
// by owner and name. baseDomain's static host serves those that have no domain of
// their own.
func Pixels(view *catalog.View, owner, baseDomain string) []Pixel {
	all := view.Pixels()
	if owner != "" {
		all = view.PixelsOf(owner)
	}
	out := []Pixel{}
	for p := range all {
		out = append(out, withSnippets(p, baseDomain))
	}
	slices.SortFunc(out, func(x, y Pixel) int {
		return cmp.Or(cmp.Compare(x.Owner, y.Owner), cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID))
	})
	return out
}

func (a *API) pixels(w http.ResponseWriter, r *request) error {
	view := a.opts.Catalog.View()
	owner := r.URL.Query().Get("owner")
	if owner != "" && !view.HasOwner(owner) {
		return &Problem{Status: http.StatusNotFound, Title: "unknown owner", Detail: "there is no organization or user " + owner}
	}
	return writeJSON(w, map[string]any{"pixels": Pixels(view, owner, a.opts.BaseDomain)})
}

func withSnippets(p *catalog.Pixel, baseDomain string) Pixel {
	host := "static." + baseDomain
	if len(p.Domains) > 0 {
		host = p.Domains[0]
	}
	return Pixel{
		ID: p.ID, Owner: p.Owner, Name: p.Name, PackageID: p.PackageID,
		URL: pixel.URL(host, p.ID), HTML: pixel.HTML(host, p.ID),
		Markdown: pixel.Markdown(host, p.ID), SPA: pixel.SPA(host, p.ID),
	}
}
