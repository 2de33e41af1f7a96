package sql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tallygate/analytics/sql"
	"tallygate/analytics/store"
	"tallygate/routing/event"
)

type fixture struct {
	*sql.Runner
	store *store.Store
	dir   string
	next  uint64
}

func open(t testing.TB, o sql.Options) *fixture {
	t.Helper()
	f := &fixture{dir: t.TempDir()}
	var err error
	if f.store, err = store.Open(store.Options{Dir: f.dir, MemoryLimit: 256 << 20}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.store.Close(context.Background()) })
	o.Source, o.Dir = f.store, f.store.ExportDir()
	f.Runner = sql.New(o)
	return f
}

// write stores n events, which fails when a statement has hurt the instance.
func (f *fixture) write(t testing.TB, n int) {
	t.Helper()
	var events []*event.Event
	for i := range n {
		events = append(events, &event.Event{
			ID: [16]byte{byte(f.next), byte(i >> 8), byte(i)}, Time: time.Date(2026, 11, 1, 0, 0, i, 500_000, time.UTC), Type: event.BinaryDownload, Owner: "acme",
			Package: "rocket", PackageID: "p1", Version: fmt.Sprint(i % 3), Countable: true, Variables: []event.Variable{{Name: "a", Value: "1"}},
		})
	}
	f.next++
	if _, err := f.store.Write(t.Context(), []store.Message{{Node: "n", Incarnation: [16]byte{1}, Sequence: f.next, Events: events}}); err != nil {
		t.Fatalf("the store is hurt: %v", err)
	}
}

func (f *fixture) text(t testing.TB, query string, format sql.Format) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := f.Write(t.Context(), &out, query, format); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out.String()
}

// Each of these is refused, with a reason, before anything of it is run; and
// afterwards events are still stored and asked for.
func TestHostileStatementsAreRefused(t *testing.T) {
	f := open(t, sql.Options{})
	f.write(t, 10)
	secret := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(secret, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	created := filepath.Join(f.store.ExportDir(), "created")
	statements := []string{
		// Files.
		`SELECT * FROM read_csv('` + secret + `')`,
		`SELECT * FROM read_csv_auto('` + secret + `')`,
		`SELECT * FROM read_text('/etc/passwd')`,
		`SELECT * FROM read_blob('/etc/passwd')`,
		`SELECT * FROM read_json('/etc/passwd')`,
		`SELECT * FROM read_parquet('x.parquet')`,
		`SELECT * FROM parquet_metadata('x.parquet')`,
		`SELECT * FROM sniff_csv('` + secret + `')`,
		`SELECT * FROM glob('/*')`,
		`SELECT * FROM glob('` + f.store.ExportDir() + `/*')`,
		`SELECT * FROM '` + secret + `'`,
		`FROM '/etc/passwd'`,
		`SELECT * FROM "` + secret + `"`,
		`SELECT * FROM read_duckdb('` + f.store.Path() + `')`,
		`WITH "` + secret + `" AS (SELECT 1) SELECT (WITH x AS (SELECT 1) SELECT 1), * FROM "` + secret + `"`,
		`COPY events TO '` + created + `'`,
		`COPY (SELECT 1) TO '` + created + `' (FORMAT csv)`,
		`COPY events FROM '` + secret + `'`,
		`EXPORT DATABASE '` + created + `'`,
		`IMPORT DATABASE '/tmp'`,
		`SELECT 1) TO '` + created + `' (FORMAT csv); --`,
		// Writes.
		`INSERT INTO events_raw DEFAULT VALUES`,
		`UPDATE events_raw SET counted = false`,
		`DELETE FROM events_raw`,
		`TRUNCATE events_raw`,
		`DROP TABLE events_raw`,
		`DROP VIEW events`,
		`ALTER TABLE events_raw DROP COLUMN path`,
		`CREATE TABLE x (a INTEGER)`,
		`CREATE TEMP TABLE x AS SELECT 1`,
		`CREATE OR REPLACE VIEW events AS SELECT 1`,
		`CREATE MACRO now() AS 1`,
		`CREATE SEQUENCE s`,
		`MERGE INTO events_raw USING events ON false WHEN MATCHED THEN DELETE`,
		// The database and its settings.
		`ATTACH ':memory:' AS m`,
		`ATTACH '/tmp/other.duckdb'`,
		`DETACH memory`,
		`USE main`,
		`SET memory_limit = '100GB'`,
		`SET VARIABLE x = 1`,
		`RESET threads`,
		`PRAGMA database_list`,
		`PRAGMA enable_profiling`,
		`CHECKPOINT`,
		`FORCE CHECKPOINT`,
		`VACUUM`,
		`ANALYZE`,
		`CALL pragma_version()`,
		`INSTALL httpfs`,
		`LOAD '/tmp/evil.so'`,
		`BEGIN`,
		`COMMIT`,
		`ROLLBACK`,
		`PREPARE p AS SELECT 1`,
		`EXECUTE p`,
		`DEALLOCATE p`,
		`CREATE SECRET (TYPE s3)`,
		`EXPLAIN ANALYZE SELECT 1`,
		// Table functions with side effects, and those that tell too much.
		`SELECT * FROM enable_logging('QueryLog', storage='file', storage_path='/tmp/x')`,
		`SELECT * FROM disable_logging()`,
		`SELECT * FROM enable_profiling()`,
		`SELECT * FROM truncate_duckdb_logs()`,
		`SELECT * FROM checkpoint()`,
		`SELECT * FROM force_checkpoint()`,
		`SELECT * FROM duckdb_databases()`,
		`SELECT * FROM duckdb_settings()`,
		`SELECT * FROM duckdb_secrets()`,
		`SELECT * FROM duckdb_logs()`,
		`SELECT * FROM pragma_database_size()`,
		`SELECT * FROM pragma_storage_info('events_raw')`,
		`SELECT * FROM query('DROP TABLE events_raw')`,
		`SELECT * FROM query_table('events_raw')`,
		`SELECT * FROM json_execute_serialized_sql('{}')`,
		`SELECT * FROM seq_scan('events_raw')`,
		`SELECT * FROM summary('events_raw')`,
		`SELECT * FROM test_all_types()`,
		`SELECT * FROM repeat('x', 1000000000)`,
		`SELECT (SELECT count(*) FROM (SELECT * FROM (FROM checkpoint())))`,
		`SELECT * FROM events, LATERAL (SELECT * FROM glob('/*'))`,
		`SELECT * FROM events WHERE EXISTS (FROM duckdb_tables())`,
		`WITH x AS (FROM checkpoint()) SELECT 1`,
		`WITH RECURSIVE x AS (SELECT 1 UNION ALL FROM checkpoint()) SELECT 1`,
		`SELECT 1 UNION ALL FROM duckdb_memory()`,
		`SELECT 1 ORDER BY (FROM checkpoint())`,
		`SELECT 1 LIMIT (SELECT count(*) FROM checkpoint())`,
		`DESCRIBE (FROM duckdb_settings())`,
		`SUMMARIZE events_raw`,
		// Tables behind the views, and the catalog.
		`SELECT * FROM events_raw`,
		`SELECT * FROM main.events_raw`,
		`SELECT * FROM "EVENTS_RAW"`,
		`SELECT * FROM events.main.events_raw`,
		`SELECT * FROM offsets`,
		`SELECT * FROM unreadable`,
		`SELECT * FROM temp.main.events`,
		`SELECT * FROM sqlite_master`,
		`SELECT * FROM duckdb_tables`,
		`SELECT * FROM information_schema.tables`,
		`SELECT * FROM pg_catalog.pg_class`,
		`DESCRIBE events_raw`,
		`SHOW TABLES`,
		`SHOW ALL TABLES`,
		`SHOW DATABASES`,
		`WITH events_raw AS (SELECT 1) SELECT * FROM events_raw`,
		`WITH events_raw AS (SELECT * FROM events_raw) SELECT * FROM events_raw`,
		`SELECT (WITH events_raw AS (SELECT 1) SELECT 1), * FROM events_raw`,
		`WITH events AS (SELECT 1) SELECT * FROM events`,
		`SELECT * FROM events AT (VERSION => 1)`,
		// Functions.
		`SELECT getenv('HOME')`,
		`SELECT main.getenv('HOME')`,
		`SELECT system.main.getenv('HOME')`,
		`SELECT 'HOME'.getenv()`,
		`SELECT current_setting('memory_limit')`,
		`SELECT nextval('s')`,
		`SELECT setseed(0.5)`,
		`SELECT write_log('x')`,
		`SELECT sleep_ms(100000)`,
		`SELECT pg_sleep(100)`,
		`SELECT getvariable('x')`,
		`SELECT json_serialize_plan('SELECT 1')`,
		`SELECT error('x')`,
		`SELECT repeat('x', 1000000000)`,
		`SELECT lpad('x', 1000000000, 'y')`,
		`SELECT format('{:>1000000000}', 'x')`,
		`SELECT range(1000000000)`,
		`SELECT list_transform([1], lambda x: getenv('HOME'))`,
		`SELECT [getenv(x) FOR x IN ['HOME']]`,
		`SELECT count(*) FILTER (getenv('HOME') = '') FROM events`,
		`SELECT row_number() OVER (ORDER BY getenv('HOME')) FROM events`,
		`SELECT getenv('HOME') OVER () FROM events`,
		`SELECT CASE WHEN true THEN getenv('HOME') END`,
		`SELECT * REPLACE (getenv('HOME') AS path) FROM events`,
		`SELECT 1 FROM events GROUP BY getenv('HOME')`,
		`SELECT 1 FROM events HAVING getenv('HOME') = ''`,
		`SELECT 1 FROM events QUALIFY getenv('HOME') = ''`,
		`SELECT 1 FROM events e JOIN events f ON getenv('HOME') = ''`,
		`VALUES (getenv('HOME'))`,
		// Several statements, and tricks with text.
		`SELECT 1; SELECT 2`,
		`SELECT 1; DROP TABLE events_raw`,
		`CREATE TABLE x (a INTEGER); SELECT 1`,
		`/* SELECT 1 */ DROP TABLE events_raw`,
		"SELECT 1 --\n; DROP TABLE events_raw",
		`SELECT 'a'';' ; DELETE FROM events_raw`,
		`SELECT $$x$$; DELETE FROM events_raw`,
		`SELECT ?`,
		`SELECT $1`,
		`SELECT * FROM events WHERE owner = $owner`,
		`SELECT`,
		`SELECT 'unterminated`,
		`SELECT /* unterminated`,
		``,
		`;`,
		`-- nothing`,
		"SELECT '\xff'",
		"SELECT 'a\x00b'",
		`SELECT '` + strings.Repeat("x", 70_000) + `'`,
		strings.Repeat("(", 10_000) + "SELECT 1" + strings.Repeat(")", 10_000),
	}
	for _, query := range statements {
		var out bytes.Buffer
		_, err := f.Write(t.Context(), &out, query, sql.JSON)
		var refused *sql.Refused
		if !errors.As(err, &refused) || refused.Reason == "" || out.Len() > 0 {
			t.Errorf("%.200q: %v, %d bytes written", query, err, out.Len())
		}
		if err := f.Check(t.Context(), query); !errors.As(err, &refused) {
			t.Errorf("Check %.200q: %v", query, err)
		}
		f.write(t, 1)
	}
	if got := f.text(t, `SELECT count(*) AS n FROM events`, sql.CSV); got != fmt.Sprintf("n\n%d\n", 10+len(statements)) {
		t.Errorf("rows after %d hostile statements: %s", len(statements), got)
	}
	if _, err := os.Stat(created); !os.IsNotExist(err) {
		t.Errorf("a file was written: %v", err)
	}
	t.Logf("%d statements refused", len(statements))
}

func TestUsefulStatementsAreAllowed(t *testing.T) {
	f := open(t, sql.Options{})
	f.write(t, 10)
	for _, query := range []string{
		`SELECT 1`,
		`SELECT * FROM events`,
		`from events`,
		`FROM events SELECT count(*);`,
		`SELECT * FROM main.events -- all`,
		`VALUES (1, 'a'), (2, 'b')`,
		`DESCRIBE events`,
		`SUMMARIZE events`,
		`DESCRIBE SELECT variables FROM events`,
		f.Schema()[0].Example,
		`SELECT version, count(*) FILTER (counted), count(DISTINCT origin_id) FROM events GROUP BY ALL ORDER BY ALL`,
		`SELECT date_trunc('day', time) AS day, count(*) FROM events GROUP BY day ORDER BY day`,
		`SELECT time AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin' FROM events`,
		`SELECT variables['a'], variables FROM events WHERE variables['a'] = '1'`,
		`WITH a AS (SELECT * FROM events), b AS (SELECT version FROM a) SELECT * FROM a JOIN b USING (version)`,
		`WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r`,
		`SELECT row_number() OVER w, lag(time) OVER (PARTITION BY version ORDER BY time) FROM events WINDOW w AS (ORDER BY time) QUALIFY row_number() OVER w < 5`,
		`SELECT * EXCLUDE (user_agent) REPLACE (upper(owner) AS owner) FROM events WHERE path ILIKE '%x%' OR path SIMILAR TO 'a.*' OR regexp_matches(coalesce(path, ''), 'b')`,
		`SELECT * FROM range(5) t(i), unnest([1, 2]) u(j)`,
		`SELECT CASE WHEN bot THEN 'bot' ELSE 'human' END, count(*) FROM events GROUP BY 1 HAVING count(*) BETWEEN 1 AND 100`,
		`SELECT (SELECT max(time) FROM events), EXISTS (FROM events), 1 IN (SELECT 1), now(), current_date, today() - INTERVAL 3 DAYS`,
		`SELECT list_transform([1, 2], lambda x: x + 1), [x * 2 FOR x IN [1, 2] IF x > 1], {'a': 1}, map {'k': 'v'}, [1, 2, 3][1:2]`,
		`(SELECT 1) UNION ALL (SELECT 2) EXCEPT SELECT 3 ORDER BY 1 LIMIT 10 OFFSET 0`,
		`SELECT * FROM events e ASOF JOIN events f ON e.time >= f.time`,
		`SELECT * FROM (PIVOT events ON version IN ('0', '1') USING count(*) GROUP BY owner)`,
		`SELECT * FROM events USING SAMPLE 10%`,
		`SELECT count(*) FROM events GROUP BY GROUPING SETS ((version), ())`,
		`SELECT quantile_cont(status, 0.99), approx_count_distinct(path), arg_max(path, time), string_agg(version, ',' ORDER BY version) FROM events`,
		`SELECT '10'::INTEGER, TRY_CAST('x' AS INTEGER), 'a' || 'b', NOT true, nullif(1, 1), ifnull(NULL, 1), -1, 2 ** 3, 7 // 2, 7 % 2`,
	} {
		for _, format := range []sql.Format{sql.JSON, sql.Parquet} {
			if _, err := f.Write(t.Context(), &bytes.Buffer{}, query, format); err != nil {
				t.Errorf("%s as %s: %v", query, format, err)
			}
		}
	}
	var failed *sql.Failed
	for _, query := range []string{`SELECT nope FROM events`, `SELECT 1/'a'`, `SELECT * FROM nope`} {
		err := f.Check(t.Context(), query)
		if err == nil {
			_, err = f.Write(t.Context(), &bytes.Buffer{}, query, sql.JSON)
		}
		var refused *sql.Refused
		if !errors.As(err, &failed) && !errors.As(err, &refused) {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func TestFormats(t *testing.T) {
	f := open(t, sql.Options{})
	f.write(t, 2)
	const query = `SELECT time, package AS name, NULL AS nothing, '' AS empty, 1.50::DECIMAL(10,2) AS price, variables, [DATE '2026-11-01'] AS days, 'a"b,c' AS odd FROM events ORDER BY time`
	tests := map[sql.Format]string{
		sql.NDJSON: `{"time":"2026-11-01T00:00:00.0005Z","name":"rocket","nothing":null,"empty":"","price":1.50,"variables":{"a":"1"},"days":["2026-11-01"],"odd":"a\"b,c"}` + "\n" +
			`{"time":"2026-11-01T00:00:01.0005Z","name":"rocket","nothing":null,"empty":"","price":1.50,"variables":{"a":"1"},"days":["2026-11-01"],"odd":"a\"b,c"}` + "\n",
		sql.CSV: "time,name,nothing,empty,price,variables,days,odd\n" +
			`2026-11-01T00:00:00.0005Z,rocket,,"",1.50,"{""a"":""1""}","[""2026-11-01""]","a""b,c"` + "\n" +
			`2026-11-01T00:00:01.0005Z,rocket,,"",1.50,"{""a"":""1""}","[""2026-11-01""]","a""b,c"` + "\n",
		sql.Table: "time                       name    nothing  empty  price  variables  days            odd\n" +
			"-------------------------  ------  -------  -----  -----  ---------  --------------  -----\n" +
			"2026-11-01T00:00:00.0005Z  rocket     NULL          1.50  {\"a\":\"1\"}  [\"2026-11-01\"]  a\"b,c\n" +
			"2026-11-01T00:00:01.0005Z  rocket     NULL          1.50  {\"a\":\"1\"}  [\"2026-11-01\"]  a\"b,c\n(2 rows)\n",
	}
	for format, want := range tests {
		if got := f.text(t, query, format); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", format, got, want)
		}
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(f.text(t, query, sql.JSON)), &list); err != nil || len(list) != 2 {
		t.Errorf("JSON: %v, %v", list, err)
	}
	if got := f.text(t, `SELECT 1 WHERE false`, sql.JSON); got != "[]\n" {
		t.Errorf("an empty array is written %q", got)
	}
	parquet := f.text(t, query+"; ", sql.Parquet)
	if !strings.HasPrefix(parquet, "PAR1") || !strings.HasSuffix(parquet, "PAR1") {
		t.Errorf("no Parquet file: %d bytes", len(parquet))
	}
	left, err := os.ReadDir(f.store.ExportDir())
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	p, err := f.Page(t.Context(), query, 1)
	if err != nil || len(p.Rows) != 1 || !p.Truncated || *p.Rows[0][1] != "rocket" || p.Rows[0][2] != nil || p.Columns[0].Type != "TIMESTAMP" {
		t.Errorf("page %+v, %v", p, err)
	}
}

func TestValuesAreWrittenAsWhatTheyAre(t *testing.T) {
	f := open(t, sql.Options{})
	tests := map[string]string{
		`170141183460469231731687303715884105727::HUGEINT`: `170141183460469231731687303715884105727`,
		`18446744073709551615::UBIGINT`:                    `18446744073709551615`,
		`9007199254740993`:                                 `9007199254740993`,
		`-0.05::DECIMAL(4,2)`:                              `-0.05`,
		`0.1::DOUBLE`:                                      `0.1`,
		`'NaN'::DOUBLE`:                                    `"NaN"`,
		`'-inf'::FLOAT`:                                    `"-Inf"`,
		`true`:                                             `true`,
		`'é"\ ' || chr(10)`:                                `"é\"\\ \n"`,
		`'00112233-4455-6677-8899-aabbccddeeff'::UUID`:   `"00112233-4455-6677-8899-aabbccddeeff"`,
		`['00112233-4455-6677-8899-aabbccddeeff'::UUID]`: `["00112233-4455-6677-8899-aabbccddeeff"]`,
		`DATE '2026-11-01'`:                              `"2026-11-01"`,
		`TIME '01:02:03.5'`:                              `"01:02:03.5"`,
		`TIMESTAMP '2026-11-01 01:02:03'`:                `"2026-11-01T01:02:03Z"`,
		`TIMESTAMPTZ '2026-11-01 01:02:03+02'`:           `"2026-10-31T23:02:03Z"`,
		`INTERVAL '1 month 2 days 3.5 seconds'`:          `"P1M2DT3.5S"`,
		`INTERVAL 0 DAYS`:                                `"PT0S"`,
		`'\xAB'::BLOB`:                                   `"ab"`,
		`{'b': 1, 'a': [NULL, 2]}`:                       `{"a":[null,2],"b":1}`,
		`map {'y': 1, 'x': 2}`:                           `{"y":1,"x":2}`,
		`map {2: 'b'}`:                                   `{"2":"b"}`,
		`'{"a": [1, null]}'::JSON`:                       `{"a":[1,null]}`,
		`NULL`:                                           `null`,
	}
	for expression, want := range tests {
		got := f.text(t, "SELECT "+expression+" AS v", sql.NDJSON)
		if got != `{"v":`+want+"}\n" {
			t.Errorf("%s: got %s, want %s", expression, got, want)
		}
	}
	if got := f.text(t, `SELECT 1 AS a, 2 AS a`, sql.NDJSON); got != `{"a":1,"a_2":2}`+"\n" {
		t.Errorf("two columns of one name: %s", got)
	}
	if got := f.text(t, `SELECT chr(27) || '[31m' AS a`, sql.Table); strings.Contains(got, "\x1b") {
		t.Errorf("a terminal would obey: %q", got)
	}
}

func TestStatementsEndWithTheirLimits(t *testing.T) {
	f := open(t, sql.Options{Timeout: 300 * time.Millisecond, MaxRows: 100})
	f.write(t, 1000)
	for _, query := range []string{
		`SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range + b.range = 7`,
		`WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r) SELECT count(*) FROM r`,
		`SELECT max(md5(a.range::VARCHAR)) FROM range(10000000000) a`,
	} {
		_, err := f.Write(t.Context(), &bytes.Buffer{}, query, sql.JSON)
		if !errors.Is(err, sql.ErrDeadline) {
			t.Errorf("%s: %v", query, err)
		}
		f.write(t, 1)
	}
	for _, format := range []sql.Format{sql.NDJSON, sql.Parquet} {
		r, err := f.Write(t.Context(), &bytes.Buffer{}, `SELECT * FROM events`, format)
		if err != nil || !r.Truncated || r.Rows < 100 || r.Rows > 101 {
			t.Errorf("%s: %+v, %v", format, r, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Write(ctx, &bytes.Buffer{}, `SELECT 1`, sql.JSON); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who gave up: %v", err)
	}
}

// gate holds a writer of results until it is opened.
type gate struct{ begun, open chan struct{} }

func (g gate) Write(p []byte) (int, error) {
	g.begun <- struct{}{}
	<-g.open
	return len(p), nil
}

func TestOnlySoManyStatementsAtOnce(t *testing.T) {
	f := open(t, sql.Options{Running: 1, Waiting: 1, Timeout: time.Minute})
	g := gate{make(chan struct{}, 1), make(chan struct{})}
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { _, err := f.Write(t.Context(), g, `SELECT 1`, sql.CSV); first <- err }()
	<-g.begun
	waiting, cancel := context.WithCancel(t.Context())
	wait := func() { _, err := f.Write(waiting, &bytes.Buffer{}, `SELECT 1`, sql.CSV); second <- err }
	go wait()
	for {
		// The second takes the one place to wait at some time.
		_, err := f.Write(canceled(t), &bytes.Buffer{}, `SELECT 1`, sql.CSV)
		if errors.Is(err, sql.ErrBusy) {
			break
		}
		select {
		case err := <-second:
			// It came while this loop's own statement held the place for a moment.
			if !errors.Is(err, sql.ErrBusy) {
				t.Fatalf("the second statement ended: %v", err)
			}
			go wait()
		default:
		}
	}
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("gave up waiting: %v", err)
	}
	close(g.open)
	if err := <-first; err != nil {
		t.Error(err)
	}
	f.text(t, `SELECT 1`, sql.CSV)
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestARunnerWithoutAStoreSaysSo(t *testing.T) {
	r := sql.New(sql.Options{})
	if err := r.Check(t.Context(), "SELECT 1"); !errors.Is(err, sql.ErrDisabled) {
		t.Error(err)
	}
	if _, err := sql.ParseFormat("xml"); !errors.Is(err, sql.ErrFormat) {
		t.Error(err)
	}
	if got, err := sql.ParseFormat(""); got != sql.Table || err != nil {
		t.Error(got, err)
	}
}

func TestTheSchemaIsTheViews(t *testing.T) {
	f := open(t, sql.Options{})
	for _, v := range f.Schema() {
		p, err := f.Page(t.Context(), "DESCRIBE "+v.Name, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Rows) != len(v.Columns) {
			t.Fatalf("%s: %d columns, %d documented", v.Name, len(p.Rows), len(v.Columns))
		}
		for i, c := range v.Columns {
			if *p.Rows[i][0] != c.Name || *p.Rows[i][1] != c.Type || c.Doc == "" {
				t.Errorf("%s: column %s %s, documented as %+v", v.Name, *p.Rows[i][0], *p.Rows[i][1], c)
			}
		}
	}
}
