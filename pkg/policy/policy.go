// Package policy turns the text of a policy file into the tables that the kernel enforces, and says why a flow passes or not.
// Parse gives a valid Policy or every error with its place; Compile gives the tables; what no line allows is denied.
package policy

import (
	"math/bits"
	"net/netip"

	"citygate/pkg/flow"
	"citygate/pkg/policy/document"
)

// Error is one thing wrong with a policy file; Errors is all of it, in the order of the file.
type (
	Error  = document.Error
	Errors = document.Errors
)

// Limits of one policy.
const (
	MaxDevices = 4096
	MaxEntries = 65536 // compiled (device, device, service) keys
	MaxGroups  = 255   // multicast groups in use, the broadcast address among them
	MaxAddrs   = 16384 // addresses and prefixes of all devices and groups
	MaxMACs    = 8192
)

// Role is what a device is for; it decides on which side of the bridge the device is expected.
type Role string

// Router is the role that other devices may stand behind.
const Router Role = "router"

// Roles is the table of roles: field devices are on the camera side, the rest on the server side.
var Roles = []struct {
	Name  Role
	Side  flow.Side
	About string
}{
	{"camera", flow.CameraSide, "a camera"},
	{"encoder", flow.CameraSide, "an encoder of analogue cameras"},
	{"intercom", flow.CameraSide, "an intercom or door station"},
	{"access", flow.CameraSide, "an access controller or barrier"},
	{"sensor", flow.CameraSide, "a sensor"},
	{"meter", flow.CameraSide, "a meter"},
	{"plc", flow.CameraSide, "an industrial controller"},
	{"nvr", flow.ServerSide, "a network video recorder"},
	{"vms", flow.ServerSide, "a video management server"},
	{"server", flow.ServerSide, "any other server, such as DHCP or NTP"},
	{"client", flow.ServerSide, "a viewer or an operator's computer"},
	{Router, flow.ServerSide, "a router: other devices stand behind it"},
}

func sideOf(role Role) flow.Side {
	for _, r := range Roles {
		if r.Name == role {
			return r.Side
		}
	}
	return flow.ServerSide
}

// Device is an identity on the wire.
type Device struct {
	Name       string
	Line       int
	Role       Role
	MAC        flow.MAC   // zero if it is behind a router
	RouterMACs []flow.MAC // a router's other hardware addresses, such as VRRP's
	Addrs      []netip.Prefix
	DHCP       bool   // its IPv4 address comes from a binding
	Via        string // the router that it is behind, "" if on the link
	VLAN       flow.VLAN
	Side       flow.Side
	PPS        uint32 // what it may send: frames/s, 0 = no limit
	KBps       uint32 // 1,000 bytes/s, 0 = no limit
	Label      string // the key name: what people call it
	Notes      string
	Tags       []string
}

// Group is a name for several devices.
type Group struct {
	Name    string
	Line    int
	Role    Role     // the group has all devices of this role, or
	Devices []string // the members by name, in the order of the file
	members set
}

// Rule is an allow or a multicast line.
type Rule struct {
	Number   uint16 // from 1, in the order of the file, allow lines first
	Line     int
	Group    netip.Addr // of a multicast line; the zero Addr in an allow line
	From, To []string
	Services []string
	Comment  string
}

// Policy is a valid policy.
type Policy struct {
	File     string
	Devices  []Device
	Groups   []Group
	Services []Service // the user's own
	Rules    []Rule

	device map[string]int // index in Devices
	group  map[string]int
	own    map[string]int      // index in Services
	inline map[string]*Service // services that a line gives as a range, such as tcp/8000
}

// Device finds a device by its name.
func (p *Policy) Device(name string) (*Device, bool) {
	i, ok := p.device[name]
	if !ok {
		return nil, false
	}
	return &p.Devices[i], true
}

// service finds a named, the user's own or an inline service.
func (p *Policy) service(name string) *Service {
	if i, ok := p.own[name]; ok {
		return &p.Services[i]
	}
	if s := builtinService(name); s != nil {
		return s
	}
	return p.inline[name]
}

// set is a set of devices by their index.
type set [MaxDevices / 64]uint64

func (s *set) add(i int) { s[i/64] |= 1 << (i % 64) }

// list gives the members in the order of the file.
func (s *set) list() []int {
	var list []int
	for w, word := range s {
		for ; word != 0; word &= word - 1 {
			list = append(list, w*64+bits.TrailingZeros64(word))
		}
	}
	return list
}

// members gives the devices that names (of devices or groups) mean.
func (p *Policy) members(names []string) *set {
	all := new(set)
	for _, name := range names {
		if i, ok := p.device[name]; ok {
			all.add(i)
		}
		if g, ok := p.group[name]; ok {
			for w, word := range p.Groups[g].members {
				all[w] |= word
			}
		}
	}
	return all
}
