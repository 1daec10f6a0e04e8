// Package sip reads SIP (RFC 3261) over UDP and TCP: requests and responses in both directions, each a transaction of its
// own for signatures, with its headers in full or compact form.
package sip

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/line"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

// Limits.
const (
	maxLine    = 4096     // of a first line or a header; the rest is dropped
	maxHeaders = 128      // of a message; more are passed over
	maxKept    = 16 << 10 // bytes kept of a message
	maxBody    = 64 << 10 // more is an event; bodies are passed over line by line in any case
	maxLength  = 1 << 30  // a Content-Length beyond it is none
	maxHeld    = 256      // transactions that wait for the engine; beyond it nothing is consumed until it released some
)

// The events. The first two have Suricata's names.
const (
	eventIncomplete uint8 = iota
	eventInvalid
	eventHeader
	eventHeaderLong
	eventHeaderMany
	eventLength
	eventLengthLie
	eventBodyLong
	eventGap
	eventMemory
)

var events = []string{
	eventIncomplete: "incomplete_data",
	eventInvalid:    "invalid_data", // no message where one should begin
	eventHeader:     "invalid_header",
	eventHeaderLong: "header_too_long",
	eventHeaderMany: "too_many_headers",
	eventLength:     "invalid_content_length",
	eventLengthLie:  "content_length_lie", // a message begins inside a body
	eventBodyLong:   "body_too_long",
	eventGap:        "gap",
	eventMemory:     "memory_exceeded",
}

// Protocol describes SIP.
func Protocol() *layer.Protocol {
	return &layer.Protocol{
		Proto: layer.SIP, TCP: true, UDP: true, Ports: []uint16{5060}, Probe: probe,
		New: func(p *layer.Pool) layer.Parser { return New(p) }, Events: events,
	}
}

// probe knows SIP by its version in the first line, or by a method with a SIP URI.
func probe(_ flow.Direction, data []byte) layer.Answer {
	data = bytes.TrimLeft(data, "\r\n")
	const mark = "sip/"
	if line.Starts(data, mark) {
		return layer.Yes
	}
	method, rest := word(data)
	if len(method) > maxMethod || len(method) > 0 && !token(method) {
		return layer.No
	}
	if known(method) && (line.Starts(rest, "sip:") || line.Starts(rest, "sips:") || line.Starts(rest, "tel:")) {
		return layer.Yes
	}
	i := bytes.IndexByte(data, '\n')
	if i < 0 {
		return layer.More
	}
	if _, ok := parseStart(bytes.TrimRight(data[:i], " \t\r")); ok {
		return layer.Yes
	}
	return layer.No
}

type state uint8

const (
	between state = iota
	headers
	inBody
)

// side is one direction's reading.
type side struct {
	state    state
	carried  bool // an event without a message, since the last message
	datagram bool
	folds    bool // a folded line continues the last header that was kept
	count    int  // headers so far
	left     int  // bytes of the body
	scan     line.Scan
	tx       *Tx            // whose message is read
	listed   bool           // it is in the list
	pending  layer.EventSet // for the next transaction
}

// Parser reads one flow.
type Parser struct {
	pool  *layer.Pool
	list  tx.List[*Tx]
	sides [2]side
}

// New makes a parser whose transactions take their memory from pool.
func New(pool *layer.Pool) *Parser { return &Parser{pool: pool} }

// Reset makes the parser fit for another flow.
func (p *Parser) Reset() {
	for p.list.Len() > 0 {
		p.Release(0)
	}
	for i := range p.sides {
		if s := &p.sides[i]; s.tx != nil && !s.listed {
			s.tx.clear(p.pool)
		}
	}
	*p = Parser{pool: p.pool, list: p.list}
	p.list.Restart()
}

// Data reads the next bytes of a stream.
func (p *Parser) Data(d flow.Direction, data []byte, end bool) (n int, ok bool) {
	n = p.read(d, data, end)
	if end && n >= len(data) {
		for i := range p.list.Len() {
			p.list.At(i).complete[d] = true
		}
	}
	return n, true
}

// Datagram reads a UDP datagram: a message ends with it at the latest (RFC 3261, 18.3).
func (p *Parser) Datagram(d flow.Direction, data []byte) {
	for p.list.Len() >= maxHeld { // the engine stopped releasing: the oldest give way
		p.Release(0)
	}
	s := &p.sides[d]
	s.datagram, s.carried = true, false
	p.read(d, data, true)
	s.scan.Reset()
}

func (p *Parser) read(d flow.Direction, data []byte, end bool) (n int) {
	s := &p.sides[d]
	for n < len(data) {
		if s.state == between && p.list.Len() >= maxHeld && !end {
			return n
		}
		m, again := p.step(d, s, data[n:], end)
		n += m
		if m == 0 && !again {
			break
		}
	}
	if end && s.tx != nil {
		s.tx.events[d].Add(eventIncomplete)
		p.done(d, s)
	}
	return n
}

// step reads one line.
func (p *Parser) step(d flow.Direction, s *side, data []byte, end bool) (n int, again bool) {
	if s.state == inBody {
		return p.body(d, s, data, end)
	}
	text, n, long, ok := s.scan.Next(data, maxLine, end)
	switch {
	case !ok:
		return n, false
	case s.state == between:
		p.begin(d, s, text, long)
	case len(text) == 0:
		p.headed(d, s)
	case isStart(text): // another message begins: the end of this one's headers is missing
		s.tx.events[d].Add(eventHeader)
		p.done(d, s)
		p.begin(d, s, text, long)
	default:
		p.header(d, s, text, long)
	}
	return n, true
}

// begin reads a first line. Empty lines keep connections alive (RFC 5626, 3.5.1), some phones send spaces or zeros.
func (p *Parser) begin(d flow.Direction, s *side, text []byte, long bool) {
	if len(bytes.Trim(text, " \t\x00")) == 0 {
		return
	}
	l, ok := parseStart(text)
	if !ok {
		p.carry(d, s)
		return
	}
	t := p.draft()
	t.Direction, t.Request = d, l.request
	s.tx, s.listed, s.carried = t, false, false
	s.state, s.count, s.folds = headers, 0, false
	t.events[d] |= s.pending
	s.pending = 0
	if long {
		t.events[d].Add(eventHeaderLong)
	}
	p.keep(t, &t.line, text)
	for i, b := range [...][]byte{l.method, l.uri, l.version, l.code, l.reason} {
		if b != nil {
			p.keep(t, &t.parts[i], b)
		}
	}
}

// carry makes a transaction for bytes that are no message, once until the next message.
func (p *Parser) carry(d flow.Direction, s *side) {
	if s.carried {
		return
	}
	s.carried = true
	t := p.draft()
	t.Direction = d
	t.events[d].Add(eventInvalid)
	t.headed = true
	t.complete = [2]bool{true, true}
	p.list.Add(t)
}

func (p *Parser) draft() *Tx {
	t, ok := p.list.Reuse()
	if !ok {
		t = new(Tx)
	}
	return t
}

// keep remembers a piece of a message.
func (p *Parser) keep(t *Tx, at *tx.Span, b []byte) bool {
	if t.store.Len()+len(b) > maxKept {
		t.events[t.Direction].Add(eventHeaderLong)
		return false
	}
	var ok bool
	if *at, ok = t.store.Keep(p.pool, b); !ok {
		t.events[t.Direction].Add(eventMemory)
	}
	return ok
}

// headed is the end of a message's headers.
func (p *Parser) headed(d flow.Direction, s *side) {
	t := s.tx
	if v, ok := t.value(contentLength, 0); ok {
		if s.left, ok = line.Number(v, maxLength); !ok {
			t.events[d].Add(eventLength)
		}
	}
	if s.left > maxBody {
		t.events[d].Add(eventBodyLong)
	}
	s.state = inBody
	p.list.Add(t)
	s.listed, t.headed = true, true
	if s.left == 0 {
		p.done(d, s)
	}
}

// body passes a body over. A first line in it begins another message.
func (p *Parser) body(d flow.Direction, s *side, data []byte, end bool) (n int, again bool) {
	whole := len(data) >= s.left
	text, n, _, ok := s.scan.Next(data[:min(len(data), s.left)], maxLine, end || whole)
	if ok && isStart(text) {
		if s.tx != nil {
			s.tx.events[d].Add(eventLengthLie)
		}
		s.scan.Reset()
		p.done(d, s)
		return 0, true
	}
	if s.left -= n; s.left == 0 {
		s.scan.Reset()
		p.done(d, s)
	}
	return n, n > 0
}

// done ends the message that is read.
func (p *Parser) done(d flow.Direction, s *side) {
	t := s.tx
	s.tx, s.state, s.left = nil, between, 0
	if t == nil {
		return
	}
	if !s.listed {
		p.list.Add(t)
	}
	t.headed, t.complete = true, [2]bool{true, true}
	s.carried = s.datagram // what follows in a datagram is to be discarded (RFC 3261, 18.3): no event, but messages in it are read
}

// Gap gives up the message that bytes are missing of. The next one is known by its first line.
func (p *Parser) Gap(d flow.Direction, _ int) bool {
	s := &p.sides[d]
	s.pending.Add(eventGap)
	if s.tx != nil {
		s.tx.events[d].Add(eventGap)
	}
	p.done(d, s)
	s.scan.Reset()
	return true
}

// Txs are the messages that the engine has not released.
func (p *Parser) Txs() []layer.Tx { return p.list.Txs() }

// Release forgets a message.
func (p *Parser) Release(i int) {
	t := p.list.Release(i)
	for d := range p.sides {
		if s := &p.sides[d]; s.listed && s.tx == t {
			s.tx = nil
		}
	}
	t.clear(p.pool)
}

// Opaque is never the case: SIP over TLS is TLS.
func (p *Parser) Opaque(flow.Direction) bool { return false }
