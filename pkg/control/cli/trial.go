package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"citygate/pkg/detect/offline/job"
)

// maxExpect is how long an expect.json or a file of settings may be, bytes.
const maxExpect = 1 << 20

// trial is the folder of a rule: captures, and what the rule must say of them.
type trial struct {
	SID uint32 `json:"sid"`
	OK  bool   `json:"ok"`
	// Problems say what differs.
	Problems []string `json:"problems"`
}

func (a *App) rulesTestCommand() *cobra.Command {
	in := inputs{}
	c := &cobra.Command{
		Use:   "test [DIR]",
		Short: "Do rules say of their captures what they must?",
		Long: `Each folder DIR/SID (default rules/tests) has capture.pcap and expect.json, {"alerts":[{"sid":N,"count":N}]}: what the rules must say
of it; and clean.pcap, of which rule SID must say nothing. A file settings may hold lines KEY=VALUE for --set. Exit code 1 when
something differs.`,
		Example: `  citygate rules test
  citygate rules test mine/tests -S mine/my.rules`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "rules/tests"
			if len(args) > 0 {
				dir = args[0]
			}
			return a.rulesTest(cmd.Context(), &in, dir)
		},
	}
	c.Flags().StringArrayVarP(&in.rules, "rules", "S", nil, "rules: a `FILE`, a folder of *.rules or a pattern; repeatable; default: the rules that ship")
	in.flags(c)
	return c
}

func (a *App) rulesTest(ctx context.Context, in *inputs, dir string) error {
	sids, err := trialFolders(dir)
	if err != nil {
		return err
	}
	bad, all := 0, []trial{}
	for _, sid := range sids {
		t := trial{SID: sid, Problems: []string{}}
		if err := a.try(ctx, in, filepath.Join(dir, number(sid)), &t); err != nil {
			return fmt.Errorf("rule %d: %w", sid, err)
		}
		if t.OK = len(t.Problems) == 0; !t.OK {
			bad++
		}
		all = append(all, t)
		if !a.json {
			printTrial(a.Out, t)
		}
	}
	err = a.show(all, func(w io.Writer) { fmt.Fprintf(w, "%s tested, %d wrong\n", plural(len(all), "rule"), bad) })
	if err == nil && bad > 0 {
		err = errNo
	}
	return err
}

func printTrial(w io.Writer, t trial) {
	if t.OK {
		fmt.Fprintln(w, "ok   ", t.SID)
		return
	}
	fmt.Fprintln(w, "WRONG", t.SID, strings.Join(t.Problems, "; "))
}

// trialFolders are the rules that a folder has folders of, in order.
func trialFolders(dir string) (sids []uint32, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if n, err := strconv.ParseUint(e.Name(), 10, 32); err == nil && e.IsDir() {
			sids = append(sids, uint32(n))
		}
	}
	if len(sids) == 0 {
		return nil, fmt.Errorf("%s has no folder that is called as a sid", dir)
	}
	slices.Sort(sids)
	return sids, nil
}

// try holds a rule against its folder. The error is of what could not be tried.
func (a *App) try(ctx context.Context, in *inputs, dir string, t *trial) error {
	want, err := readExpect(filepath.Join(dir, "expect.json"))
	if err != nil {
		return err
	}
	sets, err := readSettings(filepath.Join(dir, "settings"))
	if err != nil {
		return err
	}
	got, err := a.count(ctx, in, filepath.Join(dir, "capture.pcap"), sets)
	if err != nil {
		return err
	}
	if want[t.SID] == 0 {
		t.Problems = append(t.Problems, "expect.json wants no alert of the rule itself")
	}
	for _, sid := range slices.Sorted(maps.Keys(want)) {
		if got[sid] != want[sid] {
			t.Problems = append(t.Problems, fmt.Sprintf("sid %d: %d alerts, want %d", sid, got[sid], want[sid]))
		}
	}
	clean, err := a.count(ctx, in, filepath.Join(dir, "clean.pcap"), sets)
	if err == nil && clean[t.SID] > 0 {
		t.Problems = append(t.Problems, fmt.Sprintf("sid %d: %d alerts on clean.pcap, want none", t.SID, clean[t.SID]))
	}
	return err
}

// count replays a capture and gives the alerts by sid.
func (a *App) count(ctx context.Context, in *inputs, capture string, sets []string) (map[uint32]uint64, error) {
	f, err := openInput(capture)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	j := &job.Job{Verb: job.Replay, Capture: capture, Count: true, AlertsOnly: true, Refusals: fewRefusals}
	with := *in
	with.sets = slices.Concat(in.sets, sets)
	files, err := with.open(j)
	defer files.close()
	if err != nil {
		return nil, err
	}
	answer, err := a.do(ctx, j, f, files.open)
	if err != nil {
		return nil, err
	}
	if len(answer.Warnings) > 0 {
		return nil, errors.New(harmless(answer.Warnings[0]))
	}
	counts := map[uint32]uint64{}
	for _, n := range answer.Alerts {
		counts[n.SID] += n.Count
	}
	return counts, nil
}

func readExpect(name string) (map[uint32]uint64, error) {
	b, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	var e struct {
		Alerts []struct {
			SID   uint32 `json:"sid"`
			Count uint64 `json:"count"`
		} `json:"alerts"`
	}
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	out := map[uint32]uint64{}
	for _, x := range e.Alerts {
		out[x.SID] = x.Count
	}
	return out, nil
}

// readSettings reads lines KEY=VALUE; a file that there is not has none.
func readSettings(name string) (sets []string, err error) {
	b, err := readSmall(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			sets = append(sets, line)
		}
	}
	return sets, err
}

func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxExpect+1))
	if err == nil && len(b) > maxExpect {
		err = fmt.Errorf("%s is longer than %d bytes", name, maxExpect)
	}
	return b, err
}
