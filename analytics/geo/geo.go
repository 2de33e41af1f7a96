// Package geo looks up what network databases know of an address: the place, the
// network and its owner. It reads files of the MaxMind DB format
// (https://maxmind.github.io/MaxMind-DB/) in the shapes that are around: MaxMind's
// own (nested), GeoIP2-ISP, IPinfo, DB-IP and ip-location-db (flat).
//
// An address is an argument and nothing else here: none is kept, logged, counted
// or part of an error.
package geo

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// MaxAge is the age of a database from which on it is called stale: address
// blocks change hands all the time.
const MaxAge = 60 * 24 * time.Hour

// checkEvery is how often the files are looked at for a change.
const checkEvery = 3 * time.Second

// Result is what is known of an address. Zero values are unknown.
type Result struct {
	Country   string // ISO 3166-1 alpha-2, or XK
	State     string
	City      string
	Latitude  float64 // degrees; both zero: unknown
	Longitude float64

	ASN          uint32
	Organization string // who uses the network, or else who announces it
	Domain       string // of the organization
	UserType     string // as the database writes it: "hosting", "residential", …
}

// add fills what is unknown from another result.
func (r *Result) add(o *Result) {
	if r.Country == "" {
		r.Country = o.Country
	}
	if r.State == "" && r.City == "" && r.Latitude == 0 && r.Longitude == 0 && r.Country == o.Country {
		r.State, r.City, r.Latitude, r.Longitude = o.State, o.City, o.Latitude, o.Longitude
	}
	// Number, name, domain and type belong together: those of two databases could
	// speak of two networks.
	if r.ASN == 0 && r.Organization == "" && r.UserType == "" {
		r.ASN, r.Organization, r.Domain, r.UserType = o.ASN, o.Organization, o.Domain, o.UserType
	}
}

// Options name the files. Either may be empty, and both may be the same.
type Options struct {
	Country string // a path; first asked for the place
	ASN     string // a path; first asked for the network

	Logger     *slog.Logger          // nil: discarded
	Registerer prometheus.Registerer // nil: no metrics
	Now        func() time.Time      // nil: time.Now
}

// Databases are the open files. It is safe for concurrent use.
type Databases struct {
	place, network *file // the same where one file serves both; nil: none
	log            *slog.Logger
	now            func() time.Time
}

// Open reads the files. A file that can't serve is an error that says why.
func Open(o Options) (*Databases, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Databases{log: o.Logger.With("component", "geo"), now: o.Now}
	failures := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tallygate_geo_lookup_failures_total",
		Help: "Look-ups that met a damaged part of a network database.",
	})
	if o.Registerer != nil {
		o.Registerer.MustRegister(failures)
	}
	open := func(path string) (*file, error) {
		f := &file{path: path, failures: failures}
		if err := f.load(); err != nil {
			return nil, err
		}
		return f, nil
	}
	var err error
	if o.Country != "" {
		if d.place, err = open(o.Country); err != nil {
			return nil, err
		}
	}
	switch o.ASN {
	case "":
	case o.Country:
		d.network = d.place
	default:
		if d.network, err = open(o.ASN); err != nil {
			return nil, err
		}
	}
	for _, f := range d.files() {
		d.report(f)
	}
	return d, nil
}

// Lookup returns what the databases know of the address, in well under a
// microsecond and without allocating once a record was met.
func (d *Databases) Lookup(addr netip.Addr) Result {
	var r Result
	if !addr.IsValid() {
		return r
	}
	if d.place != nil {
		if found := d.place.lookup(addr); found != nil {
			r = *found
		}
	}
	if d.network == nil || d.network == d.place {
		return r
	}
	found := d.network.lookup(addr)
	if found == nil {
		return r
	}
	if found.ASN != 0 || found.UserType != "" { // the file named for it goes first
		r.ASN, r.Organization, r.Domain, r.UserType = found.ASN, found.Organization, found.Domain, found.UserType
	}
	r.add(found)
	return r
}

// Database is the state of one file.
type Database struct {
	File   string    `json:"file"`
	Type   string    `json:"type"`  // as its maker calls it
	Built  time.Time `json:"built"` // by its maker
	Stale  bool      `json:"stale"` // built more than MaxAge ago
	Error  string    `json:"error,omitempty"`
	Credit *Credit   `json:"credit,omitempty"` // who wants to be named
}

// Status returns the state of the files.
func (d *Databases) Status() []Database {
	var out []Database
	for _, f := range d.files() {
		out = append(out, f.status(d.now()))
	}
	return out
}

// Credits are those who must be named where results show, each once.
func (d *Databases) Credits() []Credit {
	var out []Credit
	for _, s := range d.Status() {
		if s.Credit != nil && !slices.Contains(out, *s.Credit) {
			out = append(out, *s.Credit)
		}
	}
	return out
}

// Serve takes up files that change until ctx ends. A file that can't be read then
// is logged once, and what was read before stays in use.
func (d *Databases) Serve(ctx context.Context) error {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			d.check()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *Databases) check() {
	for _, f := range d.files() {
		changed, err := f.reload()
		switch {
		case err != nil:
			d.log.Error("network database not taken up, the one before stays in use", "file", f.path, "err", err)
		case changed:
			d.report(f)
		}
	}
}

// report tells operators which file is in use from here on.
func (d *Databases) report(f *file) {
	s := f.status(d.now())
	d.log.Info("network database in use", "file", s.File, "type", s.Type, "built", s.Built)
	if s.Stale {
		d.log.Warn("network database is old", "file", s.File, "warning", s.Warning())
	}
}

// Warning says what a person should know of the database; empty: nothing.
func (s Database) Warning() string {
	switch {
	case s.Error != "":
		return fmt.Sprintf("network database %s was not taken up: %s", s.File, s.Error)
	case s.Stale:
		return fmt.Sprintf("network database %s is of %s: countries and networks are less and less right; put a newer file in its place", s.File, s.Built.Format(time.DateOnly))
	}
	return ""
}

func (d *Databases) files() []*file {
	var out []*file
	if d.place != nil {
		out = append(out, d.place)
	}
	if d.network != nil && d.network != d.place {
		out = append(out, d.network)
	}
	return out
}
