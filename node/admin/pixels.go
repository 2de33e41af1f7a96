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

// pixels lists the pixels, of one owner or of all, each with its snippets.
func (a *API) pixels(w http.ResponseWriter, r *request) error {
	view := a.opts.Catalog.View()
	all := view.Pixels()
	if owner := r.URL.Query().Get("owner"); owner != "" {
		if !view.HasOwner(owner) {
			return &Problem{Status: http.StatusNotFound, Title: "unknown owner", Detail: "there is no organization or user " + owner}
		}
		all = view.PixelsOf(owner)
	}
	out := []Pixel{}
	for p := range all {
		out = append(out, a.pixel(p))
	}
	slices.SortFunc(out, func(x, y Pixel) int {
		return cmp.Or(cmp.Compare(x.Owner, y.Owner), cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID))
	})
	return writeJSON(w, map[string]any{"pixels": out})
}

func (a *API) pixel(p *catalog.Pixel) Pixel {
	host := "static." + a.opts.BaseDomain
	if len(p.Domains) > 0 {
		host = p.Domains[0]
	}
	return Pixel{
		ID: p.ID, Owner: p.Owner, Name: p.Name, PackageID: p.PackageID,
		URL: pixel.URL(host, p.ID), HTML: pixel.HTML(host, p.ID),
		Markdown: pixel.Markdown(host, p.ID), SPA: pixel.SPA(host, p.ID),
	}
}
