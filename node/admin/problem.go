package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"tallygate/cluster/catalog"
)

// Problem is an error as callers read it: problem+json, RFC 9457, with the fields
// that are wrong.
type Problem struct {
	Status    int            `json:"status"`
	Title     string         `json:"title"`
	Detail    string         `json:"detail,omitempty"`
	Errors    []FieldProblem `json:"errors,omitempty"`
	RequestID string         `json:"request_id,omitempty"`
}

// FieldProblem is one wrong field and how to mend it.
type FieldProblem struct {
	Code    string `json:"code,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"` // from 1; zero: not from a file
	Column  int    `json:"column,omitempty"`
	Field   string `json:"field,omitempty"` // "packages[2].routes[0].incoming_path"
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"` // what to write instead
}

func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// String is the problem as a compiler would print it.
func (f FieldProblem) String() string {
	s := f.Message
	if f.Fix != "" {
		s += "; " + f.Fix
	}
	if f.Field != "" {
		s = f.Field + ": " + s
	}
	if f.File != "" {
		s = fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, s)
	}
	return s
}

// refusal is a catalog's refusal as a problem.
func refusal(errs []*catalog.Error) *Problem {
	p := &Problem{Status: http.StatusUnprocessableEntity, Title: "the catalog refused the change"}
	for _, e := range errs {
		field := e.Field
		if e.Object != "" {
			field = string(e.Kind) + " " + e.Object + " " + field
		}
		p.Errors = append(p.Errors, FieldProblem{Code: string(e.Code), Field: field, Message: e.Message})
	}
	return p
}

// fail is the one place that writes errors. What is not a Problem is our fault:
// the log gets the cause, the caller the request's id.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p *Problem
	if !errors.As(err, &p) {
		if r.Context().Err() != nil {
			return // the caller has left
		}
		a.opts.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "request_id", w.Header().Get("X-Request-Id"), "err", err)
		p = &Problem{Status: http.StatusInternalServerError, Title: "the node could not answer", Detail: "the node's log has the cause under this request id"}
	}
	p.RequestID = w.Header().Get("X-Request-Id")
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p) //nolint:errcheck // the caller has left
}

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// readJSON decodes a small body and names what is wrong with it.
func readJSON(r *request, into any) error {
	dec := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return &Problem{Status: http.StatusBadRequest, Title: "the body is not the expected JSON", Detail: err.Error()}
	}
	return nil
}
