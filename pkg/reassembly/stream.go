package reassembly

// Stream is the bytes of one direction of a session. Readers count offsets from 0, the first byte after the SYN, or
// without a handshake the first byte that was seen; urgent bytes that were taken out (UrgentOOB) do not count.
//
// A reader keeps its own offset: it takes Bytes(offset) as far as it likes, and where Ready ends it asks Gap, goes past
// it and goes on. The engine releases what no reader needs any more. A gap is passed by releasing it, so at a gap every
// reader has to go past it.
type Stream struct {
	a   *Assembler // set by the first segment
	blk *block
	q   *queue

	off      uint64 // offset of blk.data[0]
	n        uint32 // bytes in blk.data
	mem      uint32 // bytes of memory in use
	ready    uint64 // offset up to which readers may read
	released uint64
	acked    uint64 // raw offset that the other side has acknowledged
	depth    uint64 // raw offset behind which nothing is kept; 0 for ever
	shift    uint32 // urgent bytes taken out before off+n: raw offset less offset
	urgent   uint64 // raw offset of an urgent byte still to be taken out; see hasUrgent
	hole     uint64 // raw offset behind the last gap that was passed: what comes before it comes too late

	seq0   uint32 // sequence number of raw offset 0, as the stream began
	isn    uint32 // initial sequence number
	next   uint32 // one behind the highest sequence number sent
	ack    uint32 // highest sequence number that the other side has acknowledged
	edge   uint32 // one behind the highest sequence number that the other side's window allows
	window uint32 // last window that this side announced, scaled, bytes
	fin    uint32 // sequence number of the FIN
	ts     uint32 // last timestamp (RFC 7323)
	tsTime int64  // when, nanoseconds
	scale  uint8  // of the windows that this side announces
	flags  streamFlags
}

type streamFlags uint16

const (
	hasUrgent streamFlags = 1 << iota // urgent is set
	usesTS                            // this side sends timestamps
	sawSyn                            // or the stream was picked up: seq0 is set
	sawFin                            // fin is set
	finAcked                          // and the other side has acknowledged it
	sawRst                            // nothing comes any more
	stopped                           // nobody reads it
	atDepth                           // data was left out because of the depth
	flushed                           // no acknowledgement is waited for
	scaled                            // this side gave a window scale
	sawGap                            // a gap was reported
	lost                              // bytes were lost for want of memory
)

func (f *streamFlags) set(x streamFlags)     { *f |= x }
func (f streamFlags) has(x streamFlags) bool { return f&x != 0 }

// end is the offset behind the last byte in order.
func (st *Stream) end() uint64 { return st.off + uint64(st.n) }

// raw is the raw offset behind the last byte in order.
func (st *Stream) raw() uint64 { return st.end() + uint64(st.shift) }

// rawOf is the raw offset of a sequence number near the end of what is in order; negative before the stream's start.
func (st *Stream) rawOf(seq uint32) int64 {
	at := st.raw()
	return int64(at) + int64(int32(seq-(st.seq0+uint32(at))))
}

// Ready is the offset up to which bytes can be read without a gap.
func (st *Stream) Ready() uint64 { return st.ready }

// Bytes are the ready bytes from an offset on: nil if there are none or they were released. They are valid until Settle,
// the release of a gap or the next Segment.
func (st *Stream) Bytes(from uint64) []byte {
	if st.blk == nil || from < st.off || from >= st.ready {
		return nil
	}
	return st.blk.data[from-st.off : st.ready-st.off : st.ready-st.off]
}

// Gap is the number of bytes missing at an offset that never come: there are later ones, and the other side has
// acknowledged the missing ones, or the stream was flushed. It is 0 if there is no gap at from.
func (st *Stream) Gap(from uint64) uint64 {
	if from != st.ready || from != st.end() || st.flags.has(stopped) {
		return 0
	}
	raw := st.raw()
	first, queued := uint64(0), false
	if st.q != nil {
		first, queued = st.q.first(raw)
	}
	if queued && (first <= st.acked || st.flags.has(flushed)) {
		return first - raw
	}
	return 0 // perhaps acknowledged before it is seen
}

// limit is the raw offset behind which nothing is kept.
func (st *Stream) limit() uint64 {
	if st.depth == 0 {
		return ^uint64(0) >> 1
	}
	return st.depth
}

// Release says that no reader needs anything before an offset. Where a gap is at Ready, an offset behind it passes it.
func (st *Stream) Release(upto uint64) {
	if upto > st.ready {
		gap := st.Gap(st.ready)
		if gap > 0 && upto >= st.ready+gap {
			st.skip(gap)
		}
		upto = min(upto, st.ready)
	}
	st.released = max(st.released, upto)
}

// Stop says that nobody will read this stream: nothing is kept any more, only the state is tracked.
func (st *Stream) Stop() { st.flags.set(stopped) }

// Stopped says whether Stop was called.
func (st *Stream) Stopped() bool { return st.flags.has(stopped) }

// Closed says that nothing comes after Ready: the sender's FIN is reached, or there was a valid RST.
func (st *Stream) Closed() bool {
	if st.flags.has(sawRst) {
		return true
	}
	return st.flags.has(sawFin) && int64(st.ready+uint64(st.shift)) >= st.rawOf(st.fin)
}

// DepthReached says that bytes were left out since the stream is longer than its depth.
func (st *Stream) DepthReached() bool { return st.flags.has(atDepth) }

// SetDepth changes how many bytes of the stream are kept in all, 0 for all. Less than is there already ends it there.
func (st *Stream) SetDepth(n uint64) {
	if n == 0 {
		st.depth = 0
		return
	}
	st.depth = max(n, st.raw(), 1)
}

// Lossy says that bytes of the stream were lost for want of memory.
func (st *Stream) Lossy() bool { return st.flags.has(lost) }

// Size is the number of sequence numbers used so far, as the keyword stream_size counts: next less the initial one.
func (st *Stream) Size() uint64 {
	if !st.flags.has(sawSyn) {
		return 0
	}
	return uint64(st.next - st.isn)
}

// Memory is the number of bytes of memory in use.
func (st *Stream) Memory() int64 { return int64(st.mem) }
