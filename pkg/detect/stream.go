package detect

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// Signatures look at a stream in chunks: from the end of a message on, every chunkSize bytes, so that its split into
// segments does not matter. In line the chunk in hand is looked at whenever it grows.
const (
	chunkSize = 2560 // Suricata's toserver-chunk-size
	// history is how much before the chunk can take part in a match.
	history = chunkSize
)

// rawState is how far signatures have looked at a stream.
type rawState struct {
	base    uint64   // where the message in hand began
	start   uint64   // of the chunk in hand
	scanned uint64   // the prefilter has seen what is before
	from    uint64   // what lies before is not looked at: a gap, or media
	open    []uint32 // signatures whose fast pattern is in the chunk
	before  []uint32 // in the history
	matched []uint32 // that matched in the chunk
}

// borrow is an empty list of signatures; giveBack takes those of a flow that is over.
func (e *Engine) borrow() []uint32 {
	if n := len(e.lists); n > 0 {
		l := e.lists[n-1]
		e.lists = e.lists[:n-1]
		return l
	}
	return make([]uint32, 0, usualOpen)
}

func (e *Engine) giveBack(r *rawState) {
	for _, l := range [...][]uint32{r.open, r.before, r.matched} {
		if cap(l) > 0 {
			e.lists = append(e.lists, l[:0])
		}
	}
}

func (r *rawState) forget() {
	r.open, r.before, r.matched = r.open[:0], r.before[:0], r.matched[:0]
}

// next ends the chunk in hand at an offset.
func (r *rawState) next(end uint64) {
	r.start = end
	r.open, r.before = r.before[:0], r.open
	r.matched = r.matched[:0]
}

// skip leaves out what lies from one offset to another: nothing matches across it.
func (r *rawState) skip(from, to uint64) {
	if r.start >= from && to > r.start { // all before is looked at
		r.base, r.start, r.scanned, r.from = to, to, to, to
		r.forget()
	}
}

// rawUpTo looks at what is left before an offset where the stream breaks off.
func (e *Engine) rawUpTo(f *Flow, d flow.Direction, end uint64) {
	if f.passed || f.dropped || !e.rules.streams || f.conn.Opaque(d) {
		return
	}
	if e.p.Direction == d {
		e.raw(f, d, end, true)
		return
	}
	saved := e.p
	e.p.Direction, e.p.pseudo, e.p.Number = d, true, 0
	e.p.Headers = &e.other
	f.pseudoHeaders(e.p.Headers, d)
	e.raw(f, d, end, true)
	verdict := e.p.Verdict
	e.p = saved
	e.p.Verdict = verdict
}

// stream inspects the stream of the packet's direction.
func (e *Engine) stream(f *Flow, d flow.Direction) {
	st := f.session.Stream(d)
	r := &f.raw[d]
	if e.rules.streams && f.conn.Opaque(d) && !f.opaque[d] {
		f.opaque[d] = true
		e.raw(f, d, min(f.app[d], st.Ready()), true)
	}
	if !e.rules.streams || f.opaque[d] {
		r.start = max(r.start, st.Ready())
		r.base, r.scanned, r.from = r.start, r.start, r.start
		return
	}
	e.raw(f, d, st.Ready(), e.p.last || st.Closed() || st.DepthReached() || e.requestDone(f, d))
}

// requestDone says that a transaction's direction is over and not inspected: what the stream has so far belongs to it.
func (e *Engine) requestDone(f *Flow, d flow.Direction) bool {
	for _, tx := range f.conn.Txs() {
		if !tx.Inspection().Inspected[d] && tx.Complete(d) {
			return true
		}
	}
	return false
}

// raw inspects a stream up to an offset, chunk by chunk. flush says that an unfinished chunk does not wait.
func (e *Engine) raw(f *Flow, d flow.Direction, ready uint64, flush bool) {
	r := &f.raw[d]
	for r.start < ready {
		end := min(ready, r.start+chunkSize-(r.start-r.base)%chunkSize)
		whole := (end-r.base)%chunkSize == 0
		if !whole && !flush && !e.cfg.Streams.Inline {
			return
		}
		e.chunk(f, d, end)
		if !whole && !flush {
			return
		}
		r.next(end)
	}
	if flush {
		r.base = r.start
	}
}

// rawNeeds is the offset of a stream before which nothing will be looked at again.
func (e *Engine) rawNeeds(f *Flow, d flow.Direction) uint64 {
	r := &f.raw[d]
	if !e.rules.streams {
		return f.session.Stream(d).Ready()
	}
	if r.start < history {
		return r.from
	}
	return max(r.from, r.start-history)
}

// chunk judges the signatures that may match in the chunk in hand, as far as it goes.
func (e *Engine) chunk(f *Flow, d flow.Direction, end uint64) {
	r := &f.raw[d]
	st := f.session.Stream(d)
	begin := e.rawNeeds(f, d)
	window := st.Bytes(begin)
	if window == nil { // the history was released
		begin = r.start
		window = st.Bytes(begin)
	}
	if uint64(len(window)) < end-begin {
		return
	}
	window = window[:end-begin]
	e.scanStream(r, d, window, begin, end)
	e.find(r.before, inStream)
	e.find(r.open, inStream)
	t := &e.p.Headers.Tuple
	for _, g := range e.rules.groupsOf(streamIndex(d), t.SrcPort, t.DstPort) {
		e.find(e.rules.ids(e.rules.groups[g].Always), inStream)
	}
	e.judgeFound(r, window, begin)
}

// scanStream runs the prefilter over what it has not seen.
func (e *Engine) scanStream(r *rawState, d flow.Direction, window []byte, begin, end uint64) {
	t := &e.p.Headers.Tuple
	e.hits.Reset()
	for _, g := range e.rules.groupsOf(streamIndex(d), t.SrcPort, t.DstPort) {
		table := e.rules.tables[g]
		if table == nil {
			continue
		}
		from := max(begin, r.scanned-min(r.scanned, uint64(e.rules.groups[g].Longest)))
		table.Scan(window[from-begin:], from, e.hits)
	}
	r.scanned = end
	if r.open == nil && len(e.hits.IDs()) > 0 {
		r.open, r.before, r.matched = e.borrow(), e.borrow(), e.borrow()
	}
	for _, id := range e.hits.IDs() {
		if !contains(r.open, id) {
			r.open = append(r.open, id)
		}
	}
}

// usualOpen is more signatures than are mostly found in a chunk or a transaction: their lists are used again and rarely grow.
const usualOpen = 32

func contains(ids []uint32, id uint32) bool {
	for _, x := range ids {
		if x == id {
			return true
		}
	}
	return false
}

// judgeStream judges a signature on a window of a stream. What lies before the chunk was judged before: a match has to reach
// into the chunk.
func (e *Engine) judgeStream(r *rawState, id uint32, window []byte, begin uint64) bool {
	if contains(r.matched, id) {
		return false
	}
	sig := &e.rules.records[id]
	if !e.header(sig) {
		return false
	}
	e.ctx.Tx = nil
	if !e.newIn(sig, r, window, begin) {
		return false
	}
	r.matched = append(r.matched, id)
	e.match(id, nil, true)
	return true
}

// newIn says whether a signature matches in the chunk, or from the history into the chunk. The chunk comes first: an expression
// that wants the start of its data means the start of a message, and messages begin with chunks.
func (e *Engine) newIn(sig *record, r *rawState, window []byte, begin uint64) bool {
	e.message = r.start == r.base
	_, ok := e.reach(sig, window[r.start-begin:], r.start)
	e.message = false
	if ok || begin == r.start {
		return ok
	}
	for range maxOldMatches {
		reach, ok := e.reach(sig, window, begin)
		if !ok {
			return false
		}
		if reach == begin || reach > r.start { // nothing but what is absent, or something new
			return true
		}
		window, begin = window[reach-begin:], reach // it was there before: look behind it
	}
	return false
}

// maxOldMatches bounds how many matches of the history are passed to find one that is new.
const maxOldMatches = 64

// reach judges the lists of a signature on a window and gives the offset up to which they looked.
func (e *Engine) reach(sig *record, window []byte, begin uint64) (reach uint64, ok bool) {
	reach = begin
	for i := range sig.Lists.N {
		l := e.rules.list(sig.Lists.First + i)
		if !e.onPacketBuffer(&l, window, begin) {
			return 0, false
		}
		if l.Buffer == layer.Payload {
			reach = max(reach, begin+uint64(max(e.ctx.In.Cursor, 0)))
		}
	}
	return reach, true
}
