package packet

import "encoding/binary"

// tcp reads a TCP header with its options (RFC 9293, 3.1).
func (d *Decoder) tcp() {
	if !d.need(20, TCPTooSmall) {
		return
	}
	b := d.rest
	d.takePorts()
	d.h.TCP.Flags = b[13]
	header := int(b[12]>>4) * 4
	if header < 20 || header > d.left {
		d.fault = TCPHeaderTooSmall
		return
	}
	if !d.need(header, TCPHeaderTooSmall) {
		return
	}
	t := &d.h.TCP
	t.Seq, t.Ack = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	t.Window, t.Urgent = binary.BigEndian.Uint16(b[14:]), binary.BigEndian.Uint16(b[18:])
	if header > 20 && !d.tcpOptions(b[20:header]) {
		return
	}
	d.transport(header)
}

// TCP options (IANA).
const (
	tcpEnd           = 0
	tcpNop           = 1
	tcpMSS           = 2
	tcpScale         = 3
	tcpSACKPermitted = 4
	tcpSACK          = 5
	tcpTimestamps    = 8
	tcpFastOpen      = 34
	tcpExperiment1   = 253
	tcpExperiment2   = 254
	fastOpenMagic    = 0xf989 // the experiment that became option 34 (RFC 7413, 4.1.1)
)

// tcpOptions walks the options. It reports whether to go on: one whose length is wrong ends the walk, and in the strict
// view the packet. The first of its kind counts.
func (d *Decoder) tcpOptions(b []byte) bool {
	o := &d.h.TCP.Options
	var seen uint8
	for len(b) > 0 {
		if int(o.N) < len(o.Kinds) {
			o.Kinds[o.N] = b[0]
		}
		o.N++ // at most 40: each has a byte
		if b[0] == tcpEnd {
			return true
		}
		if b[0] == tcpNop {
			b = b[1:]
			continue
		}
		if len(b) < 2 {
			return !d.strict || d.odd(TCPOptInvalidLength)
		}
		n := int(b[1])
		if n < 2 || n > len(b) {
			return d.odd(TCPOptInvalidLength)
		}
		if e := o.take(b[:n], &seen); e != EventNone {
			d.h.Events.Add(e)
		}
		b = b[n:]
	}
	return true
}

// Bits of the options that were seen.
const (
	seenMSS = 1 << iota
	seenScale
	seenSACKPermitted
	seenSACK
	seenTimestamps
	seenFastOpen
)

// take reads one option; b holds its kind, its length and as many bytes as the length says.
func (o *TCPOptions) take(b []byte, seen *uint8) Event {
	bit, n := uint8(0), len(b)
	valid := true
	switch b[0] {
	case tcpMSS:
		bit, valid = seenMSS, n == 4
	case tcpScale:
		bit, valid = seenScale, n == 3
	case tcpSACKPermitted:
		bit, valid = seenSACKPermitted, n == 2
	case tcpSACK:
		bit, valid = seenSACK, n%8 == 2 && n <= 34 // an empty one is sent by some stacks
	case tcpTimestamps:
		bit, valid = seenTimestamps, n == 10
	case tcpFastOpen:
		bit, valid = seenFastOpen, fastOpenSize(n-2)
	case tcpExperiment1, tcpExperiment2:
		if n < 4 || binary.BigEndian.Uint16(b[2:]) != fastOpenMagic {
			return EventNone
		}
		bit, valid = seenFastOpen, fastOpenSize(n-4)
	default:
		return EventNone
	}
	switch {
	case !valid:
		return TCPOptInvalidLength
	case *seen&bit != 0:
		return TCPOptDuplicate
	}
	*seen |= bit
	o.set(bit, b)
	return EventNone
}

// fastOpenSize says whether a cookie may have n bytes: none to ask for one, or 4 to 16 of them in pairs (RFC 7413, 4.1.1).
func fastOpenSize(n int) bool { return n == 0 || n >= 4 && n <= 16 && n%2 == 0 }

func (o *TCPOptions) set(bit uint8, b []byte) {
	switch bit {
	case seenMSS:
		o.MSS = binary.BigEndian.Uint16(b[2:])
	case seenScale:
		o.Scale, o.Scaled = b[2], true
	case seenSACKPermitted:
		o.SACKPermitted = true
	case seenTimestamps:
		o.Timestamped = true
		o.TSval, o.TSecr = binary.BigEndian.Uint32(b[2:]), binary.BigEndian.Uint32(b[6:])
	case seenFastOpen:
		o.FastOpen = true
	}
}
