package detect

import (
	"slices"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
	"citygate/pkg/signature"
)

// begun marks in Inspection.Scanned that a direction's signatures without a fast pattern are among the open ones. Payload is no
// buffer of transactions, so its place is free.
const begun = layer.Payload

// transactions judges the flow's transactions in a direction.
func (e *Engine) transactions(f *Flow, d flow.Direction) {
	txs := f.conn.Txs()
	for i, tx := range txs {
		proto := f.conn.TxProto(i)
		if !e.rules.watched[proto] {
			if tx.Complete(d) || e.p.last {
				tx.Inspection().Inspected[d] = true
			}
			continue
		}
		if in := tx.Inspection(); !in.Inspected[d] {
			e.transaction(tx, in, proto, d)
		}
	}
	e.ctx.Tx = nil
}

// transaction judges one transaction in a direction: what became final goes through the prefilter, then the signatures that were
// found are judged once all that they look at is final.
func (e *Engine) transaction(tx layer.Tx, in *layer.Inspection, proto layer.Proto, d flow.Direction) {
	e.ctx.Tx, e.proto, e.grown = tx, proto, false
	p := &e.rules.protocols[proto]
	if !in.Scanned[d].Has(begun) {
		in.Scanned[d].Add(begun)
		if in.Open == nil {
			in.Open = make([]uint32, 0, usualOpen)
		}
		for _, id := range e.rules.ids(p.Always[d]) {
			in.Open = append(in.Open, openID(id, d))
		}
	}
	left := e.scanTx(tx, in, p, d)
	early := e.judgeOpen(tx, in, d)
	if e.p.last || tx.Complete(d) && !left && !early {
		in.Inspected[d] = true
		in.Open = slices.DeleteFunc(in.Open, func(o uint32) bool {
			return flow.Direction(o&1) == d && (in.Inspected[d.Reverse()] || e.rules.records[o>>1].Flags&signature.TransactionTwo == 0)
		})
		for i, o := range in.Open {
			if flow.Direction(o&1) == d { // of both directions (=>): the other one decides
				in.Open[i] = openID(o>>1, d.Reverse())
			}
		}
	}
}

// openID is a signature to judge in a direction.
func openID(id uint32, d flow.Direction) uint32 { return id<<1 | uint32(d) }

// scanTx runs the prefilter over the buffers that became final. It reports whether some are not.
func (e *Engine) scanTx(tx layer.Tx, in *layer.Inspection, p *protocol, d flow.Direction) (left bool) {
	e.hits.Reset()
	views := e.rules.ids(p.Views)
	for i, n := range views {
		v := &e.rules.views[n]
		b := layer.Buffer(v.Buffer)
		table := e.rules.tables[v.Groups[d]]
		if in.Scanned[d].Has(b) {
			continue
		}
		if !tx.Ready(b, d) && !e.p.last {
			if table != nil {
				left = true
				e.scanGrowing(tx, in, v, d)
			}
			continue
		}
		if table != nil {
			e.scanView(tx, v, d)
		}
		if i+1 == len(views) || e.rules.views[views[i+1]].Buffer != v.Buffer {
			in.Scanned[d].Add(b)
		}
	}
	for _, id := range e.hits.IDs() {
		in.Open = append(in.Open, openID(id, d))
	}
	return left
}

// In line a body is looked at while it grows, in steps of growStep: an attack must not wait for its last byte.
const (
	growStep = 256
	// growOverlap is how much is looked at again: more than the longest fast pattern of public rules.
	growOverlap = 256
)

// scanGrowing runs the prefilter over what came to a body that is not complete.
func (e *Engine) scanGrowing(tx layer.Tx, in *layer.Inspection, v *view, d flow.Direction) {
	place, ok := layer.Buffer(v.Buffer).Growing()
	if !ok || !e.cfg.Streams.Inline || v.Transforms.N > 0 {
		return
	}
	data := lastValue(tx, layer.Buffer(v.Buffer), d)
	seen := &in.Grown[d][place]
	if len(data) < int(*seen) { // another value
		*seen = 0
	}
	if len(data)-int(*seen) < growStep {
		return
	}
	from := max(0, int(*seen)-growOverlap)
	*seen = uint32(len(data))
	e.grown = true
	e.rules.tables[v.Groups[d]].Scan(data[from:], uint64(from), e.hits)
}

func lastValue(tx layer.Tx, b layer.Buffer, d flow.Direction) (value []byte) {
	for i := 0; ; i++ {
		data, ok := tx.Get(b, d, i)
		if !ok {
			return value
		}
		value = data
	}
}

func (e *Engine) scanView(tx layer.Tx, v *view, d flow.Direction) {
	l := signature.List{Buffer: layer.Buffer(v.Buffer), Transforms: e.rules.matchesOf(v.Transforms)}
	table := e.rules.tables[v.Groups[d]]
	for i := 0; ; i++ {
		data, ok := tx.Get(l.Buffer, d, i)
		if !ok {
			return
		}
		if len(l.Transforms) > 0 {
			data = e.ctx.Transform(&l, data)
		}
		table.Scan(data, 0, e.hits)
	}
}

// judgeOpen judges the open signatures of a direction in their order, and keeps those that cannot be judged yet. early says
// that some want an established flow and this is none yet: what came with the SYN (RFC 7413) waits for its acknowledgement.
func (e *Engine) judgeOpen(tx layer.Tx, in *layer.Inspection, d flow.Direction) (early bool) {
	if len(in.Open) == 0 {
		return false
	}
	slices.Sort(in.Open)
	keep := in.Open[:0]
	before := uint32(1<<32 - 1)
	for _, o := range in.Open {
		if o == before {
			continue
		}
		before = o
		id := o >> 1
		if flow.Direction(o&1) != d {
			keep = append(keep, o)
			continue
		}
		if int(id) >= len(e.rules.records) || contains(in.Matched, id) {
			continue
		}
		sig := &e.rules.records[id]
		if sig.Flags&signature.Established != 0 && !e.p.established && !e.p.last && e.p.Flow.Tuple.Proto == flow.TCP {
			early = true
			keep = append(keep, o)
			continue
		}
		final := e.judgeable(sig, tx, d)
		if !final && !e.grown {
			keep = append(keep, o)
			continue
		}
		switch {
		case e.judgeTx(sig, tx, d, final):
			in.Matched = append(in.Matched, id)
			e.match(id, tx, false)
		case !final || e.undecided(sig, tx, d):
			keep = append(keep, o)
		}
	}
	in.Open = keep
	return early
}

// judgeable says whether all that a signature looks at is final.
func (e *Engine) judgeable(sig *record, tx layer.Tx, d flow.Direction) bool {
	if e.p.last {
		return true
	}
	for i := range sig.Lists.N {
		l := &e.rules.lists[sig.Lists.First+i]
		b := layer.Buffer(l.Buffer)
		if !b.Packet() && !tx.Ready(b, side(b, l.Way, d)) {
			return false
		}
	}
	return true
}

// undecided: what is no buffer (events, numbers of a message) may still come until the direction is complete.
func (e *Engine) undecided(sig *record, tx layer.Tx, d flow.Direction) bool {
	if tx.Complete(d) || e.p.last {
		return false
	}
	for i := range sig.Lists.N {
		if !layer.Buffer(e.rules.lists[sig.Lists.First+i].Buffer).Packet() {
			return false
		}
	}
	return true
}

// side is the direction in which a signature looks at a buffer.
func side(b layer.Buffer, way layer.Way, d flow.Direction) flow.Direction {
	if way == 0 {
		way = b.Info().Way
	}
	switch way {
	case layer.Request:
		return flow.ToServer
	case layer.Response:
		return flow.ToClient
	}
	return d
}

// judgeTx judges a signature on a transaction; final says that all that it looks at is.
func (e *Engine) judgeTx(sig *record, tx layer.Tx, d flow.Direction, final bool) bool {
	if !e.header(sig) {
		return false
	}
	for i := range sig.Lists.N {
		l := e.rules.list(sig.Lists.First + i)
		if !e.judgeList(&l, tx, d, final) {
			return false
		}
	}
	return true
}

// judgeList judges a list on any one value of its buffer. What is not final can only be judged if it grows: what is
// there stays.
func (e *Engine) judgeList(l *signature.List, tx layer.Tx, d flow.Direction, final bool) bool {
	if l.Buffer.Packet() {
		data, start := e.payload(d)
		return e.onPacketBuffer(l, data, start)
	}
	way := side(l.Buffer, l.Way, d)
	if !final && !tx.Ready(l.Buffer, way) {
		if _, ok := l.Buffer.Growing(); !ok || len(l.Transforms) > 0 {
			return false
		}
	} else {
		final = true
	}
	for i := 0; ; i++ {
		data, ok := tx.Get(l.Buffer, way, i)
		if !ok {
			return i == 0 && final && e.value(l, nil, 0, true, false)
		}
		if e.value(l, data, 0, final, true) {
			return true
		}
	}
}

// payload is what a signature about a transaction sees as its payload: the packet's, or of a stream what is kept.
func (e *Engine) payload(d flow.Direction) (data []byte, start uint64) {
	f := e.p.Flow
	if f == nil || f.Tuple.Proto != flow.TCP {
		return e.p.Headers.Payload, 0
	}
	start = e.rawNeeds(f, d)
	return f.session.Stream(d).Bytes(start), start
}
