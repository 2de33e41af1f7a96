package origin

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counters of a pool. Origins' names are no labels: owners choose
// them, and there may be as many as packages.
type metrics struct {
	requests    *prometheus.CounterVec
	checks      *prometheus.CounterVec
	wait        prometheus.Histogram
	connections prometheus.Gauge
	changes     *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, h *health) *metrics {
	const ns, sub = "tallygate", "origin"
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub, Name: "requests_total",
			Help: "Requests sent to origins, by class of answer or kind of failure.",
		}, []string{"outcome"}),
		checks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub, Name: "checks_total",
			Help: "Active checks of watched origins, by class of answer or kind of failure.",
		}, []string{"outcome"}),
		wait: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: ns, Subsystem: sub, Name: "header_seconds",
			Help:    "Time from a request to the header of an origin's answer.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2.5, 11),
		}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: ns, Subsystem: sub, Name: "connections",
			Help: "Open connections to origins.",
		}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub, Name: "health_changes_total",
			Help: "Origins that were found down, or up again.",
		}, []string{"to"}),
	}
	if reg == nil {
		return m
	}
	down := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: ns, Subsystem: sub, Name: "down",
		Help: "Origins that are held to be down.",
	}, func() float64 { return float64(h.countDown()) })
	reg.MustRegister(m.requests, m.checks, m.wait, m.connections, m.changes, down)
	return m
}

// outcome is the label of an answer or a failure.
func outcome(status int, err error) string {
	switch {
	case err == nil && status < 200:
		return "1xx"
	case err == nil && status < 300:
		return "2xx"
	case err == nil && status < 400:
		return "3xx"
	case err == nil && status < 500:
		return "4xx"
	case err == nil:
		return "5xx"
	case errors.Is(err, ErrPrivateAddress):
		return "refused"
	case errors.Is(err, ErrTimeout):
		return "timeout"
	default:
		return "failure"
	}
}
