package forge

import (
	"encoding/binary"
	"net/netip"

	"citygate/pkg/flow"
)

// Flags of a segment (RFC 9293, 3.1).
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
)

// Conn is a TCP connection whose segments are made one by one. Next are the next sequence numbers of the client and the
// server.
type Conn struct {
	c    *Capture
	Ends [2]netip.AddrPort // client, server
	ISN  [2]uint32
	Next [2]uint32
	Ack  [2]uint32 // what each side acknowledges
	TTL  uint8
}

// Segment is a segment to be made. Seq counts from the side's first byte of data: 0 is the first.
type Segment struct {
	From        flow.Direction
	Seq         int
	Data        []byte
	Flags       uint8 // ACK and PSH if 0
	TTL         uint8
	BadChecksum bool
	NoAck       bool  // the other side does not acknowledge it at once
	Fragments   []int // cut the packet's payload at these offsets (multiples of 8) into IP fragments
	Options     []byte
}

// TCP begins a connection without a packet.
func (c *Capture) TCP(client, server netip.AddrPort) *Conn {
	return &Conn{c: c, Ends: [2]netip.AddrPort{client, server}, ISN: [2]uint32{1000, 500000}, Next: [2]uint32{1001, 500001}}
}

// Open is TCP and its handshake.
func (c *Capture) Open(client, server netip.AddrPort) *Conn {
	k := c.TCP(client, server)
	k.Handshake()
	return k
}

// Handshake is SYN, SYN/ACK, ACK.
func (k *Conn) Handshake() {
	mss := []byte{2, 4, 5, 0xb4}
	k.raw(flow.ToServer, k.ISN[0], 0, SYN, mss, nil, Segment{})
	k.raw(flow.ToClient, k.ISN[1], k.ISN[0]+1, SYN|ACK, mss, nil, Segment{})
	k.Ack = [2]uint32{k.ISN[1] + 1, k.ISN[0] + 1}
	k.raw(flow.ToServer, k.ISN[0]+1, k.ISN[1]+1, ACK, nil, nil, Segment{})
}

// Send sends data in segments of at most size bytes, each acknowledged. size 0 is 1,460.
func (k *Conn) Send(d flow.Direction, data []byte, size int) {
	if size <= 0 {
		size = 1460
	}
	for len(data) > 0 {
		n := min(size, len(data))
		k.Put(Segment{From: d, Seq: int(k.Next[d] - k.ISN[d] - 1), Data: data[:n]})
		data = data[n:]
	}
}

// Put sends one segment and, unless NoAck, the other side's acknowledgement of all that it has.
func (k *Conn) Put(s Segment) {
	if s.Flags == 0 {
		s.Flags = ACK | PSH
	}
	seq := k.ISN[s.From] + 1 + uint32(s.Seq)
	k.raw(s.From, seq, k.Ack[s.From], s.Flags, s.Options, s.Data, s)
	end := seq + uint32(len(s.Data))
	if int32(end-k.Next[s.From]) > 0 {
		k.Next[s.From] = end
	}
	if !s.NoAck {
		k.Acknowledge(s.From.Reverse())
	}
}

// Acknowledge sends an acknowledgement of all that the other side has sent.
func (k *Conn) Acknowledge(from flow.Direction) {
	k.Ack[from] = k.Next[from.Reverse()]
	k.raw(from, k.Next[from], k.Ack[from], ACK, nil, nil, Segment{})
}

// Close is FIN from both sides.
func (k *Conn) Close() {
	for _, d := range [...]flow.Direction{flow.ToServer, flow.ToClient} {
		k.raw(d, k.Next[d], k.Ack[d], FIN|ACK, nil, nil, Segment{})
		k.Next[d]++
		k.Ack[d.Reverse()] = k.Next[d]
	}
	k.raw(flow.ToServer, k.Next[0], k.Ack[0], ACK, nil, nil, Segment{})
}

// Reset is a RST of a side.
func (k *Conn) Reset(from flow.Direction) {
	k.raw(from, k.Next[from], k.Ack[from], RST|ACK, nil, nil, Segment{})
}

func (k *Conn) raw(d flow.Direction, seq, ack uint32, flags uint8, options, data []byte, s Segment) {
	src, dst := k.Ends[d], k.Ends[d.Reverse()]
	for len(options)%4 != 0 {
		options = append(options, 0)
	}
	b := make([]byte, 20, 20+len(options)+len(data))
	be := binary.BigEndian
	be.PutUint16(b, src.Port())
	be.PutUint16(b[2:], dst.Port())
	be.PutUint32(b[4:], seq)
	be.PutUint32(b[8:], ack)
	b[12] = uint8(5+len(options)/4) << 4
	b[13] = flags
	be.PutUint16(b[14:], 65535)
	b = append(append(b, options...), data...)
	sum := Checksum(b, pseudo(src.Addr(), dst.Addr(), 6, len(b)))
	if s.BadChecksum {
		sum ^= 0x5555
	}
	be.PutUint16(b[16:], sum)
	ttl := s.TTL
	if ttl == 0 {
		ttl = k.TTL
	}
	k.c.ipID++
	k.c.Fragment(Packet{Src: src.Addr(), Dst: dst.Addr(), Proto: 6, TTL: ttl, ID: k.c.ipID, Payload: b}, s.Fragments)
}

// Fragment appends a packet cut at some offsets of its payload, in order.
func (c *Capture) Fragment(p Packet, cuts []int) {
	for _, piece := range Cut(p, cuts) {
		c.IP(piece)
	}
}

// Cut is a packet cut at some offsets of its payload, rounded down to multiples of 8, as fragments.
func Cut(p Packet, cuts []int) (pieces []Packet) {
	from := 0
	for _, cut := range cuts {
		if cut &^= 7; cut <= from || cut >= len(p.Payload) {
			continue
		}
		piece := p
		piece.Offset, piece.More, piece.Payload = from, true, p.Payload[from:cut]
		pieces = append(pieces, piece)
		from = cut
	}
	p.Offset, p.Payload = from, p.Payload[from:]
	return append(pieces, p)
}
