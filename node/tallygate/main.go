// Command tallygate is the download gateway: a node, and the words to talk to one.
package main

import (
	_ "time/tzdata" // time zones of reports on machines without zoneinfo

	"context"
	"os"
	"os/signal"
	"syscall"

	"tallygate/node/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once: the first one may be draining.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
