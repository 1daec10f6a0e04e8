package reassembly

import "bytes"

// insertion says what became of a segment's bytes.
type insertion struct {
	fresh   bool // there were bytes that were not there before
	differs bool // a byte was there with another value
	lost    bool // there was no memory for some
	depth   bool // some lie behind the depth
	before  bool // some lie before what is kept, and were not compared
}

// insert puts a segment's bytes, which lie at a raw offset, into the stream.
func (st *Stream) insert(at int64, data []byte) (r insertion) {
	if at < 0 { // before the stream's first byte
		r.before = true
		cut := min(uint64(-at), uint64(len(data)))
		data, at = data[cut:], 0
	}
	raw := uint64(at)
	if limit := st.limit(); raw+uint64(len(data)) > limit {
		r.depth = true
		data = data[:limit-min(raw, limit)]
	}
	if len(data) == 0 || st.flags.has(stopped) {
		return r
	}
	end := st.raw()
	if raw == end && st.q == nil {
		r.fresh = true
		r.lost = st.append(data, true) < len(data)
		return r
	}
	return st.insertSlowly(raw, end, data, r)
}

// insertSlowly is insert where bytes are out of order or overlap.
func (st *Stream) insertSlowly(raw, end uint64, data []byte, r insertion) insertion {
	old := data[:min(max(end, raw)-raw, uint64(len(data)))]
	rest := data[len(old):]
	if len(old) > 0 {
		before, differs := st.compare(raw, old)
		r.before, r.differs = r.before || before, differs
	}
	behind := raw + uint64(len(old))
	if len(rest) > 0 && st.q != nil && st.q.differs(behind, rest) {
		r.differs = true
	}
	if st.a.inline && r.differs {
		return r
	}
	own := false
	if len(old) > 0 && st.a.bounds {
		own = st.overwrite(raw, old, len(data))
	}
	if len(rest) == 0 {
		return r
	}
	if st.q == nil && behind == end {
		r.fresh = true
		r.lost = st.append(rest, !own) < len(rest)
		return r
	}
	r.fresh, r.lost = st.enqueue(raw, behind, rest, own)
	st.pull()
	return r
}

// piece is the first part of bytes in order that lies in one piece in blk.data: its place, which is negative or below
// low before what is kept, its length, and 1 if an urgent byte that was taken out follows it.
func (st *Stream) piece(raw uint64, n int) (pos, length, urgent int) {
	length = n
	for _, u := range st.blk.urgent[:st.blk.urgents] {
		if u >= raw && u-raw < uint64(length) {
			length, urgent = int(u-raw), 1
		}
	}
	return st.position(raw), length, urgent
}

// compare says whether some of the bytes are no longer kept, and whether the others have other values.
func (st *Stream) compare(raw uint64, data []byte) (before, differs bool) {
	if st.blk == nil {
		return true, false
	}
	low := int(st.keep() - st.off)
	for len(data) > 0 {
		pos, n, urgent := st.piece(raw, len(data))
		piece := data[:n]
		if pos < low {
			before = true
			piece = piece[min(low-pos, n):]
			pos = low
		}
		if !bytes.Equal(piece, st.blk.data[pos:pos+len(piece)]) {
			return before, true
		}
		raw, data = raw+uint64(n+urgent), data[n+urgent:]
	}
	return before, false
}
