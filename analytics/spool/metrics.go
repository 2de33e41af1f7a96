package spool

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	restarts prometheus.Counter
	damaged  prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, s *Spool) *metrics {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "tallygate", Subsystem: "spool", Name: name, Help: help}
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts(name, help)), value)
	}
	m := &metrics{
		restarts: prometheus.NewCounter(prometheus.CounterOpts(opts("restarts_total", "Starts of the embedded server after the first."))),
		damaged:  prometheus.NewCounter(prometheus.CounterOpts(opts("damaged_total", "Times that damaged files were set aside."))),
	}
	if reg != nil {
		reg.MustRegister(m.restarts, m.damaged,
			gauge("writable", "1 while events can be written, else 0.", func() float64 {
				if s.Writable() != nil {
					return 0
				}
				return 1
			}),
			gauge("pending_messages", "Messages that the slowest known reader hasn't taken.", func() float64 { return float64(s.Pending()) }),
			gauge("stream_bytes", "Size of the stream.", func() float64 { return float64(s.Status().Bytes) }),
			gauge("stream_messages", "Messages in the stream.", func() float64 { return float64(s.Status().Messages) }),
		)
	}
	return m
}
