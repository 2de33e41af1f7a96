package node

import (
	"context"
	"encoding/hex"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"tallygate/cluster/catalog"
	"tallygate/node/admin"
	"tallygate/node/version"
	"tallygate/ui"
)

// Ready says which conditions for taking traffic hold.
func (n *Node) Ready() []admin.Check {
	checks := []admin.Check{{Name: "catalog", OK: true}, {Name: "recording", OK: true}, {Name: "listeners", OK: true}}
	if n.publisher.Table() == nil {
		checks[0].OK, checks[0].Message = false, "the routing table is not built yet"
	}
	if err := n.analytics.Ready(); err != nil {
		checks[1].OK, checks[1].Message = false, err.Error()
	}
	for _, s := range n.servers() {
		if !s.Listening() {
			checks[2].OK, checks[2].Message = false, s.String()+" does not listen"
		}
	}
	return checks
}

// Status is what the node says of itself.
func (n *Node) Status() admin.Status {
	view := n.catalog.View()
	digest := view.Digest()
	raft := n.consensus.Status()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	recording := n.analytics.Status(ctx)
	s := admin.Status{
		Name: n.settings.Name, ID: n.id, Region: n.settings.Region, Version: version.Version,
		Started: n.started, Gateway: n.GatewayAddress(), GatewayTLS: n.GatewayTLSAddress(), Admin: n.AdminAddress(),
		Ready: true, Checks: n.Ready(),
		Raft: admin.Raft{State: raft.State, Term: raft.Term, AppliedIndex: raft.AppliedIndex, CommitIndex: raft.CommitIndex},
		Catalog: admin.Catalog{
			Version: view.Version(), Digest: hex.EncodeToString(digest[:]),
			Organizations: view.Count(catalog.KindOrganization), Packages: view.Count(catalog.KindPackage),
		},
		Recording:     recording,
		ResidentBytes: residentBytes(),
		Goroutines:    runtime.NumGoroutine(),
	}
	for _, c := range s.Checks {
		s.Ready = s.Ready && c.OK
	}
	return s
}

// problems is what a person must know whatever page they look at.
func (n *Node) problems() ui.Status {
	var s ui.Status
	if err := n.analytics.Ready(); err != nil {
		s.Problems = append(s.Problems, ui.Problem{
			Title:  "Recording stopped: " + err.Error(),
			Detail: "Downloads go on. Events are dropped and counted until this is mended.",
		})
	}
	for _, database := range n.analytics.Networks().Status() {
		if warning := database.Warning(); warning != "" {
			s.Problems = append(s.Problems, ui.Problem{Title: warning, Warning: true})
		}
	}
	return s
}

// cluster is the one node there is, as the cluster page shows it.
func (n *Node) cluster() ui.Cluster {
	raft := n.consensus.Status()
	view := n.catalog.View()
	role := "voter"
	if raft.State == "leader" {
		role = "leader"
	}
	m := ui.Member{
		ID: n.id, Name: n.settings.Name, Region: n.settings.Region, Role: role, State: "alive",
		Version: version.Version, CatalogVersion: view.Version(), Self: true, Started: n.started,
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, stream := range n.analytics.Status(ctx).Streams {
		m.Pending += int64(stream.Pending)
	}
	c := ui.Cluster{Members: []ui.Member{m}, Quorum: raft.Leader != "", CatalogVersion: view.Version()}
	if raft.Leader == n.id {
		c.Leader = n.settings.Name
	}
	return c
}

// residentBytes is the process's resident memory, from /proc/self/statm
// (proc(5)); zero where there is none.
func residentBytes() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
