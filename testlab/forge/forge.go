// Package forge makes captures of traffic that no real host would send in that order: conversations go in, frames with
// right checksums come out, and what a test wants wrong it says.
package forge

import (
	"encoding/binary"
	"io"
	"net/netip"
	"time"
)

// Capture is frames in order.
type Capture struct {
	Frames []Frame
	now    time.Time
	ipID   uint16
}

// Frame is an Ethernet frame and when it was seen.
type Frame struct {
	Time time.Time
	Data []byte
}

// Step is the time between two frames of a capture.
const Step = time.Millisecond

// New is an empty capture that begins at a fixed time.
func New() *Capture { return &Capture{now: time.Unix(1_700_000_000, 0).UTC()} }

// Wait lets time pass.
func (c *Capture) Wait(d time.Duration) { c.now = c.now.Add(d) }

// Add appends a frame.
func (c *Capture) Add(data []byte) {
	c.now = c.now.Add(Step)
	c.Frames = append(c.Frames, Frame{c.now, data})
}

// WriteTo writes a pcap file with nanoseconds.
func (c *Capture) WriteTo(w io.Writer) (n int64, err error) {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xa1b23c4d)
	b = le.AppendUint16(le.AppendUint16(b, 2), 4)
	b = le.AppendUint32(append(b, 0, 0, 0, 0, 0, 0, 0, 0), 1<<18)
	b = le.AppendUint32(b, 1) // Ethernet
	for _, f := range c.Frames {
		b = le.AppendUint32(b, uint32(f.Time.Unix()))
		b = le.AppendUint32(b, uint32(f.Time.Nanosecond()))
		b = le.AppendUint32(b, uint32(len(f.Data)))
		b = le.AppendUint32(b, uint32(len(f.Data)))
		b = append(b, f.Data...)
	}
	m, err := w.Write(b)
	return int64(m), err
}

// Packet is an IP packet to be made.
type Packet struct {
	Src, Dst  netip.Addr
	Proto     uint8
	TTL       uint8 // 0 means 64
	ID        uint16
	More      bool // more fragments
	Offset    int  // of a fragment, bytes
	Payload   []byte
	BadHeader bool // a wrong IPv4 checksum
}

// IP appends an IP packet in a frame and gives the packet's bytes.
func (c *Capture) IP(p Packet) []byte {
	b := p.Bytes()
	frame := []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0}
	if !p.Src.Is4() {
		frame[12], frame[13] = 0x86, 0xdd
	}
	c.Add(append(frame, b...))
	return b
}

// Bytes is the packet without a frame.
func (p Packet) Bytes() []byte {
	if p.TTL == 0 {
		p.TTL = 64
	}
	be := binary.BigEndian
	if !p.Src.Is4() {
		return p.v6()
	}
	b := make([]byte, 20, 20+len(p.Payload))
	b[0] = 0x45
	be.PutUint16(b[2:], uint16(20+len(p.Payload)))
	be.PutUint16(b[4:], p.ID)
	frag := uint16(p.Offset / 8)
	if p.More {
		frag |= 0x2000
	}
	be.PutUint16(b[6:], frag)
	b[8], b[9] = p.TTL, p.Proto
	src, dst := p.Src.As4(), p.Dst.As4()
	copy(b[12:], src[:])
	copy(b[16:], dst[:])
	sum := Checksum(b, 0)
	if p.BadHeader {
		sum ^= 0x5555
	}
	be.PutUint16(b[10:], sum)
	return append(b, p.Payload...)
}

func (p Packet) v6() []byte {
	be := binary.BigEndian
	next, payload := p.Proto, p.Payload
	if p.More || p.Offset > 0 {
		head := make([]byte, 8)
		head[0] = p.Proto
		off := uint16(p.Offset)
		if p.More {
			off |= 1
		}
		be.PutUint16(head[2:], off)
		be.PutUint32(head[4:], uint32(p.ID))
		next, payload = 44, append(head, payload...)
	}
	b := make([]byte, 40, 40+len(payload))
	b[0] = 0x60
	be.PutUint16(b[4:], uint16(len(payload)))
	b[6], b[7] = next, p.TTL
	src, dst := p.Src.As16(), p.Dst.As16()
	copy(b[8:], src[:])
	copy(b[24:], dst[:])
	return append(b, payload...)
}

// Checksum is the Internet checksum (RFC 1071) over b, beginning from a sum.
func Checksum(b []byte, sum uint32) uint16 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// pseudo is the sum of the pseudo header that TCP and UDP checksums begin with.
func pseudo(src, dst netip.Addr, proto uint8, n int) (sum uint32) {
	for _, a := range [...][]byte{src.AsSlice(), dst.AsSlice()} {
		for i := 0; i < len(a); i += 2 {
			sum += uint32(a[i])<<8 | uint32(a[i+1])
		}
	}
	return sum + uint32(proto) + uint32(n)
}

// UDP appends a datagram.
func (c *Capture) UDP(src, dst netip.AddrPort, payload []byte) {
	b := make([]byte, 8, 8+len(payload))
	be := binary.BigEndian
	be.PutUint16(b, src.Port())
	be.PutUint16(b[2:], dst.Port())
	be.PutUint16(b[4:], uint16(8+len(payload)))
	b = append(b, payload...)
	be.PutUint16(b[6:], Checksum(b, pseudo(src.Addr(), dst.Addr(), 17, len(b))))
	c.ipID++
	c.IP(Packet{Src: src.Addr(), Dst: dst.Addr(), Proto: 17, ID: c.ipID, Payload: b})
}
