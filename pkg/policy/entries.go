package policy

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

// Bounds of what Compile counts before it gives up on a policy that is far too large.
const (
	maxTries = 1 << 22 // (device, device, service) combinations of all lines
	maxCount = 1 << 20 // different ones
)

// place is where a device's frames come in.
type place struct {
	vlan flow.VLAN
	side flow.Side
}

// opposite is where a device's frames leave: the other side, in the same VLAN.
func (d *Device) opposite() place { return place{d.VLAN, 1 - d.Side} }

// addRule adds the entries of a line. It gives up, with false, on a policy that is far too large.
func (c *compiler) addRule(i int) bool {
	p := c.policy
	r := &p.Rules[i]
	if !c.crosses(r) {
		return true // warnSides says why
	}
	to := make(map[place][]*Device)
	for _, t := range p.members(r.To).list() {
		d := &p.Devices[t]
		to[place{d.VLAN, d.Side}] = append(to[place{d.VLAN, d.Side}], d)
	}
	for _, f := range p.members(r.From).list() {
		from := &p.Devices[f]
		for _, t := range to[from.opposite()] {
			for _, name := range r.Services {
				c.addService(i, from, t, c.used[c.number[name]])
			}
			if c.tries > maxTries || len(c.rules) > maxCount {
				return false
			}
		}
	}
	return true
}

// addService allows a to open a service towards b, and what belongs to the service.
func (c *compiler) addService(line int, a, b *Device, s *Service) {
	groups := s.Groups
	if g := c.policy.Rules[line].Group; g.IsValid() {
		groups = []netip.Addr{g}
	}
	c.addDirection(line, a, b, s, groups)
	if s.Both {
		c.addDirection(line, b, a, s, groups)
	}
	if s.Answer != "" {
		c.addDirection(line, b, a, c.used[c.number[s.Answer]], groups)
	}
}

// addDirection allows from to open s towards to and towards the groups. A multicast line opens its group only.
func (c *compiler) addDirection(line int, from, to *Device, s *Service, groups []netip.Addr) {
	if !c.policy.Rules[line].Group.IsValid() {
		c.add(line, c.IDs[from.Name], c.IDs[to.Name], s)
	}
	for _, g := range groups {
		if !reaches(from, g) {
			continue
		}
		c.add(line, c.IDs[from.Name], c.groups[g], s)
		key := owned{from.VLAN, netip.PrefixFrom(g, g.BitLen())}
		if !c.inVLAN[key] {
			c.inVLAN[key] = true
			c.addAddr(key.vlan, key.prefix, c.groups[g])
		}
	}
}

// reaches reports whether a device can send to a group: it has an address of that family, and what stays on the link
// (RFC 919, RFC 5771 section 4, RFC 4291 section 2.7) does not come through a router.
func reaches(d *Device, g netip.Addr) bool {
	if d.Via != "" && (g == broadcast[0] || g.IsLinkLocalMulticast() || g.IsInterfaceLocalMulticast()) {
		return false
	}
	if d.DHCP && g.Is4() {
		return true
	}
	return slices.ContainsFunc(d.Addrs, func(p netip.Prefix) bool { return p.Addr().Is4() == g.Is4() })
}

func (c *compiler) add(line int, from, to ipc.DeviceID, s *Service) {
	c.tries++
	key := entryKey{from, to, c.number[s.Name]}
	if _, there := c.rules[key]; !there {
		c.rules[key] = c.policy.Rules[line].Number
		c.perLine[line]++
	}
}

// tooMany names the count and the lines that make most of it.
func (c *compiler) tooMany() error {
	p := c.policy
	problem := fmt.Sprintf("the policy has %d entries (device, device, service)", len(c.rules))
	switch {
	case len(c.rules) <= MaxEntries:
		problem = fmt.Sprintf("the lines name more than %d (device, device, service) combinations, most of them again and again", maxTries)
	case c.tries > maxTries || len(c.rules) > maxCount:
		problem = fmt.Sprintf("the policy has more than %d entries (device, device, service)", len(c.rules)-1)
	}
	order := make([]int, len(p.Rules))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.perLine[b], c.perLine[a]) })
	var largest []string
	for _, i := range order[:min(3, len(order))] {
		if c.perLine[i] > 0 {
			largest = append(largest, fmt.Sprintf("line %d with %d (%s)", p.Rules[i].Line, c.perLine[i], shortText(&p.Rules[i])))
		}
	}
	r := &p.Rules[order[0]]
	return Errors{{
		File: p.File, Line: r.Line, Column: 1, Key: r.key(order[0], p),
		Problem: problem + "; the largest are " + strings.Join(largest, ", "),
		Remedy:  fmt.Sprintf("the most is %d: name fewer devices or services in these lines", MaxEntries),
	}}
}

func shortText(r *Rule) string {
	text := r.String()
	if len(text) > 80 {
		return text[:80] + "..."
	}
	return text
}

// key is the path of a rule in its file.
func (r *Rule) key(i int, p *Policy) string {
	if !r.Group.IsValid() {
		return fmt.Sprintf("allow[%d]", i+1)
	}
	for k := range p.Rules[:i] {
		if p.Rules[k].Group.IsValid() {
			return fmt.Sprintf("multicast[%d]", i-k+1)
		}
	}
	return "multicast[1]"
}
