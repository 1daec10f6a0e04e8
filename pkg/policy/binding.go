package policy

import (
	"fmt"
	"net/netip"
	"slices"

	"citygate/pkg/flow"
)

// bindable says whether a device can have the address by DHCP.
func bindable(addr netip.Addr) error {
	if !addr.Is4() || reserved(netip.PrefixFrom(addr, 32)) {
		return fmt.Errorf("%v is no IPv4 address of a device", addr)
	}
	return nil
}

// CheckBinding judges an address that a server gave to a hardware address: the device must be listed with ip: dhcp, and the
// address must be no other device's, neither by the file nor by a binding that stands. It gives the device's name.
func (p *Policy) CheckBinding(mac flow.MAC, vlan flow.VLAN, addr netip.Addr, bindings map[string]netip.Addr) (string, error) {
	i := slices.IndexFunc(p.Devices, func(d Device) bool {
		return d.VLAN == vlan && d.Via == "" && (d.MAC == mac || slices.Contains(d.RouterMACs, mac))
	})
	if i < 0 {
		return "", fmt.Errorf("%v in VLAN %v is not in the policy", mac, vlan)
	}
	d := &p.Devices[i]
	if !d.DHCP {
		return "", fmt.Errorf("%s is not listed with ip: dhcp", d.Name)
	}
	if err := bindable(addr); err != nil {
		return "", err
	}
	for k := range p.Devices {
		o := &p.Devices[k]
		if o.Name == d.Name || o.VLAN != vlan {
			continue
		}
		if bound, ok := bindings[o.Name]; ok && o.DHCP && bound == addr {
			return "", fmt.Errorf("%v is bound to %s", addr, o.Name)
		}
		if slices.ContainsFunc(o.Addrs, func(prefix netip.Prefix) bool { return prefix.Contains(addr) }) {
			return "", fmt.Errorf("%v is an address of %s", addr, o.Name)
		}
	}
	return d.Name, nil
}
