package detect

import (
	"slices"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/signature"
)

// inspect judges the packet in hand: its headers and payload, what its stream has for this direction, and transactions.
func (e *Engine) inspect() {
	e.count.Inspected++
	e.queue = e.queue[:0]
	e.prepare()
	f, d := e.p.Flow, e.p.Direction
	e.found = e.found[:0]
	if !e.p.pseudo {
		e.packet()
	}
	if f != nil && f.Tuple.Proto == flow.TCP && e.p.stream {
		e.stream(f, d)
	}
	e.judgeFound(nil, nil, 0)
	if f != nil {
		e.transactions(f, d)
	}
	e.decide()
}

// inStream marks a signature in Engine.found that is to be judged on a window of the stream, not on the packet.
const inStream = 1

// find notes a signature to judge: ids are in their order of judgement, so one sets a bit before another asks for it.
func (e *Engine) find(ids []uint32, where uint32) {
	for _, id := range ids {
		e.found = append(e.found, id<<1|where)
	}
}

// judgeFound judges what was found, in order: on the packet, or on a window of its stream that begins at an offset.
func (e *Engine) judgeFound(r *rawState, window []byte, begin uint64) {
	if len(e.found) == 0 {
		return
	}
	slices.Sort(e.found)
	last, matched := ^uint32(0), false
	for _, x := range e.found {
		if x == last || matched && x>>1 == last>>1 {
			continue
		}
		last, matched = x, false
		id := x >> 1
		switch {
		case int(id) >= len(e.rules.records):
		case x&inStream != 0 && r != nil:
			matched = e.judgeStream(r, id, window, begin)
		default:
			matched = e.judgePacket(id)
		}
	}
	e.found = e.found[:0]
}

// prepare fills the context with the packet in hand.
func (e *Engine) prepare() {
	c := e.ctx
	c.Packet, c.Direction, c.Now = e.p.Headers, e.p.Direction, e.p.Time.UnixNano()
	c.Events, c.Stream = &e.p.Headers.Events, e.p.outcome.Events
	c.Tx, c.Flow, c.Conn, c.Session = nil, nil, nil, nil
	if f := e.p.Flow; f != nil {
		c.Flow, c.Conn = &f.state, &f.conn
		e.numbers(&f.state)
		if f.Tuple.Proto == flow.TCP {
			c.Session = &f.session
		}
	}
}

// numbers makes room for what signatures remember in a flow.
func (e *Engine) numbers(s *signature.State) {
	bits, ints := int(e.rules.numbers[0]+63)/64, int(e.rules.numbers[1])
	if len(s.Bits) < bits {
		s.Bits = slices.Grow(s.Bits[:0], bits)[:bits]
		clear(s.Bits)
	}
	if len(s.Ints) < ints {
		s.Ints = slices.Grow(s.Ints[:0], ints)[:ints]
		s.IntsSet = slices.Grow(s.IntsSet[:0], (ints+63)/64)[:(ints+63)/64]
		clear(s.Ints)
		clear(s.IntsSet)
	}
}

// special finds the signatures of a list of special cases.
func (e *Engine) special(list int) {
	e.find(e.rules.ids(e.rules.protocols[list].Always[e.p.Direction]), 0)
}

// packet finds the signatures about single packets.
func (e *Engine) packet() {
	h, d := e.p.Headers, e.p.Direction
	if f := e.p.Flow; f == nil || !f.address[d] {
		e.special(listAddress)
		if f != nil {
			f.address[d] = true
		}
	}
	if h.Events.Any() {
		e.special(listDecode)
	}
	if !e.p.outcome.Events.Empty() {
		e.special(listStream)
	}
	if e.p.outcome.Drop && e.cfg.Inline {
		return // it goes nowhere: what is left to say is why
	}
	e.hits.Reset()
	e.payloads(packetIndex(classOf(h), d))
	if h.Tuple.Proto == flow.TCP && !e.p.stream {
		e.payloads(streamIndex(d)) // what is no part of a stream is judged on its own
	}
	e.find(e.hits.IDs(), 0)
}

// payloads finds the signatures of some groups on the packet's payload.
func (e *Engine) payloads(index int) {
	h := e.p.Headers
	for _, g := range e.rules.groupsOf(index, h.Tuple.SrcPort, h.Tuple.DstPort) {
		if t := e.rules.tables[g]; t != nil && len(h.Payload) > 0 {
			t.Scan(h.Payload, 0, e.hits)
		}
		e.find(e.rules.ids(e.rules.groups[g].Always), 0)
	}
}

func classOf(h *packet.Headers) class {
	switch h.Tuple.Proto {
	case flow.TCP:
		return classTCP
	case flow.UDP:
		return classUDP
	case flow.ICMP, flow.ICMPv6:
		return classICMP
	}
	return classOther
}

// judgePacket judges a signature on the packet in hand.
func (e *Engine) judgePacket(id uint32) bool {
	sig := &e.rules.records[id]
	if !e.header(sig) || sig.Flags&signature.ProtocolOnly != 0 && !e.p.detected {
		return false
	}
	e.ctx.Tx = nil
	for i := range sig.Lists.N {
		l := e.rules.list(sig.Lists.First + i)
		if !e.onPacketBuffer(&l, e.p.Headers.Payload, 0) {
			return false
		}
	}
	e.match(id, nil, false)
	return true
}

// onPacketBuffer judges a list on a header of the packet, or on a payload that begins at an offset of its stream.
func (e *Engine) onPacketBuffer(l *signature.List, payload []byte, start uint64) bool {
	data, ok := payload, true
	if l.Buffer != layer.Payload {
		data, ok = e.ctx.PacketBuffer(l.Buffer)
		start = 0
	}
	return e.value(l, data, start, true, ok)
}

// value judges a list on one value of its buffer; ok says that there is a value.
func (e *Engine) value(l *signature.List, data []byte, start uint64, final, ok bool) bool {
	if !ok {
		return e.ctx.Absent(l)
	}
	if len(l.Transforms) > 0 {
		data = e.ctx.Transform(l, data)
	}
	e.ctx.In = signature.Input{Buffer: l.Buffer, Data: data, Start: start, Begin: e.message, End: final}
	return e.ctx.Inspect(l.Matches)
}

// header judges what a signature wants of the packet and its flow, cheapest first.
func (e *Engine) header(sig *record) bool {
	h, f := e.p.Headers, e.p.Flow
	switch {
	case !sig.Protocols.Has(uint8(h.Tuple.Proto)) && (h.IPVersion != 0 || sig.Protocols != signature.AllProtocols),
		sig.Flags&signature.OnIPv4 != 0 && h.IPVersion != 4,
		sig.Flags&signature.OnIPv6 != 0 && h.IPVersion != 6,
		h.IPVersion == 0 && sig.Flags&signature.DecodeEvent == 0,
		!e.flowFlags(sig.Flags, f):
		return false
	case sig.App != 0 && (f == nil || !speaks(f, layer.Proto(sig.App))):
		return false
	}
	t := &h.Tuple
	forth := e.ends(sig, t)
	if !forth && sig.Flags&signature.Bidirectional != 0 {
		back := t.Reverse()
		forth = e.ends(sig, &back)
	}
	return forth && e.ctx.Holds(e.rules.matchesOf(sig.Packet))
}

// speaks says whether a flow speaks a protocol, or did before an upgrade.
func speaks(f *Flow, p layer.Proto) bool { return f.conn.Proto() == p || f.conn.Orig() == p }

// ends judges addresses and ports. Only protocols with ports have them.
func (e *Engine) ends(sig *record, t *flow.FiveTuple) bool {
	if (sig.SrcPort != 0 || sig.DstPort != 0) && t.Proto != flow.TCP && t.Proto != flow.UDP && t.Proto != sctp {
		return false
	}
	return e.rules.hasPort(sig.DstPort, t.DstPort) && e.rules.hasPort(sig.SrcPort, t.SrcPort) &&
		(sig.Src == 0 || t.Src.IsValid() && e.rules.hasAddress(sig.Src, t.Src)) &&
		(sig.Dst == 0 || t.Dst.IsValid() && e.rules.hasAddress(sig.Dst, t.Dst))
}

// flowFlags judges the options of flow:.
func (e *Engine) flowFlags(want signature.Flags, f *Flow) bool {
	d := e.p.Direction
	switch {
	case want&(signature.ToServer|signature.ToClient|signature.Established|signature.NotEstablished) != 0 && f == nil,
		want&signature.ToServer != 0 && d != flow.ToServer,
		want&signature.ToClient != 0 && d != flow.ToClient,
		want&signature.Established != 0 && !e.p.established,
		want&signature.NotEstablished != 0 && e.p.established,
		want&signature.OnlyFrag != 0 && !e.p.Headers.Fragment,
		want&signature.NoFrag != 0 && e.p.Headers.Fragment:
		return false
	}
	return true
}

// hit is a signature that matched.
type hit struct {
	id      uint32
	tx      layer.Tx // nil if it was no transaction
	proto   layer.Proto
	stream  bool
	guessed bool // tx is the youngest one
}

// match notes that a signature matched and does what it says to do then.
func (e *Engine) match(id uint32, tx layer.Tx, stream bool) {
	sig := &e.rules.records[id]
	if sig.Post.N > 0 {
		e.ctx.Act(e.rules.matchesOf(sig.Post))
	}
	h := hit{id: id, tx: tx, stream: stream}
	switch f := e.p.Flow; {
	case tx != nil:
		h.proto = e.proto
	case f != nil:
		h.proto = f.conn.Proto()
	}
	e.queue = append(e.queue, h)
}
