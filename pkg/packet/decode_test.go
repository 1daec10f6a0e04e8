package packet

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"citygate/pkg/flow"

	"github.com/google/go-cmp/cmp"
)

var (
	macA = flow.MAC{2, 0, 0, 0, 0, 0x11}
	macB = flow.MAC{2, 0, 0, 0, 0, 2}
)

// raw reads hex with spaces.
func raw(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func join(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func ether(etype string, tags ...string) []byte {
	return raw("020000000002 020000000011" + strings.Join(tags, "") + etype)
}

// v4 is a packet from 10.0.0.11 to 10.0.0.2: fragment is the field of flags and offset.
func v4(proto byte, fragment uint16, options, payload []byte) []byte {
	b := raw("45000000 1234 0000 40 00 0000 0a00000b 0a000002")
	b[0] += byte(len(options) / 4)
	b[9] = proto
	binary.BigEndian.PutUint16(b[6:], fragment)
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(options)+len(payload)))
	return join(b, options, payload)
}

// v6 is a packet from fd00::11 to fd00::2.
func v6(next byte, payload []byte) []byte {
	b := raw("60000000 0000 00 40 fd000000000000000000000000000011 fd000000000000000000000000000002")
	b[6] = next
	binary.BigEndian.PutUint16(b[4:], uint16(len(payload)))
	return join(b, payload)
}

var (
	tcpSYN = raw("022a 9c40 00000001 00000000 a0 02 ffff 0000 0000 020405b4 0402 080a 00000001 00000000 01 030307")
	udp8   = raw("c000 00 7b 000c 0000 01020304")
	echo   = raw("08 00 0000 abcd 0001 70696e67")
	ns     = raw("87 00 0000 00000000 fd000000000000000000000000000002 0101 020000000011")
	na     = raw("88 00 0000 60000000 fd000000000000000000000000000011 0201 020000000011")
	arpReq = raw("0001 0800 06 04 0001 020000000011 0a00000b 000000000000 0a000002")
	mld    = raw("3a 00 0502 0000 0100 8f 00 0000 0000 0001 04000000 ff020000000000000000000000000016")
)

func tuple4(proto flow.Proto, sport, dport uint16) flow.FiveTuple {
	return flow.FiveTuple{Src: netip.MustParseAddr("10.0.0.11"), Dst: netip.MustParseAddr("10.0.0.2"), SrcPort: sport, DstPort: dport, Proto: proto}
}

func tuple6(proto flow.Proto, sport, dport uint16) flow.FiveTuple {
	return flow.FiveTuple{Src: netip.MustParseAddr("fd00::11"), Dst: netip.MustParseAddr("fd00::2"), SrcPort: sport, DstPort: dport, Proto: proto}
}

var goodFrames = []struct {
	name   string
	data   []byte
	length int // on the wire, if not len(data)
	want   Headers
}{
	{
		"tcp syn", join(ether("0800"), v4(6, 0x4000, nil, tcpSYN)), 0,
		Headers{
			EtherType: 0x800, Tuple: tuple4(flow.TCP, 554, 40000), TTL: 64, ID: 0x1234, IPLength: 60,
			TCP: TCP{Flags: SYN, Seq: 1, Window: 65535, Options: TCPOptions{
				Kinds: [8]uint8{2, 4, 8, 1, 3}, N: 5, MSS: 1460, Scale: 7, Scaled: true,
			}},
		},
	},
	{
		"udp in a vlan, options, padding", join(ether("0800", "81002064"), v4(17, 0, raw("94040000"), udp8), make([]byte, 6)), 0,
		Headers{
			EtherType: 0x800, VLAN: 100, Tuple: tuple4(flow.UDP, 0xc000, 123), TTL: 64, ID: 0x1234, IPLength: 36,
			Payload: raw("01020304"),
		},
	},
	{
		"echo in two vlans", join(ether("0800", "88a80064", "81000014"), v4(1, 0, nil, echo)), 0,
		Headers{
			EtherType: 0x800, VLAN: flow.QinQ(100, 20), Tuple: tuple4(flow.ICMP, 0xabcd, 0), TTL: 64, ID: 0x1234, IPLength: 32,
			ICMPType: 8, Payload: raw("70696e67"),
		},
	},
	{
		"igmp report", join(ether("0800"), v4(2, 0, raw("94040000"), raw("1600 0000 ef010101"))), 0,
		Headers{
			EtherType: 0x800, Tuple: tuple4(flow.IGMP, 0, 0), TTL: 64, ID: 0x1234, IPLength: 32,
			ICMPType: 0x16, Group: netip.MustParseAddr("239.1.1.1"),
		},
	},
	{
		"arp request", join(ether("0806"), arpReq, make([]byte, 18)), 0,
		Headers{
			EtherType: 0x806, Payload: make([]byte, 18),
			ARP: ARP{Op: 1, SenderMAC: macA, Sender: netip.MustParseAddr("10.0.0.11"), Target: netip.MustParseAddr("10.0.0.2")},
		},
	},
	{
		"neighbour solicitation", join(ether("86dd"), v6(58, ns)), 0,
		Headers{
			EtherType: 0x86dd, Tuple: tuple6(flow.ICMPv6, 0, 0), TTL: 64, IPLength: 72, ICMPType: 135,
			ND: ND{Target: netip.MustParseAddr("fd00::2"), Link: macA, HasLink: true}, Payload: raw("0101 020000000011"),
		},
	},
	{
		"neighbour advertisement", join(ether("86dd"), v6(58, na)), 0,
		Headers{
			EtherType: 0x86dd, Tuple: tuple6(flow.ICMPv6, 0, 0), TTL: 64, IPLength: 72, ICMPType: 136,
			ND: ND{Target: netip.MustParseAddr("fd00::11"), Link: macA, HasLink: true}, Payload: raw("0201 020000000011"),
		},
	},
	{
		"echo in ipv6", join(ether("86dd"), v6(58, raw("8000 0000 abcd 0001"))), 0,
		Headers{EtherType: 0x86dd, Tuple: tuple6(flow.ICMPv6, 0xabcd, 0), TTL: 64, IPLength: 48, ICMPType: 128},
	},
	{
		"mld report behind hop-by-hop", join(ether("86dd"), v6(0, mld)), 0,
		Headers{EtherType: 0x86dd, Tuple: tuple6(flow.ICMPv6, 0, 0), TTL: 64, IPLength: 76, ICMPType: 143, Payload: mld[12:]},
	},
	{
		"first fragment", join(ether("0800"), v4(17, 0x2000, nil, udp8)), 0,
		Headers{
			EtherType: 0x800, Tuple: tuple4(flow.UDP, 0xc000, 123), TTL: 64, ID: 0x1234, IPLength: 32,
			Fragment: true, Payload: udp8,
		},
	},
	{
		"later fragment", join(ether("0800"), v4(17, 0x0002, nil, udp8)), 0,
		Headers{
			EtherType: 0x800, Tuple: tuple4(flow.UDP, 0, 0), TTL: 64, ID: 0x1234, IPLength: 32,
			Fragment: true, Offset: 16, Payload: udp8,
		},
	},
	{
		"ipv6 fragment", join(ether("86dd"), v6(44, join(raw("11 00 0009 0badcafe"), udp8))), 0,
		Headers{
			EtherType: 0x86dd, Tuple: tuple6(flow.UDP, 0, 0), TTL: 64, ID: 0x0badcafe, IPLength: 60,
			Fragment: true, Offset: 8, Payload: udp8,
		},
	},
	{
		"ip in ip is not followed", join(ether("0800"), v4(4, 0, nil, v4(17, 0, nil, udp8))), 0,
		Headers{EtherType: 0x800, Tuple: tuple4(4, 0, 0), TTL: 64, ID: 0x1234, IPLength: 52, Payload: v4(17, 0, nil, udp8)},
	},
	{
		"icmpv6 in ipv4 is not followed", join(ether("0800"), v4(58, 0, nil, ns)), 0,
		Headers{EtherType: 0x800, Tuple: tuple4(58, 0, 0), TTL: 64, ID: 0x1234, IPLength: 52, Payload: ns},
	},
	{
		"unknown ethertype", join(ether("88b5"), raw("0102")), 0,
		Headers{EtherType: 0x88b5, Payload: raw("0102")},
	},
	{
		"payload behind the capture", join(ether("0800"), v4(17, 0, nil, udp8))[:42], 46,
		Headers{EtherType: 0x800, Tuple: tuple4(flow.UDP, 0xc000, 123), TTL: 64, ID: 0x1234, IPLength: 32, Payload: []byte{}},
	},
	{
		"tcp header just behind the capture", join(ether("0800"), v4(6, 0, nil, tcpSYN))[:34], 74,
		Headers{EtherType: 0x800, Tuple: tuple4(flow.TCP, 0, 0), TTL: 64, ID: 0x1234, IPLength: 60, Cut: true, Payload: []byte{}},
	},
	{
		"tcp options behind the capture", join(ether("0800"), v4(6, 0, nil, tcpSYN))[:56], 74,
		Headers{
			EtherType: 0x800, Tuple: tuple4(flow.TCP, 554, 40000), TTL: 64, ID: 0x1234, IPLength: 60,
			TCP: TCP{Flags: SYN}, Cut: true, Payload: tcpSYN[:22],
		},
	},
	{
		"tcp header behind the capture", join(ether("0800"), v4(6, 0, nil, tcpSYN))[:38], 74,
		Headers{
			EtherType: 0x800, Tuple: tuple4(flow.TCP, 554, 40000), TTL: 64, ID: 0x1234, IPLength: 60,
			Cut: true, Payload: tcpSYN[:4],
		},
	},
	{
		"extension header behind the capture", join(ether("86dd"), v6(0, mld))[:58], 90,
		Headers{EtherType: 0x86dd, Tuple: tuple6(0, 0, 0), TTL: 64, IPLength: 76, Cut: true, Payload: mld[:4]},
	},
}

// plain leaves out what the engine's view adds; decode_link_test.go looks at that.
func plain(h Headers) Headers {
	h.VLANs, h.VLANCount, h.IPVersion = [MaxVLANs]uint16{}, 0, 0
	h.MoreFragments, h.DontFragment, h.Reserved = false, false, false
	h.HasICMPID, h.ICMPID, h.ICMPSeq = false, 0, 0
	h.Network, h.Transport, h.Events = nil, nil, Events{}
	o := &h.TCP.Options
	o.SACKPermitted, o.Timestamped, o.TSval, o.TSecr = false, false, 0, 0
	return h
}

func TestDecode(t *testing.T) {
	d := NewDecoder()
	for _, c := range goodFrames {
		t.Run(c.name, func(t *testing.T) {
			c.want.Src, c.want.Dst = macA, macB
			got, err := d.Decode(c.data, c.length)
			if err != nil {
				t.Fatal(err)
			}
			same := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
			if len(got.Payload) == 0 && len(c.want.Payload) == 0 {
				got.Payload, c.want.Payload = nil, nil
			}
			if diff := cmp.Diff(c.want, plain(got), same); diff != "" {
				t.Errorf("want -, got +\n%s", diff)
			}
		})
	}
}

// edit changes one byte of a copy.
func edit(b []byte, at int, to byte) []byte {
	b = join(b)
	b[at] = to
	return b
}

var badFrames = []struct {
	event string
	data  []byte
}{
	{"decoder.ethernet.pkt_too_small", ether("08")},
	{"decoder.vlan.header_too_small", ether("8100", "810000")[:17]},
	{"decoder.vlan.too_many_layers", join(ether("0800", "81000001", "81000002", "81000003"), v4(17, 0, nil, udp8))},
	{"decoder.arp.pkt_too_small", join(ether("0806"), arpReq[:20])},
	{"decoder.arp.pkt_too_small", join(ether("0806"), arpReq[:7])},
	{"decoder.arp.unsupported_hardware", join(ether("0806"), edit(arpReq, 1, 6))},
	{"decoder.arp.unsupported_protocol", join(ether("0806"), edit(arpReq, 2, 0x86))},
	{"decoder.arp.unsupported_opcode", join(ether("0806"), edit(arpReq, 7, 0))},
	{"decoder.arp.invalid_hardware_size", join(ether("0806"), edit(arpReq, 4, 7), make([]byte, 20))},
	{"decoder.arp.invalid_protocol_size", join(ether("0806"), edit(arpReq, 5, 16), make([]byte, 60))},
	{"decoder.arp.invalid_hardware_size", join(ether("0806"), edit(arpReq, 4, 124), make([]byte, 60))}, // 8 bit: 8+248+8 = 8
	{"decoder.arp.unsupported_hardware", join(ether("0806"), edit(arpReq, 0, 0x10))},                   // the upper byte counts too
	{"decoder.arp.pkt_too_small", ether("0806")},
	{"decoder.ipv4.pkt_too_small", ether("0800")}, // nothing behind a header is too little as well
	{"decoder.tcp.pkt_too_small", join(ether("0800"), v4(6, 0, nil, nil))},
	{"decoder.ipv4.pkt_too_small", join(ether("0800"), v4(17, 0, nil, nil)[:19])},
	{"decoder.ipv4.wrong_ip_version", join(ether("0800"), edit(v4(17, 0, nil, udp8), 0, 0x65))},
	{"decoder.ipv4.hlen_too_small", join(ether("0800"), edit(v4(17, 0, nil, udp8), 0, 0x44))},
	{"decoder.ipv4.iplen_smaller_than_hlen", join(ether("0800"), edit(v4(17, 0, nil, udp8), 3, 0))},
	{"decoder.ipv4.iplen_smaller_than_hlen", join(ether("0800"), edit(v4(17, 0, nil, udp8), 3, 10))},
	{"decoder.ipv4.trunc_pkt", join(ether("0800"), edit(v4(17, 0, nil, udp8), 3, 200))},
	{"decoder.ipv4.frag_pkt_too_large", join(ether("0800"), v4(17, 0x1fff, nil, udp8))},
	{"decoder.ipv4.opt_malformed", join(ether("0800"), v4(17, 0, raw("94ff0000"), udp8))},
	{"decoder.ipv6.pkt_too_small", join(ether("86dd"), v6(17, nil)[:39])},
	{"decoder.ipv6.wrong_ip_version", join(ether("86dd"), edit(v6(17, udp8), 0, 0x40))},
	{"decoder.ipv6.trunc_pkt", join(ether("86dd"), edit(v6(17, udp8), 5, 200))},
	{"decoder.ipv6.trunc_exthdr", join(ether("86dd"), v6(0, raw("3a00 0502")))},
	{"decoder.ipv6.trunc_exthdr", join(ether("86dd"), v6(0, raw("3a09 0502 0000 0100")))},
	{"decoder.ipv6.rh_type_0", join(ether("86dd"), v6(43, join(raw("1100 0000 0000 0000"), udp8)))},
	{"decoder.ipv6.exthdr_dupl_hh", join(ether("86dd"), v6(0, join(raw("0000 0104 0000 0000"), mld)))},
	{"decoder.ipv6.exthdr_dupl_fh", join(ether("86dd"), v6(44, join(raw("2c 00 0001 0badcafe"), raw("11 00 0001 0badcafe"), udp8)))},
	{"decoder.ipv6.frag_pkt_too_large", join(ether("86dd"), v6(44, join(raw("11 00 fff9 0badcafe"), udp8)))},
	{"decoder.ipv6.exthdr_too_many", join(ether("86dd"), v6(60, join(
		raw("3c00 0104 0000 0000"), raw("3c00 0104 0000 0000"), raw("3c00 0104 0000 0000"),
		raw("3c00 0104 0000 0000"), raw("3c00 0104 0000 0000"), raw("3c00 0104 0000 0000"), raw("1100 0104 0000 0000"), udp8)))},
	{"decoder.tcp.pkt_too_small", join(ether("0800"), v4(6, 0, nil, tcpSYN[:19]))},
	{"decoder.tcp.hlen_too_small", join(ether("0800"), v4(6, 0, nil, edit(tcpSYN, 12, 0x40)))},
	{"decoder.tcp.hlen_too_small", join(ether("0800"), v4(6, 0, nil, edit(tcpSYN, 12, 0xf0)))},
	{"decoder.tcp.opt_invalid_len", join(ether("0800"), v4(6, 0, nil, edit(tcpSYN, 21, 0)))},
	{"decoder.udp.pkt_too_small", join(ether("0800"), v4(17, 0, nil, udp8[:7]))},
	{"decoder.udp.hlen_too_small", join(ether("0800"), v4(17, 0, nil, edit(udp8, 5, 7)))},
	{"decoder.udp.hlen_too_small", join(ether("0800"), v4(17, 0, nil, edit(udp8, 5, 0)))},
	{"decoder.udp.len_invalid", join(ether("0800"), v4(17, 0, nil, edit(udp8, 5, 13)))},
	{"decoder.icmpv4.pkt_too_small", join(ether("0800"), v4(1, 0, nil, echo[:7]))},
	{"decoder.igmp.pkt_too_small", join(ether("0800"), v4(2, 0, nil, echo[:7]))},
	{"decoder.icmpv6.pkt_too_small", join(ether("86dd"), v6(58, ns[:3]))},
	{"decoder.icmpv6.pkt_too_small", join(ether("86dd"), v6(58, ns[:20]))},
	{"decoder.icmpv6.pkt_too_small", join(ether("86dd"), v6(58, edit(ns, 25, 0)))},
	{"decoder.icmpv6.pkt_too_small", join(ether("86dd"), v6(58, raw("8000 0000 ab")))},
}

func TestDecodeMalformed(t *testing.T) {
	d := NewDecoder()
	for _, c := range badFrames {
		t.Run(c.event, func(t *testing.T) {
			got, err := d.Decode(c.data, len(c.data))
			var m *Malformed
			if !errors.As(err, &m) || m.Event != c.event {
				t.Fatalf("got %+v, %v", got, err)
			}
			if len(c.data) >= 14 && (m.Headers.Src != macA || m.Headers.Dst != macB) {
				t.Errorf("the error's headers lost the MACs: %+v", m.Headers)
			}
		})
	}
}

// What an earlier frame had must not show in a later one.
func TestDecodeForgets(t *testing.T) {
	d := NewDecoder()
	bare := join(ether("88b5"), raw("0102"))
	want, err := d.Decode(bare, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range goodFrames {
		if _, err := d.Decode(c.data, c.length); err != nil {
			t.Fatal(err)
		}
		got, err := d.Decode(bare, 0)
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" || err != nil {
			t.Errorf("after %s: %v\n%s", c.name, err, diff)
		}
	}
}

func TestDecodeAllocates(t *testing.T) {
	d := NewDecoder()
	for _, c := range goodFrames {
		if n := testing.AllocsPerRun(100, func() { _, _ = d.Decode(c.data, c.length) }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range goodFrames {
		f.Add(c.data, c.length)
	}
	for _, c := range badFrames {
		f.Add(c.data, len(c.data))
	}
	d := NewDecoder()
	f.Fuzz(func(t *testing.T, data []byte, length int) {
		h, err := d.Decode(data, length)
		if err == nil {
			if h.Tuple.Src.IsValid() != h.Tuple.Dst.IsValid() || h.Offset < 0 || h.Offset > 65535 {
				t.Fatalf("%+v", h)
			}
			return
		}
		var m *Malformed
		if !errors.As(err, &m) || !strings.HasPrefix(m.Event, "decoder.") {
			t.Fatalf("error %v", err)
		}
		if !cmp.Equal(h, Headers{}, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })) {
			t.Fatalf("value %+v and error %v", h, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	d := NewDecoder()
	for _, i := range []int{0, 1, 4, 5, 8} {
		c := goodFrames[i]
		b.Run(strings.ReplaceAll(c.name, " ", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decode(c.data, c.length); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
