package control

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/device"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

// statusTimeout is how long a status waits for the guard.
const statusTimeout = 2 * time.Second

// Status gathers what there is to say of the box.
func (c *Control) Status(ctx context.Context) api.Status {
	run := c.running.Load()
	s := api.Status{Site: c.Boot.Site, Version: api.Version(), Started: c.started.UTC(), Blocks: len(c.Blocks()), Policy: c.info(run)}
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	ports, generation, err := c.Guard.Ports(ctx)
	if err != nil {
		c.degrade("guard", err.Error(), "see its log; it is started anew when it ends")
	} else {
		c.recover("guard")
	}
	s.Bridges = c.bridges(ports, generation)
	s.Frames = c.frameTotals()
	s.Processes = c.processList()
	s.Devices = c.deviceTotals(run)
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Journal = api.Journal{
		Written: c.journal.Written, Suppressed: c.journal.Suppressed, Lost: c.journal.Lost,
		DiskFull: c.journal.DiskFull, LastError: c.journal.LastError,
	}
	for _, what := range slices.Sorted(maps.Keys(c.degraded)) {
		s.Degraded = append(s.Degraded, c.degraded[what])
	}
	s.Degraded = list(append(s.Degraded, faults(s)...))
	s.State = "ok"
	if len(s.Degraded) > 0 {
		s.State = "degraded"
	}
	return s
}

// faults are what the status itself shows to be wrong.
func faults(s api.Status) (out []api.Degraded) {
	for _, b := range s.Bridges {
		for _, p := range b.Ports {
			for _, f := range p.Faults {
				out = append(out, api.Degraded{What: "port", Text: b.Name + " " + p.Name + ": " + f, Remedy: "see citygate doctor"})
			}
		}
	}
	switch j := s.Journal; {
	case j.DiskFull:
		out = append(out, api.Degraded{What: "journal", Text: "the disk of the event log is full", Remedy: "free space in state_dir and log_dir; traffic is not affected"})
	case j.LastError != "":
		out = append(out, api.Degraded{What: "journal", Text: j.LastError})
	}
	if s.Devices.Uncounted > 0 {
		out = append(out, api.Degraded{What: "inventory", Text: fmt.Sprintf("it holds %d devices; %d first sights found no room", device.MaxDevices, s.Devices.Uncounted)})
	}
	return out
}

func (c *Control) bridges(ports []ipc.PortState, generation uint32) []api.Bridge {
	out := []api.Bridge{}
	word := map[bool]string{true: "enforce", false: "monitor"}
	for _, b := range c.Boot.Bridges {
		v := api.Bridge{Name: b.Name, Mode: word[b.Enforce], Inspect: "off", OnFailure: "closed", OnOverload: "drop", Generation: generation, Ports: []api.Port{}}
		if b.FailOpen {
			v.OnFailure = "open"
		}
		if b.OverloadPass {
			v.OnOverload = "pass"
		}
		for _, p := range ports {
			if p.Bridge == b.Name {
				v.Ports = append(v.Ports, portView(p))
			}
		}
		out = append(out, v)
	}
	return out
}

func portView(p ipc.PortState) api.Port {
	v := api.Port{Name: p.Port, Side: p.Side.String(), XDP: p.Mode, Up: p.Up, MTU: p.MTU, SpeedMbps: p.SpeedMbps, Faults: []string{}}
	for _, check := range p.Checks {
		if check.State == ipc.CheckBad {
			v.Faults = append(v.Faults, strings.TrimSuffix("not "+check.Name+": "+check.Detail, ": "))
		}
	}
	return v
}

func (c *Control) frameTotals() (t api.FrameTotals) {
	counters, err := c.Counters()
	if err != nil {
		c.degrade("counters", err.Error(), "restart the gateway")
		return t
	}
	for _, b := range counters.Bridges {
		t.Passed += b.Passed
		t.Dropped += b.Dropped
		t.WouldDrop += b.WouldDrop
		t.Lost += b.Lost
	}
	return t
}

// processList names the processes of a gateway. They live and die together, so while control answers all are there.
func (c *Control) processList() (out []api.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range []ipc.Process{ipc.Launch, ipc.Guard, ipc.Control, ipc.Journal, ipc.Watch} {
		v := api.Process{Name: p.String(), State: "running"}
		if p != ipc.Launch {
			v.Restarts = c.restarts
		}
		if e, ok := c.processes[p]; ok {
			v.LastExit = exitText(e)
		}
		out = append(out, v)
	}
	return out
}

func exitText(e ipc.ProcessExit) string {
	switch {
	case e.Violator != 0:
		return fmt.Sprintf("%v broke its channel's rules", e.Violator)
	case e.Signal != 0:
		return syscall.Signal(e.Signal).String()
	case e.Code == 0:
		return "ended after a neighbour"
	}
	return fmt.Sprintf("code %d", e.Code)
}

func (c *Control) deviceTotals(run *running) api.DeviceTotals {
	rows, full := c.inventory.all()
	t := api.DeviceTotals{Listed: len(run.policy.Devices), Seen: len(rows), Uncounted: full}
	for _, r := range rows {
		if run.owner(r.MAC, r.VLAN) == "" {
			t.Unknown++
		}
	}
	return t
}

// owner is the policy's name of a hardware address, "" if it lists none.
func (r *running) owner(mac flow.MAC, vlan flow.VLAN) string {
	for _, m := range r.compiled.Set.MACs {
		if m.MAC == mac && m.VLAN == vlan {
			return r.compiled.DeviceName(m.Device)
		}
	}
	return ""
}
