package policy

import (
	"fmt"
	"net/netip"
	"slices"

	"citygate/pkg/flow"
	"citygate/pkg/policy/document"
)

// resolveVia gives the devices behind routers the side and the VLAN of their router.
func (p *parser) resolveVia(at []places) {
	for i := range p.Devices {
		d := &p.Devices[i]
		if d.Via == "" {
			continue
		}
		r, ok := p.Device(d.Via)
		switch {
		case !ok:
			at[i].via.Fail(document.Quote(d.Via)+" is no device", "name a device with the role router")
			continue
		case r.Role != Router:
			if r.Role != "" { // a wrong role has its error already
				at[i].via.Fail(fmt.Sprintf("%s is no router but a %s", r.Name, r.Role), "name a device with the role router")
			}
			continue
		case d.VLAN != r.VLAN && at[i].vlan.Known():
			at[i].vlan.Fail(fmt.Sprintf("%s is in VLAN %v", r.Name, r.VLAN), "leave out vlan: a device behind a router is seen in the router's")
		}
		d.Side, d.VLAN = r.Side, r.VLAN
	}
}

// checkMACs refuses a hardware address of two devices. A router has one address in several VLANs, so there it is one device per VLAN.
func (p *parser) checkMACs(v document.Value, at []places) {
	owners := make(map[flow.MAC][]int)
	total := 0
	check := func(i int, mac flow.MAC, place document.Value) {
		if (mac == flow.MAC{}) {
			return
		}
		total++
		d := &p.Devices[i]
		for _, j := range owners[mac] {
			o := &p.Devices[j]
			if d.VLAN != o.VLAN && d.Role == Router && o.Role == Router {
				continue
			}
			remedy := "give each device its own; one device with several addresses lists them under ip:"
			if d.VLAN != o.VLAN {
				remedy = "give each device its own; only a router may be in several VLANs"
			}
			place.Fail(fmt.Sprintf("%v is the address of %s already (line %d)", mac, o.Name, o.Line), remedy)
			return
		}
		owners[mac] = append(owners[mac], i)
	}
	for i := range p.Devices {
		check(i, p.Devices[i].MAC, at[i].mac)
		for k, mac := range p.Devices[i].RouterMACs {
			check(i, mac, at[i].routerMACs[k])
		}
	}
	if total > MaxMACs {
		v.Fail(fmt.Sprintf("the devices have %d hardware addresses", total), fmt.Sprintf("the most is %d", MaxMACs))
	}
}

// owned is an address range in a VLAN.
type owned struct {
	vlan   flow.VLAN
	prefix netip.Prefix
}

// checkAddrs refuses an address that means two devices. A router's own address may lie in a prefix behind it.
func (p *parser) checkAddrs(v document.Value, at []places) {
	owner := make(map[owned]int)
	var lengths []int
	total := 0
	for i := range p.Devices {
		d := &p.Devices[i]
		for k, prefix := range d.Addrs {
			total++
			key := owned{d.VLAN, prefix}
			if j, taken := owner[key]; taken {
				o := &p.Devices[j]
				at[i].addrs[k].Fail(fmt.Sprintf("%s is an address of %s already (line %d)", show(prefix), o.Name, o.Line), "give each device its own")
				continue
			}
			owner[key] = i
			if !slices.Contains(lengths, prefix.Bits()) {
				lengths = append(lengths, prefix.Bits())
			}
		}
	}
	if total > MaxAddrs {
		v.Fail(fmt.Sprintf("the devices have %d addresses", total), fmt.Sprintf("the most is %d: use prefixes behind routers", MaxAddrs))
		return
	}
	slices.Sort(lengths)
	for i := range p.Devices {
		d := &p.Devices[i]
		for k, prefix := range d.Addrs {
			if o, wide := p.around(d, prefix, owner, lengths); o != nil {
				at[i].addrs[k].Fail(fmt.Sprintf("%s lies in %v of %s (line %d)", show(prefix), wide, o.Name, o.Line), "make the prefix smaller, or correct the address")
			}
		}
	}
}

// around finds the shortest prefix of another device that contains prefix.
func (p *parser) around(d *Device, prefix netip.Prefix, owner map[owned]int, lengths []int) (*Device, netip.Prefix) {
	for _, bits := range lengths {
		if bits >= prefix.Bits() {
			break
		}
		wide, _ := prefix.Addr().Prefix(bits)
		if i, found := owner[owned{d.VLAN, wide}]; found && p.Devices[i].Via != d.Name {
			return &p.Devices[i], wide
		}
	}
	return nil, netip.Prefix{}
}

// show writes a single address without its length.
func show(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}
