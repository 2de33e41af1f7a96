package routing

import (
	"errors"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the gateway's figures. Counters are looked up once, here, so that
// a request only adds to one.
type metrics struct {
	inFlight  atomic.Int64
	requests  [kinds][6]prometheus.Counter // by kind and class of status; 0: hijacked or unknown
	unmatched [kinds]prometheus.Counter
	untracked prometheus.Counter
	dropped   prometheus.Counter
	lost      prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{}
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tallygate_routing_requests_total",
		Help: "Requests on the gateway listener by what they asked for and class of the answer's status.",
	}, []string{"kind", "code"})
	unmatched := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tallygate_routing_unmatched_total",
		Help: "Requests for which the catalog has no host, rule, pixel or npm package, by kind.",
	}, []string{"kind"})
	m.untracked = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tallygate_routing_untracked_requests_total",
		Help: "Requests that asked not to be tracked (DNT or Sec-GPC) and so were served without an event.",
	})
	m.dropped = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tallygate_routing_dropped_variables_total",
		Help: "Variables left out of events because they were too many or too large.",
	})
	m.lost = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tallygate_routing_lost_events_total",
		Help: "Events of downloads that a fault of ours kept from being recorded; the downloads went on.",
	})
	inFlight := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tallygate_routing_in_flight_requests",
		Help: "Requests being served on the gateway listener.",
	}, func() float64 { return float64(m.inFlight.Load()) })

	for k := range kinds {
		for class := range m.requests[k] {
			m.requests[k][class] = requests.WithLabelValues(k.String(), classes[class])
		}
	}
	for _, k := range []kind{kindNone, kindHost, kindPixel, kindInstall} {
		m.unmatched[k] = unmatched.WithLabelValues(k.String())
	}
	if reg == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{requests, unmatched, m.untracked, m.dropped, m.lost, inFlight} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}

var classes = [6]string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"}

func (m *metrics) count(k kind, status int) {
	class := status / 100
	if class < 1 || class > 5 {
		class = 0
	}
	m.requests[k][class].Inc()
}
