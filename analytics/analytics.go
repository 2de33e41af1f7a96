// Package analytics fits the parts that turn what was served into figures:
// recorder, spool, ingest, store, reports and SQL.
package analytics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/thejerf/suture/v4"

	"tallygate/analytics/enrich"
	"tallygate/analytics/geo"
	"tallygate/analytics/ingest"
	"tallygate/analytics/recorder"
	"tallygate/analytics/report"
	"tallygate/analytics/spool"
	"tallygate/analytics/sql"
	"tallygate/analytics/store"
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

	// SpoolBytes bounds the spool, MinFree is the room on the disk that it
	// leaves; zero: see [spool.Options].
	SpoolBytes int64
	MinFree    int64
	// StoreMemory is what DuckDB tries to keep to, in bytes; zero: 1 GiB.
	StoreMemory int64

	// GeoCountry and GeoASN are the paths of network databases, of any shape that
	// [geo] reads; either may be empty, and both may be the same.
	GeoCountry string
	GeoASN     string

	Logger     *slog.Logger          // nil: discarded
	Registerer prometheus.Registerer // nil: no metrics

	// Fault is called at the named steps of the parts, as "recorder publish",
	// for tests that make one panic, stall or end the process; nil otherwise.
	Fault func(step string)
}

// Analytics is the whole of a node's recording and answering.
type Analytics struct {
	recorder *recorder.Recorder
	spool    *spool.Spool
	salts    *enrich.Salts
	enricher *enrich.Enricher
	geo      *geo.Databases

	// Without a store these are nil, and reports and sql answer with errors.
	store   *store.Store
	readers []*ingest.Reader

	feed    ingest.Feed
	reports *report.Reader
	sql     *sql.Runner
}

// Open opens spool and store and starts nothing that ends with the caller: run
// [Analytics.Services] under a supervisor. A full disk or a damaged spool is not
// an error here but of [Analytics.Ready], since downloads go on without.
func Open(o Options) (_ *Analytics, err error) {
	if o.NodeName == "" {
		o.NodeName = o.NodeID
	}
	fault := func(part string) func(string) {
		if o.Fault == nil {
			return nil
		}
		return func(step string) { o.Fault(part + " " + step) }
	}
	sync, err := spool.ParseSync(o.SpoolSync)
	if err != nil {
		return nil, err
	}
	a := &Analytics{}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close(context.Background()))
		}
	}()
	if a.salts, err = enrich.OpenSalts(filepath.Join(o.Dir, "salts"), o.Logger); err != nil {
		return nil, err
	}
	a.geo, err = geo.Open(geo.Options{Country: o.GeoCountry, ASN: o.GeoASN, Logger: o.Logger, Registerer: o.Registerer})
	if err != nil {
		return nil, fmt.Errorf("open network database: %w", err)
	}
	a.enricher = enrich.New(a.salts, a.geo)
	a.spool, err = spool.Open(spool.Options{
		Dir: filepath.Join(o.Dir, "spool"), Node: o.NodeID, MaxBytes: o.SpoolBytes, MinFree: o.MinFree, Sync: sync,
		Logger: o.Logger, Registerer: o.Registerer, Fault: fault("spool"),
	})
	if err != nil {
		return nil, err
	}
	a.recorder = recorder.New(recorder.Options{
		Spool: a.spool, Node: o.NodeName, Region: o.Region,
		Logger: o.Logger, Registerer: o.Registerer, Fault: fault("recorder"),
	})
	if !o.Store {
		a.reports, a.sql = report.New(nil), sql.New(sql.Options{})
		return a, nil
	}
	storeFault := fault("store")
	a.store, err = store.Open(store.Options{
		Dir: filepath.Join(o.Dir, "analytics"), MemoryLimit: o.StoreMemory,
		Logger: o.Logger, Registerer: o.Registerer,
		Fault: func(step string) error {
			if storeFault != nil {
				storeFault(step)
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	a.readers = []*ingest.Reader{ingest.New(ingest.Options{
		Node: o.NodeID, Stream: spool.StreamName(o.NodeID),
		Connect: func() (*nats.Conn, error) { return a.spool.Connect("ingest") },
		Taken:   func(sequence uint64) { a.spool.Taken(o.NodeID, sequence) },
		Store:   a.store, Feed: &a.feed,
		Logger: o.Logger, Metrics: ingest.NewMetrics(o.Registerer), Fault: fault("ingest"),
	})}
	a.reports = report.New(a.store)
	a.sql = sql.New(sql.Options{Source: a.store, Dir: a.store.ExportDir(), Logger: o.Logger, Registerer: o.Registerer})
	return a, nil
}

// Recorder takes what was served; it is a routing.Recorder.
func (a *Analytics) Recorder() *recorder.Recorder { return a.recorder }

// Enricher fills in what the source of a request tells; it is a
// routing.Enricher.
func (a *Analytics) Enricher() *enrich.Enricher { return a.enricher }

// Networks are the open network databases: their age, and whom to credit.
func (a *Analytics) Networks() *geo.Databases { return a.geo }

// Reports answers reports; on a node without a store with report.ErrDisabled.
func (a *Analytics) Reports() *report.Reader { return a.reports }

// SQL answers an operator's SQL; on a node without a store with sql.ErrDisabled.
func (a *Analytics) SQL() *sql.Runner { return a.sql }

// Subscribe returns the events that get stored from now on, each within about a
// second of its request. A reader that doesn't keep up misses events. The
// channel is closed by cancel, which may be called twice, or at the end.
func (a *Analytics) Subscribe() (events <-chan report.Latest, cancel func()) {
	return a.feed.Subscribe()
}

// Services are the parts that run, for a supervisor that restarts them: each
// has a name by fmt.Stringer.
func (a *Analytics) Services() []suture.Service {
	services := []suture.Service{
		service{"spool", a.spool.Serve},
		service{"recorder", a.recorder.Serve},
		service{"salts", a.salts.Serve},
	}
	if len(a.geo.Status()) > 0 {
		services = append(services, service{"geo", a.geo.Serve})
	}
	if a.store != nil {
		services = append(services, service{"store", a.store.Serve})
	}
	for _, r := range a.readers {
		services = append(services, service{"ingest " + r.Status().Node, r.Serve})
	}
	return services
}

type service struct {
	name  string
	serve func(context.Context) error
}

func (s service) Serve(ctx context.Context) error { return s.serve(ctx) }
func (s service) String() string                  { return s.name }

// Ready says why events can't be recorded or stored now; nil when they can.
func (a *Analytics) Ready() error {
	err := a.spool.Writable()
	if a.store != nil {
		err = errors.Join(err, a.store.Err())
	}
	return err
}

// Status is what a person wants to know of recording and storing.
type Status struct {
	Recorder RecorderStatus `json:"recorder"`
	Spool    SpoolStatus    `json:"spool"`
	Store    *StoreStatus   `json:"store,omitempty"` // nil: no store on this node
	Streams  []StreamStatus `json:"streams,omitempty"`

	Networks []geo.Database `json:"networks,omitempty"` // network databases in use
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

// Status returns the present state. It reads the store.
func (a *Analytics) Status(ctx context.Context) Status {
	rec, sp := a.recorder.Stats(), a.spool.Status()
	st := Status{
		Recorder: RecorderStatus{Recorded: rec.Recorded, Dropped: rec.Dropped, Waiting: rec.Waiting},
		Spool: SpoolStatus{
			Stream: sp.Stream, Incarnation: sp.Incarnation, Error: text(sp.Err),
			Messages: sp.Messages, Bytes: sp.Bytes, Pending: sp.Pending,
		},
		Networks: a.geo.Status(),
	}
	if a.store != nil {
		s, err := a.store.Status(ctx)
		st.Store = &StoreStatus{Events: s.Events, Oldest: s.Oldest, Newest: s.Newest, Bytes: s.Bytes, Error: text(err)}
	}
	for _, r := range a.readers {
		s := r.Status()
		st.Streams = append(st.Streams, StreamStatus{
			Node: s.Node, Sequence: s.Sequence, Pending: s.Pending, Events: s.Events,
			Lost: s.Lost, Unreadable: s.Unreadable, Updated: s.Updated, Error: text(s.Err),
		})
	}
	return st
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Close makes durable what was recorded, then closes store and spool. Call it
// once the listeners are drained. The supervisor of [Analytics.Services] may
// still run or not; what the store hasn't read by then, it reads at the next
// start.
func (a *Analytics) Close(ctx context.Context) error {
	var errs []error
	if a.recorder != nil {
		if err := a.recorder.Flush(ctx); err != nil {
			errs = append(errs, fmt.Errorf("flush events: %w", err))
		}
		a.recorder.Close()
	}
	a.feed.Close()
	if a.store != nil {
		errs = append(errs, a.store.Close(ctx))
	}
	if a.spool != nil {
		errs = append(errs, a.spool.Close(ctx))
	}
	return errors.Join(errs...)
}
