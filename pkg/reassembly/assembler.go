// Package reassembly puts together what was sent in pieces: the datagrams of IP fragments, and the streams of TCP
// segments. Segments in their order of arrival go in; each direction's bytes in their order come out, with what was odd
// about them.
package reassembly

import (
	"time"

	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

// Defaults of Config.
const (
	DefaultDepth           = 1 << 20  // Suricata's stream.reassembly.depth
	DefaultSessionMemory   = 16 << 20 // a full window of 6 MiB (Linux) out of order in one direction
	DefaultTotalMemory     = 64 << 20 // a gateway has 1 GiB
	DefaultMaxSynQueued    = 10       // Suricata's stream.max-syn-queued
	DefaultMaxSynAckQueued = 5        // Suricata's stream.max-synack-queued
)

// keepUnacked is how much of a stream is kept in line to compare retransmissions with, while it is not acknowledged and
// no reader needs it. A sender that has more than that in flight gets older retransmissions through unchecked, counted
// in Counters.Unchecked.
const keepUnacked = 1 << 20

// maxStreamMemory is what one direction of a session may have at most, whatever Config says: it is counted in 32 bits.
const maxStreamMemory = 1 << 30

// UrgentPolicy says what happens to the urgent byte of a segment (RFC 6093).
type UrgentPolicy uint8

// The policies of urgent bytes.
const (
	UrgentOOB    UrgentPolicy = iota // the byte is taken out of the stream, as sockets do by default
	UrgentInline                     // it stays in
	UrgentDrop                       // the segment is Outcome.Drop in line, and left out of the stream
	UrgentGap                        // the segment's data is left out of the stream, which is a gap later
)

// Config says how an Assembler works. The zero value is Suricata's default outside of line.
type Config struct {
	// Inline: bytes are ready at once, the first copy of a byte wins, and a segment with another copy is Outcome.Drop.
	// Otherwise bytes are ready when the other side has acknowledged them, and Policy decides which copy wins until then.
	Inline       bool
	Midstream    bool // pick up sessions without a handshake
	AsyncOneSide bool // expect to see one side only
	// DropInvalid makes segments that no host would take Outcome.Drop in line, such as those outside of the window.
	DropInvalid bool
	Policy      Policy
	Urgent      UrgentPolicy
	// Depth is how many bytes of a stream are reassembled, 0 for all. Stream.SetDepth changes it for one.
	Depth uint64
	// SessionMemory caps what one session has in memory, TotalMemory what all have, in bytes. Half of a session's is for
	// each direction. What has no room is lost, which is an event, counted, and Outcome.Drop in line. 0 is the default.
	SessionMemory, TotalMemory int64
	// MaxSynAckQueued caps how many different SYN/ACKs of a handshake are remembered, MaxSynQueued how many different
	// SYNs; the next one is left out, which is an event. 0 is the default.
	MaxSynQueued, MaxSynAckQueued int
}

// Assembler assembles the streams of one engine. It is not safe for concurrent use.
type Assembler struct {
	cfg    Config
	memory memory
	count  Counters

	// Of cfg, for the hot path.
	inline bool
	bounds bool // the bounds of segments matter
	policy Policy
	stream int64 // memory of a direction

	offers *offers // free list
	seg    segment // in hand
	out    Outcome
}

// Counters count what an Assembler did, from its start on.
type Counters struct {
	Segments, Bytes uint64
	Sessions        uint64 // that were seen to begin
	Midstream       uint64 // of them, picked up
	Invalid         uint64 // segments no host would take
	Dropped         uint64 // segments with Outcome.Drop
	Retransmissions uint64
	OutOfOrder      uint64 // segments that waited for an earlier one
	Differing       uint64 // segments with another copy of a byte
	Gaps            uint64 // gaps passed
	GapBytes        uint64
	DepthReached    uint64 // streams
	MemoryLost      uint64 // segments that lost bytes since memory was at a cap
	Unchecked       uint64 // retransmissions of bytes that are not kept
	Resets          uint64
	SynQueueFull    uint64 // handshakes with more SYNs or SYN/ACKs than remembered
	UrgentTaken     uint64 // urgent bytes taken out
	UrgentLimit     uint64 // and left in, since too many were
	Memory, Idle    int64  // bytes in streams now, and in free lists
	HighMemory      int64  // the most there was in streams
}

// New makes an Assembler.
func New(c Config) *Assembler {
	if c.SessionMemory <= 0 {
		c.SessionMemory = DefaultSessionMemory
	}
	if c.TotalMemory <= 0 {
		c.TotalMemory = DefaultTotalMemory
	}
	if c.MaxSynQueued <= 0 {
		c.MaxSynQueued = DefaultMaxSynQueued
	}
	if c.MaxSynAckQueued <= 0 {
		c.MaxSynAckQueued = DefaultMaxSynAckQueued
	}
	a := &Assembler{cfg: c, inline: c.Inline, policy: c.Policy, stream: min(c.SessionMemory/2, maxStreamMemory)}
	a.bounds = !c.Inline && c.Policy != PolicyFirst
	a.memory.limit = c.TotalMemory
	return a
}

// Counters are what was counted so far.
func (a *Assembler) Counters() Counters {
	c := a.count
	c.Memory, c.Idle = a.memory.used, a.memory.idle
	return c
}

// full says that a stream may not have n more bytes of memory.
func (a *Assembler) full(st *Stream, n int64) bool { return int64(st.mem)+n > a.stream }

// Outcome says what a segment was. The caller looks at Swapped before anything else.
type Outcome struct {
	Events Events
	// Drop: in line the segment must not go on. Never set outside of line.
	Drop bool
	// Invalid: a host would not take the segment; nothing of it entered the session. Detection may look at the packet, but
	// it is no part of the stream (Suricata: no stream rules on it).
	Invalid bool
	// Ignored: the segment belongs to no session, since there was none to pick up (Config.Midstream).
	Ignored bool
	// Retransmission: all that it says was said before. It goes on: its sender may have missed an acknowledgement.
	Retransmission bool
	// KeepAlive: it only asks for a sign of life; a byte in it is no part of the stream.
	KeepAlive bool
	// Reuse: the segment opens a new connection on the ports of a finished one. It was not looked at: the caller closes
	// this session, makes a new flow and gives the segment to its session.
	Reuse bool
	// Swapped: the session runs the other way than the caller thought; its streams have changed places already. The caller
	// turns the flow round.
	Swapped bool
	// Lost: bytes were lost for want of memory.
	Lost bool
	// Gap: a stream has a gap at Ready that it did not have before.
	Gap bool
}

// Segment takes a TCP segment that was sent in a direction of the session. Its checksums were right.
func (a *Assembler) Segment(s *Session, dir flow.Direction, h *packet.Headers, now time.Time) Outcome {
	a.out = Outcome{}
	a.seg.read(h, dir&1, now)
	a.count.Segments++
	s.streams[0].a, s.streams[1].a = a, a
	a.segment(s)
	if a.out.Invalid {
		a.count.Invalid++
	}
	if a.out.Drop {
		a.count.Dropped++
	}
	if a.memory.used > a.count.HighMemory {
		a.count.HighMemory = a.memory.used
	}
	return a.out
}

// Settle gives back the memory of what no reader needs any more. It comes after each Segment and the reading that
// follows it; Bytes are not valid any more.
func (a *Assembler) Settle(s *Session) {
	for i := range s.streams {
		if st := &s.streams[i]; st.blk != nil || st.q != nil {
			st.settle()
		}
	}
}

// Flush ends the wait for acknowledgements, and for what is missing: what is in order becomes ready, and the gap behind
// it, if bytes came after it, can be passed. It comes at the end of a flow, before the last reading.
func (a *Assembler) Flush(s *Session) {
	for i := range s.streams {
		st := &s.streams[i]
		st.flags.set(flushed)
		if st.a != nil {
			st.pull()
			st.advance()
		}
	}
}

// Close gives back the session's memory and ends it.
func (a *Assembler) Close(s *Session) {
	for i := range s.streams {
		st := &s.streams[i]
		if st.a == nil {
			continue
		}
		st.Stop()
		st.settle()
	}
	a.freeOffers(s)
	s.state = Closed
}
