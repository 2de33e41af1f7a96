package event

import (
	"errors"
	"net/http"
	"net/netip"
)

// ErrUnavailable says that events can't be made durable now: the spool is full
// or broken. It stands here, as routing.ErrUnavailable, for those who record
// without knowing who serves.
var ErrUnavailable = errors.New("events can't be stored now")

// Source is where a request came from. Only an enricher sees it.
type Source struct {
	Addr   netip.Addr
	Header http.Header // of the request; identifying headers enter the origin's hash
}
