package reassembly

import (
	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

// offer is what a SYN or a SYN/ACK says. A session remembers those that differ, since it is not known which one the
// other host has seen.
type offer struct {
	seq, ack uint32
	ts       uint32
	window   uint32
	scale    uint8
	hasScale bool
	hasTS    bool
}

func (g *segment) offer() offer {
	return offer{seq: g.seq, ack: g.ack, ts: g.ts, window: g.window, scale: g.scale, hasScale: g.hasScale, hasTS: g.hasTS}
}

// offers are the SYNs and SYN/ACKs that a session remembers beside the present ones.
type offers struct {
	syns    []offer
	synacks []offer
	next    *offers // in the free list
}

// remember adds an offer, unless it is there, and says whether there was room.
func remember(list *[]offer, o offer, limit int) bool {
	for _, have := range *list {
		if have == o {
			return true
		}
	}
	if len(*list) >= limit {
		return false
	}
	*list = append(*list, o)
	return true
}

func (a *Assembler) newOffers() *offers {
	o := a.offers
	if o == nil {
		return new(offers)
	}
	a.offers = o.next
	o.syns, o.synacks, o.next = o.syns[:0], o.synacks[:0], nil
	return o
}

func (a *Assembler) freeOffers(s *Session) {
	if o := s.offers; o != nil {
		o.next, a.offers = a.offers, o
		s.offers = nil
	}
}

// openSyn begins a session with the client's SYN. Whoever sends the first SYN is the client.
func (a *Assembler) openSyn(s *Session) {
	g := &a.seg
	if g.dir == flow.ToClient {
		a.out.Swapped, g.dir = true, flow.ToServer
	}
	s.state = SynSent
	if a.cfg.AsyncOneSide {
		s.flags.set(async)
	}
	a.takeSyn(s, g.offer())
	if g.fastOpen { // RFC 7413; without it hosts leave the data of a SYN
		s.flags.set(fastOpen)
		from := &s.streams[flow.ToServer]
		a.data(from)
		from.next = g.seq + 1 + uint32(len(g.data))
	}
}

// takeSyn makes an offer the client's.
func (a *Assembler) takeSyn(s *Session, o offer) {
	from, to := &s.streams[flow.ToServer], &s.streams[flow.ToClient]
	if !from.flags.has(sawSyn) || from.isn != o.seq {
		a.begin(from, o.seq)
	}
	from.flags &^= usesTS | scaled
	from.ts, from.tsTime = o.ts, a.seg.now
	if o.hasTS {
		from.flags.set(usesTS)
	}
	if o.hasScale {
		from.flags.set(scaled)
	}
	to.window, to.scale = o.window, o.scale
}

// presentSyn is the client's offer that is in force.
func (s *Session) presentSyn() offer {
	from, to := &s.streams[flow.ToServer], &s.streams[flow.ToClient]
	return offer{
		seq: from.isn, ts: from.ts, window: to.window, scale: to.scale,
		hasScale: from.flags.has(scaled), hasTS: from.flags.has(usesTS),
	}
}

// synSent looks at what follows the client's SYN.
func (a *Assembler) synSent(s *Session) {
	g := &a.seg
	switch {
	case g.dir == flow.ToClient && !g.is(packet.SYN) && !echoes(s.presentSyn(), g):
		a.invalid(PktInvalidTimestamp) // a blind answer
	case g.is(packet.RST):
		a.resetSynSent(s)
	case g.is(packet.SYN|packet.ACK) && g.dir == flow.ToClient:
		a.answer(s)
	case g.is(packet.SYN | packet.ACK):
		a.fourWayAnswer(s)
	case g.is(packet.SYN) && g.dir == flow.ToClient:
		a.fourWaySyn(s)
	case g.is(packet.SYN):
		a.repeatSyn(s)
	case g.is(packet.ACK) && g.dir == flow.ToServer && a.cfg.AsyncOneSide:
		a.oneSided(s)
	case len(g.data) > 0: // no host takes data before its answer
		a.refuse()
	}
}

// repeatSyn looks at another SYN of the client before an answer.
func (a *Assembler) repeatSyn(s *Session) {
	g := &a.seg
	o, present := g.offer(), s.presentSyn()
	o.ack = 0
	if o == present {
		a.out.Retransmission = true
		return
	}
	if s.offers == nil {
		s.offers = a.newOffers()
	}
	if !remember(&s.offers.syns, present, a.cfg.MaxSynQueued) {
		a.count.SynQueueFull++
		a.invalid(SynFlood)
		return
	}
	a.takeSyn(s, o)
}

// answer looks at the server's SYN/ACK.
func (a *Assembler) answer(s *Session) {
	g := &a.seg
	if !a.findSyn(s) {
		return
	}
	from := &s.streams[flow.ToServer]
	if s.flags.has(fastOpen) && from.next != from.isn+1 && g.ack == from.isn+1 {
		a.out.Events.add(SynAckTFODataIgnored)
		s.flags.set(dataIgnored)
		a.takeBack(from)
	}
	a.freeOffers(s)
	s.state = SynReceived
	a.takeSynAck(s, g.offer())
	if len(g.data) > 0 { // stacks differ; the client's acknowledgement will tell
		server := &s.streams[flow.ToClient]
		a.data(server)
		server.next += uint32(len(g.data))
	}
}

// takeBack forgets data of a stream's SYN that the other side did not take. What counts is what is sent now; in line the
// first copy stays, since it may have been read.
func (a *Assembler) takeBack(st *Stream) {
	st.next = st.isn + 1
	if a.inline {
		return
	}
	flags, ack, edge := st.flags, st.ack, st.edge
	a.begin(st, st.isn)
	st.flags, st.ack, st.edge = flags&^hasUrgent, ack, edge
}

// findSyn finds the SYN that a SYN/ACK answers, among those remembered too, and takes it. False is said with an event.
func (a *Assembler) findSyn(s *Session) bool {
	g, from := &a.seg, &s.streams[flow.ToServer]
	fits := g.ack == from.isn+1 || s.flags.has(fastOpen) && g.ack == from.next
	if fits && echoes(s.presentSyn(), g) {
		return true
	}
	if s.offers != nil {
		for _, o := range s.offers.syns {
			if o.seq+1 == g.ack && echoes(o, g) {
				a.takeSyn(s, o)
				return true
			}
		}
	}
	if fits {
		a.invalid(PktInvalidTimestamp)
	} else {
		a.invalid(SynAckWithWrongAck)
	}
	return false
}

// echoes says whether a SYN/ACK echoes the timestamp of a SYN, if both have one (RFC 7323, 3.2).
func echoes(o offer, g *segment) bool {
	if !g.hasTS || g.echo == 0 {
		return true
	}
	if !o.hasTS {
		return false
	}
	return o.ts == 0 || o.ts == g.echo
}

// takeSynAck makes an offer the server's.
func (a *Assembler) takeSynAck(s *Session, o offer) {
	client, server := &s.streams[flow.ToServer], &s.streams[flow.ToClient]
	a.begin(server, o.seq)
	server.flags &^= usesTS | scaled
	client.window, client.scale = o.window, o.scale
	if !client.flags.has(scaled) || !o.hasScale { // RFC 7323, 2.2: both or none
		client.scale, server.scale = 0, 0
	}
	if o.hasTS && client.flags.has(usesTS) {
		server.flags.set(usesTS)
		server.ts, server.tsTime = o.ts, a.seg.now
		s.flags.set(timestamps)
	} else {
		s.flags &^= timestamps
	}
	client.acknowledge(a, o.ack)
	client.edge = o.ack + client.window
	server.edge = server.ack + server.window
	s.flags &^= fourWay
}
