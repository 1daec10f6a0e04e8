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
			in := tx.Inspection()
			in.Inspected = [2]bool{true, true}
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
	e.ctx.Tx, e.proto = tx, proto
	p := &e.rules.protocols[proto]
	if !in.Scanned[d].Has(begun) {
		in.Scanned[d].Add(begun)
		for _, id := range e.rules.ids(p.Always[d]) {
			in.Open = append(in.Open, openID(id, d))
		}
	}
	left := e.scanTx(tx, in, p, d)
	e.judgeOpen(tx, in, d)
	if e.p.last || tx.Complete(d) && !left {
		in.Inspected[d] = true
		in.Open = slices.DeleteFunc(in.Open, func(o uint32) bool { return flow.Direction(o&1) == d })
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
			left = left || table != nil
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

// judgeOpen judges the open signatures of a direction in their order, and keeps those that cannot be judged yet.
func (e *Engine) judgeOpen(tx layer.Tx, in *layer.Inspection, d flow.Direction) {
	if len(in.Open) == 0 {
		return
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
		if !e.judgeable(sig, tx, d) {
			keep = append(keep, o)
			continue
		}
		switch {
		case e.judgeTx(sig, tx, d):
			in.Matched = append(in.Matched, id)
			e.match(id, tx, false)
		case e.undecided(sig, tx, d):
			keep = append(keep, o)
		}
	}
	in.Open = keep
}

// judgeable says whether all that a signature looks at is final.
func (e *Engine) judgeable(sig *record, tx layer.Tx, d flow.Direction) bool {
	if e.p.last {
		return true
	}
	for i := range sig.Lists.N {
		b := layer.Buffer(e.rules.lists[sig.Lists.First+i].Buffer)
		if !b.Packet() && !tx.Ready(b, side(b, d)) {
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
func side(b layer.Buffer, d flow.Direction) flow.Direction {
	switch b.Info().Way {
	case layer.Request:
		return flow.ToServer
	case layer.Response:
		return flow.ToClient
	}
	return d
}

// judgeTx judges a signature on a transaction.
func (e *Engine) judgeTx(sig *record, tx layer.Tx, d flow.Direction) bool {
	if !e.header(sig) {
		return false
	}
	for i := range sig.Lists.N {
		l := e.rules.list(sig.Lists.First + i)
		if !e.judgeList(&l, tx, d) {
			return false
		}
	}
	return true
}

// judgeList judges a list on any one value of its buffer.
func (e *Engine) judgeList(l *signature.List, tx layer.Tx, d flow.Direction) bool {
	if l.Buffer.Packet() {
		data, start := e.payload(d)
		return e.onPacketBuffer(l, data, start)
	}
	way := side(l.Buffer, d)
	for i := 0; ; i++ {
		data, ok := tx.Get(l.Buffer, way, i)
		if !ok {
			return i == 0 && e.value(l, nil, 0, true, false)
		}
		if e.value(l, data, 0, true, true) {
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
