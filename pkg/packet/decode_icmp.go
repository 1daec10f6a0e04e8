package packet

// Types of ICMP messages (IANA).
const (
	icmpEchoReply    = 0
	icmpUnreachable  = 3
	icmpQuench       = 4
	icmpRedirect     = 5
	icmpEcho         = 8
	icmpAdvertise    = 9
	icmpSolicit      = 10
	icmpExceeded     = 11
	icmpParameter    = 12
	icmpTimestamp    = 13
	icmpTimestampRep = 14
	icmpInformation  = 15
	icmpInformReply  = 16
	icmpMask         = 17
	icmpMaskReply    = 18
)

// icmp4 reads the first 8 bytes of an ICMP message (RFC 792).
func (d *Decoder) icmp4() {
	if !d.need(8, ICMPv4TooSmall) {
		return
	}
	d.h.ICMPType, d.h.ICMPCode = d.rest[0], d.rest[1]
	switch d.h.ICMPType {
	case icmpEcho, icmpEchoReply:
		d.takeID(d.rest)
		d.h.Tuple.SrcPort = d.h.ICMPID
	case icmpTimestamp, icmpTimestampRep, icmpInformation, icmpInformReply, icmpMask, icmpMaskReply:
		d.takeID(d.rest)
	}
	d.transport(8)
	if !d.strict {
		d.judgeICMP4()
	}
}

// judgeICMP4 looks at type, code and the packet that an error quotes.
func (d *Decoder) judgeICMP4() {
	most, quotes := uint8(0), false
	switch d.h.ICMPType {
	case icmpUnreachable:
		most, quotes = 15, true
	case icmpQuench:
		quotes = true
	case icmpRedirect:
		most, quotes = 3, true
	case icmpExceeded:
		most, quotes = 1, true
	case icmpParameter:
		most, quotes = 2, true
	case icmpAdvertise: // 16: routes no common traffic (RFC 3344, 2.1.1)
		if d.h.ICMPCode == 16 {
			return
		}
	case icmpEcho, icmpEchoReply, icmpSolicit, icmpTimestamp, icmpTimestampRep, icmpInformation, icmpInformReply, icmpMask,
		icmpMaskReply:
	default:
		d.h.Events.Add(ICMPv4UnknownType)
		return
	}
	switch {
	case d.h.ICMPCode > most:
		d.h.Events.Add(ICMPv4UnknownCode)
	case !quotes:
	case len(d.rest) < 20:
		d.h.Events.Add(ICMPv4InnerTruncated)
	case d.rest[0]>>4 != 4:
		d.h.Events.Add(ICMPv4InnerVersion)
	}
}

// Types of ICMPv6 messages (IANA).
const (
	icmp6Unreachable = 1
	icmp6TooBig      = 2
	icmp6Exceeded    = 3
	icmp6Parameter   = 4
	icmp6Echo        = 128
	icmp6EchoReply   = 129
	icmp6MLDQuery    = 130
	icmp6MLDReport   = 131
	icmp6MLDDone     = 132
	icmp6NS          = 135
	icmp6NA          = 136
	icmp6Redirect    = 137
	icmp6MLDReport2  = 143
	icmp6LastKnown   = 157 // types 128 to it are assigned
	nd6SourceLink    = 1
	nd6TargetLink    = 2
)

// icmp6 reads an ICMPv6 message (RFC 4443, 2.1): in the engine's view 8 bytes, in the strict one as far as its type says.
func (d *Decoder) icmp6() {
	if !d.need(d.size(8, 4), ICMPv6TooSmall) {
		return
	}
	d.h.ICMPType, d.h.ICMPCode = d.rest[0], d.rest[1]
	if d.strict {
		d.strictICMP6()
		return
	}
	switch d.h.ICMPType {
	case icmp6Echo, icmp6EchoReply:
		d.takeID(d.rest)
		d.h.Tuple.SrcPort = d.h.ICMPID
	case icmp6NS:
		d.nd(d.rest, nd6SourceLink)
	case icmp6NA:
		d.nd(d.rest, nd6TargetLink)
	}
	d.transport(8)
	d.judgeICMP6()
}

// size is a number that the two views see differently.
func (d *Decoder) size(engine, strict int) int {
	if d.strict {
		return strict
	}
	return engine
}

// strictICMP6 goes behind the identifier of an echo, and behind the target of neighbour discovery, whose options must
// fill the packet.
func (d *Decoder) strictICMP6() {
	kind := byte(nd6TargetLink)
	switch d.h.ICMPType {
	case icmp6Echo, icmp6EchoReply:
		if len(d.rest) < 8 {
			d.step(4) // a cut echo shows its payload behind the checksum
			d.need(4, ICMPv6TooSmall)
			return
		}
		d.takeID(d.rest)
		d.h.Tuple.SrcPort = d.h.ICMPID
		d.transport(8)
	case icmp6NS:
		kind = nd6SourceLink
		fallthrough
	case icmp6NA:
		whole := d.left == len(d.rest)
		switch {
		case d.nd(d.rest, kind):
			d.transport(24)
		case whole:
			d.fault = ICMPv6TooSmall
		default:
			d.h.ND, d.h.Cut = ND{}, true
			d.step(4)
		}
	default:
		d.transport(4)
	}
}

// judgeICMP6 looks at type, code, hop limit and the packet that an error quotes.
func (d *Decoder) judgeICMP6() {
	t, most, quotes := d.h.ICMPType, uint8(0), false
	switch {
	case t == icmp6Unreachable:
		most, quotes = 6, true
	case t == icmp6TooBig:
		quotes = true
	case t == icmp6Exceeded:
		most, quotes = 1, true
	case t == icmp6Parameter:
		most, quotes = 2, true
	case t == icmp6MLDQuery, t == icmp6MLDReport, t == icmp6MLDDone, t == icmp6MLDReport2:
		if d.h.TTL != 1 {
			d.h.Events.Add(ICMPv6MLDHopLimit)
		}
	case t == icmp6Echo, t == icmp6EchoReply, t > icmp6MLDDone && t <= icmp6Redirect:
	case t > icmp6Redirect && t <= icmp6LastKnown: // assigned, with codes of their own
		return
	default:
		d.note(unknownICMP6(t))
		return
	}
	switch {
	case d.h.ICMPCode > most:
		d.h.Events.Add(ICMPv6UnknownCode)
	case !quotes:
	case len(d.rest) < 40:
		d.h.Events.Add(ICMPv6InnerTruncated)
	case d.rest[0]>>4 != 6:
		d.h.Events.Add(ICMPv6InnerVersion)
	}
}

// unknownICMP6 says why a type is not known (RFC 4443, 2.1 reserves the ends of both halves).
func unknownICMP6(t uint8) Event {
	switch t {
	case 100, 101, 200, 201:
		return ICMPv6ExperimentationType
	case 0, 127, 255:
		return ICMPv6UnknownType
	}
	return ICMPv6UnassignedType
}
