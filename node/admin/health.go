package admin

import (
	"net/http"
	"time"

	"tallygate/analytics"
)

// Check is one condition of readiness.
type Check struct {
	Name    string `json:"name"`
	OK      bool   `json:"ok"`
	Message string `json:"message,omitempty"` // what is wrong and what to do
}

// Status is what a node says of itself.
type Status struct {
	Name          string           `json:"name"`
	ID            string           `json:"id"`
	Region        string           `json:"region"`
	Version       string           `json:"version"`
	Started       time.Time        `json:"started"`
	Gateway       string           `json:"gateway"`               // bound addresses
	GatewayTLS    string           `json:"gateway_tls,omitempty"` // empty: off
	Admin         string           `json:"admin"`
	Ready         bool             `json:"ready"`
	Checks        []Check          `json:"checks"`
	Raft          Raft             `json:"raft"`
	Catalog       Catalog          `json:"catalog"`
	Recording     analytics.Status `json:"recording"`
	ResidentBytes int64            `json:"resident_bytes"`
	Goroutines    int              `json:"goroutines"`
}

// Raft is the consensus group as this node sees it.
type Raft struct {
	State        string `json:"state"`
	Term         uint64 `json:"term"`
	AppliedIndex uint64 `json:"applied_index"`
	CommitIndex  uint64 `json:"commit_index"`
}

// Catalog is the replicated state's identity and size.
type Catalog struct {
	Version       uint64 `json:"version"`
	Digest        string `json:"digest"`
	Organizations int    `json:"organizations"`
	Packages      int    `json:"packages"`
}

// healthz answers whether the process lives; it asks nothing else.
func (a *API) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("ok\n")) //nolint:errcheck // the prober has left
}

// readyz answers whether traffic should come here, and which condition fails.
func (a *API) readyz(w http.ResponseWriter, r *http.Request) {
	checks := a.opts.Ready()
	code := http.StatusOK
	for _, c := range checks {
		if !c.OK {
			code = http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := writeJSON(w, map[string]any{"ready": code == http.StatusOK, "checks": checks}); err != nil {
		a.opts.Logger.Debug("readiness answer not sent", "err", err)
	}
}

func (a *API) status(w http.ResponseWriter, _ *request) error {
	return writeJSON(w, a.opts.Status())
}
