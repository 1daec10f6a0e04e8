package dns

import "encoding/binary"

// The sections of a message.
const (
	questions = iota
	answers
	authorities
	additionals
	sections
)

// message walks over a message.
type message struct {
	b      []byte
	at     int
	id     uint16
	flags  uint16
	counts [sections]int
}

// record is a question or a resource record.
type record struct {
	section uint8
	kind    uint16 // its TYPE
	ttl     uint32
	at      int32 // of its name in the message
	data    int32 // of its data
	dataLen int32
	name    span
}

// span is a place in the names of a Tx.
type span struct{ from, to int32 }

func (m *message) readHeader() bool {
	if len(m.b) < headerLen {
		return false
	}
	m.id, m.flags = binary.BigEndian.Uint16(m.b), binary.BigEndian.Uint16(m.b[2:])
	for i := range m.counts {
		m.counts[i] = int(binary.BigEndian.Uint16(m.b[4+2*i:]))
	}
	m.at = headerLen
	return true
}

// next reads the record at the place reached: full ones have a lifetime and data, questions do not.
func (m *message) next(full bool) (r record, ok bool) {
	end := skipName(m.b, m.at)
	if end == 0 || end+4 > len(m.b) {
		return r, false
	}
	r = record{at: int32(m.at), kind: binary.BigEndian.Uint16(m.b[end:])}
	if !full {
		m.at = end + 4
		return r, true
	}
	if end+10 > len(m.b) {
		return r, false
	}
	n := int(binary.BigEndian.Uint16(m.b[end+8:]))
	if end+10+n > len(m.b) {
		return r, false
	}
	r.ttl, r.data, r.dataLen = binary.BigEndian.Uint32(m.b[end+4:]), int32(end+10), int32(n)
	m.at = end + 10 + n
	return r, true
}

// skip walks over n records.
func (m *message) skip(n int, full bool) bool {
	for range n {
		if _, ok := m.next(full); !ok {
			return false
		}
	}
	return true
}
