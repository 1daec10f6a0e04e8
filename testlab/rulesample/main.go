// Rulesample asks the engine about rules drawn by a seed: for each it makes traffic that the rule must alert on, and
// twins of it with one thing broken on which it must not. What the rules mean is read here anew, apart from the engine.
// It ends with 1 when too few rules answer right.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

var errMissed = errors.New("too few rules answer right")

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "rulesample:", err)
		os.Exit(1)
	}
}

// options are the command line.
type settings struct {
	rules string
	seed  uint64
	count int
	sid   int
	peer  string // the tree of a Debian with Suricata in it
	dir   string
	need  float64
}

const shipped = "rules"

func parse(args []string, out io.Writer) (settings, error) {
	var o settings
	flags := flag.NewFlagSet("rulesample", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.rules, "rules", "", "folder of rules; the shipped ones if it is not there")
	flags.Uint64Var(&o.seed, "seed", 1, "what the sample is drawn by")
	flags.IntVar(&o.count, "count", 300, "how many rules are drawn")
	flags.IntVar(&o.sid, "sid", 0, "only this rule")
	flags.StringVar(&o.peer, "suricata", "", "root folder of a system with Suricata, which is asked too")
	flags.StringVar(&o.dir, "dir", "", "folder for captures of wrong answers; a temporary one if empty")
	flags.Float64Var(&o.need, "need", 290.0/300, "the share of right answers that is needed")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.count < 1 {
		return o, fmt.Errorf("%d rules are no sample", o.count)
	}
	return o, nil
}

func run(args []string, out, progress io.Writer) error {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	if _, err := os.Stat(o.rules); o.rules == "" || err != nil {
		fmt.Fprintf(out, "NOTE: no folder of rules (RULES=%s): the sample is drawn from the shipped ones, ./%s\n", o.rules, shipped)
		o.rules = shipped
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "rulesample-"); err != nil {
			return err
		}
	} else if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	rules, err := readRules(o.rules)
	if err != nil {
		return err
	}
	lib := newLibrary(rules)
	card := lib.draw(o, progress)
	if err := card.ask(progress); err != nil {
		return err
	}
	if err := card.whole(o.rules, progress); err != nil {
		return err
	}
	if o.peer != "" {
		if err := card.askPeer(o.peer, o.dir, progress); err != nil {
			return err
		}
	}
	if err := card.print(out, o); err != nil {
		return err
	}
	if !card.enough(o.need) {
		return errMissed
	}
	return nil
}
