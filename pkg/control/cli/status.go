package cli

import (
	"fmt"
	"io"
	"strings"

	"citygate/pkg/control/api"

	"github.com/spf13/cobra"
)

func (a *App) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Is the gateway well: bridges, policy, processes, totals",
		Long: `Shows the bridges and their ports (native or generic XDP, mode, policy generation), where the policy comes from,
the processes and their restarts, the devices seen, the frames passed and dropped, and the event log.
What is not as it should be stands under "degraded", each with its remedy. Exit code 1 when there is such a line.`,
		Example: `  citygate status
  citygate status --json | jq .frames`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var s api.Status
			if err := a.ask(cmd.Context(), "GET", "/v1/status", nil, &s); err != nil {
				return err
			}
			if err := a.show(s, func(w io.Writer) { printStatus(w, s) }); err != nil {
				return err
			}
			if len(s.Degraded) > 0 {
				return errNo
			}
			return nil
		},
	}
}

func printStatus(w io.Writer, s api.Status) {
	line := func(key, value string) { fmt.Fprintf(w, "%-10s %s\n", key, value) }
	line("site", s.Site)
	line("state", s.State)
	for _, d := range s.Degraded {
		line("", strings.TrimSuffix(d.What+": "+d.Text+"; "+d.Remedy, "; "))
	}
	line("version", s.Version+", since "+clock(s.Started))
	printPolicyInfo(w, s.Policy)
	line("devices", fmt.Sprintf("%d seen, %d of them unknown; %d listed", s.Devices.Seen, s.Devices.Unknown, s.Devices.Listed))
	line("frames", fmt.Sprintf("%d passed, %d dropped, %d would drop, %d lost", s.Frames.Passed, s.Frames.Dropped, s.Frames.WouldDrop, s.Frames.Lost))
	line("blocks", number(s.Blocks))
	line("journal", fmt.Sprintf("%s written, %d suppressed, %d lost", plural(s.Journal.Written, "event"), s.Journal.Suppressed, s.Journal.Lost))
	fmt.Fprintln(w)
	printBridges(w, s.Bridges)
	fmt.Fprintln(w)
	var rows [][]string
	for _, p := range s.Processes {
		rows = append(rows, []string{p.Name, p.State, number(p.Restarts), p.LastExit})
	}
	table(w, "PROCESS\tSTATE\tRESTARTS\tLAST EXIT", rows)
}

func printBridges(w io.Writer, bridges []api.Bridge) {
	var rows [][]string
	for _, b := range bridges {
		for _, p := range b.Ports {
			link := "down"
			if p.Up {
				link = "up"
			}
			rows = append(rows, []string{
				b.Name, b.Mode, b.Inspect, number(b.Generation), p.Name, p.Side, p.XDP, link, strings.Join(p.Faults, ", "),
			})
		}
	}
	table(w, "BRIDGE\tMODE\tINSPECT\tGENERATION\tPORT\tSIDE\tXDP\tLINK\tFAULTS", rows)
}

func printPolicyInfo(w io.Writer, p api.PolicyInfo) {
	if p.Source == "none" {
		fmt.Fprintf(w, "%-10s none: everything is dropped\n", "policy")
		return
	}
	from := "from " + p.File
	if p.Source == "applied" {
		from = "applied " + clock(p.Applied) + " by " + p.By
		if p.Reason != "" {
			from += fmt.Sprintf(" (%s)", p.Reason)
		}
	}
	fmt.Fprintf(w, "%-10s %s\n", "policy", from)
	fmt.Fprintf(w, "%-10s %s, %s, %s, generation %d, sha256 %.12s\n", "", plural(p.Devices, "device"), plural(p.Rules, "rule"), entries(p.Entries), p.Generation, p.Hash)
	if !p.ConfirmBy.IsZero() {
		fmt.Fprintf(w, "%-10s not confirmed: goes back to %.12s at %s unless: citygate policy confirm\n", "", p.PreviousHash, clock(p.ConfirmBy))
	}
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}
