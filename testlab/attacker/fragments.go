package attacker

import (
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// The identifications of the kinds of fragments never meet: what one kind began, another must not go on with.
const (
	tinyIDs    = 0x0000
	overlapIDs = 0x4000
	earlyIDs   = 0x8000
	idsOfAKind = 0x4000
)

func (t Tag) fragmentID(kind uint32) uint16 { return uint16(kind + t.Number%idsOfAKind) }

// fragment is one piece of an IPv4 packet: offset in bytes, a multiple of 8; its payload is not covered by any check.
func (s scene) fragment(id uint16, proto layers.IPProtocol, offset int, more bool, payload []byte, d dice) []byte {
	ip := ipv4(s.listed.ip4, s.peer.ip4, proto, d)
	ip.Id, ip.FragOffset = id, uint16(offset/8)
	if more {
		ip.Flags = layers.IPv4MoreFragments
	}
	return buildPadded(eth(s.listed.mac, s.peer.mac, typeIPv4), ip, gopacket.Payload(payload))
}

// udpStart is the beginning of a UDP packet that the policy allows, whose length is that of the whole packet.
func udpStart(length int, payload int, d dice) []byte {
	sport, dport := d.port(), d.port()
	b := []byte{byte(sport >> 8), byte(sport), byte(dport >> 8), byte(dport), byte(length >> 8), byte(length), 0, 0}
	return append(b, d.bytes(payload)...)
}

func tinyFragment(s scene, d dice, t Tag) [][]byte {
	switch d.IntN(3) {
	case 0: // TCP's flags come with the second fragment
		start := udpStart(0, pick(d, 0, 8), d)
		return one(s.fragment(t.fragmentID(tinyIDs), layers.IPProtocolTCP, 0, true, start, d))
	case 1: // less than a UDP header
		return one(s.fragment(t.fragmentID(tinyIDs), layers.IPProtocolUDP, 0, true, udpStart(108, 0, d)[:d.between(1, 7)], d))
	}
	return one(s.fragment(t.fragmentID(tinyIDs), layers.IPProtocolICMPv4, 0, true, []byte{8, 0, 0, 0}[:d.between(1, 4)], d))
}

func overlapFragment(s scene, d dice, t Tag) [][]byte {
	id := t.fragmentID(overlapIDs)
	first := s.fragment(id, layers.IPProtocolUDP, 0, true, udpStart(200, 56, d), d) // bytes 0 to 63
	// Writes over bytes that the first one carried, in part or in whole: the second opening too.
	switch d.IntN(3) {
	case 0:
		return [][]byte{first, s.fragment(id, layers.IPProtocolUDP, 0, true, udpStart(200, 56, d), d)}
	case 1:
		return [][]byte{first, s.fragment(id, layers.IPProtocolUDP, pick(d, 8, 16, 24, 56), true, d.bytes(64), d)}
	}
	return [][]byte{first, s.fragment(id, layers.IPProtocolUDP, pick(d, 8, 32, 56), false, d.bytes(d.between(1, 64)), d)}
}

func earlyFragment(s scene, d dice, t Tag) [][]byte {
	proto := pick(d, layers.IPProtocolUDP, layers.IPProtocolTCP, layers.IPProtocolICMPv4)
	return one(s.fragment(t.fragmentID(earlyIDs), proto, 8*d.between(1, 180), d.IntN(2) == 0, d.bytes(d.between(8, 128)), d))
}
