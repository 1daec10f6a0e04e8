package reassembly

import (
	"time"

	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

// segment is what matters here of a TCP segment.
type segment struct {
	seq, ack uint32
	end      uint32 // seq and what the segment takes of the sequence numbers: data, SYN, FIN
	flags    uint8
	scale    uint8
	dir      flow.Direction
	hasScale bool
	hasTS    bool
	fastOpen bool
	signed   bool // it carries a signature: TCP-MD5 (RFC 2385) or TCP-AO (RFC 5925)
	window   uint32
	urgent   uint16
	ts, echo uint32
	now      int64 // nanoseconds
	data     []byte
}

// maxScale is the largest window scale (RFC 7323, 2.3); larger ones mean it.
const maxScale = 14

func (g *segment) read(h *packet.Headers, dir flow.Direction, now time.Time) {
	t, o := &h.TCP, &h.TCP.Options
	*g = segment{
		seq: t.Seq, ack: t.Ack, flags: t.Flags, dir: dir, window: uint32(t.Window), urgent: t.Urgent,
		hasScale: o.Scaled, scale: min(o.Scale, maxScale), fastOpen: o.FastOpen,
		hasTS: o.Timestamped, ts: o.TSval, echo: o.TSecr, now: now.UnixNano(), data: h.Payload,
	}
	for _, kind := range o.Kinds[:min(int(o.N), len(o.Kinds))] {
		g.signed = g.signed || kind == 19 || kind == 29
	}
	g.end = g.seq + uint32(len(g.data))
	if g.is(packet.SYN) {
		g.end++
	}
	if g.is(packet.FIN) {
		g.end++
	}
}

// is says whether all of the flags are set.
func (g *segment) is(flags uint8) bool { return g.flags&flags == flags }

// first is the sequence number of the first byte of data.
func (g *segment) first() uint32 {
	if g.is(packet.SYN) {
		return g.seq + 1
	}
	return g.seq
}

// Sequence numbers compare modulo 2^32 (RFC 9293, 3.4).

func before(a, b uint32) bool   { return int32(a-b) < 0 }
func after(a, b uint32) bool    { return int32(a-b) > 0 }
func upTo(a, b uint32) bool     { return int32(a-b) <= 0 }
func notUnder(a, b uint32) bool { return int32(a-b) >= 0 }
