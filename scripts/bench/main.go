// Command bench measures a built tallygate against a bare net/http handler that
// writes the same redirect, in pairs within one run: absolute figures drift with
// the machine, ratios and CPU per request hold.
//
// Server and load each have a core of their own where the machine has two.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	tallygate := flag.String("tallygate", "bin/tallygate", "binary to measure")
	rounds := flag.Int("rounds", 3, "pairs of measurements")
	duration := flag.Duration("duration", 5*time.Second, "of each measurement")
	bare := flag.String("bare", "", "serve the bare handler on this address (used by bench itself)")
	flag.Parse()
	if *bare != "" {
		fail(serveBare(*bare))
		return
	}
	binary, err := filepath.Abs(*tallygate)
	fail(err)
	b := &bench{binary: binary, rounds: *rounds, duration: *duration}
	fail(b.run())
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	binary   string
	rounds   int
	duration time.Duration
}

func (b *bench) run() error {
	for _, part := range []func() error{b.redirects, b.events, b.freshness, b.startAndIdle} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}
