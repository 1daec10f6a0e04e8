package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"citygate/pkg/event"
	"citygate/pkg/journal"

	"github.com/spf13/cobra"
)

func (a *App) eventsCommand() *cobra.Command {
	var follow bool
	var types []string
	var since time.Duration
	c := &cobra.Command{
		Use:   "events",
		Short: "What happened: new devices, drops, policy changes, who did what",
		Long: `Reads the events from log_dir/eve.json, one readable line each; --json prints the EVE records as they are. It works
when the gateway is down too. Types: ` + strings.Join(typeNames(), ", ") + `.`,
		Example: `  citygate events -f
  citygate events --type drop,device --since 1h
  citygate events --since 24h --type audit --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f := journal.Filter{Types: types}
			if unknown := slices.IndexFunc(types, func(t string) bool { return !slices.Contains(typeNames(), t) }); unknown >= 0 {
				return fmt.Errorf("event type %q is none of %s", types[unknown], strings.Join(typeNames(), ", "))
			}
			if since > 0 {
				f.Since = a.now().Add(-since)
			}
			return a.events(cmd.Context(), follow, f)
		},
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "wait for more")
	c.Flags().StringSliceVar(&types, "type", nil, "only these `TYPES`")
	c.Flags().DurationVar(&since, "since", 0, "only the last `TIME`, such as 1h")
	return c
}

func typeNames() []string {
	var names []string
	for _, t := range event.Types() {
		names = append(names, t.String())
	}
	return names
}

func (a *App) events(ctx context.Context, follow bool, f journal.Filter) error {
	p, err := a.Paths(ctx, a.config)
	if err != nil {
		return err
	}
	path := filepath.Join(p.LogDir, "eve.json")
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	out := bufio.NewWriter(a.Out)
	defer out.Flush()
	return journal.Tail(ctx, path, follow, func(line []byte) error {
		if !f.Match(line) {
			return nil
		}
		if a.json {
			out.Write(line)
			out.WriteByte('\n')
		} else {
			printEvent(out, line)
		}
		if follow {
			return out.Flush()
		}
		return nil
	})
}

// eve is what a readable line takes from an EVE record.
type eve struct {
	Timestamp string `json:"timestamp"`
	Type      string `json:"event_type"`
	Iface     string `json:"in_iface"`
	SrcIP     string `json:"src_ip"`
	SrcPort   uint16 `json:"src_port"`
	DestIP    string `json:"dest_ip"`
	DestPort  uint16 `json:"dest_port"`
	Proto     string `json:"proto"`
	Flow      struct {
		ToServer uint64 `json:"pkts_toserver"`
		ToClient uint64 `json:"pkts_toclient"`
		State    string `json:"state"`
	} `json:"flow"`
	Stats struct {
		IPS struct {
			Accepted uint64 `json:"accepted"`
			Blocked  uint64 `json:"blocked"`
		} `json:"ips"`
	} `json:"stats"`
	Anomaly struct {
		Event string `json:"event"`
	} `json:"anomaly"`
	Ours struct {
		Device     json.RawMessage `json:"device"` // drop: a name; device: an object
		SrcMAC     string          `json:"src_mac"`
		EtherType  uint16          `json:"ether_type"`
		Reason     string          `json:"reason"`
		ReasonText string          `json:"reason_text"`
		PolicyLine string          `json:"policy_line"`
		WouldDrop  bool            `json:"would_drop"`
		Count      uint64          `json:"count"`
		Suppressed uint64          `json:"suppressed"`
		Client     string          `json:"client"`
		Server     string          `json:"server"`
		Service    string          `json:"service"`
		Bridge     string          `json:"bridge"`
		Text       string          `json:"text"`
		Object     string          `json:"object"`
		Policy     struct {
			Action     string `json:"action"`
			Generation uint32 `json:"generation"`
			Who        string `json:"who"`
			Summary    string `json:"summary"`
		} `json:"policy"`
		Audit struct {
			Who    string `json:"who"`
			Verb   string `json:"verb"`
			Object string `json:"object"`
			Result string `json:"result"`
			Reason string `json:"reason"`
		} `json:"audit"`
	} `json:"citygate"`
}

// printEvent writes one readable line. A record that is not EVE is shown as it is, made harmless for a terminal.
func printEvent(w io.Writer, line []byte) {
	var e eve
	if err := json.Unmarshal(line, &e); err != nil {
		fmt.Fprintln(w, harmless(string(line)))
		return
	}
	at := e.Timestamp
	if t, err := time.Parse("2006-01-02T15:04:05.999999999-0700", e.Timestamp); err == nil {
		at = t.Local().Format("2006-01-02 15:04:05.000")
	}
	fmt.Fprintln(w, harmless(fmt.Sprintf("%s  %-8s  %s", at, e.Type, e.text())))
}

func (e *eve) text() string {
	o := &e.Ours
	switch e.Type {
	case "drop":
		return e.dropText()
	case "device":
		return e.deviceText()
	case "flow":
		return fmt.Sprintf("%s -> %s  %s, %s (%s), %d frames to, %d back, %s", e.from(o.Client), e.to(o.Server), e.Proto, o.Service, o.PolicyLine,
			e.Flow.ToServer, e.Flow.ToClient, e.Flow.State)
	case "stats":
		return fmt.Sprintf("%s: %d passed, %d dropped", o.Bridge, e.Stats.IPS.Accepted, e.Stats.IPS.Blocked)
	case "policy":
		p := o.Policy
		return fmt.Sprintf("%s by %s, generation %d: %s", p.Action, p.Who, p.Generation, p.Summary)
	case "audit":
		return strings.TrimRight(fmt.Sprintf("%s: %s %s: %s: %s", o.Audit.Who, o.Audit.Verb, o.Audit.Object, o.Audit.Result, o.Audit.Reason), ": ")
	case "anomaly":
		return strings.TrimSpace(strings.Join([]string{e.Anomaly.Event, o.Object, o.Text}, " "))
	}
	return ""
}

func (e *eve) dropText() string {
	o := &e.Ours
	var name string
	_ = json.Unmarshal(o.Device, &name) // it stays empty
	who := o.SrcMAC
	if name != "" {
		who = name
	}
	what := fmt.Sprintf("ethertype %#04x", o.EtherType)
	if e.SrcIP != "" {
		what = strings.TrimSpace(end(e.SrcIP, e.SrcPort) + " -> " + end(e.DestIP, e.DestPort) + " " + e.Proto)
	}
	text := fmt.Sprintf("%s  from %s on %s: %s: %s", what, who, e.Iface, o.Reason, o.ReasonText)
	if o.WouldDrop {
		text += " (monitor: it passed)"
	}
	if n := o.Count + o.Suppressed; n > 1 {
		text += fmt.Sprintf(", %d frames", n)
	}
	return text
}

func (e *eve) deviceText() string {
	var d struct {
		Event, MAC, IP, Port, VLAN, Vendor, Name, Role string
		Listed                                         bool
	}
	_ = json.Unmarshal(e.Ours.Device, &d) // it stays empty
	text := fmt.Sprintf("%s: %s", d.Event, d.MAC)
	if d.IP != "" {
		text += " " + d.IP
	}
	if d.VLAN != "" {
		text += " VLAN " + d.VLAN
	}
	text += " on the " + d.Port + " side"
	if d.Vendor != "" {
		text += ", " + d.Vendor
	}
	if d.Listed {
		return text + ", " + d.Role + " " + d.Name
	}
	return text + ", not in the policy"
}

func (e *eve) from(name string) string {
	return strings.TrimSpace(name + " " + end(e.SrcIP, e.SrcPort))
}

func (e *eve) to(name string) string {
	return strings.TrimSpace(name + " " + end(e.DestIP, e.DestPort))
}

// harmless replaces what a device might have put into its name to play with a terminal.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '?'
		}
		return r
	}, s)
}
