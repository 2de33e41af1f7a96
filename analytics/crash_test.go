package analytics

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/thejerf/suture/v4"

	"tallygate/routing/event"
)

// childEnv makes the test binary a node to be killed, in that directory.
const childEnv = "TALLYGATE_TEST_CHILD"

// child stores events from several goroutines and writes down what it tries and
// what was acknowledged, until it is killed.
func child(dir string) {
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	a, err := Open(Options{
		Dir: dir, NodeID: "id1", Store: true, MinFree: 1,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		fail(err)
	}
	super := suture.New("child", suture.Spec{EventHook: func(suture.Event) {}})
	for _, s := range a.Services() {
		super.Add(s)
	}
	super.ServeBackground(context.Background())
	appendTo := func(name string) io.Writer {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			fail(err)
		}
		return f
	}
	tried, acked := appendTo("tried"), appendTo("acked")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				var events []*event.Event
				list := ""
				for range 1 + rand.IntN(3) {
					e := &event.Event{ID: event.NewID(time.Now()), Time: time.Now(), Type: event.Custom, Countable: true}
					events = append(events, e)
					list += event.FormatID(e.ID) + "\n"
				}
				if _, err := io.WriteString(tried, list); err != nil {
					fail(err)
				}
				if err := a.Recorder().Store(context.Background(), events); err != nil {
					continue
				}
				if _, err := io.WriteString(acked, list); err != nil {
					fail(err)
				}
			}
		})
	}
	wg.Wait()
}

// kills is how often the child dies; a longer run is for the chaos suite.
const kills = 8

func TestKilledAtAnyMomentNothingAcknowledgedIsLostOrDoubled(t *testing.T) {
	dir := t.TempDir()
	for range kills {
		before := len(lines(filepath.Join(dir, "acked")))
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		cmd.Stderr = t.Output()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		until(t, "the child stores events", func() bool { return len(lines(filepath.Join(dir, "acked"))) > before })
		time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond) // the moment of the kill
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed, as wanted
	}
	n := start(t, Options{Dir: dir})
	n.stored()
	rows, err := n.store.QueryContext(t.Context(), `SELECT id::VARCHAR, count(*) FROM events GROUP BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	stored := map[string]int{}
	for rows.Next() {
		var id string
		var times int
		if err := rows.Scan(&id, &times); err != nil {
			t.Fatal(err)
		}
		stored[id] = times
	}
	acked, tried := lines(filepath.Join(dir, "acked")), map[string]bool{}
	for _, id := range lines(filepath.Join(dir, "tried")) {
		tried[id] = true
	}
	for _, id := range acked {
		if stored[id] == 0 {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	for id, times := range stored {
		if times > 1 || !tried[id] {
			t.Errorf("%s stored %d times, tried %v", id, times, tried[id])
		}
	}
	if lost := n.readers[0].Status().Lost; lost > 0 {
		t.Errorf("%d messages counted as lost", lost)
	}
	t.Logf("%d kills: %d tried, %d stored, %d acknowledged", kills, len(tried), len(stored), len(acked))
}

func TestAFullDiskCostsEventsNotDownloads(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk needs the right to mount: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Logf("umount: %s", out)
		}
	})
	n := start(t, Options{Dir: dir})
	n.mustPut("/before")
	n.stored()
	// Another program fills the disk to the last byte.
	full, err := os.Create(filepath.Join(dir, "full"))
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for err == nil {
		_, err = full.Write(block)
	}
	var acked []string
	i := 0
	until(t, "not ready", func() bool {
		i++
		path := fmt.Sprintf("/full/%d", i)
		if n.put(path) == nil {
			acked = append(acked, path)
		}
		n.Recorder().Record(&event.Event{Path: "/recorded", UserAgent: string(make([]byte, 4000))})
		return n.Ready() != nil
	})
	if err := n.put("/refused"); err == nil {
		t.Error("stored on a full disk")
	}
	if err := full.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(full.Name()); err != nil {
		t.Fatal(err)
	}
	until(t, "ready again", func() bool { return n.Ready() == nil && n.put("/after") == nil })
	n.stored()
	got := n.paths()
	for _, path := range append(acked, "/before") {
		if got[path] != 1 {
			t.Errorf("%s was acknowledged and is stored %d times", path, got[path])
		}
	}
	if got["/after"] == 0 {
		t.Error("nothing stored after the disk was freed")
	}
}
