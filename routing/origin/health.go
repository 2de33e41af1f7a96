package origin

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// How failures become an outage, and an outage ends.
const (
	failuresToDown = 3                // consecutive
	firstWindow    = 10 * time.Second // of being down; doubles with each failed retry
	longestWindow  = 2 * time.Minute
	retryEvery     = time.Second // after the window, one caller in this time is let through
	maxTroubled    = 16384       // hosts with failures that are remembered
)

// health is what is known of origins' hosts. Hosts without failures are not in
// it. Readers see the set of hosts that are down, an immutable map behind one
// atomic pointer.
type health struct {
	down atomic.Pointer[map[string]*state]

	troubledCount atomic.Int64 // len(troubled); spares successes the lock
	mu            sync.Mutex
	troubled      map[string]*state // guarded by mu
}

// state is one host with failures.
type state struct {
	retry atomic.Int64 // while down: Unix nanoseconds from when a caller may try

	failures int           // guarded by health.mu, as all below
	down     bool          // in health.down
	window   time.Duration // while down
	until    time.Time     // while down: end of the window; failures before it are stragglers
}

// Up says whether an origin is worth a try; host is the URL's host[:port]. It is
// true for hosts nothing is known of. While a host is down it is false, except
// that once its retry window has passed one caller a second is sent to find out.
//
// It takes no lock and allocates nothing.
func (p *Pool) Up(host string) bool {
	down := p.health.down.Load()
	if down == nil || len(*down) == 0 {
		return true
	}
	s := (*down)[key(host)]
	if s == nil {
		return true
	}
	now, retry := time.Now().UnixNano(), s.retry.Load()
	return now >= retry && s.retry.CompareAndSwap(retry, now+int64(retryEvery))
}

// Succeeded reports a working host: it is up again. Requests through
// [Pool.Transport] report themselves; this is for news from elsewhere.
func (p *Pool) Succeeded(host string) {
	h := &p.health
	if h.troubledCount.Load() == 0 {
		return
	}
	host = key(host)
	h.mu.Lock()
	s := h.troubled[host]
	if s != nil {
		h.forget(host, s)
	}
	h.mu.Unlock()
	if s != nil && s.down {
		p.metrics.changes.WithLabelValues("up").Inc()
		p.logger.Info("origin is up again", "origin", host)
	}
}

// Failed reports a request that a host did not answer, or answered with a 5xx.
// Requests through [Pool.Transport] report themselves; this is for news from
// elsewhere. A client's own cancellation and a refused address are no failures.
func (p *Pool) Failed(host string, err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, ErrPrivateAddress) || errors.Is(err, ErrScheme) {
		return
	}
	host = key(host)
	window, fell := p.health.fail(host, time.Now())
	if fell {
		p.metrics.changes.WithLabelValues("down").Inc()
		p.logger.Warn("origin is down", "origin", host, "err", err, "retry_in", window)
	}
}

// fail counts one failure, and says whether the host fell with it.
func (h *health) fail(host string, now time.Time) (window time.Duration, fell bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.troubled[host]
	if s == nil {
		s = h.remember(host)
	}
	s.failures++
	switch {
	case s.down && now.Before(s.until):
		return s.window, false // sent before the host fell
	case s.down:
		s.window = min(2*s.window, longestWindow)
	case s.failures < failuresToDown:
		return 0, false
	default:
		s.down, s.window, fell = true, firstWindow, true
	}
	s.until = now.Add(s.window)
	s.retry.Store(s.until.UnixNano())
	if fell {
		h.publish(func(down map[string]*state) { down[host] = s })
	}
	return s.window, fell
}

// remember makes the state of a host, in the place of another when there are too
// many. h.mu is held.
func (h *health) remember(host string) *state {
	if h.troubled == nil {
		h.troubled = make(map[string]*state)
	}
	if len(h.troubled) >= maxTroubled {
		for other, s := range h.troubled {
			h.forget(other, s)
			break
		}
	}
	s := &state{}
	h.troubled[strings.Clone(host)] = s
	h.troubledCount.Store(int64(len(h.troubled)))
	return s
}

// forget drops a host, which makes it up. h.mu is held.
func (h *health) forget(host string, s *state) {
	delete(h.troubled, host)
	h.troubledCount.Store(int64(len(h.troubled)))
	if s.down {
		h.publish(func(down map[string]*state) { delete(down, host) })
	}
}

// publish swaps in a changed copy of the set of hosts that are down. h.mu is held.
func (h *health) publish(change func(map[string]*state)) {
	next := make(map[string]*state)
	if old := h.down.Load(); old != nil {
		maps.Copy(next, *old)
	}
	change(next)
	h.down.Store(&next)
}

func (h *health) countDown() int {
	if down := h.down.Load(); down != nil {
		return len(*down)
	}
	return 0
}

// Down lists the hosts that are held to be down, in no order.
func (p *Pool) Down() []string {
	down := p.health.down.Load()
	if down == nil {
		return nil
	}
	hosts := make([]string, 0, len(*down))
	for host := range *down {
		hosts = append(hosts, host)
	}
	return hosts
}

// key is a host as health knows it: lower case, without the port that its scheme
// implies. It allocates only for upper case.
func key(host string) string {
	host = strings.TrimSuffix(strings.TrimSuffix(host, ":443"), ":80")
	return strings.ToLower(host)
}
