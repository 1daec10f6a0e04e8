package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"citygate/pkg/detect/offline/job"
)

// replay is a run of citygate replay.
type replay struct {
	inputs
	capture, dir, checksums   string
	inline, alertsOnly, stats bool
	keys                      bool
	runmode                   string
}

// replaySummary is what --json prints.
type replaySummary struct {
	Capture  string            `json:"capture"`
	Events   string            `json:"events"`
	Packets  uint64            `json:"packets"`
	Bytes    uint64            `json:"bytes"`
	Flows    uint64            `json:"flows"`
	Alerts   uint64            `json:"alerts"`
	Dropped  uint64            `json:"dropped"`
	Rules    int               `json:"rules"`
	Loaded   int               `json:"loaded"`
	Refused  int               `json:"refused"`
	By       []job.Alerts      `json:"alerts_by_rule"`
	Warnings []string          `json:"warnings"`
	Counters map[string]uint64 `json:"counters"`
}

func (a *App) replayCommand() *cobra.Command {
	var r replay
	c := &cobra.Command{
		Use:   "replay",
		Short: "Inspect a capture with rules, and write eve.json",
		Long: `Runs the inspection engine over a capture, as fast as the machine allows. The rules are in Suricata's language; DIR/eve.json gets
alerts, transactions and flows in Suricata's format, the same bytes each time. Needs no gateway and no root.
The engine runs in a sandbox: it is given open files, and can open none. Rules that it does not understand are refused by
name and the rest is used. Exit code 2, and the old eve.json stays, when a file cannot be read or a setting is unknown.`,
		Example: `  citygate replay -r incident.pcap                      with the rules that ship
  citygate replay -r incident.pcap -S /etc/rules -l out  with the rules of a folder
  citygate replay -r in.pcap -S my.rules --simulate-ips --set vars.address-groups.HOME_NET=10.0.0.0/8
  tcpdump -w - -c 1000 | citygate replay -r - --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if r.keys {
				return a.listSettings(cmd.Context())
			}
			return a.replay(cmd.Context(), &r)
		},
	}
	f := c.Flags()
	f.StringVarP(&r.capture, "capture", "r", "", "the capture, pcap or pcapng: `FILE`, or - for standard input")
	f.StringArrayVarP(&r.rules, "rules", "S", nil, "rules: a `FILE`, a folder of *.rules or a pattern; repeatable; default: the rules that ship")
	f.StringVarP(&r.dir, "log-dir", "l", ".", "the `DIR` that gets eve.json")
	f.StringVarP(&r.checksums, "checksums", "k", "all", "`WHICH` checksums count: all leaves segments with a wrong one out of streams, none does not")
	f.BoolVar(&r.inline, "simulate-ips", false, "as if in line: drop rules drop, and what is dropped is an event")
	f.BoolVar(&r.alertsOnly, "alerts-only", false, "write alerts and drops only")
	f.BoolVar(&r.stats, "stats", false, "print all counters, and write them as the last event")
	f.BoolVar(&r.keys, "list-settings", false, "print the keys of --set")
	f.StringVar(&r.runmode, "runmode", "single", "taken as Suricata's users write it; `MODE` single and autofp give the same")
	r.flags(c)
	return c
}

func (a *App) replay(ctx context.Context, r *replay) error {
	j, err := r.job()
	if err != nil {
		return err
	}
	in, err := a.openCapture(r.capture)
	if err != nil {
		return err
	}
	defer in.Close()
	files, err := r.open(j)
	defer files.close()
	if err != nil {
		return err
	}
	events, err := createEvents(r.dir)
	if err != nil {
		return err
	}
	defer events.discard()
	files.add(j, events.file, events.name, job.Events)
	stop := a.progress(in)
	answer, err := a.do(ctx, j, in, files.open)
	stop()
	if err == nil {
		err = events.keep()
	}
	if err != nil {
		return err
	}
	return a.showReplay(r, j, answer, events.name)
}

// job is the job without its files.
func (r *replay) job() (*job.Job, error) {
	j := &job.Job{
		Verb: job.Replay, Capture: r.capture, Inline: r.inline, AlertsOnly: r.alertsOnly, Stats: r.stats,
		NoChecksums: r.checksums == "none", Refusals: maxRefusals,
	}
	switch {
	case r.capture == "":
		return nil, errors.New("which capture? name it: citygate replay -r FILE.pcap")
	case r.checksums != "none" && r.checksums != "all":
		return nil, fmt.Errorf("-k %s: it is all or none", r.checksums)
	case r.runmode != "single" && r.runmode != "autofp":
		return nil, fmt.Errorf("--runmode %s: it is single or autofp", r.runmode)
	}
	if r.capture == "-" {
		j.Capture = "standard input"
	}
	return j, nil
}

// openCapture opens a capture without looking into it.
func (a *App) openCapture(name string) (*os.File, error) {
	if name != "-" {
		return openInput(name)
	}
	in, ok := a.In.(*os.File)
	if !ok || terminal(in) {
		return nil, errors.New("-r -: a capture comes from a pipe or a file, not from a terminal")
	}
	return in, nil
}

// events is eve.json while it is written: a file beside it takes its name at the end, so that nothing is half done.
type events struct {
	name string
	file *os.File
}

func createEvents(dir string) (*events, error) {
	e := &events{name: filepath.Join(dir, "eve.json")}
	if s, err := os.Stat(dir); err != nil || !s.IsDir() {
		return nil, fmt.Errorf("-l %s: there is no such folder: mkdir %s", dir, dir)
	}
	for n := 0; ; n++ {
		var err error
		temporary := filepath.Join(dir, fmt.Sprintf(".eve.json.%d-%d", os.Getpid(), n))
		e.file, err = os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			return e, nil
		}
		if !errors.Is(err, os.ErrExist) || n == 100 {
			return nil, fmt.Errorf("write %s: %w", e.name, err)
		}
	}
}

// keep gives the file its name.
func (e *events) keep() error {
	if err := os.Rename(e.file.Name(), e.name); err != nil {
		return fmt.Errorf("write %s: %w", e.name, err)
	}
	return nil
}

// discard removes what has not been kept.
func (e *events) discard() {
	_ = e.file.Close()
	_ = os.Remove(e.file.Name()) // there is none after keep
}

func (a *App) showReplay(r *replay, j *job.Job, answer *job.Answer, name string) error {
	a.printRefusals(answer.Rules, r.verbose)
	for _, w := range answer.Warnings {
		fmt.Fprintln(a.Err, "warning:", harmless(w))
	}
	if r.stats {
		printNumbers(a.Err, answer.Counters)
	}
	s := replaySummary{
		Capture: j.Capture, Events: name, Packets: answer.Replay.Packets, Bytes: answer.Replay.Bytes, Flows: answer.Replay.Flows,
		Alerts: answer.Replay.Alerts, Dropped: answer.Replay.Dropped, Rules: answer.Rules.Rules, Loaded: answer.Rules.Loaded,
		Refused: answer.Rules.Refused, Warnings: append([]string{}, answer.Warnings...),
		By: append([]job.Alerts{}, answer.Alerts...), Counters: map[string]uint64{},
	}
	for _, c := range answer.Counters {
		s.Counters[c.Name] = c.Value
	}
	return a.show(s, func(w io.Writer) {
		printAlerts(w, s.By, r.verbose)
		fmt.Fprintf(w, "%s: %s, %s, %s in %s\n", s.Capture, plural(s.Packets, "packet"), plural(s.Flows, "flow"), plural(s.Alerts, "alert"), s.Events)
	})
}

// fewAlerts are the rules that are shown without --verbose.
const fewAlerts = 20

// printAlerts says which rules alerted, the most frequent first.
func printAlerts(w io.Writer, alerts []job.Alerts, all bool) {
	shown := alerts
	if !all {
		shown = alerts[:min(fewAlerts, len(alerts))]
	}
	if len(shown) == 0 {
		return
	}
	rows := make([][]string, len(shown))
	for i, n := range shown {
		rows[i] = []string{number(n.Count), number(n.SID), n.Message}
	}
	table(w, "ALERTS\tSID\tMESSAGE", rows)
	if rest := len(alerts) - len(shown); rest > 0 {
		fmt.Fprintf(w, "and %s more: --verbose names them\n", plural(rest, "rule"))
	}
}

func printNumbers(w io.Writer, counters []job.Counter) {
	rows := make([][]string, len(counters))
	for i, c := range counters {
		rows[i] = []string{c.Name, number(c.Value)}
	}
	table(w, "COUNTER\tVALUE", rows)
}

func (a *App) listSettings(ctx context.Context) error {
	answer, err := a.do(ctx, &job.Job{Verb: job.Keys}, nil, nil)
	if err != nil {
		return err
	}
	return a.show(answer.Keys, func(w io.Writer) {
		rows := make([][]string, len(answer.Keys))
		for i, k := range answer.Keys {
			rows[i] = []string{k.Name, k.Doc}
		}
		table(w, "KEY\tMEANING", rows)
	})
}

// progress says on a terminal how far a long capture is read: the inspector shares the place in the open file.
func (a *App) progress(in *os.File) (stop func()) {
	err, ok := a.Err.(*os.File)
	info, statErr := in.Stat()
	if !ok || !terminal(err) || statErr != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for shown := false; ; shown = true {
			select {
			case <-quit:
				if shown {
					fmt.Fprint(err, "\r"+strings.Repeat(" ", 40)+"\r")
				}
				return
			case <-tick.C:
				at, _ := in.Seek(0, io.SeekCurrent)
				fmt.Fprintf(err, "\r%d of %d MB, %d %%", at/1e6, info.Size()/1e6, 100*at/info.Size())
			}
		}
	}()
	return func() { close(quit); <-done }
}
