package ui

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tallygate/analytics/report"
	"tallygate/cluster/catalog"
)

// visible yields the packages that a user may see; owner, if not empty, narrows
// them to one owner's.
func (s *server) visible(user *catalog.User, owner string) iter.Seq[*catalog.Package] {
	cat := s.opts.Catalog()
	switch {
	case !user.Operator:
		return cat.PackagesOf(user.Name)
	case owner != "":
		return cat.PackagesOf(owner)
	default:
		return cat.Packages()
	}
}

type packagesPage struct {
	chrome
	Query string
	Type  catalog.PackageType
	Owner string
	Types []link
	Rows  []packageRow
	Total int64  // packages that the user may see; -1: not counted
	Prev  string // address of the page before; empty: this is the first
	Next  string
	Frame frame // of the downloads
	Clear string
}

type packageRow struct {
	Package   *catalog.Package
	Href      string
	Where     string // what clients ask for
	OwnerHref string // empty: the list is one owner's already
	Downloads int64
}

const (
	perPage = 50
	maxPage = 10_000
)

func (s *server) packages(w http.ResponseWriter, r *http.Request, user *catalog.User) error {
	v := r.URL.Query()
	q := strings.TrimSpace(v.Get("q"))
	if !readable(q) {
		q = "" // no package is called so
	}
	number, err := strconv.Atoi(v.Get("page"))
	if err != nil || number < 1 || number > maxPage {
		number = 1
	}
	page := packagesPage{
		chrome: s.chrome(r, user, "Packages", "packages"),
		Query:  q,
		Type:   catalog.PackageType(v.Get("type")),
		Total:  -1,
		Clear:  "/packages",
	}
	page.OwnSearch = true
	if user.Operator {
		page.Owner = v.Get("owner")
		if page.Owner == "" {
			page.Total = int64(s.opts.Catalog().Count(catalog.KindPackage))
		}
	}
	page.typeLinks()

	found := s.find(user, page.Owner, page.Type, q, (number-1)*perPage, perPage+1)
	if number > 1 {
		page.Prev = page.href(page.Type, number-1)
	}
	if len(found) > perPage {
		found = found[:perPage]
		page.Next = page.href(page.Type, number+1)
	}
	for _, p := range found {
		row := packageRow{Package: p, Href: packagePath(p), Where: s.opts.Gateway.where(p)}
		if user.Operator && page.Owner == "" {
			row.OwnerHref = "/packages?owner=" + url.QueryEscape(p.Owner)
		}
		page.Rows = append(page.Rows, row)
	}
	s.together(r.Context(), func(ctx context.Context) { s.countRows(ctx, user, &page) })
	return s.render(w, r, http.StatusOK, "packages.gohtml", page)
}

// find searches by parts of names: each word must be in owner/name. It looks at
// every package until it has enough; a look takes about 20 ns beside the catalog's
// own (BenchmarkFindNothing), so a search through a million stays below 0.1 s.
func (s *server) find(user *catalog.User, owner string, typ catalog.PackageType, q string, skip, limit int) []*catalog.Package {
	words := strings.Fields(strings.ToLower(q))
	var found []*catalog.Package
	for p := range s.visible(user, owner) {
		if typ != "" && p.Type != typ {
			continue
		}
		in := func(word string) bool {
			return strings.Contains(strings.ToLower(p.Name), word) || strings.Contains(p.Owner, word) ||
				strings.Contains(word, "/") && strings.Contains(strings.ToLower(packageName(p)), word)
		}
		if slices.ContainsFunc(words, func(word string) bool { return !in(word) }) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		found = append(found, p)
		if len(found) == limit {
			break
		}
	}
	return found
}

// countRows fills in the downloads of the last 28 days.
func (s *server) countRows(ctx context.Context, user *catalog.User, page *packagesPage) {
	page.Frame.ID = "packages"
	if len(page.Rows) == 0 {
		return
	}
	st := s.readState(url.Values{"owner": {page.Owner}}, user, nil)
	q := st.query()
	ids := report.Filter{Dimension: report.ByPackage}
	for _, row := range page.Rows {
		ids.Values = append(ids.Values, row.Package.ID)
	}
	q.Filters = []report.Filter{ids}
	rows, err := s.opts.Reports.Top(ctx, q, report.ByPackage, len(page.Rows))
	s.settle(ctx, &page.Frame, err)
	counts := make(map[string]int64, len(rows))
	for _, row := range rows {
		counts[row.Key] = row.Count
	}
	for i := range page.Rows {
		page.Rows[i].Downloads = counts[page.Rows[i].Package.ID]
	}
}

func (p *packagesPage) href(typ catalog.PackageType, number int) string {
	var pairs [][2]string
	if p.Query != "" {
		pairs = append(pairs, [2]string{"q", p.Query})
	}
	if typ != "" {
		pairs = append(pairs, [2]string{"type", string(typ)})
	}
	if p.Owner != "" {
		pairs = append(pairs, [2]string{"owner", p.Owner})
	}
	if number > 1 {
		pairs = append(pairs, [2]string{"page", strconv.Itoa(number)})
	}
	return address("/packages", pairs)
}

func (p *packagesPage) typeLinks() {
	p.Types = append(p.Types, link{Label: "All", Name: "All types", Href: p.href("", 1), Current: p.Type == ""})
	for _, t := range packageTypes {
		p.Types = append(p.Types, link{Label: typeName(t), Name: typeName(t), Href: p.href(t, 1), Current: p.Type == t})
	}
}

// where is what clients ask for to get a package: its image, index or first
// route.
func (g Gateway) where(p *catalog.Package) string {
	host := g.host(p)
	switch {
	case p.Image != nil:
		return host + "/" + p.Image.PublicName()
	case p.Index != nil:
		return host + "/simple/" + p.Index.Project + "/"
	case len(p.Routes) > 0:
		if d := p.Routes[0].Domain; d != "" {
			host = g.withPort(d)
		}
		return host + p.Routes[0].IncomingPath
	default:
		return ""
	}
}

type packagePage struct {
	chrome
	figures
	Package  *catalog.Package
	Commands []command
	Domains  []domainRow
	OwnHost  string // the owner's host that serves it; empty: it has domains
	Where    string
}

type domainRow struct {
	Name  string
	State catalog.DomainState // empty: nobody's claim serves
}

func (s *server) pkg(w http.ResponseWriter, r *http.Request, user *catalog.User) error {
	cat := s.opts.Catalog()
	p := cat.PackageByName(r.PathValue("owner"), catalog.PackageType(r.PathValue("type")), r.PathValue("name"))
	if p == nil || !maySee(user, p) {
		return errNotFound
	}
	st := s.readState(r.URL.Query(), user, p)
	page := packagePage{
		chrome:   s.chrome(r, user, packageName(p), "packages"),
		figures:  s.figures(r.Context(), st),
		Package:  p,
		Commands: s.opts.Gateway.commands(p),
		Where:    s.opts.Gateway.where(p),
	}
	for _, d := range p.Domains {
		row := domainRow{Name: d.Name}
		if claim := cat.ServingDomain(d.Name); claim != nil && claim.Owner == p.Owner {
			row.State = claim.State
		}
		page.Domains = append(page.Domains, row)
	}
	if len(p.Domains) == 0 {
		page.OwnHost = s.opts.Gateway.host(p)
	}
	return s.render(w, r, http.StatusOK, "package.gohtml", page)
}
