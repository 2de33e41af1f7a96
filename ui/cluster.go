package ui

import (
	"net/http"
	"time"

	"tallygate/cluster/catalog"
)

type clusterPage struct {
	chrome
	Known   bool
	Cluster Cluster
	Members []memberRow
	Alive   int
	Pending int64
	Lag     time.Duration // the longest
	Mixed   bool          // versions differ
}

type memberRow struct {
	Member
	Behind uint64        // catalog versions behind the newest
	Uptime time.Duration // zero: unknown
}

func (s *server) cluster(w http.ResponseWriter, r *http.Request, user *catalog.User) error {
	if !user.Operator {
		return errOperatorsOnly
	}
	page := clusterPage{chrome: s.chrome(r, user, "Cluster", "cluster")}
	if s.opts.Cluster != nil {
		page.Known = true
		page.Cluster = s.opts.Cluster()
	}
	for _, m := range page.Cluster.Members {
		row := memberRow{Member: m}
		if m.CatalogVersion < page.Cluster.CatalogVersion {
			row.Behind = page.Cluster.CatalogVersion - m.CatalogVersion
		}
		if !m.Started.IsZero() {
			row.Uptime = s.now().Sub(m.Started)
		}
		if m.State == "alive" {
			page.Alive++
		}
		page.Pending += m.Pending
		page.Lag = max(page.Lag, m.IngestLag)
		page.Mixed = page.Mixed || m.Version != page.Cluster.Members[0].Version
		page.Members = append(page.Members, row)
	}
	return s.render(w, r, http.StatusOK, "cluster.gohtml", page)
}
