package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tallygate/scripts/e2e/harness"
)

// smallDisk mounts a disk of a few megabytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
			t.Skip("only root can mount a small disk")
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file that takes all the room there is.
func fill(t *testing.T, dir string) (remove func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 64<<10)
	for size := len(block); size > 0; {
		if _, err := f.Write(block[:size]); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	f.Close()
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFullDiskStopsRecordingAndNotDownloads(t *testing.T) {
	n := harness.StartNodeWith(t, harness.NodeOptions{Dir: smallDisk(t, "640m")})
	n.Apply(filesCatalog("https://origin.example"))
	if status, body := n.GetAdmin("/readyz"); status != http.StatusOK {
		t.Fatalf("not ready before the disk is full: %s", body)
	}
	stored := 0
	client := &http.Client{Timeout: 30 * time.Second}
	if _, status, err := post(client, n.Gateway, "get.acme.test", "/events", `{"when":"before"}`); err != nil || status != 200 {
		t.Fatalf("status %d, %v", status, err)
	}
	stored++

	free := fill(t, n.Dir)
	// A spool that still has room in its open block takes events until that is
	// used up; each of them that is answered 200 has to be there in the end.
	body := fmt.Sprintf(`{"when":"during","filler":%q}`, strings.Repeat("x", 16<<10))
	harness.WaitFor(t, "collection to be refused", func() error {
		_, status, err := post(client, n.Gateway, "get.acme.test", "/events", body)
		switch {
		case err != nil:
			return err
		case status == http.StatusOK:
			stored++
			return errors.New("still stored")
		case status != http.StatusServiceUnavailable:
			t.Fatalf("status %d, want 503", status)
		}
		return nil
	})
	harness.WaitFor(t, "readiness to tell", func() error {
		status, body := n.GetAdmin("/readyz")
		if status != http.StatusServiceUnavailable || !strings.Contains(body, "recording") {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
	for range 20 {
		if got := n.Get("GET", "get.acme.test", "/dl/1/linux.tgz").StatusCode; got != 302 {
			t.Errorf("a download got %d while the disk is full", got)
		}
	}
	// Downloads wait in memory, as long as there is room, for the disk to be freed.
	_, metrics := n.GetAdmin("/metrics")
	for _, want := range []string{"tallygate_spool_writable 0\n", "tallygate_recorder_dropped_events_total 0\n"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %q", want)
		}
	}

	free()
	harness.WaitFor(t, "collection to go on", func() error {
		_, status, err := post(client, n.Gateway, "get.acme.test", "/events", `{"when":"after"}`)
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("status %d", status)
		}
		stored++
		return nil
	})
	harness.WaitFor(t, "readiness", func() error {
		if status, body := n.GetAdmin("/readyz"); status != http.StatusOK {
			return errors.New(body)
		}
		return nil
	})
	harness.WaitFor(t, "all that was acknowledged to be rows", func() error {
		if got := n.Count("select count(*) from events where type = 'event'"); got < stored {
			return fmt.Errorf("%d rows, %d acknowledged", got, stored)
		}
		return nil
	})
	n.Settled()
	if got := n.Count("select count(*) from events where type = 'binary-download'"); got != 20 {
		t.Errorf("%d downloads of the time without disk are rows, want 20", got)
	}
}
