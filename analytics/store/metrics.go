package store

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	rows, failures, reopened, recounted, refolded, replaced prometheus.Counter
	duration, checkpoint                                    prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, s *Store) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tallygate", Subsystem: "store", Name: name, Help: help})
	}
	histogram := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "tallygate", Subsystem: "store", Name: name, Help: help,
			Buckets: prometheus.ExponentialBuckets(0.001, 3, 9),
		})
	}
	m := &metrics{
		rows:       counter("rows_total", "Rows committed."),
		failures:   counter("write_failures_total", "Transactions that failed."),
		reopened:   counter("reopened_total", "Times the database was opened again after a fatal error."),
		recounted:  counter("recounted_rows_total", "Stored rows whose counted changed by a row that came later."),
		refolded:   counter("refolded_chains_total", "Chains of pulls decided by reading the database, for late rows."),
		replaced:   counter("replaced_rows_total", "Rows that gave way to another with the same unique id."),
		duration:   histogram("write_duration_seconds", "Time of a committed transaction."),
		checkpoint: histogram("checkpoint_duration_seconds", "Time of a checkpoint, during which writes wait."),
	}
	if reg != nil {
		reg.MustRegister(m.rows, m.failures, m.reopened, m.recounted, m.refolded, m.replaced, m.duration, m.checkpoint,
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Namespace: "tallygate", Subsystem: "store", Name: "file_bytes", Help: "Size of the database and its log.",
			}, func() float64 { return float64(s.bytes()) }))
	}
	return m
}
