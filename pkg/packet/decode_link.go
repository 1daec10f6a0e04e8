package packet

import (
	"encoding/binary"

	"citygate/pkg/flow"
)

// EtherTypes (IANA, IEEE 802 numbers).
const (
	etherIPv4           = 0x0800
	etherARP            = 0x0806
	etherBridge         = 0x6558 // transparent Ethernet bridging, in tunnels
	etherVLAN           = 0x8100
	etherIPv6           = 0x86dd
	etherMPLS           = 0x8847
	etherMPLSMulticast  = 0x8848
	etherPPPoEDiscovery = 0x8863
	etherPPPoESession   = 0x8864
	etherPPP            = 0x880b
	etherProvider       = 0x88a8 // IEEE 802.1ad
	etherERSPAN         = 0x88be
	etherBackbone       = 0x88e7 // IEEE 802.1ah
	etherVNTag          = 0x8926
	etherDCE            = 0x8903
	etherQinQ           = 0x9100 // before 802.1ad
	minEtherType        = 0x0600 // below it stands a length (IEEE 802.3)
)

func (d *Decoder) ethernet() {
	if !d.need(14, EthernetTooSmall) || !d.layer() {
		return
	}
	copy(d.h.Dst[:], d.rest)
	copy(d.h.Src[:], d.rest[6:])
	t := binary.BigEndian.Uint16(d.rest[12:])
	d.h.EtherType = t
	d.step(14)
	if !d.network(t) && t >= minEtherType && !d.strict {
		d.h.Events.Add(EthernetUnknownType)
	}
}

// layer counts a header that may come again. It reports whether there may be one more.
func (d *Decoder) layer() bool {
	if d.layers++; d.layers > maxLayers {
		d.fault = TooManyLayers
	}
	return d.fault == EventNone
}

// network goes on with what an EtherType announces. It reports whether it is known.
func (d *Decoder) network(t uint16) bool {
	switch t {
	case etherIPv4:
		d.ipv4()
	case etherIPv6:
		d.ipv6()
	case etherARP:
		d.arp()
	case etherVLAN, etherProvider:
		d.vlan()
	default:
		return !d.strict && d.rare(t)
	}
	return true
}

// rare is network for what only the engine's view follows.
func (d *Decoder) rare(t uint16) bool {
	switch t {
	case etherQinQ:
		d.vlan()
	case etherPPPoESession:
		d.pppoeSession()
	case etherPPPoEDiscovery:
		d.pppoeDiscovery()
	case etherMPLS, etherMPLSMulticast:
		d.mpls()
	case etherBackbone:
		d.tagged(18, 16, BackboneTooSmall, EthernetUnknownType)
	case etherVNTag:
		d.tagged(6, 4, VNTagTooSmall, VNTagUnknownType)
	case etherDCE:
		d.dce()
	default:
		return false
	}
	return true
}

// vlan reads one tag: two bytes of it, and the EtherType behind (IEEE 802.1Q).
func (d *Decoder) vlan() {
	most := uint8(MaxVLANs)
	if d.strict {
		most = 2 // as in the data path
	}
	if d.h.VLANCount == most {
		d.fault = VLANTooManyLayers
		return
	}
	if !d.need(4, VLANTooSmall) {
		return
	}
	id := binary.BigEndian.Uint16(d.rest) & 0xfff
	d.h.VLANs[d.h.VLANCount] = id
	d.h.VLANCount++
	if d.h.VLANCount == 1 {
		d.h.VLAN = flow.VLAN(id)
	} else {
		d.h.VLAN = flow.QinQ(d.h.VLANs[0], d.h.VLANs[1])
	}
	t := binary.BigEndian.Uint16(d.rest[2:])
	d.h.EtherType = t
	d.step(4)
	if !d.network(t) && t >= minEtherType && !d.strict {
		d.fault = VLANUnknownType
	}
}

// tagged steps over a header of n bytes with an EtherType at the given place.
func (d *Decoder) tagged(n, at int, short, unknown Event) {
	if !d.need(n, short) || !d.layer() {
		return
	}
	t := binary.BigEndian.Uint16(d.rest[at:])
	d.h.EtherType = t
	d.step(n)
	if !d.network(t) {
		d.h.Events.Add(unknown)
	}
}

// dce steps over a FabricPath tag, behind which an Ethernet frame begins anew.
func (d *Decoder) dce() {
	if !d.need(2, DCETooSmall) {
		return
	}
	d.step(2)
	if d.need(14, DCETooSmall) {
		d.ethernet()
	}
}

func (d *Decoder) arp() {
	if !d.need(8, ARPTooSmall) {
		return
	}
	b := d.rest
	if e := arpFault(b); e != EventNone {
		d.fault = e
		return
	}
	if !d.need(28, ARPTooSmall) {
		return
	}
	d.h.ARP = ARP{
		Op:        binary.BigEndian.Uint16(b[6:]),
		SenderMAC: flow.MAC(b[8:14]), TargetMAC: flow.MAC(b[18:24]),
		Sender: addr4(b[14:18]), Target: addr4(b[24:28]),
	}
	d.step(28)
}

// arpFault is what is wrong with the fixed fields of an ARP message for IPv4 over Ethernet (RFC 826).
func arpFault(b []byte) Event {
	switch {
	case binary.BigEndian.Uint16(b) != 1:
		return ARPUnsupportedHardware
	case binary.BigEndian.Uint16(b[2:]) != etherIPv4:
		return ARPUnsupportedProtocol
	case b[4] != 6:
		return ARPInvalidHardwareSize
	case b[5] != 4:
		return ARPInvalidProtocolSize
	case binary.BigEndian.Uint16(b[6:]) == 0:
		return ARPUnsupportedOpcode
	}
	return EventNone
}

// sll reads a Linux cooked header: packet type, device type, address length, address, EtherType.
func (d *Decoder) sll() {
	if d.need(16, SLLTooSmall) {
		copy(d.h.Src[:], d.rest[6:12])
		d.cooked(16, binary.BigEndian.Uint16(d.rest[14:]))
	}
}

// sll2 is sll with the EtherType in front and the interface's index.
func (d *Decoder) sll2() {
	if d.need(20, SLL2TooSmall) {
		copy(d.h.Src[:], d.rest[12:18])
		d.cooked(20, binary.BigEndian.Uint16(d.rest))
	}
}

func (d *Decoder) cooked(n int, t uint16) {
	d.h.EtherType = t
	d.step(n)
	d.network(t)
}

// null reads the address family of a BSD loopback frame. It is 2 for IPv4; IPv6 has three numbers, by system. LinkNull
// has it in the byte order of the machine that captured: the one in which it is small.
func (d *Decoder) null(link LinkType) {
	if !d.need(4, NullTooSmall) {
		return
	}
	family := binary.LittleEndian.Uint32(d.rest)
	if big := binary.BigEndian.Uint32(d.rest); link == LinkLoop || family > big {
		family = big
	}
	d.step(4)
	switch family {
	case 2:
		d.h.EtherType = etherIPv4
		d.ipv4()
	case 10, 24, 28, 30: // Linux, NetBSD, FreeBSD, Darwin
		d.h.EtherType = etherIPv6
		d.ipv6()
	default:
		d.fault = NullUnsupportedType
	}
}

// rawIP reads a packet without a link header.
func (d *Decoder) rawIP() {
	if !d.need(1, IPv4TooSmall) {
		return
	}
	switch d.rest[0] >> 4 {
	case 4:
		d.h.EtherType = etherIPv4
		d.ipv4()
	case 6:
		d.h.EtherType = etherIPv6
		d.ipv6()
	default:
		d.fault = RawInvalidVersion
	}
}
