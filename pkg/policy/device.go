package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"citygate/pkg/flow"
	"citygate/pkg/flow/notation"
	"citygate/pkg/policy/document"
)

// places remembers where a device's parts stand, for the checks that compare devices.
type places struct {
	mac, via, vlan, ip document.Value
	routerMACs         []document.Value
	addrs              []document.Value
}

func (p *parser) devices(v document.Value) {
	entries := v.Entries("a map from device names to {mac: ..., ip: [...], role: ...}")
	if v.IsMap() && v.Len() == 0 {
		v.Fail("no device is listed", "list at least one")
	}
	var at []places
	for _, e := range entries {
		if len(p.Devices) == MaxDevices {
			e.At.Fail(fmt.Sprintf("this is device %d", MaxDevices+1), fmt.Sprintf("the most is %d: put the rest behind another gateway", MaxDevices))
			break
		}
		if !p.declare(e, "device") {
			continue
		}
		d, where := p.oneDevice(e)
		p.device[d.Name] = len(p.Devices)
		p.Devices, at = append(p.Devices, d), append(at, where)
	}
	p.resolveVia(at)
	p.checkMACs(v, at)
	p.checkAddrs(v, at)
}

func (p *parser) oneDevice(e document.Entry) (Device, places) {
	d := Device{Name: e.Name, Line: e.At.Place().Line}
	var at places
	f := e.Fields(deviceKeys...)
	if role, ok := f.Need("role", "write one of "+roleNames()); ok {
		d.Role = readRole(role)
	}
	d.Side = sideOf(d.Role)
	if vlan, ok := f.Get("vlan"); ok {
		at.vlan = vlan
		d.VLAN = readVLAN(vlan)
	}
	if via, ok := f.Get("via"); ok {
		at.via = via
		d.Via, _ = via.Text("the name of a router")
		behindRouter(&d, f)
	} else {
		onLink(&d, f, &at)
	}
	if ip, ok := f.Need("ip", "write ip: [10.0.0.11], or ip: dhcp"); ok {
		at.ip = ip
		readAddrs(&d, ip, &at)
	}
	if pps, ok := f.Get("limit_pps"); ok {
		n, _ := pps.Int(1, 100_000_000)
		d.PPS = uint32(n)
	}
	if mbps, ok := f.Get("limit_mbps"); ok {
		n, _ := mbps.Int(1, 400_000)
		d.KBps = uint32(n) * 125 // 1 Mbit/s = 125,000 bytes/s
	}
	p.labels(&d, f)
	return d, at
}

// labels reads what is there for people only.
func (p *parser) labels(d *Device, f document.Fields) {
	if v, ok := f.Get("name"); ok {
		d.Label = p.note(v)
	}
	if v, ok := f.Get("notes"); ok {
		d.Notes = p.note(v)
	}
	if v, ok := f.Get("tags"); ok {
		for _, tag := range v.List("a list of words") {
			d.Tags = append(d.Tags, p.note(tag))
		}
	}
}

// behindRouter refuses what a device behind a router does not have on this link.
func behindRouter(d *Device, f document.Fields) {
	for _, key := range []string{"mac", "router_macs", "port"} {
		if v, ok := f.Get(key); ok {
			v.Fail("a device behind a router has no "+key+" on this link", "leave out "+key+", or leave out via")
		}
	}
	if d.Role == Router {
		at, _ := f.Get("via")
		at.Fail("a router stands on the link itself", "leave out via, or give the device another role")
	}
}

// onLink reads the hardware addresses and the side of a device on the link.
func onLink(d *Device, f document.Fields, at *places) {
	if mac, ok := f.Need("mac", `write mac: "02:00:00:00:00:11", or via: ROUTER if it is behind a router`); ok {
		at.mac = mac
		d.MAC = readMAC(mac)
	}
	if list, ok := f.Get("router_macs"); ok {
		if d.Role != Router && d.Role != "" {
			list.Fail("only a router has router_macs", "give the device the role router, or leave them out")
		}
		for _, item := range list.List("a list of hardware addresses") {
			d.RouterMACs = append(d.RouterMACs, readMAC(item))
			at.routerMACs = append(at.routerMACs, item)
		}
	}
	if port, ok := f.Get("port"); ok {
		side, _ := port.OneOf("camera", "server")
		d.Side = map[string]flow.Side{"camera": flow.CameraSide, "server": flow.ServerSide}[side]
	}
}

func readRole(v document.Value) Role {
	var names []string
	for _, r := range Roles {
		names = append(names, string(r.Name))
	}
	s, _ := v.OneOf(names...)
	return Role(s)
}

func roleNames() string {
	var names []string
	for _, r := range Roles {
		names = append(names, string(r.Name))
	}
	return strings.Join(names, ", ")
}

func readVLAN(v document.Value) flow.VLAN {
	s, ok := v.Text("untagged, 1 to 4094, or outer.inner such as 100.20")
	if !ok {
		return 0
	}
	vlan, err := notation.ParseVLAN(s)
	if err != nil {
		v.Fail(document.Quote(s)+" is not a VLAN", "write untagged, 1 to 4094, or outer.inner such as 100.20")
	}
	return vlan
}

func readMAC(v document.Value) flow.MAC {
	const remedy = `write the device's own address, such as "02:00:00:00:00:11"`
	s, ok := v.Text("a hardware address")
	if !ok {
		return flow.MAC{}
	}
	mac, err := flow.ParseMAC(s)
	switch {
	case err != nil:
		v.Fail(document.Quote(s)+" is not six bytes in hex", remedy)
	case mac.Group():
		v.Fail(document.Quote(s)+" is a group address", remedy)
	case mac == flow.MAC{}:
		v.Fail(document.Quote(s)+" is no address", remedy)
	default:
		return mac
	}
	return flow.MAC{}
}

// readAddrs reads ip: a list of addresses; behind a router also of prefixes; on the link also the word dhcp.
func readAddrs(d *Device, v document.Value, at *places) {
	items := v.List("a list of addresses such as [10.0.0.11], or dhcp")
	if items != nil && len(items) == 0 {
		v.Fail("the list is empty", "write at least one address, or dhcp")
	}
	for _, item := range items {
		s, ok := item.Text("an address such as 10.0.0.11, or dhcp")
		switch {
		case !ok:
		case s == "dhcp" && d.Via != "":
			item.Fail("a device behind a router has no dhcp on this link", "write its address or prefix")
		case s == "dhcp":
			d.DHCP = true
		default:
			if prefix, ok := readPrefix(d, item, s); ok {
				d.Addrs = append(d.Addrs, prefix)
				at.addrs = append(at.addrs, item)
			}
		}
	}
}

func readPrefix(d *Device, v document.Value, s string) (netip.Prefix, bool) {
	addr, err := netip.ParseAddr(s)
	prefix := netip.Prefix{}
	if err == nil && addr.Zone() == "" {
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	} else if prefix, err = netip.ParsePrefix(s); err != nil {
		v.Fail(document.Quote(s)+" is not an address", "write one such as 10.0.0.11 or 2001:db8::11")
		return prefix, false
	}
	addr = prefix.Addr()
	switch single := prefix.IsSingleIP(); {
	case !single && d.Via == "":
		v.Fail(document.Quote(s)+" is a prefix, and the device is on the link", "write its address; a prefix needs via: ROUTER")
	case prefix != prefix.Masked():
		v.Fail(document.Quote(s)+" has bits behind its length", "write "+prefix.Masked().String())
	case addr.Is4In6():
		v.Fail(document.Quote(s)+" is an IPv4 address in IPv6 form", "write "+addr.Unmap().String())
	case reserved(prefix):
		v.Fail(document.Quote(s)+" is not, or not only, what devices have: it holds group, loopback or reserved addresses", "write the unicast addresses or networks; groups go under multicast:")
	default:
		return prefix, true
	}
	return prefix, false
}

// noDevice are the addresses that no device has (RFC 6890): a prefix that held a group would give it to the device.
var noDevice = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("224.0.0.0/4"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("::/127"), netip.MustParsePrefix("ff00::/8"),
}

func reserved(prefix netip.Prefix) bool {
	return slices.ContainsFunc(noDevice, prefix.Overlaps)
}
