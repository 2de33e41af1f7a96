package admin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tallygate/cluster/catalog"
	"tallygate/cluster/catalog/document"
	"tallygate/cluster/catalog/manifest"
	"tallygate/node/access"
	"tallygate/routing/table"
)

const (
	// maxApplyBytes bounds a catalog file: 100,000 packages take about 30 MB.
	maxApplyBytes = 512 << 20

	// maxApplyOps bounds the operations of one command, so that a large file
	// does not become one raft entry that holds up all others.
	maxApplyOps = 2000
)

// ApplyOptions are one file to apply and in whose name.
type ApplyOptions struct {
	Catalog    access.Catalog
	BaseDomain string // its names can't be claimed

	Name     string // of the file, for messages
	Data     []byte
	Manifest bool   // a gateway manifest instead of our own format
	Owner    string // of entries that name none
	Prune    bool
	DryRun   bool
	Actor    catalog.Actor
	Now      time.Time // zero: now
}

// Applied is what was applied, or would be.
type Applied struct {
	Plan *document.Plan
}

// Apply makes the catalog what a file says. The file is judged as a whole: with
// one mistake in it, nothing is applied, and the *Problem names them all. Without
// mistakes a large file is applied in several commands, and each of them is
// atomic; should one be refused because the catalog changed meanwhile, the
// problem says so, and applying the file again goes on from there.
func Apply(ctx context.Context, o ApplyOptions) (*Applied, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	var doc *document.Document
	if o.Manifest {
		doc, _ = manifest.Parse(o.Name, o.Data, manifest.Options{Owner: o.Owner})
	} else {
		doc, _ = document.Parse(o.Name, o.Data)
	}
	// What is wrong with reading the file, the plan tells again, in the file's
	// order beside what the catalog would refuse.
	options := document.PlanOptions{
		Prune: o.Prune, Owner: o.Owner, NewID: catalog.NewID, Now: o.Now.UTC(), Actor: o.Actor,
		Check: func(cmd *catalog.Command) []*catalog.Error {
			return append(catalog.CheckReserved(cmd, o.BaseDomain), unroutable(cmd)...)
		},
	}
	view := o.Catalog.View()
	plan, problems := doc.Plan(view, options)
	if len(problems) > 0 {
		// Of a route that both refuse, the catalog's words are the better ones.
		options.Check = func(cmd *catalog.Command) []*catalog.Error { return catalog.CheckReserved(cmd, o.BaseDomain) }
		_, known := doc.Plan(view, options)
		problems = withoutRepeats(problems, known)
	}
	if len(problems) > 0 {
		return nil, mistakes(problems)
	}
	if o.DryRun {
		return &Applied{plan}, nil
	}
	for _, cmd := range plan.Commands(maxApplyOps, catalog.NewID) {
		result, err := o.Catalog.Propose(ctx, cmd)
		if err != nil {
			return nil, err
		}
		if len(result.Errors) > 0 {
			return nil, refusal(result.Errors)
		}
	}
	return &Applied{plan}, nil
}

func (a *API) apply(w http.ResponseWriter, r *request) error {
	q := r.URL.Query()
	prune, err := flag(q.Get("prune"), "prune")
	if err != nil {
		return err
	}
	dryRun, err := flag(q.Get("dry_run"), "dry_run")
	if err != nil {
		return err
	}
	format := q.Get("format")
	if format != "" && format != "catalog" && format != "manifest" {
		return &Problem{Status: http.StatusBadRequest, Title: "unknown format " + strconv.Quote(format), Detail: "use catalog or manifest"}
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxApplyBytes))
	if err != nil {
		return &Problem{Status: http.StatusRequestEntityTooLarge, Title: "the file can't be read", Detail: err.Error()}
	}
	applied, err := Apply(r.Context(), ApplyOptions{
		Catalog: a.opts.Catalog, BaseDomain: a.opts.BaseDomain,
		Name: q.Get("name"), Data: data, Manifest: format == "manifest", Owner: q.Get("owner"),
		Prune: prune, DryRun: dryRun, Actor: r.id.Actor(r.requestID), Now: a.opts.Now(),
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err := applied.Plan.WriteDiff(w); err != nil {
		return err
	}
	a.warn(w, applied.Plan)
	return nil
}

// warn names the routes of the changed packages that meet another route. It is
// not an error: the more specific one serves, as the warning says.
func (a *API) warn(w io.Writer, plan *document.Plan) {
	t := a.opts.Table()
	if t == nil {
		return
	}
	for _, change := range plan.Changes {
		pkg, ok := change.After.(*catalog.Package)
		if !ok || pkg == nil {
			continue
		}
		for _, c := range t.Conflicts(pkg) {
			fmt.Fprintf(w, "warning: on %s, %s %s of %s/%s and %s %s of %s/%s both match %s: %s\n", c.Host,
				c.Rule.Kind, c.Rule.Pattern, c.Rule.Owner, c.Rule.Package,
				c.Other.Kind, c.Other.Pattern, c.Other.Owner, c.Other.Package, c.Sample, c.Wins)
		}
	}
}

// unroutable finds routes that the catalog takes and the routing table can't serve:
// the catalog knows the names in a template but not all of its language. What the
// catalog refuses by itself is left to its own words.
func unroutable(cmd *catalog.Command) []*catalog.Error {
	var errs []*catalog.Error
	for op := range cmd.Ops {
		p := cmd.Ops[op].Package
		if p == nil {
			continue
		}
		for i := range p.Routes {
			for _, err := range table.CheckRoute(p.Type, &p.Routes[i]) {
				errs = append(errs, &catalog.Error{
					Code: "incoming-path-invalid-url-template", Op: op, Kind: catalog.KindPackage,
					Object: p.Owner + "/" + p.Name, Field: fmt.Sprintf("routes[%d].incoming_path", i), Message: err.Error(),
				})
			}
		}
	}
	return errs
}

// withoutRepeats drops the problems that are not among the known ones and concern a
// route that these name already.
func withoutRepeats(problems, known []*document.Problem) []*document.Problem {
	told, routes := map[document.Problem]bool{}, map[string]bool{}
	for _, p := range known {
		told[*p] = true
		if r := routeOf(p.Path); r != "" {
			routes[r] = true
		}
	}
	return slices.DeleteFunc(problems, func(p *document.Problem) bool { return !told[*p] && routes[routeOf(p.Path)] })
}

// routeOf is the route in a path: "packages[0].routes[1]" of
// "packages[0].routes[1].incoming_path"; empty if there is none.
func routeOf(path string) string {
	before, after, ok := strings.Cut(path, ".routes[")
	if !ok {
		return ""
	}
	index, _, _ := strings.Cut(after, "]")
	return before + ".routes[" + index + "]"
}

func mistakes(problems []*document.Problem) *Problem {
	p := &Problem{Status: http.StatusUnprocessableEntity, Title: strconv.Itoa(len(problems)) + " mistakes in the file"}
	if len(problems) == 1 {
		p.Title = "a mistake in the file"
	}
	for _, m := range problems {
		p.Errors = append(p.Errors, FieldProblem{
			File: m.File, Line: m.Line, Column: m.Column, Field: m.Path, Message: m.Message, Fix: m.Fix,
		})
	}
	return p
}

// export writes the catalog as a file that apply takes.
func (a *API) export(w http.ResponseWriter, _ *request) error {
	w.Header().Set("Content-Type", "application/yaml")
	return document.Export(a.opts.Catalog.View(), w)
}

func flag(value, name string) (bool, error) {
	if value == "" {
		return false, nil
	}
	b, err := strconv.ParseBool(value)
	if err != nil {
		return false, &Problem{Status: http.StatusBadRequest, Title: "wrong " + name, Detail: "use true or false"}
	}
	return b, nil
}
