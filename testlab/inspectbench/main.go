// Inspectbench measures what inspection costs: our engine's CPU seconds on a recorded site's traffic beside those of
// Suricata 7.0.10 from Debian, in turn, in one session. It ends with 1 when a target is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"golang.org/x/sys/unix"

	"citygate/testlab/traffic"
)

var errMissed = errors.New("a target is missed")

func main() {
	switch {
	case traffic.IsServers():
		os.Exit(traffic.ServersMain())
	case os.Getenv(recordVar) != "":
		os.Exit(recordMain(os.Getenv(recordVar)))
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "inspectbench:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	out    string
	dir    string
	rules  string
	engine []string
	rounds int
}

func parse(args []string, progress io.Writer) (options, error) {
	flags := flag.NewFlagSet("inspectbench", flag.ContinueOnError)
	flags.SetOutput(progress)
	var o options
	flags.StringVar(&o.out, "o", "bench/inspect.json", "file of the results")
	flags.StringVar(&o.dir, "dir", "bench/inspect", "folder of the capture, the peer and what they write")
	flags.StringVar(&o.rules, "rules", "", "folder of rules; ../shared/data/et-open if it is there, rules otherwise")
	engine := flags.String("engine", "bin/citygate replay", "our engine's command")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds of each measurement, at least 3")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.rounds < 3 {
		return o, fmt.Errorf("%d rounds say nothing: at least 3", o.rounds)
	}
	if o.engine = strings.Fields(*engine); len(o.engine) == 0 {
		return o, errors.New("-engine is empty")
	}
	return o, nil
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("it builds network namespaces and changes its root: run it as root")
	}
	b, err := prepare(ctx, o, progress)
	if err != nil {
		return err
	}
	defer b.peer.close() // a temporary folder that stays does no harm
	r, err := b.measure(ctx, o.rounds, progress)
	if err != nil {
		return err
	}
	if err := r.write(o.out); err != nil {
		return err
	}
	r.print(out)
	if missed := r.missed(); len(missed) > 0 {
		for _, m := range missed {
			fmt.Fprintln(out, "MISSED", m)
		}
		return errMissed
	}
	return nil
}
