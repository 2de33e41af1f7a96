package collect

import (
	"encoding/json"
	"net/http"
	"strconv"

	"tallygate/routing/event"
)

// Answer tells a client what became of its events.
type Answer struct {
	// Stored is how many events are durable now.
	Stored int `json:"stored"`

	// IDs are the ids of the stored events, in the order of their objects. The
	// column id of SQL holds the same.
	IDs []string `json:"ids"`

	// Error, At and Object say what stopped reading: why, at which byte of the
	// body, in which object (the first is 0).
	Error  string `json:"error,omitempty"`
	At     *int64 `json:"at,omitempty"`
	Object *int   `json:"object,omitempty"`
}

// NewAnswer is the answer for stored events, and the fault that ended the body,
// if any.
func NewAnswer(events []*event.Event, fault *Fault) *Answer {
	a := &Answer{Stored: len(events), IDs: make([]string, len(events))}
	for i, e := range events {
		a.IDs[i] = event.FormatID(e.ID)
	}
	if fault != nil {
		a.Error, a.At, a.Object = fault.Reason, &fault.At, &fault.Object
	}
	return a
}

// Write sends the answer.
func (a *Answer) Write(w http.ResponseWriter, status int) {
	body, err := json.Marshal(a)
	if err != nil {
		// Strings and numbers always marshal; see the fields.
		panic(err)
	}
	body = append(body, '\n')
	h := w.Header()
	h["Content-Type"] = contentType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["X-Content-Type-Options"] = noSniff
	h["Cache-Control"] = noStore
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone if this fails
}

var (
	contentType = []string{"application/json"}
	noSniff     = []string{"nosniff"}
	noStore     = []string{"no-store"}
)
