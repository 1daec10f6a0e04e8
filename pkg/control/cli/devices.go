package cli

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"citygate/pkg/control/api"

	"github.com/spf13/cobra"
)

func (a *App) devicesCommand() *cobra.Command {
	var unknown bool
	c := &cobra.Command{
		Use:   "devices",
		Short: "Who was seen on the bridges, and what each sent",
		Long: `Lists every hardware address that was seen, joined with the policy's names. A device that the policy does not
list is "unknown": in enforce mode it passes nothing. PASSED and DROPPED count the frames that it sent.`,
		Example: `  citygate devices
  citygate devices --unknown
  citygate devices name 02:00:00:00:00:99 "ladder laptop" --tag contractor`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var d api.Devices
			if err := a.ask(cmd.Context(), "GET", "/v1/devices", nil, &d); err != nil {
				return err
			}
			if unknown {
				d.Devices = unlisted(d.Devices)
			}
			return a.show(d, func(w io.Writer) { printDevices(w, d) })
		},
	}
	c.Flags().BoolVar(&unknown, "unknown", false, "only devices that the policy does not list")
	c.AddCommand(a.deviceNameCommand())
	return c
}

func (a *App) deviceNameCommand() *cobra.Command {
	var tags []string
	var vlan string
	c := &cobra.Command{
		Use:   "name MAC NAME",
		Short: "Give a device that was seen a name of your own",
		Long: `Names a device in the inventory, so that lists and events are easier to read. It opens nothing: only the policy
does. Where the policy names the device, the policy's name is shown.`,
		Example: `  citygate devices name 02:00:00:00:00:99 "ladder laptop" --tag contractor`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var d api.Device
			path := "/v1/devices/" + url.PathEscape(args[0]) + "?vlan=" + url.QueryEscape(vlan)
			if err := a.ask(cmd.Context(), "PUT", path, api.DeviceChange{Name: args[1], Tags: tags}, &d); err != nil {
				return err
			}
			return a.show(d, func(w io.Writer) { fmt.Fprintf(w, "%s is %q\n", d.MAC, args[1]) })
		},
	}
	c.Flags().StringSliceVar(&tags, "tag", nil, "a `TAG`, any number of times")
	c.Flags().StringVar(&vlan, "vlan", "untagged", "the device's `VLAN`")
	return c
}

func unlisted(all []api.Device) []api.Device {
	out := []api.Device{}
	for _, d := range all {
		if !d.Listed {
			out = append(out, d)
		}
	}
	return out
}

func printDevices(w io.Writer, d api.Devices) {
	var rows [][]string
	for _, r := range d.Devices {
		name := r.Name
		if name == "" {
			name = "unknown"
		}
		rows = append(rows, []string{
			name, r.Role, r.MAC, r.VLAN, strings.Join(r.IPs, ","), r.Port, r.Vendor,
			clock(r.LastSeen), number(r.PassFrames), number(r.DropFrames),
		})
	}
	table(w, "NAME\tROLE\tMAC\tVLAN\tIP\tPORT\tVENDOR\tLAST SEEN\tPASSED\tDROPPED", rows)
	if d.Uncounted > 0 {
		fmt.Fprintf(w, "the inventory is full: %d more first sights are only counted\n", d.Uncounted)
	}
}
