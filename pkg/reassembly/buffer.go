package reassembly

// The flat part of a stream: what is in order, from the first byte that is still needed on.

// maxUrgent is how many urgent bytes are taken out of the kept part of a stream; their places must be known to find
// the bytes of a retransmission. Further ones stay in.
const maxUrgent = 8

// keep is the offset from which on bytes are kept: what readers still need, and in line also what the other side has
// not acknowledged, to compare retransmissions with.
func (st *Stream) keep() uint64 {
	switch {
	case st.flags.has(stopped):
		return st.end()
	case !st.a.inline:
		return st.released
	}
	from := st.released
	if acked := st.acked - min(st.acked, uint64(st.shift)); acked < from {
		from = acked
	}
	if end := st.end(); end > keepUnacked && from < end-keepUnacked {
		from = min(st.released, end-keepUnacked)
	}
	return max(from, st.off)
}

// reserve makes room for n more bytes in order, or says that the memory is at its cap.
func (st *Stream) reserve(n int) bool {
	if st.blk == nil {
		return st.replace(st.a.memory.grow(st, n), 0)
	}
	size := len(st.blk.data)
	if int(st.n)+n <= size {
		return true
	}
	dead := int(st.keep()-st.off) &^ 63 // the bits of starts move with their bytes
	live := int(st.n) - dead
	if live+n <= size && live <= dead {
		st.compact(dead)
		return true
	}
	return st.replace(st.a.memory.grow(st, live+n), dead)
}

// compact moves the live bytes to the front.
func (st *Stream) compact(dead int) {
	b, n := st.blk, int(st.n)
	copy(b.data, b.data[dead:n])
	words := (n + 63) / 64
	copy(b.starts, b.starts[dead/64:words])
	clear(b.starts[words-dead/64 : words])
	st.forget(dead)
}

// forget accounts for dead bytes that are no longer at the front.
func (st *Stream) forget(dead int) {
	st.off += uint64(dead)
	st.n -= uint32(dead)
	b, kept := st.blk, 0
	for _, raw := range b.urgent[:b.urgents] {
		if raw >= st.off+uint64(st.shift)-uint64(b.urgents) {
			b.urgent[kept] = raw
			kept++
		}
	}
	b.urgents = uint8(kept)
}

// replace puts a larger block in the place of the present one, without its first dead bytes. Nil is none.
func (st *Stream) replace(b *block, dead int) bool {
	if b == nil {
		return false
	}
	if old := st.blk; old != nil {
		copy(b.data, old.data[dead:st.n])
		copy(b.starts, old.starts[dead/64:(int(st.n)+63)/64])
		b.urgent, b.urgents = old.urgent, old.urgents
		n := int(st.n)
		st.blk = b
		st.forget(dead)
		st.giveBack(old, n)
		return true
	}
	st.blk = b
	return true
}

func (st *Stream) giveBack(b *block, n int) {
	st.mem -= uint32(blockMemory(b.shift))
	b.urgents = 0
	st.a.memory.freeBlock(b, n)
}

// settle gives memory back that is not needed any more.
func (st *Stream) settle() {
	if st.flags.has(stopped) {
		st.ready = st.end()
		st.released = st.ready
		st.dropQueue()
	}
	if st.blk != nil && st.keep() >= st.end() {
		b, n := st.blk, int(st.n)
		st.off, st.n, st.blk = st.end(), 0, nil
		st.giveBack(b, n)
	}
}

func (st *Stream) dropQueue() {
	if st.q == nil {
		return
	}
	st.mem -= uint32(st.q.drop(&st.a.memory, ^uint64(0)) * pageMemory)
	st.a.memory.freeQueue(st.q)
	st.q = nil
}

// append puts bytes behind those in order and gives how many fit. Begins says that a segment begins with them.
func (st *Stream) append(data []byte, begins bool) int {
	done := 0
	for done < len(data) {
		n, urgent := len(data)-done, false
		if st.flags.has(hasUrgent) {
			n, urgent = st.untilUrgent(n)
		}
		if n > 0 {
			if !st.reserve(n) {
				return done
			}
			copy(st.blk.data[st.n:], data[done:done+n])
			if begins && st.a.bounds {
				bitset(st.blk.starts).set(int(st.n))
			}
			st.n += uint32(n)
			done += n
		}
		if urgent && !st.takeOut() {
			return done
		}
		if urgent {
			done++
		}
	}
	return done
}

// untilUrgent gives how many of the next n bytes lie before the urgent byte, and whether that follows them.
func (st *Stream) untilUrgent(n int) (int, bool) {
	at := st.raw()
	if st.urgent < at {
		st.flags &^= hasUrgent
		return n, false
	}
	if st.urgent-at < uint64(n) {
		return int(st.urgent - at), true
	}
	return n, false
}

// roomForUrgent says whether another urgent byte can be taken out.
func (st *Stream) roomForUrgent() bool {
	if st.blk == nil || st.blk.urgents < maxUrgent {
		return true
	}
	if dead := int(st.keep()-st.off) &^ 63; dead > 0 {
		st.compact(dead)
	}
	return st.blk.urgents < maxUrgent
}

// takeOut skips the urgent byte at the end of what is in order. It is false if there is no memory to note its place.
func (st *Stream) takeOut() bool {
	if !st.reserve(1) {
		return false
	}
	st.flags &^= hasUrgent
	b := st.blk
	st.a.count.UrgentTaken++
	b.urgent[b.urgents] = st.raw()
	b.urgents++
	st.shift++
	return true
}

// position is the place in blk.data of a raw offset that is in order; of an urgent byte that was taken out, the place of
// the byte behind it.
func (st *Stream) position(raw uint64) int {
	b := st.blk
	first := st.off + uint64(st.shift) - uint64(b.urgents)
	out := uint64(0)
	for _, u := range b.urgent[:b.urgents] {
		if u < raw {
			out++
		}
	}
	return int(raw - first - out)
}

// pull moves bytes from the queue behind those in order.
func (st *Stream) pull() {
	if st.q == nil {
		return
	}
	for {
		raw := st.raw()
		i, ok := st.q.find(raw / pageSize)
		if !ok {
			break
		}
		p := st.q.pages[i]
		from := int(raw % pageSize)
		to := bitset(p.have[:]).nextClear(from, pageSize)
		if to == from {
			break
		}
		if !st.pullPage(p, from, to) {
			break
		}
	}
	if _, more := st.q.first(st.raw()); !more {
		st.dropQueue()
		return
	}
	st.mem -= uint32(st.q.drop(&st.a.memory, st.raw()) * pageMemory)
}

// pullPage appends a run of a page, each segment in it on its own.
func (st *Stream) pullPage(p *page, from, to int) bool {
	starts := bitset(p.starts[:])
	for from < to {
		end := to
		begins := false
		if st.a.bounds {
			begins = starts.has(from)
			end = starts.nextSet(from+1, to)
		}
		if st.append(p.data[from:end], begins) < end-from {
			return false
		}
		from = end
	}
	return true
}

// skip passes a gap.
func (st *Stream) skip(gap uint64) {
	end := st.end()
	if st.blk != nil {
		st.giveBack(st.blk, int(st.n))
		st.blk, st.n = nil, 0
	}
	st.a.count.Gaps++
	st.a.count.GapBytes += gap
	st.flags &^= sawGap
	st.off = end + gap
	st.ready, st.released = st.off, st.off
	st.hole = st.raw()
	st.pull()
	st.advance()
}

// advance makes ready what may be read.
func (st *Stream) advance() {
	end := st.end()
	if !st.a.inline && !st.flags.has(flushed) {
		if acked := st.acked - min(st.acked, uint64(st.shift)); acked < end {
			end = acked
		}
	}
	st.ready = max(st.ready, end)
}
