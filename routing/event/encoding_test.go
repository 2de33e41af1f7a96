package event

import (
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// full returns an event with every field set, so that a field forgotten by the
// encoding is noticed.
func full(t testing.TB) *Event {
	t.Helper()
	e := &Event{}
	v := reflect.ValueOf(e).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i).Addr().Interface().(type) {
		case *string:
			*f = "value of " + v.Type().Field(i).Name
		case *[16]byte:
			for j := range f {
				f[j] = byte(i + j + 1)
			}
		case *time.Time:
			*f = time.Date(2026, 11, 30, 23, 59, 59, 123456000, time.UTC)
		case *float64:
			*f = -float64(i) - 0.25
		case *uint32:
			*f = math.MaxUint32
		case *int:
			*f = 404
		case *bool:
			*f = true
		case *[]Variable:
			*f = []Variable{{"a", "1"}, {"version", "ü"}}
		default:
			t.Fatalf("field %s has a type that the encoding doesn't know", v.Type().Field(i).Name)
		}
	}
	return e
}

func TestEveryFieldSurvivesTheEncoding(t *testing.T) {
	want := []*Event{full(t), {}, {Type: "event"}, {Bot: true}, {Countable: true, Longitude: 13.4}}
	got, err := DecodeBatch(AppendBatch(nil, want))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got[0], want[0])
	}
	if clone := want[0].Clone(); !reflect.DeepEqual(clone, want[0]) {
		t.Errorf("Clone: got %+v, want %+v", clone, want[0])
	}
}

func TestEachFieldAloneSurvivesTheEncoding(t *testing.T) {
	all := reflect.ValueOf(full(t)).Elem()
	for i := range all.NumField() {
		want := &Event{}
		reflect.ValueOf(want).Elem().Field(i).Set(all.Field(i))
		got, err := DecodeBatch(AppendBatch(nil, []*Event{want}))
		if err != nil || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%s: got %+v, %v", all.Type().Field(i).Name, got, err)
		}
	}
}

func TestFieldsOfALaterVersionAreSkipped(t *testing.T) {
	e := full(t)
	body := appendEvent(nil, e)
	present, n := binary.Uvarint(body)
	later := binary.AppendUvarint(nil, present|1<<62)
	later = append(later, body[n:]...)
	later = append(later, "a field that this version has never heard of"...)
	batch := []byte{encodingVersion, 2}
	for range 2 {
		batch = binary.AppendUvarint(batch, uint64(len(later)))
		batch = append(batch, later...)
	}
	got, err := DecodeBatch(batch)
	if err != nil || len(got) != 2 || !reflect.DeepEqual(got[1], e) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestOversizedEventsAreCut(t *testing.T) {
	long := strings.Repeat("é", MaxString)
	e := full(t)
	for _, text := range e.texts() {
		*text = "x" + long
	}
	e.Variables = nil
	for range 2 * MaxVariables {
		e.Variables = append(e.Variables, Variable{"name", strings.Repeat("v", 1000)})
	}
	if size := len(appendEvent(nil, e)); size > MaxEventBytes {
		t.Errorf("encoded event of %d bytes", size)
	}
	got, err := DecodeBatch(AppendBatch(nil, []*Event{e}))
	if err != nil {
		t.Fatal(err)
	}
	if want := "x" + long[:MaxString-2]; got[0].Path != want {
		t.Errorf("path of %d bytes, want %d", len(got[0].Path), len(want))
	}
	if n := len(got[0].Variables); n != MaxVariableBytes/1004 {
		t.Errorf("%d variables", n)
	}
}

func TestBrokenBatchesAreRefused(t *testing.T) {
	whole := AppendBatch(nil, []*Event{full(t), full(t)})
	tests := map[string]struct {
		batch []byte
		want  error
	}{
		"nothing":                    {nil, ErrEncoding},
		"a later version":            {[]byte{9, 0}, ErrVersion},
		"no count":                   {[]byte{encodingVersion}, ErrEncoding},
		"a count beyond the bytes":   {[]byte{encodingVersion, 0xff, 0xff, 0x03, 1, 0}, ErrEncoding},
		"an event beyond the bytes":  {[]byte{encodingVersion, 1, 9, 0}, ErrEncoding},
		"bytes after the last event": {append(AppendBatch(nil, nil), 0), ErrEncoding},
		"cut in the last event":      {whole[:len(whole)-1], ErrEncoding},
		"too many variables":         {[]byte{encodingVersion, 1, 5, 0x80, 0x02, 0xff, 0xff, 0x03}, ErrEncoding},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := DecodeBatch(test.batch); !errors.Is(err, test.want) {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
	for cut := range whole {
		if _, err := DecodeBatch(whole[:cut]); err == nil {
			t.Errorf("a batch cut at %d was accepted", cut)
		}
	}
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add(AppendBatch(nil, []*Event{full(f), {}, {Type: Custom}}))
	f.Add([]byte{encodingVersion, 1, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		events, err := DecodeBatch(b)
		if err != nil {
			return
		}
		for _, e := range events {
			if math.IsNaN(e.Latitude) || math.IsNaN(e.Longitude) {
				return // equals nothing, itself included
			}
		}
		once := AppendBatch(nil, events)
		again, err := DecodeBatch(once)
		if err != nil {
			t.Fatalf("own encoding refused: %v", err)
		}
		if string(AppendBatch(nil, again)) != string(once) {
			t.Fatal("a second encoding differs from the first")
		}
	})
}

func TestIDsAreVersion7InOrderOfTime(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	last := ""
	for i := range 1000 {
		id := NewID(at.Add(time.Duration(i) * time.Microsecond))
		if id[6]>>4 != 7 || id[8]>>6 != 0b10 {
			t.Fatalf("%x: version %d, variant %b", id, id[6]>>4, id[8]>>6)
		}
		text := FormatID(id)
		if text <= last {
			t.Fatalf("%s after %s", text, last)
		}
		last = text
	}
	if got := FormatID([16]byte{}); got != "" {
		t.Errorf("unknown id is written %q", got)
	}
	if got, want := FormatID([16]byte{0x01, 0x89, 15: 0xfe}), "01890000-0000-0000-0000-0000000000fe"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func typical() *Event {
	now := time.Now()
	return &Event{
		ID: NewID(now), Time: now, Type: BinaryDownload, Owner: "acme", PackageID: "0189f7ea-ae2c-7809-8aeb-b819cf5e9e7f",
		Package: "rocket-skates", PackageType: "file", Domain: "acme.gateway.localhost",
		Path: "/files/1.2.3/linux/rocket-skates-linux-1.2.3.tar.gz", Version: "1.2.3", Platform: "linux", Arch: "amd64",
		Client: "curl", ClientVersion: "8.5.0", ClientClass: "client", UserAgent: "curl/8.5.0",
		Variables: []Variable{{"platform", "linux"}, {"version", "1.2.3"}},
		OriginID:  NewID(now), EndpointID: NewID(now), Countable: true, Status: 302,
		OriginHost: "downloads.example.com", Node: "node-1", Region: "eu",
	}
}

func BenchmarkAppendBatch256(b *testing.B) {
	events := make([]*Event, 256)
	for i := range events {
		events[i] = typical()
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendBatch(dst[:0], events)
	}
	b.ReportMetric(float64(len(dst))/256, "bytes/event")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/event")
}

func BenchmarkDecodeBatch256(b *testing.B) {
	events := make([]*Event, 256)
	for i := range events {
		events[i] = typical()
	}
	batch := AppendBatch(nil, events)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeBatch(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/event")
}

func BenchmarkNewID(b *testing.B) {
	now := time.Now()
	for b.Loop() {
		NewID(now)
	}
}
