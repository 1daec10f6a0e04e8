package config

import (
	"net/netip"

	"citygate/pkg/policy"
	"citygate/pkg/policy/document"
)

func (p *parser) management(v document.Value) {
	m := &Management{}
	f := v.Fields(managementKeys...)
	if name, ok := f.Need("interface", "name the box's own interface, such as interface: eth0"); ok {
		m.Interface = p.port(name)
	}
	if list, ok := f.Need("allow_from", "write who may reach the box, such as allow_from: [10.9.0.0/24]"); ok {
		m.AllowFrom = prefixes(list)
	}
	if list, ok := f.Need("ports", "write which ports they may reach, such as ports: [tcp/22]"); ok {
		m.Ports = ownPorts(list)
	}
	p.Management = m
}

func prefixes(v document.Value) []netip.Prefix {
	var list []netip.Prefix
	items := v.List("a list of addresses and prefixes")
	if items != nil && len(items) == 0 {
		v.Fail("the list is empty: nobody could reach the box", "write at least one prefix, such as 10.9.0.0/24")
	}
	for _, item := range items {
		s, ok := item.Text("a prefix such as 10.9.0.0/24")
		if !ok {
			continue
		}
		prefix, err := netip.ParsePrefix(s)
		if addr, e := netip.ParseAddr(s); e == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		switch {
		case err != nil || prefix.Addr().Is4In6():
			item.Fail(document.Quote(s)+" is not an address or prefix", "write one such as 10.9.0.0/24 or 10.9.0.5")
		case prefix != prefix.Masked():
			item.Fail(document.Quote(s)+" has bits behind its length", "write "+prefix.Masked().String())
		default:
			list = append(list, prefix)
		}
	}
	return list
}

func ownPorts(v document.Value) []Port {
	var list []Port
	items := v.List("a list of ports")
	if items != nil && len(items) == 0 {
		v.Fail("the list is empty: nobody could reach the box", "write at least one port, such as tcp/22")
	}
	for _, item := range items {
		s, ok := item.Text("a port such as tcp/22")
		if !ok {
			continue
		}
		r, err := policy.ParsePorts(s)
		if err != nil || r.Lo == 0 || r.Lo != r.Hi || !r.HasPorts() {
			item.Fail(document.Quote(s)+" is not a port", "write one such as tcp/22 or udp/161")
			continue
		}
		list = append(list, Port{r.Proto, r.Lo})
	}
	return list
}
