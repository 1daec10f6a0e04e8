package packet

import (
	"encoding/binary"
	"math/bits"

	"citygate/pkg/flow"
)

// Checksum is what a checksum says of a header.
type Checksum uint8

// A checksum that is not there is neither right nor wrong: UDP over IPv4 may have none, and a fragment shows none.
const (
	ChecksumNone Checksum = iota
	ChecksumValid
	ChecksumInvalid
)

// ChecksumsValid says that no checksum of the packet is wrong: that of the IPv4 header and that of what it carries. Of
// SCTP, whose CRC Suricata does not check either, and of a fragment only the IPv4 header counts.
func (h *Headers) ChecksumsValid() bool {
	return h.IPv4Checksum() != ChecksumInvalid && h.TransportChecksum() != ChecksumInvalid
}

// IPv4Checksum judges the checksum of the IPv4 header (RFC 791, 3.1).
func (h *Headers) IPv4Checksum() Checksum {
	if h.IPVersion != 4 {
		return ChecksumNone
	}
	return judge(fold(sum(h.Network, 0)))
}

// TransportChecksum judges the checksum of TCP, UDP, ICMP, ICMPv6 or IGMP (RFC 1071), whichever the packet has.
func (h *Headers) TransportChecksum() Checksum {
	if len(h.Transport) == 0 || h.Cut {
		return ChecksumNone
	}
	switch h.Tuple.Proto {
	case flow.TCP:
		return h.withPseudoHeader()
	case flow.UDP:
		if h.Transport[6]|h.Transport[7] == 0 && h.IPVersion == 4 {
			return ChecksumNone // RFC 768; RFC 8200, 8.1 wants one
		}
		return h.withPseudoHeader()
	case flow.ICMPv6:
		return h.withPseudoHeader()
	case flow.ICMP, flow.IGMP:
		return judge(fold(h.body(0)))
	}
	return ChecksumNone
}

// body is the sum of the transport header and the payload. The header's length is even, the payload's may not be.
func (h *Headers) body(start uint64) uint64 { return sum(h.Payload, sum(h.Transport, start)) }

// withPseudoHeader adds the addresses, the length and the protocol (RFC 9293, 3.1; RFC 8200, 8.1).
func (h *Headers) withPseudoHeader() Checksum {
	var addresses []byte
	if h.IPVersion == 4 {
		addresses = h.Network[12:20]
	} else {
		addresses = h.Network[8:40]
	}
	start := uint64(len(h.Transport)+len(h.Payload)) + uint64(h.Tuple.Proto)
	start = sum(addresses, start)
	return judge(fold(h.body(start)))
}

func judge(folded uint16) Checksum {
	if folded == 0xffff {
		return ChecksumValid
	}
	return ChecksumInvalid
}

// sum adds the 16-bit words of b, in network byte order, in ones' complement over 64 bits: 8 bytes at a time.
func sum(b []byte, s uint64) uint64 {
	var carry uint64
	for len(b) >= 32 {
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(b), 0)
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(b[8:]), carry)
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(b[16:]), carry)
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(b[24:]), carry)
		s, carry = bits.Add64(s, 0, carry)
		s += carry
		b = b[32:]
	}
	for len(b) >= 8 {
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(b), 0)
		s += carry
		b = b[8:]
	}
	if len(b) > 0 {
		var tail [8]byte
		copy(tail[:], b)
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(tail[:]), 0)
		s += carry
	}
	return s
}

// fold brings a sum to 16 bits.
func fold(s uint64) uint16 {
	s = s>>32 + s&0xffffffff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return uint16(s)
}
