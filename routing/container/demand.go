package container

import (
	"context"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"tallygate/routing/origin"
)

// For how long a registry's answer to a stranger is remembered, and for how many.
const (
	demandTTL        = 10 * time.Minute
	unknownDemandTTL = 30 * time.Second
	probeTimeout     = 15 * time.Second
	maxRegistries    = 1024
	maxRepositories  = 16384
)

// demands remembers what registries ask of those who read. It finds out by asking
// as a stranger would: once for the registry, at /v2/, and where that is open once
// for each repository, since some registries greet everyone and ask later.
type demands struct {
	transport    http.RoundTripper
	registries   *lru.Cache[endpoint, remembered]
	repositories *lru.Cache[endpoint, remembered]
	flight       singleflight.Group
}

// remembered is a demand and the time until which it is believed.
type remembered struct {
	demand
	until time.Time
}

func newDemands(transport http.RoundTripper) *demands {
	registries, err := lru.New[endpoint, remembered](maxRegistries)
	if err != nil {
		panic(err) // the sizes are positive constants
	}
	repositories, err := lru.New[endpoint, remembered](maxRepositories)
	if err != nil {
		panic(err)
	}
	return &demands{transport: transport, registries: registries, repositories: repositories}
}

// of returns what is asked for in a repository: by its registry, else by itself as
// far as that is known. The error is that of a registry that can't be asked.
func (d *demands) of(ctx context.Context, ep endpoint) (demand, error) {
	general, err := d.registry(ctx, ep)
	if err != nil || general.access == accessToken {
		return general, err
	}
	if known, ok := d.repositories.Get(ep); ok && time.Now().Before(known.until) {
		return known.demand, nil
	}
	return general, nil
}

// open says whether a repository asks for nothing, at a registry that asks for
// nothing. rest is something in it to find out by, if need be.
func (d *demands) open(ctx context.Context, ep endpoint, rest string) (bool, error) {
	own, err := d.ask(ctx, d.repositories, ep, http.MethodHead, rest)
	return own.access == accessOpen, err
}

func (d *demands) registry(ctx context.Context, ep endpoint) (demand, error) {
	return d.ask(ctx, d.registries, ep.registry(), http.MethodGet, "")
}

// learn keeps what a registry said by itself when it refused a request.
func (d *demands) learn(ep endpoint, learned demand) {
	d.repositories.Add(ep, remembered{learned, time.Now().Add(demandTTL)})
}

// ask returns what is remembered of a registry or a repository, or asks for what
// is at rest in it; one request at a time does.
func (d *demands) ask(ctx context.Context, cache *lru.Cache[endpoint, remembered], ep endpoint, method, rest string) (demand, error) {
	if known, ok := cache.Get(ep); ok && time.Now().Before(known.until) {
		return known.demand, nil
	}
	ch := d.flight.DoChan(ep.url(""), func() (any, error) {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), probeTimeout, origin.ErrTimeout)
		defer cancel()
		answer, ttl, err := d.probe(ctx, method, ep.url(rest))
		if ttl > 0 {
			cache.Add(ep, remembered{answer, time.Now().Add(ttl)})
		}
		return answer, err
	})
	select {
	case <-ctx.Done():
		return demand{}, context.Cause(ctx)
	case res := <-ch:
		answer, _ := res.Val.(demand)
		return answer, res.Err
	}
}

// probe asks once, and says for how long to believe the answer.
func (d *demands) probe(ctx context.Context, method, url string) (demand, time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return demand{}, 0, err
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", anyManifest)
	req.Header.Set("Via", via)
	resp, err := d.transport.RoundTrip(req)
	if err != nil {
		return demand{}, 0, err
	}
	defer discard(resp)
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 400:
		return demand{access: accessOpen}, demandTTL, nil
	case resp.StatusCode == http.StatusUnauthorized:
		return demandOf(resp.Header["Www-Authenticate"]), demandTTL, nil
	case resp.StatusCode >= 500, method == http.MethodHead && resp.StatusCode == http.StatusNotFound:
		// Something that is not there says nothing of what is.
		return demand{}, 0, nil
	default:
		return demand{}, unknownDemandTTL, nil
	}
}

// anyManifest is the Accept of a request that only wants to know whether a
// manifest is there.
const anyManifest = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, " +
	"application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, */*"
