package event

import (
	"citygate/pkg/flow"
	"citygate/pkg/verdict"
)

// Drop says that frames were dropped, or in monitor mode would have been. One event may stand for many frames.
type Drop struct {
	Header
	Tuple              flow.FiveTuple // zero where the frame has no IP packet; addresses of ARP: sender and target
	VLAN               flow.VLAN
	SrcMAC, DstMAC     flow.MAC
	EtherType          uint16    // after the VLAN tags
	Side               flow.Side // where the frame came in
	Reason             verdict.Reason
	WouldDrop          bool   // monitor mode: it was forwarded
	Count              uint32 // frames that this event stands for, this one included
	Suppressed         uint32 // more frames of the reason, of which nothing but their number is known
	Device             string // the sender's name in the policy; empty if unknown
	PolicyLine         string // the line that decided; empty if none did
	Length             int    // of the frame, bytes
	TTL                uint8  // IPv4 TTL, IPv6 hop limit
	ICMPType, ICMPCode uint8  // of ICMP and ICMPv6
	TCPFlags           uint8  // RFC 9293, 3.1: bit 0 is FIN
}

// EventType is TypeDrop.
func (*Drop) EventType() Type { return TypeDrop }

func (d *Drop) wire(c *coder) {
	c.tuple(&d.Tuple)
	u32(c, &d.VLAN)
	c.mac(&d.SrcMAC)
	c.mac(&d.DstMAC)
	u16(c, &d.EtherType)
	u8(c, &d.Side)
	u8(c, &d.Reason)
	c.bool(&d.WouldDrop)
	u32(c, &d.Count)
	u32(c, &d.Suppressed)
	c.text(&d.Device, maxName)
	c.text(&d.PolicyLine, maxText)
	length := uint32(d.Length)
	u32(c, &length)
	d.Length = int(length)
	u8(c, &d.TTL)
	u8(c, &d.ICMPType)
	u8(c, &d.ICMPCode)
	u8(c, &d.TCPFlags)
}

// dropBody is EVE's drop object.
type dropBody struct {
	Len      int           `json:"len"`
	TTL      uint8         `json:"ttl,omitempty"`
	HopLimit uint8         `json:"hoplimit,omitempty"`
	SYN      *bool         `json:"syn,omitempty"`
	ACK      *bool         `json:"ack,omitempty"`
	PSH      *bool         `json:"psh,omitempty"`
	RST      *bool         `json:"rst,omitempty"`
	URG      *bool         `json:"urg,omitempty"`
	FIN      *bool         `json:"fin,omitempty"`
	Reason   string        `json:"reason"`
	Verdict  verdictAction `json:"verdict"`
}

type verdictAction struct {
	Action string `json:"action"`
}

type dropOurs struct {
	Bridge     string `json:"bridge,omitempty"`
	Side       string `json:"side"`
	VLAN       string `json:"vlan,omitempty"`
	Device     string `json:"device,omitempty"`
	SrcMAC     string `json:"src_mac"`
	DestMAC    string `json:"dest_mac"`
	EtherType  uint16 `json:"ether_type,omitempty"`
	Reason     string `json:"reason"`
	ReasonText string `json:"reason_text"`
	PolicyLine string `json:"policy_line,omitempty"`
	WouldDrop  bool   `json:"would_drop"`
	Count      uint32 `json:"count"`
	Suppressed uint32 `json:"suppressed"`
}

const etherARP = 0x0806

func (d *Drop) eve(l *line) {
	l.vlan(d.VLAN)
	body := dropBody{Len: d.Length, Reason: d.Reason.String(), Verdict: verdictAction{"drop"}}
	if d.WouldDrop {
		body.Verdict.Action = "pass"
	}
	switch src, dst := d.Tuple.Src, d.Tuple.Dst; {
	case !src.IsValid() || !dst.IsValid():
	case d.EtherType == etherARP:
		l.SrcIP, l.DestIP = src.String(), dst.String()
	default:
		l.tuple(d.Tuple, d.VLAN, d.Bridge, d.ICMPType, d.ICMPCode)
		if src.Is4() {
			body.TTL = d.TTL
		} else {
			body.HopLimit = d.TTL
		}
		if d.Tuple.Proto == flow.TCP {
			body.flags(d.TCPFlags)
		}
	}
	l.Drop = body
	l.Ours = dropOurs{
		Bridge: d.Bridge, Side: d.Side.String(), VLAN: vlanText(d.VLAN), Device: d.Device,
		SrcMAC: d.SrcMAC.String(), DestMAC: d.DstMAC.String(), EtherType: d.EtherType,
		Reason: d.Reason.String(), ReasonText: d.Reason.Text(), PolicyLine: d.PolicyLine,
		WouldDrop: d.WouldDrop, Count: d.Count, Suppressed: d.Suppressed,
	}
}

// flags spells out the TCP flags (RFC 9293, 3.1).
func (b *dropBody) flags(f uint8) {
	for bit, field := range []**bool{&b.FIN, &b.SYN, &b.RST, &b.PSH, &b.ACK, &b.URG} {
		set := f>>bit&1 == 1
		*field = &set
	}
}

// vlanText is a VLAN as the policy writes it; empty if untagged.
func vlanText(v flow.VLAN) string {
	if v == 0 {
		return ""
	}
	return v.String()
}
