// Package analytics fits the parts that turn what was served into figures:
// recorder, spool, ingest, store, reports and SQL.
package analytics

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/thejerf/suture/v4"

	"tallygate/analytics/enrich"
	"tallygate/analytics/recorder"
	"tallygate/analytics/report"
	"tallygate/analytics/sql"
)

// Options say how a node records and answers.
type Options struct {
	// Dir is the node's data directory; spool, store and salts live in folders
	// of their own below it.
	Dir string

	NodeID   string // stable for the life of the node; names its stream
	NodeName string // written into events; empty: NodeID
	Region   string

	// Store says whether the node keeps and answers analytics (--analytics).
	// Without it events are only recorded and spooled.
	Store bool

	// SpoolSync is --spool-sync: "always", or how often the spool is flushed
	// to the disk, such as "10s"; empty: the default of two minutes. An
	// acknowledged event always survives the end of the process; only with
	// "always" it survives a power cut.
	SpoolSync string

	Logger     *slog.Logger          // nil: discarded
	Registerer prometheus.Registerer // nil: no metrics
}

// Analytics is the whole of a node's recording and answering.
type Analytics struct{}

// Open opens spool and store and starts nothing: run [Analytics.Services] under
// a supervisor. A full or damaged spool is not an error here but of
// [Analytics.Ready], since downloads go on without.
func Open(o Options) (*Analytics, error) { return &Analytics{}, nil }

// Recorder takes what was served; it is a routing.Recorder.
func (a *Analytics) Recorder() *recorder.Recorder { return nil }

// Enricher fills in what the source of a request tells; it is a
// routing.Enricher.
func (a *Analytics) Enricher() *enrich.Enricher { return nil }

// Reports answers reports; on a node without a store with report.ErrDisabled.
func (a *Analytics) Reports() *report.Reader { return report.New(nil) }

// SQL answers an operator's SQL; on a node without a store with sql.ErrDisabled.
func (a *Analytics) SQL() *sql.Runner { return &sql.Runner{} }

// Subscribe returns the events that get stored from now on, each within about a
// second of its request. A reader that doesn't keep up misses events. The
// channel is closed by cancel, which may be called twice, or at the end.
func (a *Analytics) Subscribe() (events <-chan report.Latest, cancel func()) {
	return nil, func() {}
}

// Services are the parts that run, for a supervisor that restarts them.
func (a *Analytics) Services() []suture.Service { return nil }

// Ready says why events can't be recorded or stored now; nil when they can.
func (a *Analytics) Ready() error { return nil }

// Status is what a person wants to know of recording and storing.
type Status struct {
	Recorder RecorderStatus `json:"recorder"`
	Spool    SpoolStatus    `json:"spool"`
	Store    *StoreStatus   `json:"store,omitempty"` // nil: no store on this node
	Streams  []StreamStatus `json:"streams,omitempty"`
}

// RecorderStatus counts since the start of the process.
type RecorderStatus struct {
	Recorded int64 `json:"recorded"` // events made durable
	Dropped  int64 `json:"dropped"`  // events lost since the spool was full or broken
	Waiting  int   `json:"waiting"`  // events in the mailbox
}

// SpoolStatus is the state of the node's stream.
type SpoolStatus struct {
	Stream      string `json:"stream"`
	Incarnation string `json:"incarnation"`
	Error       string `json:"error,omitempty"` // why it can't be written now
	Messages    uint64 `json:"messages"`
	Bytes       uint64 `json:"bytes"`
	Pending     uint64 `json:"pending"` // messages that the slowest known reader hasn't taken
}

// StoreStatus is the state of the database.
type StoreStatus struct {
	Events int64     `json:"events"` // rows
	Oldest time.Time `json:"oldest,omitzero"`
	Newest time.Time `json:"newest,omitzero"`
	Bytes  int64     `json:"bytes"` // on disk
	Error  string    `json:"error,omitempty"`
}

// StreamStatus is how far one node's stream was read.
type StreamStatus struct {
	Node       string    `json:"node"`
	Sequence   uint64    `json:"sequence"` // last stored
	Pending    uint64    `json:"pending"`  // messages behind
	Events     int64     `json:"events"`   // stored since the start
	Lost       int64     `json:"lost"`     // messages missing from the stream
	Unreadable int64     `json:"unreadable"`
	Updated    time.Time `json:"updated,omitzero"`
	Error      string    `json:"error,omitempty"`
}

// Status returns the present state.
func (a *Analytics) Status(ctx context.Context) Status { return Status{} }

// Close makes durable what was recorded, stops reading and closes store and
// spool, in that order. Stop the supervisor of [Analytics.Services] before or
// after; both work.
func (a *Analytics) Close(ctx context.Context) error { return nil }
