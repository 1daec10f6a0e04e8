package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"citygate/pkg/flow"
	"citygate/testlab/attacker"
	"citygate/testlab/city"
)

const patience = 5 * time.Minute

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func statusCommand(remote *city.Remote) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the hosts and the streams between them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var s city.Status
			if err := remote.Call("Status", struct{}{}, &s, patience); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), s)
			}
			return showStatus(cmd.OutOrStdout(), s)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func showStatus(out io.Writer, s city.Status) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "gateway: %s\n\nHOST\tROLE\tSIDE\tMAC\tADDRESSES\n", s.Gateway)
	for _, h := range s.Hosts {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", h.Name, h.Role, h.Side, h.MAC, strings.Join(h.Addrs, " "))
	}
	fmt.Fprint(w, "\nCAMERA\tSERVER\tSTREAM\tSENT\tRECEIVED\tMISSING\tSTATE\n")
	for _, st := range s.Streams {
		state := "open"
		if !st.Open {
			state = st.Error
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%s\n", st.Camera, st.VMS, st.ID, st.Sent, st.Packets, st.Missing, state)
	}
	return w.Flush()
}

func side(name string) (flow.Side, error) {
	switch name {
	case "camera":
		return flow.CameraSide, nil
	case "server":
		return flow.ServerSide, nil
	}
	return 0, fmt.Errorf("side %q is not camera or server", name)
}

func attackCommand(remote *city.Remote) *cobra.Command {
	var from string
	o := attacker.Order{}
	cmd := &cobra.Command{
		Use:   "attack NAME",
		Short: "Send hostile frames of a kind, or use a real tool, and see what gets through",
		Long: "Send hostile frames of a kind, and count what gets through. Kinds:\n" + stories() +
			"\nOr use a real tool: " + strings.Join(city.Tools(), ", ") + ".",
		Args:      cobra.ExactArgs(1),
		ValidArgs: append(attacker.Names(), city.Tools()...),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Kind = args[0]
			if o.Side, err = side(from); err != nil {
				return err
			}
			if slices.Contains(city.Tools(), o.Kind) {
				return useTool(cmd.OutOrStdout(), remote, o)
			}
			var r city.Result
			if err := remote.Call("Attack", o, &r, patience); err != nil {
				return err
			}
			showResults(cmd.OutOrStdout(), r)
			if !r.Stopped() {
				return exitCode(1)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "side", "camera", "the attacker's side: camera or server")
	cmd.Flags().Uint32Var(&o.Seed, "seed", 1, "the same seed gives the same frames")
	cmd.Flags().IntVar(&o.Count, "count", 500, "number of frames")
	cmd.Flags().IntVar(&o.PPS, "pps", attacker.DefaultPPS, "frames per second")
	return cmd
}

func useTool(out io.Writer, remote *city.Remote, o attacker.Order) error {
	var r city.ToolResult
	if err := remote.Call("Tool", city.ToolOrder{Name: o.Kind, Side: o.Side}, &r, patience); err != nil {
		return err
	}
	if r.Harm {
		fmt.Fprintf(out, "%s got through: %s\n", r.Tool, r.Saw)
		return exitCode(1)
	}
	fmt.Fprintf(out, "%s got nothing through: %s\n", r.Tool, r.Saw)
	return nil
}

func stories() string {
	var b strings.Builder
	for _, k := range attacker.Kinds() {
		fmt.Fprintf(&b, "  %-18s  %s\n", k.Name, k.Story)
	}
	return b.String()
}

func showResults(out io.Writer, results ...city.Result) {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprint(w, "ATTACK\tSIDE\tSENT\tREACHED\tARRIVED\tVERDICT\n")
	for _, r := range results {
		verdict := "stopped"
		switch {
		case r.Arrived > 0:
			verdict = "ARRIVED"
		case !r.Stopped():
			verdict = "NOT MEASURED"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\n", r.Kind, r.Side, r.Sent, r.Reached, r.Arrived, verdict)
	}
	w.Flush()
}

func scoreCommand(remote *city.Remote) *cobra.Command {
	var seed uint32
	var count int
	cmd := &cobra.Command{
		Use:   "score",
		Short: "Make every attack from both sides while the streams play, and say what got through and what was lost",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var before, after []city.Stream
			if err := remote.Call("Settled", struct{}{}, &before, patience); err != nil {
				return err
			}
			var results []city.Result
			failed := 0
			for _, k := range attacker.Kinds() {
				for _, from := range []flow.Side{flow.CameraSide, flow.ServerSide} {
					var r city.Result
					o := attacker.Order{Kind: k.Name, Side: from, Seed: seed, Count: count}
					if err := remote.Call("Attack", o, &r, patience); err != nil {
						return err
					}
					if !r.Stopped() {
						failed++
					}
					results = append(results, r)
				}
			}
			if err := remote.Call("Settled", struct{}{}, &after, patience); err != nil {
				return err
			}
			showResults(cmd.OutOrStdout(), results...)
			loss := city.LossBetween(before, after)
			fmt.Fprintf(cmd.OutOrStdout(), "streams: %d packets sent, %d lost, %d sessions broke\n", loss.Sent, loss.Lost, len(loss.Broken))
			if failed > 0 || loss.Lost != 0 || len(loss.Broken) > 0 {
				return exitCode(1)
			}
			return nil
		},
	}
	cmd.Flags().Uint32Var(&seed, "seed", 1, "the same seed gives the same frames")
	cmd.Flags().IntVar(&count, "count", 500, "frames of each kind and side")
	return cmd
}
