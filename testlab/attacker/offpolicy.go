package attacker

import (
	"net/netip"

	"github.com/google/gopacket/layers"
)

func one(frame []byte) [][]byte { return [][]byte{frame} }

// Ports below 1024 that no service of the lab's policy uses, by protocol. RTP is UDP from 1024 on.
var (
	closedTCP = []uint16{21, 22, 23, 25, 81, 135, 139, 445, 502, 2323, 3306, 3389, 5900, 9527, 9530, 37777}
	closedUDP = []uint16{7, 19, 69, 111, 137, 138, 161, 162, 389, 500, 514, 520, 623}
)

func wrongPort(s scene, d dice, _ Tag) [][]byte {
	switch d.IntN(4) {
	case 0:
		return one(udp4(s.listed, s.peer, d.port(), pick(d, closedUDP...), d))
	case 1:
		return one(udp6(s.listed, s.peer, d.port(), pick(d, closedUDP...)))
	case 2:
		return one(build(eth(s.listed.mac, s.peer.mac, typeIPv6), ipv6(s.listed.ip6, s.peer.ip6, layers.IPProtocolTCP),
			syn(d.port(), pick(d, closedTCP...), d)))
	}
	return one(syn4(s.listed, s.peer, d.port(), pick(d, closedTCP...), d))
}

func wrongPeer(s scene, d dice, _ Tag) [][]byte {
	nobody := identity{mac: s.router.mac, ip4: netip.AddrFrom4([4]byte{198, 51, 100, byte(d.Uint32())})}
	if s.toCamera {
		nobody = identity{mac: broadcast, ip4: netip.AddrFrom4([4]byte{10, 0, 0, byte(d.between(100, 200))})}
	}
	to := pick(d, s.far, nobody)
	if !s.toCamera {
		to = pick(d, s.far, nobody, s.router)
	}
	if d.IntN(2) == 0 {
		return one(udp4(s.listed, to, d.port(), d.port(), d))
	}
	return one(syn4(s.listed, to, d.port(), pick[uint16](d, 80, 443, 554, 23), d))
}

func spoofedMAC(s scene, d dice, _ Tag) [][]byte {
	// The listed device's hardware address, and an IP address that is not its own: the attacker's, a neighbour's, any.
	from := identity{mac: s.listed.mac, ip4: pick(d, s.self.ip4, s.near.ip4, s.peer.ip4, anyAddr(d)), ip6: s.self.ip6}
	switch d.IntN(4) {
	case 0:
		return one(udp6(from, s.peer, d.port(), d.port()))
	case 1: // a device of the other side
		return one(udp4(identity{mac: s.peer.mac, ip4: s.peer.ip4}, s.peer, d.port(), d.port(), d))
	}
	return one(udp4(from, s.peer, d.port(), d.port(), d))
}

func anyAddr(d dice) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(d.between(1, 223)), byte(d.Uint32()), byte(d.Uint32()), byte(d.between(1, 254))})
}

func spoofedIP(s scene, d dice, _ Tag) [][]byte {
	from := identity{mac: pick(d, s.self.mac, d.mac()), ip4: s.listed.ip4, ip6: s.listed.ip6}
	switch d.IntN(3) {
	case 0:
		return one(udp6(from, s.peer, d.port(), d.port()))
	case 1:
		return one(syn4(from, s.peer, d.port(), 554, d))
	}
	return one(udp4(from, s.peer, d.port(), d.port(), d))
}

func vlanHop(s scene, d dice, _ Tag) [][]byte {
	f := s.allowedUDP(d)
	tag := func(kind uint16) []byte {
		vid := uint16(d.between(1, 4094)) | uint16(d.IntN(8))<<13
		return []byte{byte(kind >> 8), byte(kind), byte(vid >> 8), byte(vid)}
	}
	tags := tag(pick[uint16](d, typeVLAN, typeQinQ))
	if d.IntN(3) == 0 {
		tags = append(tag(pick[uint16](d, typeVLAN, typeQinQ)), tag(typeVLAN)...)
	}
	return one(append(append(append([]byte{}, f[:12]...), tags...), f[12:]...))
}

func sameSide(s scene, d dice, _ Tag) [][]byte {
	if d.IntN(2) == 0 {
		return one(udp4(s.listed, s.near, d.port(), d.port(), d))
	}
	return one(syn4(s.listed, s.near, d.port(), pick[uint16](d, 80, 443, 554), d))
}

func udpFlood(s scene, d dice, _ Tag) [][]byte {
	if d.IntN(4) == 0 {
		return one(udp6(s.self, s.peer, d.port(), uint16(d.between(1, 65535))))
	}
	return one(udp4(s.self, s.peer, d.port(), uint16(d.between(1, 65535)), d))
}

func macFlood(s scene, d dice, t Tag) [][]byte {
	from := identity{mac: t.short(), ip4: anyAddr(d)}
	return one(udp4(from, pick(d, s.peer, identity{mac: broadcast, ip4: s.peer.ip4}), d.port(), d.port(), d))
}
