package packet

import "encoding/binary"

// Ports of tunnels over UDP (IANA).
const (
	portTeredo = 3544
	portVXLAN  = 4789
	portGeneve = 6081
)

// carry names what the rest of the packet is.
func (d *Decoder) carry(link LinkType, data []byte) { d.h.Tunnel = Tunnel{link, data} }

// inIP is IP in IP, in all four pairings (RFC 2003, 2473, 4213). The inner version must be the announced one.
func (d *Decoder) inIP() {
	if d.h.Tuple.Proto == protoIPv4 {
		small, version := IPv4TooSmall, IPv4WrongVersion
		if d.h.IPVersion == 6 {
			small, version = IPv4InIPv6TooSmall, IPv4InIPv6WrongVersion
		}
		d.inner(LinkIPv4, 20, small, version)
		return
	}
	small, version := IPv6TooSmall, IPv6WrongVersion
	if d.h.IPVersion == 6 {
		small, version = IPv6InIPv6TooSmall, IPv6InIPv6WrongVersion
	}
	d.inner(LinkIPv6, 40, small, version)
}

func (d *Decoder) inner(link LinkType, least int, small, version Event) {
	want := byte(4)
	if link == LinkIPv6 {
		want = 6
	}
	switch {
	case len(d.rest) < least:
		d.h.Events.Add(small)
	case d.rest[0]>>4 != want:
		d.h.Events.Add(version)
	default:
		d.carry(link, d.rest)
	}
}

// Bits of a GRE header (RFC 2784, 2.1; RFC 1701; RFC 2637, 4.1).
const (
	greChecksum = 0x8000
	greRouting  = 0x4000
	greKey      = 0x2000
	greSequence = 0x1000
	greStrict   = 0x0800
	greRecur    = 0x0700
	greAck      = 0x0080 // version 1
	greFlags0   = 0x00f8
	greFlags1   = 0x0078
)

func (d *Decoder) gre() {
	if !d.need(4, GRETooSmall) {
		return
	}
	flags, proto := binary.BigEndian.Uint16(d.rest), binary.BigEndian.Uint16(d.rest[2:])
	size, e := 0, EventNone
	switch flags & 7 {
	case 0:
		size, e = gre0(d.rest, flags)
	case 1:
		size, e = gre1(d.rest, flags, proto)
	default:
		e = GREWrongVersion
	}
	if d.fault = e; e != EventNone {
		return
	}
	d.transport(size)
	d.greCarry(proto, flags)
}

// gre0 is the size of a header of version 0. A routing field is a list of entries that ends with an empty one.
func gre0(b []byte, flags uint16) (int, Event) {
	switch {
	case flags&greRecur != 0:
		return 0, GRE0Recursion
	case flags&greFlags0 != 0:
		return 0, GRE0Flags
	}
	n := 4
	if flags&(greChecksum|greRouting) != 0 { // either brings both fields
		n += 4
	}
	n += present(flags, greKey) + present(flags, greSequence)
	if n > len(b) {
		return 0, GRE0HeaderTooBig
	}
	for routed := flags&greRouting != 0; routed; {
		if len(b)-n < 4 {
			return 0, GRE0MalformedRoute
		}
		size := int(b[n+3])
		routed = size != 0 || b[n] != 0 || b[n+1] != 0
		n += 4 + size
		if n > len(b) {
			return 0, GRE0MalformedRoute
		}
	}
	return n, EventNone
}

// gre1 is the size of a header of version 1, which carries PPP.
func gre1(b []byte, flags, proto uint16) (int, Event) {
	switch {
	case flags&greChecksum != 0:
		return 0, GRE1Checksum
	case flags&greRouting != 0:
		return 0, GRE1Route
	case flags&greStrict != 0:
		return 0, GRE1StrictRoute
	case flags&greRecur != 0:
		return 0, GRE1Recursion
	case flags&greFlags1 != 0:
		return 0, GRE1Flags
	case proto != etherPPP:
		return 0, GRE1WrongProtocol
	case flags&greKey == 0:
		return 0, GRE1NoKey
	}
	n := 8 + present(flags, greSequence) + present(flags, greAck)
	if n > len(b) {
		return 0, GRE1HeaderTooBig
	}
	return n, EventNone
}

// present is the size of a field of 4 bytes that a bit announces.
func present(flags, bit uint16) int {
	if flags&bit != 0 {
		return 4
	}
	return 0
}

func (d *Decoder) greCarry(proto, flags uint16) {
	if len(d.rest) == 0 {
		return // a PPTP acknowledgement
	}
	switch proto {
	case etherIPv4:
		d.carry(LinkIPv4, d.rest)
	case etherIPv6:
		d.carry(LinkIPv6, d.rest)
	case etherPPP:
		d.carry(LinkPPP, d.rest)
	case etherVLAN:
		d.carry(LinkVLAN, d.rest)
	case etherBridge:
		d.carry(LinkEthernet, d.rest)
	case etherERSPAN:
		d.erspan(flags)
	}
}

// erspan steps over the header of a mirrored frame: type I has none, type II 8 bytes with a version of 1.
func (d *Decoder) erspan(flags uint16) {
	if flags&greSequence == 0 {
		d.carry(LinkEthernet, d.rest)
		return
	}
	switch {
	case len(d.rest) < 8:
		d.h.Events.Add(ERSPANTooSmall)
	case d.rest[0]>>4 != 1:
		d.h.Events.Add(ERSPANUnsupportedVersion)
	default:
		d.carry(LinkEthernet, d.rest[8:])
	}
}

// udpTunnel looks for a tunnel by the port, then by what the payload is.
func (d *Decoder) udpTunnel() {
	src, dst := d.h.Tuple.SrcPort, d.h.Tuple.DstPort
	switch {
	case dst == portVXLAN:
		d.vxlan()
	case dst == portGeneve || src == portGeneve:
		d.geneve()
	case dst == portTeredo || src == portTeredo:
		d.teredo()
	}
}

// vxlan reads a VXLAN header (RFC 7348, 5): bit 3 of the flags, and a network id. A receiver ignores what is reserved.
func (d *Decoder) vxlan() {
	b := d.rest
	if len(b) < 8+14 || b[0]&0x08 == 0 {
		return
	}
	if !carried(binary.BigEndian.Uint16(b[8+12:])) {
		d.h.Events.Add(VXLANUnknownPayload)
		return
	}
	d.carry(LinkEthernet, b[8:])
}

// carried says whether a frame in a tunnel has an EtherType that is decoded.
func carried(t uint16) bool {
	switch t {
	case etherIPv4, etherIPv6, etherARP, etherVLAN, etherProvider, etherQinQ:
		return true
	}
	return false
}

// geneve reads a GENEVE header (RFC 8926, 3.4): version 0, options in units of 4 bytes, EtherType. A receiver ignores
// what is reserved.
func (d *Decoder) geneve() {
	b := d.rest
	if len(b) < 8 || b[0]>>6 != 0 {
		return
	}
	n := 8 + 4*int(b[0]&0x3f)
	if n >= len(b) || !geneveOptions(b[8:n]) {
		return
	}
	switch binary.BigEndian.Uint16(b[2:]) {
	case etherBridge:
		d.carry(LinkEthernet, b[n:])
	case etherIPv4:
		d.carry(LinkIPv4, b[n:])
	case etherIPv6:
		d.carry(LinkIPv6, b[n:])
	default:
		d.h.Events.Add(GeneveUnknownPayload)
	}
}

// geneveOptions says whether the options fill their space.
func geneveOptions(b []byte) bool {
	for len(b) > 0 {
		if len(b) < 4 || 4+4*int(b[3]&0x1f) > len(b) {
			return false
		}
		b = b[4+4*int(b[3]&0x1f):]
	}
	return true
}

// teredo looks for an IPv6 packet (RFC 4380, 5.1.1), behind an authentication or an origin indication. It must fill the
// datagram, else this is something else on Teredo's port.
func (d *Decoder) teredo() {
	b := d.rest
	if len(b) >= 13 && b[0] == 0 && b[1] == 1 { // client id, authentication value, nonce of 8, confirmation
		n := 13 + int(b[2]) + int(b[3])
		if n > len(b) {
			return
		}
		b = b[n:]
	}
	if len(b) >= 8 && b[0] == 0 && b[1] == 0 {
		b = b[8:]
	}
	if len(b) >= 40 && b[0]>>4 == 6 && 40+int(binary.BigEndian.Uint16(b[4:])) == len(b) {
		d.carry(LinkIPv6, b)
	}
}
