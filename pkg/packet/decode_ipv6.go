package packet

import (
	"encoding/binary"
	"net/netip"

	"citygate/pkg/flow"
)

// maxExtensions is how many IPv6 extension headers the strict view lets a packet have; the data path has the same limit.
// The engine's view has none: each takes 8 bytes of the packet at least.
const maxExtensions = 6

// ipv6 reads the fixed header (RFC 8200, 3), the extension headers and what follows.
func (d *Decoder) ipv6() {
	if !d.need(40, IPv6TooSmall) || !d.layer() {
		return
	}
	b := d.rest
	length := int(binary.BigEndian.Uint16(b[4:]))
	d.h.Tuple = flow.FiveTuple{Src: netip.AddrFrom16([16]byte(b[8:24])), Dst: netip.AddrFrom16([16]byte(b[24:40]))}
	d.h.TTL, d.h.TOS, d.h.IPLength = b[7], b[0]<<4|b[1]>>4, 40+length
	switch {
	case b[0]>>4 != 6:
		d.fault = IPv6WrongVersion
		return
	case 40+length > d.left:
		d.fault = IPv6Truncated
		return
	}
	d.h.IPVersion = 6
	d.rest, d.left = b[40:min(40+length, len(b))], length
	next, whole := d.extensions(b[6])
	size := 40 + length - d.left
	d.h.Network = b[:size:size]
	d.h.Tuple.Proto = flow.Proto(next)
	switch {
	case d.fault != EventNone:
	case d.h.Fragment:
		d.fragment6()
	case whole:
		d.aboveIPv6(next)
	}
}

// fragment6 ends a fragment: what follows is decoded when the datagram is whole.
func (d *Decoder) fragment6() {
	if d.strict {
		if d.h.Offset+d.left > 65535 {
			d.fault = IPv6FragTooLarge
		}
		return
	}
	d.h.Tuple.Proto = protoFragment
	if d.h.Offset+d.left > 65535 {
		d.h.Events.Add(IPv6FragTooLarge)
	}
	if d.h.MoreFragments && d.left%8 != 0 { // RFC 8200, 4.5
		d.h.Events.Add(IPv6FragInvalidLength)
	}
}

// chain is what an IPv6 packet had of extension headers so far.
type chain struct {
	n, destinations                         int
	hopByHop, routing, authentication, frag bool
}

// extensions steps over the extension headers from next on. It gives the protocol behind them; whole is false if they
// end early, or in a fragment.
func (d *Decoder) extensions(next byte) (proto byte, whole bool) {
	var c chain
	for ; d.isExtension(next); c.n++ {
		if d.strict && c.n == maxExtensions {
			d.fault = IPv6TooManyExtensions
			return next, false
		}
		if !d.need(8, IPv6TruncatedExtension) {
			return next, false
		}
		size := extensionSize(next, d.rest)
		if !d.judge(&c, next) || !d.need(size, IPv6TruncatedExtension) {
			return next, false
		}
		if next == protoHopByHop || next == protoDestination {
			d.options(&c, next, d.rest[2:size])
		}
		next = d.rest[0]
		d.step(size)
		if d.h.Fragment && (!d.strict || d.h.Offset != 0) {
			return next, false
		}
	}
	if !d.strict && c.n > 0 && next != protoNone && d.left < 2 {
		d.fault = IPv6TruncatedExtension
		return next, false
	}
	return next, true
}

// isExtension says whether a protocol number is an extension header that the view steps over.
func (d *Decoder) isExtension(next byte) bool {
	switch next {
	case protoHopByHop, protoRouting, protoFragment, protoDestination:
		return true
	case protoAH, protoMobility, protoHIP, protoSHIM6:
		return !d.strict
	}
	return false
}

// extensionSize is the size of the header b, of at least 8 bytes.
func extensionSize(kind byte, b []byte) int {
	switch kind {
	case protoFragment:
		return 8
	case protoAH: // RFC 4302, 2.2: in units of 4 bytes, less 2
		return max(12, 4*(int(b[1])+2))
	}
	return 8 + 8*int(b[1])
}

// judge notes what is odd about one extension header at the start of d.rest. It reports whether to step over it.
func (d *Decoder) judge(c *chain, kind byte) bool {
	switch kind {
	case protoHopByHop:
		if c.hopByHop || d.strict && c.n > 0 { // RFC 8200, 4.1
			return d.odd(IPv6DuplicateHopByHop)
		}
		c.hopByHop = true
	case protoRouting:
		if c.routing && !d.strict {
			return d.odd(IPv6DuplicateRouting)
		}
		c.routing = true
		if d.rest[2] == 0 { // deprecated by RFC 5095
			return d.odd(IPv6RoutingType0)
		}
	case protoFragment:
		return d.fragment(c)
	case protoAH:
		if d.rest[2]|d.rest[3] != 0 {
			d.h.Events.Add(IPv6AHReserved)
		}
		if c.authentication {
			d.h.Events.Add(IPv6DuplicateAH)
		}
		c.authentication = true
	}
	return true
}

// fragment reads a fragment header (RFC 8200, 4.5). One that says that there is only one fragment is no fragmentation
// (RFC 6946), but odd.
func (d *Decoder) fragment(c *chain) bool {
	b := d.rest
	if b[1] != 0 {
		d.h.Events.Add(IPv6FragmentReserved)
	}
	if c.frag {
		return d.odd(IPv6DuplicateFragment)
	}
	c.frag = true
	field := binary.BigEndian.Uint16(b[2:])
	d.h.ID = binary.BigEndian.Uint32(b[4:])
	d.h.Offset, d.h.MoreFragments = int(field&^7), field&1 != 0
	d.h.Fragment = d.strict || d.h.Offset != 0 || d.h.MoreFragments
	if d.h.Offset == 0 && !d.h.MoreFragments {
		d.h.Events.Add(IPv6UselessFragment)
	}
	return true
}

// IPv6 options (IANA).
const (
	opt6Pad1        = 0
	opt6PadN        = 1
	opt6RouterAlert = 5
	opt6Jumbo       = 194
	opt6HomeAddress = 201
)

// options walks the options of a hop-by-hop or destination header (RFC 8200, 4.2).
func (d *Decoder) options(c *chain, kind byte, b []byte) {
	if d.strict || !c.first(kind, d) {
		return
	}
	padding, other := 0, 0
	for len(b) > 0 {
		if b[0] == opt6Pad1 {
			padding++
			b = b[1:]
			continue
		}
		if len(b) < 2 || 2+int(b[1]) > len(b) || int(b[1]) < least6(b[0]) {
			d.h.Events.Add(IPv6InvalidOptionLength)
			break
		}
		switch b[0] {
		case opt6PadN:
			padding++
			if b[1] == 0 {
				d.h.Events.Add(IPv6ZeroLengthPadN)
			}
		case opt6RouterAlert, opt6Jumbo, opt6HomeAddress:
			other++
		default:
			other++
			d.h.Events.Add(byKind(kind, IPv6HopByHopUnknownOption, IPv6DestinationUnknownOption))
		}
		b = b[2+int(b[1]):]
	}
	if padding > 0 && other == 0 {
		d.h.Events.Add(byKind(kind, IPv6HopByHopOnlyPadding, IPv6DestinationOnlyPadding))
	}
}

// first says whether the options of a header are to be read: there may be two destination headers, one for the routers
// of a routing header and one for the destination, and one hop-by-hop header.
func (c *chain) first(kind byte, d *Decoder) bool {
	if kind == protoHopByHop {
		return !d.h.Events.Has(IPv6DuplicateHopByHop)
	}
	c.destinations++
	if c.destinations > 2 {
		d.h.Events.Add(IPv6DuplicateDestination)
	}
	return c.destinations <= 2
}

func byKind(kind byte, hopByHop, destination Event) Event {
	if kind == protoHopByHop {
		return hopByHop
	}
	return destination
}

// least6 is how many bytes an option has at least.
func least6(option byte) int {
	switch option {
	case opt6RouterAlert:
		return 2
	case opt6Jumbo:
		return 4
	case opt6HomeAddress:
		return 16
	}
	return 0
}

func (d *Decoder) aboveIPv6(next byte) {
	switch flow.Proto(next) {
	case flow.TCP:
		d.tcp()
	case flow.UDP:
		d.udp()
	case flow.ICMPv6:
		d.icmp6()
	case flow.ICMP:
		if !d.strict {
			d.h.Events.Add(IPv6WithICMPv4)
		}
	case protoIPv4, protoIPv6, protoGRE, protoSCTP, protoESP:
		if !d.strict {
			d.aboveIP()
		}
	case protoNone:
		if !d.strict && d.left > 0 {
			d.h.Events.Add(IPv6DataAfterNone)
		}
	default:
		if !d.strict {
			d.h.Events.Add(IPv6UnknownNextHeader)
		}
	}
}
