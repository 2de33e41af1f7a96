package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/thejerf/suture/v4"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func start(t *testing.T, opts Options) *Server {
	t.Helper()
	if opts.Network == "" {
		opts.Network, opts.Address = "tcp", "127.0.0.1:0"
	}
	opts.Logger = quiet()
	s := New(opts)
	if err := s.Bind(); err != nil {
		t.Fatal(err)
	}
	tree := suture.New("test", suture.Spec{FailureBackoff: time.Millisecond, FailureThreshold: 1e9})
	tree.Add(s)
	ctx, cancel := context.WithCancel(context.Background())
	done := tree.ServeBackground(ctx)
	t.Cleanup(func() { cancel(); <-done })
	return s
}

func hello() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
}

// get asks on a new connection.
func get(address string) (int, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + address + "/")
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	return resp.StatusCode, nil
}

func TestATakenAddressIsAnErrorOfTheStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := New(Options{Name: "gateway", Network: "tcp", Address: l.Addr().String(), Logger: quiet()})
	if err := s.Bind(); err == nil || !strings.Contains(err.Error(), "gateway") {
		t.Errorf("got %v", err)
	}
}

func TestAPanicOfTheAcceptLoopIsSurvivedOnTheSameAddress(t *testing.T) {
	var faults atomic.Int32
	s := start(t, Options{Name: "gateway", Handler: hello(), Hook: func(string) {
		if faults.Load() > 0 {
			faults.Add(-1)
			panic("a fault of the test's")
		}
	}})
	address := s.Address()
	if status, err := get(address); err != nil || status != 200 {
		t.Fatal(status, err)
	}
	faults.Store(3)
	deadline := time.Now().Add(30 * time.Second)
	for {
		// The first connection reaches the loop, whose next turn panics.
		status, err := get(address)
		if err == nil && status == 200 && faults.Load() == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("status %d, %v, %d faults left", status, err, faults.Load())
		}
	}
	if s.Address() != address {
		t.Errorf("the address moved from %s to %s", address, s.Address())
	}
}

func TestAHandlersPanicIsA500AndNothingElse(t *testing.T) {
	s := start(t, Options{Name: "gateway", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a fault of the test's") })})
	for range 2 {
		if status, err := get(s.Address()); err != nil || status != http.StatusInternalServerError {
			t.Errorf("status %d, %v", status, err)
		}
	}
}

func TestDrainFinishesRequestsUnderWayAndTakesNoMore(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s := start(t, Options{Name: "gateway", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		io.WriteString(w, "done")
	})})
	answered := make(chan int, 1)
	go func() {
		status, _ := get(s.Address())
		answered <- status
	}()
	<-entered
	drained := make(chan error, 1)
	go func() { drained <- s.Drain(context.Background()) }()
	for s.Listening() {
		time.Sleep(time.Millisecond)
	}
	close(release)
	if err := <-drained; err != nil {
		t.Error(err)
	}
	if status := <-answered; status != 200 {
		t.Errorf("the request under way got %d", status)
	}
	if _, err := get(s.Address()); err == nil {
		t.Error("a request after the drain was answered")
	}
}

func TestASocketLeftByAKilledProcessIsReplacedAndPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	left, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close()
	s := start(t, Options{Name: "socket", Network: "unix", Address: path, Mode: 0o600, Handler: hello()})
	info, err := os.Stat(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode().Perm())
	}
}
