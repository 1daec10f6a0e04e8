package signature

import "citygate/pkg/app/layer"

// NewContext makes a context; the engine fills in its fields.
func NewContext() *Context { return &Context{} }

// Holds says whether all matches on the packet, the flow and the transaction hold.
func (c *Context) Holds(list []Match) bool {
	for i := range list {
		if k := c.keyword(&list[i]); k.Eval == nil || !k.Eval(c, &list[i]) {
			return false
		}
	}
	return true
}

// Act does what a signature that matched says to do then.
func (c *Context) Act(list []Match) {
	for i := range list {
		if k := c.keyword(&list[i]); k.Eval != nil {
			k.Eval(c, &list[i])
		}
	}
}

// PacketBuffer is the value of a buffer that is read from the packet; ok is false if the packet has no such header.
func (c *Context) PacketBuffer(b layer.Buffer) (value []byte, ok bool) {
	h := c.Packet
	proto := uint8(h.Tuple.Proto)
	switch {
	case b == layer.Payload:
		return h.Payload, true
	case b == layer.Base64Data:
		return c.Base64, len(c.Base64) > 0
	case b == layer.IPv4Header && h.IPVersion == 4, b == layer.IPv6Header && h.IPVersion == 6:
		return h.Network, len(h.Network) > 0
	case b == layer.TCPHeader && proto == 6, b == layer.UDPHeader && proto == 17, b == layer.ICMPv4Header && proto == 1,
		b == layer.ICMPv6Header && proto == 58, b == layer.IGMPHeader && proto == 2:
		if b == layer.ICMPv4Header {
			return c.icmpHeader(), len(h.Transport) > 0
		}
		return h.Transport, len(h.Transport) > 0
	}
	return nil, false
}

// icmpHeader is the header of an ICMP message with the fields that its type has: a router's advertisement (RFC 1256),
// timestamps and address masks (RFC 792, 950). The decoder ends them at 8 bytes.
func (c *Context) icmpHeader() []byte {
	b, more := c.Packet.Transport, 0
	if len(b) < 8 {
		return b
	}
	switch b[0] {
	case 9:
		more = 8
	case 13, 14:
		more = 12
	case 17, 18:
		more = 4
	}
	if more == 0 {
		return b
	}
	c.scratch = append(append(c.scratch[:0], b...), c.Packet.Payload[:min(more, len(c.Packet.Payload))]...)
	return c.scratch
}

// Absent judges a list whose buffer has no value: it holds only if the rule asks for that.
func (c *Context) Absent(l *List) bool {
	return len(l.Matches) > 0 && c.keyword(&l.Matches[0]).Name == "absent"
}
