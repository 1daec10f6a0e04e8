package packet

import "fmt"

// LinkType says with which header a frame begins; the numbers are those of capture files (LINKTYPE_...).
type LinkType uint16

// The link types that are decoded.
const (
	LinkNull     LinkType = 0   // BSD loopback: address family in the host's byte order
	LinkEthernet LinkType = 1   //
	LinkPPP      LinkType = 9   // PPP, with or without HDLC-like framing
	LinkRaw      LinkType = 101 // IPv4 or IPv6 without a link header
	LinkLoop     LinkType = 108 // OpenBSD loopback: address family in network byte order
	LinkSLL      LinkType = 113 // Linux "any" device
	LinkIPv4     LinkType = 228 //
	LinkIPv6     LinkType = 229 //
	LinkSLL2     LinkType = 276 // Linux "any" device, second version
	// LinkVLAN begins with a VLAN tag; only a tunnel carries it, no capture.
	LinkVLAN LinkType = 0xff81
)

// LinkError refuses a link type by its number.
type LinkError struct{ Link uint32 }

func (e *LinkError) Error() string {
	return fmt.Sprintf("link type %d is not decoded; Ethernet, raw IP, BSD loopback, Linux SLL and PPP are", e.Link)
}

// captureLink is the link type of a number in a capture file. Raw IP has had three numbers.
func captureLink(n uint32) (LinkType, error) {
	switch n {
	case 12, 14, uint32(LinkRaw):
		return LinkRaw, nil
	case uint32(LinkNull), uint32(LinkEthernet), uint32(LinkPPP), uint32(LinkLoop), uint32(LinkSLL), uint32(LinkIPv4),
		uint32(LinkIPv6), uint32(LinkSLL2):
		return LinkType(n), nil
	}
	return 0, &LinkError{n}
}
