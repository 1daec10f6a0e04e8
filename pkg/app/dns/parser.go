package dns

import (
	"encoding/binary"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Limits of a flow.
const (
	maxOpen    = 256     // messages that wait for the engine; then the oldest is dropped, with an event
	maxRecords = 1024    // records of a message that are read; twice what is seen in zone transfers' messages
	maxNames   = 1 << 16 // bytes of the names of a message: pointers make them longer than the message itself
)

// parser reads the messages of a flow.
type parser struct {
	pool *layer.Pool
	list tx.List[*Tx]
	tcp  bool
	seen [2]int // of a stream: bytes that wait for the rest of their message
	skip [2]int // of a stream: bytes of a message that lost some
	need [2]int // of a stream: length of the message that waits, with its prefix
}

// Data reads a datagram, or the messages of a stream that are there in full.
func (p *parser) Data(d flow.Direction, data []byte, end bool) (n int, ok bool) {
	if !p.tcp {
		p.message(d, data)
		return len(data), true
	}
	n = min(p.skip[d], len(data))
	p.skip[d] -= n
	for {
		rest := data[n:]
		if len(rest) < 2 {
			p.seen[d], p.need[d] = len(rest), 0
			return n, true
		}
		size := 2 + int(binary.BigEndian.Uint16(rest))
		if len(rest) < size {
			p.seen[d], p.need[d] = len(rest), size
			if end {
				p.open(d).events.Add(malformedData)
				return len(data), true
			}
			return n, true
		}
		if size > 2 {
			p.message(d, rest[2:size])
		}
		n += size
	}
}

// Gap can go on when the missing bytes are of one message whose length is known.
func (p *parser) Gap(d flow.Direction, n int) bool {
	left := p.need[d] - p.seen[d]
	if p.skip[d] > 0 {
		left = p.skip[d]
	}
	if !p.tcp || n > left {
		return false
	}
	if p.skip[d] == 0 {
		p.open(d).events.Add(malformedData)
	}
	p.skip[d] = left - n
	p.seen[d], p.need[d] = 0, 0
	return true
}

// open makes a transaction.
func (p *parser) open(d flow.Direction) *Tx {
	full := p.list.Len() >= maxOpen
	if full {
		p.Release(0)
	}
	t, ok := p.list.Reuse()
	if !ok {
		t = new(Tx)
	}
	t.reset(d)
	p.list.Add(t)
	t.state.Inspected[d.Reverse()], t.state.Logged[d.Reverse()] = true, true // a message has one direction
	if full {
		t.events.Add(tooManyTransactions)
	}
	return t
}

// message makes a transaction of a message.
func (p *parser) message(d flow.Direction, data []byte) {
	t := p.open(d)
	m := message{b: data}
	if !m.readHeader() {
		t.events.Add(malformedData)
		return
	}
	if response := m.flags&flagResponse != 0; response != (d == flow.ToClient) {
		t.events.Add(notRequest + uint8(d))
		return
	}
	t.ID, t.Flags = m.id, m.flags
	t.Opcode, t.RCode = uint8(m.flags>>11&0xf), m.flags&0xf
	if m.flags&flagZ != 0 {
		t.events.Add(zFlagSet)
	}
	if t.Opcode >= opcodes {
		t.events.Add(invalidOpcode)
	}
	t.bytes = p.pool.Get(len(data) + len(data)/2) // names take about as much again as the questions
	if t.bytes == nil {
		t.events.Add(noMemory)
		return
	}
	t.bytes = append(t.bytes, data...)
	t.size = len(data)
	t.parsed = p.records(t, &m)
}

// records reads the sections. What is wrong in the last two does not spoil the first two.
// usualRecords is more than most messages have: a transaction's memory is used again and rarely grows.
const usualRecords = 16

func (p *parser) records(t *Tx, m *message) bool {
	if t.records == nil {
		t.records = make([]record, 0, usualRecords)
	}
	wrong := [sections]uint8{malformedData, malformedData, invalidAuthorities, invalidAdditionals}
	for s, count := range m.counts {
		for range count {
			r, ok := m.next(s != questions)
			if !ok {
				t.events.Add(wrong[s])
				return s >= authorities
			}
			if len(t.records) == maxRecords {
				t.events.Add(tooManyRecords)
				return true
			}
			r.section = uint8(s)
			if !p.name(t, &r) {
				t.events.Add(wrong[s])
				return s >= authorities
			}
			t.records = append(t.records, r)
			if s <= answers {
				t.RRTypes = append(t.RRTypes, r.kind)
			}
		}
	}
	return true
}

// name decodes a record's name behind the message. A record named by the same pointer as the one before shares its name.
func (p *parser) name(t *Tx, r *record) bool {
	msg := t.bytes[:t.size]
	if to, ok := pointer(msg, r.at); ok {
		for i := len(t.records) - 1; i >= max(0, len(t.records)-2); i-- {
			q := &t.records[i]
			if other, ok := pointer(msg, q.at); q.at == to || ok && other == to {
				r.name = q.name
				return true
			}
		}
	}
	var room [maxName + 64]byte
	name, _, ok := appendName(room[:0], msg, int(r.at), &t.events)
	if !ok {
		return false
	}
	from := len(t.bytes)
	if from-t.size+len(name) > maxNames {
		t.events.Add(nameTooLong)
		return true
	}
	if t.bytes, ok = p.pool.Append(t.bytes, name); !ok {
		t.events.Add(noMemory)
		return true
	}
	r.name = span{int32(from), int32(len(t.bytes))}
	return true
}

// pointer is where a name that is only a pointer points to.
func pointer(msg []byte, at int32) (to int32, ok bool) {
	if msg[at] < 0xc0 {
		return 0, false
	}
	return int32(msg[at]&0x3f)<<8 | int32(msg[at+1]), true
}

// Txs are the messages that the engine did not release yet.
func (p *parser) Txs() []layer.Tx { return p.list.Txs() }

// Release forgets a message.
func (p *parser) Release(i int) {
	t := p.list.Release(i)
	p.pool.Put(t.bytes)
	t.bytes = nil
}

// Opaque is never so: DNS over TLS is another protocol.
func (p *parser) Opaque(flow.Direction) bool { return false }

// Reset makes the parser fit for another flow.
func (p *parser) Reset() {
	for p.list.Len() > 0 {
		p.Release(p.list.Len() - 1)
	}
	p.list.Restart()
	p.seen, p.skip, p.need = [2]int{}, [2]int{}, [2]int{}
}
