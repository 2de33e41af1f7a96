package event

import (
	"errors"
	"net/http"
	"net/netip"
)

// ErrUnavailable says that events can't be made durable now: the spool is full
// or broken.
var ErrUnavailable = errors.New("events can't be stored now")

// Source is where a request came from. It is never part of an event: an enricher
// makes hashes and a country of it, and then it is gone.
type Source struct {
	Addr   netip.Addr
	Header http.Header // of the request; identifying headers enter the origin's hash
}
