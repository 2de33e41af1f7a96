package python

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	lookups *prometheus.CounterVec
	fetches *prometheus.CounterVec
	elapsed prometheus.Histogram
}

// What a look-up of a project's page found.
const (
	lookupFresh   = "fresh"   // kept, within its time
	lookupFetched = "fetched" // asked for, or asked about
	lookupStale   = "stale"   // kept, past its time: the origin is down or slow
	lookupFailed  = "failed"  // nothing kept, and nothing to be had
)

// What came of asking an origin.
const (
	fetchChanged   = "changed"
	fetchUnchanged = "unchanged" // 304
	fetchMissing   = "missing"   // no such project
	fetchFailed    = "failed"
)

func newMetrics(reg prometheus.Registerer, c *cache) *metrics {
	m := &metrics{
		lookups: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tallygate", Subsystem: "python", Name: "page_lookups_total",
			Help: "Look-ups of projects' pages, by what they found: fresh, fetched, stale or failed.",
		}, []string{"result"}),
		fetches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tallygate", Subsystem: "python", Name: "page_fetches_total",
			Help: "Requests for projects' pages to origins, by outcome: changed, unchanged, missing or failed.",
		}, []string{"outcome"}),
		elapsed: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "tallygate", Subsystem: "python", Name: "page_fetch_duration_seconds",
			Help:    "Time from the request for a project's page to an origin until it was read.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 13),
		}),
	}
	// Every series is there from the start, so that a rate over it is never missing.
	for _, r := range []string{lookupFresh, lookupFetched, lookupStale, lookupFailed} {
		m.lookups.WithLabelValues(r)
	}
	for _, o := range []string{fetchChanged, fetchUnchanged, fetchMissing, fetchFailed} {
		m.fetches.WithLabelValues(o)
	}
	if reg == nil {
		return m
	}
	reg.MustRegister(m.lookups, m.fetches, m.elapsed,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "tallygate", Subsystem: "python", Name: "cache_bytes",
			Help: "Memory of projects' pages that are kept, about.",
		}, func() float64 { bytes, _ := c.size(); return float64(bytes) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "tallygate", Subsystem: "python", Name: "cache_pages",
			Help: "Projects' pages that are kept.",
		}, func() float64 { _, pages := c.size(); return float64(pages) }),
	)
	return m
}
