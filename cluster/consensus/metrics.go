package consensus

import (
	"time"

	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"

	"tallygate/cluster/catalog"
)

// metrics are those of one member.
type metrics struct {
	registerer prometheus.Registerer
	collectors []prometheus.Collector

	proposals *prometheus.CounterVec
	commit    prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, c *Consensus) (*metrics, error) {
	const namespace, subsystem = "tallygate", "consensus"
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: name, Help: help,
		}, value)
	}
	m := &metrics{
		registerer: reg,
		proposals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "proposals_total",
			Help: "Catalog commands proposed on this node, by what became of them: applied, refused or failed.",
		}, []string{"result"}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "commit_duration_seconds",
			Help:    "Time from a proposal to its application on this node.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14), // 0.5 ms to 4 s
		}),
	}
	for _, result := range []string{"applied", "refused", "failed"} {
		m.proposals.WithLabelValues(result) // a rate needs a zero to start from
	}
	m.collectors = []prometheus.Collector{
		m.proposals, m.commit,
		gauge("leader", "Whether this node leads the group (1) or not (0).", func() float64 {
			if c.raft.State() == raft.Leader {
				return 1
			}
			return 0
		}),
		gauge("term", "The current raft term.", func() float64 { return float64(c.raft.CurrentTerm()) }),
		gauge("last_index", "The raft index of the last entry in the log.", func() float64 { return float64(c.raft.LastIndex()) }),
		gauge("commit_index", "The raft index up to which entries are committed.", func() float64 { return float64(c.raft.CommitIndex()) }),
		gauge("applied_index", "The raft index up to which entries are applied.", func() float64 { return float64(c.raft.AppliedIndex()) }),
		gauge("catalog_version", "The number of commands that made this node's catalog.", func() float64 {
			return float64(c.fsm.store.View().Version())
		}),
		gauge("log_since_snapshot_bytes", "The size of the commands applied since the latest snapshot was begun.", func() float64 {
			return float64(c.fsm.bytes.Load())
		}),
		gauge("stopped", "Whether this node stopped applying commands (1), since it must be upgraded.", func() float64 {
			if c.fsm.failure() != nil {
				return 1
			}
			return 0
		}),
	}
	if reg == nil {
		return m, nil
	}
	for i, collector := range m.collectors {
		if err := reg.Register(collector); err != nil {
			m.collectors = m.collectors[:i]
			m.unregister()
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) unregister() {
	if m.registerer == nil {
		return
	}
	for _, collector := range m.collectors {
		m.registerer.Unregister(collector)
	}
}

func (m *metrics) proposed(result catalog.Result, err error, elapsed time.Duration) {
	switch {
	case err != nil:
		m.proposals.WithLabelValues("failed").Inc()
		return
	case len(result.Errors) > 0:
		m.proposals.WithLabelValues("refused").Inc()
	default:
		m.proposals.WithLabelValues("applied").Inc()
	}
	m.commit.Observe(elapsed.Seconds())
}
