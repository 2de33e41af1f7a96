package store

import (
	"cmp"
	"database/sql/driver"
	"math"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"tallygate/routing/event"
)

// Message is one message of a stream.
type Message struct {
	Node        string // whose stream; the node's id, not its name
	Incarnation [16]byte
	Sequence    uint64
	Events      []*event.Event

	// Unreadable holds a payload that isn't a batch of events, kept so that it
	// isn't lost, and Reason why.
	Unreadable []byte
	Reason     string
}

// Row is a stored event.
type Row struct {
	*event.Event
	Counted bool // as of now: a late row may change it

	order order
}

// order is where a row stands among all: by time, then by its place in the
// streams. It is total, since an incarnation is one stream's alone.
type order struct {
	time        int64 // microseconds since 1970
	node        string
	incarnation [16]byte
	sequence    uint64
	position    int32
}

func (o order) compare(p order) int {
	if c := cmp.Compare(o.time, p.time); c != 0 {
		return c
	}
	return o.place(p)
}

// place compares without the time.
func (o order) place(p order) int {
	if c := strings.Compare(o.node, p.node); c != 0 {
		return c
	}
	for i := range o.incarnation {
		if c := cmp.Compare(o.incarnation[i], p.incarnation[i]); c != 0 {
			return c
		}
	}
	if c := cmp.Compare(o.sequence, p.sequence); c != 0 {
		return c
	}
	return cmp.Compare(o.position, p.position)
}

// The times that a calendar can show.
var (
	minTime = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	maxTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).UnixMicro()
)

func micros(t time.Time) int64 { return min(max(t.UnixMicro(), minTime), maxTime) }

// text is NULL for "", and valid UTF-8 without NUL, which tools that read the
// rows trip over.
func text(s string) driver.Value {
	if s == "" {
		return nil
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return s
}

func identifier(id [16]byte) driver.Value {
	if id == [16]byte{} {
		return nil
	}
	return duckdb.UUID(id)
}

func variables(list []event.Variable) driver.Value {
	var m duckdb.OrderedMap
	for _, v := range list {
		key, _ := text(v.Name).(string)
		value, _ := text(v.Value).(string)
		m.Set(key, value) // of a repeated name the last stays
	}
	if m.Len() == 0 {
		return nil
	}
	return m
}

// values writes the row's columns into dst, in the order of events_raw.
func (r *Row) values(dst []driver.Value) []driver.Value {
	e := r.Event
	var latitude, longitude, asn, status driver.Value
	if (e.Latitude != 0 || e.Longitude != 0) && math.Abs(e.Latitude) <= 90 && math.Abs(e.Longitude) <= 180 {
		latitude, longitude = e.Latitude, e.Longitude
	}
	if e.ASN != 0 {
		asn = e.ASN
	}
	if e.Status != 0 {
		status = int32(e.Status)
	}
	return append(dst,
		identifier(e.ID), time.UnixMicro(r.order.time).UTC(), text(e.Type), text(e.Owner),
		text(e.PackageID), text(e.Package), text(e.PackageType), text(e.PixelID), text(e.Pixel),
		text(e.Domain), text(e.Path), text(e.Reference), text(e.Version), text(e.Digest),
		text(e.Platform), text(e.Arch), text(e.Client), text(e.ClientVersion),
		text(e.UserAgent), text(e.Referer), text(e.Page), variables(e.Variables),
		identifier(e.OriginID), identifier(e.EndpointID),
		text(e.Country), text(e.State), text(e.City), latitude, longitude,
		text(e.NetworkType), asn, text(e.Company), text(e.CompanyDomain), text(e.Confidence),
		e.Bot, r.Counted, status, text(e.Node), text(e.Region),
		text(e.UniqueID), text(e.OriginHost), text(e.ClientClass),
		e.Countable,
		r.order.node, duckdb.UUID(r.order.incarnation), r.order.sequence, r.order.position,
	)
}

// pull returns the key that the row folds by; ok is false when it counts by
// itself.
func (r *Row) pull() (key pullKey, ok bool) {
	e := r.Event
	if e.Type != event.ManifestFetch || !e.Countable || e.PackageID == "" || e.OriginID == [16]byte{} {
		return pullKey{}, false
	}
	return newPullKey(e.PackageID, e.OriginID), true
}
