package packet

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"citygate/pkg/flow"

	"github.com/google/go-cmp/cmp"
)

// names are the events of a set, in order, between spaces.
func names(s Events) string {
	var b []string
	for e := EventNone + 1; e < EventCount; e++ {
		if s.Has(e) {
			b = append(b, e.String())
		}
	}
	return strings.Join(b, " ")
}

func ip4(proto byte, payload []byte) []byte { return v4(proto, 0, nil, payload) }

var (
	tcp20  = raw("9c40 022a 00000001 00000002 50 18 ffff 0000 0007 4142")
	inner4 = v4(17, 0, nil, udp8)
	inner6 = v6(17, udp8)
)

// udpTo is a datagram to a port.
func udpTo(port uint16, payload []byte) []byte {
	n := 8 + len(payload)
	return join([]byte{0xc0, 0, byte(port >> 8), byte(port), byte(n >> 8), byte(n), 0, 0}, payload)
}

var linkCases = []struct {
	name   string
	link   LinkType
	data   []byte
	events string // without those of a fault
	fault  Event
	proto  flow.Proto
	inner  LinkType
	tunnel []byte
}{
	{"ethernet", LinkEthernet, join(ether("0800"), ip4(17, udp8)), "", 0, flow.UDP, 0, nil},
	{"three tags", LinkEthernet, join(ether("0800", "88a80001", "81000002", "91000003"), inner4), "", 0, flow.UDP, 0, nil},
	{"four tags", LinkEthernet, join(ether("0800", "81000001", "81000002", "81000003", "81000004"), inner4), "", VLANTooManyLayers, 0, 0, nil},
	{"unknown in a tag", LinkEthernet, join(ether("88b5", "81000001"), inner4), "", VLANUnknownType, 0, 0, nil},
	{"unknown", LinkEthernet, join(ether("88b5"), inner4), "ethernet.unknown_ethertype", 0, 0, 0, nil},
	{"length, not a type", LinkEthernet, join(ether("0026"), raw("424203")), "", 0, 0, 0, nil},
	{"backbone", LinkEthernet, join(ether("88e7"), make([]byte, 16), raw("0800"), inner4), "", 0, flow.UDP, 0, nil},
	{"vntag", LinkEthernet, join(ether("8926"), make([]byte, 4), raw("0800"), inner4), "", 0, flow.UDP, 0, nil},
	{"vntag of nothing", LinkEthernet, join(ether("8926"), make([]byte, 4), raw("88b5")), "vntag.unknown_type", 0, 0, 0, nil},
	{"vntag, short", LinkEthernet, join(ether("8926"), make([]byte, 4)), "", VNTagTooSmall, 0, 0, nil},
	{"fabric path", LinkEthernet, join(ether("8903"), raw("0001"), ether("0800"), inner4), "", 0, flow.UDP, 0, nil},
	{"fabric path, short", LinkEthernet, join(ether("8903"), raw("0001"), ether("0800")[:13]), "", DCETooSmall, 0, 0, nil},

	{"raw 4", LinkRaw, inner4, "", 0, flow.UDP, 0, nil},
	{"raw 6", LinkRaw, inner6, "", 0, flow.UDP, 0, nil},
	{"raw 5", LinkRaw, edit(inner4, 0, 0x55), "", RawInvalidVersion, 0, 0, nil},
	{"raw, empty", LinkRaw, nil, "", IPv4TooSmall, 0, 0, nil},
	{"ipv4", LinkIPv4, inner4, "", 0, flow.UDP, 0, nil},
	{"ipv4 that is 6", LinkIPv4, inner6, "", IPv4WrongVersion, 0, 0, nil},
	{"ipv6", LinkIPv6, inner6, "", 0, flow.UDP, 0, nil},
	{"vlan", LinkVLAN, join(raw("0005 0800"), inner4), "", 0, flow.UDP, 0, nil},
	{"null, little endian", LinkNull, join(raw("02000000"), inner4), "", 0, flow.UDP, 0, nil},
	{"null, big endian", LinkNull, join(raw("0000001e"), inner6), "", 0, flow.UDP, 0, nil},
	{"loop", LinkLoop, join(raw("00000018"), inner6), "", 0, flow.UDP, 0, nil},
	{"loop of AppleTalk", LinkLoop, join(raw("00000010"), inner6), "", NullUnsupportedType, 0, 0, nil},
	{"null, short", LinkNull, raw("020000"), "", NullTooSmall, 0, 0, nil},
	{"sll", LinkSLL, join(raw("0000 0001 0006 0200000000110000 0800"), inner4), "", 0, flow.UDP, 0, nil},
	{"sll, short", LinkSLL, raw("0000 0001 0006 0200000000110000"), "", SLLTooSmall, 0, 0, nil},
	{"sll2", LinkSLL2, join(raw("86dd 0000 00000002 0001 00 06 0200000000110000"), inner6), "", 0, flow.UDP, 0, nil},
	{"sll2, short", LinkSLL2, raw("86dd 0000 00000002 0001"), "", SLL2TooSmall, 0, 0, nil},
	{"ppp", LinkPPP, join(raw("ff03 0021"), inner4), "", 0, flow.UDP, 0, nil},
	{"ppp, compressed", LinkPPP, join(raw("57"), inner6), "", 0, flow.UDP, 0, nil},
	{"ppp, van Jacobson", LinkPPP, join(raw("ff03 002f"), inner4), "", 0, flow.UDP, 0, nil},
	{"ppp, LCP", LinkPPP, raw("ff03 c021 0101"), "ppp.unsup_proto", 0, 0, 0, nil},
	{"ppp of nothing", LinkPPP, raw("ff03 5001"), "ppp.wrong_type", 0, 0, 0, nil},
	{"ppp, short", LinkPPP, raw("ff03 00"), "", PPPTooSmall, 0, 0, nil},
	{"ppp, short ipv4", LinkPPP, raw("0021 45"), "", PPPIPv4TooSmall, 0, 0, nil},
	{"ppp, short ipv6", LinkPPP, raw("0057 60"), "", PPPIPv6TooSmall, 0, 0, nil},

	{"pppoe", LinkEthernet, join(ether("8864"), raw("1100 0001 0022 0021"), inner4), "", 0, flow.UDP, 0, nil},
	{"pppoe, wrong code", LinkEthernet, join(ether("8864"), raw("1101 0001 0022 0021"), inner4), "pppoe.wrong_code", 0, 0, 0, nil},
	{"pppoe, short", LinkEthernet, join(ether("8864"), raw("1100 0001 0022")), "", PPPoETooSmall, 0, 0, nil},
	{"pppoe discovery", LinkEthernet, join(ether("8863"), raw("1109 0000 0008 0101 0000 0103 0000")), "", 0, 0, 0, nil},
	{"pppoe discovery, wrong code", LinkEthernet, join(ether("8863"), raw("1102 0000 0000")), "pppoe.wrong_code", 0, 0, 0, nil},
	{"pppoe discovery, bad tag", LinkEthernet, join(ether("8863"), raw("1109 0000 0004 0101 0001")), "pppoe.malformed_tags", 0, 0, 0, nil},
	{"pppoe discovery, cut", LinkEthernet, join(ether("8863"), raw("1109 0000 0009 0101 0000")), "", PPPoETooSmall, 0, 0, nil},

	{"mpls", LinkEthernet, join(ether("8847"), raw("00010040 00011140"), inner4), "", 0, flow.UDP, 0, nil},
	{"mpls of ipv6", LinkEthernet, join(ether("8847"), raw("00010140"), inner6), "", 0, flow.UDP, 0, nil},
	{"mpls, null label", LinkEthernet, join(ether("8848"), raw("00000140"), inner4), "", 0, flow.UDP, 0, nil},
	{"mpls, null label 6", LinkEthernet, join(ether("8848"), raw("00002140"), inner6), "", 0, flow.UDP, 0, nil},
	{"mpls of ethernet", LinkEthernet, join(ether("8847"), raw("00010140 00000000"), ether("0800"), inner4), "", 0, flow.UDP, 0, nil},
	{"mpls, router alert", LinkEthernet, join(ether("8847"), raw("00001140"), inner4), "mpls.bad_label_router_alert", 0, 0, 0, nil},
	{"mpls, implicit null", LinkEthernet, join(ether("8847"), raw("00003140"), inner4), "mpls.bad_label_implicit_null", 0, 0, 0, nil},
	{"mpls, reserved", LinkEthernet, join(ether("8847"), raw("0000f140"), inner4), "mpls.bad_label_reserved", 0, 0, 0, nil},
	{"mpls of nothing", LinkEthernet, join(ether("8847"), raw("00010140 ff")), "mpls.unknown_payload_type", 0, 0, 0, nil},
	{"mpls, no bottom", LinkEthernet, join(ether("8847"), raw("00010040 000100")), "", MPLSHeaderTooSmall, 0, 0, nil},
	{"mpls, empty", LinkEthernet, join(ether("8847"), raw("00010140")), "", MPLSTooSmall, 0, 0, nil},

	{"4 in 4", LinkRaw, ip4(4, inner4), "", 0, 4, LinkIPv4, inner4},
	{"6 in 4", LinkRaw, ip4(41, inner6), "", 0, 41, LinkIPv6, inner6},
	{"4 in 6", LinkRaw, v6(4, inner4), "", 0, 4, LinkIPv4, inner4},
	{"6 in 6", LinkRaw, v6(41, inner6), "", 0, 41, LinkIPv6, inner6},
	{"4 in 6, wrong", LinkRaw, v6(4, inner6), "ipv6.ipv4_in_ipv6_wrong_version", 0, 4, 0, nil},
	{"4 in 6, short", LinkRaw, v6(4, inner4[:19]), "ipv6.ipv4_in_ipv6_too_small", 0, 4, 0, nil},
	{"6 in 6, wrong", LinkRaw, v6(41, join(inner4, inner4)), "ipv6.ipv6_in_ipv6_wrong_version", 0, 41, 0, nil},
	{"6 in 6, short", LinkRaw, v6(41, inner6[:39]), "ipv6.ipv6_in_ipv6_too_small", 0, 41, 0, nil},
	{"gre", LinkRaw, ip4(47, join(raw("0000 0800"), inner4)), "", 0, 47, LinkIPv4, inner4},
	{"gre, all fields", LinkRaw, ip4(47, join(raw("f000 86dd 00000000 00000001 00000002 0800 0004 0a000001 00000000"), inner6)), "", 0, 47, LinkIPv6, inner6},
	{"gre of ethernet", LinkRaw, ip4(47, join(raw("0000 6558"), ether("0800"), inner4)), "", 0, 47, LinkEthernet, join(ether("0800"), inner4)},
	{"gre of a vlan", LinkRaw, ip4(47, join(raw("0000 8100 0005 0800"), inner4)), "", 0, 47, LinkVLAN, join(raw("0005 0800"), inner4)},
	{"gre, erspan 1", LinkRaw, ip4(47, join(raw("0000 88be"), ether("0800"), inner4)), "", 0, 47, LinkEthernet, join(ether("0800"), inner4)},
	{"gre, erspan 2", LinkRaw, ip4(47, join(raw("1000 88be 00000001 1001000000000000"), ether("0800"), inner4)), "", 0, 47, LinkEthernet, join(ether("0800"), inner4)},
	{"gre, erspan 3", LinkRaw, ip4(47, join(raw("1000 88be 00000001 2001000000000000"), ether("0800"))), "erspan.unsupported_version", 0, 47, 0, nil},
	{"gre, erspan, short", LinkRaw, ip4(47, raw("1000 88be 00000001 1001")), "erspan.header_too_small", 0, 47, 0, nil},
	{"gre, short", LinkRaw, ip4(47, raw("0000 08")), "", GRETooSmall, 47, 0, nil},
	{"gre, version", LinkRaw, ip4(47, raw("0002 0800")), "", GREWrongVersion, 47, 0, nil},
	{"gre, recursion", LinkRaw, ip4(47, raw("0100 0800")), "", GRE0Recursion, 47, 0, nil},
	{"gre, flags", LinkRaw, ip4(47, raw("0008 0800")), "", GRE0Flags, 47, 0, nil},
	{"gre, big", LinkRaw, ip4(47, raw("2000 0800 0000")), "", GRE0HeaderTooBig, 47, 0, nil},
	{"gre, endless route", LinkRaw, ip4(47, raw("4000 0800 00000000 0800 0004 0a000001")), "", GRE0MalformedRoute, 47, 0, nil},
	{"pptp", LinkRaw, ip4(47, join(raw("3081 880b 0024 0001 00000001 00000002 ff03 0021"), inner4)), "", 0, 47, LinkPPP, join(raw("ff03 0021"), inner4)},
	{"pptp, acknowledgement", LinkRaw, ip4(47, raw("2081 880b 0000 0001 00000001")), "", 0, 47, 0, nil},
	{"pptp, checksum", LinkRaw, ip4(47, raw("a001 880b 0000 0001")), "", GRE1Checksum, 47, 0, nil},
	{"pptp, route", LinkRaw, ip4(47, raw("6001 880b 0000 0001")), "", GRE1Route, 47, 0, nil},
	{"pptp, strict route", LinkRaw, ip4(47, raw("2801 880b 0000 0001")), "", GRE1StrictRoute, 47, 0, nil},
	{"pptp, recursion", LinkRaw, ip4(47, raw("2101 880b 0000 0001")), "", GRE1Recursion, 47, 0, nil},
	{"pptp, flags", LinkRaw, ip4(47, raw("2009 880b 0000 0001")), "", GRE1Flags, 47, 0, nil},
	{"pptp, no key", LinkRaw, ip4(47, raw("0001 880b 0000 0001")), "", GRE1NoKey, 47, 0, nil},
	{"pptp of ip", LinkRaw, ip4(47, raw("2001 0800 0000 0001")), "", GRE1WrongProtocol, 47, 0, nil},
	{"pptp, big", LinkRaw, ip4(47, raw("3001 880b 0000 0001")), "", GRE1HeaderTooBig, 47, 0, nil},
	{"vxlan", LinkRaw, ip4(17, udpTo(4789, join(raw("08000000 00000100"), ether("0800"), inner4))), "", 0, flow.UDP, LinkEthernet, join(ether("0800"), inner4)},
	{"vxlan of nothing", LinkRaw, ip4(17, udpTo(4789, join(raw("08000000 00000100"), ether("88b5"), inner4))), "vxlan.unknown_payload_type", 0, flow.UDP, 0, nil},
	{"no vxlan", LinkRaw, ip4(17, udpTo(4789, join(raw("00000000 00000100"), ether("0800"), inner4))), "", 0, flow.UDP, 0, nil},
	{"geneve", LinkRaw, ip4(17, udpTo(6081, join(raw("0200 6558 00000100 0001 00 01 00000000"), ether("0800"), inner4))), "", 0, flow.UDP, LinkEthernet, join(ether("0800"), inner4)},
	{"geneve of ipv6", LinkRaw, ip4(17, udpTo(6081, join(raw("0000 86dd 00000100"), inner6))), "", 0, flow.UDP, LinkIPv6, inner6},
	{"geneve of nothing", LinkRaw, ip4(17, udpTo(6081, raw("0000 88b5 00000100 00"))), "geneve.unknown_payload_type", 0, flow.UDP, 0, nil},
	{"geneve, options too long", LinkRaw, ip4(17, udpTo(6081, join(raw("0100 0800 00000100 0001 00 01"), inner4))), "", 0, flow.UDP, 0, nil},
	{"teredo", LinkRaw, ip4(17, udpTo(3544, inner6)), "", 0, flow.UDP, LinkIPv6, inner6},
	{"teredo, authentication and origin", LinkRaw, ip4(17, udpTo(3544, join(raw("0001 00 00 0102030405060708 00 0000 1234 01020304"), inner6))), "", 0, flow.UDP, LinkIPv6, inner6},
	{"no teredo", LinkRaw, ip4(17, udpTo(3544, inner6[:50])), "", 0, flow.UDP, 0, nil},
	{"no tunnel on another port", LinkRaw, ip4(17, udpTo(53, inner6)), "", 0, flow.UDP, 0, nil},
	{"esp", LinkRaw, ip4(50, make([]byte, 8)), "", 0, 50, 0, nil},
	{"esp, short", LinkRaw, ip4(50, make([]byte, 7)), "", ESPTooSmall, 50, 0, nil},
}

func TestDecodeLink(t *testing.T) {
	d := NewDecoder()
	for _, c := range linkCases {
		t.Run(c.name, func(t *testing.T) {
			h, err := d.DecodeLink(c.link, c.data, len(c.data))
			want := c.events
			var m *Malformed
			if errors.As(err, &m) {
				h = m.Headers
				if !h.Events.Has(m.Code) || m.Event != m.Code.EVE() {
					t.Errorf("%s, %v, but events %s", m.Event, m.Code, names(h.Events))
				}
				if m.Code != c.fault {
					t.Errorf("fault %v, want %v", m.Code, c.fault)
				}
				want = strings.TrimSpace(want + " " + c.fault.String())
			} else if err != nil || c.fault != EventNone {
				t.Fatalf("error %v, want %v", err, c.fault)
			}
			if got := names(h.Events); got != want {
				t.Errorf("events %q, want %q", got, want)
			}
			if h.Tuple.Proto != c.proto {
				t.Errorf("protocol %d, want %d", h.Tuple.Proto, c.proto)
			}
			link, data, ok := h.Inner()
			if link != c.inner || ok != (c.tunnel != nil) || string(data) != string(c.tunnel) {
				t.Errorf("tunnel %d %x, want %d %x", link, data, c.inner, c.tunnel)
			}
		})
	}
	_, err := d.DecodeLink(147, inner4, 0)
	var le *LinkError
	if !errors.As(err, &le) || le.Link != 147 {
		t.Errorf("link type 147: %v", err)
	}
}

// Every layer may be Ethernet in MPLS again; that must end.
func TestTooManyLayers(t *testing.T) {
	var data []byte
	for range 40 {
		data = append(data, join(ether("8847"), raw("00010140 00000000"))...)
	}
	_, err := NewDecoder().DecodeLink(LinkEthernet, data, 0)
	var m *Malformed
	if !errors.As(err, &m) || m.Code != TooManyLayers {
		t.Error(err)
	}
}

func TestHeaderSlices(t *testing.T) {
	ext := raw("3c00 0502 0000 0100 3a00 0104 0000 0000")
	cases := []struct {
		name                        string
		data                        []byte
		network, transport, payload []byte
	}{
		{"tcp", ip4(6, tcp20), ip4(6, tcp20)[:20], tcp20[:20], raw("4142")},
		{"tcp with options", v4(6, 0, raw("94040000"), tcpSYN), v4(6, 0, raw("94040000"), tcpSYN)[:24], tcpSYN, nil},
		{"udp, ethernet padding", join(ip4(17, udp8), make([]byte, 9)), ip4(17, udp8)[:20], udp8[:8], udp8[8:]},
		{"udp shorter than its packet", ip4(17, join(udp8, raw("ffff"))), ip4(17, join(udp8, raw("ffff")))[:20], udp8[:8], udp8[8:]},
		{"icmp", ip4(1, echo), ip4(1, echo)[:20], echo[:8], echo[8:]},
		{"nd", v6(58, ns), v6(58, ns)[:40], ns[:8], ns[8:]},
		{"mld behind options", v6(0, join(ext, mld[8:])), v6(0, join(ext, mld[8:]))[:56], mld[8:16], mld[16:]},
		{"sctp", ip4(132, raw("0b59 0b5a 00000001 00000000 0a0b")), ip4(132, make([]byte, 14))[:20], raw("0b59 0b5a 00000001 00000000"), raw("0a0b")},
		{"igmp query", ip4(2, raw("1100 0000 e0000001 0000 0001 0a000001 ff")), ip4(2, make([]byte, 17))[:20], raw("1100 0000 e0000001 0000 0001 0a000001"), raw("ff")},
		{"igmp report", ip4(2, raw("2200 0000 0000 0001 01010001 ef010101 0a000001 00000000")), ip4(2, make([]byte, 24))[:20], raw("2200 0000 0000 0001 01010001 ef010101 0a000001 00000000"), nil},
		{"first fragment", v4(17, 0x2000, nil, udp8), v4(17, 0x2000, nil, udp8)[:20], nil, udp8},
		{"ipv6 fragment", v6(44, join(raw("1100 0009 0badcafe"), udp8[:8])), v6(44, join(raw("1100 0009 0badcafe"), udp8[:8]))[:48], nil, udp8[:8]},
		{"unknown protocol", ip4(99, raw("0102")), ip4(99, raw("0102"))[:20], nil, raw("0102")},
	}
	d := NewDecoder()
	for _, c := range cases {
		h, err := d.DecodeLink(LinkRaw, c.data, len(c.data))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, p := range []struct {
			name      string
			got, want []byte
		}{{"network", h.Network, c.network}, {"transport", h.Transport, c.transport}, {"payload", h.Payload, c.payload}} {
			if diff := cmp.Diff(string(p.want), string(p.got)); diff != "" {
				t.Errorf("%s: %s is %x, want %x", c.name, p.name, p.got, p.want)
			}
		}
	}
}

func TestHeaderFields(t *testing.T) {
	d := NewDecoder()
	h, err := d.DecodeLink(LinkEthernet, join(ether("0800", "88a80064", "81000014", "81000003"), v4(6, 0xc000, nil, tcp20)), 0)
	if err != nil {
		t.Fatal(err)
	}
	if h.VLANs != [MaxVLANs]uint16{100, 20, 3} || h.VLANCount != 3 || h.VLAN != flow.QinQ(100, 20) || h.IPVersion != 4 {
		t.Errorf("%+v", h)
	}
	if !h.Reserved || !h.DontFragment || h.MoreFragments || h.Fragment || h.TCP.Urgent != 7 || h.TCP.Flags != PSH|ACK || h.TCP.Ack != 2 {
		t.Errorf("%+v", h)
	}
	if h, _ = d.DecodeLink(LinkRaw, v4(17, 0x2001, nil, udp8), 0); !h.MoreFragments || !h.Fragment || h.Offset != 8 || h.Tuple.DstPort != 0 {
		t.Errorf("%+v", h)
	}
	// An atomic fragment is none (RFC 6946).
	if h, _ = d.DecodeLink(LinkRaw, v6(44, join(raw("1100 0000 0badcafe"), udp8)), 0); h.Fragment || h.Tuple.DstPort != 123 || h.ID != 0x0badcafe {
		t.Errorf("%+v", h)
	}
	if h, _ = d.DecodeLink(LinkRaw, inner4, len(inner4)+1); !h.Cut {
		t.Error("a frame of which the last byte was not captured is not cut")
	}
	// A broken TCP header leaves the addresses, and no ports.
	_, err = d.DecodeLink(LinkRaw, ip4(6, edit(tcp20, 12, 0xf0)), 0)
	var m *Malformed
	if !errors.As(err, &m) || m.Code != TCPHeaderTooSmall || m.Headers.IPVersion != 4 || m.Headers.Tuple != tuple4(flow.TCP, 0, 0) {
		t.Errorf("%v %+v", err, m)
	}
	// A broken IP header leaves no version.
	_, err = d.DecodeLink(LinkRaw, edit(inner4, 3, 200), 0)
	if !errors.As(err, &m) || m.Code != IPv4Truncated || m.Headers.IPVersion != 0 {
		t.Errorf("%v %+v", err, m)
	}
	h, _ = d.DecodeLink(LinkRaw, v6(58, ns), 0)
	if h.ND.Target != netip.MustParseAddr("fd00::2") || h.ND.Link != macA || !h.ND.HasLink {
		t.Errorf("%+v", h.ND)
	}
}

func TestInherit(t *testing.T) {
	outer, err := NewDecoder().DecodeLink(LinkEthernet, join(ether("0800", "81000014"), ip4(4, inner4)), 0)
	if err != nil {
		t.Fatal(err)
	}
	link, data, _ := outer.Inner()
	inner, err := NewDecoder().DecodeLink(link, data, 0)
	if err != nil {
		t.Fatal(err)
	}
	inner.Inherit(&outer)
	if inner.Src != macA || inner.Dst != macB || inner.VLAN != 20 || inner.VLANs[0] != 20 || inner.VLANCount != 1 {
		t.Errorf("%+v", inner)
	}
	tagged := Headers{Src: macB, VLAN: 7, VLANs: [MaxVLANs]uint16{7}, VLANCount: 1}
	tagged.Inherit(&outer)
	if tagged.Src != macB || tagged.VLAN != 7 {
		t.Errorf("%+v", tagged)
	}
}

func TestICMPID(t *testing.T) {
	d := NewDecoder()
	for kind := range 256 {
		h, err := d.DecodeLink(LinkRaw, ip4(1, join([]byte{byte(kind)}, raw("00 0000 abcd 0102"))), 0)
		want := kind == 0 || kind == 8 || kind >= 13 && kind <= 18
		if err != nil || h.HasICMPID != want || want && (h.ICMPID != 0xabcd || h.ICMPSeq != 0x102) {
			t.Errorf("type %d: %v %+v", kind, err, h)
		}
		h, err = d.DecodeLink(LinkRaw, v6(58, join([]byte{byte(kind)}, raw("00 0000 abcd 0102"))), 0)
		want = kind == 128 || kind == 129
		if err != nil || h.HasICMPID != want || want && (h.ICMPID != 0xabcd || h.ICMPSeq != 0x102) {
			t.Errorf("type %d of ICMPv6: %v %+v", kind, err, h)
		}
	}
}

func FuzzDecodeLink(f *testing.F) {
	for _, c := range linkCases {
		f.Add(uint16(c.link), c.data)
	}
	for _, c := range oddCases {
		f.Add(uint16(LinkRaw), c.data)
	}
	d := NewDecoder()
	f.Fuzz(func(t *testing.T, link uint16, data []byte) {
		h, err := d.DecodeLink(LinkType(link), data, len(data))
		var m *Malformed
		var le *LinkError
		switch {
		case errors.As(err, &m):
			if h = m.Headers; !h.Events.Has(m.Code) || m.Code == EventNone {
				t.Fatalf("%v %+v", err, h)
			}
		case errors.As(err, &le):
			return
		case err != nil:
			t.Fatal(err)
		}
		h.ChecksumsValid()
		size := len(h.Network) + len(h.Transport)
		if size > len(data) || len(h.Payload) > len(data)-size || h.Offset < 0 || h.Offset > 65528 || h.VLANCount > MaxVLANs {
			t.Fatalf("%+v", h)
		}
		if h.IPVersion != 0 && (!h.Tuple.Src.IsValid() || err == nil && len(h.Network) < 20) {
			t.Fatalf("%+v", h)
		}
		if l, inner, ok := h.Inner(); ok && (len(inner) >= len(data) || len(inner) == 0) {
			t.Fatalf("tunnel %d of %d bytes in %d", l, len(inner), len(data))
		}
	})
}
