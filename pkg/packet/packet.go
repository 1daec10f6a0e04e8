// Package packet turns the first bytes of a frame into its headers as plain, comparable values, or into the one thing
// that is wrong with it. It is the only package that knows gopacket.
package packet

import (
	"net/netip"

	"citygate/pkg/flow"
)

// Headers are what a frame says of itself. Fields of a layer that the frame does not have are zero: Tuple.Src.IsValid()
// says that there is an IP packet, ARP.Op != 0 that there is an ARP message, ND.Target.IsValid() the same for ND.
type Headers struct {
	Src, Dst  flow.MAC
	VLAN      flow.VLAN
	EtherType uint16         // after the VLAN tags; below 1536 it is an IEEE 802.3 length
	Tuple     flow.FiveTuple // of an echo the identifier is SrcPort
	TTL       uint8          // IPv4 TTL, IPv6 hop limit
	TOS       uint8          // IPv4 TOS, IPv6 traffic class
	ID        uint32         // IPv4 identification, IPv6 fragment identification
	IPLength  int            // of the whole IP packet, bytes
	Fragment  bool
	Offset    int // of a fragment, bytes

	TCP TCP
	// ICMPType and ICMPCode are of ICMP and ICMPv6; the type of an IGMP message stands in ICMPType.
	ICMPType, ICMPCode uint8
	Group              netip.Addr // of an IGMP message
	ARP                ARP
	ND                 ND

	// Payload is what follows the last header that was decoded, as far as it was captured. It shares the frame's memory.
	Payload []byte
	// Cut says that a header goes on beyond the captured bytes; what was there stands above.
	Cut bool
}

// TCP is a segment's header. Flags are numbered as in RFC 9293, 3.1: FIN is bit 0, CWR bit 7.
type TCP struct {
	Flags    uint8
	Seq, Ack uint32
	Window   uint16
	Options  TCPOptions
}

// Flags of a TCP segment.
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// TCPOptions is the shape of a segment's options: the first kinds in their order, and the values that stay the same
// over the life of a stack.
type TCPOptions struct {
	Kinds  [8]uint8
	N      uint8  // how many there are, also beyond the first eight
	MSS    uint16 // 0 if not given
	Scale  uint8  // window scale
	Scaled bool   // there is a window scale
}

// ARP is an ARP message for IPv4 over Ethernet (RFC 826).
type ARP struct {
	Op                   uint16 // 1 request, 2 reply
	SenderMAC, TargetMAC flow.MAC
	Sender, Target       netip.Addr
}

// ND is a neighbour solicitation or advertisement (RFC 4861, 4.3 and 4.4). Link is the link-layer address option,
// of the source in a solicitation, of the target in an advertisement; HasLink says that there is one.
type ND struct {
	Target  netip.Addr
	Link    flow.MAC
	HasLink bool
}

// Malformed says what is wrong with a frame. The decoder that gave it owns it: it is valid until the next Decode.
type Malformed struct {
	// Event is a fixed word, Suricata's where it has one, such as decoder.ipv4.trunc_pkt.
	Event string
	// Headers hold what could be read before the fault.
	Headers Headers
}

func (m *Malformed) Error() string { return "malformed frame: " + m.Event }
