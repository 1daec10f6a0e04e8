package ipc

import (
	"net/netip"

	"citygate/pkg/flow"
)

// DeviceID is a device's number in the kernel's tables. Control keeps a device's number the same over policy changes,
// so that its counters stay its own.
type DeviceID uint16

// Limits of the kernel's tables.
const (
	NoDevice    DeviceID = 0    // an unknown device
	MaxDeviceID DeviceID = 4351 // 4,096 devices and up to 255 groups
	MaxServices          = 64   // services in use by one policy: they are one 64-bit mask
	MaxRules             = 65536
)

// PolicySet is a compiled policy as the guard loads it: five tables of fixed-size records, deny for what they do not name.
type PolicySet struct {
	Devices  []DeviceEntry
	MACs     []MACEntry
	Addrs    []AddrEntry
	Services []ServiceEntry
	Rules    []RuleEntry
}

func (s *PolicySet) layout(c *codec) {
	c.fields(
		list(&s.Devices, int(MaxDeviceID), (*DeviceEntry).layout), list(&s.MACs, 2*int(MaxDeviceID), (*MACEntry).layout),
		list(&s.Addrs, MaxRules, (*AddrEntry).layout), list(&s.Services, 1024, (*ServiceEntry).layout),
		list(&s.Rules, MaxRules, (*RuleEntry).layout))
}

// DeviceFlags say what kind of device it is.
type DeviceFlags uint8

// A group is a pseudo-device: the receivers of a multicast group, or of the IPv4 broadcast address.
const (
	DeviceRouter DeviceFlags = 1 << iota // carries other devices' addresses; may send ICMP errors and RAs
	DeviceDHCP                           // its IPv4 address comes from a binding
	DeviceGroup                          // a multicast group or 255.255.255.255
)

// DeviceEntry is a device. Via is the device that carries it at layer 2: itself, or its router.
// PPS and KBps limit what it may send (frames/s, 1,000 bytes/s; 0 = no limit).
type DeviceEntry struct {
	ID    DeviceID
	Via   DeviceID
	Side  flow.Side
	Flags DeviceFlags
	PPS   uint32
	KBps  uint32
}

func (e *DeviceEntry) layout(c *codec) {
	c.fields(num(&e.ID), num(&e.Via), side(&e.Side), num(&e.Flags), num(&e.PPS), num(&e.KBps))
}

// MACEntry says whose hardware address it is.
type MACEntry struct {
	MAC    flow.MAC
	VLAN   flow.VLAN
	Device DeviceID
}

func (e *MACEntry) layout(c *codec) { c.fields(e.MAC[:], num(&e.VLAN), num(&e.Device)) }

// AddrEntry says whose IP address or prefix it is; the longest prefix wins.
type AddrEntry struct {
	VLAN   flow.VLAN
	Prefix netip.Prefix
	Device DeviceID
}

func (e *AddrEntry) layout(c *codec) { c.fields(num(&e.VLAN), &e.Prefix, num(&e.Device)) }

// ServiceEntry is one port range of a service (0 to 63). For ICMP and ICMPv6 Lo and Hi are message types,
// for protocols without ports both are 0.
type ServiceEntry struct {
	Service uint8
	Proto   flow.Proto
	Lo, Hi  uint16
}

func (e *ServiceEntry) layout(c *codec) {
	c.fields(num(&e.Service), num(&e.Proto), num(&e.Lo), num(&e.Hi))
}

// RuleEntry allows From to open flows of a service towards To. Rule is the number of the policy line it comes from.
type RuleEntry struct {
	From, To DeviceID
	Service  uint8
	Rule     uint16
}

func (e *RuleEntry) layout(c *codec) {
	c.fields(num(&e.From), num(&e.To), num(&e.Service), num(&e.Rule))
}
