// Package ssh reads the identification lines of SSH (RFC 4253, 4.2): protocol and software version of both sides.
package ssh

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/line"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Protocol is SSH's line in the table of protocols.
func Protocol() *layer.Protocol {
	return &layer.Protocol{
		Proto: layer.SSH, TCP: true, Ports: []uint16{22}, Probe: probe, Events: events,
		New: func(p *layer.Pool) layer.Parser { return &parser{pool: p} },
	}
}

// The events, by their place in the list of names.
const (
	invalidBanner uint8 = iota
	longBanner
	invalidRecord
	longKexRecord
	noMemory
)

var events = []string{
	invalidBanner: "invalid_banner",
	longBanner:    "long_banner",
	invalidRecord: "invalid_record",
	longKexRecord: "long_kex_record",
	noMemory:      "no_memory",
}

const (
	magic     = "SSH-"
	maxBanner = 255 // RFC 4253, 4.2, with the line end
	// maxLines is how many lines a server may send before its identification; more are no SSH.
	maxLines = 32
	newKeys  = 21 // RFC 4253, 7.3: the first message after which all is encrypted
	// maxPacket is the longest packet of the key exchange: twice what RFC 4253, 6.1 asks everyone to take.
	maxPacket = 1 << 16
	header    = 6 // length, padding, type
)

func probe(_ flow.Direction, data []byte) layer.Answer {
	n := min(len(data), len(magic))
	switch {
	case string(data[:n]) != magic[:n]:
		return layer.No
	case n < len(magic):
		return layer.More
	}
	return layer.Yes
}

// side is one direction's bytes.
type side struct {
	scan   line.Scan
	lines  int
	banner bool // the identification was read, or cannot come
	rest   bool // of an identification that was too long comes yet
	closed bool // NEWKEYS came, or the packets' boundaries are lost
}

// parser reads a flow: the identification, then the packets of the key exchange by their length.
type parser struct {
	pool  *layer.Pool
	list  tx.List[*Tx]
	tx    *Tx
	sides [2]side
	begun bool
}

// Data reads lines up to the identification, then the headers of packets up to NEWKEYS.
func (p *parser) Data(d flow.Direction, data []byte, end bool) (n int, ok bool) {
	s := &p.sides[d]
	if !p.begun {
		p.begun = true
		p.open()
	}
	for !s.banner {
		text, m, long, found := s.scan.Next(data[n:], maxBanner, end)
		n += m
		if found && !p.line(d, text, long) {
			p.finish(d)
			p.finish(d.Reverse())
			return len(data), false
		}
		if m == 0 {
			break
		}
	}
	if s.rest {
		n = p.skipRest(d, data, n)
	}
	for s.banner && !s.rest && !s.closed && n+header <= len(data) {
		n += p.packet(d, data[n:])
	}
	if s.closed {
		n = max(n, len(data))
	}
	if end {
		p.finish(d)
	}
	return n, true
}

// skipRest drops what is left of the identification's line.
func (p *parser) skipRest(d flow.Direction, data []byte, n int) int {
	i := bytes.IndexByte(data[n:], '\n')
	if i < 0 {
		return len(data)
	}
	p.sides[d].rest = false
	return n + i + 1
}

// line reads a line; others than the identification may come before it.
func (p *parser) line(d flow.Direction, text []byte, long bool) bool {
	s := &p.sides[d]
	if long {
		p.event(d, longBanner)
	}
	if !bytes.HasPrefix(text, []byte(magic)) {
		if s.lines++; s.lines == maxLines {
			p.event(d, invalidBanner)
		}
		return s.lines < maxLines
	}
	s.banner, s.rest = true, long
	if p.tx != nil {
		p.banner(d, text[len(magic):])
	}
	return true
}

// banner splits "2.0-software comment".
func (p *parser) banner(d flow.Direction, text []byte) {
	proto, software, ok := bytes.Cut(text, []byte("-"))
	if !ok || len(proto) == 0 || len(software) == 0 {
		p.event(d, invalidBanner)
	}
	p.tx.done[d] = true
	p.tx.proto[d] = p.keep(d, proto)
	if ok {
		software, _, _ = bytes.Cut(software, []byte(" "))
		p.tx.software[d] = p.keep(d, software)
	}
}

func (p *parser) keep(d flow.Direction, b []byte) tx.Span {
	s, ok := p.tx.store.Keep(p.pool, b)
	if !ok {
		p.event(d, noMemory)
	}
	return s
}

// packet reads a packet's header (RFC 4253, 6) and gives its length, which may exceed len(data).
func (p *parser) packet(d flow.Direction, data []byte) int {
	size := int(data[0])<<24 | int(data[1])<<16 | int(data[2])<<8 | int(data[3])
	switch {
	case size < 2:
		p.event(d, invalidRecord)
		p.close(d)
	case size > maxPacket:
		p.event(d, longKexRecord)
		p.close(d)
	case data[5] == newKeys:
		p.close(d)
	}
	return 4 + min(size, maxPacket)
}

func (p *parser) close(d flow.Direction) { p.sides[d].closed = true }

// Gap ends what can be read of a direction: the packets' boundaries are lost.
func (p *parser) Gap(d flow.Direction, _ int) bool {
	s := &p.sides[d]
	s.banner, s.closed = true, true
	p.finish(d)
	return true
}

func (p *parser) open() {
	t, ok := p.list.Reuse()
	if !ok {
		t = new(Tx)
	}
	*t = Tx{state: t.state}
	p.list.Add(t)
	p.tx = t
}

func (p *parser) event(d flow.Direction, e uint8) {
	if p.tx != nil {
		p.tx.events[d].Add(e)
	}
}

func (p *parser) finish(d flow.Direction) {
	if p.tx != nil {
		p.tx.done[d] = true
	}
}

// Txs is the flow's one transaction, until it is released.
func (p *parser) Txs() []layer.Tx { return p.list.Txs() }

// Release forgets the transaction.
func (p *parser) Release(i int) {
	p.list.Release(i).store.Free(p.pool)
	p.tx = nil
}

// Opaque is so after NEWKEYS.
func (p *parser) Opaque(d flow.Direction) bool { return p.sides[d].closed }

// Reset makes the parser fit for another flow.
func (p *parser) Reset() {
	for p.list.Len() > 0 {
		p.Release(0)
	}
	p.list.Restart()
	*p = parser{pool: p.pool, list: p.list}
}
