package node

import (
	"net/url"
	"strings"
	"sync"

	"tallygate/cluster/catalog"
	"tallygate/routing/container"
)

// failover keeps the set of origins worth an active check: those of packages that
// name more than one. The health of other origins would change no decision.
type failover struct {
	watch func(hosts []string)

	mu    sync.Mutex     // guards users
	users map[string]int // scheme://host of an origin → packages that may fail over from or to it
}

func newFailover(watch func([]string)) *failover {
	return &failover{watch: watch, users: map[string]int{}}
}

// commit follows the catalog. Nil changes mean that everything may have changed.
func (f *failover) commit(view *catalog.View, changes []catalog.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	changed := false
	if changes == nil {
		clear(f.users)
		for p := range view.Packages() {
			f.count(p, 1)
		}
		changed = true
	}
	for _, c := range changes {
		if before, ok := c.Before.(*catalog.Package); ok {
			changed = f.count(before, -1) || changed
		}
		if after, ok := c.After.(*catalog.Package); ok {
			changed = f.count(after, 1) || changed
		}
	}
	if !changed {
		return
	}
	hosts := make([]string, 0, len(f.users))
	for host := range f.users {
		hosts = append(hosts, host)
	}
	f.watch(hosts)
}

// count adds or removes a package's origins; false when it has none to watch.
func (f *failover) count(p *catalog.Package, by int) bool {
	if p == nil {
		return false
	}
	hosts := originsOf(p)
	for _, host := range hosts {
		if f.users[host] += by; f.users[host] <= 0 {
			delete(f.users, host)
		}
	}
	return len(hosts) > 0
}

// originsOf lists the origins of a package's rules that have failovers.
func originsOf(p *catalog.Package) []string {
	var hosts []string
	for i := range p.Routes {
		if r := &p.Routes[i]; len(r.FailoverOrigins) > 0 && r.OutgoingURL != nil {
			hosts = appendURLHosts(hosts, append([]string{*r.OutgoingURL}, r.FailoverOrigins...))
		}
	}
	if p.Image != nil && len(p.Image.FailoverRegistries) > 0 {
		scheme := "https://"
		if p.Image.PlainHTTP {
			scheme = "http://"
		}
		hosts = append(hosts, scheme+container.RegistryHost(p.Image.Registry))
		for _, registry := range p.Image.FailoverRegistries {
			hosts = append(hosts, scheme+container.RegistryHost(registry))
		}
	}
	if p.Index != nil && len(p.Index.FailoverIndexes) > 0 {
		hosts = appendURLHosts(hosts, append([]string{p.Index.RepositoryURL}, p.Index.FailoverIndexes...))
	}
	return hosts
}

// appendURLHosts adds the authorities of URLs, which may be templates: no
// variable stands in an authority.
func appendURLHosts(hosts, urls []string) []string {
	for _, u := range urls {
		scheme, rest, ok := strings.Cut(u, "://")
		if !ok {
			continue
		}
		end := strings.IndexAny(rest, "/?#{")
		if end < 0 {
			end = len(rest)
		}
		if parsed, err := url.Parse(scheme + "://" + rest[:end]); err == nil && parsed.Host != "" {
			hosts = append(hosts, parsed.Scheme+"://"+parsed.Host)
		}
	}
	return hosts
}
