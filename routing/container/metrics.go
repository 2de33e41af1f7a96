package container

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	answers    *prometheus.CounterVec
	tokens     *prometheus.CounterVec
	firstPulls *prometheus.CounterVec
	logins     *prometheus.CounterVec
	streamed   prometheus.Counter
	cut        prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	const ns, sub = "tallygate", "container"
	m := &metrics{
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub, Name: "answers_total",
			Help: "Answers under /v2/, by what was asked for and how it was answered.",
		}, []string{"kind", "outcome"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub, Name: "token_requests_total",
			Help: "Anonymous tokens asked for at registries' token servers.",
		}, []string{"outcome"}),
		firstPulls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub, Name: "first_pulls_total",
			Help: "Images of collections that were pulled without a package, by what came of making one.",
		}, []string{"outcome"}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub, Name: "logins_total",
			Help: "Credentials of clients that were passed on to registries' token servers.",
		}, []string{"outcome"}),
		streamed: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub, Name: "streamed_bytes_total",
			Help: "Bytes of blobs that registries did not redirect and that passed through.",
		}),
		cut: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub, Name: "cut_streams_total",
			Help: "Streamed blobs that ended before their end, by the registry or the client.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.answers, m.tokens, m.firstPulls, m.logins, m.streamed, m.cut)
	}
	return m
}
