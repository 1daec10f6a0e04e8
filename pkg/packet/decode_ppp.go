package packet

import "encoding/binary"

// PPP protocol numbers (IANA).
const (
	pppIPv4           = 0x0021
	pppVJCompressed   = 0x002d
	pppVJUncompressed = 0x002f
	pppIPv6           = 0x0057
)

// ppp reads the protocol of a PPP frame (RFC 1661, 2; RFC 1662, 3.1), which may be framed and may be compressed.
func (d *Decoder) ppp() {
	if !d.need(1, PPPTooSmall) {
		return
	}
	if d.rest[0] == 0xff && len(d.rest) > 1 && d.rest[1] == 0x03 {
		d.step(2)
	}
	if !d.need(1, PPPTooSmall) {
		return
	}
	if d.rest[0]&1 != 0 { // a protocol ends at its first odd byte
		t := uint16(d.rest[0])
		d.step(1)
		d.pppPayload(t)
		return
	}
	if !d.need(2, PPPTooSmall) {
		return
	}
	t := binary.BigEndian.Uint16(d.rest)
	d.step(2)
	d.pppPayload(t)
}

func (d *Decoder) pppPayload(t uint16) {
	switch {
	case t == pppIPv4:
		if d.need(20, PPPIPv4TooSmall) {
			d.h.EtherType = etherIPv4
			d.ipv4()
		}
	case t == pppVJUncompressed: // an IPv4 packet whose protocol is a slot's number
		if d.need(20, PPPVJTooSmall) {
			d.h.EtherType = etherIPv4
			d.ipv4()
		}
	case t == pppIPv6:
		if d.need(40, PPPIPv6TooSmall) {
			d.h.EtherType = etherIPv6
			d.ipv6()
		}
	case t == pppVJCompressed || t>>12 == 8 || t>>12 == 12 || t&0x0101 == 1 && t < 0x4000:
		d.h.Events.Add(PPPUnsupported) // control protocols, and network protocols that are not IP
	default:
		d.h.Events.Add(PPPWrongType)
	}
}

// pppoeSession reads the header of a PPPoE session packet (RFC 2516, 4): version and type, code 0, session, length.
func (d *Decoder) pppoeSession() {
	if !d.need(7, PPPoETooSmall) || !d.layer() {
		return
	}
	if d.rest[1] != 0 {
		d.h.Events.Add(PPPoEWrongCode)
		return
	}
	d.step(6)
	d.ppp()
}

// Codes of PPPoE discovery (RFC 2516, 5).
const (
	padi = 0x09
	pado = 0x07
	padr = 0x19
	pads = 0x65
	padt = 0xa7
)

func (d *Decoder) pppoeDiscovery() {
	if !d.need(6, PPPoETooSmall) {
		return
	}
	switch d.rest[1] {
	case padi, pado, padr, pads, padt:
	default:
		d.h.Events.Add(PPPoEWrongCode)
		return
	}
	length := int(binary.BigEndian.Uint16(d.rest[4:]))
	d.step(6)
	if length > d.left {
		d.fault = PPPoETooSmall
		return
	}
	for b := d.rest[:min(length, len(d.rest))]; len(b) > 0; {
		if len(b) < 4 || 4+int(binary.BigEndian.Uint16(b[2:])) > len(b) {
			d.h.Events.Add(PPPoEMalformedTags)
			return
		}
		b = b[4+int(binary.BigEndian.Uint16(b[2:])):]
	}
}

// mpls steps over a stack of labels (RFC 3032, 2.1) and guesses what follows it, as nothing says so.
func (d *Decoder) mpls() {
	if !d.layer() {
		return
	}
	label, bottom := uint32(0), false
	for !bottom {
		if !d.need(4, MPLSHeaderTooSmall) {
			return
		}
		entry := binary.BigEndian.Uint32(d.rest)
		label, bottom = entry>>12, entry&0x100 != 0
		d.step(4)
	}
	switch {
	case label == 0:
		d.ipv4()
	case label == 1:
		d.h.Events.Add(MPLSRouterAlert)
	case label == 2:
		d.ipv6()
	case label == 3:
		d.h.Events.Add(MPLSImplicitNull)
	case label < 16:
		d.h.Events.Add(MPLSReserved)
	default:
		d.mplsPayload()
	}
}

func (d *Decoder) mplsPayload() {
	if !d.need(1, MPLSTooSmall) {
		return
	}
	switch d.rest[0] >> 4 {
	case 4:
		d.ipv4()
	case 6:
		d.ipv6()
	case 0: // a pseudowire's control word (RFC 4385, 3), then Ethernet
		if d.need(4, MPLSTooSmall) {
			d.step(4)
			d.ethernet()
		}
	default:
		d.h.Events.Add(MPLSUnknownPayload)
	}
}
