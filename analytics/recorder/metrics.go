package recorder

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	recorded prometheus.Counter
	dropped  prometheus.Counter
	failures prometheus.Counter
	duration prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, r *Recorder) *metrics {
	const subsystem = "recorder"
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tallygate", Subsystem: subsystem, Name: name, Help: help})
	}
	m := &metrics{
		recorded: counter("events_total", "Events made durable in the spool."),
		dropped:  counter("dropped_events_total", "Events lost because the spool was full or broken for too long."),
		failures: counter("publish_failures_total", "Attempts to publish a batch that failed."),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "tallygate", Subsystem: subsystem, Name: "publish_duration_seconds",
			Help:    "Time until the spool acknowledged a batch.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 4, 9),
		}),
	}
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "tallygate", Subsystem: subsystem, Name: "waiting_events", Help: "Events in memory, not yet durable.",
	}, func() float64 { return float64(r.Stats().Waiting) })
	if reg != nil {
		reg.MustRegister(m.recorded, m.dropped, m.failures, m.duration, waiting)
	}
	return m
}
