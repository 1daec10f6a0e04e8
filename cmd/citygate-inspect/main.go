// Command citygate-inspect is the inspection engine.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"

	"citygate/pkg/detect/offline"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "citygate-inspect:", err)
		os.Exit(2)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	capture := flags.String("r", "", "")
	rules := flags.String("S", "", "")
	dir := flags.String("l", ".", "")
	k := flags.String("k", "all", "")
	ips := flags.Bool("simulate-ips", false, "")
	flags.String("runmode", "", "")
	stats := flags.Bool("stats", false, "")
	prof := flags.String("prof", "", "")
	alerts := flags.Bool("alerts", false, "")
	s := offline.NewSettings()
	var threshold string
	flags.Func("set", "", func(v string) error {
		if f, ok := strings.CutPrefix(v, "threshold-file="); ok {
			threshold = f
			return nil
		}
		return s.Set(v)
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	s.CheckNone, s.Engine.Inline, s.AlertsOnly = *k == "none", *ips, *alerts
	from := offline.Rules{}
	if *rules != "" {
		names, _ := filepath.Glob(*rules)
		for _, n := range names {
			f, err := os.Open(n)
			if err != nil {
				return err
			}
			from.Files = append(from.Files, offline.File{Name: n, Reader: f})
		}
	}
	if threshold != "" {
		f, err := os.Open(threshold)
		if err != nil {
			return err
		}
		from.Threshold = &offline.File{Name: threshold, Reader: f}
	}
	if *prof != "" {
		f, _ := os.Create(*prof)
		pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	image, rep, err := s.Load(from)
	if err != nil {
		return err
	}
	for _, r := range rep.Refused {
		fmt.Fprintln(os.Stderr, r)
	}
	if *capture == "" {
		fmt.Println(rep.Rules, rep.Loaded, len(rep.Refused), len(image))
		return nil
	}
	in, err := os.Open(*capture)
	if err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(*dir, "eve.json"))
	if err != nil {
		return err
	}
	res, err := s.Replay(in, image, out)
	if *stats {
		fmt.Fprintf(os.Stderr, "%+v\n", res)
	}
	return err
}
