package control

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"citygate/pkg/control/api"
	"citygate/pkg/datapath/reader"
	"citygate/pkg/device"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/policy"
)

// Devices joins the policy's devices, the inventory and the kernel's counters.
func (c *Control) Devices() api.Devices {
	run, counts := c.running.Load(), c.deviceCounts()
	rows, full := c.inventory.all()
	out := api.Devices{Devices: []api.Device{}, Uncounted: full}
	seen := map[string]bool{}
	for _, r := range rows {
		name := run.owner(r.MAC, r.VLAN)
		d := sightView(r)
		if listed, ok := run.policy.Device(name); ok {
			seen[name] = true
			c.listed(&d, run, listed, counts)
		}
		out.Devices = append(out.Devices, d)
	}
	for i := range run.policy.Devices {
		if p := &run.policy.Devices[i]; !seen[p.Name] {
			d := api.Device{VLAN: p.VLAN.String(), Port: p.Side.String(), Via: p.Via, IPs: []string{}}
			if p.Via == "" {
				d.MAC = p.MAC.String()
			}
			c.listed(&d, run, p, counts)
			out.Devices = append(out.Devices, d)
		}
	}
	slices.SortStableFunc(out.Devices, func(a, b api.Device) int {
		if a.Listed != b.Listed {
			return map[bool]int{true: -1, false: 1}[a.Listed]
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

func sightView(r device.Device) api.Device {
	d := api.Device{
		Name: r.Name, MAC: r.MAC.String(), VLAN: r.VLAN.String(), Bridge: r.Bridge, Port: r.Side.String(), IPs: []string{},
		Vendor: r.Vendor, Evidence: r.Evidence, Tags: r.Tags, FirstSeen: r.First.UTC(), LastSeen: r.Last.UTC(),
	}
	for _, a := range r.Addrs {
		d.IPs = append(d.IPs, a.String())
	}
	return d
}

// listed adds what the policy and the kernel know of a device.
func (c *Control) listed(d *api.Device, run *running, p *policy.Device, counts map[ipc.DeviceID]reader.DeviceCount) {
	id := run.compiled.IDs[p.Name]
	d.Listed, d.Name, d.Role, d.Number, d.Via = true, p.Name, string(p.Role), uint16(id), p.Via
	d.Tags = append(slices.Clone(p.Tags), d.Tags...)
	for _, prefix := range p.Addrs {
		d.IPs = addIP(d.IPs, prefixText(prefix))
	}
	if addr, ok := c.bindingsOf(run.policy)[p.Name]; ok {
		d.IPs = addIP(d.IPs, addr.String())
	}
	n := counts[id]
	d.PassFrames, d.PassBytes, d.DropFrames, d.WouldDropFrames = n.PassFrames, n.PassBytes, n.DropFrames, n.WouldDropFrames
	for r, drops := range n.DropsByReason {
		if d.Drops == nil {
			d.Drops = map[string]uint64{}
		}
		d.Drops[r.String()] = drops
	}
	if last := wall(n.LastSeen, monotonic(), c.Now()); last.After(d.LastSeen) {
		d.LastSeen = last
	}
}

func addIP(ips []string, ip string) []string {
	if slices.Contains(ips, ip) {
		return ips
	}
	return append(ips, ip)
}

func prefixText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// Limits of an operator's own words for a device, bytes.
const (
	maxDeviceName = 64
	maxTags       = 16
)

// NameDevice gives a device that was seen a name and tags.
func (c *Control) NameDevice(who Caller, mac flow.MAC, vlan flow.VLAN, change api.DeviceChange) (api.Device, error) {
	if len(change.Name) > maxDeviceName || len(change.Tags) > maxTags || slices.ContainsFunc(change.Tags, func(t string) bool { return len(t) > maxDeviceName }) {
		return api.Device{}, fmt.Errorf("%w: at most %d tags, and %d bytes for the name and each tag", errInvalid, maxTags, maxDeviceName)
	}
	id := device.ID{MAC: mac, VLAN: vlan}
	c.inventory.mu.Lock()
	known := c.inventory.rows.Describe(id, change.Name, change.Tags)
	row, _ := c.inventory.rows.Get(id)
	c.inventory.dirty = true
	c.inventory.mu.Unlock()
	var err error
	if !known {
		err = fmt.Errorf("%w: %v in VLAN %v was never seen", errNotFound, mac, vlan)
	}
	c.audit(who, "name", "device "+mac.String(), change.Name, err)
	if err != nil {
		return api.Device{}, err
	}
	c.saveInventory()
	return sightView(row), nil
}
