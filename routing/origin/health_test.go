package origin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var errBroken = errors.New("connection refused")

func fail(pool *Pool, host string, times int) {
	for range times {
		pool.Failed(host, errBroken)
	}
}

func TestADownHostIsTriedAgainEverLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := New(Options{})
		const host = "files.example"
		fail(pool, host, failuresToDown)
		for _, window := range []time.Duration{10, 20, 40, 80, 120, 120} {
			window *= time.Second
			if pool.Up(host) {
				t.Fatal("up within its window")
			}
			pool.Failed(host, errBroken) // a straggler doesn't lengthen the window
			time.Sleep(window - time.Millisecond)
			if pool.Up(host) {
				t.Fatalf("up before the end of a window of %v", window)
			}
			time.Sleep(time.Millisecond)
			if !pool.Up(host) {
				t.Fatalf("not tried after a window of %v", window)
			}
			if pool.Up(host) {
				t.Fatal("tried twice at once")
			}
			pool.Failed(host, errBroken) // the try failed
		}
		time.Sleep(longestWindow)
		if !pool.Up(host) {
			t.Fatal("not tried")
		}
		pool.Succeeded(host)
		for range 2 {
			if !pool.Up(host) {
				t.Error("still down after a success")
			}
		}
		fail(pool, host, failuresToDown)
		time.Sleep(firstWindow)
		if !pool.Up(host) {
			t.Error("the next outage begins with a long window")
		}
	})
}

func TestATryWithoutNewsIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := New(Options{})
		fail(pool, "files.example", failuresToDown)
		time.Sleep(firstWindow)
		for range 5 {
			if !pool.Up("files.example") {
				t.Fatal("not tried again")
			}
			if pool.Up("files.example") {
				t.Fatal("tried twice at once")
			}
			time.Sleep(retryEvery)
		}
	})
}

func TestASuccessForgetsEarlierFailures(t *testing.T) {
	pool := New(Options{})
	for range 5 {
		fail(pool, "files.example", failuresToDown-1)
		pool.Succeeded("files.example")
	}
	if !pool.Up("files.example") {
		t.Error("down by failures that were not consecutive")
	}
}

func TestWhatIsNotTheOriginsFaultIsNoFailure(t *testing.T) {
	pool := New(Options{})
	for _, err := range []error{context.Canceled, ErrPrivateAddress, ErrScheme, fmt.Errorf("get: %w", context.Canceled)} {
		for range failuresToDown {
			pool.Failed("files.example", err)
		}
		if !pool.Up("files.example") {
			t.Errorf("down after %v", err)
		}
	}
}

func TestHostsAreToldApartAsURLsDo(t *testing.T) {
	pool := New(Options{})
	fail(pool, "Files.Example:443", failuresToDown)
	for host, want := range map[string]bool{
		"files.example": false, "FILES.example": false, "files.example:443": false,
		"files.example:8443": true, "other.example": true,
	} {
		if got := pool.Up(host); got != want {
			t.Errorf("Up(%s) = %v, want %v", host, got, want)
		}
	}
}

func TestTheMemoryOfFailuresIsBounded(t *testing.T) {
	pool := New(Options{})
	for i := range maxTroubled + 100 {
		pool.Failed(fmt.Sprintf("host%d.example", i), errBroken)
	}
	if n := len(pool.health.troubled); n != maxTroubled {
		t.Errorf("%d hosts are remembered", n)
	}
}

func TestUpTakesNoMemory(t *testing.T) {
	pool := New(Options{})
	fail(pool, "down.example", failuresToDown)
	for _, host := range []string{"down.example", "down.example:443", "up.example"} {
		if n := testing.AllocsPerRun(100, func() { pool.Up(host) }); n != 0 {
			t.Errorf("Up(%s) allocates %v times", host, n)
		}
	}
}

func TestHealthIsSafeForConcurrentUse(t *testing.T) {
	pool := New(Options{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			host := fmt.Sprintf("host%d.example", i%3)
			for range 200 {
				fail(pool, host, failuresToDown)
				pool.Up(host)
				pool.Down()
				pool.Succeeded(host)
			}
		})
	}
	wg.Wait()
	if down := pool.Down(); len(down) > 3 {
		t.Errorf("down: %v", down)
	}
}

func TestServeChecksWatchedHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := New(Options{})
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		broken := map[string]bool{"b.example": true}
		checks := map[string]int{}
		check := func(_ context.Context, w *watch) error {
			time.Sleep(10 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			checks[w.host]++
			if broken[w.host] {
				return errBroken
			}
			return nil
		}
		ended := make(chan error)
		go func() { ended <- pool.serve(ctx, check) }()

		pool.Watch([]string{"a.example", "https://b.example"})
		time.Sleep(time.Minute)
		mu.Lock()
		if n := checks["a.example"]; n < 6 || n > 7 {
			t.Errorf("a host that is up was checked %d times a minute", n)
		}
		if n := checks["b.example"]; n < 28 || n > 31 {
			t.Errorf("a host that is down was checked %d times a minute", n)
		}
		broken = map[string]bool{"a.example": true}
		mu.Unlock()
		if !pool.Up("a.example") || pool.Up("b.example") {
			t.Error("a should be up, b down")
		}

		// Down is found after the next check and two closer ones, up by the next.
		time.Sleep(pool.opts.CheckInterval + 2*recheckInterval + time.Second)
		if pool.Up("a.example") || !pool.Up("b.example") {
			t.Error("a should be down, b up")
		}

		// A host that is watched no longer is checked no longer.
		pool.Watch([]string{"b.example"})
		time.Sleep(time.Second)
		mu.Lock()
		before := checks["a.example"]
		mu.Unlock()
		time.Sleep(time.Minute)
		mu.Lock()
		if checks["a.example"] != before {
			t.Error("a is still checked")
		}
		mu.Unlock()

		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve returned %v", err)
		}
	})
}

func TestServeChecksAFewHostsAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := New(Options{})
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		running, most, total := 0, 0, 0
		ended := make(chan error)
		var hosts []string
		for i := range 100 {
			hosts = append(hosts, fmt.Sprintf("host%d.example", i))
		}
		pool.Watch(hosts)
		go func() {
			ended <- pool.serve(ctx, func(ctx context.Context, _ *watch) error {
				mu.Lock()
				running++
				total++
				most = max(most, running)
				mu.Unlock()
				select {
				case <-time.After(time.Second):
				case <-ctx.Done():
				}
				mu.Lock()
				running--
				mu.Unlock()
				return ctx.Err()
			})
		}()
		time.Sleep(8 * time.Second)
		cancel() // in the middle of a round: Serve waits for its checks
		<-ended
		mu.Lock()
		defer mu.Unlock()
		if most != checksAtOnce || total < 100 || running != 0 {
			t.Errorf("%d checks, up to %d at once, %d left", total, most, running)
		}
		if len(pool.Down()) != 0 {
			t.Errorf("down by checks that were cancelled: %v", pool.Down())
		}
	})
}

func TestWatchesKeepTheirSchedule(t *testing.T) {
	now := time.Now()
	first := rewatch(nil, []string{"a.example", "http://b.example:8080"}, now)
	if w := first["http://b.example:8080"]; w.host != "b.example:8080" || !slices.Equal(w.schemes, []string{"http"}) {
		t.Errorf("b is %+v", w)
	}
	second := rewatch(first, []string{"a.example"}, now.Add(time.Hour))
	if second["a.example"] != first["a.example"] {
		t.Error("a begins anew")
	}
	if !first["http://b.example:8080"].dropped || first["a.example"].dropped {
		t.Error("b should be dropped, a not")
	}
}

func BenchmarkUp(b *testing.B) {
	pool := New(Options{})
	b.Run("nothing is down", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			pool.Up("files.example")
		}
	})
	for i := range 1000 {
		fail(pool, fmt.Sprintf("host%d.example", i), failuresToDown)
	}
	b.Run("a thousand are down", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			pool.Up("host500.example")
		}
	})
}
