package control

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"citygate/pkg/config"
	"citygate/pkg/control/api"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/policy"
)

// ReadConfig reads and checks a config file, named by an absolute path.
func ReadConfig(file string) (*config.Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the config: %w", err)
	}
	return config.Parse(file, text, os.LookupEnv)
}

// BootRecord is what the launcher has to know of a config.
func BootRecord(c *config.Config) *ipc.Boot {
	b := &ipc.Boot{
		Site: c.Site.Name, Config: c.File, Policy: c.Policy,
		StateDir: c.StateDir, LogDir: c.LogDir, RunDir: c.RunDir, BPFDir: c.BPFDir, UIDBase: uint32(c.UIDBase),
	}
	for _, v := range c.Bridges {
		b.Bridges = append(b.Bridges, ipc.BootBridge{
			Name: v.Name, CameraPort: v.CameraPort, ServerPort: v.ServerPort,
			Enforce: v.Mode == config.Enforce, FailOpen: v.OnFailure == config.Open, OverloadPass: v.OnOverload == config.Pass,
			STP: v.STP, LLDP: v.LLDP,
		})
	}
	if m := c.Management; m != nil {
		b.Management = ipc.Management{Interface: m.Interface, AllowFrom: m.AllowFrom}
		for _, p := range m.Ports {
			b.Management.Ports = append(b.Management.Ports, ipc.PortRange{Proto: p.Proto, Lo: p.Number, Hi: p.Number})
		}
	}
	return b
}

// Paths is where the gateway of a config keeps its things.
func Paths(c *config.Config) api.Paths {
	p := api.Paths{Site: c.Site.Name, Policy: c.Policy, StateDir: c.StateDir, LogDir: c.LogDir, RunDir: c.RunDir, BPFDir: c.BPFDir, Bridges: []api.Bridge{}}
	for _, v := range c.Bridges {
		p.Bridges = append(p.Bridges, api.Bridge{
			Name: v.Name, Mode: string(v.Mode), Inspect: "off", OnFailure: string(v.OnFailure), OnOverload: string(v.OnOverload),
			Ports: []api.Port{
				{Name: v.CameraPort, Side: flow.CameraSide.String(), Faults: []string{}},
				{Name: v.ServerPort, Side: flow.ServerSide.String(), Faults: []string{}},
			},
		})
	}
	return p
}

// Files are what a check reads. Without a policy only the config is checked.
type Files struct {
	Config     string // a path
	Optional   bool   // no config file is no error
	Policy     string // its name in errors, "" if there is none
	Text       []byte
	Interfaces []string // of this machine
}

// Check checks a config and a policy without a running gateway. Errors in them are the answer, not an error.
func Check(f Files) (api.PolicyCheck, error) {
	out := api.PolicyCheck{File: f.Policy, Errors: []api.PolicyError{}, Warnings: []string{}}
	if f.Policy == "" {
		out.File = f.Config
	}
	c, err := ReadConfig(f.Config)
	if err == nil {
		err = c.CheckPorts(func(name string) bool { return slices.Contains(f.Interfaces, name) })
	} else if f.Optional && errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err := note(&out, err); err != nil {
		return out, err
	}
	if f.Policy != "" {
		err := checkPolicy(&out, f)
		if err := note(&out, err); err != nil {
			return out, err
		}
	}
	out.OK = len(out.Errors) == 0
	return out, nil
}

func checkPolicy(out *api.PolicyCheck, f Files) error {
	p, err := policy.Parse(f.Policy, f.Text)
	if err != nil {
		return err
	}
	compiled, err := p.Compile(policy.Inputs{})
	if err != nil {
		return err
	}
	out.Devices, out.Rules, out.Entries, out.Warnings = len(p.Devices), len(p.Rules), compiled.Entries, list(compiled.Warnings)
	return nil
}

// note turns what is wrong in a file into lines of the answer; any other error is the caller's.
func note(out *api.PolicyCheck, err error) error {
	var errs policy.Errors
	if err == nil || errors.As(err, &errs) {
		out.Errors = append(out.Errors, policyErrors(errs)...)
		return nil
	}
	return err
}
