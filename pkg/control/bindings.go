package control

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"citygate/pkg/device"
	"citygate/pkg/event"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/policy"
)

const bindingsFile = "bindings.json"

// binding is the DHCP address of a hardware address. It stands by MAC, not by name: a device that takes over another's
// name in the policy does not take over its address.
type binding struct {
	MAC  flow.MAC   `json:"mac"`
	VLAN flow.VLAN  `json:"vlan"`
	Addr netip.Addr `json:"addr"`
}

func (c *Control) loadBindings() {
	var list []binding
	if c.load(bindingsFile, &list) {
		for _, b := range list {
			c.bindings[device.ID{MAC: b.MAC, VLAN: b.VLAN}] = b.Addr
		}
	}
}

func (c *Control) saveBindings() {
	c.mu.Lock()
	list := make([]binding, 0, len(c.bindings))
	for id, addr := range c.bindings {
		list = append(list, binding{id.MAC, id.VLAN, addr})
	}
	c.mu.Unlock()
	slices.SortFunc(list, func(a, b binding) int { return slices.Compare(a.MAC[:], b.MAC[:]) })
	c.save(bindingsFile, list)
}

// bindingsOf gives the bindings of a policy's devices by name.
func (c *Control) bindingsOf(p *policy.Policy) map[string]netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string]netip.Addr)
	for i := range p.Devices {
		d := &p.Devices[i]
		if !d.DHCP {
			continue
		}
		for _, mac := range append([]flow.MAC{d.MAC}, d.RouterMACs...) {
			if addr, ok := c.bindings[device.ID{MAC: mac, VLAN: d.VLAN}]; ok {
				out[d.Name] = addr
			}
		}
	}
	return out
}

// Bind takes an address that a DHCP server on the server side gave to a device. Watch can be lied to, so it is taken
// only for a device that the policy lists with ip: dhcp, and never one of another device.
func (c *Control) Bind(ctx context.Context, m ipc.DHCPBinding) error {
	c.change.Lock()
	defer c.change.Unlock()
	run := c.running.Load()
	bound := c.bindingsOf(run.policy)
	name, err := run.policy.CheckBinding(m.MAC, m.VLAN, m.Addr, bound)
	if err != nil {
		c.Events(&event.Anomaly{
			Header: event.Header{Bridge: m.Bridge}, Type: event.AnomalyBox, Event: "binding_refused",
			Text: err.Error(), Object: m.MAC.String(), Count: 1,
		})
		return nil
	}
	before, had := bound[name]
	if had && before == m.Addr {
		return nil
	}
	id := run.compiled.IDs[name]
	if had {
		if err := c.Guard.Unbind(ctx, id, m.VLAN, before); err != nil {
			return fmt.Errorf("take %v from %s: %w", before, name, err)
		}
	}
	if err := c.Guard.Bind(ctx, id, m.VLAN, m.Addr); err != nil {
		return fmt.Errorf("bind %v to %s: %w", m.Addr, name, err)
	}
	d, _ := run.policy.Device(name)
	c.mu.Lock()
	for _, mac := range append([]flow.MAC{d.MAC}, d.RouterMACs...) {
		delete(c.bindings, device.ID{MAC: mac, VLAN: m.VLAN})
	}
	c.bindings[device.ID{MAC: m.MAC, VLAN: m.VLAN}] = m.Addr
	bindings := maps.Clone(bound)
	c.mu.Unlock()
	bindings[name] = m.Addr
	c.saveBindings()
	return c.recompile(bindings)
}

// recompile lets the readers of the running policy know of a binding; the kernel has it already.
func (c *Control) recompile(bindings map[string]netip.Addr) error {
	run := *c.running.Load()
	compiled, err := run.policy.Compile(policy.Inputs{IDs: run.compiled.IDs, Bindings: bindings})
	if err != nil {
		return fmt.Errorf("compile the running policy with a new binding: %w", err)
	}
	run.compiled = compiled
	c.running.Store(&run)
	return nil
}
