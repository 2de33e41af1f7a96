package document

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tallygate/cluster/catalog"
)

// drawCatalog fills a store with whatever the catalog takes of random objects.
func drawCatalog(t *rapid.T) *catalog.Store {
	store := catalog.NewStore()
	n := 0
	newID := func() string { n++; return fmt.Sprintf("g-%d", n) }
	put := func(op catalog.Op) {
		store.Apply(&catalog.Command{Format: 1, ID: newID(), Time: now, Actor: operator, Ops: []catalog.Op{op}})
	}
	owner := rapid.SampledFrom([]string{"acme", "beep", "yes"})
	name := rapid.OneOf(rapid.SampledFrom([]string{"rocket", "1.0", "true", "a: b", "- x", "null", "docker/x", "é", "#1", "a #b", "'q'", "x:"}), rapid.StringN(1, 8, 20))
	words := rapid.OneOf(rapid.Just(""), rapid.SampledFrom([]string{"two\nlines\n", " lead", "a\n\n  b", "tab\tand\n", "~", "0x10", "\u2028", "x\n ", "\n"}), rapid.String())
	domains := []string{"a.example", "b.example", "c.example"}
	url := rapid.SampledFrom([]string{"https://o.example/{version}", "https://o.example/a?b={version}", "http://o.example/"})
	flag := rapid.Bool()
	for _, o := range []string{"acme", "beep", "yes"} {
		put(catalog.Op{Organization: &catalog.Organization{
			ID: newID(), Name: o, Description: words.Draw(t, "description"),
			VariableOverrides: map[string]string{name.Draw(t, "override"): "version"},
		}})
		for _, d := range domains {
			state := rapid.SampledFrom([]catalog.DomainState{"", catalog.Asserted, catalog.Pending, catalog.Verified, catalog.Failing, catalog.Lost}).Draw(t, "state")
			if state != "" {
				put(catalog.Op{Domain: &catalog.Domain{ID: newID(), Name: d, Owner: o, State: state}})
			}
		}
	}
	put(catalog.Op{User: &catalog.User{ID: newID(), Name: "wile", Operator: flag.Draw(t, "operator")}})
	for range rapid.IntRange(0, 6).Draw(t, "packages") {
		k := &catalog.Package{
			ID: newID(), Owner: owner.Draw(t, "owner"), Name: name.Draw(t, "name"), ShortDescription: name.Draw(t, "short"), LongDescription: words.Draw(t, "long"),
			Type: catalog.PackageType(rapid.SampledFrom(packageTypes).Draw(t, "type")),
		}
		for _, d := range domains {
			if flag.Draw(t, "on") {
				k.Domains = append(k.Domains, catalog.PackageDomain{ID: newID(), Name: d})
			}
		}
		limit := func() string {
			if len(k.Domains) > 0 && flag.Draw(t, "limited") {
				return k.Domains[0].Name
			}
			return ""
		}
		switch k.Type {
		case catalog.Docker:
			k.Image = &catalog.Image{Registry: "r.example", Repository: "acme/a", Name: rapid.SampledFrom([]string{"", "acme/a", "b"}).Draw(t, "public"), AlwaysProxy: flag.Draw(t, "proxy"), PlainHTTP: flag.Draw(t, "http")}
			if flag.Draw(t, "private") {
				k.Image.PrivatePulls = catalog.PrivatePulls{AllowPrivatePulls: true, TokenHost: rapid.SampledFrom([]string{"", "auth.example:5001"}).Draw(t, "token host")}
			}
			if flag.Draw(t, "failover") {
				k.Image.FailoverRegistries = []string{"f.example:5000"}
			}
		case catalog.Python:
			k.Index = &catalog.PythonProject{Project: rapid.SampledFrom([]string{"rocket", "x"}).Draw(t, "project"), RepositoryURL: rapid.SampledFrom([]string{"", "https://i.example/"}).Draw(t, "index")}
			if flag.Draw(t, "file") {
				signed := flag.Draw(t, "signed")
				k.Index.Files = []catalog.PythonFile{{FileName: "x.whl", Version: name.Draw(t, "version"), URL: "https://o.example/x.whl", GPGSig: &signed, RequiresPython: words.Draw(t, "python"), Domain: limit()}}
			}
		case catalog.Event, catalog.File:
			for i := range rapid.IntRange(0, 3).Draw(t, "routes") {
				r := catalog.Route{ID: newID(), IncomingPath: fmt.Sprintf("/%d/{version}", i%2), Domain: limit(), RedirectStatus: rapid.SampledFrom([]int{0, 301}).Draw(t, "status")}
				switch rapid.IntRange(0, 2).Draw(t, "kind") {
				case 1:
					r.Kind, r.IncomingPath = catalog.RegexpRoute, `^/(?<version>[0-9]+)$`
				case 2:
					r.Kind = catalog.TemplateRoute
				}
				if flag.Draw(t, "redirect") {
					u := url.Draw(t, "url")
					r.OutgoingURL, r.FailoverOrigins = &u, rapid.SliceOfN(url, 0, 2).Draw(t, "failover")
				}
				k.Routes = append(k.Routes, r)
			}
			if k.Type == catalog.Event && flag.Draw(t, "restricted") {
				k.Events = &catalog.EventAccess{Restricted: true, TokenHashes: rapid.SampledFrom([][]string{nil, {HashToken("a")}, {HashToken("b"), HashToken("a")}}).Draw(t, "tokens")}
			}
		}
		put(catalog.Op{Package: k})
		if flag.Draw(t, "pixel") {
			put(catalog.Op{Pixel: &catalog.Pixel{ID: newID(), Owner: k.Owner, Name: name.Draw(t, "pixel name"), PackageID: rapid.SampledFrom([]string{"", k.ID}).Draw(t, "of"), Domains: rapid.SampledFrom([][]string{nil, {"a.example"}}).Draw(t, "pixel domains")}})
		}
		if flag.Draw(t, "collection") {
			put(catalog.Op{Collection: &catalog.Collection{ID: newID(), Owner: k.Owner, Pattern: rapid.SampledFrom([]string{"**", "acme/{a, b}", "*"}).Draw(t, "pattern"), Domain: rapid.SampledFrom([]string{"", "a.example"}).Draw(t, "domain"), Registry: "r.example"}})
		}
	}
	return store
}

// TestExportAndPlanAreInverse holds the two laws of the file: exporting,
// parsing and planning changes nothing, pruned or not; and a catalog made from
// an export exports alike.
func TestExportAndPlanAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.store = drawCatalog(t)
		w.opts.Prune = rapid.Bool().Draw(t, "prune")
		first := w.export()
		w.unchanged(first)
		other := newWorld(t)
		other.apply(first)
		if second := other.export(); second != first {
			t.Fatalf("first\n%s\nsecond\n%s", first, second)
		}
	})
}

// TestPlansLeadFromAnyCatalogToAnyOther applies the export of one catalog to
// another one with pruning: what the file can say is equal afterwards.
func TestPlansLeadFromAnyCatalogToAnyOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.store = drawCatalog(t)
		w.opts.Prune = true
		target := newWorld(t)
		target.store = drawCatalog(t)
		// Without ids, objects are found by name.
		var file []string
		for line := range strings.SplitSeq(target.export(), "\n") {
			if !strings.HasPrefix(line, "    id: ") {
				file = append(file, line)
			}
		}
		doc, problems := Parse("f", []byte(strings.Join(file, "\n")))
		if len(problems) > 0 {
			t.Fatalf("%v", problems)
		}
		plan, problems := doc.Plan(w.store.View(), w.opts)
		if len(problems) > 0 {
			t.Skip("names go round in a circle") // refused, which is fine
		}
		for _, cmd := range plan.Commands(3, w.newID) {
			if result, _ := w.store.Apply(cmd); result.Err() != nil {
				t.Fatalf("planned, but refused: %v", result.Err())
			}
		}
		if again, problems := doc.Plan(w.store.View(), w.opts); len(problems) > 0 || !again.Empty() {
			var diff bytes.Buffer
			if again != nil {
				again.WriteDiff(&diff)
			}
			t.Fatalf("%v\n%s", problems, diff.String())
		}
	})
}

// large is a file of n packages of several types.
func large(n int) []byte {
	var b strings.Builder
	b.WriteString("owner: acme\norganizations: [{name: acme}]\npackages:\n")
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		switch random.IntN(3) {
		case 0:
			fmt.Fprintf(&b, "  - name: image-%d\n    type: docker\n    backend_registry: ghcr.io\n    domains: [img.acme.org]\n", i)
		case 1:
			fmt.Fprintf(&b, "  - name: file-%d\n    type: file\n    short_description: The file number %d\n    routes:\n", i, i)
			fmt.Fprintf(&b, "      - incoming_path: /dl/%d/{version}/{platform}.tgz\n        outgoing_url: https://origin.example/%d/{version}/{platform}.tgz\n", i, i)
		default:
			fmt.Fprintf(&b, "  - {name: project-%d, type: python}\n", i)
		}
	}
	return []byte(b.String())
}

func BenchmarkLargeFile(b *testing.B) {
	data := large(100_000)
	store := catalog.NewStore()
	ids := counter("id")
	opts := PlanOptions{NewID: ids, Now: now, Actor: operator}
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			Parse("f", data)
		}
	})
	doc, _ := Parse("f", data)
	b.Run("plan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, problems := doc.Plan(store.View(), opts); len(problems) > 0 {
				b.Fatal(problems[0])
			}
		}
	})
	plan, _ := doc.Plan(store.View(), opts)
	for _, cmd := range plan.Commands(0, ids) {
		if result, _ := store.Apply(cmd); result.Err() != nil {
			b.Fatal(result.Err())
		}
	}
	b.Run("plan again", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if plan, problems := doc.Plan(store.View(), opts); len(problems) > 0 || !plan.Empty() {
				b.Fatal("changes")
			}
		}
	})
	b.Run("export", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := Export(store.View(), new(bytes.Buffer)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
