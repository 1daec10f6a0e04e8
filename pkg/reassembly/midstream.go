package reassembly

import (
	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

// pickUp begins a session in its middle, with a segment of whom the caller took for the client.
func (a *Assembler) pickUp(s *Session) {
	g := &a.seg
	from, to := a.sides(s)
	s.state = Established
	s.flags.set(midstream)
	if a.cfg.AsyncOneSide {
		s.flags.set(async)
	}
	a.count.Midstream++
	a.begin(from, g.seq-1)
	a.begin(to, g.ack-1)
	from.scale, to.scale = maxScale, maxScale // nothing is known: be liberal
	if g.hasTS {
		s.flags.set(timestamps)
		from.flags.set(usesTS)
		to.flags.set(usesTS)
		from.ts, from.tsTime = g.ts, g.now
		to.ts = g.echo
	}
	from.window = g.window << maxScale
	from.edge = from.ack + from.window
	a.accept(s, from, to)
	a.fin(s, from)
}

// pickUpSynAck begins a session with the server's SYN/ACK. Its sender is the server, whatever the caller took it for.
func (a *Assembler) pickUpSynAck(s *Session) {
	g := &a.seg
	if g.dir == flow.ToServer {
		a.out.Swapped, g.dir = true, flow.ToClient
	}
	s.state = SynReceived
	s.flags.set(midstream)
	if a.cfg.AsyncOneSide {
		s.flags.set(async)
	}
	a.count.Midstream++
	client, server := &s.streams[flow.ToServer], &s.streams[flow.ToClient]
	a.begin(client, g.ack-1)
	a.begin(server, g.seq)
	client.window, server.window = g.window, g.window
	if g.hasScale { // so the client has one, too
		client.scale, server.scale = g.scale, maxScale
	}
	if g.hasTS {
		s.flags.set(timestamps)
		client.flags.set(usesTS)
		server.flags.set(usesTS)
		server.ts, server.tsTime, client.ts = g.ts, g.now, g.echo
	}
	client.edge = client.ack + client.window
	server.edge = server.ack + server.window
}

// oneSided goes on with a session whose SYN/ACK does not pass here.
func (a *Assembler) oneSided(s *Session) {
	g := &a.seg
	from, to := a.sides(s)
	if g.seq != from.next && !(s.flags.has(fastOpen) && upTo(g.seq, from.next) && after(g.seq, from.isn)) {
		a.invalid(AsyncWrongSeq)
		return
	}
	s.flags.set(async)
	s.state = Established
	a.freeOffers(s)
	scale := to.scale
	a.begin(to, g.ack-1)
	to.scale = scale
	from.window = g.window
	if from.flags.has(scaled) {
		from.scale = maxScale
	} else {
		from.scale, to.scale = 0, 0
	}
	if g.hasTS && from.flags.has(usesTS) {
		s.flags.set(timestamps)
	}
	a.accept(s, from, to)
	if g.is(packet.FIN) {
		a.fin(s, from)
	}
}
