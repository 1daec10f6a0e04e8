// Package packet turns the first bytes of a frame into its headers as plain, comparable values, with what is odd in them,
// or into the one thing that makes it unreadable. It also reads captures. There are two views of a frame: Decode is
// strict and knows that the captured bytes may end early (the watch sees samples), DecodeLink is Suricata's (the engine
// sees whole frames).
package packet

import (
	"net/netip"

	"citygate/pkg/flow"
)

// MaxVLANs is how many VLAN tags of a frame are kept; Suricata has the same limit.
const MaxVLANs = 3

// MaxTunnels is how often a caller may follow Inner from one frame; honest networks nest two at most. A packet deeper
// than that is one with the event TooManyLayers.
const MaxTunnels = 4

// Headers are what a frame says of itself. Fields of a layer that the frame does not have are zero: Tuple.Src.IsValid()
// says that there is an IP packet, ARP.Op != 0 that there is an ARP message, ND.Target.IsValid() the same for ND. The
// slices share the frame's memory.
type Headers struct {
	Src, Dst  flow.MAC
	VLAN      flow.VLAN
	VLANs     [MaxVLANs]uint16 // VLAN ids from the outermost on, VLANCount of them
	VLANCount uint8
	IPVersion uint8          // 4 or 6 if there is an IP packet whose fixed header is sound
	EtherType uint16         // after the VLAN tags; below 1536 it is an IEEE 802.3 length
	Tuple     flow.FiveTuple // of an echo the identifier is SrcPort
	TTL       uint8          // IPv4 TTL, IPv6 hop limit
	TOS       uint8          // IPv4 TOS, IPv6 traffic class
	ID        uint32         // IPv4 identification, IPv6 fragment identification
	IPLength  int            // of the whole IP packet, bytes
	Offset    int            // of a fragment, bytes
	// Fragment says that the packet is a piece of a datagram: nothing behind Network is decoded, Payload is its data. In
	// the engine's view an atomic IPv6 fragment (RFC 6946) is none.
	Fragment bool
	// MoreFragments, DontFragment and Reserved are the three bits beside an IPv4 fragment offset; IPv6 has the first.
	MoreFragments, DontFragment, Reserved bool

	TCP TCP
	// ICMPType and ICMPCode are of ICMP and ICMPv6; the type of an IGMP message stands in ICMPType.
	ICMPType, ICMPCode uint8
	// ICMPID and ICMPSeq are there in an echo, and in an ICMP timestamp, information or address mask message.
	HasICMPID       bool
	ICMPID, ICMPSeq uint16
	Group           netip.Addr // of an IGMP message
	ARP             ARP
	ND              ND

	// Network is the IP header: of IPv4 with its options, of IPv6 with the extension headers; the fragment header of an
	// IPv6 fragment is its last 8 bytes.
	Network []byte
	// Transport is the header behind it: of TCP with its options, of ICMP and ICMPv6 the first 8 bytes.
	Transport []byte
	// Payload is what follows the last header that was decoded, as far as it was captured.
	Payload []byte
	// Tunnel is the packet inside; see Inner.
	Tunnel Tunnel
	// Events are what is odd, the fatal one included.
	Events Events
	// Cut says that a header goes on beyond the captured bytes; what was there stands above. In the engine's view it says
	// that fewer bytes were captured than the frame had.
	Cut bool
}

// Tunnel is a packet inside a packet: Data, which begins with a header of Link. Data is nil if there is none.
type Tunnel struct {
	Link LinkType
	Data []byte
}

// Inner is what a tunnel carries: GRE, IP in IP in all four pairings, Teredo, VXLAN or GENEVE. The caller decodes it
// with another DecodeLink, at most MaxTunnels times from one frame.
func (h *Headers) Inner() (link LinkType, data []byte, ok bool) {
	return h.Tunnel.Link, h.Tunnel.Data, h.Tunnel.Data != nil
}

// Inherit takes over the link layer of the packet around h: for the inside of a tunnel that has none of its own, and for
// a datagram that was put together from fragments.
func (h *Headers) Inherit(outer *Headers) {
	if h.Src == (flow.MAC{}) && h.Dst == (flow.MAC{}) {
		h.Src, h.Dst = outer.Src, outer.Dst
	}
	if h.VLANCount == 0 {
		h.VLAN, h.VLANs, h.VLANCount = outer.VLAN, outer.VLANs, outer.VLANCount
	}
}

// TCP is a segment's header. Flags are numbered as in RFC 9293, 3.1: FIN is bit 0, CWR bit 7.
type TCP struct {
	Flags    uint8
	Seq, Ack uint32
	Window   uint16
	Urgent   uint16
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

	SACKPermitted bool
	FastOpen      bool // there is a TCP fast open option (RFC 7413), also the experimental one
	Timestamped   bool // there are TSval and TSecr (RFC 7323)
	TSval, TSecr  uint32
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

// Malformed says what is wrong with a frame. The decoder that gave it owns it: it is valid until the next decoding.
type Malformed struct {
	// Event is a fixed word, Suricata's where it has one, such as decoder.ipv4.trunc_pkt. Code is the same as a number.
	Event string
	Code  Event
	// Headers hold what could be read before the fault. Their IPVersion is 0 if the fault lies in the IP header itself:
	// then no rule may look at addresses.
	Headers Headers
}

func (m *Malformed) Error() string { return "malformed frame: " + m.Event }
