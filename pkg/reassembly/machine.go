package reassembly

import (
	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

// segment runs the session's state machine on the segment in hand.
func (a *Assembler) segment(s *Session) {
	g := &a.seg
	if g.flags&packet.ACK == 0 && g.ack != 0 {
		a.out.Events.add(PktBrokenAck)
	}
	if g.is(packet.URG) && a.inline && a.cfg.Urgent == UrgentDrop {
		a.out.Drop = true
		return
	}
	if g.signed && g.is(packet.SYN) {
		s.flags.set(signs)
	}
	if s.state == None {
		a.open(s)
		return
	}
	if a.reuse(s) {
		a.out.Reuse = true
		return
	}
	s.see(g.dir)
	switch s.state {
	case SynSent:
		a.synSent(s)
	case SynReceived:
		a.synReceived(s)
	case Closed:
		a.closed(s)
	default:
		a.synchronized(s)
	}
	s.streams[0].advance()
	s.streams[1].advance()
}

// see notes who has sent something: a session is one-sided until both have.
func (s *Session) see(dir flow.Direction) {
	s.flags.set(sawClient << dir)
	if s.flags.has(async) && s.flags&sawClient != 0 && s.flags&sawServer != 0 {
		s.flags &^= async
		s.streams[0].flags &^= flushed
		s.streams[1].flags &^= flushed
	}
}

// sides are the streams of the segment's sender and of its receiver.
func (a *Assembler) sides(s *Session) (from, to *Stream) {
	return &s.streams[a.seg.dir], &s.streams[a.seg.dir^1]
}

// invalid says that no host would take the segment.
func (a *Assembler) invalid(e Event) {
	a.out.Events.add(e)
	a.refuse()
}

func (a *Assembler) refuse() {
	a.out.Invalid = true
	if a.inline && a.cfg.DropInvalid {
		a.out.Drop = true
	}
}

// reuse says whether the segment opens another connection than this one, which is over.
func (a *Assembler) reuse(s *Session) bool {
	g := &a.seg
	if !g.is(packet.SYN) || g.flags&(packet.RST|packet.FIN) != 0 {
		return false
	}
	opener, own := flow.ToServer, s.streams[flow.ToServer].isn
	if g.is(packet.ACK) {
		if !a.cfg.Midstream && !a.cfg.AsyncOneSide {
			return false
		}
		opener, own = flow.ToClient, s.streams[flow.ToClient].isn
	}
	if g.dir == opener && g.seq == own {
		return false
	}
	return s.state >= LastAck || s.flags.has(dataIgnored) && g.dir == flow.ToServer && !g.is(packet.ACK)
}

// open looks at the first segment of a session.
func (a *Assembler) open(s *Session) {
	g := &a.seg
	switch {
	case g.is(packet.RST):
		a.invalid(RstButNoSession)
	case g.is(packet.FIN) && (!a.cfg.Midstream || !g.is(packet.ACK) || len(g.data) == 0):
		a.invalid(FinButNoSession)
	case g.is(packet.SYN | packet.ACK):
		if a.cfg.Midstream || a.cfg.AsyncOneSide {
			a.pickUpSynAck(s)
		} else {
			a.out.Ignored = true
		}
	case g.is(packet.SYN):
		a.openSyn(s)
	case g.is(packet.ACK) && a.cfg.Midstream:
		a.pickUp(s)
	default:
		a.out.Ignored = true
	}
	if s.state != None {
		a.count.Sessions++
		s.see(g.dir)
		s.streams[0].advance()
		s.streams[1].advance()
	}
}

// begin starts a stream at its initial sequence number.
func (a *Assembler) begin(st *Stream, isn uint32) {
	a.restart(st)
	st.isn, st.seq0 = isn, isn+1
	st.next, st.ack, st.edge = isn+1, isn+1, isn+1
	st.depth = a.cfg.Depth
	st.flags.set(sawSyn)
}

// restart forgets the bytes of a stream.
func (a *Assembler) restart(st *Stream) {
	if st.blk != nil {
		st.giveBack(st.blk, int(st.n))
		st.blk, st.n = nil, 0
	}
	st.dropQueue()
	st.off, st.ready, st.released, st.acked, st.hole, st.shift = 0, 0, 0, 0, 0, 0
	st.flags &= stopped | usesTS | scaled
}
