package reassembly

import "slices"

// Which copy of a byte wins outside of line. A run is what one segment has of the stream now: where another segment took
// its head or its tail, that much less. The rules are those of Novak, Target-Based TCP Stream Reassembly (2007).

// wins says whether a segment of [from, to) takes bytes from a run of [oldFrom, oldTo) that it overlaps.
func (p Policy) wins(from, to, oldFrom, oldTo int64) bool {
	switch p {
	case PolicyLast:
		return true
	case PolicyBSD, PolicyWindows:
		return from < oldFrom
	case PolicyLinux:
		return from < oldFrom || from == oldFrom && to > oldTo
	case PolicySolaris:
		if from > oldFrom {
			return to > oldTo
		}
		return to >= oldTo
	}
	return false
}

// overwrite puts the bytes of a segment of the given length where they win against those in order that nobody could
// read yet. It says whether the last of them won.
func (st *Stream) overwrite(raw uint64, data []byte, length int) (own bool) {
	if st.blk == nil {
		return false
	}
	low, starts := int(st.ready-st.off), bitset(st.blk.starts)
	begin := int64(st.position(raw))
	for len(data) > 0 {
		pos, n, urgent := st.piece(raw, len(data))
		piece := data[:n]
		if pos < low {
			piece = piece[min(low-pos, n):]
			pos, own = low, false
		}
		for len(piece) > 0 {
			from := max(starts.lastSet(pos+1), 0)
			to := starts.nextSet(pos+1, int(st.n))
			k := min(to-pos, len(piece))
			won := st.a.policy.wins(begin, begin+int64(length), int64(from), int64(to))
			if won {
				copy(st.blk.data[pos:], piece[:k])
				starts.mark(pos, own)
				if pos+k < to {
					starts.set(pos + k)
				}
			}
			pos, piece, own = pos+k, piece[k:], won
		}
		raw, data = raw+uint64(n+urgent), data[n+urgent:]
	}
	return own
}

// mark notes that bytes of a segment begin at i, and whether the byte before is the segment's, too.
func (s bitset) mark(i int, follows bool) {
	if follows {
		s.unset(i)
	} else {
		s.set(i)
	}
}

// enqueue puts bytes behind those in order into the queue: what is not there, and what wins. The segment begins at the
// raw offset begin, the bytes lie at raw; own says that the byte before is the segment's. Lost says that there was no
// memory for some.
func (st *Stream) enqueue(begin, raw uint64, data []byte, own bool) (fresh, lost bool) {
	if st.q == nil {
		st.q = st.a.memory.queue()
	}
	seg := span{int64(begin), int64(raw) + int64(len(data))}
	for len(data) > 0 {
		i, ok := st.q.find(raw / pageSize)
		if !ok && !st.addPage(i, raw/pageSize) {
			return fresh, true
		}
		at := int(raw % pageSize)
		n := min(pageSize-at, len(data))
		own = st.q.fill(i, at, data[:n], seg, st.a, own, &fresh)
		raw, data = raw+uint64(n), data[n:]
	}
	return fresh, false
}

// addPage puts a new page at place i of the queue, if there is memory.
func (st *Stream) addPage(i int, number uint64) bool {
	if st.a.full(st, pageMemory) {
		return false
	}
	p := st.a.memory.page(number)
	if p == nil {
		return false
	}
	st.mem += pageMemory
	st.q.pages = slices.Insert(st.q.pages, i, p)
	return true
}

// span is a range of raw offsets.
type span struct{ from, to int64 }

// fill puts bytes of a segment into a page and says whether the last of them is the segment's.
func (q *queue) fill(i, at int, data []byte, seg span, a *Assembler, own bool, fresh *bool) bool {
	p := q.pages[i]
	have, starts := bitset(p.have[:]), bitset(p.starts[:])
	for len(data) > 0 {
		end := at + len(data)
		won := true
		if !have.has(at) {
			end = have.nextSet(at, end)
			have.setRange(at, end)
			*fresh = true
			if a.bounds {
				starts.mark(at, own)
			}
		} else {
			end = have.nextClear(at, end)
			won = false
			if a.bounds {
				run := q.run(i, at)
				end = min(end, int(run.to-int64(p.number*pageSize)))
				if won = a.policy.wins(seg.from, seg.to, run.from, run.to); won {
					starts.mark(at, own)
					q.cut(i, end, run.to)
				}
			}
		}
		n := end - at
		if won {
			copy(p.data[at:end], data[:n])
		}
		at, data, own = end, data[n:], won
	}
	return own
}

// cut makes what is behind place end of a page, and still belongs to a run that ends at a raw offset, a run of its own.
func (q *queue) cut(i, end int, to int64) {
	p := q.pages[i]
	switch {
	case int64(p.number*pageSize)+int64(end) >= to:
	case end < pageSize:
		bitset(p.starts[:]).set(end)
	default: // the run goes on, so the next page is there
		bitset(q.pages[i+1].starts[:]).set(0)
	}
}

// run is the run that a byte of a page belongs to.
func (q *queue) run(i, at int) span {
	return span{q.runStart(i, at), q.runEnd(i, at)}
}

func (q *queue) runStart(i, at int) int64 {
	for {
		p := q.pages[i]
		base := int64(p.number * pageSize)
		if s := bitset(p.starts[:]).lastSet(at + 1); s >= 0 {
			return base + int64(s)
		}
		if i == 0 || q.pages[i-1].number+1 != p.number || !bitset(q.pages[i-1].have[:]).has(pageSize-1) {
			return base
		}
		i, at = i-1, pageSize-1
	}
}

func (q *queue) runEnd(i, at int) int64 {
	for {
		p := q.pages[i]
		end := bitset(p.have[:]).nextClear(at, pageSize)
		if end > at {
			end = bitset(p.starts[:]).nextSet(at+1, end)
		}
		if end < pageSize || i+1 == len(q.pages) || q.pages[i+1].number != p.number+1 {
			return int64(p.number*pageSize) + int64(end)
		}
		next := q.pages[i+1]
		if !bitset(next.have[:]).has(0) || bitset(next.starts[:]).has(0) {
			return int64(next.number * pageSize)
		}
		i, at = i+1, 0
	}
}
