package reassembly

import (
	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

// synReceived looks at what follows the server's SYN/ACK.
func (a *Assembler) synReceived(s *Session) {
	g := &a.seg
	switch {
	case g.is(packet.RST):
		a.reset(s)
	case g.is(packet.FIN):
		a.synchronized(s)
	case g.is(packet.SYN | packet.ACK):
		a.repeatSynAck(s)
	case g.is(packet.SYN):
		a.synOnSynReceived(s)
	case g.is(packet.ACK):
		a.handshakeAck(s)
	default:
		a.refuse()
	}
}

// repeatSynAck looks at a second SYN/ACK.
func (a *Assembler) repeatSynAck(s *Session) {
	g := &a.seg
	client, server := &s.streams[flow.ToServer], &s.streams[flow.ToClient]
	if g.dir == flow.ToServer {
		if s.flags.has(fourWay) && g.seq == client.isn && g.ack == server.isn+1 {
			a.out.Retransmission = true
			return
		}
		a.invalid(SynAckToServerOnSynRecv)
		return
	}
	switch {
	case g.ack != client.ack && !(s.flags.has(fourWay) && g.ack == client.isn+1):
		a.invalid(SynAckResendDifferentAck)
	case g.seq == server.isn && s.flags.has(fourWay): // both sides opened at once
		s.state = Established
	case g.seq == server.isn:
		a.out.Retransmission = true
	default:
		if s.offers == nil {
			s.offers = a.newOffers()
		}
		if !remember(&s.offers.synacks, g.offer(), a.cfg.MaxSynAckQueued) {
			a.count.SynQueueFull++
			a.invalid(SynAckFlood)
		}
	}
}

func (a *Assembler) synOnSynReceived(s *Session) {
	g := &a.seg
	switch {
	case g.dir == flow.ToClient:
		a.invalid(SynToClientOnSynRecv)
	case g.seq != s.streams[flow.ToServer].isn:
		a.invalid(SynResendDiffSeqOnSynRecv)
	default:
		a.out.Retransmission = true
	}
}

// chooseSynAck takes the remembered SYN/ACK that the client acknowledges.
func (a *Assembler) chooseSynAck(s *Session) {
	g := &a.seg
	if s.offers == nil || g.dir != flow.ToServer {
		return
	}
	for _, o := range s.offers.synacks {
		if o.seq+1 == g.ack && o.ack == g.seq {
			a.takeSynAck(s, o)
			return
		}
	}
}

// handshakeAck looks at the ACK that ends the handshake, or at what came in its place.
func (a *Assembler) handshakeAck(s *Session) {
	g := &a.seg
	a.chooseSynAck(s)
	if !a.timely(s) {
		return
	}
	if s.flags.has(fourWay) && g.dir == flow.ToClient {
		a.fourWayAck(s)
		return
	}
	client, server := &s.streams[flow.ToServer], &s.streams[flow.ToClient]
	if g.dir == flow.ToClient {
		a.ackOfServer(s, client, server)
		return
	}
	if g.ack == server.isn+1 && server.next != g.ack {
		a.takeBack(server)
	}
	switch {
	case g.seq == client.next && g.ack == server.next:
		a.establish(s, client, server)
	case g.seq == client.next && upTo(g.ack, server.edge) && after(g.ack, server.next) && !a.inline:
		a.establish(s, client, server) // the server has sent more, which was not seen
	case g.seq == client.next:
		a.invalid(RightSeqWrongAckEvasion)
	case after(g.seq, client.next) && upTo(g.seq, client.edge) && g.ack == server.next:
		a.establish(s, client, server) // segments were lost before it, or come later
	case before(g.seq, client.next) && notUnder(g.seq, client.isn+1) && g.ack == server.next:
		a.establish(s, client, server) // the data of a fast open once more
	default:
		a.invalid(WrongSeqWrongAck)
	}
}

// ackOfServer looks at an ACK of the server before one of the client. In line the client's must have passed before, and
// data here are likely an injection.
func (a *Assembler) ackOfServer(s *Session, client, server *Stream) {
	g := &a.seg
	relaxed := s.flags.has(midstream) || s.flags.has(fastOpen)
	fits := g.seq == server.next && (g.ack == client.ack || s.flags.has(fastOpen) && g.ack == client.next)
	switch {
	case a.inline && !relaxed && len(g.data) > 0 && fits:
		a.invalid(AckDataInject)
	case a.inline && !relaxed:
		a.invalid(AckInWrongDir)
	case a.cfg.AsyncOneSide && g.seq == server.next:
		a.establish(s, server, client)
	case fits:
		a.establish(s, server, client)
	case notUnder(g.seq, server.next) && after(g.ack, client.ack) && upTo(g.ack, client.edge):
		a.establish(s, server, client) // what the client sent was not seen
	default:
		a.invalid(WrongSeqWrongAck)
	}
}

// establish ends the handshake with the segment in hand and takes its data.
func (a *Assembler) establish(s *Session, from, to *Stream) {
	s.state = Established
	a.freeOffers(s)
	a.accept(s, from, to)
}
