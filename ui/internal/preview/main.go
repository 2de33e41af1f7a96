// Command preview serves the admin UI with sample data and events that keep
// arriving, to work on its looks without a node:
//
//	go run ./ui/internal/preview            # serve; templates are read from ./ui
//	go run ./ui/internal/preview -shots DIR # take screenshots of every page
//
// Sign in with the token "operator-token" or "member-token".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"tallygate/ui"
	"tallygate/ui/internal/fake"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8099", "address to serve at")
	shots := flag.String("shots", "", "take screenshots into this folder instead of serving")
	only := flag.String("only", "", "take only the screenshots whose name contains this")
	folder := flag.String("ui", "ui", "the ui folder, for templates and assets")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *shots != "" {
		err = shoot(ctx, *shots, *only)
	} else {
		err = serve(ctx, *listen, *folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "preview:", err)
		os.Exit(1)
	}
}

// serve runs until ctx ends, with an event arriving every two seconds.
func serve(ctx context.Context, listen, folder string) error {
	opts := fake.Sample()
	opts.Dev = os.DirFS(folder)
	live := opts.Live.(*fake.Live)
	start := time.Now()
	opts.Now = func() time.Time { return fake.Now.Add(time.Since(start)) }
	go arrive(ctx, live, opts.Now)

	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: ui.New(opts), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		live.Close()
		_ = server.Close()
	}()
	fmt.Printf("http://%s/sign-in/link?secret=%s\n", listener.Addr(), fake.Link)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

func arrive(ctx context.Context, live *fake.Live, now func() time.Time) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			e := fake.SampleEvent(i)
			e.ID = fmt.Sprintf("live-%d", i)
			e.Time = now()
			live.Send(e)
		}
	}
}
