package packet

import (
	"errors"
	"testing"
)

// tcpWith is a SYN with options, which are filled up with zeros.
func tcpWith(options string) []byte {
	o := raw(options)
	for len(o)%4 != 0 {
		o = append(o, 0)
	}
	b := join(raw("9c40 022a 00000001 00000000 50 02 ffff 0000 0000"), o)
	b[12] = byte(20+len(o)) << 2
	return b
}

// err4 is an ICMP error that quotes a packet.
func err4(kind, code byte, quoted []byte) []byte {
	return ip4(1, join([]byte{kind, code}, make([]byte, 6), quoted))
}

func err6(kind, code byte, quoted []byte) []byte {
	return v6(58, join([]byte{kind, code}, make([]byte, 6), quoted))
}

const pad4 = "0104 0000 0000" // PadN that fills an extension header

// What is odd but readable, and what is fatal behind a sound IP header. The events are all that must fire.
var oddCases = []struct {
	name   string
	data   []byte
	events string
	fatal  bool
}{
	{"option padding", v4(17, 0, raw("94040000"), udp8), "ipv4.opt_pad_required", false},
	{"router alert", v4(17, 0, raw("94040000 00000000"), udp8), "", false},
	{"option length 0", v4(17, 0, raw("9400000000000000"), udp8), "ipv4.opt_invalid_len", false},
	{"option too long", v4(17, 0, raw("9409000000000000"), udp8), "ipv4.opt_invalid_len", false},
	{"option of a wrong length", v4(17, 0, raw("9403000000000000"), udp8), "ipv4.opt_invalid_len", false},
	{"unknown option", v4(17, 0, raw("5e04000000000000"), udp8), "ipv4.opt_invalid", false},
	{"option twice", v4(17, 0, raw("9404000094040000"), udp8), "ipv4.opt_duplicate", false},
	{"a last byte that starts an option", v4(17, 0, raw("0101010101010194"), udp8), "ipv4.opt_eol_required", false},
	{"record route", v4(17, 0, raw("0707040000000000"), udp8), "", false},
	{"record route, pointer", v4(17, 0, raw("0707050000000000"), udp8), "ipv4.opt_malformed", false},
	{"timestamp", v4(17, 0, raw("4408050000000000"), udp8), "", false},
	{"timestamp, pointer", v4(17, 0, raw("4408060000000000"), udp8), "ipv4.opt_malformed", false},
	{"timestamp, short", v4(17, 0, raw("4404050000000000"), udp8), "ipv4.opt_invalid_len", false},
	{"security", v4(17, 0, raw("820b0000000000000000000000000000"), udp8), "", false},
	{"security, length", v4(17, 0, raw("8204000000000000"), udp8), "ipv4.opt_invalid_len", false},
	{"cipso", v4(17, 0, raw("860a00000001 0504 0001 000000000000"), udp8), "", false},
	{"cipso, tag 0", v4(17, 0, raw("860a00000001 0004 0001 000000000000"), udp8), "ipv4.opt_malformed", false},
	{"cipso, tag length", v4(17, 0, raw("860a00000001 0505 0001 000000000000"), udp8), "ipv4.opt_malformed", false},
	{"icmpv6 in ipv4", ip4(58, ns), "ipv4.icmpv6", false},
	{"large fragment", v4(17, 0x1fff, nil, udp8), "ipv4.frag_pkt_too_large", false},

	{"echo", ip4(1, echo), "", false},
	{"echo, code", ip4(1, edit(echo, 1, 1)), "icmpv4.unknown_code", false},
	{"icmp type", ip4(1, edit(echo, 0, 77)), "icmpv4.unknown_type", false},
	{"icmp, short", ip4(1, echo[:7]), "icmpv4.pkt_too_small", true},
	{"unreachable", err4(3, 3, inner4), "", false},
	{"unreachable, code", err4(3, 16, inner4), "icmpv4.unknown_code", false},
	{"unreachable, short", err4(3, 3, inner4[:19]), "icmpv4.ipv4_trunc_pkt", false},
	{"unreachable, version", err4(3, 3, inner6), "icmpv4.ipv4_unknown_ver", false},
	{"redirect, code", err4(5, 4, inner4), "icmpv4.unknown_code", false},
	{"advertisement without routes", err4(9, 16, nil), "", false},
	{"icmpv4 in ipv6", v6(1, echo), "ipv6.icmpv4", false},
	{"icmpv6, short", v6(58, ns[:7]), "icmpv6.pkt_too_small", true},
	{"icmpv6 unreachable", err6(1, 4, inner6), "", false},
	{"icmpv6 unreachable, code", err6(1, 7, inner6), "icmpv6.unknown_code", false},
	{"icmpv6 unreachable, short", err6(1, 4, inner6[:39]), "icmpv6.ipv6_trunc_pkt", false},
	{"icmpv6 unreachable, version", err6(1, 4, join(inner4, inner4)), "icmpv6.ipv6_unknown_version", false},
	{"icmpv6 too big, code", err6(2, 1, inner6), "icmpv6.unknown_code", false},
	{"icmpv6 unassigned", err6(5, 0, nil), "icmpv6.unassigned_type", false},
	{"icmpv6 experiment", err6(200, 0, nil), "icmpv6.experimentation_type", false},
	{"icmpv6 reserved", err6(255, 0, nil), "icmpv6.unknown_type", false},
	{"mld from afar", v6(0, mld), "icmpv6.mld_message_with_invalid_hl ipv6.zero_len_padn", false},
	{"mld", edit(v6(0, mld), 7, 1), "ipv6.zero_len_padn", false},

	{"igmp, short", ip4(2, make([]byte, 7)), "igmp.pkt_too_small", true},
	{"igmp query, sources", ip4(2, raw("1100 0000 e0000001 0000 0002 0a000001")), "igmp.v3_pkt_too_small", true},
	{"igmp report, records", ip4(2, raw("2200 0000 0000 0002 01000000 ef010101")), "igmp.v3_pkt_too_small", true},
	{"igmp report, sources", ip4(2, raw("2200 0000 0000 0001 01000001 ef010101")), "igmp.malformed", true},

	{"useless fragment", v6(44, join(raw("1100 0000 0badcafe"), udp8)), "ipv6.exthdr_useless_fh", false},
	{"reserved byte", v6(44, join(raw("1101 0008 0badcafe"), udp8)), "ipv6.fh_non_zero_reserved_field", false},
	{"fragment twice", v6(44, join(raw("2c00 0000 0badcafe 1100 0009 0badcafe"), udp8)), "ipv6.exthdr_dupl_fh ipv6.exthdr_useless_fh", false},
	{"fragment, length", v6(44, join(raw("1100 0001 0badcafe"), udp8)), "ipv6.frag_invalid_length", false},
	{"large ipv6 fragment", v6(44, join(raw("1100 fff8 0badcafe"), udp8)), "ipv6.frag_pkt_too_large", false},
	{"fragment of nothing", v6(44, raw("1100 0000 0badcafe")), "ipv6.trunc_exthdr ipv6.exthdr_useless_fh", true},
	{"extension too long", v6(0, raw("1101 0104 0000 0000")), "ipv6.trunc_exthdr", true},
	{"extension too short", v6(0, raw("1100 0104")), "ipv6.trunc_exthdr", true},
	{"routing 0", v6(43, join(raw("1100 0000 0000 0000"), udp8)), "ipv6.rh_type_0", false},
	{"routing twice", v6(43, join(raw("2b00 0300 0000 0000 1100 0000 0000 0000"), udp8)), "ipv6.exthdr_dupl_rh", false},
	{"hop by hop, padding", v6(0, join(raw("1100"+pad4), udp8)), "ipv6.hopopts_only_padding", false},
	{"hop by hop twice", v6(0, join(raw("0000"+pad4), raw("1100"+pad4), udp8)), "ipv6.exthdr_dupl_hh ipv6.hopopts_only_padding", false},
	{"hop by hop, unknown", v6(0, join(raw("1100 2204 0000 0000"), udp8)), "ipv6.hopopts_unknown_opt", false},
	{"hop by hop, empty PadN", v6(0, join(raw("1100 0502 0000 0100"), udp8)), "ipv6.zero_len_padn", false},
	{"hop by hop, router alert", v6(0, join(raw("1100 0502 0000 0000"), udp8)), "", false},
	{"hop by hop, option length", v6(0, join(raw("1100 0505 0000 0000"), udp8)), "ipv6.exthdr_invalid_optlen", false},
	{"hop by hop, short router alert", v6(0, join(raw("1100 0501 0001 0100"), udp8)), "ipv6.exthdr_invalid_optlen", false},
	{"destination, padding", v6(60, join(raw("1100"+pad4), udp8)), "ipv6.dstopts_only_padding", false},
	{"destination, unknown", v6(60, join(raw("1100 2204 0000 0000"), udp8)), "ipv6.dstopts_unknown_opt", false},
	{"destination thrice", v6(60, join(raw("3c00 2204 0000 0000 3c00 2204 0000 0000 1100 2204 0000 0000"), udp8)), "ipv6.exthdr_dupl_dh ipv6.dstopts_unknown_opt", false},
	{"authentication", v6(51, join(raw("1101 0000 00000001 00000001"), udp8)), "", false},
	{"authentication, reserved", v6(51, join(raw("1101 0001 00000001 00000001"), udp8)), "ipv6.exthdr_ah_res_not_null", false},
	{"authentication twice", v6(51, join(raw("3301 0000 00000001 00000001 1101 0000 00000001 00000001"), udp8)), "ipv6.exthdr_dupl_ah", false},
	{"mobility", v6(135, join(raw("1100 0000 0000 0000"), udp8)), "", false},
	{"none", v6(59, nil), "", false},
	{"none, with data", v6(59, raw("00")), "ipv6.data_after_none_header", false},
	{"unknown next header", v6(99, raw("0000")), "ipv6.unknown_next_header", false},

	{"tcp options", ip4(6, tcpSYN), "", false},
	{"tcp, short", ip4(6, tcpSYN[:19]), "tcp.pkt_too_small", true},
	{"tcp, header", ip4(6, edit(tcpSYN, 12, 0x40)), "tcp.hlen_too_small", true},
	{"tcp, option length", ip4(6, tcpWith("0206 0102")), "tcp.opt_invalid_len", false},
	{"tcp, mss length", ip4(6, tcpWith("0205 010203")), "tcp.opt_invalid_len", false},
	{"tcp, sack length", ip4(6, tcpWith("0503 00")), "tcp.opt_invalid_len", false},
	{"tcp, empty sack", ip4(6, tcpWith("0502")), "", false},
	{"tcp, mss twice", ip4(6, tcpWith("020405b4 020405b4")), "tcp.opt_duplicate", false},
	{"tcp, fast open", ip4(6, tcpWith("2206 01020304")), "", false},
	{"tcp, fast open, odd cookie", ip4(6, tcpWith("2207 0102030405")), "tcp.opt_invalid_len", false},
	{"tcp, a last byte that starts an option", ip4(6, tcpWith("01010102")), "", false},
	{"udp, short", ip4(17, udp8[:7]), "udp.pkt_too_small", true},
	{"udp, longer than its packet", ip4(17, edit(udp8, 5, 13)), "udp.pkt_too_small", true},
	{"udp, length 7", ip4(17, edit(udp8, 5, 7)), "udp.len_invalid", true},
	{"sctp, short", ip4(132, make([]byte, 11)), "sctp.pkt_too_small", true},
}

func TestOdd(t *testing.T) {
	d := NewDecoder()
	for _, c := range oddCases {
		t.Run(c.name, func(t *testing.T) {
			h, err := d.DecodeLink(LinkRaw, c.data, len(c.data))
			var m *Malformed
			if errors.As(err, &m) {
				h = m.Headers
			}
			if got := names(h.Events); got != c.events || (err != nil) != c.fatal {
				t.Errorf("%q, %v; want %q, fatal %v", got, err, c.events, c.fatal)
			}
			if h.IPVersion == 0 {
				t.Error("the IP header is lost")
			}
		})
	}
}

func TestTCPOptions(t *testing.T) {
	d := NewDecoder()
	for _, c := range []struct {
		options string
		want    TCPOptions
	}{
		{"020405b4 0402 080a 00000007 00000009 01 030307", TCPOptions{
			Kinds: [8]uint8{2, 4, 8, 1, 3}, N: 5, MSS: 1460, Scale: 7, Scaled: true, SACKPermitted: true,
			Timestamped: true, TSval: 7, TSecr: 9,
		}},
		{"2202 0101", TCPOptions{Kinds: [8]uint8{34, 1, 1}, N: 3, FastOpen: true}},
		{"fe08 f989 01020304", TCPOptions{Kinds: [8]uint8{254}, N: 1, FastOpen: true}},
		{"fe04 1234", TCPOptions{Kinds: [8]uint8{254}, N: 1}},
		{"020405b4 02040001", TCPOptions{Kinds: [8]uint8{2, 2}, N: 2, MSS: 1460}}, // the first counts
		{"030304 00 020405b4", TCPOptions{Kinds: [8]uint8{3, 0}, N: 2, Scale: 4, Scaled: true}},
		{"01010101 01010101 01010101", TCPOptions{Kinds: [8]uint8{1, 1, 1, 1, 1, 1, 1, 1}, N: 12}},
		{"0305", TCPOptions{Kinds: [8]uint8{3}, N: 1}}, // longer than what is left
	} {
		data := ip4(6, tcpWith(c.options))
		h, err := d.DecodeLink(LinkRaw, data, len(data))
		if err != nil || h.TCP.Options != c.want {
			t.Errorf("%s: %v\n%+v, want\n%+v", c.options, err, h.TCP.Options, c.want)
		}
	}
}
