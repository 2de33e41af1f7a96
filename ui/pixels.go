package ui

import (
	"net/http"
	"strconv"

	"tallygate/cluster/catalog"
)

type pixelsPage struct {
	chrome
	Pixels []pixelRow
	Prev   string // address of the page before; empty: this is the first
	Next   string
}

type pixelRow struct {
	Pixel
	Title    string // its name, or its id where it has none
	PkgName  string // "acme/docs"; empty: it belongs to no package
	PkgHref  string // of the package's page
	Snippets []command
}

// pixelsPerPage is small: every pixel shows what is copied into pages.
const pixelsPerPage = 20

func (s *server) pixels(w http.ResponseWriter, r *http.Request, user *catalog.User) error {
	page := pixelsPage{chrome: s.chrome(r, user, "Pixels", "pixels")}
	owner := ""
	if !user.Operator {
		owner = user.Name
	}
	all := s.opts.Pixels(owner)
	number, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || number < 1 {
		number = 1
	}
	last := max(1, (len(all)+pixelsPerPage-1)/pixelsPerPage)
	number = min(number, last)
	if number > 1 {
		page.Prev = "/pixels?page=" + strconv.Itoa(number-1)
	}
	if number < last {
		page.Next = "/pixels?page=" + strconv.Itoa(number+1)
	}
	cat := s.opts.Catalog()
	first := (number - 1) * pixelsPerPage
	for i, p := range all[first:min(len(all), first+pixelsPerPage)] {
		page.Pixels = append(page.Pixels, pixelOf(cat, user, p, "pixel-"+strconv.Itoa(i)))
	}
	return s.render(w, r, http.StatusOK, "pixels.gohtml", page)
}

// pixelOf prepares a pixel for the page; id begins the ids of its elements.
func pixelOf(cat Catalog, user *catalog.User, p Pixel, id string) pixelRow {
	row := pixelRow{Pixel: p, Title: p.Name, Snippets: []command{
		{ID: id + "-html", Label: "HTML, for pages and READMEs", Text: p.HTML},
		{ID: id + "-markdown", Label: "Markdown, where HTML isn’t let through", Text: p.Markdown},
		{ID: id + "-spa", Label: "JavaScript, for single-page applications", Text: p.SPA},
	}}
	if row.Title == "" {
		row.Title = p.ID
	}
	if pkg := cat.Package(p.PackageID); pkg != nil && maySee(user, pkg) {
		row.PkgName, row.PkgHref = pkg.Owner+"/"+pkg.Name, packagePath(pkg)
	}
	return row
}
