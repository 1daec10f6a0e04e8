package detect

import (
	"encoding/binary"
	"hash/fnv"
	"time"

	"citygate/pkg/app"
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/reassembly"
	"citygate/pkg/signature"
)

// Flow is a conversation of two ends.
type Flow struct {
	Tuple  flow.FiveTuple // from the client to the server
	ID     uint64
	VLANs  [packet.MaxVLANs]uint16
	VLANn  uint8
	Start  time.Time
	Last   time.Time
	Alerts uint32
	// CommunityID is set by who writes it, once.
	CommunityID string

	key     flowKey
	state   signature.State
	session reassembly.Session
	conn    app.Conn
	app     [2]uint64 // what the parser has read, by direction
	raw     [2]rawState
	odd     reassembly.Events // of its streams, that outputs were told
	address [2]bool           // judged by its addresses
	opaque  [2]bool           // the rest is encrypted, and what was before it is judged
	ended   [2]bool           // the parser knows that the direction is over
	// known: the protocol of a direction was found, or will not be; detected: and no packet of it was inspected since.
	known, detected [2]bool
	dropped         bool
	broken          bool // its parser could not go on, and the policy for that was asked
	midstream       bool // its start was not seen, and the policy for that was asked
	reset           bool // a RST ended it, and what was left was read
	passed          bool // a signature said that all of it passes
	turned          bool // client and server changed places after the protocol was found

	class      flowClass
	prev, next *Flow
}

// Conn is the flow's application side.
func (f *Flow) Conn() *app.Conn { return &f.conn }

// Session is the flow's TCP connection.
func (f *Flow) Session() *reassembly.Session { return &f.session }

// State is what the flow counts and remembers.
func (f *Flow) State() *signature.State { return &f.state }

// Established says that both ends take part.
func (f *Flow) Established() bool {
	if f.Tuple.Proto == flow.TCP {
		return f.session.Established()
	}
	return f.state.Packets[0] > 0 && f.state.Packets[1] > 0
}

func (f *Flow) hint() app.Hint {
	return app.Hint{Client: f.Tuple.SrcPort, Server: f.Tuple.DstPort, Midstream: f.session.Midstream()}
}

// noteDetection notes in which directions the protocol became known.
func (f *Flow) noteDetection() {
	for d := range f.known {
		if !f.known[d] && f.conn.ProtoOf(flow.Direction(d)) != layer.Unknown {
			f.known[d], f.detected[d] = true, true
		}
	}
}

// flowKey is a flow's identity: the same for both directions.
type flowKey struct {
	a, b  [16]byte
	pa    uint16
	pb    uint16
	proto uint8
	v6    bool
	vlan  uint32
}

func keyOf(h *packet.Headers, vlan bool) (k flowKey) {
	t := &h.Tuple
	k = flowKey{a: t.Src.As16(), b: t.Dst.As16(), pa: t.SrcPort, pb: t.DstPort, proto: uint8(t.Proto), v6: t.Src.Is6()}
	if t.Proto == flow.ICMP || t.Proto == flow.ICMPv6 { // an echo's identifier stands in one port only
		k.pa, k.pb = t.SrcPort, t.SrcPort
	}
	if string(k.a[:]) > string(k.b[:]) || k.a == k.b && k.pa > k.pb {
		k.a, k.b, k.pa, k.pb = k.b, k.a, k.pb, k.pa
	}
	if vlan {
		k.vlan = uint32(h.VLAN)
	}
	return k
}

// flowClass is how long a flow may be silent.
type flowClass uint8

const (
	classNew flowClass = iota
	classEstablished
	classClosed
	flowClasses
)

// timeouts are how long flows of a class may be silent, TCP and others; Suricata's defaults.
var timeouts = [flowClasses][2]time.Duration{
	classNew:         {60 * time.Second, 30 * time.Second},
	classEstablished: {600 * time.Second, 300 * time.Second},
	classClosed:      {60 * time.Second, 60 * time.Second},
}

// flows is the table of flows, with lists by class in the order of their last packet.
type flows struct {
	byKey map[flowKey]*Flow
	lists [flowClasses][2]struct{ first, last *Flow } // by class, TCP or not
	free  []*Flow
	n     int
	limit int
}

func (t *flows) init(limit int) {
	t.byKey = make(map[flowKey]*Flow, min(limit, 4096))
	t.limit = limit
}

// forget clears what flows remember by numbers of a set of rules.
func (t *flows) forget() {
	for _, f := range t.byKey {
		f.state.Bits, f.state.Ints, f.state.IntsSet = f.state.Bits[:0], f.state.Ints[:0], f.state.IntsSet[:0]
		f.raw[0].forget()
		f.raw[1].forget()
		for _, tx := range f.conn.Txs() {
			i := tx.Inspection()
			i.Reset(i.ID)
		}
	}
}

func (f *Flow) list() int {
	if f.Tuple.Proto == flow.TCP {
		return 0
	}
	return 1
}

func (t *flows) link(f *Flow) {
	l := &t.lists[f.class][f.list()]
	f.prev, f.next = l.last, nil
	if l.last != nil {
		l.last.next = f
	} else {
		l.first = f
	}
	l.last = f
}

func (t *flows) unlink(f *Flow) {
	l := &t.lists[f.class][f.list()]
	if f.prev != nil {
		f.prev.next = f.next
	} else {
		l.first = f.next
	}
	if f.next != nil {
		f.next.prev = f.prev
	} else {
		l.last = f.prev
	}
}

// touch moves a flow to the end of its class's list.
func (t *flows) touch(f *Flow, class flowClass) {
	if f.class == class && f.next == nil {
		return
	}
	t.unlink(f)
	f.class = class
	t.link(f)
}

// oldest is the flow to give up first: one that never answered, then a closed one, then any.
func (t *flows) oldest() *Flow {
	var best *Flow
	for _, c := range [...]flowClass{classNew, classClosed, classEstablished} {
		for _, l := range t.lists[c] {
			if l.first != nil && (best == nil || l.first.Last.Before(best.Last)) {
				best = l.first
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

func (t *flows) add(k flowKey) *Flow {
	var f *Flow
	if n := len(t.free); n > 0 {
		f = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		f = new(Flow)
	}
	f.key = k
	t.byKey[k] = f
	t.n++
	return f
}

func (t *flows) remove(f *Flow) {
	t.unlink(f)
	delete(t.byKey, f.key)
	t.n--
	kept := Flow{
		state: signature.State{Bits: f.state.Bits[:0], Ints: f.state.Ints[:0], IntsSet: f.state.IntsSet[:0]},
	}
	*f = kept
	t.free = append(t.free, f) // as many as there ever were at a time
}

// tracked says whether packets of this kind have flows.
func tracked(h *packet.Headers) bool {
	switch h.Tuple.Proto {
	case flow.TCP, flow.UDP:
		return h.Transport != nil
	case flow.ICMP:
		return h.HasICMPID
	case flow.ICMPv6:
		return h.HasICMPID
	case sctp:
		return h.Transport != nil
	}
	return false
}

const sctp flow.Proto = 132

// track finds the packet's flow, or begins one, and counts the packet in it.
func (e *Engine) track(h *packet.Headers) {
	k := keyOf(h, !e.cfg.IgnoreVLAN)
	f := e.flows.byKey[k]
	if f == nil {
		f = e.begin(k, h)
	}
	e.p.Flow, e.p.Direction = f, directionOf(f, h)
	f.countPacket(e.p.Direction, e.p.length, e.p.Time)
	e.flows.touch(f, f.classify())
}

func directionOf(f *Flow, h *packet.Headers) flow.Direction {
	if h.Tuple.Src != f.Tuple.Src {
		return flow.ToClient
	}
	if h.Tuple.Src == h.Tuple.Dst && h.Tuple.SrcPort != f.Tuple.SrcPort {
		return flow.ToClient
	}
	return flow.ToServer
}

func (f *Flow) countPacket(d flow.Direction, length int, now time.Time) {
	f.Last = now
	f.state.Last = now.UnixNano()
	f.state.Packets[d]++
	f.state.Bytes[d] += uint64(length)
}

func (f *Flow) classify() flowClass {
	if f.Tuple.Proto != flow.TCP {
		if f.state.Packets[0] > 0 && f.state.Packets[1] > 0 {
			return classEstablished
		}
		return classNew
	}
	switch s := f.session.State(); {
	case s >= reassembly.TimeWait:
		return classClosed
	case s >= reassembly.Established:
		return classEstablished
	}
	return classNew
}

// begin makes the flow of a packet. If the table is full, the flow that matters least ends early.
func (e *Engine) begin(k flowKey, h *packet.Headers) *Flow {
	if e.flows.n >= e.flows.limit {
		e.count.Flows.Evicted++
		e.asideFinish(e.flows.oldest())
	}
	f := e.flows.add(k)
	f.Tuple, f.Start, f.VLANs, f.VLANn = h.Tuple, e.p.Time, h.VLANs, h.VLANCount
	f.Last = e.p.Time
	f.state.Start = e.p.Time.UnixNano()
	f.state.Last = f.state.Start
	f.ID = flowID(k, f.state.Start)
	e.flows.link(f)
	e.awaited(f)
	e.count.Flows.Total++
	return f
}

// flowID is the same for the same capture.
func flowID(k flowKey, start int64) uint64 {
	h := fnv.New64a()
	var b [56]byte
	copy(b[:], k.a[:])
	copy(b[16:], k.b[:])
	binary.BigEndian.PutUint16(b[32:], k.pa)
	binary.BigEndian.PutUint16(b[34:], k.pb)
	b[36] = k.proto
	binary.BigEndian.PutUint32(b[40:], k.vlan)
	binary.BigEndian.PutUint64(b[48:], uint64(start))
	h.Write(b[:])
	return h.Sum64() >> 11 // readers in JavaScript have 53 bits
}

// expire ends flows that were silent for too long.
func (e *Engine) expire(now time.Time) {
	for c := range flowClasses {
		for i := range e.flows.lists[c] {
			for f := e.flows.lists[c][i].first; f != nil && now.Sub(f.Last) > timeouts[c][i]; f = e.flows.lists[c][i].first {
				e.count.Flows.Expired++
				e.finish(f)
			}
		}
	}
}

// asideFinish ends a flow while a packet of another is in hand.
func (e *Engine) asideFinish(f *Flow) {
	saved := e.p
	e.finish(f)
	e.p = saved
}

// turn makes the client the server.
func (e *Engine) turn(f *Flow) {
	f.Tuple = f.Tuple.Reverse()
	f.app[0], f.app[1] = f.app[1], f.app[0]
	f.raw[0], f.raw[1] = f.raw[1], f.raw[0]
	f.ended[0], f.ended[1] = f.ended[1], f.ended[0]
	f.address[0], f.address[1] = f.address[1], f.address[0]
	f.state.Packets[0], f.state.Packets[1] = f.state.Packets[1], f.state.Packets[0]
	f.state.Bytes[0], f.state.Bytes[1] = f.state.Bytes[1], f.state.Bytes[0]
	f.turned = f.conn.Swapped()
	e.p.Direction = e.p.Direction.Reverse()
}
