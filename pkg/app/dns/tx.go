package dns

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// Tx is one message.
type Tx struct {
	Direction flow.Direction // ToServer of a request
	ID, Flags uint16
	Opcode    uint8
	RCode     uint16   // without EDNS's upper bits
	RRTypes   []uint16 // of questions and answers

	state   layer.Inspection
	bytes   []byte // the message and behind it the names
	size    int    // of the message
	parsed  bool
	records []record
	events  layer.EventSet
}

func (t *Tx) reset(d flow.Direction) {
	*t = Tx{state: t.state, Direction: d, RRTypes: t.RRTypes[:0], records: t.records[:0]}
}

// Inspection is the engine's state of the message.
func (t *Tx) Inspection() *layer.Inspection { return &t.state }

// Ready is always so: a message is read as a whole.
func (t *Tx) Ready(layer.Buffer, flow.Direction) bool { return true }

// Complete is always so.
func (t *Tx) Complete(flow.Direction) bool { return true }

// Get is the i-th name of a section.
func (t *Tx) Get(b layer.Buffer, d flow.Direction, i int) (value []byte, ok bool) {
	if d != t.Direction || !t.parsed {
		return nil, false
	}
	switch b {
	case layer.DNSQuery:
		if d != flow.ToServer {
			return nil, false
		}
		return t.name(questions, i)
	case layer.DNSQueriesName:
		return t.name(questions, i)
	case layer.DNSAnswersName:
		return t.name(answers, i)
	case layer.DNSAuthoritiesName:
		return t.name(authorities, i)
	case layer.DNSAdditionalsName:
		return t.name(additionals, i)
	}
	return nil, false
}

// name is the i-th name of a section. Sections are in order, so that a question is found at once.
func (t *Tx) name(section uint8, i int) ([]byte, bool) {
	if section == questions {
		if i < len(t.records) && t.records[i].section == questions {
			return t.text(t.records[i].name), true
		}
		return nil, false
	}
	from := 0
	for from < len(t.records) && t.records[from].section < section {
		from++
	}
	if i += from; i < len(t.records) && t.records[i].section == section {
		return t.text(t.records[i].name), true
	}
	return nil, false
}

func (t *Tx) text(s span) []byte { return t.bytes[s.from:s.to:s.to] }

// Events are those of the message.
func (t *Tx) Events(d flow.Direction) layer.EventSet {
	if d != t.Direction {
		return 0
	}
	return t.events
}
