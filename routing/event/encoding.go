package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// The encoding of a batch:
//
//	batch  = version:byte count:uvarint { length:uvarint event }
//	event  = present:uvarint { field }
//	field  = string: length:uvarint bytes | time: varint, microseconds since 1970
//	       | identifier: 16 bytes | number: uvarint | coordinates: 2 × 8 bytes
//	       | variables: count:uvarint { name:string value:string }
//
// present has one bit per field; only fields with a value follow, in the order
// of their bits. A new field takes the next free bit: an older reader skips it,
// as the tail of a length-prefixed event, and a newer reader finds its bit unset
// in an older batch. Bits are never reused. The version changes only when an
// older reader must not guess.
const encodingVersion = 1

// Limits of the encoding. [AppendBatch] cuts what exceeds them, so that one
// request's event stays small whatever its sender put into it.
const (
	// MaxString is the longest string of an event, in bytes; the rest is cut at
	// a character's start. Longer request lines are refused by most servers.
	MaxString = 8 << 10
	// MaxVariables is the largest number of variables of an event.
	MaxVariables = 256
	// MaxVariableBytes bounds the names and values of an event's variables
	// together; the first that would exceed it is left out, with all after it.
	MaxVariableBytes = 64 << 10
	// MaxEventBytes bounds one encoded event.
	MaxEventBytes = 320 << 10
	// MaxBatchEvents is the largest number of events in a batch.
	MaxBatchEvents = 1 << 16
	// MaxBatchBytes is the longest batch that [DecodeBatch] looks at.
	MaxBatchBytes = 32 << 20
)

// ErrEncoding is returned by [DecodeBatch] for bytes that aren't a batch, and
// ErrVersion for a batch of a later encoding that this program doesn't know.
var (
	ErrEncoding = errors.New("not a batch of events")
	ErrVersion  = errors.New("batch of events in an unknown encoding")
)

// The bits of the fields that aren't strings. Strings follow from bitStrings on
// in the order of [Event.texts].
const (
	bitID = iota
	bitTime
	bitOrigin
	bitEndpoint
	bitCoordinates
	bitASN
	bitFlags
	bitStatus
	bitVariables
	bitStrings
)

const (
	flagBot = 1 << iota
	flagCountable
)

const textFields = 31

// texts lists the string fields in the order of their bits: append only.
func (e *Event) texts() [textFields]*string {
	return [textFields]*string{
		&e.Type, &e.Owner, &e.PackageID, &e.Package, &e.PackageType, &e.PixelID, &e.Pixel,
		&e.Domain, &e.Path, &e.Reference, &e.Version, &e.Digest,
		&e.Platform, &e.Arch, &e.Client, &e.ClientVersion, &e.ClientClass, &e.UserAgent, &e.Referer, &e.Page,
		&e.Country, &e.State, &e.City, &e.NetworkType, &e.Company, &e.CompanyDomain, &e.Confidence,
		&e.OriginHost, &e.Node, &e.Region, &e.UniqueID,
	}
}

// AppendBatch appends the encoding of the events to dst. Times are kept to the
// microsecond. At most [MaxBatchEvents] events fit; it panics on more.
func AppendBatch(dst []byte, events []*Event) []byte {
	at := len(dst)
	dst = BeginBatch(dst)
	for _, e := range events {
		dst = AppendEvent(dst, e)
	}
	EndBatch(dst[at:], len(events))
	return dst
}

// BeginBatch appends the head of a batch, for callers who add events one by one
// with [AppendEvent]; [EndBatch] completes it.
func BeginBatch(dst []byte) []byte { return append(dst, encodingVersion, 0, 0, 0) }

// HeadBytes is what [BeginBatch] appends.
const HeadBytes = 4

// EndBatch writes the number of events into the head of a batch. It may be
// called again after more events. It panics on more than [MaxBatchEvents].
func EndBatch(batch []byte, events int) {
	if events > MaxBatchEvents {
		panic("event: batch too large")
	}
	putLength(batch[1:HeadBytes], events)
}

// AppendEvent appends one event after its length, as it stands inside a batch.
func AppendEvent(dst []byte, e *Event) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0)
	dst = appendEvent(dst, e)
	putLength(dst[at:at+3], len(dst)-at-3)
	return dst
}

// putLength writes a uvarint padded to three bytes with continuation bits: the
// room for it can be kept before the length is known.
func putLength(b []byte, n int) {
	b[0], b[1], b[2] = byte(n)|0x80, byte(n>>7)|0x80, byte(n>>14)
}

// appendEvent appends the encoding of one event without its length.
func appendEvent(dst []byte, e *Event) []byte {
	texts := e.texts()
	var present uint64
	set := func(bit int, is bool) {
		if is {
			present |= 1 << bit
		}
	}
	set(bitID, e.ID != [16]byte{})
	set(bitTime, !e.Time.IsZero())
	set(bitOrigin, e.OriginID != [16]byte{})
	set(bitEndpoint, e.EndpointID != [16]byte{})
	set(bitCoordinates, e.Latitude != 0 || e.Longitude != 0)
	set(bitASN, e.ASN != 0)
	set(bitFlags, e.Bot || e.Countable)
	set(bitStatus, e.Status > 0)
	set(bitVariables, len(e.Variables) > 0)
	for i, text := range texts {
		set(bitStrings+i, *text != "")
	}

	dst = binary.AppendUvarint(dst, present)
	if e.ID != [16]byte{} {
		dst = append(dst, e.ID[:]...)
	}
	if !e.Time.IsZero() {
		dst = binary.AppendVarint(dst, e.Time.UnixMicro())
	}
	if e.OriginID != [16]byte{} {
		dst = append(dst, e.OriginID[:]...)
	}
	if e.EndpointID != [16]byte{} {
		dst = append(dst, e.EndpointID[:]...)
	}
	if e.Latitude != 0 || e.Longitude != 0 {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(e.Latitude))
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(e.Longitude))
	}
	if e.ASN != 0 {
		dst = binary.AppendUvarint(dst, uint64(e.ASN))
	}
	if e.Bot || e.Countable {
		var flags uint64
		if e.Bot {
			flags |= flagBot
		}
		if e.Countable {
			flags |= flagCountable
		}
		dst = binary.AppendUvarint(dst, flags)
	}
	if e.Status > 0 {
		dst = binary.AppendUvarint(dst, uint64(e.Status))
	}
	if len(e.Variables) > 0 {
		dst = appendVariables(dst, e.Variables)
	}
	for _, text := range texts {
		if *text != "" {
			dst = appendString(dst, *text)
		}
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	s = clip(s)
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

func appendVariables(dst []byte, variables []Variable) []byte {
	n, size := 0, 0
	for _, v := range variables {
		size += len(clip(v.Name)) + len(clip(v.Value))
		if n == MaxVariables || size > MaxVariableBytes {
			break
		}
		n++
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	for _, v := range variables[:n] {
		dst = appendString(dst, v.Name)
		dst = appendString(dst, v.Value)
	}
	return dst
}

// clip cuts a string to MaxString without leaving half a character.
func clip(s string) string {
	if len(s) <= MaxString {
		return s
	}
	cut := MaxString
	for back := 0; back < utf8.UTFMax-1 && !utf8.RuneStart(s[cut]); back++ {
		cut--
	}
	return s[:cut]
}

// DecodeBatch reads what [AppendBatch] wrote, by this or another version of the
// program. The events don't refer to b. It returns [ErrEncoding] or [ErrVersion].
func DecodeBatch(b []byte) ([]*Event, error) {
	if len(b) == 0 || len(b) > MaxBatchBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrEncoding, len(b))
	}
	if b[0] != encodingVersion {
		return nil, fmt.Errorf("%w: version %d", ErrVersion, b[0])
	}
	// One copy of the batch backs all strings of its events.
	d := decoder{bytes: b[1:], text: string(b[1:])}
	count := d.uvarint()
	// An event takes two bytes at least: a count can't make us allocate more
	// than the batch itself could hold.
	if d.failed || count > MaxBatchEvents || count > uint64(len(d.bytes)/2+1) {
		return nil, fmt.Errorf("%w: count", ErrEncoding)
	}
	events := make([]*Event, 0, count)
	values := make([]Event, count)
	for i := range values {
		body := d.take(d.uvarint())
		if d.failed || !body.event(&values[i]) {
			return nil, fmt.Errorf("%w: event %d", ErrEncoding, i)
		}
		events = append(events, &values[i])
	}
	if len(d.bytes) != 0 {
		return nil, fmt.Errorf("%w: %d bytes after the last event", ErrEncoding, len(d.bytes))
	}
	return events, nil
}

// decoder reads bytes from the front. After a failure all it returns is zero.
type decoder struct {
	bytes  []byte
	text   string // the same bytes, immutable
	failed bool
}

func (d *decoder) skip(n int) { d.bytes, d.text = d.bytes[n:], d.text[n:] }

func (d *decoder) fail() { d.failed, d.bytes, d.text = true, nil, "" }

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.bytes)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.skip(n)
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.bytes)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.skip(n)
	return v
}

// take splits off the next n bytes.
func (d *decoder) take(n uint64) decoder {
	if n > uint64(len(d.bytes)) {
		d.fail()
		return decoder{failed: true}
	}
	part := decoder{bytes: d.bytes[:n], text: d.text[:n]}
	d.skip(int(n))
	return part
}

func (d *decoder) string() string { part := d.take(d.uvarint()); return part.text }

func (d *decoder) id() (id [16]byte) { part := d.take(16); copy(id[:], part.bytes); return id }

func (d *decoder) float() float64 {
	part := d.take(8)
	if part.failed {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(part.bytes))
}

// event reads an event's fields and ignores those of later versions.
func (d *decoder) event(e *Event) bool {
	present := d.uvarint()
	has := func(bit int) bool { return present&(1<<bit) != 0 }
	if has(bitID) {
		e.ID = d.id()
	}
	if has(bitTime) {
		e.Time = time.UnixMicro(d.varint()).UTC()
	}
	if has(bitOrigin) {
		e.OriginID = d.id()
	}
	if has(bitEndpoint) {
		e.EndpointID = d.id()
	}
	if has(bitCoordinates) {
		e.Latitude, e.Longitude = d.float(), d.float()
	}
	if has(bitASN) {
		e.ASN = uint32(d.uvarint())
	}
	if has(bitFlags) {
		flags := d.uvarint()
		e.Bot, e.Countable = flags&flagBot != 0, flags&flagCountable != 0
	}
	if has(bitStatus) {
		e.Status = int(int32(d.uvarint()))
	}
	if has(bitVariables) {
		e.Variables = d.variables()
	}
	for i, text := range e.texts() {
		if has(bitStrings + i) {
			*text = d.string()
		}
	}
	return !d.failed
}

func (d *decoder) variables() []Variable {
	n := d.uvarint()
	if n > MaxVariables || n > uint64(len(d.bytes)/2) {
		d.fail()
		return nil
	}
	variables := make([]Variable, n)
	for i := range variables {
		variables[i] = Variable{Name: d.string(), Value: d.string()}
	}
	return variables
}

// Clone returns a copy that shares no memory with a batch, for those who keep
// single events for long.
func (e *Event) Clone() *Event {
	c := *e
	for _, text := range c.texts() {
		*text = strings.Clone(*text)
	}
	c.Variables = nil
	for _, v := range e.Variables {
		c.Variables = append(c.Variables, Variable{strings.Clone(v.Name), strings.Clone(v.Value)})
	}
	return &c
}
