// Command demo starts a node with a small demonstration catalog, for `make run`:
// the first thing that a newcomer copies from the terminal is to work. It brings
// its own origin, a registry, a file host and a Python index in this process,
// since a node has none; nothing of it is part of `tallygate run`.
//
//	demo --tallygate bin/tallygate --data-dir data [-- run FLAGS…]
//
// What stands after "--" is the node's command line. SIGINT and SIGTERM go on to
// the node, and the demo ends with the node's exit code.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// startTimeout is how long a node may take to become ready. A first start takes
// a second or two; a large catalog and a busy machine more.
const startTimeout = 2 * time.Minute

func main() {
	options := &options{}
	flag.StringVar(&options.tallygate, "tallygate", "bin/tallygate", "the node's `binary`")
	flag.StringVar(&options.dataDir, "data-dir", "data", "the node's data `directory`")
	flag.StringVar(&options.originListen, "origin-listen", "127.0.0.1:5055", "`address` of the demo's origin; another port if it is taken")
	flag.Parse()
	options.args = flag.Args()

	// A second signal goes on to the node like the first: it may be in a hurry.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	code, err := run(options, signals, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
	}
	os.Exit(code)
}

type options struct {
	tallygate    string
	dataDir      string
	originListen string
	args         []string // of the node
}

// run starts origin and node, sets the catalog up, and waits for the node's end.
// It returns the exit code to end with.
func run(o *options, signals <-chan os.Signal, stdout, stderr io.Writer) (code int, err error) {
	n := newNode(o)
	catalogFile := filepath.Join(n.dataDir, "demo-catalog.yaml")

	origin, err := startOrigin(o.originListen)
	if err != nil {
		return 1, err
	}
	defer origin.Close()
	if err := os.MkdirAll(n.dataDir, 0o700); err != nil {
		return 1, err
	}
	if err := os.WriteFile(catalogFile, demoCatalog(origin.Addr), 0o644); err != nil {
		return 1, err
	}

	if err := n.start(stdout, stderr); err != nil {
		return 1, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	introduced := make(chan error, 1)
	go func() { introduced <- introduce(ctx, n, catalogFile, stdout) }()

	for {
		select {
		case s := <-signals:
			cancel() // whoever asks to stop doesn't want the introduction
			n.signal(s)
		case err := <-introduced:
			introduced = nil
			if err == nil || ctx.Err() != nil {
				continue
			}
			n.signal(syscall.SIGTERM)
			<-n.ended
			return 1, err
		case <-n.ended:
			return n.exitCode(), nil
		}
	}
}

// introduce waits for the node, applies the catalog and says what to try.
func introduce(ctx context.Context, n *node, catalogFile string, stdout io.Writer) error {
	if err := n.waitReady(ctx); err != nil {
		return err
	}
	if _, err := n.command(ctx, "apply", "-f", catalogFile); err != nil {
		return err
	}
	link, err := n.command(ctx, "user", "sign-in-link")
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, welcome(n, firstLine(link)))
	return err
}

// waitReady polls /readyz until it answers 200.
func (n *node) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	url := "http://" + n.adminAddr + "/readyz"
	last := errors.New("no answer yet")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			last = errors.New(resp.Status)
		} else if ctx.Err() == nil {
			last = err
		}
		select {
		case <-tick.C:
		case <-n.ended:
			return errors.New("the node ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("the node did not become ready: %s: %w", url, last)
		}
	}
}
