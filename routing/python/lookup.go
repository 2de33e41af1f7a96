package python

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tallygate/cluster/catalog"
)

// Times of the cache, beside the TTL of the options.
const (
	// missingTTL is how long an origin's word that it has no such project is
	// believed: a first release should not be kept waiting.
	missingTTL = 15 * time.Second

	// retryAfter is the pause after a failed fetch, in which requests get what
	// is kept, or an error, at once.
	retryAfter = 5 * time.Second

	// patience is how long a request waits for a fresh page while a stale one is
	// at hand. The fetch goes on for those that come later.
	patience = 2 * time.Second

	// doubtAfter is the age from which a page is asked about again when a file
	// is missing on it: another node may have shown a newer one.
	doubtAfter = 5 * time.Second

	// probeEvery is how often the health of a kept page's index is looked at, so
	// that a project with another index moves there before the page's time is up.
	probeEvery = time.Second
)

// found is the answer of a look-up.
type found struct {
	entry *entry
	snap  *snapshot
	stale bool // past its time, for want of a better one
}

// lookup returns what the origin of a package's project says, from the cache if
// it is young enough; younger than maxAge if that is not zero. It waits for a
// fetch as long as the request lasts. Without any answer it returns the reason.
func (h *Handler) lookup(r *http.Request, pkg *catalog.Package, maxAge time.Duration) (found, error) {
	index := pkg.Index
	if index.RepositoryURL == "" {
		return h.named(pkg.ID), nil
	}
	ix := indexes{project: index.Project, plainHTTP: index.PlainHTTP, urls: make([]string, 0, 1+len(index.FailoverIndexes))}
	ix.urls = append(append(ix.urls, index.RepositoryURL), index.FailoverIndexes...)
	e := h.cache.entry(ix.key())

	e.mu.Lock()
	if e.snap != nil && h.fresh(e, ix, maxAge) {
		defer e.mu.Unlock()
		h.metrics.lookups.WithLabelValues(lookupFresh).Inc()
		return found{e, e.snap, false}, nil
	}
	if e.flight == nil {
		prev, via := e.snap, h.via(r)
		if h.opts.Now().Before(e.retryAt) || !h.spawn(func() { h.refresh(e, ix, via, prev) }) {
			defer e.mu.Unlock()
			return h.fallBack(e)
		}
		e.flight = &flight{make(chan struct{})}
	}
	flight, snap := e.flight, e.snap
	e.mu.Unlock()

	var impatient <-chan time.Time // never, while there is nothing else to show
	if snap != nil {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		impatient = timer.C
	}
	select {
	case <-flight.done:
	case <-impatient:
		h.metrics.lookups.WithLabelValues(lookupStale).Inc()
		return found{e, snap, true}, nil
	case <-r.Context().Done():
		return found{}, r.Context().Err()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return h.fallBack(e)
	}
	h.metrics.lookups.WithLabelValues(lookupFetched).Inc()
	return found{e, e.snap, false}, nil
}

// fallBack returns what is kept though it is past its time. e.mu is held.
func (h *Handler) fallBack(e *entry) (found, error) {
	if e.snap != nil {
		h.metrics.lookups.WithLabelValues(lookupStale).Inc()
		return found{e, e.snap, true}, nil
	}
	h.metrics.lookups.WithLabelValues(lookupFailed).Inc()
	return found{}, cmp.Or(e.err, errClosed)
}

// fresh says whether the entry's snapshot may be served without asking. e.mu is
// held.
func (h *Handler) fresh(e *entry, ix indexes, maxAge time.Duration) bool {
	ttl := h.opts.TTL
	if e.snap.missing {
		ttl = min(ttl, missingTTL)
	}
	if maxAge > 0 {
		ttl = min(ttl, maxAge)
	}
	now := h.opts.Now()
	if now.Sub(e.snap.checked) >= ttl {
		return false
	}
	// Only for the first index is its health looked at early: the way back from
	// another is taken when the page's time is up. Asking about an index that
	// isn't then tried would use up the chance that health gives it.
	if len(ix.urls) == 1 || e.snap.source != 0 || h.opts.Origins == nil || now.Sub(e.probed) < probeEvery {
		return true
	}
	e.probed = now
	return h.opts.Origins.Up(e.snap.host)
}

// named returns the entry of a package without an index: its page is empty for
// ever, and its files are those that the catalog names.
func (h *Handler) named(pkg string) found {
	e := h.cache.entry("named\n" + pkg)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.snap == nil {
		e.snap = &snapshot{page: &page{}, views: newViews()}
	}
	return found{e, e.snap, false}
}

// refresh asks the origin about an entry and wakes those who wait. via is the
// way of the request that began it, prev is what is kept.
func (h *Handler) refresh(e *entry, ix indexes, via string, prev *snapshot) {
	ctx, cancel := context.WithTimeout(h.ctx, fetchTimeout)
	defer cancel()
	snap, err := h.ask(ctx, ix, via, prev)

	e.mu.Lock()
	e.err = err
	if err == nil {
		if e.snap == nil || e.snap.page != snap.page {
			h.cache.resize(e, snap.page.bytes())
		}
		e.snap, e.retryAt = snap, time.Time{}
	} else {
		e.retryAt = h.opts.Now().Add(retryAfter)
	}
	flight := e.flight
	e.flight = nil
	e.mu.Unlock()
	close(flight.done)
}

// ask tries the indexes in their order, those known to be down only when there
// is nothing kept.
func (h *Handler) ask(ctx context.Context, ix indexes, via string, prev *snapshot) (*snapshot, error) {
	if err := h.fetcher.flights.Acquire(ctx, 1); err != nil {
		return nil, errBusy
	}
	defer h.fetcher.flights.Release(1)
	last := errAllDown
	var missing *snapshot
	tried := false
	for pass := range 2 {
		if pass == 1 && (tried || prev != nil) {
			break
		}
		for i := range ix.urls {
			if host := hostOf(ix.urls[i]); pass == 0 && h.opts.Origins != nil && !h.opts.Origins.Up(host) {
				continue
			}
			tried = true
			snap, err := h.askOne(ctx, ix, i, via, prev)
			switch {
			case err != nil:
				last = err
			case snap.missing && i > 0:
				// A mirror that lacks the project doesn't speak for the origin.
				missing = snap
			default:
				return snap, nil
			}
			if ctx.Err() != nil {
				return nil, last
			}
		}
	}
	if missing != nil && (prev == nil || prev.missing) {
		return missing, nil
	}
	return nil, last
}

// askOne asks one index, and counts.
func (h *Handler) askOne(ctx context.Context, ix indexes, source int, via string, prev *snapshot) (*snapshot, error) {
	start := h.opts.Now()
	snap, err := h.fetcher.fetch(ctx, ix, source, via, prev)
	h.metrics.elapsed.Observe(h.opts.Now().Sub(start).Seconds())
	outcome := fetchChanged
	switch {
	case err != nil:
		outcome = fetchFailed
		h.logger.Warn("project's page can't be fetched", "origin", hostOf(ix.urls[source]), "package", ix.project, "err", err)
	case snap.missing:
		outcome = fetchMissing
	case prev != nil && prev.page == snap.page:
		outcome = fetchUnchanged
	}
	h.metrics.fetches.WithLabelValues(outcome).Inc()
	return snap, err
}

// key is the cache's key of a project on a list of indexes: packages of several
// owners that name the same share it. The line feed is in no URL.
func (ix indexes) key() string {
	scheme := "https\n"
	if ix.plainHTTP {
		scheme = "http\n"
	}
	return scheme + ix.project + "\n" + strings.Join(ix.urls, "\n")
}

// hostOf returns the host of a URL, with its port if it has one.
func hostOf(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	return u.Host
}
