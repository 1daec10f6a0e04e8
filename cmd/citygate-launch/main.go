// Command citygate-launch starts a gateway's processes, each with the rights that its work needs and no others, and
// starts them anew when one ends. It runs as root and parses nothing: citygate-control, without rights, turns the config
// file into a boot record. The kernel goes on forwarding while no process runs; `citygate-launch detach` ends that too.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// errUsage and errConfig end the program with exit code 2, other errors with 1.
var (
	errUsage  = errors.New("usage: citygate-launch [-c FILE] [detach]")
	errConfig = errors.New("the config is not valid")
)

func main() {
	// What whoever started us left open is not for the processes.
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Stderr, reload)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "citygate-launch:", err)
	if errors.Is(err, errUsage) || errors.Is(err, errConfig) {
		os.Exit(2)
	}
	os.Exit(1)
}

func run(ctx context.Context, args []string, stderr io.Writer, reload <-chan os.Signal) error {
	flags := flag.NewFlagSet("citygate-launch", flag.ContinueOnError)
	flags.SetOutput(stderr)
	config := flags.String("c", "/etc/citygate/citygate.yaml", "config `FILE`")
	if flags.Parse(args) != nil || (flags.NArg() > 0 && (flags.NArg() > 1 || flags.Arg(0) != "detach")) {
		return errUsage
	}
	if err := checkHost(); err != nil {
		return err
	}
	path, err := filepath.Abs(*config)
	if err != nil {
		return fmt.Errorf("find the config %s: %w", *config, err)
	}
	if err := enterFolder(); err != nil {
		return err
	}
	l := &launcher{config: path, log: stderr}
	if flags.Arg(0) == "detach" {
		return l.detach(ctx)
	}
	return l.run(ctx, reload)
}
