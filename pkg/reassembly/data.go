package reassembly

import "citygate/pkg/packet"

// idle is after how long without a segment an older timestamp counts as new: the clocks of 32 bits have turned by half
// (RFC 7323, 5.5).
const idle = 24 * 24 * 3600 * 1_000_000_000

// timely says whether the segment is no older than one that its receiver took (RFC 7323, 5.3), with an event if not.
func (a *Assembler) timely(s *Session) bool {
	g := &a.seg
	if !s.flags.has(timestamps) || !g.hasTS {
		return true
	}
	from := &s.streams[g.dir]
	age := int32(g.ts - from.ts)
	if a.policy == PolicyLinux {
		age++ // Linux takes one that is older by one
	}
	if age >= 0 || from.ts == 0 || from.tsTime != 0 && g.now-from.tsTime > idle {
		return true
	}
	a.invalid(PktInvalidTimestamp)
	return false
}

// data puts the segment's data into its stream.
func (a *Assembler) data(from *Stream) {
	g := &a.seg
	n := len(g.data)
	if n == 0 {
		return
	}
	a.count.Bytes += uint64(n)
	at := from.rawOf(g.first())
	if g.is(packet.URG) && g.urgent > 0 && !a.urgent(from, at) {
		return
	}
	if at < int64(from.hole) && from.flags.has(sawSyn) {
		a.out.Events.add(SegmentBeforeBaseSeq)
		a.count.Unchecked++
		if a.inline { // what was passed as a gap was never looked at
			a.out.Drop = true
			return
		}
	}
	early := at > int64(from.raw())
	r := from.insert(at, g.data)
	if r.differs || r.lost || r.depth || r.before {
		a.report(from, r)
	}
	if early && r.fresh {
		a.count.OutOfOrder++
	}
	if from.q != nil {
		a.gap(from)
	}
	if !r.fresh && !r.differs && upTo(g.first()+uint32(n), from.next) && !a.out.Retransmission {
		a.out.Retransmission = true
		a.count.Retransmissions++
	}
}

// report says what was odd about an insertion.
func (a *Assembler) report(st *Stream, r insertion) {
	if r.differs {
		a.out.Events.add(OverlapDifferentData)
		a.count.Differing++
		a.out.Drop = a.inline
	}
	if r.lost {
		a.out.Events.add(InsertMemcap)
		a.out.Lost = true
		a.count.MemoryLost++
		st.flags.set(lost)
		a.out.Drop = a.out.Drop || a.inline
	}
	if r.before {
		a.count.Unchecked++
	}
	if r.depth && !st.flags.has(atDepth) {
		st.flags.set(atDepth)
		a.out.Events.add(DepthReached)
		a.count.DepthReached++
	}
}

// gap reports a gap at the end of what is in order, once.
func (a *Assembler) gap(st *Stream) {
	if st.flags.has(sawGap) {
		return
	}
	st.advance()
	if st.Gap(st.ready) > 0 {
		st.flags.set(sawGap)
		a.out.Events.add(SeqGap)
		a.out.Gap = true
	}
}

// urgent looks at the urgent pointer (RFC 6093) of data at a raw offset and says whether they enter the stream. As in
// Linux a session has one urgent byte at a time: a pointer further on takes the place of one that is not reached yet.
func (a *Assembler) urgent(st *Stream, at int64) bool {
	switch a.cfg.Urgent {
	case UrgentGap:
		return false
	case UrgentOOB:
		raw := at + int64(a.seg.urgent) - 1
		if raw < int64(st.raw()) || st.flags.has(hasUrgent) && uint64(raw) <= st.urgent {
			return true
		}
		if !st.roomForUrgent() {
			a.out.Events.add(UrgentOOBLimitReached)
			a.count.UrgentLimit++
			return true
		}
		st.urgent = uint64(raw)
		st.flags.set(hasUrgent)
	}
	return true
}

// acknowledge notes that the receiver has everything before a sequence number. In line it cannot have what has not
// passed: a receiver that says so would make gaps of what is still to come.
func (st *Stream) acknowledge(a *Assembler, ack uint32) {
	if !after(ack, st.ack) || !st.flags.has(sawSyn) {
		return
	}
	st.ack = ack
	if st.flags.has(sawFin) && after(ack, st.fin) {
		st.flags.set(finAcked)
		ack = st.fin
	}
	if a.inline && after(ack, st.next) {
		ack = st.next
	}
	if raw := st.rawOf(ack); raw > int64(st.acked) {
		st.acked = uint64(raw)
	}
}
