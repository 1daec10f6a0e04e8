package cli

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"

	"citygate/pkg/control/api"

	"github.com/spf13/cobra"
)

func (a *App) flowsCommand() *cobra.Command {
	limit := 100
	c := &cobra.Command{
		Use:   "flows",
		Short: "The flows that the kernel holds now",
		Long: `Lists the cached flows, the busiest first, one line per direction: who, by which service and which line of the
policy, how much. A flow that is not here is judged by the policy at its next frame.`,
		Example: `  citygate flows
  citygate flows --limit 10000 --json | jq '.flows[] | select(.dest_port == 554)'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var f api.Flows
			if err := a.ask(cmd.Context(), "GET", "/v1/flows?limit="+strconv.Itoa(limit), nil, &f); err != nil {
				return err
			}
			return a.show(f, func(w io.Writer) { printFlows(w, f) })
		},
	}
	c.Flags().IntVar(&limit, "limit", limit, "at most `N` lines, 1 to 100000")
	return c
}

func printFlows(w io.Writer, f api.Flows) {
	var rows [][]string
	for _, r := range f.Flows {
		direction := "open"
		if r.Reply {
			direction = "reply"
		}
		rows = append(rows, []string{
			end(r.SrcIP, r.SrcPort), end(r.DestIP, r.DestPort), r.Proto, r.From, r.To, r.Service, direction, r.Rule,
			number(r.Frames), number(r.Bytes), clock(r.Last),
		})
	}
	table(w, "SOURCE\tDESTINATION\tPROTO\tFROM\tTO\tSERVICE\tDIRECTION\tPOLICY LINE\tFRAMES\tBYTES\tLAST", rows)
	if f.More {
		fmt.Fprintln(w, "there are more: raise --limit")
	}
}

// end is an address with its port, as net/netip writes them.
func end(ip string, port uint16) string {
	a, err := netip.ParseAddr(ip)
	if err != nil || port == 0 {
		return ip
	}
	return netip.AddrPortFrom(a, port).String()
}

func (a *App) countersCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "counters",
		Short: "How many frames left for which reason",
		Long: `Every frame leaves the data path for exactly one reason; this counts them per bridge since the program was
loaded. WOULD DROP counts what monitor mode let pass and enforce mode would drop. The last lines are losses outside the
program: frames that passed but that the other port could not take.`,
		Example: `  citygate counters
  citygate counters --json | jq '.bridges[].reasons[] | select(.verdict == "drop")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var c api.Counters
			if err := a.ask(cmd.Context(), "GET", "/v1/counters", nil, &c); err != nil {
				return err
			}
			return a.show(c, func(w io.Writer) { printCounters(w, c) })
		},
	}
}

func printCounters(w io.Writer, c api.Counters) {
	var rows [][]string
	for _, b := range c.Bridges {
		for _, r := range b.Reasons {
			rows = append(rows, []string{b.Bridge, r.Verdict, r.Reason, number(r.Frames), number(r.Bytes), number(r.WouldDrop), r.Text})
		}
		for _, l := range b.Losses {
			rows = append(rows, []string{b.Bridge, "lost", l.What, number(l.Frames), "", "", "passed, but the port could not take it"})
		}
	}
	table(w, "BRIDGE\tVERDICT\tREASON\tFRAMES\tBYTES\tWOULD DROP\tMEANING", rows)
}
