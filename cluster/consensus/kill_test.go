package consensus

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"tallygate/cluster/catalog"
)

// proposerDir tells a child process of the test binary to propose in a loop.
const proposerDir = "TALLYGATE_TEST_PROPOSER_DIR"

// proposeUntilKilled prints the number of each command once it is acknowledged.
func proposeUntilKilled(dir string) {
	store := catalog.NewStore()
	c, err := Open(Options{Dir: dir, NodeID: "node-1", Store: store})
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	if os.Getenv("TALLYGATE_TEST_SNAPSHOTS") != "" {
		c.fsm.limit.Store(20_000) // kills hit snapshots too
	}
	start := int(store.View().Version()) * 10 // beyond what an earlier run may have tried
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for n := start + w; ; n += 8 {
				r, err := c.Propose(context.Background(), organization(n))
				if err != nil || r.Err() != nil {
					fmt.Println("propose:", err, r.Err())
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(n)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestAKilledNodeLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	acknowledged := make(map[int]bool)
	const rounds = 6
	for round := range rounds {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), proposerDir+"="+dir)
		if round%2 == 1 {
			child.Env = append(child.Env, "TALLYGATE_TEST_SNAPSHOTS=1")
		}
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for seen := 0; lines.Scan(); seen++ {
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Errorf("round %d: the child says %q", round, lines.Text())
				break
			}
			acknowledged[n] = true
			if seen == 100+37*round {
				if err := child.Process.Kill(); err != nil { // SIGKILL
					t.Fatal(err)
				}
				// What it printed before it died still counts: read on.
			}
		}
		_ = child.Wait() // killed

		c := open(t, dir)
		view := c.fsm.store.View()
		for n := range acknowledged {
			if view.OrganizationByID(fmt.Sprintf("org-%d", n)) == nil {
				t.Errorf("round %d: command %d was acknowledged and is lost", round, n)
			}
		}
		if got := view.Count(catalog.KindOrganization); uint64(got) != view.Version() || got < len(acknowledged) {
			t.Errorf("round %d: %d organizations at version %d, %d acknowledged", round, got, view.Version(), len(acknowledged))
		}
		closed(t, c)
	}
	if len(acknowledged) < 100*rounds {
		t.Errorf("only %d commands were acknowledged", len(acknowledged))
	}
}
