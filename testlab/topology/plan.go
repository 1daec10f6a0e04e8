// Package topology lays out the lab city, and builds it from veth pairs and Linux bridges between network namespaces.
//
//	lobby-1 gate-1 yard-1 hall-1 attacker-cam        main core -- remote   attacker-srv
//	      \____ switch-cam ____/                       \__ switch-srv __/
//	                  | up -- g0 [ gateway ] g1 -- up |
//	                              mgmt0 -- admin
package topology

import (
	"net/netip"

	"citygate/pkg/flow"
)

// Role says what a host does.
type Role string

// The roles of the city.
const (
	Camera   Role = "camera"
	VMS      Role = "vms"
	Attacker Role = "attacker"
	Switch   Role = "switch"
	Router   Role = "router"
	Gateway  Role = "gateway"
	Admin    Role = "admin"
)

// Host is one machine of the city. Its only network interface is eth0; switches, the router and the gateway have more.
type Host struct {
	Name  string
	Role  Role
	Side  flow.Side
	MAC   flow.MAC
	Addrs []netip.Prefix // of eth0
	DHCP  bool           // the IPv4 address is leased from main
	Via   netip.Addr     // default route
}

// Addr4 is the IPv4 address; a leased one when the lease is the reserved one. Zero if there is none.
func (h Host) Addr4() netip.Addr { return h.addr(netip.Addr.Is4) }

// Addr6 is the IPv6 address, or zero.
func (h Host) Addr6() netip.Addr { return h.addr(netip.Addr.Is6) }

func (h Host) addr(want func(netip.Addr) bool) netip.Addr {
	for _, p := range h.Addrs {
		if want(p.Addr()) {
			return p.Addr()
		}
	}
	return netip.Addr{}
}

// Names of the hosts that others refer to.
const (
	Main         = "main"
	Remote       = "remote"
	Core         = "core"
	CameraSwitch = "switch-cam"
	ServerSwitch = "switch-srv"
	GatewayHost  = "gateway"
)

// Ports of the gateway, and the address of its management port.
const (
	CameraPort     = "g0"
	ServerPort     = "g1"
	ManagementPort = "mgmt0"
	Uplink         = "up" // of a switch, towards the gateway
)

// City lists all hosts, infrastructure first.
func City() []Host {
	core := netip.MustParseAddr("10.0.0.254")
	camera := func(name string, n byte, dhcp bool) Host {
		h := Host{
			Name: name, Role: Camera, Side: flow.CameraSide, MAC: mac(0, 0x10+n), DHCP: dhcp, Via: core,
			Addrs: []netip.Prefix{lan4(10 + n), lan6(0x10 + uint16(n))},
		}
		return h
	}
	return []Host{
		{Name: CameraSwitch, Role: Switch, Side: flow.CameraSide},
		{Name: ServerSwitch, Role: Switch, Side: flow.ServerSide},
		{Name: GatewayHost, Role: Gateway, Side: flow.AnySide},
		{Name: "admin", Role: Admin, Side: flow.AnySide, MAC: mac(9, 2), Addrs: prefixes("10.9.0.2/24")},
		{Name: Core, Role: Router, Side: flow.ServerSide, MAC: mac(0, 0xfe), Addrs: []netip.Prefix{lan4(254)}},
		{Name: Main, Role: VMS, Side: flow.ServerSide, MAC: mac(0, 2), Addrs: []netip.Prefix{lan4(2), lan6(2)}, Via: core},
		{
			Name: Remote, Role: VMS, Side: flow.ServerSide, MAC: mac(7, 2),
			Addrs: prefixes("10.7.0.2/28"), Via: netip.MustParseAddr("10.7.0.1"),
		},
		camera("lobby-1", 1, false),
		camera("gate-1", 2, false),
		camera("yard-1", 3, false),
		camera("hall-1", 4, true),
		{
			Name: "attacker-cam", Role: Attacker, Side: flow.CameraSide, MAC: mac(0, 0x66),
			Addrs: []netip.Prefix{lan4(66), lan6(0x66)}, Via: core,
		},
		{
			Name: "attacker-srv", Role: Attacker, Side: flow.ServerSide, MAC: mac(0, 0x77),
			Addrs: []netip.Prefix{lan4(77), lan6(0x77)}, Via: core,
		},
	}
}

// Find gives the host of City with a name; the zero Host if there is none.
func Find(name string) Host {
	for _, h := range City() {
		if h.Name == name {
			return h
		}
	}
	return Host{}
}

// mac is a locally administered address.
func mac(group, last byte) flow.MAC { return flow.MAC{0x02, 0, 0, 0, group, last} }

func lan4(last byte) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, last}), 24)
}

func lan6(last uint16) netip.Prefix {
	a := netip.MustParseAddr("fd00:10::").As16()
	a[14], a[15] = byte(last>>8), byte(last)
	return netip.PrefixFrom(netip.AddrFrom16(a), 64)
}

func prefixes(s ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(s))
	for i := range s {
		out[i] = netip.MustParsePrefix(s[i])
	}
	return out
}
