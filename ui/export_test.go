package ui

import (
	"html/template"
	"net/http"
	"text/template/parse"
)

// NewWatched is New for tests that want to know which templates are executed.
func NewWatched(opts Options, executed func(name string)) http.Handler {
	s := newServer(opts)
	set := template.New("").Option("missingkey=error").Funcs(funcs).Funcs(template.FuncMap{
		"executed": func(name string) string {
			executed(name)
			return ""
		},
	})
	template.Must(set.ParseFS(builtTemplates, "templates/*.gohtml"))
	for _, t := range set.Templates() {
		if t.Tree == nil || parse.IsEmptyTree(t.Tree.Root) {
			continue
		}
		call := template.Must(template.New("").Funcs(template.FuncMap{"executed": func(string) string { return "" }}).
			Parse(`{{executed "` + t.Name() + `"}}`))
		t.Tree.Root.Nodes = append(call.Tree.Root.Nodes, t.Tree.Root.Nodes...)
	}
	s.templates.set = set
	return s.handler()
}

// TemplateNames lists the templates that have content.
func TemplateNames() []string {
	var names []string
	for _, t := range template.Must(parseTemplates(builtTemplates)).Templates() {
		if t.Tree != nil && !parse.IsEmptyTree(t.Tree.Root) {
			names = append(names, t.Name())
		}
	}
	return names
}

// Built says whether the assets are built.
func Built() bool { return newAssets(nil).built() }

// Local is where a redirect may lead.
func Local(path string) string { return local(path) }

// Policy is the content security policy.
const Policy = policy
