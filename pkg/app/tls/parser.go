package tls

import (
	"encoding/binary"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

const (
	headerLen    = 5
	maxRecord    = 1<<14 + 2048 // RFC 5246, 6.2.3
	maxHandshake = 1 << 16      // a message of the handshake; long chains of certificates take about 10 KiB
	// maxRecords is how many records a direction may take for its handshake before the event is raised; about ten are
	// needed.
	maxRecords = 255
)

// side is what is known of one direction's bytes.
type side struct {
	buf       []byte // the start of a handshake message
	left      int    // bytes of the current record that did not come yet
	skip      int    // bytes of a handshake message that is dropped
	records   int
	beat      int     // length of the last heartbeat request
	head      [4]byte // first bytes of an alert, a heartbeat or the like
	heads     int     // how many of them there are
	kind      byte    // of the current record
	size      uint16  // of the current record
	begun     bool
	changed   bool // ChangeCipherSpec came: what follows is encrypted
	encrypted bool // application data came
	blind     bool // the records' boundaries are lost, but all is encrypted
	lost      bool // handshake bytes are missing
	ssl2      bool
}

// parser reads the records of a flow.
type parser struct {
	pool  *layer.Pool
	list  tx.List[*Tx]
	tx    *Tx // of the handshake; nil before it and once it was released
	sides [2]side
	retry bool // the server asked for another hello
	later [2]layer.EventSet
	begun bool
	// failed says that a message made no sense, so that what follows is not read.
	failed bool
}

// Data reads records. Of those that are encrypted only the header is looked at.
func (p *parser) Data(d flow.Direction, data []byte, end bool) (n int, ok bool) {
	s := &p.sides[d]
	if !p.begun {
		p.begun = true
		p.tx = p.open()
	}
	for ok = true; ok && n < len(data); {
		if s.blind {
			n = len(data)
			break
		}
		if s.left > 0 {
			n += p.payload(d, data[n:])
			ok = !p.failed
			continue
		}
		var m int
		if m, ok = p.header(d, data[n:]); m == 0 {
			break
		}
		n += m
	}
	if end || !ok {
		p.finish(d)
	}
	if !ok {
		p.finish(d.Reverse())
		n = len(data)
	}
	return n, ok
}

// header reads a record's header; m is 0 if it is not there in full.
func (p *parser) header(d flow.Direction, data []byte) (m int, ok bool) {
	s := &p.sides[d]
	if !s.begun {
		s.begun, s.ssl2 = true, data[0]&0x80 != 0
	}
	if s.ssl2 {
		return p.header2(d, data)
	}
	if len(data) < headerLen {
		return 0, true
	}
	version, size := binary.BigEndian.Uint16(data[1:]), binary.BigEndian.Uint16(data[3:])
	switch {
	case data[0] < recordChange || data[0] > recordHeartbeat:
		p.event(d, invalidRecordType)
		return 0, false
	case version>>8 != 3 && version>>8 != 0x7f || version>>8 == 3 && version > TLS13:
		p.event(d, invalidRecordVersion)
		p.event(d, invalidHeader)
		return 0, false
	case size > maxRecord:
		p.event(d, invalidRecordLength)
		return 0, false
	}
	s.kind, s.size, s.left, s.heads = data[0], size, int(size), 0
	p.begin(d)
	if s.left == 0 {
		p.record(d)
	}
	return headerLen, true
}

// begin notes what the type of a record alone says.
func (p *parser) begin(d flow.Direction) {
	s := &p.sides[d]
	switch s.kind {
	case recordChange:
		p.change(d)
	case recordData:
		s.encrypted = true
		p.finish(d)
	}
	if !s.encrypted {
		if s.records++; s.records == maxRecords+1 {
			p.event(d, tooManyRecords)
		}
	}
}

// change is ChangeCipherSpec. In TLS 1.3 it means nothing, and the hello that follows a retry comes behind it (RFC 8446, D.4).
func (p *parser) change(d flow.Direction) {
	s := &p.sides[d]
	if p.tx != nil && p.tx.Versions[flow.ToClient] == TLS13 || p.retry && !s.changed {
		s.changed = p.tx != nil && p.tx.helloDone(d) && !p.retry
		if s.changed {
			p.finish(d)
		}
		return
	}
	s.changed = true
	if t := p.tx; t != nil && d == flow.ToClient && t.Seen&ServerHello != 0 && t.Certs[d].Count == 0 && t.Versions[d] < TLS13 {
		t.SessionResumed = true
	}
	p.finish(d)
}

// clear says that a handshake record of a direction is not encrypted. TLS 1.3 has no encrypted ones.
func (p *parser) clear(d flow.Direction) bool {
	return !p.sides[d].changed || p.retry || p.tx != nil && p.tx.Versions[flow.ToClient] == TLS13
}

// payload reads what is there of a record's payload; n may exceed len(data).
func (p *parser) payload(d flow.Direction, data []byte) (n int) {
	s := &p.sides[d]
	n = min(s.left, len(data))
	switch {
	case s.ssl2:
		p.head(d, data[:n], ssl2Head)
	case s.kind == recordHandshake && p.clear(d):
		p.handshake(d, data[:n])
	case s.kind == recordAlert && !s.changed, s.kind == recordHeartbeat:
		p.head(d, data[:n], 3)
	default:
		n = s.left
	}
	if s.left -= n; s.left == 0 {
		p.record(d)
		s.heads = 0
	}
	return n
}

// head keeps the first bytes of a record.
func (p *parser) head(d flow.Direction, data []byte, most int) {
	s := &p.sides[d]
	s.heads += copy(s.head[s.heads:most], data)
}

// record is called at a record's end.
func (p *parser) record(d flow.Direction) {
	s := &p.sides[d]
	switch {
	case s.ssl2:
		p.record2(d)
	case s.kind == recordAlert && !s.changed && !s.encrypted:
		if s.size != 2 || s.head[0] != 1 && s.head[0] != 2 {
			p.event(d, invalidAlert)
		}
	case s.kind == recordHeartbeat:
		p.heartbeat(d)
	}
}

// heartbeat judges a heartbeat message (RFC 6520, 4): a request that says it is longer than it is asks for the peer's memory.
func (p *parser) heartbeat(d flow.Direction) {
	const request, response = 1, 2
	s, other := &p.sides[d], &p.sides[d.Reverse()]
	p.event(d, heartbeat)
	if s.changed || s.encrypted {
		if other.beat > 0 && int(s.size) > other.beat {
			p.event(d, mismatchHeartbeat)
		}
		other.beat, s.beat = 0, int(s.size)
		return
	}
	said := int(s.head[1])<<8 | int(s.head[2])
	switch {
	case s.heads < 3 || s.head[0] != request && s.head[0] != response:
		p.event(d, invalidHeartbeat)
	case said+3 > int(s.size):
		p.event(d, overflowHeartbeat)
	case s.head[0] == response && other.beat > 0 && int(s.size) > other.beat:
		p.event(d, mismatchHeartbeat)
	case s.head[0] == request:
		s.beat = int(s.size)
	}
}

// Gap can go on inside a record, and anywhere once all is encrypted.
func (p *parser) Gap(d flow.Direction, n int) bool {
	s := &p.sides[d]
	p.drop(s)
	switch {
	case n <= s.left && !s.ssl2:
		s.lost = s.lost || s.kind == recordHandshake
		if s.left -= n; s.left == 0 {
			s.heads = 0
		}
		return true
	case s.encrypted || s.changed && p.Opaque(d):
		s.blind = true
		return true
	}
	p.finish(d)
	p.finish(d.Reverse())
	return false
}

// drop forgets the message that is being put together.
func (p *parser) drop(s *side) {
	p.pool.Put(s.buf)
	s.buf = nil
}
