// Package collect reads collected events: a request's body of one or more JSON
// objects, concatenated, newline-separated or in an array, each of which becomes
// one event. Nested values are flattened with dots; the properties $version,
// $type, $remote_address, $user_agent, $domain, $referrer, $headers, $time and
// $unique_id of an object say something about the event itself.
//
// A body is read as far as it is good: a [Fault] says where and why reading
// stopped, and the objects before it stand. Making, recording and answering for
// events is left to the gateway.
package collect

import (
	"net/http"
	"net/netip"
	"time"

	"tallygate/routing/event"
	"tallygate/routing/variables"
)

// Limits bound what one request may bring. Use [DefaultLimits].
type Limits struct {
	Bytes   int // of the body, after decompression
	Objects int // of the body
	Depth   int // of nesting, the object itself counted
	Keys    int // values of one object, nested ones counted
	Headers int // in one $headers

	// Past and Future bound how far an object's $time may lie from now. What is
	// older belongs into an import.
	Past   time.Duration
	Future time.Duration
}

// DefaultLimits are the limits of the gateway listener: 1 MiB, 1,000 objects, 16
// levels, and a $time of at most a week ago.
func DefaultLimits() Limits {
	return Limits{
		Bytes:   1 << 20,
		Objects: 1000,
		Depth:   16,
		Keys:    variables.MaxCount,
		Headers: 64,
		Past:    7 * 24 * time.Hour,
		Future:  10 * time.Minute,
	}
}

// Object is one object of a body. Empty fields were not given.
type Object struct {
	// Variables are the values in the order of the text, nested ones under
	// names joined by dots, numbers as they were written. Names may repeat.
	Variables []event.Variable

	Version   string
	Type      string
	UserAgent string
	Domain    string
	Referrer  string
	UniqueID  string
	Time      time.Time // UTC

	// RemoteAddress and Headers are the word of whoever posts: only to be
	// believed of a caller with a token or a trusted proxy's address, and never
	// to be stored.
	RemoteAddress netip.Addr
	Headers       http.Header
}

// Fault says why reading a body stopped. It is an error.
type Fault struct {
	Status int    // the HTTP status that it deserves: 400, 413 or 415
	Reason string // for the client; quotes nothing of the body
	At     int64  // byte offset into the body, after decompression
	Object int    // index of the object that holds the fault
}

func (f *Fault) Error() string { return f.Reason }
