package packet

import (
	"encoding/binary"

	"citygate/pkg/flow"
)

// IP protocol numbers beyond those of package flow (IANA).
const (
	protoHopByHop    = 0
	protoIPv4        = 4
	protoIPv6        = 41
	protoRouting     = 43
	protoFragment    = 44
	protoGRE         = 47
	protoESP         = 50
	protoAH          = 51
	protoNone        = 59
	protoDestination = 60
	protoSCTP        = 132
	protoMobility    = 135
	protoHIP         = 139
	protoSHIM6       = 140
)

// ipv4 reads an IPv4 header (RFC 791, 3.1) and what follows.
func (d *Decoder) ipv4() {
	if !d.need(20, IPv4TooSmall) || !d.layer() {
		return
	}
	b := d.rest
	header, total := int(b[0]&15)*4, int(b[2])<<8|int(b[3])
	d.h.Tuple = flow.FiveTuple{Src: addr4(b[12:16]), Dst: addr4(b[16:20])}
	if d.fault = ipv4Fault(b[0]>>4, header, total, d.left); d.fault != EventNone {
		return
	}
	if !d.need(header, IPv4Truncated) {
		return
	}
	field := binary.BigEndian.Uint16(b[6:])
	d.h.Tuple.Proto = flow.Proto(b[9])
	d.h.IPVersion = 4
	d.h.TTL, d.h.TOS, d.h.ID, d.h.IPLength = b[8], b[1], uint32(binary.BigEndian.Uint16(b[4:])), total
	d.h.Reserved, d.h.DontFragment, d.h.MoreFragments = field&0x8000 != 0, field&0x4000 != 0, field&0x2000 != 0
	d.h.Offset = int(field&0x1fff) * 8
	d.h.Fragment = d.h.Offset != 0 || d.h.MoreFragments
	d.h.Network = b[:header:header]
	if header > 20 && !d.ipv4Options(b[20:header]) {
		return
	}
	d.rest, d.left = b[header:min(total, len(b))], total-header
	if d.h.Offset+total-header > 65535-20 && !d.tooLarge() {
		return
	}
	if !d.h.Fragment {
		d.aboveIPv4()
	}
}

// tooLarge notes a fragment that ends beyond the largest packet. The strict view allows for the header's 20 bytes.
func (d *Decoder) tooLarge() bool {
	if d.strict && d.h.Offset+d.left <= 65535 {
		return true
	}
	return d.odd(IPv4FragTooLarge)
}

func ipv4Fault(version byte, header, total, left int) Event {
	switch {
	case version != 4:
		return IPv4WrongVersion
	case header < 20:
		return IPv4HeaderTooSmall
	case total < header: // 0 is an offloaded packet, which never was on a wire like that
		return IPv4LengthBelowHeader
	case total > left:
		return IPv4Truncated
	}
	return EventNone
}

func (d *Decoder) aboveIPv4() {
	switch d.h.Tuple.Proto {
	case flow.TCP:
		d.tcp()
	case flow.UDP:
		d.udp()
	case flow.ICMP:
		d.icmp4()
	case flow.IGMP:
		d.igmp()
	case flow.ICMPv6:
		if !d.strict {
			d.h.Events.Add(IPv4WithICMPv6)
		}
	case protoIPv4, protoIPv6, protoGRE, protoSCTP, protoESP:
		if !d.strict {
			d.aboveIP()
		}
	}
}

// aboveIP reads what both versions of IP may carry and only the engine's view follows.
func (d *Decoder) aboveIP() {
	switch d.h.Tuple.Proto {
	case protoIPv4, protoIPv6:
		d.inIP()
	case protoGRE:
		d.gre()
	case protoSCTP:
		d.sctp()
	case protoESP:
		if d.need(8, ESPTooSmall) {
			d.transport(8)
		}
	}
}

// IPv4 options (IANA).
const (
	optRecordRoute = 7
	optQuickStart  = 25
	optTimestamp   = 68
	optSecurity    = 130
	optLooseRoute  = 131
	optCIPSO       = 134
	optStreamID    = 136
	optStrictRoute = 137
	optRouterAlert = 148
)

// ipv4Options walks the options. It reports whether to go on. The events follow Suricata: each known option counts
// once, one that does not hold its own content ends the walk, not the packet.
func (d *Decoder) ipv4Options(b []byte) bool {
	if len(b)%8 != 0 && !d.strict {
		d.h.Events.Add(IPv4OptPadRequired)
	}
	var seen [4]uint64
	for len(b) > 0 && b[0] != 0 {
		if b[0] == 1 {
			b = b[1:]
			continue
		}
		if len(b) < 2 {
			return d.odd(d.either(IPv4OptEOLRequired, IPv4OptMalformed))
		}
		n := int(b[1])
		if n < 2 || n > len(b) {
			return d.odd(d.either(IPv4OptInvalidLength, IPv4OptMalformed))
		}
		if !d.strict {
			e := ipv4Option(b[:n], &seen)
			d.note(e)
			if e == IPv4OptInvalidLength || e == IPv4OptMalformed {
				return true
			}
		}
		b = b[n:]
	}
	return true
}

// note adds an event that may be none.
func (d *Decoder) note(e Event) {
	if e != EventNone {
		d.h.Events.Add(e)
	}
}

// ipv4Option judges one option; o holds its type, its length and as many bytes as the length says.
func ipv4Option(o []byte, seen *[4]uint64) Event {
	kind, n := o[0], len(o)
	switch kind {
	case optRecordRoute, optQuickStart, optTimestamp, optSecurity, optLooseRoute, optCIPSO, optStreamID, optStrictRoute,
		optRouterAlert:
	default:
		return IPv4OptInvalid
	}
	if seen[kind>>6]&(1<<(kind&63)) != 0 {
		return IPv4OptDuplicate
	}
	seen[kind>>6] |= 1 << (kind & 63)
	switch kind {
	case optRecordRoute, optLooseRoute, optStrictRoute:
		if n < 3 {
			return IPv4OptInvalidLength
		}
		if p := int(o[2]); p < 4 || p%4 != 0 || p > n+1 { // a pointer from 1, to addresses
			return IPv4OptMalformed
		}
	case optTimestamp:
		return ipv4Timestamp(o)
	case optCIPSO:
		return cipso(o)
	case optQuickStart:
		return badLength(n < 8)
	case optSecurity:
		return badLength(n != 11)
	case optStreamID, optRouterAlert:
		return badLength(n != 4)
	}
	return EventNone
}

func badLength(bad bool) Event {
	if bad {
		return IPv4OptInvalidLength
	}
	return EventNone
}

// ipv4Timestamp judges a timestamp option (RFC 791, 3.1): pointer, overflow, flags, then records of 4 or 8 bytes.
func ipv4Timestamp(o []byte) Event {
	if len(o) < 5 {
		return IPv4OptInvalidLength
	}
	record := 4
	if kind := o[3] & 15; kind == 1 || kind == 3 { // an address in front of each
		record = 8
	}
	if p := int(o[2]); p < 5 || (p-5)%record != 0 || p > len(o)+1 {
		return IPv4OptMalformed
	}
	return EventNone
}

// cipso judges a Commercial IP Security Option (FIPS 188): a domain of 4 bytes, then tags.
func cipso(o []byte) Event {
	if len(o) < 10 {
		return IPv4OptInvalidLength
	}
	for tags := o[6:]; len(tags) > 0; {
		if len(tags) < 4 {
			return IPv4OptMalformed
		}
		kind, n := tags[0], int(tags[1])
		known := kind == 1 || kind == 2 || kind >= 5 && kind <= 7
		if !known || n < 4 || n > len(tags) || kind != 7 && tags[2] != 0 {
			return IPv4OptMalformed
		}
		tags = tags[n:]
	}
	return EventNone
}
