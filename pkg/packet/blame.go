package packet

import (
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// blame names what is wrong with the layer that the parser could not decode: the one after the last of d.decoded, whose
// bytes are d.rest. "" means that only the captured bytes end too early.
func (d *Decoder) blame() string {
	switch d.failed() {
	case layers.LayerTypeEthernet:
		return d.short(14, "decoder.ethernet.pkt_too_small")
	case layers.LayerTypeDot1Q:
		if d.tags.n == len(d.tags.vid) {
			return "decoder.vlan.too_many_layers"
		}
		return d.short(4, "decoder.vlan.header_too_small")
	case layers.LayerTypeARP:
		return d.blameARP()
	case layers.LayerTypeIPv4:
		return d.blameIPv4()
	case layers.LayerTypeIPv6:
		return d.blameIPv6()
	case layers.LayerTypeTCP:
		return d.blameTCP()
	case layers.LayerTypeUDP:
		if len(d.rest) >= 8 {
			return "decoder.udp.hlen_too_small"
		}
		return d.short(8, "decoder.udp.pkt_too_small")
	case layers.LayerTypeICMPv4:
		return d.short(8, "decoder.icmpv4.pkt_too_small")
	case layers.LayerTypeIGMP:
		return d.short(8, "decoder.igmp.pkt_too_small")
	case layers.LayerTypeICMPv6:
		return d.short(4, "decoder.icmpv6.pkt_too_small")
	case layers.LayerTypeICMPv6Echo:
		return d.short(4, "decoder.icmpv6.pkt_too_small")
	}
	// ND: 20 bytes, and options that fill the packet.
	return d.short(d.left, "decoder.icmpv6.pkt_too_small")
}

// failed is the layer that the last decoded one announced.
func (d *Decoder) failed() gopacket.LayerType {
	if len(d.decoded) == 0 {
		return layers.LayerTypeEthernet
	}
	switch d.decoded[len(d.decoded)-1] {
	case layers.LayerTypeEthernet:
		return d.eth.NextLayerType()
	case layers.LayerTypeDot1Q:
		return d.tags.NextLayerType()
	case layers.LayerTypeIPv4:
		return d.ip4.NextLayerType()
	case layers.LayerTypeIPv6:
		return d.ip6.NextLayerType()
	case layers.LayerTypeICMPv6:
		return d.icmp6.NextLayerType()
	}
	return gopacket.LayerTypeZero
}

// short says event unless the n bytes were on the wire and only the captured ones end before.
func (d *Decoder) short(n int, event string) string {
	if n <= d.left && len(d.rest) < n {
		return ""
	}
	return event
}

func (d *Decoder) blameARP() string {
	switch b := d.rest; {
	case len(b) < 8:
		return d.short(28, "decoder.arp.pkt_too_small")
	case b[4] != 6:
		return "decoder.arp.invalid_hardware_size"
	case b[5] != 4:
		return "decoder.arp.invalid_protocol_size"
	}
	return d.short(28, "decoder.arp.pkt_too_small")
}

func (d *Decoder) blameIPv4() string {
	b := d.rest
	if len(b) < 20 {
		return d.short(20, "decoder.ipv4.pkt_too_small")
	}
	header, total := int(b[0]&15)*4, int(b[2])<<8|int(b[3])
	d.h.Tuple.Src, d.h.Tuple.Dst = addr4(b[12:16]), addr4(b[16:20])
	switch {
	case b[0]>>4 != 4:
		return "decoder.ipv4.wrong_ip_version"
	case header < 20:
		return "decoder.ipv4.hlen_too_small"
	case total < header:
		return "decoder.ipv4.iplen_smaller_than_hlen"
	case total > d.left:
		return "decoder.ipv4.trunc_pkt"
	case header > len(b):
		return ""
	}
	return "decoder.ipv4.opt_malformed"
}

func (d *Decoder) blameIPv6() string {
	if len(d.rest) < 40 {
		return d.short(40, "decoder.ipv6.pkt_too_small")
	}
	if event := d.takeIPv6(); event != "" {
		return event
	}
	return d.ip6.fault
}

func (d *Decoder) blameTCP() string {
	b := d.rest
	if len(b) < 20 {
		return d.short(20, "decoder.tcp.pkt_too_small")
	}
	d.h.Tuple.SrcPort, d.h.Tuple.DstPort = uint16(d.tcp.SrcPort), uint16(d.tcp.DstPort)
	d.h.TCP.Flags = b[13]
	switch header := int(b[12]>>4) * 4; {
	case header < 20 || header > d.left:
		return "decoder.tcp.hlen_too_small"
	case header > len(b):
		return ""
	}
	return "decoder.tcp.opt_invalid_len"
}
