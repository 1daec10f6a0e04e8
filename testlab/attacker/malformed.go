package attacker

import (
	"encoding/binary"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

func malformedEthernet(s scene, d dice, t Tag) [][]byte {
	switch d.IntN(4) {
	case 0: // a header alone, or little more
		return one(append(header(t.short(), s.peer.mac, pick[uint16](d, typeIPv4, typeARP, typeIPv6)), d.bytes(d.IntN(4))...))
	case 1: // a group as sender
		src := d.mac()
		src[0] |= 1
		return one(pad(append(header(src, s.peer.mac, typeIPv4), d.bytes(30)...)))
	case 2: // 802.3: a length that is more than the frame, or nothing
		return one(pad(append(header(s.listed.mac, s.peer.mac, pick[uint16](d, 0, 1, 1499, 1500)), d.bytes(30)...)))
	}
	// Between the lengths and the ethertypes: neither (IEEE 802.3, 3.2.6).
	return one(pad(append(header(s.listed.mac, s.peer.mac, uint16(d.between(1501, 1535))), d.bytes(30)...)))
}

func malformedVLAN(s scene, d dice, t Tag) [][]byte {
	kind := pick[uint16](d, typeVLAN, typeQinQ)
	if d.IntN(2) == 0 { // cut inside the first or the second tag
		f := header(t.short(), s.peer.mac, kind)
		if d.IntN(2) == 0 {
			f = append(f, 0, byte(d.between(1, 255)), typeVLAN>>8, typeVLAN&0xff)
		}
		return one(append(f, d.bytes(d.IntN(4))...))
	}
	f := header(s.listed.mac, s.peer.mac, kind)
	for range d.between(2, 6) { // three tags and more
		f = binary.BigEndian.AppendUint16(f, uint16(d.between(1, 4094)))
		f = binary.BigEndian.AppendUint16(f, typeVLAN)
	}
	f = binary.BigEndian.AppendUint16(f, uint16(d.between(1, 4094)))
	return one(pad(append(f, s.allowedUDP(d)[12:]...)))
}

func malformedARP(s scene, d dice, t Tag) [][]byte {
	f := arp(layers.ARPRequest, s.listed.mac, broadcast, s.listed.mac, s.listed.ip4, s.peer.mac, s.peer.ip4)
	switch d.IntN(6) {
	case 0: // cut off; the tag is in the sender's address
		src := t.short()
		return one(append(header(src, broadcast, typeARP), f[14:14+d.between(0, ShortLen-15)]...))
	case 1:
		binary.BigEndian.PutUint16(f[14:], uint16(d.between(2, 65535))) // hardware type
	case 2:
		binary.BigEndian.PutUint16(f[16:], pick[uint16](d, 0, typeARP, typeIPv6, 0xffff)) // protocol type
	case 3:
		f[18] = pick[byte](d, 0, 5, 7, 8, 255) // hardware address length
	case 4:
		f[19] = pick[byte](d, 0, 3, 5, 16, 255) // protocol address length
	case 5:
		binary.BigEndian.PutUint16(f[20:], uint16(pick(d, 0, d.between(3, 65535)))) // operation
	}
	return one(f)
}

func malformedIPv4(s scene, d dice, t Tag) [][]byte {
	f := s.allowedUDP(d)
	switch d.IntN(7) {
	case 0: // cut off
		return one(append(header(t.short(), s.peer.mac, typeIPv4), f[14:14+d.between(0, ShortLen-15)]...))
	case 1:
		f[14] = byte(pick(d, 0, 1, 2, 3, 5, 6, 7, 15))<<4 | 5 // version
	case 2:
		f[14] = 4<<4 | byte(d.IntN(5)) // header length below the least
	case 3:
		f[14] = 4<<4 | 15                                             // 60 bytes of header
		binary.BigEndian.PutUint16(f[16:], uint16(d.between(20, 59))) // in less of packet
	case 4:
		binary.BigEndian.PutUint16(f[16:], uint16(d.IntN(20))) // total length below the header's
	case 5:
		binary.BigEndian.PutUint16(f[16:], uint16(d.between(len(f)-13, 65535))) // more than the frame
	case 6:
		f[20] |= 0x80 // the reserved flag
		f[21] = byte(d.Uint32())
	}
	return one(f)
}

func malformedIPv6(s scene, d dice, t Tag) [][]byte {
	f := udp6(s.listed, s.peer, d.port(), d.port())
	switch d.IntN(4) {
	case 0: // cut off
		return one(append(header(t.short(), s.peer.mac, typeIPv6), f[14:14+d.between(0, ShortLen-15)]...))
	case 1:
		f[14] = byte(pick(d, 0, 4, 5, 7, 15)) << 4 // version
	case 2:
		binary.BigEndian.PutUint16(f[18:], uint16(d.between(len(f)-53, 65535))) // more than the frame
	case 3: // more extension headers than anybody needs
		return one(extended(s, d, d.between(7, 20)))
	}
	return one(f)
}

// extended is an allowed UDP packet behind n destination options headers (RFC 8200, 4.6).
func extended(s scene, d dice, n int) []byte {
	ip := ipv6(s.listed.ip6, s.peer.ip6, layers.IPProtocolIPv6Destination)
	var body []byte
	for i := range n {
		next := layers.IPProtocolIPv6Destination
		if i == n-1 {
			next = layers.IPProtocolUDP
		}
		body = append(body, byte(next), 0, 1, 4, 0, 0, 0, 0) // PadN
	}
	body = append(body, udpStart(8+TagLen, 0, d)...)
	return build(eth(s.listed.mac, s.peer.mac, typeIPv6), ip, gopacket.Payload(body))
}

// payload4 is an allowed pair's IPv4 packet around any bytes, whose length is right; the tag is padding behind it.
func payload4(s scene, d dice, proto layers.IPProtocol, body []byte) []byte {
	return buildPadded(eth(s.listed.mac, s.peer.mac, typeIPv4), ipv4(s.listed.ip4, s.peer.ip4, proto, d), gopacket.Payload(body))
}

// tcpHeader is the header of a reply to the peer: its port says RTSP, so that only its form can be wrong.
func tcpHeader(s scene, d dice, offset, flags byte) []byte {
	sport, dport := uint16(554), d.port()
	if s.toCamera {
		sport, dport = dport, sport
	}
	b := binary.BigEndian.AppendUint16(nil, sport)
	b = binary.BigEndian.AppendUint16(b, dport)
	b = append(b, d.bytes(8)...)
	return append(b, offset<<4, flags, 0xfa, 0xf0, 0, 0, 0, 0)
}

func malformedTCP(s scene, d dice, _ Tag) [][]byte {
	const fin, syn, rst, ack = 1, 2, 4, 16
	switch d.IntN(4) {
	case 0: // cut off by the packet's length
		return one(payload4(s, d, layers.IPProtocolTCP, tcpHeader(s, d, 5, ack)[:d.between(1, 19)]))
	case 1: // data offset below the least
		return one(payload4(s, d, layers.IPProtocolTCP, tcpHeader(s, d, byte(d.IntN(5)), ack)))
	case 2: // data offset beyond the packet
		return one(payload4(s, d, layers.IPProtocolTCP, tcpHeader(s, d, byte(d.between(6, 15)), ack)))
	}
	flags := pick[byte](d, 0, syn|fin, syn|rst, syn|fin|rst|ack, 0xff, fin|rst)
	return one(payload4(s, d, layers.IPProtocolTCP, tcpHeader(s, d, 5, flags)))
}

func malformedUDP(s scene, d dice, _ Tag) [][]byte {
	body := udpStart(8+32, 32, d)
	switch d.IntN(3) {
	case 0: // cut off
		return one(payload4(s, d, layers.IPProtocolUDP, body[:d.between(1, 7)]))
	case 1: // below the header's
		binary.BigEndian.PutUint16(body[4:], uint16(d.IntN(8)))
	case 2: // beyond the packet
		binary.BigEndian.PutUint16(body[4:], uint16(d.between(41, 65535)))
	}
	return one(payload4(s, d, layers.IPProtocolUDP, body))
}

func malformedICMP(s scene, d dice, _ Tag) [][]byte {
	switch d.IntN(3) {
	case 0: // cut off
		return one(payload4(s, d, layers.IPProtocolICMPv4, []byte{8, 0, 0, 0, 0, 1, 0}[:d.between(1, 7)]))
	case 1: // types that nobody assigned, or that are long gone (RFC 6918)
		body := append([]byte{byte(pick(d, 1, 2, 4, 7, 15, 16, 17, 18, d.between(44, 252))), 0, 0, 0}, d.bytes(20)...)
		return one(payload4(s, d, layers.IPProtocolICMPv4, body))
	}
	// An error that quotes less than a header.
	body := append([]byte{pick[byte](d, 3, 11, 12), 0, 0, 0, 0, 0, 0, 0}, d.bytes(d.IntN(20))...)
	return one(payload4(s, d, layers.IPProtocolICMPv4, body))
}

func unknownEthertype(s scene, d dice, _ Tag) [][]byte {
	kind := uint16(d.between(0x0600, 0xffff))
	switch kind {
	case typeIPv4, typeARP, typeIPv6, typeVLAN, typeQinQ, typeLLDP:
		kind++ // none of these has another one as its successor
	}
	return one(pad(append(header(pick(d, s.listed.mac, s.self.mac), s.peer.mac, kind), d.bytes(d.between(30, 200))...)))
}
