//go:build lab

package datapath

import (
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"citygate/pkg/flow"
	"citygate/pkg/verdict"
)

var (
	nLobby  = node{macLobby, ipLobby}
	nHall   = node{macHall, ipHall}
	nMain   = node{macMain, ipMain}
	nCore   = node{macCore, ipCore}
	nRemote = node{macCore, ipRemote}
	nGroup  = node{macSSDP, addrGroup}
)

func arpFrame(ethSrc, ethDst flow.MAC, op uint16, sha flow.MAC, spa netip.Addr, tha flow.MAC, tpa netip.Addr) []byte {
	return build(eth(ethSrc, ethDst, layers.EthernetTypeARP), &layers.ARP{
		AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: op,
		SourceHwAddress: sha[:], SourceProtAddress: spa.AsSlice(), DstHwAddress: tha[:], DstProtAddress: tpa.AsSlice(),
	})
}

func fragment(a, b node, id uint16, off int, more bool, payload []byte) []byte {
	ip := ip4(a.ip, b.ip, layers.IPProtocolUDP)
	ip.Id, ip.FragOffset = id, uint16(off/8)
	if more {
		ip.Flags = layers.IPv4MoreFragments
	}
	return build(eth(a.mac, b.mac, layers.EthernetTypeIPv4), ip, gopacket.Payload(payload))
}

// firstFragment is a UDP header to port 5004 with 24 bytes behind it: 32 bytes of IP payload.
func firstFragment(id uint16) []byte {
	return fragment(nLobby, nRemote, id, 0, true, append([]byte{0x1f, 0x40, 0x13, 0x8c, 0x04, 0, 0, 0}, make([]byte, 24)...))
}

func vlan(id uint16, frame []byte) []byte {
	out := append([]byte{}, frame[:12]...)
	out = append(out, 0x81, 0x00, byte(id>>8), byte(id))
	return append(out, frame[12:]...)
}

func dhcpFrame(a node, dst node, op byte, sport, dport uint16, chaddr flow.MAC) []byte {
	p := make([]byte, 240)
	p[0], p[1], p[2] = op, 1, 6
	copy(p[28:], chaddr[:])
	return udp(a, dst, sport, dport, p...)
}

func icmpError(a, b node, quotedSrc, quotedDst netip.Addr, sport, dport uint16) []byte {
	u := &layers.UDP{SrcPort: layers.UDPPort(sport), DstPort: layers.UDPPort(dport), Length: 8}
	buf := gopacket.NewSerializeBuffer()
	must(gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, ip4(quotedSrc, quotedDst, layers.IPProtocolUDP), u))
	return build(eth(a.mac, b.mac, layers.EthernetTypeIPv4), ip4(a.ip, b.ip, layers.IPProtocolICMPv4),
		&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(3, 3)}, gopacket.Payload(buf.Bytes()))
}

func echo(a, b node, typ uint8, id uint16) []byte {
	return build(eth(a.mac, b.mac, layers.EthernetTypeIPv4), ip4(a.ip, b.ip, layers.IPProtocolICMPv4), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(typ, 0), Id: id})
}

func neighbour(a node, dstMAC flow.MAC, dst netip.Addr, typ uint8, target netip.Addr, option layers.ICMPv6Opt, lladdr flow.MAC) []byte {
	ip := ip6(a.ip, dst, layers.IPProtocolICMPv6)
	ip.HopLimit = 255
	icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(typ, 0)}
	must(icmp.SetNetworkLayerForChecksum(ip))
	body := append([]byte{0, 0, 0, 0}, target.AsSlice()...)
	if typ == 134 {
		body = make([]byte, 12)
	}
	body = append(body, byte(option), 1)
	body = append(body, lladdr[:]...)
	return build(eth(a.mac, dstMAC, layers.EthernetTypeIPv6), ip, icmp, gopacket.Payload(body))
}

// Each step of the story is a frame and the reason for which it must leave. A story starts with a fresh bridge.
type step struct {
	name  string
	side  flow.Side
	frame []byte
	want  verdict.Reason
}

const (
	cam = flow.CameraSide
	srv = flow.ServerSide
)

func corrupt(frame []byte, at int, b byte) []byte {
	out := append([]byte{}, frame...)
	out[at] = b
	return out
}

func TestStories(t *testing.T) {
	snMAC := flow.MAC{0x33, 0x33, 0xff, 0, 0, 0x02}
	snMain := netip.MustParseAddr("ff02::1:ff00:2")
	n6Lobby, n6Main := node{macLobby, ip6Lobby}, node{macMain, ip6Main}
	rtsp := tcp(nMain, nLobby, 40000, 554, true, false)
	stories := map[string][]step{
		"tcp": {
			{"opens", srv, rtsp, verdict.ReasonPolicy},
			{"is cached", srv, tcp(nMain, nLobby, 40000, 554, false, true), verdict.ReasonCached},
			{"answer", cam, tcp(nLobby, nMain, 554, 40000, true, true), verdict.ReasonReply},
			{"answer is cached", cam, tcp(nLobby, nMain, 554, 40000, false, true), verdict.ReasonCached},
			{"the camera cannot open backwards", cam, tcp(nLobby, nMain, 554, 40000, true, false), verdict.ReasonTCPNoSession},
			{"nor on a cache miss", cam, tcp(nLobby, nMain, 554, 40001, true, false), verdict.ReasonTCPNoSession},
			{"another MAC does not use the cache", srv, tcp(node{macThief, ipMain}, nLobby, 40000, 554, false, true), verdict.ReasonUnknownDevice},
			{"nor another receiver", srv, tcp(nMain, node{macHall, ipLobby}, 40000, 554, false, true), verdict.ReasonMACMismatch},
			{"ipv6", srv, tcp(n6Main, n6Lobby, 40000, 554, true, false), verdict.ReasonPolicy},
			{"through the router", srv, tcp(nRemote, nLobby, 40000, 554, true, false), verdict.ReasonPolicy},
		},
		"off policy": {
			{"wrong port", srv, tcp(nMain, nLobby, 40000, 23, true, false), verdict.ReasonNoRule},
			{"wrong peer", cam, tcp(nLobby, nCore, 40000, 554, true, false), verdict.ReasonNoRule},
			{"unknown MAC", cam, tcp(node{macThief, ipLobby}, nMain, 1, 554, true, false), verdict.ReasonUnknownDevice},
			{"the server's MAC from the camera side", cam, rtsp, verdict.ReasonWrongSide},
			{"another's address", cam, udp(node{macLobby, ipHall}, nMain, 5000, 53), verdict.ReasonIPSpoofed},
			{"an address behind the router, from a camera", cam, udp(node{macLobby, ipRemote}, nMain, 5000, 53), verdict.ReasonIPSpoofed},
			{"unlisted destination", cam, udp(nLobby, node{macCore, netip.MustParseAddr("8.8.8.8")}, 5000, 53), verdict.ReasonUnknownDestination},
			{"own side", cam, tcp(nLobby, node{macHall, ipLobby}, 1, 554, true, false), verdict.ReasonSameSide},
			{"broadcast", cam, udp(nLobby, node{macAll, netip.MustParseAddr("255.255.255.255")}, 5000, 9), verdict.ReasonNoRule},
			{"subnet broadcast", cam, udp(nLobby, node{macAll, netip.MustParseAddr("10.0.0.255")}, 5000, 9), verdict.ReasonBroadcast},
			{"another multicast group", cam, udp(nLobby, node{flow.MAC{1, 0, 0x5e, 1, 1, 1}, netip.MustParseAddr("239.1.1.1")}, 5000, 9), verdict.ReasonBroadcast},
			{"VLAN hop", cam, vlan(7, udp(nLobby, nMain, 5000, 53)), verdict.ReasonVLANHop},
			{"three tags", cam, vlan(7, vlan(8, vlan(9, rtsp))), verdict.ReasonMalformedVLAN},
			{"priority tag is untagged", cam, vlan(0, udp(nLobby, nMain, 5000, 53)), verdict.ReasonPolicy},
			{"multicast source MAC", cam, udp(node{macSSDP, ipLobby}, nMain, 5000, 53), verdict.ReasonSourceGroup},
			{"unknown ethertype", cam, build(eth(macLobby, macMain, 0x88b5), gopacket.Payload(make([]byte, 46))), verdict.ReasonUnknownEthertype},
		},
		"udp": {
			{"an answer without a request", srv, udp(nMain, nLobby, 53, 5000), verdict.ReasonNoState},
			{"request", cam, udp(nLobby, nMain, 5000, 53), verdict.ReasonPolicy},
			{"answer", srv, udp(nMain, nLobby, 53, 5000), verdict.ReasonReply},
			{"answer again", srv, udp(nMain, nLobby, 53, 5000), verdict.ReasonCached},
			{"answer to another port", srv, udp(nMain, nLobby, 53, 5001), verdict.ReasonNoState},
			{"ping", srv, echo(nMain, nLobby, 8, 7), verdict.ReasonPolicy},
			{"pong", cam, echo(nLobby, nMain, 0, 7), verdict.ReasonReply},
			{"pong of no ping", cam, echo(nLobby, nMain, 0, 8), verdict.ReasonNoState},
			{"the camera does not ping", cam, echo(nLobby, nMain, 8, 7), verdict.ReasonNoRule},
			{"discovery answer without a probe", cam, udp(nLobby, nMain, 3702, 6000), verdict.ReasonNoState},
			{"probe", srv, udp(nMain, nGroup, 6000, 3702), verdict.ReasonPolicy},
			{"discovery answer", cam, udp(nLobby, nMain, 3702, 6000), verdict.ReasonReply},
			{"group with another MAC", srv, udp(nMain, node{macLobby, addrGroup}, 6000, 3702), verdict.ReasonMACMismatch},
		},
		"fragments": {
			{"early", cam, fragment(nLobby, nRemote, 1, 32, false, make([]byte, 24)), verdict.ReasonFragmentEarly},
			{"first", cam, firstFragment(2), verdict.ReasonPolicy},
			{"follower", cam, fragment(nLobby, nRemote, 2, 32, true, make([]byte, 24)), verdict.ReasonFragment},
			{"overlap", cam, fragment(nLobby, nRemote, 2, 40, true, make([]byte, 24)), verdict.ReasonFragmentOverlap},
			{"last", cam, fragment(nLobby, nRemote, 2, 56, false, make([]byte, 5)), verdict.ReasonFragment},
			{"after the last", cam, fragment(nLobby, nRemote, 2, 64, false, make([]byte, 5)), verdict.ReasonFragmentEarly},
			{"a second first", cam, firstFragment(3), verdict.ReasonPolicy},
			{"is an overlap", cam, firstFragment(3), verdict.ReasonFragmentOverlap},
			{"tiny", cam, fragment(nLobby, nRemote, 4, 0, true, nil), verdict.ReasonMalformedIPv4},
			{"another's MAC", cam, fragment(node{macHall, ipLobby}, nRemote, 3, 32, false, make([]byte, 8)), verdict.ReasonMACMismatch},
		},
		"arp": {
			{"asks its peer", cam, arpFrame(macLobby, macAll, 1, macLobby, ipLobby, flow.MAC{}, ipMain), verdict.ReasonARP},
			{"peer answers", srv, arpFrame(macMain, macLobby, 2, macMain, ipMain, macLobby, ipLobby), verdict.ReasonARP},
			{"asks the router of a remote peer", cam, arpFrame(macLobby, macAll, 1, macLobby, ipLobby, flow.MAC{}, ipCore), verdict.ReasonARP},
			{"asks a camera", cam, arpFrame(macLobby, macAll, 1, macLobby, ipLobby, flow.MAC{}, ipHall), verdict.ReasonARPPeer},
			{"probe of its own", cam, arpFrame(macLobby, macAll, 1, macLobby, netip.IPv4Unspecified(), flow.MAC{}, ipLobby), verdict.ReasonARP},
			{"probe of another's", cam, arpFrame(macLobby, macAll, 1, macLobby, netip.IPv4Unspecified(), flow.MAC{}, ipMain), verdict.ReasonARPSpoof},
			{"DHCP client's probe", cam, arpFrame(macHall, macAll, 1, macHall, netip.IPv4Unspecified(), flow.MAC{}, ipHall), verdict.ReasonARP},
			{"announcement", cam, arpFrame(macLobby, macAll, 1, macLobby, ipLobby, flow.MAC{}, ipLobby), verdict.ReasonARP},
			{"spoofed announcement", cam, arpFrame(macLobby, macAll, 2, macLobby, ipMain, flow.MAC{}, ipMain), verdict.ReasonARPSpoof},
			{"sender MAC differs", cam, arpFrame(macLobby, macMain, 2, macMain, ipLobby, macMain, ipMain), verdict.ReasonARPSpoof},
			{"malformed", cam, corrupt(arpFrame(macLobby, macAll, 1, macLobby, ipLobby, flow.MAC{}, ipMain), 14, 9), verdict.ReasonMalformedARP},
		},
		"nd": {
			{"solicits its peer", cam, neighbour(n6Lobby, snMAC, snMain, 135, ip6Main, 1, macLobby), verdict.ReasonND},
			{"peer advertises", srv, neighbour(n6Main, macLobby, ip6Lobby, 136, ip6Main, 2, macMain), verdict.ReasonND},
			{"advertises another's", cam, neighbour(n6Lobby, macMain, ip6Main, 136, ip6Main, 2, macLobby), verdict.ReasonNDSpoof},
			{"lies about its MAC", cam, neighbour(n6Lobby, macMain, ip6Main, 136, ip6Lobby, 2, macThief), verdict.ReasonNDSpoof},
			{"detects duplicates of its own", cam, neighbour(node{macLobby, netip.IPv6Unspecified()}, flow.MAC{0x33, 0x33, 0xff, 0, 0, 0x11}, netip.MustParseAddr("ff02::1:ff00:11"), 135, ip6Lobby, 14, flow.MAC{}), verdict.ReasonND},
			{"rogue RA", cam, neighbour(node{macLobby, netip.MustParseAddr("fe80::ff:fe00:11")}, flow.MAC{0x33, 0x33, 0, 0, 0, 1}, netip.MustParseAddr("ff02::1"), 134, ip6Lobby, 1, macLobby), verdict.ReasonRogueRA},
			{"RA of the router", srv, neighbour(node{macCore, netip.MustParseAddr("fe80::ff:fe00:fe")}, flow.MAC{0x33, 0x33, 0, 0, 0, 1}, netip.MustParseAddr("ff02::1"), 134, ip6Lobby, 1, macCore), verdict.ReasonND},
			{"redirect", srv, neighbour(node{macCore, netip.MustParseAddr("fe80::ff:fe00:fe")}, macLobby, ip6Lobby, 137, ip6Lobby, 1, macCore), verdict.ReasonICMPRedirect},
		},
		"dhcp": {
			{"discover", cam, dhcpFrame(node{macHall, netip.IPv4Unspecified()}, node{macAll, netip.MustParseAddr("255.255.255.255")}, 1, 68, 67, macHall), verdict.ReasonDHCP},
			{"for another", cam, dhcpFrame(node{macHall, netip.IPv4Unspecified()}, node{macAll, netip.MustParseAddr("255.255.255.255")}, 1, 68, 67, macLobby), verdict.ReasonIPSpoofed},
			{"offer", srv, dhcpFrame(nMain, node{macHall, ipHall}, 2, 67, 68, macHall), verdict.ReasonDHCP},
			{"rogue server on the camera side", cam, dhcpFrame(nLobby, node{macAll, netip.MustParseAddr("255.255.255.255")}, 2, 67, 68, macHall), verdict.ReasonRogueDHCP},
			{"rogue server from another port", cam, dhcpFrame(nLobby, node{macAll, netip.MustParseAddr("255.255.255.255")}, 2, 68, 68, macHall), verdict.ReasonRogueDHCP},
			{"unlisted server on the server side", srv, dhcpFrame(nCore, node{macHall, ipHall}, 2, 67, 68, macHall), verdict.ReasonRogueDHCP},
		},
		"icmp errors": {
			{"about no flow", cam, icmpError(nLobby, nMain, ipMain, ipLobby, 6000, 3702), verdict.ReasonICMPErrorForged},
			{"request", cam, udp(nLobby, nMain, 5000, 53), verdict.ReasonPolicy},
			{"about it", srv, icmpError(nMain, nLobby, ipLobby, ipMain, 5000, 53), verdict.ReasonICMPError},
			{"about another", srv, icmpError(nMain, nLobby, ipLobby, ipMain, 5001, 53), verdict.ReasonICMPErrorForged},
			{"to another", srv, icmpError(nMain, node{macLobby, ip4Of(ipLobby)}, ipMain, ipLobby, 53, 5000), verdict.ReasonICMPErrorForged},
			{"redirect", srv, build(eth(macCore, macLobby, layers.EthernetTypeIPv4), ip4(ipCore, ipLobby, layers.IPProtocolICMPv4), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(5, 1)}), verdict.ReasonICMPRedirect},
		},
		"groups": {
			{"report", cam, build(eth(macLobby, flow.MAC{1, 0, 0x5e, 0, 0, 22}, layers.EthernetTypeIPv4), ip4(ipLobby, netip.MustParseAddr("224.0.0.22"), layers.IPProtocolIGMP), gopacket.Payload([]byte{0x22, 0, 0, 0, 0, 0, 0, 0})), verdict.ReasonMulticastControl},
			{"query from the camera side", cam, build(eth(macLobby, flow.MAC{1, 0, 0x5e, 0, 0, 1}, layers.EthernetTypeIPv4), ip4(ipLobby, netip.MustParseAddr("224.0.0.1"), layers.IPProtocolIGMP), gopacket.Payload([]byte{0x11, 0, 0, 0, 0, 0, 0, 0})), verdict.ReasonMulticastQuery},
			{"query", srv, build(eth(macCore, flow.MAC{1, 0, 0x5e, 0, 0, 1}, layers.EthernetTypeIPv4), ip4(ipCore, netip.MustParseAddr("224.0.0.1"), layers.IPProtocolIGMP), gopacket.Payload([]byte{0x11, 0, 0, 0, 0, 0, 0, 0})), verdict.ReasonMulticastControl},
			{"STP is off here", cam, build(eth(macThief, flow.MAC{1, 0x80, 0xc2, 0, 0, 0}, 38), gopacket.Payload(append([]byte{0x42, 0x42, 3}, make([]byte, 43)...))), verdict.ReasonLinkLocalControl},
		},
		"malformed": {
			{"IPv4 version", cam, corrupt(udp(nLobby, nMain, 5000, 53), 14, 0x55), verdict.ReasonMalformedIPv4},
			{"IPv4 header length", cam, corrupt(udp(nLobby, nMain, 5000, 53), 14, 0x44), verdict.ReasonMalformedIPv4},
			{"IPv4 total length", cam, corrupt(udp(nLobby, nMain, 5000, 53), 16, 0xff), verdict.ReasonMalformedIPv4},
			{"UDP length", cam, corrupt(udp(nLobby, nMain, 5000, 53), 38, 0xff), verdict.ReasonMalformedUDP},
			{"TCP header length", srv, corrupt(rtsp, 46, 0x10), verdict.ReasonMalformedTCP},
			{"TCP without flags", srv, corrupt(rtsp, 47, 0), verdict.ReasonMalformedTCP},
			{"TCP FIN and RST without ACK", srv, corrupt(rtsp, 47, 5), verdict.ReasonMalformedTCP},
			{"TCP SYN and FIN", srv, corrupt(rtsp, 47, 3), verdict.ReasonMalformedTCP},
			{"IPv6 length", srv, corrupt(tcp(n6Main, n6Lobby, 40000, 554, true, false), 18, 0xff), verdict.ReasonMalformedIPv6},
			{"seven IPv6 extension headers", cam, extensions(7), verdict.ReasonIPv6Extensions},
			{"six IPv6 extension headers", srv, extensions(6), verdict.ReasonPolicy},
			{"short ICMP", cam, build(eth(macLobby, macMain, layers.EthernetTypeIPv4), ip4(ipLobby, ipMain, layers.IPProtocolICMPv4), gopacket.Payload{8, 0, 0}), verdict.ReasonMalformedICMP},
			{"cut VLAN tag", cam, vlan(7, rtsp)[:16], verdict.ReasonMalformedVLAN},
		},
	}
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			c := openBench(t, enforcing)
			c.commit(citySet())
			for _, s := range story {
				got, passed := c.send(s.side, s.frame)
				if got != s.want || passed != (s.want < verdict.ReasonNoPolicy) {
					t.Errorf("%s: left for %v (forwarded: %v), want %v", s.name, got, passed, s.want)
				}
			}
		})
	}
}

func ip4Of(a netip.Addr) netip.Addr { return a }

// extensions is an allowed TCP opening behind n destination-options headers.
func extensions(n int) []byte {
	a, b := node{macMain, ip6Main}, node{macLobby, ip6Lobby}
	if n > 6 {
		a, b = b, a
	}
	frame := tcp(a, b, 40000, 554, true, false)
	head, body := append([]byte{}, frame[:54]...), frame[54:]
	next := head[20]
	for range n {
		body = append([]byte{next, 0, 1, 4, 0, 0, 0, 0}, body...)
		next = 60
	}
	head[20] = next
	length := int(head[18])<<8 | int(head[19])
	length += 8 * n
	head[18], head[19] = byte(length>>8), byte(length)
	return append(head, body...)
}

func TestNothingPassesWithoutAPolicy(t *testing.T) {
	c := openBench(t, enforcing)
	if r, passed := c.send(srv, tcp(nMain, nLobby, 40000, 554, true, false)); r != verdict.ReasonNoPolicy || passed {
		t.Errorf("left for %v (forwarded: %v)", r, passed)
	}
}

func TestMonitorForwardsAndMarks(t *testing.T) {
	c := openBench(t, monitoring)
	c.commit(citySet())
	for _, f := range [][]byte{
		tcp(nMain, nLobby, 40000, 23, true, false), udp(node{macThief, ipLobby}, nMain, 1, 2), firstFragment(1)[:60],
		arpFrame(macLobby, macAll, 2, macLobby, ipMain, flow.MAC{}, ipMain),
	} {
		r, passed := c.send(srv, f)
		counts, err := c.read.Reasons()
		must(err)
		if !passed || r < verdict.ReasonNoPolicy || counts[r].WouldDropCount == 0 {
			t.Errorf("left for %v (forwarded: %v), would drop %d", r, passed, counts[r].WouldDropCount)
		}
	}
	pause := build(eth(macThief, flow.MAC{1, 0x80, 0xc2, 0, 0, 1}, 0x8808), gopacket.Payload(make([]byte, 46)))
	if r, passed := c.send(cam, pause); passed {
		t.Errorf("a pause frame was forwarded, for %v", r)
	}
}

// The limit of control messages counts what would pass: forgeries in a device's name do not silence it.
func TestControlRate(t *testing.T) {
	c := openBench(t, enforcing)
	c.commit(citySet())
	ask := arpFrame(macLobby, macAll, 1, macLobby, ipLobby, flow.MAC{}, ipMain)
	forged := arpFrame(macLobby, macAll, 2, macLobby, ipMain, flow.MAC{}, ipMain)
	for range 500 {
		c.expect("forged", cam, forged, verdict.ReasonARPSpoof)
	}
	passed := 0
	for range 500 {
		switch r, _ := c.send(cam, ask); r {
		case verdict.ReasonARP:
			passed++
		case verdict.ReasonRate:
		default:
			t.Fatalf("left for %v", r)
		}
	}
	if passed < 200 || passed > 400 { // the burst, and what the time of the test earns
		t.Errorf("%d of 500 passed", passed)
	}
}

// The rate that the policy gives a device holds for its cached flows too.
func TestDeviceRate(t *testing.T) {
	c := openBench(t, enforcing)
	set := citySet()
	set.Devices[0].PPS = 100
	c.commit(set)
	frame := udp(nLobby, nRemote, 8000, 5004)
	passed := 0
	for range 1000 {
		if r, ok := c.send(cam, frame); ok {
			passed++
		} else if r != verdict.ReasonRate {
			t.Fatalf("left for %v", r)
		}
	}
	if passed < 74 || passed > 500 {
		t.Errorf("%d of 1000 passed", passed)
	}
	c.expect("another device", cam, udp(nHall, nMain, 1, 53), verdict.ReasonIPSpoofed)
}
