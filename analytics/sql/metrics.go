package sql

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	statements *prometheus.CounterVec
	duration   prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		statements: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tallygate", Subsystem: "sql", Name: "statements_total",
			Help: "Statements by how they ended: done, refused, failed, stopped, busy.",
		}, []string{"result"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "tallygate", Subsystem: "sql", Name: "duration_seconds",
			Help: "Time of a statement, waiting not included.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 9),
		}),
	}
	if reg != nil {
		reg.MustRegister(m.statements, m.duration)
	}
	return m
}

func (m *metrics) observe(err error, elapsed time.Duration) {
	result := "done"
	var refused *Refused
	switch {
	case err == nil:
	case errors.As(err, &refused):
		result = "refused"
	case errors.Is(err, ErrDeadline):
		result = "stopped"
	default:
		result = "failed"
	}
	m.statements.WithLabelValues(result).Inc()
	m.duration.Observe(elapsed.Seconds())
}
