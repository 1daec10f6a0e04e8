package detect

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/reassembly"
)

// segment puts a segment into its stream and gives the protocol's parser what became ready. It reports whether the
// packet is to be inspected.
func (e *Engine) segment(h *packet.Headers) bool {
	f := e.p.Flow
	if e.cfg.Checksums && !h.ChecksumsValid() {
		e.count.BadChecksum++
		return true // as a packet; no host takes it into its stream
	}
	out := e.assembler.Segment(&f.session, e.p.Direction, h, e.p.Time)
	if out.Reuse {
		e.asideFinish(f)
		e.track(h)
		f = e.p.Flow
		out = e.assembler.Segment(&f.session, e.p.Direction, h, e.p.Time)
	}
	if out.Swapped {
		e.turn(f)
	}
	e.p.outcome = out
	e.p.stream = !out.Ignored && !out.Invalid
	if out.Events != (reassembly.Events{}) {
		e.count.StreamEvents++
		e.oddStream(f)
	}
	if out.Drop {
		e.block(dropStream)
	}
	if f.session.Reset() && !f.reset { // what was not acknowledged may have been read by the other side
		f.reset, e.p.reset = true, true
		e.assembler.Flush(&f.session)
	}
	if out.Ignored || f.session.Midstream() && !f.midstream {
		f.midstream = true
		e.p.established = e.p.established || f.session.Established()
		e.count.Midstream++
		if !e.except(f, e.cfg.MidstreamPolicy, dropStream) {
			return false
		}
	}
	e.feed(f, e.p.Direction.Reverse())
	e.feed(f, e.p.Direction)
	return true
}

// feed gives the parser what is ready in a direction.
func (e *Engine) feed(f *Flow, d flow.Direction) {
	for range maxTurns {
		again := e.read(f, d)
		if f.conn.Swapped() != f.turned {
			f.session.Swap()
			e.turn(f)
			d = d.Reverse()
		}
		if other, ok := f.conn.Turn(); ok && other != d {
			e.read(f, other)
			continue
		}
		if !again {
			return
		}
	}
}

// maxTurns bounds how often the directions take turns for one packet: each turn either reads bytes or passes a gap, and an
// attacker's queue of tiny gaps is read on with the next packets.
const maxTurns = 256

// read gives the parser the next ready bytes of a direction, or the gap behind them. It reports whether there may be more.
func (e *Engine) read(f *Flow, d flow.Direction) bool {
	st := f.session.Stream(d)
	pos := f.app[d]
	if st.Ready() < pos {
		return false // media, skipped ahead
	}
	data := st.Bytes(pos)
	end := st.Closed() || e.p.last
	switch {
	case len(data) > 0:
		n := f.conn.Stream(e.apps, d, f.hint(), data, end)
		if f.conn.Proto() == layer.FTP {
			e.announced(f)
		}
		f.app[d] = pos + uint64(n)
		if n > len(data) {
			e.count.Skipped += uint64(n - len(data))
			f.raw[d].skip(pos+uint64(len(data)), f.app[d])
		}
		f.ended[d] = f.ended[d] || end
		if n > 0 {
			return true
		}
	case end && !f.ended[d] && st.Gap(pos) == 0:
		f.ended[d] = true
		f.conn.Stream(e.apps, d, f.hint(), nil, true)
		return false
	}
	gap := st.Gap(st.Ready())
	if gap == 0 {
		return false
	}
	e.count.Gaps++
	e.rawUpTo(f, d, st.Ready())
	f.raw[d].skip(st.Ready(), st.Ready()+gap)
	behind := st.Ready() + gap
	f.conn.Gap(e.apps, d, int(min(behind-min(pos, behind), 1<<30))) // with what the parser could not use
	f.app[d] = max(f.app[d], behind)
	st.Release(behind)
	return true
}

// finish ends a flow: what was not acknowledged is read, and what is left is inspected without a packet.
func (e *Engine) finish(f *Flow) {
	e.p = work{Packet: Packet{Time: f.Last, Flow: f, Verdict: e.p.Verdict}, pseudo: true, stream: true, last: true, established: f.Established()}
	e.p.Headers = &e.headers[0]
	f.pseudoHeaders(e.p.Headers, flow.ToServer)
	if f.Tuple.Proto == flow.TCP {
		e.assembler.Flush(&f.session)
		if !f.dropped {
			e.feed(f, flow.ToServer)
			e.feed(f, flow.ToClient)
			e.p.last = false
			e.more(f)
			e.p.last = true
		}
	}
	if !f.dropped && !f.passed {
		for _, d := range [...]flow.Direction{flow.ToServer, flow.ToClient} {
			e.p.Direction = d
			f.pseudoHeaders(e.p.Headers, d)
			e.inspect()
		}
	}
	e.release(f, true)
	e.oddConn(f)
	e.out.Flow(f)
	if f.Tuple.Proto == flow.TCP {
		e.assembler.Close(&f.session)
	}
	f.conn.Close(e.apps)
	e.giveBack(&f.raw[0])
	e.giveBack(&f.raw[1])
	e.flows.remove(f)
}

// pseudoHeaders are those of a packet that there is not, sent in a direction of the flow.
func (f *Flow) pseudoHeaders(h *packet.Headers, d flow.Direction) {
	*h = packet.Headers{Tuple: f.Tuple, IPVersion: 4, VLANs: f.VLANs, VLANCount: f.VLANn}
	if d == flow.ToClient {
		h.Tuple = f.Tuple.Reverse()
	}
	if !f.Tuple.Src.Is4() {
		h.IPVersion = 6
	}
}

// tidy gives back what nobody needs any more after a packet.
func (e *Engine) tidy(f *Flow) {
	e.release(f, false)
	if f.Tuple.Proto != flow.TCP {
		return
	}
	for _, d := range [...]flow.Direction{flow.ToServer, flow.ToClient} {
		st := f.session.Stream(d)
		if f.dropped || f.passed {
			st.Stop()
			continue
		}
		st.Release(min(f.app[d], e.rawNeeds(f, d)))
	}
	e.assembler.Settle(&f.session)
}

// release writes transactions that are over, and forgets those that are inspected.
func (e *Engine) release(f *Flow, final bool) {
	txs := f.conn.Txs()
	for i := 0; i < len(txs); {
		tx := txs[i]
		in := tx.Inspection()
		over := true
		for _, d := range [...]flow.Direction{flow.ToServer, flow.ToClient} {
			done := tx.Complete(d) || final
			if done && !in.Logged[d] {
				in.Logged[d] = true
				e.out.Transaction(&e.p.Packet, f, f.conn.TxProto(i), tx, d)
				e.oddTx(f.conn.TxProto(i), tx, d)
			}
			over = over && done && (in.Inspected[d] || f.passed || f.dropped || final)
		}
		if !over {
			i++
			continue
		}
		f.conn.Release(i)
		txs = f.conn.Txs()
	}
}
