package tls

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// Types of handshake messages (RFC 8446, 4; RFC 5246, 7.4).
const (
	typeClientHello       = 1
	typeServerHello       = 2
	typeCertificate       = 11
	typeServerKeyExchange = 12
	typeCertRequest       = 13
	typeClientKeyExchange = 16
)

const messageHeader = 4 // type and three bytes of length

// handshake puts messages together from what records carry, and reads each once it is complete.
func (p *parser) handshake(d flow.Direction, data []byte) {
	s := &p.sides[d]
	for len(data) > 0 && !s.lost {
		if s.skip > 0 {
			n := min(s.skip, len(data))
			s.skip -= n
			data = data[n:]
			continue
		}
		need := messageHeader - len(s.buf)
		if need <= 0 {
			need = size(s.buf) - len(s.buf)
		} else if len(s.buf) == 0 && len(data) >= messageHeader {
			need = size(data)
			if need <= len(data) { // the whole message is there: no copy
				p.message(d, data[:need])
				data = data[need:]
				continue
			}
			if need > maxHandshake {
				p.event(d, handshakeLength)
				s.skip = need
				continue
			}
		}
		data = data[p.collect(d, data[:min(need, len(data))]):]
	}
}

// size is a message's length with its header.
func size(b []byte) int { return messageHeader + int(b[1])<<16 + int(b[2])<<8 + int(b[3]) }

// collect adds to the message that is being put together, and reads it when it is complete. It returns len(data).
func (p *parser) collect(d flow.Direction, data []byte) int {
	s := &p.sides[d]
	var ok bool
	if s.buf, ok = p.pool.Append(s.buf, data); !ok {
		p.event(d, noMemory)
		p.drop(s)
		s.lost = true
		return len(data)
	}
	if len(s.buf) < messageHeader {
		return len(data)
	}
	switch n := size(s.buf); {
	case n > maxHandshake:
		p.event(d, handshakeLength)
		s.skip = n - len(s.buf)
		p.drop(s)
	case n == len(s.buf):
		p.message(d, s.buf)
		p.drop(s)
	}
	return len(data)
}

// message reads a handshake message.
func (p *parser) message(d flow.Direction, m []byte) {
	t := p.tx
	if t == nil {
		return
	}
	body := m[messageHeader:]
	ok := true
	switch {
	case m[0] == typeClientHello && d == flow.ToServer:
		ok = p.clientHello(t, body)
	case m[0] == typeServerHello && d == flow.ToClient:
		ok = p.serverHello(t, body)
	case m[0] == typeCertificate:
		ok = p.certificates(t, d, body)
	case m[0] == typeServerKeyExchange && d == flow.ToClient:
		t.Seen |= ServerKeyExchange
	case m[0] == typeClientKeyExchange && d == flow.ToServer:
		t.Seen |= ClientKeyExchange
	case m[0] == typeCertRequest && d == flow.ToClient:
		t.Seen |= CertificateRequest
	}
	if !ok {
		p.event(d, invalidHandshake)
		p.failed, p.sides[d].lost = true, true
	}
}

// open makes a transaction.
func (p *parser) open() *Tx {
	t, ok := p.list.Reuse()
	if !ok {
		t = new(Tx)
	}
	t.reset()
	p.list.Add(t)
	return t
}

// event raises an event. Those that come after the handshake was inspected get a transaction of their own, once each.
func (p *parser) event(d flow.Direction, e uint8) {
	if p.tx != nil {
		p.tx.events[d].Add(e)
		return
	}
	if p.later[d].Has(e) {
		return
	}
	p.later[d].Add(e)
	t := p.open()
	t.done = [2]bool{true, true}
	t.later = true
	t.events[d].Add(e)
}

// finish says that a direction's part of the handshake is over.
func (p *parser) finish(d flow.Direction) {
	if p.tx != nil {
		p.tx.done[d] = true
	}
	p.drop(&p.sides[d])
}

// Txs is the handshake until it is released, and what came later.
func (p *parser) Txs() []layer.Tx { return p.list.Txs() }

// Release forgets a transaction.
func (p *parser) Release(i int) {
	t := p.list.Release(i)
	if t == p.tx {
		p.tx = nil
	}
	t.store.Free(p.pool)
}

// Opaque is so once a direction is encrypted.
func (p *parser) Opaque(d flow.Direction) bool {
	s := &p.sides[d]
	return s.encrypted || s.changed && !p.retry
}

// Reset makes the parser fit for another flow.
func (p *parser) Reset() {
	for p.list.Len() > 0 {
		p.Release(p.list.Len() - 1)
	}
	p.list.Restart()
	for i := range p.sides {
		p.drop(&p.sides[i])
	}
	*p = parser{pool: p.pool, list: p.list}
}
