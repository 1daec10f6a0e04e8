package onvif

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// The namespaces of WS-Discovery 1.0 (2005) and 1.1 (2009) share this piece; ONVIF uses the first.
var (
	discovery2005 = []byte("schemas.xmlsoap.org/ws/2005/04/discovery")
	discovery2009 = []byte("docs.oasis-open.org/ws-dd/ns/discovery/2009/01")
)

const (
	port = 3702 // WS-Discovery 1.1, 2.4
	// maxOpen transactions wait for the engine in a flow; each datagram is one, so that they wait only if it stops. The
	// oldest gives way, the new one carries the event.
	maxOpen = 64
)

// Events beyond those of Fault, which have the places before.
const (
	eventMemory = uint8(Ambiguous) + iota
	eventOpen
)

// Protocol describes WS-Discovery.
func Protocol() *layer.Protocol {
	return &layer.Protocol{
		Proto: layer.WSDiscovery, UDP: true, Ports: []uint16{port}, Probe: probe,
		New:    func(p *layer.Pool) layer.Parser { return &Parser{pool: p} },
		Events: append(append([]string{}, faultNames[1:]...), "memory_exceeded", "too_many_transactions"),
	}
}

// probe knows WS-Discovery by its namespace. A datagram in UTF-16 is read to see it.
func probe(_ flow.Direction, data []byte) layer.Answer {
	utf8, _ := decode(data[:min(len(data), MaxDocument)], nil)
	if !bytes.HasPrefix(bytes.TrimLeft(utf8, " \t\r\n"), []byte("<")) {
		return layer.No
	}
	if bytes.Contains(utf8, discovery2005) || bytes.Contains(utf8, discovery2009) {
		return layer.Yes
	}
	return layer.No
}

// Parser reads the datagrams of a flow; each is a transaction of its own, since answers go to another flow than the
// multicast question.
type Parser struct {
	pool    *layer.Pool
	list    tx.List[*Tx]
	message Message
}

// Tx is a WS-Discovery message. Its fields are valid until the parser is called again.
type Tx struct {
	Direction         flow.Direction
	Op                []byte // Hello, Bye, Probe, ProbeMatches, Resolve, ResolveMatches
	Types             []byte // of the first target, and so on
	Scopes            []byte
	EndpointReference []byte
	XAddrs            []byte
	Targets           int // how many services it speaks of
	Security          bool

	inspection layer.Inspection
	store      tx.Store
	events     layer.EventSet
}

// Inspection is the engine's state.
func (t *Tx) Inspection() *layer.Inspection { return &t.inspection }

// Data reads a datagram.
func (p *Parser) Data(d flow.Direction, data []byte, _ bool) (n int, ok bool) {
	if len(data) == 0 {
		return 0, true
	}
	full := p.list.Len() == maxOpen
	if full {
		p.Release(0)
	}
	t, ok := p.list.Reuse()
	if !ok {
		t = new(Tx)
	}
	p.list.Add(t)
	_ = Parse(data, &p.message) // its faults are events
	t.take(p.pool, &p.message, d)
	if full {
		t.events.Add(eventOpen)
	}
	return len(data), true
}

// take copies what a message says.
func (t *Tx) take(pool *layer.Pool, m *Message, d flow.Direction) {
	t.Direction, t.Security, t.Targets = d, m.Security, len(m.Targets)
	t.events = layer.EventSet(m.Faults >> Malformed)
	var target Target
	if len(m.Targets) > 0 {
		target = m.Targets[0]
	}
	from := [...][]byte{m.Op, target.Types, target.Scopes, target.Endpoint, target.XAddrs}
	to := [...]*[]byte{&t.Op, &t.Types, &t.Scopes, &t.EndpointReference, &t.XAddrs}
	var at [len(from)]tx.Span
	for i, b := range from {
		var ok bool
		if at[i], ok = t.store.Keep(pool, b); !ok {
			t.events.Add(eventMemory)
		}
	}
	for i := range to { // only now: keeping moves what was kept before
		*to[i] = t.store.Bytes(at[i])
	}
}

// Reset makes the parser fit for another flow.
func (p *Parser) Reset() {
	for p.list.Len() > 0 {
		p.Release(0)
	}
	p.list.Restart()
}

// Gap is of streams: it does not happen.
func (p *Parser) Gap(flow.Direction, int) bool { return true }

// Txs are the messages that the engine has not released.
func (p *Parser) Txs() []layer.Tx { return p.list.Txs() }

// Release forgets a message.
func (p *Parser) Release(i int) {
	t := p.list.Release(i)
	t.store.Free(p.pool)
	*t = Tx{inspection: t.inspection}
}

// Opaque is never the case.
func (p *Parser) Opaque(flow.Direction) bool { return false }

// Ready is always true: a datagram is complete.
func (t *Tx) Ready(layer.Buffer, flow.Direction) bool { return true }

// Get is the operation.
func (t *Tx) Get(b layer.Buffer, d flow.Direction, i int) ([]byte, bool) {
	if b != layer.ONVIFOp || d != t.Direction || i != 0 || len(t.Op) == 0 {
		return nil, false
	}
	return t.Op, true
}

// Complete is always true.
func (t *Tx) Complete(flow.Direction) bool { return true }

// Events are the document's faults.
func (t *Tx) Events(d flow.Direction) layer.EventSet {
	if d != t.Direction {
		return 0
	}
	return t.events
}

// Log writes the object "ws_discovery".
func (t *Tx) Log(o *layer.Object, d flow.Direction) bool {
	if d != t.Direction || len(t.Op) == 0 {
		return false
	}
	o.Begin("ws_discovery")
	for _, f := range []struct {
		name  string
		value []byte
	}{
		{"op", t.Op}, {"types", t.Types}, {"scopes", t.Scopes}, {"xaddrs", t.XAddrs}, {"endpoint", t.EndpointReference},
	} {
		if len(f.value) > 0 {
			o.Raw(f.name, f.value)
		}
	}
	if t.Targets > 1 {
		o.Int("targets", int64(t.Targets))
	}
	o.End()
	return true
}
