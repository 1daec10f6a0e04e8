// Package modbus reads Modbus/TCP (Modbus Messaging on TCP/IP 1.0b): requests, their answers by transaction id, and what
// they read and write.
package modbus

import (
	"encoding/binary"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

const (
	header  = 7   // transaction, protocol, length, unit
	shortly = 2   // the least length: unit and function
	longest = 254 // the greatest: unit and 253 bytes of function and data
	// maxWaiting requests wait for answers. Masters have one, gateways up to 16 (Messaging on TCP/IP, 4.2.2). Beyond it
	// the oldest is given up.
	maxWaiting = 64
	maxHeld    = 256 // transactions that wait for the engine; beyond it nothing is consumed until it released some
)

// The events, named as Suricata does.
const (
	eventProtocol uint8 = iota
	eventUnsolicited
	eventLength
	eventUnit
	eventFunction
	eventValue
	eventException
	eventMismatch
	eventFlooded
	eventGap
	eventMemory
)

var events = []string{
	"invalid_protocol_id", "unsolicited_response", "invalid_length", "invalid_unit_identifier", "invalid_function_code",
	"invalid_value", "invalid_exception_code", "value_mismatch", "flooded", "gap", "memory_exceeded",
}

// Protocol describes Modbus. Its header says little, so that it is expected on its port only.
func Protocol() *layer.Protocol {
	return &layer.Protocol{
		Proto: layer.Modbus, TCP: true, Ports: []uint16{502}, Hinted: true, Probe: probe,
		New: func(p *layer.Pool) layer.Parser { return New(p) }, Events: events,
	}
}

// probe looks for a header: protocol 0, a length that fits, a function.
func probe(_ flow.Direction, data []byte) layer.Answer {
	for i, c := range data[:min(len(data), header+1)] {
		if (i == 2 || i == 3 || i == 4) && c != 0 || i == 5 && (c < shortly || c > longest) || i == 7 && c&^exceptionBit == 0 {
			return layer.No
		}
	}
	if len(data) <= header {
		return layer.More
	}
	return layer.Yes
}

// Parser reads one flow.
type Parser struct {
	pool *layer.Pool
	list tx.List[*Tx]
	lost [2]bool // lengths were wrong, or bytes are missing: the next header is searched for
	gap  [2]bool
}

// New makes a parser whose transactions take their memory from pool.
func New(pool *layer.Pool) *Parser { return &Parser{pool: pool} }

// Reset makes the parser fit for another flow.
func (p *Parser) Reset() {
	for p.list.Len() > 0 {
		p.Release(0)
	}
	*p = Parser{pool: p.pool, list: p.list}
	p.list.Restart()
}

// Data reads the next bytes.
func (p *Parser) Data(d flow.Direction, data []byte, end bool) (n int, ok bool) {
	for n < len(data) && (p.list.Len() < maxHeld || end) {
		m := 0
		if p.lost[d] {
			m = p.resync(d, data[n:], end)
		} else {
			m = p.unit(d, data[n:], end)
		}
		if m == 0 {
			break
		}
		n += m
	}
	if end && n >= len(data) {
		for i := range p.list.Len() {
			p.list.At(i).complete[d] = true
		}
	}
	return n, true
}

// unit reads an application data unit: 0 if it is not complete.
func (p *Parser) unit(d flow.Direction, data []byte, end bool) int {
	if len(data) < header+1 {
		return p.rest(d, data, end)
	}
	length := int(binary.BigEndian.Uint16(data[4:]))
	whole := header - 1 + length
	if length < shortly || length > longest {
		// What the function alone says of the length tells where it may end, what the header says does not.
		whole = header + 1
		p.lost[d] = true
	} else if len(data) < whole {
		return p.rest(d, data, end)
	}
	t := p.message(d, data[:whole])
	if length < shortly || length > longest {
		t.events[d].Add(eventLength)
		return whole
	}
	natural := header + 1 + natural(d, Function(data[header]), data[header+1:whole])
	if natural == whole {
		return whole
	}
	t.events[d].Add(eventLength)
	if natural < whole { // devices that go by the function see another unit in what is left
		p.lost[d] = true
		return natural
	}
	return whole
}

// natural is how many bytes of data a function has behind its code; as many as there are if that can be any number.
func natural(d flow.Direction, f Function, data []byte) int {
	if f&exceptionBit != 0 {
		return 1
	}
	s := f.shape()
	n, at := s.request, s.counted
	if d == flow.ToClient {
		n, at = s.response, 0
	}
	switch {
	case n == varies:
		return len(data)
	case n != counted:
		return n
	case at >= len(data):
		return at + 1
	}
	return at + 1 + int(data[at])
}

// rest waits for a unit's end; at the end of the stream what is there is an incomplete one.
func (p *Parser) rest(d flow.Direction, data []byte, end bool) int {
	if !end {
		return 0
	}
	t := p.message(d, data)
	t.events[d].Add(eventLength)
	return len(data)
}

// resync looks for something that looks like a header, a byte at a time.
func (p *Parser) resync(d flow.Direction, data []byte, end bool) int {
	for n := range data {
		b := data[n:]
		if a := probe(d, b); a == layer.Yes && b[header]&^exceptionBit < 128 {
			p.lost[d] = false
			if n == 0 {
				return p.unit(d, b, end)
			}
			return n
		} else if a == layer.More && !end {
			return n
		}
	}
	return len(data)
}

// message makes a transaction of a unit, or gives it to its request's.
func (p *Parser) message(d flow.Direction, data []byte) *Tx {
	t, ok := p.list.Reuse()
	if !ok {
		t = new(Tx)
	}
	m := &t.Messages[d]
	m.parse(data)
	at, ok := t.stores[d].Keep(p.pool, m.Data)
	m.Data = t.stores[d].Bytes(at)
	if !ok {
		t.events[d].Add(eventMemory)
	}
	if p.gap[d] {
		p.gap[d] = false
		t.events[d].Add(eventGap)
	}
	m.check(d, &t.events[d])
	t.complete[d] = true
	if d == flow.ToServer {
		p.list.Add(t)
		p.limit()
		return t
	}
	if o := p.asked(m); o != nil {
		o.answer(t)
		t.clear(p.pool)
		p.list.Spare(t)
		return o
	}
	t.complete[flow.ToServer] = true
	t.events[d].Add(eventUnsolicited)
	p.list.Add(t)
	return t
}

// asked is the oldest request that waits with an answer's transaction id.
func (p *Parser) asked(m *Message) *Tx {
	for i := range p.list.Len() {
		if t := p.list.At(i); t.waits() && t.Messages[flow.ToServer].Transaction == m.Transaction {
			return t
		}
	}
	return nil
}

// limit gives up the oldest of too many requests that wait.
func (p *Parser) limit() {
	waiting := 0
	for i := p.list.Len() - 1; i >= 0; i-- {
		if t := p.list.At(i); t.waits() {
			if waiting++; waiting > maxWaiting {
				t.complete[flow.ToClient] = true
				t.events[flow.ToServer].Add(eventFlooded)
			}
		}
	}
}

// Gap goes on at the next header behind missing bytes.
func (p *Parser) Gap(d flow.Direction, _ int) bool {
	p.lost[d], p.gap[d] = true, true
	return true
}

// Txs are the open transactions.
func (p *Parser) Txs() []layer.Tx { return p.list.Txs() }

// Release forgets a transaction.
func (p *Parser) Release(i int) { p.list.Release(i).clear(p.pool) }

// Opaque is never the case.
func (p *Parser) Opaque(flow.Direction) bool { return false }
