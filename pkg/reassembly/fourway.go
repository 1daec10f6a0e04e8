package reassembly

import "citygate/pkg/flow"

// The handshake may have four packets: the server answers the SYN with a SYN of its own, which the client answers with
// a SYN/ACK. A simultaneous open begins like that, too (RFC 9293, 3.5).

// fourWaySyn looks at a SYN from the server's side that answers the client's.
func (a *Assembler) fourWaySyn(s *Session) {
	g := &a.seg
	client, server := &s.streams[flow.ToServer], &s.streams[flow.ToClient]
	s.flags.set(fourWay)
	a.begin(server, g.seq)
	server.flags &^= usesTS | scaled
	if g.hasTS {
		server.flags.set(usesTS)
		server.ts, server.tsTime = g.ts, g.now
	}
	if g.hasScale {
		server.flags.set(scaled)
	}
	client.window, client.scale = g.window, g.scale
}

// fourWayAnswer looks at a SYN/ACK of the client.
func (a *Assembler) fourWayAnswer(s *Session) {
	g := &a.seg
	client, server := &s.streams[flow.ToServer], &s.streams[flow.ToClient]
	switch {
	case !s.flags.has(fourWay):
		a.invalid(SynAckInWrongDirection)
		return
	case g.ack != server.isn+1:
		a.invalid(FourWaySynAckWithWrongAck)
		return
	case g.seq != client.isn:
		a.invalid(FourWaySynAckWithWrongSyn)
		return
	}
	s.state = SynReceived
	a.freeOffers(s)
	server.window = g.window
	server.scale = g.scale
	if !g.hasScale || !server.flags.has(scaled) {
		client.scale, server.scale = 0, 0
	}
	if g.hasTS && server.flags.has(usesTS) {
		s.flags.set(timestamps)
		client.ts, client.tsTime = g.ts, g.now
	}
	server.acknowledge(a, g.ack)
	client.edge = client.ack + client.window
	server.edge = server.ack + server.window
}

// fourWayAck looks at the server's ACK, which ends a handshake of four packets.
func (a *Assembler) fourWayAck(s *Session) {
	g := &a.seg
	client, server := &s.streams[flow.ToServer], &s.streams[flow.ToClient]
	switch {
	case g.seq != server.next:
		a.invalid(FourWayWrongSeq)
	case !a.ackFits(s, client):
		a.invalid(FourWayInvalidAck)
	default:
		a.establish(s, server, client)
	}
}
