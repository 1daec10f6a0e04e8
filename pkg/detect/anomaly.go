package detect

import (
	"citygate/pkg/app"
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/pkg/reassembly"
)

// Anomaly is something that is not as it must be, in the words that rules have for it.
type Anomaly struct {
	Type  string // decode, stream or applayer: EVE's anomaly.type
	Event string
	Proto layer.Proto // of applayer
}

// Types of anomalies.
const (
	oddDecode   = "decode"
	oddSegments = "stream"
	oddAppLayer = "applayer"
)

// oddFrame tells what is odd in the frame in hand.
func (e *Engine) oddFrame(h *packet.Headers) {
	for ev := packet.Event(1); ev < packet.EventCount; ev++ {
		if h.Events.Has(ev) {
			e.out.Anomaly(&e.p.Packet, Anomaly{Type: oddDecode, Event: ev.String()})
		}
	}
}

// oddStream tells what is odd in the stream, each thing once per flow: an attacker decides how often it happens.
func (e *Engine) oddStream(f *Flow) {
	var room [8]reassembly.Event
	for _, ev := range e.p.outcome.Events.Without(f.odd).AppendTo(room[:0]) {
		e.out.Anomaly(&e.p.Packet, Anomaly{Type: oddSegments, Event: ev.String()})
	}
	f.odd.Merge(e.p.outcome.Events)
}

// oddTx tells what was odd in a transaction that is over.
func (e *Engine) oddTx(p layer.Proto, tx layer.Tx, d flow.Direction) {
	if set := tx.Events(d); set != 0 {
		e.oddApp(p, set, e.apps.EventNames(p))
	}
}

// oddConn tells what was odd in how a flow spoke.
func (e *Engine) oddConn(f *Flow) {
	if set := f.conn.Events(); set != 0 {
		e.oddApp(f.conn.Proto(), set, app.Events)
	}
}

func (e *Engine) oddApp(p layer.Proto, set layer.EventSet, names []string) {
	for i, name := range names {
		if set.Has(uint8(i)) {
			e.out.Anomaly(&e.p.Packet, Anomaly{Type: oddAppLayer, Event: name, Proto: p})
		}
	}
}
