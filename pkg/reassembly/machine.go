package reassembly

import "citygate/pkg/packet"

func (a *Assembler) segment(s *Session) {
	g := &a.seg
	from, to := &s.streams[g.dir], &s.streams[g.dir^1]
	if s.state == None {
		a.open(s, from, to)
		return
	}
	if s.state == Closed && g.is(packet.SYN) && !g.is(packet.ACK) {
		a.out.Reuse = true
		return
	}
	if g.is(packet.SYN) {
		if g.is(packet.ACK) && s.state == SynSent {
			from.begin(g.seq, a.cfg.Depth)
			s.state = SynReceived
		}
	}
	if g.is(packet.ACK) {
		to.acknowledge(g.ack)
		if s.state == SynReceived && g.dir == 0 {
			s.state = Established
		}
	}
	a.data(from)
	if g.is(packet.FIN) && !from.flags.has(sawFin) {
		from.flags.set(sawFin)
		from.fin = g.end - 1
		s.state = FinWait1
		if to.flags.has(sawFin) {
			s.state = LastAck
		}
	}
	if g.is(packet.RST) {
		from.flags.set(sawRst)
		to.flags.set(sawRst)
		s.state = Closed
	}
	from.advance()
	to.advance()
}

func (a *Assembler) open(s *Session, from, to *Stream) {
	g := &a.seg
	switch {
	case g.is(packet.SYN | packet.ACK):
	case g.is(packet.SYN):
		from.begin(g.seq, a.cfg.Depth)
		s.state = SynSent
		a.count.Sessions++
		a.data(from)
	default:
		a.out.Ignored = true
	}
}

func (st *Stream) begin(isn uint32, depth uint64) {
	st.isn, st.seq0, st.next, st.depth = isn, isn+1, isn+1, depth
	st.flags.set(sawSyn)
}

func (st *Stream) acknowledge(ack uint32) {
	if !st.flags.has(sawSyn) {
		return
	}
	if st.flags.has(sawFin) && after(ack, st.fin) {
		ack = st.fin
	}
	if raw := st.rawOf(ack); raw > int64(st.acked) {
		st.acked = uint64(raw)
	}
}

func (a *Assembler) data(st *Stream) {
	g := &a.seg
	if len(g.data) == 0 || !st.flags.has(sawSyn) {
		return
	}
	r := st.insert(st.rawOf(g.first()), g.data)
	if r.differs {
		a.out.Events.add(OverlapDifferentData)
		a.out.Drop = a.inline
	}
	if after(g.end, st.next) {
		st.next = g.end
	}
}

type synacks struct{}
