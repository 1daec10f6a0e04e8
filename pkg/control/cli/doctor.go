package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"citygate/pkg/control/api"

	"github.com/spf13/cobra"
)

func (a *App) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "What this machine has, what is missing, and what to do about it",
		Long: `Looks at the kernel (version, BTF, Landlock, seccomp, bpffs), the bridge ports (XDP, promiscuous, allmulticast,
offloads, addresses, ARP, MTU), the config and the policy, the disk, and what a running gateway complains of. It
changes nothing and needs neither root nor a running gateway; what it cannot see from here it calls unknown, such as
the GRO setting at a veth's other end. Exit code 1 when a check fails.`,
		Example: `  citygate doctor
  citygate doctor --json | jq '.checks[] | select(.state == "fail")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := a.doctor(cmd.Context(), thisHost())
			if err := a.show(d, func(w io.Writer) { printDoctor(w, d) }); err != nil {
				return err
			}
			if !d.Healthy {
				return errNo
			}
			return nil
		},
	}
}

func (a *App) doctor(ctx context.Context, h host) api.Doctor {
	f := &findings{}
	h.kernel(f)
	p, err := a.Paths(ctx, a.config)
	if err != nil {
		f.add("config", "fail", err.Error(), "see citygate policy check, and -c FILE")
	} else {
		f.add("config", "ok", a.config, "")
		h.folders(f, p)
		a.doctorPolicy(ctx, f, p)
		if !a.doctorGateway(ctx, f) {
			h.ports(f, p)
		}
	}
	d := api.Doctor{Healthy: true, Checks: f.checks}
	for _, c := range d.Checks {
		d.Healthy = d.Healthy && c.State != "fail"
	}
	return d
}

func (a *App) doctorPolicy(ctx context.Context, f *findings, p api.Paths) {
	check, err := a.check(ctx, []string{p.Policy})
	switch {
	case err != nil:
		f.add("policy", "unknown", err.Error(), "")
	case !check.OK:
		for _, e := range check.Errors {
			f.add("policy", "fail", e.String(), "")
		}
	default:
		f.add("policy", "ok", fmt.Sprintf("%s: %s, %s", p.Policy, plural(check.Devices, "device"), entries(check.Entries)), "")
	}
}

// doctorGateway adds what a running gateway finds, and reports whether there is one: it sees its ports better than a
// command that may be in another network namespace.
func (a *App) doctorGateway(ctx context.Context, f *findings) bool {
	var d api.Doctor
	err := a.ask(ctx, "GET", "/v1/doctor", nil, &d)
	switch {
	case errors.Is(err, api.ErrNotRunning):
		f.add("gateway", "warn", "not running", "systemctl start citygate, or: citygate run -c "+a.config)
	case err != nil:
		f.add("gateway", "unknown", err.Error(), "be root, or a member of the group citygate")
	default:
		f.add("gateway", "ok", "running", "")
		f.checks = append(f.checks, d.Checks...)
		return true
	}
	return false
}

func printDoctor(w io.Writer, d api.Doctor) {
	var rows [][]string
	for _, c := range d.Checks {
		rows = append(rows, []string{c.State, c.Name, c.Text, c.Remedy})
	}
	table(w, "STATE\tCHECK\tFOUND\tREMEDY", rows)
}
