package admin

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"tallygate/routing/table"
)

// explain answers which rule would serve a URL and why.
func (a *API) explain(w http.ResponseWriter, r *request) error {
	q := r.URL.Query()
	if q.Get("url") == "" {
		return &Problem{Status: http.StatusBadRequest, Title: "url is missing", Errors: []FieldProblem{{Field: "url", Message: "give the URL that a client asks for"}}}
	}
	method := strings.ToUpper(q.Get("method"))
	if method == "" {
		method = http.MethodGet
	}
	t := a.opts.Table()
	if t == nil {
		return &Problem{Status: http.StatusServiceUnavailable, Title: "the routing table is not built yet"}
	}
	e := t.Explain(method, q.Get("url"))
	if q.Get("format") != "text" {
		return writeJSON(w, e)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	writeExplanation(w, &e)
	return nil
}

func writeExplanation(w io.Writer, e *table.Explanation) {
	fmt.Fprintf(w, "%s %s\n%s\n", e.Method, e.URL, e.Summary)
	if e.Location != "" {
		fmt.Fprintf(w, "→ %s\n", e.Location)
	}
	for _, c := range e.Candidates {
		mark := " "
		switch {
		case c.Wins:
			mark = "✓"
		case c.Matches:
			mark = "·"
		}
		fmt.Fprintf(w, "\n%s %-10s %s", mark, c.Kind, c.Pattern)
		if c.Package != "" {
			fmt.Fprintf(w, "  (%s/%s)", c.Owner, c.Package)
		}
		fmt.Fprintf(w, "\n    %s\n", c.Why)
		for _, v := range c.Variables {
			fmt.Fprintf(w, "    %s = %s\n", v.Name, v.Value)
		}
	}
}
