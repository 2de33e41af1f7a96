package admin

import (
	"errors"
	"net/http"
	"strconv"

	"tallygate/analytics/sql"
	"tallygate/analytics/store"
)

// sqlProblem tells a refusal or failure to who asked; nil: it is our fault.
func sqlProblem(err error) *Problem {
	p := &Problem{Title: "the query was refused", Detail: err.Error()}
	var refused *sql.Refused
	var failed *sql.Failed
	switch {
	case errors.As(err, &refused):
		p.Status, p.Detail = http.StatusBadRequest, refused.Reason
	case errors.As(err, &failed):
		p.Status, p.Title, p.Detail = http.StatusBadRequest, "the query failed", failed.Error()
	case errors.Is(err, sql.ErrBusy):
		p.Status = http.StatusServiceUnavailable
	case errors.Is(err, store.ErrUnavailable):
		p.Status, p.Title = http.StatusServiceUnavailable, "the events can't be read now"
	case errors.Is(err, sql.ErrDeadline):
		p.Status, p.Title = http.StatusRequestTimeout, "the query was stopped"
	case errors.Is(err, sql.ErrDisabled):
		p.Status, p.Title, p.Detail = http.StatusNotFound, "analytics is off on this node", "ask a node that runs with --analytics"
	default:
		return nil
	}
	return p
}

// TruncatedTrailer follows an answer of SQL that holds only the first rows of the
// result, and says how many they are at least.
const TruncatedTrailer = "Tallygate-Truncated"

// sql answers one read-only question. Once the first row is out an error can
// only end the connection, and a limit on rows only be told in a trailer: a cut
// answer must not look like a whole one.
func (a *API) sql(w http.ResponseWriter, r *request) error {
	var in struct {
		Query  string `json:"query"`
		Format string `json:"format"`
	}
	if err := readJSON(r, &in); err != nil {
		return err
	}
	if in.Format == "" {
		in.Format = "json"
	}
	format, err := sql.ParseFormat(in.Format)
	if err != nil {
		return &Problem{Status: http.StatusUnprocessableEntity, Title: "unknown format", Errors: []FieldProblem{{Field: "format", Message: err.Error()}}}
	}
	out := &started{ResponseWriter: w, media: format.ContentType()}
	result, err := a.opts.SQL.Write(r.Context(), out, in.Query, format)
	if err == nil {
		out.begin()
		if result.Truncated {
			w.Header().Set(TruncatedTrailer, strconv.FormatInt(result.Rows, 10))
		}
		return nil
	}
	if out.begun {
		a.opts.Logger.Warn("SQL answer cut short", "request_id", r.requestID, "err", err)
		panic(http.ErrAbortHandler)
	}
	if p := sqlProblem(err); p != nil {
		return p
	}
	return err
}

// started sets the media type with the first byte, so that an error before it
// can still be told as one.
type started struct {
	http.ResponseWriter
	media string
	begun bool
}

func (s *started) begin() {
	if !s.begun {
		s.begun = true
		s.Header().Set("Content-Type", s.media)
		s.Header().Set("Trailer", TruncatedTrailer)
		s.WriteHeader(http.StatusOK)
	}
}

func (s *started) Write(b []byte) (int, error) {
	s.begin()
	return s.ResponseWriter.Write(b)
}
