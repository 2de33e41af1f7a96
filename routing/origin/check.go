package origin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Bounds of the active checks.
const (
	checkTimeout    = 5 * time.Second
	checksAtOnce    = 16
	recheckInterval = 2 * time.Second        // of a host whose last check failed
	checkGap        = 100 * time.Millisecond // checks due within it are started together
)

// watchList is the set of hosts to check, handed to the loop that checks them.
type watchList struct {
	hosts   atomic.Pointer[[]string]
	changed chan struct{} // of capacity 1: a change is pending, however many there were
}

// Watch sets the hosts that [Pool.Serve] checks; the hosts of the call before are
// watched no longer. An entry is host[:port], checked by https, or by http where
// only that answers, or scheme://host[:port].
func (p *Pool) Watch(hosts []string) {
	list := append([]string(nil), hosts...)
	p.watched.hosts.Store(&list)
	select {
	case p.watched.changed <- struct{}{}:
	default: // the loop has not taken the last change yet; it will see this one
	}
}

// watch is one watched host, owned by the loop of Serve.
type watch struct {
	host    string
	schemes []string // to try, in order
	next    time.Time
	running bool
	dropped bool
}

// checked is the outcome of one check.
type checked struct {
	watch *watch
	err   error
}

// Serve checks watched hosts until ctx ends: any answer below 500 is a working
// host. It returns after its last check has returned.
func (p *Pool) Serve(ctx context.Context) error {
	return p.serve(ctx, p.check)
}

// serve is Serve with the check as an argument, for tests without a network.
func (p *Pool) serve(ctx context.Context, check func(context.Context, *watch) error) error {
	var (
		watches = make(map[string]*watch)
		done    = make(chan checked)
		running int
		timer   = time.NewTimer(0)
	)
	defer timer.Stop()
	update := func() {
		if hosts := p.watched.hosts.Load(); hosts != nil {
			watches = rewatch(watches, *hosts, time.Now())
		}
	}
	update()
	for {
		now, wake := time.Now(), time.Time{}
		for _, w := range watches {
			if w.running {
				continue
			}
			if !w.next.After(now) && running < checksAtOnce {
				w.running = true
				running++
				go func() { done <- checked{w, check(ctx, w)} }()
			} else if wake.IsZero() || w.next.Before(wake) {
				wake = w.next
			}
		}
		timer.Stop()
		if !wake.IsZero() && running < checksAtOnce {
			timer.Reset(max(time.Until(wake), checkGap))
		}
		select {
		case <-ctx.Done():
			for ; running > 0; running-- {
				<-done
			}
			return ctx.Err()
		case <-p.watched.changed:
			update()
		case <-timer.C:
		case c := <-done:
			running--
			c.watch.running = false
			if c.err == nil {
				c.watch.next = time.Now().Add(p.opts.CheckInterval)
			} else {
				c.watch.next = time.Now().Add(min(recheckInterval, p.opts.CheckInterval))
			}
			if ctx.Err() != nil || c.watch.dropped {
				continue
			}
			if c.err == nil {
				p.Succeeded(c.watch.host)
			} else {
				p.Failed(c.watch.host, c.err)
			}
		}
	}
}

// rewatch makes the next set of watches; those that stay keep their schedule.
func rewatch(old map[string]*watch, hosts []string, now time.Time) map[string]*watch {
	next := make(map[string]*watch, len(hosts))
	for _, entry := range hosts {
		if w := old[entry]; w != nil {
			next[entry] = w
			continue
		}
		w := &watch{host: entry, schemes: []string{"https", "http"}, next: now}
		if scheme, host, found := strings.Cut(entry, "://"); found {
			w.host, w.schemes = host, []string{strings.ToLower(scheme)}
		}
		next[entry] = w
	}
	for entry, w := range old {
		if next[entry] == nil {
			w.dropped = true
		}
	}
	return next
}

// check asks a host for its root, by HEAD. It goes around [Pool.Transport] so
// that one check is one report, whichever of the schemes answered.
func (p *Pool) check(ctx context.Context, w *watch) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTimeout, ErrTimeout)
	defer cancel()
	var errs []error
	for _, scheme := range w.schemes {
		err := p.checkURL(ctx, scheme+"://"+w.host+"/")
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (p *Pool) checkURL(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "tallygate-check")
	resp, err := p.base.RoundTrip(req)
	if err != nil {
		err = timedOut(ctx, err)
		p.metrics.checks.WithLabelValues(outcome(0, err)).Inc()
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10))
	_ = resp.Body.Close()
	p.metrics.checks.WithLabelValues(outcome(resp.StatusCode, nil)).Inc()
	if !healthy(resp.StatusCode) {
		return statusError(resp.StatusCode)
	}
	return nil
}
