package publish

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	builds  *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		builds: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tallygate_routing_table_builds_total",
			Help: "Routing tables published, by whether they were built from scratch or by a step.",
		}, []string{"kind"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tallygate_routing_table_build_seconds",
			Help:    "Time to build one routing table.",
			Buckets: prometheus.ExponentialBuckets(0.00002, 4, 10),
		}, []string{"kind"}),
	}
	if reg != nil {
		reg.MustRegister(m.builds, m.seconds)
	}
	return m
}

func kind(rebuild bool) string {
	if rebuild {
		return "scratch"
	}
	return "step"
}
