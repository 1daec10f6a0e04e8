package attacker

import (
	"encoding/binary"
	"net"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"citygate/pkg/flow"
)

// Ethertypes that generators write by hand (IEEE 802 numbers).
const (
	typeIPv4 = 0x0800
	typeARP  = 0x0806
	typeIPv6 = 0x86dd
	typeVLAN = 0x8100
	typeQinQ = 0x88a8
	typeLLDP = 0x88cc
)

var broadcast = flow.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

func eth(src, dst flow.MAC, kind layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{
		SrcMAC: net.HardwareAddr(src[:]), DstMAC: net.HardwareAddr(dst[:]), EthernetType: kind,
	}
}

func ipv4(src, dst netip.Addr, proto layers.IPProtocol, d dice) *layers.IPv4 {
	return &layers.IPv4{
		Version: 4, TTL: 64, Id: d.u16(), Protocol: proto, SrcIP: src.AsSlice(), DstIP: dst.AsSlice(),
	}
}

func ipv6(src, dst netip.Addr, next layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: next, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
}

// build serialises layers with right lengths and checksums, the tag as the end of the payload.
func build(stack ...gopacket.SerializableLayer) []byte {
	return serialise(gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		append(stack, gopacket.Payload(make([]byte, TagLen)))...)
}

// buildPadded serialises layers, and appends the tag as Ethernet padding: the headers' lengths do not cover it.
func buildPadded(stack ...gopacket.SerializableLayer) []byte {
	f := serialise(gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, stack...)
	return pad(f)
}

// pad appends room for the tag, to at least the 60 bytes of the shortest Ethernet frame.
func pad(f []byte) []byte {
	for len(f) < 60-TagLen {
		f = append(f, 0)
	}
	return append(f, make([]byte, TagLen)...)
}

func serialise(o gopacket.SerializeOptions, stack ...gopacket.SerializableLayer) []byte {
	// ICMP and TCP checksums cover the addresses of the network layer before them.
	var network gopacket.NetworkLayer
	for _, l := range stack {
		switch l := l.(type) {
		case *layers.IPv4:
			network = l
		case *layers.IPv6:
			network = l
		case *layers.TCP:
			_ = l.SetNetworkLayerForChecksum(network)
		case *layers.UDP:
			_ = l.SetNetworkLayerForChecksum(network)
		case *layers.ICMPv6:
			_ = l.SetNetworkLayerForChecksum(network)
		}
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, o, stack...); err != nil {
		// The generators are code: what they build is the same for every seed's shape.
		panic("a generator's layers do not serialise: " + err.Error())
	}
	return append([]byte(nil), buf.Bytes()...)
}

// udp4 is a whole UDP packet between two hosts.
func udp4(src, dst identity, sport, dport uint16, d dice) []byte {
	return build(eth(src.mac, dst.mac, typeIPv4), ipv4(src.ip4, dst.ip4, layers.IPProtocolUDP, d),
		&layers.UDP{SrcPort: layers.UDPPort(sport), DstPort: layers.UDPPort(dport)})
}

func udp6(src, dst identity, sport, dport uint16) []byte {
	return build(eth(src.mac, dst.mac, typeIPv6), ipv6(src.ip6, dst.ip6, layers.IPProtocolUDP),
		&layers.UDP{SrcPort: layers.UDPPort(sport), DstPort: layers.UDPPort(dport)})
}

// syn4 is the opening of a TCP session.
func syn4(src, dst identity, sport, dport uint16, d dice) []byte {
	return build(eth(src.mac, dst.mac, typeIPv4), ipv4(src.ip4, dst.ip4, layers.IPProtocolTCP, d), syn(sport, dport, d))
}

func syn(sport, dport uint16, d dice) *layers.TCP {
	return &layers.TCP{
		SrcPort: layers.TCPPort(sport), DstPort: layers.TCPPort(dport), Seq: d.Uint32(), SYN: true, Window: 64240,
	}
}

// header is an Ethernet header alone.
func header(src, dst flow.MAC, kind uint16) []byte {
	f := append(append([]byte{}, dst[:]...), src[:]...)
	return binary.BigEndian.AppendUint16(f, kind)
}

// allowedUDP is a packet that the policy of the lab lets through: its source and destination ports are RTP's.
func (s scene) allowedUDP(d dice) []byte { return udp4(s.listed, s.peer, d.port(), d.port(), d) }
