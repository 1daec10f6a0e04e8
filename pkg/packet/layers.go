package packet

import (
	"encoding/binary"
	"errors"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// gopacket would follow a tunnel into itself and overwrite the outer packet's layer, decode any number of tags, and
// allocate for each IPv6 option. The types below say where decoding stops.

var (
	errTags       = errors.New("more than two VLAN tags")
	errExtensions = errors.New("IPv6 extension headers")
)

// above is the layer of an EtherType that is decoded.
func above(t layers.EthernetType) gopacket.LayerType {
	switch t {
	case layers.EthernetTypeDot1Q, layers.EthernetTypeQinQ:
		return layers.LayerTypeDot1Q
	case layers.EthernetTypeARP:
		return layers.LayerTypeARP
	case layers.EthernetTypeIPv4:
		return layers.LayerTypeIPv4
	case layers.EthernetTypeIPv6:
		return layers.LayerTypeIPv6
	}
	return gopacket.LayerTypeZero
}

// ethernet starts a frame: it forgets the tags of the last one.
type ethernet struct {
	layers.Ethernet
	tags *tags
}

func (e *ethernet) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	e.tags.n = 0
	return e.Ethernet.DecodeFromBytes(data, df)
}

func (e *ethernet) NextLayerType() gopacket.LayerType { return above(e.EthernetType) }

// tags are at most two VLAN tags.
type tags struct {
	layers.Dot1Q
	vid [2]uint16
	n   int
}

func (t *tags) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	if t.n == len(t.vid) {
		return errTags
	}
	if err := t.Dot1Q.DecodeFromBytes(data, df); err != nil {
		return err
	}
	t.vid[t.n] = t.VLANIdentifier
	t.n++
	return nil
}

func (t *tags) NextLayerType() gopacket.LayerType { return above(t.Type) }

// ipv4 stops at tunnels.
type ipv4 struct{ layers.IPv4 }

func (ip *ipv4) NextLayerType() gopacket.LayerType {
	if ip.Flags&layers.IPv4MoreFragments != 0 || ip.FragOffset != 0 {
		return gopacket.LayerTypeZero
	}
	switch ip.Protocol {
	case layers.IPProtocolTCP:
		return layers.LayerTypeTCP
	case layers.IPProtocolUDP:
		return layers.LayerTypeUDP
	case layers.IPProtocolICMPv4:
		return layers.LayerTypeICMPv4
	case layers.IPProtocolIGMP:
		return layers.LayerTypeIGMP
	}
	return gopacket.LayerTypeZero
}

// maxExtensions is how many IPv6 extension headers a packet may have; the data path has the same limit.
const maxExtensions = 6

// ipv6 is the fixed header (RFC 8200, 3) and the chain of extension headers.
type ipv6 struct {
	layers.BaseLayer
	version, class, hops uint8
	length               int // of the payload, extension headers included
	size                 int // of the fixed header and the extension headers
	proto                layers.IPProtocol
	src, dst             [16]byte
	fragment             bool
	offset               int
	id                   uint32
	cut                  bool   // the chain goes on beyond the captured bytes
	fault                string // what is wrong with the chain
}

func (ip *ipv6) CanDecode() gopacket.LayerClass { return layers.LayerTypeIPv6 }

func (ip *ipv6) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	*ip = ipv6{}
	if len(data) < 40 {
		df.SetTruncated()
		return errExtensions
	}
	ip.version, ip.class, ip.hops = data[0]>>4, data[0]<<4|data[1]>>4, data[7]
	ip.length = int(binary.BigEndian.Uint16(data[4:]))
	ip.proto = layers.IPProtocol(data[6])
	copy(ip.src[:], data[8:])
	copy(ip.dst[:], data[24:])
	rest := data[40:min(len(data), 40+ip.length)]
	left := ip.length
	for n := 0; ip.extension(); n++ {
		size := ip.one(rest, left, n)
		if size == 0 {
			break
		}
		rest, left = rest[size:], left-size
	}
	ip.size = 40 + ip.length - left
	ip.BaseLayer = layers.BaseLayer{Contents: data[:40], Payload: rest}
	if ip.fault != "" {
		return errExtensions
	}
	return nil
}

// extension says whether an extension header comes next.
func (ip *ipv6) extension() bool {
	switch ip.proto {
	case layers.IPProtocolIPv6HopByHop, layers.IPProtocolIPv6Routing, layers.IPProtocolIPv6Fragment, layers.IPProtocolIPv6Destination:
		return ip.offset == 0 // what follows in a later fragment is data
	}
	return false
}

// one reads the n-th extension header at the start of rest and gives its size; 0 ends the chain.
func (ip *ipv6) one(rest []byte, left, n int) int {
	switch {
	case n == maxExtensions:
		ip.fault = "decoder.ipv6.exthdr_too_many"
	case left < 8:
		ip.fault = "decoder.ipv6.trunc_exthdr"
	case len(rest) < 8:
		ip.cut = true
	case ip.proto == layers.IPProtocolIPv6Routing && rest[2] == 0: // deprecated by RFC 5095
		ip.fault = "decoder.ipv6.rh_type_0"
	case ip.proto == layers.IPProtocolIPv6HopByHop && n > 0: // RFC 8200, 4.1
		ip.fault = "decoder.ipv6.exthdr_dupl_hh"
	case ip.proto == layers.IPProtocolIPv6Fragment && ip.fragment:
		ip.fault = "decoder.ipv6.exthdr_dupl_fh"
	case ip.proto == layers.IPProtocolIPv6Fragment:
		ip.fragment = true
		ip.offset = int(binary.BigEndian.Uint16(rest[2:]) &^ 7)
		ip.id = binary.BigEndian.Uint32(rest[4:])
		ip.proto = layers.IPProtocol(rest[0])
		return 8
	default:
		return ip.options(rest, left)
	}
	return 0
}

// options steps over a header whose length is its second byte, in units of 8 after the first.
func (ip *ipv6) options(rest []byte, left int) int {
	size := 8 + 8*int(rest[1])
	switch {
	case size > left:
		ip.fault = "decoder.ipv6.trunc_exthdr"
	case size > len(rest):
		ip.cut = true
	default:
		ip.proto = layers.IPProtocol(rest[0])
		return size
	}
	return 0
}

func (ip *ipv6) NextLayerType() gopacket.LayerType {
	if ip.fragment || ip.cut {
		return gopacket.LayerTypeZero
	}
	switch ip.proto {
	case layers.IPProtocolTCP:
		return layers.LayerTypeTCP
	case layers.IPProtocolUDP:
		return layers.LayerTypeUDP
	case layers.IPProtocolICMPv6:
		return layers.LayerTypeICMPv6
	}
	return gopacket.LayerTypeZero
}

// icmpv6 goes on to echoes and to neighbour discovery.
type icmpv6 struct{ layers.ICMPv6 }

func (i *icmpv6) NextLayerType() gopacket.LayerType {
	switch i.TypeCode.Type() {
	case layers.ICMPv6TypeEchoRequest, layers.ICMPv6TypeEchoReply:
		return layers.LayerTypeICMPv6Echo
	case layers.ICMPv6TypeNeighborSolicitation:
		return layers.LayerTypeICMPv6NeighborSolicitation
	case layers.ICMPv6TypeNeighborAdvertisement:
		return layers.LayerTypeICMPv6NeighborAdvertisement
	}
	return gopacket.LayerTypeZero
}
