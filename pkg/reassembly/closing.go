package reassembly

import (
	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

// stateEvents are the names that a state has for what is wrong with a segment.
type stateEvents struct {
	window, before, ack       Event
	finWindow, finAck, finOld Event
}

var eventsOf = [states]stateEvents{
	SynReceived: {EstPacketOutOfWindow, EstPktBeforeLastAck, EstInvalidAck, FinOutOfWindow, FinInvalidAck, FinOutOfWindow},
	Established: {EstPacketOutOfWindow, EstPktBeforeLastAck, EstInvalidAck, FinOutOfWindow, FinInvalidAck, FinOutOfWindow},
	FinWait1:    {Fin1AckWrongSeq, Fin1AckWrongSeq, Fin1InvalidAck, Fin1FinWrongSeq, Fin1InvalidAck, Fin1FinWrongSeq},
	FinWait2:    {Fin2AckWrongSeq, Fin2AckWrongSeq, Fin2InvalidAck, Fin2FinWrongSeq, Fin2InvalidAck, Fin2FinWrongSeq},
	CloseWait: {
		CloseWaitAckOutOfWindow, CloseWaitPktBeforeLastAck, CloseWaitInvalidAck, CloseWaitFinOutOfWindow,
		CloseWaitInvalidAck, CloseWaitFinOutOfWindow,
	},
	Closing: {
		ClosingAckWrongSeq, ClosingAckWrongSeq, ClosingInvalidAck, ClosingAckWrongSeq, ClosingInvalidAck,
		ClosingAckWrongSeq,
	},
	LastAck: {
		LastAckAckWrongSeq, LastAckAckWrongSeq, LastAckInvalidAck, LastAckAckWrongSeq, LastAckInvalidAck,
		LastAckAckWrongSeq,
	},
	TimeWait: {
		TimeWaitAckWrongSeq, TimeWaitAckWrongSeq, TimeWaitInvalidAck, TimeWaitAckWrongSeq, TimeWaitInvalidAck,
		TimeWaitAckWrongSeq,
	},
}

func (e *stateEvents) invalidAck(g *segment) Event  { return g.pick(e.ack, e.finAck) }
func (e *stateEvents) outOfWindow(g *segment) Event { return g.pick(e.window, e.finWindow) }
func (e *stateEvents) old(g *segment) Event         { return g.pick(e.before, e.finOld) }

func (g *segment) pick(plain, fin Event) Event {
	if g.is(packet.FIN) {
		return fin
	}
	return plain
}

// fin notes the end of a stream, which lies behind the segment's data.
func (a *Assembler) fin(s *Session, from *Stream) {
	g := &a.seg
	if !g.is(packet.FIN) {
		return
	}
	if from.flags.has(sawFin) {
		a.out.Retransmission = true
		if len(g.data) > 0 {
			a.out.Events.add(PktRetransmission)
		}
		return
	}
	from.flags.set(sawFin)
	from.fin = g.end - 1
	if after(g.end, from.next) {
		from.next = g.end
	}
	if !s.flags.has(finFirst) {
		s.flags.set(finFirst)
		if g.dir == flow.ToClient {
			s.flags.set(serverFirst)
		}
	}
	s.close()
}

// close derives the state from what both sides have sent and acknowledged of their ends.
func (s *Session) close() {
	if s.state < Established || s.state == Closed {
		if s.state != SynReceived || !s.flags.has(finFirst) {
			return
		}
	}
	client, server := s.streams[flow.ToServer].flags, s.streams[flow.ToClient].flags
	first, second := client, server
	if s.flags.has(serverFirst) {
		first, second = server, client
	}
	switch {
	case first.has(finAcked) && second.has(finAcked):
		s.state = Closed
	case first.has(sawFin) && second.has(sawFin):
		switch {
		case !first.has(finAcked) && !second.has(finAcked):
			s.state = Closing
		case s.flags.has(serverFirst) || second.has(finAcked):
			s.state = TimeWait
		default:
			s.state = LastAck
		}
	case first.has(sawFin) && s.flags.has(serverFirst) && first.has(finAcked):
		s.state = FinWait2
	case first.has(sawFin) && s.flags.has(serverFirst):
		s.state = FinWait1
	case first.has(sawFin):
		s.state = CloseWait
	case second.has(sawFin): // the first was taken back
		s.state = CloseWait
	default:
		s.state = Established
	}
}

// reset looks at a RST. Only one at the place where its receiver waits for data ends the session (RFC 5961, 3.2); a stack
// may take those in its window (Config.Policy).
func (a *Assembler) reset(s *Session) {
	g := &a.seg
	from, to := a.sides(s)
	if len(g.data) > 0 {
		a.out.Events.add(RstWithData)
	}
	if g.signed && !s.flags.has(signs) { // a host that has no key for this connection does not take it
		a.invalid(SuspectedRstInject)
		return
	}
	if g.is(packet.ACK) && g.ack != 0 && !a.ackFits(s, to) {
		a.invalid(RstInvalidAck)
		return
	}
	if !a.resets(s, from) {
		a.invalid(RstOutOfWindow)
		return
	}
	if g.is(packet.ACK) && g.ack != 0 {
		to.acknowledge(a, g.ack)
		if to.q != nil {
			a.gap(to)
		}
	}
	from.acknowledge(a, g.seq)
	a.endByReset(s)
}

func (a *Assembler) resets(s *Session, from *Stream) bool {
	g := &a.seg
	switch {
	case !from.flags.has(sawSyn):
		return true
	case before(g.seq, from.ack):
		return false
	case s.flags.has(async):
		return notUnder(g.seq, from.next)
	case s.flags.has(midstream) || upTo(g.seq, from.next):
		return true
	}
	if !a.inline && (a.policy == PolicyLinux || a.policy == PolicySolaris) {
		return before(g.seq, from.next+from.window)
	}
	return false
}

func (a *Assembler) endByReset(s *Session) {
	a.count.Resets++
	a.freeOffers(s)
	s.prior, s.state = s.state, Closed
	s.flags.set(reset)
	s.flags &^= resetByServer
	if a.seg.dir == flow.ToClient {
		s.flags.set(resetByServer)
	}
	s.streams[0].flags.set(sawRst)
	s.streams[1].flags.set(sawRst)
}

// resetSynSent looks at a RST that follows the client's SYN.
func (a *Assembler) resetSynSent(s *Session) {
	g := &a.seg
	client := &s.streams[flow.ToServer]
	if g.dir == flow.ToClient {
		// RFC 9293, 3.10.7.3: it must acknowledge the SYN.
		if g.is(packet.ACK) && (g.ack == client.isn+1 || g.ack == client.next) {
			a.endByReset(s)
			return
		}
		a.invalid(RstInvalidAck)
		return
	}
	// A client that gets a wrong answer says RST and goes on waiting for the right one.
	if g.seq != client.isn && g.seq != client.next {
		a.invalid(RstOutOfWindow)
	}
}

// closed looks at what follows the end.
func (a *Assembler) closed(s *Session) {
	g := &a.seg
	from, _ := a.sides(s)
	if g.is(packet.RST) {
		return // more of them are usual
	}
	if !s.flags.has(reset) {
		if len(g.data) > 0 && after(g.seq+uint32(len(g.data)), from.fin) {
			a.invalid(DataAfterFin)
			return
		}
		a.out.Retransmission = true
		return
	}
	sender := flow.ToServer
	if s.flags.has(resetByServer) {
		sender = flow.ToClient
	}
	switch {
	case g.dir != sender: // it has not seen the RST yet
		if len(g.data) > 0 {
			a.refuse()
		}
	case before(g.seq, from.ack):
		a.out.Retransmission = true
	case a.inline:
		a.invalid(SuspectedRstInject)
	default:
		a.resume(s)
	}
}

// resume goes on with a session whose RST was not its sender's: that one still talks.
func (a *Assembler) resume(s *Session) {
	a.out.Events.add(SuspectedRstInject)
	s.state = s.prior
	s.flags &^= reset
	s.streams[0].flags &^= sawRst
	s.streams[1].flags &^= sawRst
	switch s.state {
	case SynSent:
		a.synSent(s)
	case SynReceived:
		a.synReceived(s)
	default:
		a.synchronized(s)
	}
}
