package store

import (
	"database/sql/driver"
	"fmt"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"tallygate/routing/event"
)

// load makes messages of about 256 events as a busy gateway would: half pulls,
// half files, 500 packages, all within seconds.
func load(messages int) []Message {
	list := make([]Message, messages)
	now := time.Now()
	n := 0
	for i := range list {
		m := Message{Node: "n1", Incarnation: [16]byte{1}, Sequence: uint64(i + 1)}
		for range 256 {
			n++
			at := now.Add(time.Duration(n) * 10 * time.Microsecond)
			e := &event.Event{
				ID: event.NewID(at), Time: at, Type: event.BinaryDownload, Owner: "acme",
				PackageID: fmt.Sprintf("0189f7ea-ae2c-7809-8aeb-b819cf5e%04x", n%500), Package: fmt.Sprintf("package-%d", n%500),
				PackageType: "file", Domain: "acme.gateway.example.com", Path: fmt.Sprintf("/files/1.%d/linux/x.tar.gz", n%60),
				Version: fmt.Sprintf("1.%d", n%60), Platform: "linux", Arch: "amd64", Client: "curl", ClientVersion: "8.5.0",
				ClientClass: "client", UserAgent: "curl/8.5.0", Variables: []event.Variable{{Name: "platform", Value: "linux"}, {Name: "version", Value: fmt.Sprintf("1.%d", n%60)}},
				OriginID: [16]byte{byte(n), byte(n >> 8), byte(n >> 16), 1}, EndpointID: [16]byte{byte(n), byte(n >> 8), byte(n >> 16), 2},
				Country: "DE", Countable: true, Status: 302, OriginHost: "downloads.example.com", Node: "edge-1", Region: "eu",
			}
			if n%2 == 0 {
				e.Type, e.PackageType, e.Reference = event.ManifestFetch, "docker", "latest"
				e.Variables = nil
			}
			m.Events = append(m.Events, e)
		}
		list[i] = m
	}
	return list
}

// BenchmarkIngest compares what a transaction of the store takes with the bare
// appender writing the same rows: rows/s of each, and their ratio.
func BenchmarkIngest(b *testing.B) {
	const perWrite = 40 // messages, about 10,000 rows
	var ours, bare time.Duration
	rows := 0
	for b.Loop() {
		b.StopTimer()
		messages := load(4 * perWrite)
		s := open(b, Options{})
		b.StartTimer()
		start := time.Now()
		for i := 0; i < len(messages); i += perWrite {
			mustWrite(b, s, messages[i:i+perWrite]...)
		}
		ours += time.Since(start)
		b.StopTimer()
		rows += len(messages) * 256
		start = time.Now()
		for i := 0; i < len(messages); i += perWrite {
			w := &write{Store: s, offsets: map[stream]uint64{}}
			for j := range messages[i : i+perWrite] {
				messages[i+j].Incarnation[0] = 2
			}
			w.collect(messages[i : i+perWrite])
			tx, err := s.writer.BeginTx(ctxBackground, nil)
			if err != nil {
				b.Fatal(err)
			}
			err = s.writer.Raw(func(conn any) error {
				appender, err := duckdb.NewAppender(conn.(driver.Conn), "", "", "events_raw")
				if err != nil {
					return err
				}
				var buf []driver.Value
				for _, r := range w.rows {
					buf = r.values(buf[:0])
					if err := appender.AppendRow(buf...); err != nil {
						return err
					}
				}
				return appender.Close()
			})
			if err != nil {
				b.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				b.Fatal(err)
			}
		}
		bare += time.Since(start)
		if err := s.Close(ctxBackground); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(rows)/ours.Seconds(), "rows/s")
	b.ReportMetric(float64(rows)/bare.Seconds(), "bare-rows/s")
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "ratio")
}
