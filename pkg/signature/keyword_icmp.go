package signature

import (
	"encoding/binary"

	"citygate/pkg/packet"
)

// isICMP says whether the packet is an ICMP or ICMPv6 message.
func (c *Context) isICMP() bool {
	p := c.Packet.Tuple.Proto
	return (p == ipICMP || p == ipICMPv6) && len(c.Packet.Transport) > 0
}

// icmpNumber compares a number of an ICMP header.
func icmpNumber(name string, high int64, doc string, of func(*packet.Headers) (int64, bool)) Keyword {
	return Keyword{
		Name: name, Where: OnHeader, NeedsPacket: true, Doc: doc,
		Parse: func(b *Builder, value string) error { return b.compare(value, 0, high) },
		Eval: func(c *Context, m *Match) bool {
			if !c.isICMP() {
				return false
			}
			n, ok := of(c.Packet)
			return ok && m.inRange(n)
		},
	}
}

var (
	icmpType = icmpNumber("itype", 255, "the type of the ICMP or ICMPv6 message",
		func(h *packet.Headers) (int64, bool) { return int64(h.ICMPType), true })
	icmpCode = icmpNumber("icode", 255, "the code of the ICMP or ICMPv6 message",
		func(h *packet.Headers) (int64, bool) { return int64(h.ICMPCode), true })
	icmpID = icmpNumber("icmp_id", 65535, "the identifier of the ICMP or ICMPv6 message; without one nothing matches",
		func(h *packet.Headers) (int64, bool) { return int64(h.ICMPID), h.HasICMPID })
	icmpSeq = icmpNumber("icmp_seq", 65535, "the sequence number of the ICMP or ICMPv6 message; without one nothing matches",
		func(h *packet.Headers) (int64, bool) { return int64(h.ICMPSeq), h.HasICMPID })
	icmpMTU = icmpNumber("icmpv6.mtu", 1<<32-1, "the MTU of an ICMPv6 message that a packet was too big (RFC 4443, 3.2)",
		func(h *packet.Headers) (int64, bool) {
			const tooBig = 2
			if h.Tuple.Proto != ipICMPv6 || h.ICMPType != tooBig || len(h.Transport) < 8 {
				return 0, false
			}
			return int64(binary.BigEndian.Uint32(h.Transport[4:8])), true
		})
)

// igmpType is the type of an IGMP message.
var igmpType = Keyword{
	Name: "igmp.type", Where: OnHeader, NeedsPacket: true,
	Doc:   "the type of the IGMP message",
	Parse: func(b *Builder, value string) error { return b.compare(value, 0, 255) },
	Eval: func(c *Context, m *Match) bool {
		return c.Packet.Tuple.Proto == ipIGMP && len(c.Packet.Transport) > 0 && m.inRange(int64(c.Packet.ICMPType))
	},
}
