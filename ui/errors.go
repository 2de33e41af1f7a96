package ui

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// httpError is an error that a person reads. What only the log may know is in
// err.
type httpError struct {
	Status int
	Title  string
	Detail string // one or two sentences: what to do now
	err    error
}

func (e *httpError) Error() string {
	if e.err != nil {
		return e.Title + ": " + e.err.Error()
	}
	return e.Title
}

func (e *httpError) Unwrap() error { return e.err }

var errNotFound = &httpError{
	Status: http.StatusNotFound,
	Title:  "There is nothing here",
	Detail: "The page may have moved, or its package may be gone.",
}

var errOperatorsOnly = &httpError{
	Status: http.StatusForbidden,
	Title:  "This page is for operators",
	Detail: "Ask somebody who runs this cluster.",
}

type errorPage struct {
	chrome
	Error *httpError
}

// writeError is the one place that answers errors: to a person with a page, to
// a panel's request with a line that fits there.
func (s *server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // nobody waits for an answer any more
	}
	he, ok := errors.AsType[*httpError](err)
	if !ok {
		he = &httpError{
			Status: http.StatusInternalServerError,
			Title:  "Something went wrong here",
			Detail: "It is in this node's log. Trying again may help.",
			err:    err,
		}
	}
	if he.Status >= http.StatusInternalServerError {
		s.log.Error("page failed", "path", r.URL.Path, "status", he.Status, "err", err)
	}
	if he.Status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", "GET, HEAD")
	}
	if strings.HasPrefix(r.URL.Path, "/panel/") {
		http.Error(w, he.Title, he.Status)
		return
	}
	user, _ := s.user(r)
	page := errorPage{chrome: s.chrome(r, user, he.Title, ""), Error: he}
	if err := s.render(w, r, he.Status, "error.gohtml", page); err != nil {
		s.log.Error("error page failed", "path", r.URL.Path, "err", err)
		http.Error(w, he.Title, he.Status)
	}
}
