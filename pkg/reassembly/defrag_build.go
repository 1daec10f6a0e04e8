package reassembly

import (
	"encoding/binary"

	"citygate/pkg/packet"
)

// IPv6 extension headers whose size is told apart (IANA).
const protoAuthentication = 51

// build makes the packet of a datagram that is whole.
func (d *Defragmenter) build(g *datagram, h *packet.Headers, r *DefragResult) {
	header := len(g.header)
	if h.IPVersion == 6 {
		header -= 8 // the fragment header goes
	}
	most := 65535
	if h.IPVersion == 6 {
		most += 40
	}
	if header+g.end > most {
		d.count.TooLarge++
		r.Events.Add(tooLargeEvent(h))
		r.Drop = d.c.Inline
		return
	}
	d.out = append(d.out[:0], g.header[:header]...)
	for at := 0; at < g.end; at += fragPageSize {
		d.out = append(d.out, g.pages[at/fragPageSize][:min(fragPageSize, g.end-at)]...)
	}
	if h.IPVersion == 4 {
		finishIPv4(d.out, header)
	} else {
		finishIPv6(d.out, g.header)
	}
	d.count.Reassembled++
	r.Datagram = d.out
}

func tooLargeEvent(h *packet.Headers) packet.Event {
	if h.IPVersion == 4 {
		return packet.IPv4FragTooLarge
	}
	return packet.IPv6FragTooLarge
}

// finishIPv4 sets the length, clears flags and offset, and makes the checksum right (RFC 791, 3.1).
func finishIPv4(b []byte, header int) {
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	b[6], b[7], b[10], b[11] = 0, 0, 0, 0
	var sum uint32
	for i := 0; i < header; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	sum = sum>>16 + sum&0xffff
	sum += sum >> 16
	binary.BigEndian.PutUint16(b[10:], ^uint16(sum))
}

// finishIPv6 sets the length, and puts the protocol of the fragment header, the last 8 bytes of header, where that was
// announced (RFC 8200, 4.5).
func finishIPv6(b, header []byte) {
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40))
	announced, kind, end := 6, header[6], len(header)-8
	for at := 40; at+1 < end; {
		announced = at
		size := 8 + 8*int(header[at+1])
		if kind == protoAuthentication { // RFC 4302, 2.2
			size = max(12, 4*(int(header[at+1])+2))
		}
		kind = header[at]
		at += size
	}
	b[announced] = header[end]
}
