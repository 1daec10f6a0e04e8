package packet

import (
	"encoding/binary"
	"net"
	"net/netip"

	"citygate/pkg/flow"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Decoder decodes one frame after the other without allocating. It is not safe for concurrent use.
type Decoder struct {
	parser  *gopacket.DecodingLayerParser
	decoded []gopacket.LayerType
	eth     ethernet
	tags    tags
	arp     layers.ARP
	ip4     ipv4
	ip6     ipv6
	tcp     layers.TCP
	udp     layers.UDP
	icmp4   layers.ICMPv4
	icmp6   icmpv6
	echo    layers.ICMPv6Echo
	ns      layers.ICMPv6NeighborSolicitation
	na      layers.ICMPv6NeighborAdvertisement
	igmp    layers.IGMPv1or2
	fault   Malformed

	// Of the frame in hand: the headers so far, what follows them as far as it was captured, and how long that was on
	// the wire.
	h    Headers
	rest []byte
	left int
}

// NewDecoder makes a decoder.
func NewDecoder() *Decoder {
	d := new(Decoder)
	d.eth.tags = &d.tags
	d.parser = gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &d.eth, &d.tags, &d.arp, &d.ip4, &d.ip6,
		&d.tcp, &d.udp, &d.icmp4, &d.icmp6, &d.echo, &d.ns, &d.na, &d.igmp)
	d.parser.IgnoreUnsupported = true
	return d
}

// Decode reads the headers of a frame. Data are its first bytes, length is how many it had on the wire: a header that
// goes on beyond data is Cut, one that goes on beyond the wire is an error. The error is a *Malformed.
func (d *Decoder) Decode(data []byte, length int) (Headers, error) {
	d.h, d.rest, d.left = Headers{}, data, max(length, len(data))
	// A panic in a layer comes back as an error: gopacket 1.1.19 computes the length of an ARP message in 8 bits.
	err := d.parser.DecodeLayers(data, &d.decoded)
	event := ""
	for _, t := range d.decoded {
		if event = d.take(t); event != "" {
			return d.malformed(event)
		}
	}
	if err != nil {
		if event = d.blame(); event != "" {
			return d.malformed(event)
		}
		d.h.Cut = true
	}
	d.ports()
	d.h.Payload = d.rest
	return d.h, nil
}

func (d *Decoder) malformed(event string) (Headers, error) {
	d.fault = Malformed{Event: event, Headers: d.h}
	return Headers{}, &d.fault
}

// ports fills in what a fragment or a cut header shows of its ports.
func (d *Decoder) ports() {
	if (d.h.Fragment || d.h.Cut) && d.h.Offset == 0 && len(d.rest) >= 4 && d.h.Tuple.SrcPort == 0 &&
		(d.h.Tuple.Proto == flow.TCP || d.h.Tuple.Proto == flow.UDP) {
		d.h.Tuple.SrcPort = binary.BigEndian.Uint16(d.rest)
		d.h.Tuple.DstPort = binary.BigEndian.Uint16(d.rest[2:])
	}
}

// step goes on behind a header of n bytes.
func (d *Decoder) step(n int) {
	d.rest, d.left = d.rest[min(n, len(d.rest)):], d.left-n
}

// take copies a decoded layer into the headers. It returns what is wrong with it, if anything.
func (d *Decoder) take(t gopacket.LayerType) (event string) {
	switch t {
	case layers.LayerTypeEthernet:
		copy(d.h.Src[:], d.eth.SrcMAC)
		copy(d.h.Dst[:], d.eth.DstMAC)
		d.h.EtherType = binary.BigEndian.Uint16(d.eth.Contents[12:])
		d.step(14)
	case layers.LayerTypeDot1Q:
		d.takeTag()
	case layers.LayerTypeARP:
		return d.takeARP()
	case layers.LayerTypeIPv4:
		return d.takeIPv4()
	case layers.LayerTypeIPv6:
		return d.takeIPv6()
	case layers.LayerTypeTCP:
		d.takeTCP()
	case layers.LayerTypeUDP:
		return d.takeUDP()
	case layers.LayerTypeICMPv4:
		d.h.ICMPType, d.h.ICMPCode = d.icmp4.TypeCode.Type(), d.icmp4.TypeCode.Code()
		if d.h.ICMPType == layers.ICMPv4TypeEchoRequest || d.h.ICMPType == layers.ICMPv4TypeEchoReply {
			d.h.Tuple.SrcPort = d.icmp4.Id
		}
		d.step(8)
	case layers.LayerTypeICMPv6:
		d.h.ICMPType, d.h.ICMPCode = d.icmp6.TypeCode.Type(), d.icmp6.TypeCode.Code()
		d.step(4)
	case layers.LayerTypeICMPv6Echo:
		d.h.Tuple.SrcPort = d.echo.Identifier
		d.step(4)
	case layers.LayerTypeICMPv6NeighborSolicitation:
		d.takeND(d.ns.TargetAddress, d.ns.Options, layers.ICMPv6OptSourceAddress)
	case layers.LayerTypeICMPv6NeighborAdvertisement:
		d.takeND(d.na.TargetAddress, d.na.Options, layers.ICMPv6OptTargetAddress)
	case layers.LayerTypeIGMP:
		d.h.ICMPType = uint8(d.igmp.Type)
		if d.igmp.Type != layers.IGMPMembershipReportV3 { // whose groups stand in records
			d.h.Group, _ = netip.AddrFromSlice(d.igmp.GroupAddress)
		}
		d.step(8)
	}
	return ""
}

// takeTag reads one tag; take comes once for each, the layer holds both.
func (d *Decoder) takeTag() {
	d.h.EtherType = binary.BigEndian.Uint16(d.rest[2:])
	vid := binary.BigEndian.Uint16(d.rest) & 0xfff
	d.step(4)
	if d.tags.n > 1 {
		d.h.VLAN = flow.QinQ(d.tags.vid[0], d.tags.vid[1])
	} else {
		d.h.VLAN = flow.VLAN(vid)
	}
}

func (d *Decoder) takeARP() string {
	a := &d.arp
	switch {
	case a.AddrType != layers.LinkTypeEthernet:
		return "decoder.arp.unsupported_hardware"
	case a.Protocol != layers.EthernetTypeIPv4:
		return "decoder.arp.unsupported_protocol"
	case a.HwAddressSize != 6:
		return "decoder.arp.invalid_hardware_size"
	case a.ProtAddressSize != 4:
		return "decoder.arp.invalid_protocol_size"
	case a.Operation == 0:
		return "decoder.arp.unsupported_opcode"
	}
	d.h.ARP = ARP{
		Op:        a.Operation,
		SenderMAC: flow.MAC(a.SourceHwAddress), TargetMAC: flow.MAC(a.DstHwAddress),
		Sender: addr4(a.SourceProtAddress), Target: addr4(a.DstProtAddress),
	}
	d.step(28)
	return ""
}

func (d *Decoder) takeIPv4() string {
	ip := &d.ip4
	header, total := int(ip.IHL)*4, int(binary.BigEndian.Uint16(ip.Contents[2:]))
	d.h.Tuple = flow.FiveTuple{Src: addr4(ip.SrcIP), Dst: addr4(ip.DstIP), Proto: flow.Proto(ip.Protocol)}
	d.h.TTL, d.h.TOS, d.h.ID, d.h.IPLength = ip.TTL, ip.TOS, uint32(ip.Id), total
	d.h.Offset = int(ip.FragOffset) * 8
	d.h.Fragment = d.h.Offset != 0 || ip.Flags&layers.IPv4MoreFragments != 0
	switch {
	case ip.Version != 4:
		return "decoder.ipv4.wrong_ip_version"
	case total < header: // gopacket takes 0 for an offloaded packet
		return "decoder.ipv4.iplen_smaller_than_hlen"
	case total > d.left:
		return "decoder.ipv4.trunc_pkt"
	case d.h.Offset+total-header > 65535:
		return "decoder.ipv4.frag_pkt_too_large"
	}
	d.rest, d.left = ip.Payload, total-header
	return ""
}

func (d *Decoder) takeIPv6() string {
	ip := &d.ip6
	d.h.Tuple = flow.FiveTuple{Src: netip.AddrFrom16(ip.src), Dst: netip.AddrFrom16(ip.dst), Proto: flow.Proto(ip.proto)}
	d.h.TTL, d.h.TOS, d.h.ID, d.h.IPLength = ip.hops, ip.class, ip.id, 40+ip.length
	d.h.Fragment, d.h.Offset, d.h.Cut = ip.fragment, ip.offset, ip.cut
	switch {
	case ip.version != 6:
		return "decoder.ipv6.wrong_ip_version"
	case 40+ip.length > d.left:
		return "decoder.ipv6.trunc_pkt"
	case ip.fragment && ip.offset+40+ip.length-ip.size > 65535:
		return "decoder.ipv6.frag_pkt_too_large"
	}
	d.rest, d.left = ip.Payload, 40+ip.length-ip.size
	return ""
}

func (d *Decoder) takeTCP() {
	t := &d.tcp
	d.h.Tuple.SrcPort, d.h.Tuple.DstPort = uint16(t.SrcPort), uint16(t.DstPort)
	d.h.TCP = TCP{Flags: t.Contents[13], Seq: t.Seq, Ack: t.Ack, Window: t.Window, Options: shape(t.Options)}
	d.step(int(t.DataOffset) * 4)
}

func shape(options []layers.TCPOption) (s TCPOptions) {
	s.N = uint8(len(options)) // at most 40: each has a byte
	for i, o := range options {
		if i < len(s.Kinds) {
			s.Kinds[i] = uint8(o.OptionType)
		}
		switch {
		case o.OptionType == layers.TCPOptionKindMSS && len(o.OptionData) == 2:
			s.MSS = binary.BigEndian.Uint16(o.OptionData)
		case o.OptionType == layers.TCPOptionKindWindowScale && len(o.OptionData) == 1:
			s.Scale, s.Scaled = o.OptionData[0], true
		}
	}
	return s
}

func (d *Decoder) takeUDP() string {
	d.h.Tuple.SrcPort, d.h.Tuple.DstPort = uint16(d.udp.SrcPort), uint16(d.udp.DstPort)
	switch length := int(d.udp.Length); {
	case length < 8: // 0 is a jumbogram, which is not forwarded
		return "decoder.udp.hlen_too_small"
	case length > d.left:
		return "decoder.udp.len_invalid"
	}
	d.rest, d.left = d.udp.Payload, int(d.udp.Length)-8
	return ""
}

func (d *Decoder) takeND(target net.IP, options layers.ICMPv6Options, kind layers.ICMPv6Opt) {
	d.h.ND.Target, _ = netip.AddrFromSlice(target)
	for _, o := range options {
		if o.Type == kind && len(o.Data) == len(flow.MAC{}) {
			d.h.ND.Link, d.h.ND.HasLink = flow.MAC(o.Data), true
		}
	}
	d.step(20)
}

func addr4(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b)) }
