package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tallygate/scripts/e2e/harness"
)

// post sends one event and returns the ids that the node acknowledged.
func post(client *http.Client, gateway, host, path, body string) (ids []string, status int, err error) {
	req, err := http.NewRequest("POST", "http://"+gateway+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, 0, err
	}
	req.Host = host
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, resp.StatusCode, nil
	}
	var answer struct {
		IDs []string `json:"ids"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, resp.StatusCode, fmt.Errorf("answer %q: %w", data, err)
	}
	return answer.IDs, resp.StatusCode, nil
}

func TestAcknowledgedEventsSurviveAKill(t *testing.T) {
	const events, connections = 10_000, 16
	n := harness.StartNode(t)
	n.Apply(filesCatalog("https://origin.example"))

	var (
		mu           sync.Mutex
		acknowledged = map[string]int{} // event id → attempt
		next, done   atomic.Int64
		wg           sync.WaitGroup
	)
	client := &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections},
	}
	defer client.CloseIdleConnections()
	gateway := n.Gateway
	for range connections {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > events {
					return
				}
				ids, status, err := post(client, gateway, "get.acme.test", "/events", fmt.Sprintf(`{"attempt":%d}`, i))
				done.Add(1)
				if err != nil || status != http.StatusOK {
					continue // killed meanwhile: attempted, not acknowledged
				}
				mu.Lock()
				for _, id := range ids {
					acknowledged[id] = int(i)
				}
				mu.Unlock()
			}
		})
	}
	harness.WaitFor(t, "half of the events", func() error {
		if d := done.Load(); d < events/2 {
			return fmt.Errorf("%d of %d", d, events)
		}
		return nil
	})
	n.Kill()
	wg.Wait()
	if len(acknowledged) < events/4 || len(acknowledged) >= events {
		t.Fatalf("%d of %d acknowledged: the kill did not come in the middle", len(acknowledged), events)
	}

	n.Start()
	n.Settled()
	// Rows are fetched a part at a time: an answer has a limit of rows.
	rows := map[string]int{}
	total := 0
	for from := 0; from < events+1; from += 5000 {
		for _, row := range n.SQL(`select id, variables['attempt'] as attempt from events
			where cast(variables['attempt'] as integer) between %d and %d`, from, from+4999) {
			total++
			var attempt int
			fmt.Sscan(fmt.Sprint(row["attempt"]), &attempt)
			rows[fmt.Sprint(row["id"])] = attempt
		}
	}
	if total != len(rows) {
		t.Errorf("%d rows with %d different ids: an id is there twice", total, len(rows))
	}
	for id, attempt := range acknowledged {
		if rows[id] != attempt {
			t.Errorf("acknowledged event %s of attempt %d: row has attempt %d", id, attempt, rows[id])
		}
	}
	attempts := map[int]bool{}
	for id, attempt := range rows {
		if attempt < 1 || attempt > events || attempts[attempt] {
			t.Errorf("row %s has attempt %d, not attempted or there already", id, attempt)
		}
		attempts[attempt] = true
	}
	t.Logf("%d attempted, %d acknowledged, %d rows", events, len(acknowledged), total)
}
