// Command citygate is the gateway's command line; see docs/reference/cli.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"citygate/pkg/control/api"
	"citygate/pkg/control/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.New(api.Version()).Run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
