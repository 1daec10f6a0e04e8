package packet

import (
	"encoding/binary"
	"net/netip"

	"citygate/pkg/flow"
)

// transport takes the n bytes of a header and goes on behind them.
func (d *Decoder) transport(n int) {
	d.h.Transport = d.rest[:n:n]
	d.step(n)
}

// takePorts reads the ports, which TCP, UDP and SCTP have at the same place.
func (d *Decoder) takePorts() {
	d.h.Tuple.SrcPort = binary.BigEndian.Uint16(d.rest)
	d.h.Tuple.DstPort = binary.BigEndian.Uint16(d.rest[2:])
}

// udp reads a UDP header (RFC 768). A length of 0 is a jumbogram, which is not forwarded.
func (d *Decoder) udp() {
	if !d.need(8, UDPTooSmall) {
		return
	}
	d.takePorts()
	length := int(binary.BigEndian.Uint16(d.rest[4:]))
	switch {
	case length < 8:
		d.fault = d.either(UDPLengthInvalid, UDPHeaderTooSmall)
		return
	case length > d.left:
		d.fault = d.either(UDPTooSmall, UDPLengthInvalid)
		return
	}
	d.transport(8)
	d.rest, d.left = d.rest[:min(length-8, len(d.rest))], length-8
	if !d.strict {
		d.udpTunnel()
	}
}

// sctp reads the common header (RFC 9260, 3.1).
func (d *Decoder) sctp() {
	if d.need(12, SCTPTooSmall) {
		d.takePorts()
		d.transport(12)
	}
}

// igmp reads an IGMP message. Of a report of version 3, whose groups stand in records, Group stays empty.
func (d *Decoder) igmp() {
	if !d.need(8, IGMPTooSmall) {
		return
	}
	d.h.ICMPType = d.rest[0]
	if d.h.ICMPType != igmpReport3 {
		d.h.Group = addr4(d.rest[4:8])
	}
	n := 8
	if !d.strict {
		if n, d.fault = igmpSize(d.rest); d.fault != EventNone {
			return
		}
	}
	d.transport(n)
}

// Types of IGMP messages whose size varies (RFC 3376, 4).
const (
	igmpQuery   = 0x11
	igmpReport3 = 0x22
)

// igmpSize is the size of a message with its sources and records.
func igmpSize(b []byte) (int, Event) {
	switch {
	case b[0] == igmpQuery && len(b) >= 12:
		n := 12 + 4*int(binary.BigEndian.Uint16(b[10:]))
		if n > len(b) {
			return 0, IGMPv3TooSmall
		}
		return n, EventNone
	case b[0] == igmpReport3:
		return igmpRecords(b, int(binary.BigEndian.Uint16(b[6:])))
	}
	return 8, EventNone
}

// igmpRecords steps over the group records of a report: type, auxiliary length, sources, group, addresses, data.
func igmpRecords(b []byte, records int) (int, Event) {
	n := 8
	for range records {
		if len(b)-n < 8 {
			return 0, IGMPv3TooSmall
		}
		size := 8 + 4*int(b[n+1]) + 4*int(binary.BigEndian.Uint16(b[n+2:]))
		if size > len(b)-n {
			return 0, IGMPMalformed
		}
		n += size
	}
	return n, EventNone
}

// takeID reads identifier and sequence number, which stand behind the checksum.
func (d *Decoder) takeID(b []byte) {
	d.h.HasICMPID = true
	d.h.ICMPID, d.h.ICMPSeq = binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
}

// nd reads the target and the link-layer address of a neighbour solicitation or advertisement. B begins with the type.
// It reports whether target and options fill it.
func (d *Decoder) nd(b []byte, kind byte) bool {
	if len(b) < 24 {
		return false
	}
	d.h.ND.Target = netip.AddrFrom16([16]byte(b[8:24]))
	for o := b[24:]; len(o) > 0; {
		if len(o) < 2 || o[1] == 0 || 8*int(o[1]) > len(o) {
			return false
		}
		if o[0] == kind && o[1] == 1 {
			d.h.ND.Link, d.h.ND.HasLink = flow.MAC(o[2:8]), true
		}
		o = o[8*int(o[1]):]
	}
	return true
}
