package attacker

import (
	"encoding/binary"
	"net"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/insomniacslk/dhcp/dhcpv4"

	"citygate/pkg/flow"
)

func arp(op uint16, frameSrc, frameDst, sha flow.MAC, spa netip.Addr, tha flow.MAC, tpa netip.Addr) []byte {
	return buildPadded(eth(frameSrc, frameDst, typeARP), &layers.ARP{
		AddrType: layers.LinkTypeEthernet, Protocol: typeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: op,
		SourceHwAddress: sha[:], SourceProtAddress: spa.AsSlice(), DstHwAddress: tha[:], DstProtAddress: tpa.AsSlice(),
	})
}

func arpSpoof(s scene, d dice, _ Tag) [][]byte {
	op := pick[uint16](d, layers.ARPRequest, layers.ARPReply)
	victim := pick(d, s.listed, s.near, s.router, s.peer)
	switch d.IntN(5) {
	case 0: // gratuitous
		return one(arp(op, s.self.mac, broadcast, s.self.mac, victim.ip4, broadcast, victim.ip4))
	case 1: // the frame's sender is listed, the message's is not it
		return one(arp(op, s.listed.mac, s.peer.mac, s.self.mac, s.listed.ip4, s.peer.mac, s.peer.ip4))
	case 2: // no sender address, as some tools send it
		return one(arp(op, s.listed.mac, s.peer.mac, flow.MAC{}, s.listed.ip4, s.peer.mac, s.peer.ip4))
	case 3: // a listed device claims its neighbour's address
		return one(arp(op, s.listed.mac, s.peer.mac, s.listed.mac, pick(d, s.near.ip4, s.router.ip4, s.far.ip4), s.peer.mac, s.peer.ip4))
	}
	return one(arp(op, s.self.mac, pick(d, s.peer.mac, broadcast), s.self.mac, victim.ip4, s.peer.mac, s.peer.ip4))
}

// multicast6 is the Ethernet address of an IPv6 group (RFC 2464, 7).
func multicast6(group netip.Addr) flow.MAC {
	b := group.As16()
	return flow.MAC{0x33, 0x33, b[12], b[13], b[14], b[15]}
}

var allNodes = netip.MustParseAddr("ff02::1")

// icmp6 is an ICMPv6 message with the hop limit that neighbour discovery needs.
func icmp6(src, dst flow.MAC, from, to netip.Addr, kind uint8, body gopacket.SerializableLayer) []byte {
	ip := ipv6(from, to, layers.IPProtocolICMPv6)
	ip.HopLimit = 255
	return buildPadded(eth(src, dst, typeIPv6), ip, &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, 0)}, body)
}

func ndSpoof(s scene, d dice, _ Tag) [][]byte {
	victim := pick(d, s.listed, s.peer)
	option := func(kind layers.ICMPv6Opt, m flow.MAC) layers.ICMPv6Options {
		return layers.ICMPv6Options{{Type: kind, Data: m[:]}}
	}
	advert := &layers.ICMPv6NeighborAdvertisement{
		Flags: pick[uint8](d, 0x20, 0x60, 0xa0), TargetAddress: victim.ip6.AsSlice(),
		Options: option(layers.ICMPv6OptTargetAddress, s.self.mac),
	}
	switch d.IntN(4) {
	case 0: // to everybody
		return one(icmp6(s.self.mac, multicast6(allNodes), s.self.ip6, allNodes, layers.ICMPv6TypeNeighborAdvertisement, advert))
	case 1: // a listed sender, a foreign target address
		advert.Options = option(layers.ICMPv6OptTargetAddress, d.mac())
		return one(icmp6(s.listed.mac, s.peer.mac, s.listed.ip6, s.peer.ip6, layers.ICMPv6TypeNeighborAdvertisement, advert))
	case 2: // a solicitation whose source option is not the sender
		return one(icmp6(s.listed.mac, s.peer.mac, s.listed.ip6, s.peer.ip6, layers.ICMPv6TypeNeighborSolicitation,
			&layers.ICMPv6NeighborSolicitation{
				TargetAddress: s.peer.ip6.AsSlice(), Options: option(layers.ICMPv6OptSourceAddress, d.mac()),
			}))
	}
	return one(icmp6(s.self.mac, s.peer.mac, victim.ip6, s.peer.ip6, layers.ICMPv6TypeNeighborAdvertisement, advert))
}

func rogueRA(s scene, d dice, _ Tag) [][]byte {
	from := pick(d, s.self, s.listed)
	source := linkLocal(from.mac)
	prefix := append([]byte{64, 0xc0, 0, 0, 0x0e, 0x10, 0, 0, 0x0e, 0x10, 0, 0, 0, 0}, 0xfd, byte(d.Uint32()), byte(d.Uint32()))
	prefix = append(prefix, make([]byte, 30-len(prefix))...)
	return one(icmp6(from.mac, multicast6(allNodes), source, allNodes, layers.ICMPv6TypeRouterAdvertisement,
		&layers.ICMPv6RouterAdvertisement{
			HopLimit: 64, RouterLifetime: uint16(d.between(1, 9000)),
			Options: layers.ICMPv6Options{
				{Type: layers.ICMPv6OptSourceAddress, Data: from.mac[:]},
				{Type: layers.ICMPv6OptPrefixInfo, Data: prefix},
			},
		}))
}

// linkLocal is the address that a host makes from its hardware address (RFC 4291, appendix A).
func linkLocal(m flow.MAC) netip.Addr {
	return netip.AddrFrom16([16]byte{0xfe, 0x80, 8: m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]})
}

func rogueDHCP(s scene, d dice, _ Tag) [][]byte {
	kind := pick(d, dhcpv4.MessageTypeOffer, dhcpv4.MessageTypeAck, dhcpv4.MessageTypeNak)
	client := pick(d, s.peer, s.far)
	m, err := dhcpv4.New(
		dhcpv4.WithMessageType(kind), dhcpv4.WithHwAddr(client.mac[:]),
		dhcpv4.WithYourIP(net.IPv4(10, 0, 0, byte(d.between(100, 200)))),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(s.self.ip4.AsSlice())),
		dhcpv4.WithOption(dhcpv4.OptRouter(s.self.ip4.AsSlice())),
		dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
		dhcpv4.WithLeaseTime(uint32(d.between(60, 86400))))
	if err != nil {
		panic("a generator's DHCP message does not serialise: " + err.Error())
	}
	m.OpCode = dhcpv4.OpcodeBootReply
	binary.BigEndian.PutUint32(m.TransactionID[:], d.Uint32())
	from := pick(d, s.self, identity{mac: s.listed.mac, ip4: s.listed.ip4})
	if s.toCamera {
		from = s.self // the listed server side is where servers may be
	}
	dst, to := broadcast, netip.AddrFrom4([4]byte{255, 255, 255, 255})
	if d.IntN(3) == 0 {
		dst, to = client.mac, client.ip4
	}
	return one(pad(dhcpFrame(from, identity{mac: dst, ip4: to}, m, d)))
}

// dhcpFrame is what a DHCP server says.
func dhcpFrame(from, to identity, m *dhcpv4.DHCPv4, d dice) []byte {
	return serialise(gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		eth(from.mac, to.mac, typeIPv4), ipv4(from.ip4, to.ip4, layers.IPProtocolUDP, d),
		&layers.UDP{SrcPort: 67, DstPort: 68}, gopacket.Payload(m.ToBytes()))
}

// quote is the beginning of a packet as an ICMP error repeats it.
func quote(from, to netip.Addr, d dice) []byte {
	proto := pick(d, layers.IPProtocolUDP, layers.IPProtocolTCP)
	ports := binary.BigEndian.AppendUint16(nil, d.port())
	ports = binary.BigEndian.AppendUint16(ports, uint16(d.between(50000, 65535)))
	if proto == layers.IPProtocolUDP {
		ports = append(ports, 0, 108, 0, 0)
	} else {
		ports = binary.BigEndian.AppendUint32(ports, d.Uint32())
	}
	if from.Is6() {
		ip := ipv6(from, to, proto)
		ip.Length = 108
		return serialise(gopacket.SerializeOptions{}, ip, gopacket.Payload(ports))
	}
	ip := ipv4(from, to, proto, d)
	ip.Length, ip.IHL = 128, 5
	return serialise(gopacket.SerializeOptions{ComputeChecksums: true}, ip, gopacket.Payload(ports))
}

func icmpRedirect(s scene, d dice, _ Tag) [][]byte {
	from := pick(d, s.listed, s.router)
	if !s.toCamera {
		from = pick(d, s.listed, s.self)
	}
	if from.ip6.IsValid() && d.IntN(2) == 0 {
		return one(icmp6(from.mac, s.peer.mac, linkLocal(from.mac), s.peer.ip6, layers.ICMPv6TypeRedirect,
			&layers.ICMPv6Redirect{TargetAddress: s.self.ip6.AsSlice(), DestinationAddress: s.near6(d).AsSlice()}))
	}
	return one(icmp4(from, s.peer, layers.CreateICMPv4TypeCode(layers.ICMPv4TypeRedirect, uint8(d.IntN(4))),
		binary.BigEndian.Uint32(s.self.ip4.AsSlice()), quote(s.peer.ip4, s.near.ip4, d), d))
}

func (s scene) near6(d dice) netip.Addr { return pick(d, s.listed.ip6, s.self.ip6) }

// icmp4 is an ICMP message whose second word is rest (RFC 792).
func icmp4(from, to identity, kind layers.ICMPv4TypeCode, rest uint32, body []byte, d dice) []byte {
	return buildPadded(eth(from.mac, to.mac, typeIPv4), ipv4(from.ip4, to.ip4, layers.IPProtocolICMPv4, d),
		&layers.ICMPv4{TypeCode: kind, Id: uint16(rest >> 16), Seq: uint16(rest)}, gopacket.Payload(body))
}

func forgedICMPError(s scene, d dice, _ Tag) [][]byte {
	if d.IntN(3) == 0 {
		kind := pick[uint8](d, layers.ICMPv6TypeDestinationUnreachable, layers.ICMPv6TypePacketTooBig,
			layers.ICMPv6TypeTimeExceeded, layers.ICMPv6TypeParameterProblem)
		body := append(binary.BigEndian.AppendUint32(nil, uint32(d.between(0, 1280))), quote(s.peer.ip6, s.listed.ip6, d)...)
		ip := ipv6(s.listed.ip6, s.peer.ip6, layers.IPProtocolICMPv6)
		return one(buildPadded(eth(s.listed.mac, s.peer.mac, typeIPv6), ip,
			&layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, 0)}, gopacket.Payload(body)))
	}
	code := pick(d,
		layers.CreateICMPv4TypeCode(layers.ICMPv4TypeDestinationUnreachable, uint8(d.IntN(16))),
		layers.CreateICMPv4TypeCode(layers.ICMPv4TypeTimeExceeded, uint8(d.IntN(2))),
		layers.CreateICMPv4TypeCode(layers.ICMPv4TypeParameterProblem, 0))
	from := pick(d, s.listed, s.router)
	if !s.toCamera {
		from = s.listed
	}
	return one(icmp4(from, s.peer, code, uint32(d.between(0, 1500)), quote(s.peer.ip4, s.listed.ip4, d), d))
}
