package cli

import (
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"citygate/pkg/control/api"

	"github.com/spf13/cobra"
)

func (a *App) whyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "why",
		Short: "Why something passes or is dropped",
	}
	c.AddCommand(a.whyFlowCommand())
	return c
}

func (a *App) whyFlowCommand() *cobra.Command {
	vlan := "untagged"
	c := &cobra.Command{
		Use:   "flow SOURCE DESTINATION PROTOCOL",
		Short: "Does a frame of this five-tuple pass, and which line or reason decides",
		Long: `Asks the running gateway what happens now to a frame from SOURCE to DESTINATION: by the running policy, the blocks
and what the kernel holds. The answer names the policy line that lets it pass, or the reason why it is dropped and the
line that would change that. PROTOCOL is tcp, udp, icmp, icmpv6 or a number; an IPv6 address with a port stands in
brackets. Exit code 0 when it passes, 1 when it is dropped.`,
		Example: `  citygate why flow 10.0.0.2:40000 10.0.0.11:554 tcp
  citygate why flow 10.0.0.11:554 10.0.0.2:40000 tcp
  citygate why flow [fd00::2]:40000 [fd00::11]:554 tcp
  citygate why flow 10.0.0.2 10.0.0.11 icmp --vlan 10`,
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := url.Values{"proto": {args[2]}, "vlan": {vlan}}
			if err := setEnd(q, "src", args[0]); err != nil {
				return err
			}
			if err := setEnd(q, "dst", args[1]); err != nil {
				return err
			}
			var w api.Why
			if err := a.ask(cmd.Context(), "GET", "/v1/why?"+q.Encode(), nil, &w); err != nil {
				return err
			}
			if err := a.show(w, func(out io.Writer) { printWhy(out, w) }); err != nil {
				return err
			}
			if w.Verdict != "pass" {
				return errNo
			}
			return nil
		},
	}
	c.Flags().StringVar(&vlan, "vlan", vlan, "the frame's `VLAN`: untagged, 10, or 100.20 for two tags")
	return c
}

// setEnd reads 10.0.0.11:554, [fd00::11]:554 or an address alone.
func setEnd(q url.Values, key, s string) error {
	if ip, err := netip.ParseAddr(s); err == nil {
		q.Set(key, ip.String())
		return nil
	}
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return fmt.Errorf("%q is no address and port, such as 10.0.0.11:554 or [fd00::11]:554", s)
	}
	q.Set(key, ap.Addr().String())
	q.Set(key+"_port", strconv.Itoa(int(ap.Port())))
	return nil
}

func printWhy(w io.Writer, y api.Why) {
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-10s %s\n", key, value)
		}
	}
	verdict := strings.ToUpper(y.Verdict)
	if y.Verdict == "drop" && y.Mode == "monitor" {
		verdict += " (marked only: the bridge is in monitor mode)"
	}
	line("verdict", verdict)
	line("reason", reasonOf(y))
	if y.From != "" || y.To != "" {
		line("devices", known(y.From)+" -> "+known(y.To))
	}
	line("service", y.Service)
	if y.Rule != nil {
		line("by", fmt.Sprintf("%s:%d: %s", y.Rule.File, y.Rule.Line, y.Rule.Text))
	}
	if y.Block != nil {
		until := "until it is lifted"
		if !y.Block.Until.IsZero() {
			until = "until " + clock(y.Block.Until)
		}
		line("block", strings.TrimSpace(fmt.Sprintf("by %s %s %s", y.Block.By, until, y.Block.Reason)))
	}
	if y.Flow != nil {
		line("flow", fmt.Sprintf("in the kernel since %s: %s, %s", clock(y.Flow.First), plural(y.Flow.Frames, "frame"), plural(y.Flow.Bytes, "byte")))
	}
	if len(y.Drops) > 0 {
		line("drops", known(y.From)+" so far: "+reasonList(y.Drops))
	}
	line("to change", y.Change)
}

// reasonOf leaves out what the line "by" says.
func reasonOf(y api.Why) string {
	switch {
	case y.Rule == nil || y.Verdict == "drop":
		return y.Reason + ": " + y.Text
	case y.Reply && strings.EqualFold(y.Proto, "tcp"):
		return y.Reason + ": as the answer in a connection that the other end opened"
	case y.Reply:
		return y.Reason + ": as the answer to a request of the other end"
	}
	return y.Reason + ": by an allow line"
}

func known(name string) string {
	if name == "" {
		return "(not in the policy)"
	}
	return name
}

func reasonList(drops map[string]uint64) string {
	var names []string
	for r := range drops {
		names = append(names, r)
	}
	sort.Slice(names, func(i, j int) bool {
		if drops[names[i]] != drops[names[j]] {
			return drops[names[i]] > drops[names[j]]
		}
		return names[i] < names[j]
	})
	for i, r := range names {
		names[i] = fmt.Sprintf("%s %d", r, drops[r])
	}
	return strings.Join(names, ", ")
}
