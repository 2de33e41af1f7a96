package node

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// mayImport is the table of docs/architecture.md: which of our folders a folder
// may import, itself always included. The longest prefix of a package decides.
var mayImport = map[string][]string{
	"cluster/catalog": {},                                        // the replicated state: deterministic, no I/O
	"cluster":         {"cluster/catalog"},                       // carries opaque commands, knows no traffic
	"routing/event":   {},                                        // shared by routing and analytics, which don't know each other
	"routing":         {"cluster/catalog", "routing/event"},      // decides; records through an interface of its own
	"analytics":       {"cluster/catalog", "routing/event"},      // stores; no raft, no gossip, no rules
	"ui":              {"cluster/catalog", "analytics/report"},   // asks for everything else through its own interfaces
	"node":            {"cluster", "routing", "analytics", "ui"}, // fits the parts together
	"scripts":         {},                                        // drives the built binary from outside
}

func TestPackagesImportOnlyWhatTheArchitectureAllows(t *testing.T) {
	out, err := exec.Command("go", "list", "-test", "-json=ImportPath,Imports", "tallygate/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	seen := 0
	for dec.More() {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		path, _, _ := strings.Cut(p.ImportPath, " ")
		path = strings.TrimSuffix(strings.TrimSuffix(path, ".test"), "_test")
		from := folder(path)
		if from == "" {
			t.Errorf("%s is in no folder of the architecture", path)
			continue
		}
		seen++
		for _, imported := range p.Imports {
			imported, _, _ = strings.Cut(imported, " ")
			imported = strings.TrimSuffix(imported, "_test")
			if strings.HasPrefix(imported, "tallygate/") && !allowed(from, imported) {
				t.Errorf("%s imports %s: %s may import %v only", path, imported, from, mayImport[from])
			}
		}
	}
	if seen < 10 {
		t.Fatalf("only %d packages were looked at", seen)
	}
}

func folder(path string) string {
	best := ""
	for f := range mayImport {
		if within(path, f) && len(f) > len(best) {
			best = f
		}
	}
	return best
}

func within(path, folder string) bool {
	rest, ok := strings.CutPrefix(path, "tallygate/"+folder)
	return ok && (rest == "" || rest[0] == '/')
}

func allowed(from, imported string) bool {
	if within(imported, from) && folder(imported) == from {
		return true
	}
	for _, f := range mayImport[from] {
		if within(imported, f) {
			return true
		}
	}
	return false
}
