package tls

import "citygate/pkg/flow"

// Messages of SSL 2 (the SSL Protocol, 1995, 2.5 to 2.7).
const (
	ssl2Error       = 0
	ssl2ClientHello = 1
	ssl2ServerHello = 4
	ssl2Head        = 4 // type, and the version of a client's hello
)

// header2 reads a record header of SSL 2: two bytes of length, with a third for padding when the first bit is not set.
func (p *parser) header2(d flow.Direction, data []byte) (m int, ok bool) {
	s := &p.sides[d]
	m = 2
	if data[0]&0x80 == 0 {
		m = 3
	}
	if len(data) < m {
		return 0, true
	}
	size := int(data[0]&0x7f)<<8 | int(data[1])
	if m == 3 {
		size = int(data[0]&0x3f)<<8 | int(data[1])
	}
	if size == 0 {
		p.event(d, invalidSSL2Header)
		return 0, false
	}
	s.left, s.heads, s.head = size, 0, [4]byte{}
	return m, true
}

// record2 reads the start of a message. A client that can do better says so in the version of its hello, and goes on in records
// of SSL 3.
func (p *parser) record2(d flow.Direction) {
	s := &p.sides[d]
	version := uint16(s.head[1])<<8 | uint16(s.head[2])
	switch {
	case s.changed:
	case s.head[0] == ssl2Error:
		p.event(d, errorMessage)
	case s.head[0] == ssl2ClientHello && d == flow.ToServer && s.heads >= 3:
		if p.tx != nil && p.tx.Seen&ClientHello == 0 {
			p.tx.Seen |= ClientHello
			p.tx.Versions[d] = version
			p.tx.hello[d] = true
		}
		s.ssl2 = version == SSL2
	case s.head[0] == ssl2ServerHello && d == flow.ToClient:
		if p.tx != nil {
			p.tx.Seen |= ServerHello
			p.tx.Versions[d] = SSL2
			p.tx.hello[d] = true
		}
	default: // keys: what follows is encrypted
		s.changed = true
		p.finish(d)
	}
}
