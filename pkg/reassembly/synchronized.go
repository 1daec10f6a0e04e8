package reassembly

import (
	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

// synchronized looks at a segment of a session past its handshake.
func (a *Assembler) synchronized(s *Session) {
	g := &a.seg
	switch {
	case g.is(packet.RST):
		a.reset(s)
	case g.is(packet.SYN | packet.FIN):
		a.invalid(FinSyn)
	case g.is(packet.SYN):
		a.lateSyn(s)
	case !g.is(packet.ACK): // RFC 9293, 3.10.7.4: dropped
		a.refuse()
	default:
		a.ordinary(s)
	}
}

// lateSyn looks at a SYN or SYN/ACK in a session that has both.
func (a *Assembler) lateSyn(s *Session) {
	g := &a.seg
	client, server := &s.streams[flow.ToServer], &s.streams[flow.ToClient]
	switch {
	case s.state > Established && !g.is(packet.ACK):
		a.invalid(ShutdownSynResend)
	case !g.is(packet.ACK) && g.dir == flow.ToClient:
		a.invalid(EstSynToClient)
	case !g.is(packet.ACK) && g.seq != client.isn:
		a.invalid(EstSynResendDiffSeq)
	case !g.is(packet.ACK):
		a.invalid(EstSynResend)
	case g.dir == flow.ToServer && s.flags.has(fourWay):
		a.out.Retransmission = true
	case g.dir == flow.ToServer:
		a.invalid(EstSynAckToServer)
	case g.ack != client.ack && g.ack != client.isn+1:
		a.invalid(EstSynAckResendDifferentAck)
	case g.seq != server.isn:
		a.invalid(EstSynAckResendDiffSeq)
	case s.flags.has(confirmed) && !s.flags.has(fourWay):
		a.invalid(EstSynAckResend)
	default: // the server has not seen the end of the handshake
		a.out.Retransmission = true
	}
}

// ordinary looks at a segment with ACK and without SYN and RST.
func (a *Assembler) ordinary(s *Session) {
	g := &a.seg
	from, to := a.sides(s)
	if g.flags&packet.FIN == 0 {
		if a.keepAlive(from, to) {
			a.out.KeepAlive = true
			return
		}
		if len(g.data) == 0 && g.seq == from.next && before(g.ack, to.ack) {
			return // outdated: later ones were seen before it
		}
		if badWindowUpdate(g, from, to) {
			a.out.Events.add(PktBadWindowUpdate) // nobody is to believe it here; hosts judge for themselves
			return
		}
	}
	if !a.timely(s) || !a.acknowledges(s, to) || !a.inWindow(s, from, to) {
		return
	}
	if g.is(packet.FIN) && a.staleFin(from) {
		return
	}
	a.accept(s, from, to)
	if g.is(packet.FIN) && !a.out.Drop {
		a.fin(s, from)
	}
	s.close()
}

// keepAlive says whether the segment only asks for a sign of life (RFC 9293, 3.8.4): nothing, or a byte that was
// acknowledged already.
func (a *Assembler) keepAlive(from, to *Stream) bool {
	g := &a.seg
	if len(g.data) > 1 || g.seq != from.next-1 || g.ack != to.ack {
		return false
	}
	return len(g.data) == 0 || upTo(from.next, from.ack)
}

// badWindowUpdate says whether a segment with numbers that were not expected would close the window on those that are:
// it would blind who believes it.
func badWindowUpdate(g *segment, from, to *Stream) bool {
	window := g.window << to.scale
	if window >= to.window || !after(g.ack, to.next) || !after(g.seq, from.next) {
		return false
	}
	shrinks, acked := to.window-window, g.ack-to.ack
	if shrinks <= uint32(len(g.data)) {
		return false
	}
	const margin = 32 // hosts overrun a little
	if window > 1024 {
		return shrinks > acked+margin
	}
	return shrinks > acked
}

// acknowledges says whether the segment's acknowledgement can be, with an event if not.
func (a *Assembler) acknowledges(s *Session, to *Stream) bool {
	g := &a.seg
	if s.flags.has(zeroProbed) && g.ack == to.next+1 {
		a.out.Events.add(EstAckZWPData)
		s.flags &^= zeroProbed
		return true
	}
	if a.ackFits(s, to) {
		return true
	}
	a.invalid(eventsOf[s.state].invalidAck(g))
	return false
}

// ackFits says whether the segment may acknowledge what it does: not more than may have been sent, and nothing older
// than a window ago.
func (a *Assembler) ackFits(s *Session, to *Stream) bool {
	g := &a.seg
	if before(g.ack, to.ack) {
		if to.window == 0 || notUnder(g.ack, to.ack-to.window) {
			return true
		}
	} else if upTo(g.ack, to.edge) || upTo(g.ack, to.next) || s.flags.has(async) {
		return true
	}
	a.out.Events.add(PktInvalidAck)
	return false
}

// inWindow says whether the segment's data lie where its receiver takes them, with an event if not.
func (a *Assembler) inWindow(s *Session, from, to *Stream) bool {
	g := &a.seg
	end := g.seq + uint32(len(g.data))
	if len(g.data) > 0 && upTo(end, from.ack) {
		a.out.Events.add(PktSpuriousRetransmission)
	}
	liberal := s.flags&(midstream|async) != 0
	switch {
	case before(end, from.ack):
		if g.is(packet.FIN) && from.flags.has(sawFin) && end == from.fin {
			return true // the last acknowledgement was lost
		}
		if s.flags.has(async) || after(from.ack, from.next) && after(end, from.next) {
			return true // acknowledged before it was seen
		}
		a.out.Events.add(eventsOf[s.state].old(g))
		a.again(from)
		return false
	case len(g.data) > 0 && from.flags.has(sawFin) && after(end, from.fin):
		return a.afterFin(s, from)
	case len(g.data) == 1 && g.seq == from.next && from.window == 0:
		s.flags.set(zeroProbed)
	case after(end, from.edge) && !liberal:
		a.invalid(eventsOf[s.state].outOfWindow(g))
		return false
	}
	return true
}

// again looks at data that were all acknowledged before. They go on: the sender may have missed the acknowledgement.
func (a *Assembler) again(from *Stream) {
	g := &a.seg
	if len(g.data) == 0 {
		return
	}
	a.out.Retransmission = true
	a.count.Retransmissions++
	a.data(from)
}

// afterFin looks at data behind a FIN. In line they are refused, since who sent the FIN has nothing more to say. Outside
// of line the FIN was for our eyes only if its receiver did not acknowledge it.
func (a *Assembler) afterFin(s *Session, from *Stream) bool {
	if a.inline || from.flags.has(finAcked) {
		a.invalid(DataAfterFin)
		return false
	}
	a.out.Events.add(DataAfterFin)
	from.flags &^= sawFin
	from.next = from.fin
	s.close()
	return true
}

// staleFin says whether a FIN lies before data that were seen, which no host sends.
func (a *Assembler) staleFin(from *Stream) bool {
	at := a.seg.end - 1
	if from.flags.has(sawFin) {
		return false
	}
	if before(at, from.next) {
		a.invalid(FinOutOfWindow)
		return true
	}
	return false
}

// accept takes a segment that its receiver would take.
func (a *Assembler) accept(s *Session, from, to *Stream) {
	g := &a.seg
	if g.dir == flow.ToClient {
		s.flags.set(confirmed)
	}
	if s.flags.has(timestamps) && g.hasTS && upTo(g.seq, from.ack) { // RFC 7323, 4.3
		from.ts, from.tsTime = g.ts, g.now
	}
	if len(g.data) > 0 {
		next := from.next
		a.data(from)
		if a.out.Drop {
			return
		}
		if s.flags.has(zeroProbed) && from.window == 0 && g.seq == next {
			from.next = next // the byte counts when it is acknowledged
		} else if end := g.seq + uint32(len(g.data)); after(end, from.next) {
			from.next = end
		}
	}
	if s.flags.has(async) {
		from.flags.set(flushed) // no acknowledgement will be seen
	}
	if !g.is(packet.ACK) {
		return
	}
	to.acknowledge(a, g.ack)
	to.window = g.window << to.scale
	if edge := g.ack + to.window; after(edge, to.edge) {
		to.edge = edge
	}
	if to.q != nil {
		a.gap(to)
	}
}
