package policy

import (
	"maps"
	"net/netip"
	"slices"

	"citygate/pkg/ipc"
)

// groupName is the name under which a group has its number. No device has it: names have no space.
func groupName(g netip.Addr) string { return "group " + g.String() }

// assign gives every device and group in use a number: the one of before, or the lowest free one. A number whose device is gone
// stays its own as long as there are others, so that a device that comes back finds its counters.
func (c *compiler) assign(before map[string]ipc.DeviceID, groups []netip.Addr) {
	p := c.policy
	c.IDs = make(map[string]ipc.DeviceID, len(before)+len(p.Devices))
	taken := make(map[ipc.DeviceID]bool)
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if id := before[name]; id != ipc.NoDevice && id <= ipc.MaxDeviceID && !taken[id] {
			c.IDs[name], taken[id] = id, true
		}
	}
	current := make([]string, 0, len(p.Devices)+len(groups))
	for i := range p.Devices {
		current = append(current, p.Devices[i].Name)
	}
	for _, g := range groups {
		current = append(current, groupName(g))
	}
	gone := maps.Clone(c.IDs)
	for _, name := range current {
		delete(gone, name)
	}
	retired := slices.Sorted(maps.Keys(gone))
	next := ipc.DeviceID(1)
	for _, name := range current {
		if _, has := c.IDs[name]; has {
			continue
		}
		for next <= ipc.MaxDeviceID && taken[next] {
			next++
		}
		if next <= ipc.MaxDeviceID {
			c.IDs[name], taken[next] = next, true
			continue
		}
		// There are more numbers than devices and groups, so one of a device that is gone is left.
		c.IDs[name] = gone[retired[0]]
		delete(c.IDs, retired[0])
		retired = retired[1:]
	}
}
