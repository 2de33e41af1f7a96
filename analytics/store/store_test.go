package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"tallygate/routing/event"
)

func open(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func message(sequence uint64, events ...*event.Event) Message {
	return Message{Node: "n1", Incarnation: [16]byte{15: 1}, Sequence: sequence, Events: events}
}

func mustWrite(t testing.TB, s *Store, messages ...Message) Result {
	t.Helper()
	r, err := s.Write(context.Background(), messages)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// query returns all values of a result as text, rows separated by "; ".
func query(t testing.TB, s *Store, sql string, args ...any) string {
	t.Helper()
	rows, err := s.QueryContext(context.Background(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values := make([]any, len(columns))
		pointers := make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		var row []string
		for _, v := range values {
			if v == nil {
				v = "NULL"
			}
			row = append(row, fmt.Sprint(v))
		}
		out = append(out, strings.Join(row, ","))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, "; ")
}

func TestTheViewHasTheColumnsOfTheContractInOrder(t *testing.T) {
	s := open(t, Options{})
	const contract = `id UUID, time TIMESTAMP, type, owner, package_id, package, package_type, pixel_id, pixel,
		domain, path, reference, version, digest, platform, arch, client, client_version, user_agent,
		referer, page, variables MAP(VARCHAR, VARCHAR), origin_id UUID, endpoint_id UUID, country, state, city,
		latitude DOUBLE, longitude DOUBLE, network_type, asn UINTEGER, company, company_domain, confidence, bot BOOLEAN,
		counted BOOLEAN, status INTEGER, node, region, unique_id`
	var want []string
	for _, c := range strings.Split(strings.ReplaceAll(contract, "VARCHAR, VARCHAR", "VARCHAR; VARCHAR"), ",") {
		name, kind, found := strings.Cut(strings.TrimSpace(c), " ")
		if !found {
			kind = "VARCHAR"
		}
		want = append(want, name+","+strings.ReplaceAll(kind, ";", ","))
	}
	want = append(want, "origin_host,VARCHAR", "client_class,VARCHAR")
	got := query(t, s, `SELECT column_name, column_type FROM (DESCRIBE events)`)
	if got != strings.Join(want, "; ") {
		t.Errorf("got  %s\nwant %s", got, strings.Join(want, "; "))
	}
}

// everything is an event with each field set, by reflection so that none is
// forgotten.
func everything() *event.Event {
	e := &event.Event{}
	v := reflect.ValueOf(e).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i).Addr().Interface().(type) {
		case *string:
			*f = "a " + v.Type().Field(i).Name
		case *bool:
			*f = true
		}
	}
	e.ID, e.OriginID, e.EndpointID = [16]byte{1}, [16]byte{2}, [16]byte{3}
	e.Time = time.Date(2026, 11, 30, 23, 59, 59, 123456789, time.FixedZone("", 3600))
	e.Latitude, e.Longitude, e.ASN, e.Status = 52.5, -13.25, 4294967295, 302
	e.Variables = []event.Variable{{Name: "a", Value: "1"}, {Name: "b", Value: ""}, {Name: "ü", Value: "é"}}
	return e
}

// anything is an event that no other replaces.
func anything() *event.Event {
	e := everything()
	e.UniqueID = ""
	return e
}

func TestEachFieldIsStoredInItsColumn(t *testing.T) {
	s := open(t, Options{})
	mustWrite(t, s, message(1, everything()))
	got := query(t, s, `SELECT * REPLACE (id::VARCHAR AS id, origin_id::VARCHAR AS origin_id, endpoint_id::VARCHAR AS endpoint_id,
		time::VARCHAR AS time, variables::VARCHAR AS variables) FROM events`)
	want := "01000000-0000-0000-0000-000000000000,2026-11-30 22:59:59.123456,a Type,a Owner,a PackageID,a Package,a PackageType,a PixelID,a Pixel," +
		"a Domain,a Path,a Reference,a Version,a Digest,a Platform,a Arch,a Client,a ClientVersion,a UserAgent,a Referer,a Page,{a=1, b='', ü=é}," +
		"02000000-0000-0000-0000-000000000000,03000000-0000-0000-0000-000000000000,a Country,a State,a City,52.5,-13.25," +
		"a NetworkType,4294967295,a Company,a CompanyDomain,a Confidence,true,true,302,a Node,a Region,a UniqueID,a OriginHost,a ClientClass"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUnknownIsNull(t *testing.T) {
	s := open(t, Options{})
	mustWrite(t, s, message(1, &event.Event{Time: time.UnixMicro(0)}))
	got := query(t, s, `SELECT * EXCLUDE (time, bot, counted) FROM events`)
	want := strings.TrimSuffix(strings.Repeat("NULL,", len(EventColumns)-3), ",")
	if got != want {
		t.Errorf("got %s", got)
	}
	if got := query(t, s, `SELECT bot, counted FROM events`); got != "false,false" {
		t.Errorf("bot and counted: %s", got)
	}
}

func TestBytesThatAreNoTextAreStoredAsText(t *testing.T) {
	s := open(t, Options{})
	mustWrite(t, s, message(1, &event.Event{
		Time: time.Now(), Path: "/a\xff\xfe b", UserAgent: "nul\x00byte", Platform: "\xff", Latitude: 91, Longitude: 1,
		Variables: []event.Variable{{Name: "k\xff", Value: "v\xc3"}, {Name: "k\xff", Value: "again"}, {Name: "", Value: "no name"}},
	}, &event.Event{Time: time.Time{}}, &event.Event{Time: time.UnixMicro(1 << 62)}))
	got := query(t, s, `SELECT path, user_agent, platform, latitude, variables::VARCHAR FROM events LIMIT 1`)
	if want := "/a\uFFFD b,nul\uFFFDbyte,\uFFFD,NULL,{k\uFFFD=again, '': no name}"; got != want && got != strings.ReplaceAll(want, "'': ", "''=") {
		t.Errorf("got %q", got)
	}
	if got := query(t, s, `SELECT max(time)::VARCHAR, min(time)::VARCHAR FROM events`); got != "9999-12-31 23:59:59,0001-01-01 00:00:00" {
		t.Errorf("times at the ends of the calendar: %s", got)
	}
}

func TestAMessageDeliveredTwiceCountsOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	one := func() *event.Event { return &event.Event{Time: time.Now(), Type: event.Custom} }
	mustWrite(t, s, message(1, one()), message(2, one(), one()))
	r := mustWrite(t, s, message(1, one()), message(2, one()), message(3, one()), message(3, one()))
	if r.Repeated != 3 || len(r.Rows) != 1 {
		t.Errorf("%d rows, %d repeated", len(r.Rows), r.Repeated)
	}
	other := message(1, one())
	other.Incarnation[0] = 9
	mustWrite(t, s, other)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: dir})
	mustWrite(t, s, message(3, one()), other)
	if got := query(t, s, `SELECT count(*) FROM events`); got != "5" {
		t.Errorf("%s rows, want 5", got)
	}
	offsets, err := s.Offsets(t.Context(), "n1")
	if err != nil || len(offsets) != 2 || offsets[message(0).Incarnation] != 3 || offsets[other.Incarnation] != 1 {
		t.Errorf("offsets %v, %v", offsets, err)
	}
}

func TestAWriteThatFailsAtAnyStepLeavesNothing(t *testing.T) {
	for _, step := range []string{"begun", "written"} {
		for _, panics := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, panic %v", step, panics), func(t *testing.T) {
				failing := true
				s := open(t, Options{Fault: func(at string) error {
					if at != step || !failing {
						return nil
					}
					failing = false
					if panics {
						panic("test")
					}
					return errors.New("test")
				}})
				at := time.Now()
				pull := func() *event.Event { return pullOf("img", 1, at) }
				func() {
					defer func() { _ = recover() }()
					if _, err := s.Write(t.Context(), []Message{message(1, pull()), message(2, pull())}); err == nil {
						t.Error("no error")
					}
				}()
				if got := query(t, s, `SELECT count(*) FROM events`); got != "0" {
					t.Errorf("%s rows after the failure", got)
				}
				mustWrite(t, s, message(1, pull()), message(2, pull()))
				if got := query(t, s, `SELECT count(*), count(*) FILTER (counted) FROM events`); got != "2,1" {
					t.Errorf("rows and counted: %s", got)
				}
			})
		}
	}
}

func TestACommitWhoseAnswerIsLostCountsOnce(t *testing.T) {
	failing := true
	s := open(t, Options{Fault: func(at string) error {
		if at == "committed" && failing {
			failing = false
			return errors.New("test")
		}
		return nil
	}})
	m := message(1, pullOf("img", 1, time.Now()))
	if _, err := s.Write(t.Context(), []Message{m}); err == nil {
		t.Fatal("no error")
	}
	if r := mustWrite(t, s, m); r.Repeated != 1 {
		t.Errorf("%+v", r)
	}
	if got := query(t, s, `SELECT count(*) FROM events`); got != "1" {
		t.Errorf("%s rows", got)
	}
}

func TestUnreadableMessagesAreKeptAside(t *testing.T) {
	s := open(t, Options{})
	m := message(1)
	m.Unreadable, m.Reason = []byte{1, 2, 3}, "version 9"
	mustWrite(t, s, m, message(2, everything()))
	mustWrite(t, s, m)
	if got := query(t, s, `SELECT node, sequence, reason, payload::VARCHAR FROM unreadable`); got != `n1,1,version 9,\x01\x02\x03` {
		t.Errorf("got %s", got)
	}
}

func TestAStoreIsOpenedOnce(t *testing.T) {
	dir := t.TempDir()
	open(t, Options{Dir: dir})
	if _, err := Open(Options{Dir: dir}); err == nil {
		t.Error("opened twice")
	}
}

func TestADatabaseOfALaterProgramIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	if _, err := s.writer.ExecContext(t.Context(), `INSERT INTO schema_migrations VALUES (999, now()::TIMESTAMP)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: dir}); !errors.Is(err, ErrVersion) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Write(t.Context(), []Message{message(1)}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("write after Close: %v", err)
	}
}

func TestAFatalErrorOpensTheDatabaseAgain(t *testing.T) {
	s := open(t, Options{})
	mustWrite(t, s, message(1, anything()))
	s.mu.Lock()
	s.abandon()
	s.mu.Unlock()
	mustWrite(t, s, message(2, anything()))
	if got := query(t, s, `SELECT count(*) FROM events`); got != "2" {
		t.Errorf("%s rows", got)
	}
	st, err := s.Status(t.Context())
	if err != nil || st.Events != 2 || st.Bytes == 0 || st.Newest.IsZero() {
		t.Errorf("status %+v, %v", st, err)
	}
}

func TestAQuietMomentMergesTheLog(t *testing.T) {
	s := open(t, Options{})
	var events []*event.Event
	for i := range 30_000 {
		events = append(events, anything())
		events[i].Path = fmt.Sprintf("/%d/%d", i, i*7919)
	}
	mustWrite(t, s, message(1, events...))
	before := fileSize(filepath.Join(s.opts.Dir, "events.duckdb.wal"))
	s.mu.Lock()
	s.written = time.Now().Add(-time.Hour)
	s.mu.Unlock()
	if err := s.maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := fileSize(s.Path() + ".wal"); before < checkpointQuiet || after >= before {
		t.Errorf("log of %d bytes before, %d after", before, after)
	}
}

func TestAWriteStoppedHalfWayDoesNotSpoilClosing(t *testing.T) {
	s := open(t, Options{})
	// What database/sql does with the connection of a transaction that can't be
	// rolled back.
	if err := s.writer.Raw(func(any) error { return driver.ErrBadConn }); !errors.Is(err, driver.ErrBadConn) {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
}
